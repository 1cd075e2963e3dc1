"""The web server of the dashboards: Voila with this project's settings, page template and index page."""
