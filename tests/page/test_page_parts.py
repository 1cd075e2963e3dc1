"""Presets, reset, pins, bets, locks and the step that is pointed at, on a dashboard without a browser."""

import re

import numpy as np
import pytest
from conftest import SMALL
from pages import make

import rnnviz as rv
from rnnviz.dashboard import pins
from rnnviz.dashboard.presets import PRESETS
from rnnviz.dashboard.scene import MOST_SCHEMES, Scene
from rnnviz.story import step_readout
from rnnviz.text.number_format import number

pytestmark = pytest.mark.usefixtures("no_loop")


def marked(dashboard):
    """Return the names of the controls that are marked as changed."""
    named = dashboard.controls.named
    return {name for name, widget in named.items() if "rnnviz-changed" in widget._dom_classes}


def texts(dashboard):
    return [word["text"] for word in dashboard.stage.frame["words"]]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sets_everything_at_once_and_says_what_to_look_at(opened, name):
    page = opened("", gain=1.3)
    frames = []
    page.stage.observe(lambda change: frames.append(change["new"]), "frame")
    page.presets.buttons[name].click()
    preset = PRESETS[name]
    assert len(frames) == 1
    assert page.config == rv.Config(**preset.settings)
    assert page.controls.scene.beside == Scene(page.config, preset.beside).beside
    assert preset.look in page.presets.look.value
    assert "rnnviz-chosen" in page.presets.buttons[name]._dom_classes
    assert marked(page) == set()


def test_a_scenes_sentence_is_said_while_it_speaks_of_what_is_there(opened):
    page = opened()
    look, gain, bias = page.presets.look, page.controls.widgets["gain"], page.controls.widgets["forget_bias"]
    page.presets.buttons["fades"].click()
    page.controls.widgets["hidden_size"].value = 20
    assert PRESETS["fades"].look in look.value
    page.controls.widgets["activation"].value = "relu"
    assert look.value == "<p></p>"
    page.presets.reset.click()
    assert PRESETS["fades"].look in look.value
    page.controls.compare["he"].value = True
    assert look.value == "<p></p>"
    page.presets.buttons["flat"].click()
    gain.value = 2.0
    assert PRESETS["flat"].look in look.value
    page.presets.buttons["forget_bias"].click()
    bias.value = 5.0
    assert PRESETS["forget_bias"].look in look.value
    gain.value = 2.0
    assert look.value == "<p></p>"


def test_the_folded_settings_are_marked_where_one_of_them_has_changed(opened):
    page = opened()
    unfold = page.controls.more.children[0]
    page.controls.widgets["gain"].value = 1.5
    assert "rnnviz-changed" not in unfold._dom_classes
    page.presets.new_seed.click()
    assert "rnnviz-changed" in unfold._dom_classes
    page.presets.reset.click()
    assert "rnnviz-changed" not in unfold._dom_classes


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_tells_no_result(name):
    assert not re.search(r"\d[.,]\d|e-\d", PRESETS[name].look)


def test_the_presets_show_what_their_names_say(opened):
    stories = {}
    page = opened()
    for name in PRESETS:
        page.presets.buttons[name].click()
        norms = np.median(page.trace.log10_grad_norm, axis=1)
        stories[name] = norms[:, 0] - norms[:, -1]
    assert (stories["fades"] < -5).all()
    assert abs(stories["flat"][0]) < 1
    assert (stories["blows_up"] > 0).all()
    assert stories["blows_up"][0] > 5
    assert stories["surprise"][0] < -300 < stories["surprise"][1]
    assert stories["pytorch"][0] < stories["pytorch"][1] - 5
    before = stories["forget_bias"]
    page.controls.widgets["forget_bias"].value = 5.0
    norms = np.median(page.trace.log10_grad_norm, axis=1)
    after = norms[:, 0] - norms[:, -1]
    assert after[0] > before[0] + 5
    assert after[1] == before[1]


def test_changed_controls_are_marked_until_reset(opened):
    page = opened()
    assert page.presets.reset.disabled
    page.controls.widgets["gain"].value = 1.7
    page.controls.compare["he"].value = True
    page.controls.choices["theory"].value = True
    assert marked(page) == {"gain", "beside", "theory"}
    assert not page.presets.reset.disabled
    page.presets.reset.click()
    assert marked(page) == set()
    assert page.config.gain == 1.0
    assert page.controls.scene == page.start


