"""Pins, bets, the step readout and files of a dashboard without a browser."""

import re
from urllib.parse import parse_qs, parse_qsl
from xml.etree import ElementTree

import numpy as np
import pytest
from conftest import SMALL
from pages import make
from parts import button, control, of_class, sentences, text_of

from rnnviz.story import step_readout
from rnnviz.text.number_format import number
from rnnviz.views.styles import OVERLAYS

pytestmark = pytest.mark.usefixtures("no_loop")
SCENES = ["Fades", "Flat", "Blows up", "The surprise", "What PyTorch does", "Forget bias"]


def pins_of(page):
    """Return the settings of the pins in a page's link."""
    return [dict(parse_qsl(pin)) for pin in parse_qs(page.stage.query).get("pin", [])]


def test_equal_settings_are_pinned_once_and_the_oldest_pin_goes(opened):
    page = opened("", "state")
    for gain in (0.9, 0.9, 1.1, 1.2, 1.3):
        control(page, "Gain").value = gain
        button(page, "Pin").click()
    assert pins_of(page) == [{"gain": "1.1"}, {"gain": "1.2"}, {"gain": "1.3"}]
    button(page, "Unpin").click()
    assert pins_of(page) == []


def grey_curves(svg):
    """Return the y coordinates of a picture's pinned curves, upwards."""
    paths = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}path")
    grey = [path for path in paths if OVERLAYS["pinned"]["color"] in path.get("style", "")]
    curves = [np.array(re.findall(r"[ML] (\S+) (\S+)", path.get("d")), float) for path in grey]
    return [-curve[:, 1] for curve in curves if len(curve) > 2]


def test_a_pin_keeps_the_curve_that_was_there(asked):
    page, sent = asked({})
    button(page, "Pin").click()
    norms = page.trace.log10_grad_norm[0]
    pinned = np.median(norms - norms[:, -1:], axis=0)
    control(page, "Gain").value = 1.8
    page.stage._handle_custom_msg({"kind": "svg", "view": "gradient"}, [])
    curve, *_ = grey_curves(sent[-1][1][0])
    # A picture's height is an affine function of the values.
    slope, offset = np.polyfit(pinned, curve, 1)
    assert slope > 0
    np.testing.assert_allclose(slope * pinned + offset, curve, atol=0.01)
    assert "pinned: Xavier" in page.stage.frame["views"][1]["alt"]


def test_a_bet_covers_the_gradient_until_it_is_placed(opened):
    page = opened("predict=1")
    (bet,) = of_class(page, "rnnviz-bet")
    gradient = lambda: page.stage.frame["views"][1]["alt"]  # noqa: E731
    assert sentences(page) == []
    assert "covered" in gradient()
    assert not re.search(r"\d", gradient())
    page.stage.step = 3
    assert "covered" in page.stage.moment[0]
    button(page, "fades").click()
    assert "Right." in text_of(bet)
    assert "1 of 1" in text_of(bet)
    assert len(sentences(page)) == 2
    control(page, "Theory").value = True
    assert "covered" not in gradient(), "a choice of the page asks no new question"
    control(page, "Gain").value = 4.0
    assert sentences(page) == []
    assert "Right." not in text_of(bet)
    assert "1 of 1" in text_of(bet), "the score stays while the next question is open"
    button(page, "fades").click()
    assert "No: it grows" in text_of(bet)
    assert "1 of 2" in text_of(bet)
    button(page, "grows").click()
    assert "1 of 2" in text_of(bet)


def test_a_covered_picture_is_the_same_whatever_happened(opened):
    fades, grows = opened("predict=1"), opened("predict=1&gain=4.0")
    assert fades.stage.frame["views"][1]["png"] == grows.stage.frame["views"][1]["png"]


def test_no_picture_shows_the_answer_of_a_bet(opened):
    page = opened("predict=1", "state", "jacobian")
    alt = lambda: page.stage.frame["views"][1]["alt"]  # noqa: E731
    assert "covered" in alt()
    assert not re.search(r"\d", alt())
    button(page, "fades").click()
    assert "covered" not in alt()


def test_there_is_no_bet_without_the_link(opened):
    page = opened()
    (bet,) = of_class(page, "rnnviz-bet")
    assert bet.layout.display == "none"
    assert len(sentences(page)) == 2


def test_a_bets_scenes_have_numbers_for_names(opened):
    page = opened("predict=1")
    assert [each.description for each in of_class(page, "rnnviz-scene")] == [
        "Start",
        *(f"Scene {k}" for k in range(1, 7)),
    ]
    button(page, "Scene 4").click()
    assert page.config.scheme == "uniform01"
    assert [each.description for each in of_class(opened(), "rnnviz-scene")] == ["Start", *SCENES]


