"""The web server of the dashboards: Voila with this project's settings, page template and index page."""

import sys
from types import ModuleType

# Instead of a grammar of internationalised addresses, which jsonschema would compile for 1.5 s: no schema here has any.
sys.modules.setdefault("rfc3987_syntax", ModuleType("rfc3987_syntax"))