def test_new_seed_draws_other_numbers_and_nothing_else(opened):
    page = opened()
    before = page.trace
    page.presets.new_seed.click()
    assert page.config.replace(seed=0) == before.config
    assert not set(page.trace.seeds) & set(before.seeds)
    assert not np.array_equal(page.trace.second_moment, before.second_moment)


def test_a_pin_keeps_the_curve_that_was_there(opened):
    page = opened()
    pinned = np.median(page.trace.log10_grad_norm[0] - page.trace.log10_grad_norm[0][:, -1:], axis=0)
    page.pins.buttons[0].click()
    page.controls.widgets["gain"].value = 1.8
    artists = list(page.painter.canvases["gradient"].plates.values())[-1].artists
    (grey,) = artists["overlays"]
    np.testing.assert_allclose(grey.get_ydata(), pinned, rtol=1e-12)
    page.pins.buttons[0].click()
    assert [name for name, _ in page.pins.traces] == ["pinned: Xavier, Gain 1", "pinned: Xavier, Gain 1.8"]
    page.pins.buttons[1].click()
    assert page.pins.traces == []
    assert "pin=" not in page.stage.query


def test_what_is_on_the_page_is_pinned_without_another_run(opened, monkeypatch):
    dashboard = opened()
    monkeypatch.setattr(pins, "compare_part", lambda *arguments: pytest.fail("run again"))
    dashboard.pins.buttons[0].click()
    np.testing.assert_array_equal(dashboard.pins.traces[0][1].second_moment, dashboard.trace.second_moment[:1])


def test_the_same_scene_is_pinned_once_and_the_oldest_pin_goes(opened):
    page = opened()
    for gain in (1.0, 1.0, 1.1, 1.2, 1.3):
        page.controls.widgets["gain"].value = gain
        page.pins.buttons[0].click()
    assert [pin.scene.config.gain for pin in page.pins.pins] == [1.1, 1.2, 1.3]


@pytest.mark.parametrize(
    "change",
    [
        lambda page: page.presets.buttons["forget_bias"].click(),
        lambda page: page.presets.new_seed.click(),
        lambda page: page.pins.buttons[0].click(),
        lambda page: setattr(page.controls.widgets["gain"], "value", 0.1 + 0.2),
        lambda page: setattr(page.controls.widgets["input_scheme"], "value", "orthogonal"),
        lambda page: setattr(page.controls.choices["theory"], "value", True),
        lambda page: setattr(page.controls.seeds, "value", 3),
    ],
)
def test_a_link_brings_back_the_very_picture(opened, change):
    page = opened()
    change(page)
    again = opened(page.stage.query)
    assert again.stage.notice == ""
    assert again.stage.query == page.stage.query
    np.testing.assert_array_equal(again.trace.log10_grad_norm, page.trace.log10_grad_norm)
    for mine, theirs in zip(page.stage.frame["views"], again.stage.frame["views"], strict=True):
        assert mine["png"] == theirs["png"]
        assert mine["alt"] == theirs["alt"]


def test_a_bad_link_says_so_and_is_forgotten_with_the_next_change(opened):
    page = opened("scheme=%3Cb%3E&gain=1e999")
    assert page.stage.notice.count("In this link") == 2
    assert page.config == rv.Config(**{key: value for key, value in SMALL.items() if key != "seeds"})
    page.controls.widgets["gain"].value = 1.5
    assert page.stage.notice == ""


def test_a_link_freezes_and_hides_controls(opened):
    page = opened("lock=gain,beside&hide=cell,nosuch")
    assert page.stage.notice == "In this link lock and hide name what is no control: 'nosuch'."
    frozen = {name for name, widget in page.controls.widgets.items() if widget.disabled}
    assert frozen == {"gain"}
    assert all(box.disabled for box in page.controls.compare.values())
    assert "rnnviz-hidden" in page.controls.widgets["cell"]._dom_classes
    assert all(button.disabled for button in page.presets.buttons.values())
    assert not page.presets.new_seed.disabled
    page.presets.new_seed.click()
    assert page.presets.reset.disabled


def test_everything_can_be_frozen(opened):
    page = opened("lock=all")
    assert all(widget.disabled for widget in page.controls.widgets.values())
    assert page.presets.new_seed.disabled


