"""Links for others, from a server that belongs to one user."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from browsing import ROOT

from rnnviz.dashboard.stage import shared_address

HUB = {"JUPYTERHUB_SERVICE_PREFIX": "/user/ana/", "JUPYTERHUB_BASE_URL": "/"}
BINDER = {**HUB, "BINDER_LAUNCH_HOST": "https://mybinder.org/", "BINDER_PERSISTENT_REQUEST": "v2/gh/owner/rnnviz/1a2b"}
PAGE = "voila/render/notebooks/de/01%20a.ipynb?gain=1.5&pin=gain%3D2%26seed%3D1&beside=he%2Ckeras"


def test_what_replaces_the_own_address_is_read_from_the_environment():
    assert shared_address({}) == {}
    assert shared_address(HUB) == {"base": "/user/ana/", "redirect": "/hub/user-redirect/"}
    subdomains = {**HUB, "JUPYTERHUB_HOST": "https://hub.edu"}
    assert shared_address(subdomains)["redirect"] == "https://hub.edu/hub/user-redirect/"
    assert shared_address(BINDER) == {"base": "/user/ana/", "binder": "https://mybinder.org/v2/gh/owner/rnnviz/1a2b"}
    assert shared_address({**HUB, "BINDER_REPO_URL": "https://a.edu/r"}) == {"base": "/user/ana/", "ends": True}


@pytest.mark.browser
def test_a_link_for_others_names_no_user_and_leads_to_the_same_page(page):
    script = (ROOT / "rnnviz/dashboard/stage/link.js").read_text(encoding="utf-8")

    def shared(address, environment):
        share = json.dumps(shared_address(environment))
        return page.evaluate(f"() => {{ {script}; return sharedAddress(new URL({json.dumps(address)}), {share}); }}")

    own = f"https://hub.edu/user/ana/{PAGE}"
    assert shared(own, {}) == own
    assert shared(f"http://127.0.0.1:8866/{PAGE}", HUB) == f"http://127.0.0.1:8866/{PAGE}"
    assert shared(own, HUB) == f"https://hub.edu/hub/user-redirect/{PAGE}"
    below = {"JUPYTERHUB_SERVICE_PREFIX": "/j/user/ana/", "JUPYTERHUB_BASE_URL": "/j/"}
    assert shared(f"https://hub.edu/j/user/ana/{PAGE}", below) == f"https://hub.edu/j/hub/user-redirect/{PAGE}"
    link = urlsplit(shared(own, BINDER))
    assert (link.netloc, link.path) == ("mybinder.org", "/v2/gh/owner/rnnviz/1a2b")
    assert parse_qs(link.query) == {"urlpath": [PAGE]}
