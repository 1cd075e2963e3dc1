"""The index page: an ordered course in each language, for every screen, and by keyboard."""

import urllib.parse
import urllib.request
from html.parser import HTMLParser

import pytest
from browsing import FIRST, NOTEBOOKS, assert_accessible

from rnnviz.serving import gallery
from rnnviz.text.language import LANGUAGES

NAMES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))


class Links(HTMLParser):
    """The addresses that a page links to, and those that it shows or loads."""

    def __init__(self, text):
        super().__init__()
        self.links, self.assets = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "a":
            self.links.append(attributes["href"])
        self.assets += [attributes[name] for name in ("src", "srcset") if name in attributes]
        self.assets += [attributes["href"]] if tag == "link" else []


def test_index_links_to_every_notebook_of_its_language(server):
    assert NAMES
    for language, folder, other in (("en", "", "de"), ("de", "de/", "en")):
        status, text = server.get(f"?lang={language}")
        links = [urllib.parse.unquote(link) for link in Links(text).links if "/voila/render/" in link]
        assert status == 200
        assert f'<html lang="{language}">' in text
        assert links == [f"/voila/render/{folder}{name}" for name in NAMES]
        assert f'<a href="?lang={other}" hreflang="{other}" lang="{other}">{LANGUAGES[other]}</a>' in text
        for card in gallery.cards(NOTEBOOKS, language):
            assert card.title in text
            assert card.picture, card


def test_every_asset_of_the_index_answers(server):
    assets = Links(server.get()[1]).assets
    assert len(assets) >= 4
    for asset in assets:
        assert asset.startswith("/")
        with urllib.request.urlopen(server.url + asset.lstrip("/")) as answer:
            assert answer.status == 200, asset


@pytest.mark.browser
def test_index_is_accessible_and_needs_no_scrolling_sideways(voila, page):
    for scheme, language, other in (("light", "en", "de"), ("dark", "de", "en")):
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{voila}?lang={language}")
        assert page.get_by_role("link", name=LANGUAGES[other]).is_visible()
        assert_accessible(page, "minor", "moderate", "serious", "critical")
    page.set_viewport_size({"width": 320, "height": 256})  # 1280 x 1024 at 400 per cent
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


BOXES = """() => [...document.querySelectorAll(".rnnviz-card")].map((card) => {
  const box = card.getBoundingClientRect();
  return [Math.round(box.x), Math.round(box.y), card.querySelector("img").getBoundingClientRect().width];
})"""


@pytest.mark.browser
def test_the_course_is_in_order_and_no_card_is_alone(voila, new_page):
    page = new_page(viewport={"width": 1280, "height": 720})
    page.goto(voila)
    places = page.locator(".rnnviz-place").all_inner_texts()
    assert [place.split()[0] for place in places] == [str(k + 1) for k in range(len(NAMES))]
    for width in (1920, 1280, 800, 390):
        page.set_viewport_size({"width": width, "height": 720})
        boxes = page.evaluate(BOXES)
        assert boxes == sorted(boxes, key=lambda box: (box[1], box[0])), width
        rows = [sum(other[1] == box[1] for other in boxes) for box in boxes]
        assert width == 390 or min(rows) > 1, (width, boxes)
        assert all(picture >= 270 for _x, _y, picture in boxes), (width, boxes)  # they are drawn for 280
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
def test_index_by_keyboard(voila, page):
    page.goto(voila)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.hreflang") == "de"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == f"/voila/render/{FIRST}"
    assert page.evaluate("getComputedStyle(document.querySelector('.rnnviz-card')).outlineStyle") == "solid"
    page.route("**/voila/render/**", lambda route: route.fulfill(body="a notebook"))
    page.keyboard.press("Enter")
    page.get_by_text("a notebook").wait_for()