def test_a_projector_gets_the_same_size_with_larger_letters(opened):
    plain, large = opened(), opened("present=1")
    assert large.stage.present
    for mine, theirs in zip(plain.stage.frame["views"], large.stage.frame["views"], strict=True):
        assert (mine["width"], mine["height"]) == (theirs["width"], theirs["height"])
        assert mine["png"] != theirs["png"]
        assert theirs["axes"]["left"] > 1.3 * mine["axes"]["left"]


def test_a_bet_covers_the_gradient_until_it_is_placed(opened):
    page = opened("predict=1")
    assert texts(page) == []
    assert "covered" in page.stage.frame["views"][1]["alt"]
    assert not re.search(r"\d", page.stage.frame["views"][1]["alt"])
    page.stage.step = 3
    assert "covered" in page.stage.moment[0]
    page.bet.buttons["shrinks"].click()
    assert "Right" in page.bet.result.value
    assert "1 of 1" in page.bet.score.value
    assert len(texts(page)) == 2
    page.controls.widgets["gain"].value = 4.0
    assert texts(page) == []
    assert page.bet.result.value == ""
    assert "1 of 1" in page.bet.score.value, "the score stays while the next question is open"
    page.bet.buttons["shrinks"].click()
    assert "No: it grows" in page.bet.result.value
    assert "1 of 2" in page.bet.score.value
    page.bet.buttons["grows"].click()
    assert "1 of 2" in page.bet.score.value


def test_a_covered_picture_is_the_same_whatever_happened(opened):
    fades, grows = opened("predict=1"), opened("predict=1&gain=4.0")
    assert fades.stage.frame["views"][1]["png"] == grows.stage.frame["views"][1]["png"]


def test_a_choice_of_the_page_asks_no_new_question(opened):
    page = opened("predict=1")
    page.bet.buttons["grows"].click()
    page.controls.choices["theory"].value = True
    assert not page.bet.covers


def test_without_the_link_nobody_bets(opened):
    page = opened()
    assert page.bet.layout.display == "none"
    assert len(texts(page)) == 2


def test_the_step_pointed_at_is_told_with_its_equation(opened):
    page = opened()
    page.stage.step = 5
    title, first, second = page.stage.moment
    assert title == "Step 5"
    norms = np.median(page.trace.log10_grad_norm[0], axis=0)
    told = [float(number.replace("−", "-")) for number in re.findall(r"(?:=|×|back:) ([\d.e-]+)", first)]
    # E h² before, its factor, E h² now; the gradient's norm, one step back, the norm again, its two factors.
    size, growth, moment_now, now, before, again, carry, rest = told
    assert [size, moment_now] == pytest.approx(np.median(page.trace.second_moment[0, :, 4:6], axis=0), rel=0.06)
    assert size * growth == pytest.approx(moment_now, rel=0.12)
    assert np.log10([now, before]) == pytest.approx(norms[[5, 4]], abs=0.05)
    assert again == now
    assert again * carry * rest == pytest.approx(before, rel=0.25)  # each has two digits
    assert second.startswith("U[0, 1]: ")
    page.controls.widgets["seq_len"].value = 4
    assert page.stage.moment[0] == "Step 4"
    page.stage.step = 1  # before it, h is 0: no factor leads from there
    assert page.stage.moment[1].startswith(f"Xavier: E h² = {number(np.median(page.trace.second_moment[0, :, 1]))};")


def test_a_step_tells_of_the_gates_where_the_page_shows_them():
    page = make("gates", "gradient", cell="lstm")
    page.stage.step = 5
    *_, told = page.stage.moment
    assert told.startswith("Gates, Xavier: ")
    values = {name: float(value.replace("−", "-")) for name, value in re.findall(r"\b([a-z]) (\S+?)[,.](?= |$)", told)}
    means = {name: float(np.median(each[0, :, 5])) for name, each in page.trace.gates.items()}
    assert values == pytest.approx(means, rel=0.06)
    page.stage.step = 0
    assert not any("Gates" in sentence for sentence in page.stage.moment)
    page.controls.widgets["cell"].value = "rnn"
    page.stage.step = 5
    assert not any("Gates" in sentence for sentence in page.stage.moment)


def test_a_bets_scenes_have_numbers_for_names(opened):
    page = opened("predict=1")
    assert [button.description for button in page.presets.buttons.values()] == [f"Scene {k}" for k in range(1, 7)]
    page.presets.buttons["surprise"].click()
    assert page.config.scheme == "uniform01"
    assert opened().presets.buttons["surprise"].description == "The surprise"