def test_the_step_pointed_at_is_read_with_its_equation(opened):
    page = opened()
    page.stage.step = 5
    title, first, second, forward = page.stage.moment
    assert title == "Step 5"
    read = [float(number.replace("−", "-")) for number in re.findall(r"(?:= |×|× )([\d.e-]+)", first)]
    # E h² before, its factor, E h² now; the gradient's norm as plotted; one step back and its two factors.
    size, growth, size_now, plotted, back, slope, rest = read
    assert [size, size_now] == pytest.approx(np.median(page.trace.second_moment[0, :, 4:6], axis=0), rel=0.06)
    assert size * growth == pytest.approx(size_now, rel=0.12)
    assert np.log10(plotted) == pytest.approx(np.median(page.trace.log10_relative_norm[0, :, 5]), abs=0.05)
    assert slope * rest == pytest.approx(back, rel=0.02)
    assert forward.startswith("Forward, Xavier, unit 1: h_5 = tanh(")
    assert second.startswith("U[0, 1]: ")
    control(page, "Sequence length").value = 4
    assert page.stage.moment[0] == "Step 4"
    page.stage.step = 1  # before it, h is 0: no factor leads from there
    assert page.stage.moment[1].startswith(f"Xavier: E h² = {number(np.median(page.trace.second_moment[0, :, 1]))};")


def test_a_step_has_a_sentence_on_the_gates_if_the_page_shows_them():
    page = make("gates", "gradient", cell="lstm")
    page.stage.step = 5
    *_, gates = page.stage.moment
    assert gates.startswith("Gates, Xavier: ")
    read = {name: float(value.replace("−", "-")) for name, value in re.findall(r"\b([a-z]) (\S+?)[,.](?= |$)", gates)}
    means = {name: float(np.median(each[0, :, 5])) for name, each in page.trace.gates.items()}
    assert read == pytest.approx(means, rel=0.06)
    page.stage.step = 0
    assert not any("Gates" in sentence for sentence in page.stage.moment)
    control(page, "Cell").value = "rnn"
    page.stage.step = 5
    assert not any("Gates" in sentence for sentence in page.stage.moment)


def test_a_step_out_of_bounds_is_refused(opened):
    for t in (-1, 13):
        with pytest.raises(ValueError, match="from 0 to 12"):
            step_readout.sentences(opened().trace, t)


def test_a_link_points_at_the_step_that_was_read(opened):
    page = opened("step=3")
    assert page.stage.step == 3
    assert "Step 3" in page.stage.moment[0]


@pytest.fixture
def asked(opened):
    """Return a function that sends a page a request, and returns the page and a list of what it sends back."""

    def ask(request, query=""):
        page, sent = opened(query), []
        page.stage.send = lambda message, buffers=None: sent.append((message, buffers))
        page.stage._handle_custom_msg(request, [])
        return page, sent

    return ask


def test_the_page_gives_its_pictures_and_its_data_with_all_seeds(asked):
    _, [(message, [png])] = asked({"kind": "png", "view": "gradient"})
    assert message["name"].endswith(".png")
    assert png.startswith(b"\x89PNG")
    _, [(_, [svg])] = asked({"kind": "svg", "view": "state"})
    assert b"<svg" in svg
    _, [(message, [csv])] = asked({"kind": "csv"})
    rows = [line for line in csv.decode().splitlines() if not line.startswith("#")]
    assert len(rows) == 1 + 2 * SMALL["seeds"] * (SMALL["seq_len"] + 1)
    assert message["type"] == "text/csv"


def test_the_page_shows_code_that_makes_the_same_page(asked, monkeypatch):
    page, [(message, _)] = asked({"kind": "code"}, "gain=1.5&theory=1")
    monkeypatch.delenv("QUERY_STRING")
    cell, _, _ = message["text"].partition("# or without")
    space = {}
    exec(cell.replace("\nDashboard(", "\npage = Dashboard("), space)
    np.testing.assert_array_equal(space["page"].trace.log10_grad_norm, page.trace.log10_grad_norm)
    assert space["page"].stage.frame["views"][0]["png"] == page.stage.frame["views"][0]["png"]


def test_the_code_makes_the_pinned_curves_too(asked):
    page, sent = asked({"kind": "code"}, "pin=gain%3D2.0%26seeds%3D3&pin=scheme%3Dhe")
    space = {}
    exec(sent[0][0]["text"], space)
    for name in ("state", "gradient"):
        page.stage._handle_custom_msg({"kind": "svg", "view": name}, [])
        curves, overlays = grey_curves(sent[-1][1][0]), space["pictures"][name].overlays
        assert len(overlays) == 2, name
        for overlay, curve in zip(overlays, curves, strict=False):
            values = np.asarray(overlay.values)[-len(curve) :]
            slope, offset = np.polyfit(values, curve, 1)
            np.testing.assert_allclose(slope * values + offset, curve, atol=0.01, err_msg=f"{name}: {overlay.name}")


def test_what_cannot_be_given_is_a_sentence(asked):
    for request in ({"kind": "nosuch"}, {}, {"kind": "png", "view": "nosuch"}, {"kind": "png"}):
        page, sent = asked(request)
        assert sent == [], request
        assert page.stage.message, request


def test_no_file_shows_the_answer_of_a_bet(asked):
    for request in ({"kind": "csv"}, {"kind": "png", "view": "gradient"}):
        page, sent = asked(request, "predict=1")
        assert sent == [], request
        assert "bet" in page.stage.message, request
        # The pictures are right: they are not dimmed, and nothing is to be reported.
        assert not page.stage.busy
        assert page.stage.report == ""
