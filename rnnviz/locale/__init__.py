"""The catalogues of every language, and what makes the translated notebooks and pages of them; needs Babel."""
