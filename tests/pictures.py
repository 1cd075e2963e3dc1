"""Retake the pictures of the README and the gallery: `python tests/pictures.py ADDRESS-OF-A-RUNNING-DEMO`."""

import shutil
import sys
from itertools import product
from pathlib import Path

from conftest import BROWSER_FLAGS
from PIL import Image, ImageColor
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent / "notebooks"
FOLDERS = ("", "de/")  # of each language
CARD = {"width": 1200, "height": 750}
# The part of each notebook that shows best what it is about.
SUBJECTS = {
    "01_variance_and_gradients": "[data-view=gradient] img",
    "02_spectrum": "[data-view=spectrum] img",
    "03_gates": "[data-view=units] img",
    "04_how_the_numbers_are_made": ".rnnviz-step >> nth=7",
}
SETTLED = """() => {
  const images = [...document.querySelectorAll('.rnnviz-view img')];
  return document.querySelector('.rnnviz-step')
    || images.length && images.every(i => i.complete && i.naturalWidth >= i.clientWidth * devicePixelRatio - 2)
      && !document.querySelector('.rnnviz-late') && images.length === document.querySelectorAll('.rnnviz-view').length;
}"""


def open_notebook(page: Page, address: str, name: str) -> None:
    """Open a notebook and wait for all its pictures."""
    page.goto(f"{address.rstrip('/')}/voila/render/{name}.ipynb")
    page.wait_for_selector(SUBJECTS[name.rpartition("/")[2]])
    page.wait_for_load_state("networkidle")
    page.wait_for_function(SETTLED)


def fit(path: Path, background: str) -> None:
    """Crop or pad a picture to the size of a card."""
    with Image.open(path) as picture:
        colour = ImageColor.getrgb(background)
        card = Image.new("RGB", (CARD["width"], CARD["height"]), colour)
        card.paste(picture.convert("RGB"), (0, max(0, (CARD["height"] - picture.height) // 2)))
    card.save(path, optimize=True)


def main(address: str) -> None:
    """Write a card for each notebook, light and dark, and the README's picture."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER_FLAGS)
        for theme, suffix, background in (("light", "", "#ffffff"), ("dark", "-dark", "#14181f")):
            page = browser.new_page(viewport={"width": 640, "height": 900}, device_scale_factor=2, color_scheme=theme)
            for folder, (name, subject) in product(FOLDERS, SUBJECTS.items()):
                open_notebook(page, address, folder + name)
                path = NOTEBOOKS / folder / "pictures" / f"{name}{suffix}.png"
                page.locator(subject).first.screenshot(path=path, style=".rnnviz-files {visibility: hidden}")
                fit(path, background)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        open_notebook(page, address, "01_variance_and_gradients")
        page.locator(".rnnviz").first.screenshot(path=NOTEBOOKS / "pictures" / "dashboard.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