def test_a_page_without_controls_has_no_scenes_either(opened):
    assert "rnnviz-hidden" in opened("hide=all").presets._dom_classes
    assert "rnnviz-hidden" not in opened("hide=gain").presets._dom_classes


@pytest.mark.parametrize("t", [-1, 13])
def test_a_step_out_of_bounds_is_refused(opened, t):
    with pytest.raises(ValueError, match="from 0 to 12"):
        step_readout.sentences(opened().trace, t)


@pytest.fixture
def asked(opened):
    """Ask a page for files, and return what it sends."""

    def ask(request, query=""):
        page, sent = opened(query), []
        page.stage.send = lambda message, buffers=None: sent.append((message, buffers))
        page.stage._handle_custom_msg(request, [])
        return page, sent

    return ask


def test_the_page_gives_its_pictures(asked):
    page, [(message, [png])] = asked({"kind": "png", "view": "gradient"})
    assert message["name"].endswith(".png")
    assert png.startswith(b"\x89PNG")
    page, [(message, [svg])] = asked({"kind": "svg", "view": "state"})
    assert b"<svg" in svg


def test_the_page_gives_its_data_with_all_seeds(asked):
    page, [(message, [csv])] = asked({"kind": "csv"})
    rows = [line for line in csv.decode().splitlines() if not line.startswith("#")]
    assert len(rows) == 1 + 2 * SMALL["seeds"] * (SMALL["seq_len"] + 1)
    assert message["type"] == "text/csv"


def test_the_page_shows_code_that_makes_the_same_page(asked, monkeypatch):
    page, [(message, _)] = asked({"kind": "code"}, "gain=1.5&theory=1")
    monkeypatch.delenv("QUERY_STRING")
    dashboard_cell = message["text"].partition("# or without")[0].replace("\nDashboard(", "\npage = Dashboard(")
    space = {}
    exec(dashboard_cell, space)
    np.testing.assert_array_equal(space["page"].trace.log10_grad_norm, page.trace.log10_grad_norm)


def test_the_code_makes_the_pinned_curves_too(asked):
    page, [(message, _)] = asked({"kind": "code"}, "pin=gain%3D2.0%26seeds%3D3&pin=scheme%3Dhe")
    space = {}
    exec(message["text"], space)
    for name, view in page.views.items():
        mine, theirs = page.job(view)().overlays, space["pictures"][name].overlays
        assert [each.name for each in mine] == [each.name for each in theirs] != []
        for one, other in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(one.values, other.values)


@pytest.mark.parametrize("request_", [{"kind": "nosuch"}, {}, {"kind": "png", "view": "nosuch"}, {"kind": "png"}])
def test_what_cannot_be_given_is_a_sentence(asked, request_):
    page, sent = asked(request_)
    assert sent == []
    assert page.stage.message


@pytest.mark.parametrize("kind", ["csv", "png"])
def test_no_file_tells_before_the_bet(asked, kind):
    page, sent = asked({"kind": kind, "view": "gradient" if kind == "png" else ""}, "predict=1")
    assert sent == []
    assert "bet" in page.stage.message


def test_what_is_refused_dims_no_picture_that_is_right(asked):
    page, _sent = asked({"kind": "csv"}, "predict=1")
    assert "bet" in page.stage.message
    assert not page.stage.busy
    assert page.stage.report == ""


def test_no_picture_tells_the_answer_of_a_bet(monkeypatch):
    monkeypatch.setenv("QUERY_STRING", "predict=1")
    page = make("state", "jacobian")
    assert "covered" in page.stage.frame["views"][1]["alt"]
    assert not re.search(r"\d", page.stage.frame["views"][1]["alt"])
    page.bet.buttons["shrinks"].click()
    assert "covered" not in page.stage.frame["views"][1]["alt"]


def test_a_link_points_at_the_step_that_was_read(opened):
    page = opened("step=3")
    assert page.stage.step == 3
    assert "Step 3" in page.stage.moment[0]


def test_no_more_schemes_can_be_ticked_than_are_drawn(opened):
    page = opened("beside=")
    boxes = page.controls.compare
    for box in boxes.values():
        if not box.disabled:
            box.value = True
    ticked = {name for name, box in boxes.items() if box.value}
    assert ticked == set(page.trace.schemes[1:])
    assert len(page.trace.schemes) == MOST_SCHEMES
    boxes[next(iter(ticked))].value = False
    assert not any(box.disabled for name, box in boxes.items() if name != page.config.scheme)
