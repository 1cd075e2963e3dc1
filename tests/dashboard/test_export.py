"""Pictures that are taken away are what was shown: files are read back, against the trace that they came from."""

import io
import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from exported import CASES, CHOSEN, CONFIGS, SCHEMES, SMALL, take, taken_home
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import rc_context
from PIL import Image

import rnnviz as rv
from rnnviz.dashboard import export
from rnnviz.network.config import FIELDS
from rnnviz.views import VIEWS, Canvas, figure_export

pytestmark = pytest.mark.usefixtures("no_loop")
OF_ALL_SEEDS = ("state", "gradient", "gates", "layers_state", "layers_gradient", "race", "map")


@pytest.fixture(params=VIEWS)
def view(request):
    return VIEWS[request.param]


# PNG and SVG


@pytest.fixture(scope="module")
def shown():
    return rv.compare(*CASES["gru, hostile text"]), rv.compare(SMALL.replace(gain=1.25), ("xavier", "he"), range(3))


def check_description(text, view, trace):
    said = json.loads(text)
    assert said["view"] == view.name
    assert rv.Config(**{name: said[name] for name in FIELDS}) == trace.config
    assert said["schemes"] == list(trace.schemes)
    assert said["seeds"] == list(trace.seeds)
    assert said["options"] == {name: CHOSEN[name] for name in CHOSEN if name in view.options}
    assert said["shows"] == view.describe(take(view, trace))


def test_a_png_has_its_size_its_words_and_a_caption(view, shown):
    trace = shown[0]
    with Image.open(io.BytesIO(taken_home(view, trace, "png"))) as image:
        assert image.size == (1520, 1040)
        assert image.info["dpi"] == pytest.approx((200, 200), abs=0.1)
        assert image.text["Title"].startswith(f"rnnviz: {view.label}, ")
        check_description(image.text["Description"], view, trace)
        pixels = np.asarray(image.convert("L"))
    assert pixels[-24:].min() < 140, "there is a caption"
    assert pixels[:, -8:].min() == 255, "which does not leave the picture"


def test_an_svg_is_xml_with_text_as_text(view, shown):
    trace = shown[0]
    root = ET.fromstring(taken_home(view, trace, "svg"))
    assert (root.get("width"), root.get("height")) == ("760", "520")
    assert [float(side) for side in root.get("viewBox").split()] == pytest.approx([0, 0, 760 * 0.72, 520 * 0.72])
    said = " ".join(each.text for each in root.iter("{http://www.w3.org/2000/svg}text"))
    for words in ("Xavier", "seeds 0 to 1", "Cell: GRU", "Hidden size: 12", "Sequence length: 11"):
        assert words in said
    assert ("shown: seed 0" in said) == (view.name not in OF_ALL_SEEDS)
    dublin = {each.tag.partition("}")[2]: each.text for each in root.iter() if "purl.org/dc" in each.tag}
    assert root.find("{http://www.w3.org/2000/svg}title").text.startswith(f"rnnviz: {view.label}, ")
    check_description(dublin["description"], view, trace)
    assert "date" not in dublin


def test_the_title_of_the_picture_is_text():
    trace = rv.compare(*CASES["plain"])
    drawn = taken_home(VIEWS["state"], trace, "svg").decode()
    assert ">Variance over units and batch of the hidden state</text>" in drawn
    lines = re.findall("<text[^>]*>([^<]*)</text>", drawn)[-2:]
    assert "State: Variance over units and batch · Theory: show" in " ".join(reversed(lines))


def test_the_same_picture_gives_the_same_bytes(view, shown, monkeypatch):
    trace = shown[1]
    first = taken_home(view, trace, "svg", {})
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    with rc_context({"savefig.bbox": "tight", "savefig.transparent": True, "svg.fonttype": "path"}):
        assert taken_home(view, trace, "svg", {}) == first


def test_a_person_s_own_style_leaves_size_and_paper():
    trace, view = rv.compare(*CASES["plain"]), VIEWS["state"]
    with rc_context({"savefig.bbox": "tight", "savefig.transparent": True}):
        drawn = taken_home(view, trace, "png", {})
    with Image.open(io.BytesIO(drawn)) as image:
        assert image.size == (1520, 1040)
        assert image.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)


def test_without_a_caption_it_is_the_picture_of_the_page(view, shown):
    trace = shown[1]
    data = view.data(trace)
    page = np.asarray(Image.open(io.BytesIO(Canvas(view).png(data, 760, 520, 2.0))), float)
    drawn = np.asarray(Image.open(io.BytesIO(figure_export.picture(view, data, "png", "", {}))).convert("RGB"), float)
    # Only what lies over what may differ: the page paints all that moves above all that stays.
    assert np.mean(np.abs(page - drawn).max(axis=-1) > 8) < 0.01


# File names


@settings(max_examples=60)
@given(CONFIGS, SCHEMES, st.sampled_from(["csv", ".png"]), st.sampled_from(["", *VIEWS]))
def test_file_names_are_short_and_safe_anywhere(config, schemes, ending, view):
    name = export.filename(config, schemes, ending, view)
    assert re.fullmatch(r"rnnviz-[A-Za-z0-9._-]+\.(csv|png)", name)
    assert len(name) < 130
    assert ".." not in name
    assert config.cell in name
    assert schemes[0] in name


def test_file_names_tell_settings_apart():
    make = export.filename
    assert (
        make(SMALL, ("xavier", "uniform01"), "svg", "state") == "rnnviz-state-rnn-tanh-xavier-vs-uniform01-H12-T11.svg"
    )
    assert make(SMALL.replace(gain=1.5), ("he",), "csv") == "rnnviz-rnn-tanh-he-gain1.5-H12-T11.csv"
    assert make(SMALL, list("abcde"), "csv") == "rnnviz-rnn-tanh-a-vs-b-vs-c-and-2-more-H12-T11.csv"
    assert make(SMALL, ["../../etc"], "csv") == "rnnviz-rnn-tanh-.._.._etc-H12-T11.csv"
