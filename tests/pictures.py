"""Retake the pictures of the README and the gallery: `python tests/pictures.py ADDRESS-OF-A-RUNNING-DEMO`."""

import shutil
import sys
from itertools import product
from pathlib import Path

from browsing import PICTURES
from conftest import BROWSER_FLAGS
from PIL import Image, ImageColor
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent / "notebooks"
FOLDERS = ("", "de/")  # of each language
CARD = {"width": 280, "height": 202}  # CSS pixels: what a card shows at a window of 1280
DOTS = 3
STYLE = ".rnnviz-files {visibility: hidden} .rnnviz-step figure {padding: 0} .rnnviz-step {row-gap: 0}"
# The settings and the part of each notebook that show best what it is about.
SUBJECTS = {
    "01_variance_and_gradients": ("", "[data-view=gradient] img"),
    "02_spectrum": ("beside=orthogonal&show=jacobian,gradient", "[data-view=jacobian] img"),
    "03_gates": ("show=units,gradient", "[data-view=units] img"),
    "04_how_the_numbers_are_made": ("", ".rnnviz-step >> nth=7"),
    "05_layers_and_time": ("gain=2&beside=", "[data-view=layers_gradient] img"),
    "06_watch_it_learn": ("show=map,gradient&beside=", "[data-view=map] img"),
    "07_steps_that_xavier_saves": ("", "[role=img] svg"),
    "08_the_note": ("", ".rnnviz-claim >> nth=1"),
}

DESK = {"width": 1280, "height": 720}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
README = {  # picture -> the notebook and the page that it shows
    "dashboard.png": ("01_variance_and_gradients", {"viewport": DESK}),
    "dashboard-de-dark.png": ("de/03_gates", {"viewport": DESK, "color_scheme": "dark"}),
    "dashboard-phone.png": ("01_variance_and_gradients", PHONE),
}


def open_notebook(page: Page, address: str, name: str) -> str:
    """Open a notebook, wait for all its pictures, and return the selector of its subject."""
    query, subject = SUBJECTS[name.rpartition("/")[2]]
    page.goto(f"{address.rstrip('/')}/voila/render/{name}.ipynb?{query}")
    page.locator(subject).first.wait_for(timeout=120_000)
    other = "document.querySelector('.rnnviz-step, .rnnviz-claim, [role=img] svg')"
    page.wait_for_function(f"() => {other} || ({PICTURES})()")
    return subject


def fit(path: Path, background: str) -> None:
    """Scale a picture to a card's width, and crop or pad it to its height."""
    width, height = (DOTS * side for side in CARD.values())
    with Image.open(path) as picture:
        scaled = picture.convert("RGB").resize((width, round(picture.height * width / picture.width)))
    card = Image.new("RGB", (width, height), ImageColor.getrgb(background))
    card.paste(scaled, (0, max(0, (height - scaled.height) // 2)))
    card.quantize(64).save(path, optimize=True)


def main(address: str) -> None:
    """Write a card for each notebook, light and dark, and the README's pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER_FLAGS)
        for theme, suffix, background in (("light", "", "#ffffff"), ("dark", "-dark", "#14181f")):
            narrow = {"width": CARD["width"] + 32, "height": 760}
            page = browser.new_page(viewport=narrow, device_scale_factor=DOTS, color_scheme=theme)
            for folder, name in product(FOLDERS, SUBJECTS):
                subject = open_notebook(page, address, folder + name)
                path = NOTEBOOKS / folder / "pictures" / f"{name}{suffix}.png"
                page.locator(subject).first.screenshot(path=path, style=STYLE)
                fit(path, background)
        for name, (notebook, options) in README.items():
            page = browser.new_page(**options)
            open_notebook(page, address, notebook)
            page.screenshot(path=NOTEBOOKS / "pictures" / name)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
