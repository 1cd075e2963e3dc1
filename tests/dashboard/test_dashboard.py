"""The dashboard without a browser or a loop: set a control, see config, trace, pictures and words follow."""

import math
import re

import numpy as np
import pytest
from pages import TEXT, everything_in, make, shown
from synchronous import START, put, text_of, words

import rnnviz as rv
from rnnviz.dashboard.controls import Controls
from rnnviz.dashboard.pins import pinned
from rnnviz.dashboard.scenes import SCENES
from rnnviz.dashboard.settings import Settings
from rnnviz.engine import gradient_check
from rnnviz.network.config import FIELDS
from rnnviz.views import OPTIONS, VIEWS

pytestmark = pytest.mark.usefixtures("no_loop")


# field -> (a value that is not the default, what has to be set for it to matter)
CHANGES = {
    "cell": ("lstm", {}),
    "activation": ("relu", {}),
    "scheme": ("he", {}),
    "input_scheme": ("orthogonal", {}),
    "gain": (1.6, {}),
    "hidden_size": (20, {}),
    "input_size": (9, {}),
    "output_size": (4, {}),
    "seq_len": (21, {}),
    "batch_size": (5, {}),
    "inputs": ("none", {}),
    "input_scale": (0.5, {}),
    "loss_at": ("every", {}),
    "loss_reduction": ("mean", {"loss_at": "every"}),
    "forget_bias": (3.0, {"cell": "lstm"}),
    "seed": (5, {}),
    "layers": (2, {}),
    "truncate": (3, {}),
    "spectral_radius": (0.7, {}),
    "text": (TEXT, {"inputs": "text"}),
    "numbers": ("1;2\n3;5\n2;4", {"inputs": "numbers"}),
}
# Fields that leave the forward pass alone, or, as a factor on the loss does, every curve relative to the last step.
SEEN_IN = {"output_size": ("gradient",), "loss_at": ("gradient",), "loss_reduction": (), "truncate": ("gradient",)}
KEPT_LABELS = {
    "hidden_size": "Hidden size",
    "seq_len": "Sequence length",
    "scheme": "Scheme",
    "cell": "Cell",
    "activation": "Activation",
    "gain": "Gain",
    "seed": "Seed",
}


# Controls


def test_a_control_changes_config_trace_pictures_and_words():
    assert set(CHANGES) >= set(FIELDS)
    dashboard = make()
    for name, (value, needs) in CHANGES.items():
        put(dashboard, **needs)
        before = shown(dashboard)
        put(dashboard, **{name: value})
        config = START.replace(**needs, **{name: value})
        assert dashboard.config == config, name
        schemes, seeds = (config.scheme, "uniform01"), (config.seed, config.seed + 1)
        assert (dashboard.trace.schemes, dashboard.trace.seeds) == (schemes, seeds), name
        expected = rv.compare(config, schemes, seeds)
        np.testing.assert_array_equal(dashboard.trace.log10_grad_norm, expected.log10_grad_norm, err_msg=name)
        np.testing.assert_array_equal(dashboard.trace.second_moment, expected.second_moment, err_msg=name)
        assert dashboard.stage.message == "", name
        for view in SEEN_IN.get(name, ("state", "gradient")):
            picture, alt = shown(dashboard)[view]
            assert before[view][0] != picture, f"{name}: the picture of {view} is the old one"
            assert before[view][1] != alt, f"{name}: the alt text of {view} is the old one"
        dashboard.controls.show(dashboard.state.home)
        dashboard.controls.changed()


def test_every_field_has_a_control_with_its_label_and_every_entry():
    dashboard = make()
    inside = everything_in(dashboard)
    for name, spec in FIELDS.items():
        control, meta = dashboard.controls.widgets[name], spec.metadata
        assert any(control is each for each in inside), f"{name} is nowhere on the page"
        assert control.description == meta["label"] == KEPT_LABELS.get(name, meta["label"])
        assert control.tooltip == meta["help"], name
        if meta["kind"] == "choice":
            offered = [value for _, value in control.options]
            assert [value for value in offered if value] == list(meta["allowed"]), name
            assert len({label for label, _ in control.options if label}) == len(offered), name


def test_every_choice_of_the_page_changes_a_picture_and_runs_nothing():
    shows = {name: [each for each in ("state", "gradient", *VIEWS) if name in VIEWS[each].options] for name in OPTIONS}
    # What is trained changes a picture only once it has been trained: see test_race.
    names = {name: views[0] for name, views in shows.items() if not {"race", "map"} & set(views)}
    del names["layer"]  # which means something where there are several: see test_layers_page
    dashboard = make(*dict.fromkeys(names.values()))
    inside = everything_in(dashboard)
    for name, view in names.items():
        before, trace, control = shown(dashboard), dashboard.trace, dashboard.controls.choices[name]
        assert any(control is each for each in inside), name
        control.value = OPTIONS[name].choices[-1][1]
        assert shown(dashboard)[view][0] != before[view][0], name
        assert dashboard.trace is trace, name


def test_only_the_choices_that_its_views_have_are_on_a_page():
    dashboard = make("layers_state")
    assert dashboard.controls.choices == {}
    assert dashboard.stage.frame["columns"] == 1
    assert dashboard.stage.frame["words"], "the words are those of every page"


def test_a_value_outside_the_usual_range_extends_the_slider():
    dashboard = make("state", hidden_size=4, seq_len=7, batch_size=1, gain=15.5, seed=12_345, seeds=1, input_scale=9)
    ranges = {"hidden_size": (1, 4), "gain": (0.0, 15.5), "seed": (0, 12_345), "seq_len": (1, 7)}
    for name, (low, value) in ranges.items():
        control = dashboard.controls.widgets[name]
        assert (control.min, control.value) == (low, value)
        assert control.max == max(value, FIELDS[name].metadata["slider"][1])
        assert getattr(dashboard.trace.config, name) == value


def test_controls_that_mean_nothing_now_are_hidden():
    dashboard = make("state")
    layout = {name: dashboard.controls.widgets[name].layout for name in ("forget_bias", "text", "loss_reduction")}
    layout["as_noise"] = dashboard.controls.as_noise.layout
    assert [each.display for each in layout.values()] == ["none"] * 4
    put(dashboard, cell="lstm", inputs="text", loss_at="every")
    assert [each.display for each in layout.values()] == [None] * 4
    put(dashboard, cell="gru", inputs="none", loss_at="last")
    assert [each.display for each in layout.values()] == ["none"] * 4


def test_a_one_hot_input_becomes_as_large_as_noise_by_one_tick():
    dashboard = make("state", inputs="text", text=TEXT)
    box, slider, size = dashboard.controls.as_noise, dashboard.controls.widgets["input_scale"], len(set(TEXT))
    assert not box.value
    box.value = True
    assert dashboard.config.input_scale == slider.value == math.sqrt(size)
    assert dashboard.link == f"input_scale={math.sqrt(size)}"
    assert f"√{size}" in dashboard.notes.value
    slider.value = 0.5
    assert not box.value
    box.value = True
    box.value = False
    assert dashboard.config.input_scale == 1.0
    put(dashboard, inputs="gaussian", input_scale=2.0)
    assert dashboard.config.input_scale == 2.0


def test_a_link_with_the_size_of_noise_ticks_the_box_and_a_lock_freezes_it(opened):
    page = opened("inputs=text&text=abcd&input_scale=2&lock=input_scale")
    assert (page.controls.as_noise.value, page.controls.as_noise.disabled) == (True, True)
    assert opened("inputs=text").notes.value
    assert not opened("inputs=text&predict=1").notes.value, "what theory expects would answer the bet"
    assert "rnnviz-hidden" in opened("inputs=text&hide=input_scale").controls.as_noise._dom_classes
    for size, display in ((10_000, None), (10_001, "none")):  # input_scale ends at 100
        config = rv.Config(inputs="text", text="".join(map(chr, range(0x4E00, 0x4E00 + size))))
        assert Controls(Settings(config), (), print).as_noise.layout.display == display


def test_the_page_says_what_its_settings_mean():
    dashboard = make(cell="lstm", scheme=["keras", "pytorch"])
    assert "Keras" not in dashboard.notes.value
    assert "PyTorch draws its own biases" in dashboard.notes.value
    put(dashboard, forget_bias=2.5)
    assert "<p>Keras starts with forget bias 1: at 2.5 it is no longer the default.</p>" in dashboard.notes.value
    put(dashboard, cell="rnn")
    assert dashboard.notes.value == ""
    put(dashboard, loss_at="every")
    assert "is the sum of 12 losses" in dashboard.notes.value
    put(dashboard, loss_reduction="mean")
    assert "is the mean of 12 losses" in dashboard.notes.value


# Schemes side by side


def test_check_boxes_add_and_remove_schemes():
    dashboard = make(scheme=["xavier", "uniform01"])
    boxes = dashboard.controls.compare
    assert [name for name, box in boxes.items() if box.value] == ["uniform01"]
    boxes["orthogonal"].value = True
    assert set(dashboard.trace.schemes) == {"xavier", "uniform01", "orthogonal"}
    assert dashboard.trace.schemes[0] == "xavier"
    for name in dashboard.trace.schemes:
        short = rv.schemes.SCHEMES[name].short
        assert all(short in alt for _, alt in shown(dashboard).values())
        assert sum(text.startswith(f"{short}:") for text in words(dashboard)) == 1
    items = dashboard.stage.frame["words"]
    assert len({item["style"]["color"] for item in items}) == len({str(item["style"]["dash"]) for item in items}) == 3
    boxes["uniform01"].value = boxes["orthogonal"].value = False
    assert dashboard.trace.schemes == ("xavier",)
    assert len(words(dashboard)) == 1


def test_the_first_scheme_is_not_drawn_twice():
    dashboard = make("state", scheme=["xavier", "he"])
    put(dashboard, scheme="he")
    assert dashboard.trace.schemes == ("he",)
    put(dashboard, scheme="xavier")
    assert dashboard.trace.schemes == ("xavier", "he")


def test_a_seed_near_the_greatest_still_has_enough_seeds():
    dashboard = make("state", seed=2**32 - 1)
    assert dashboard.trace.seeds == (2**32 - 2, 2**32 - 1)


# Buttons


def test_settings_of_no_scene_have_the_question_that_the_page_starts_with():
    dashboard = make("state", "gradient")
    asked = dashboard.strip.look.value
    assert "What is left of the gradient" in asked
    dashboard.strip.scenes["surprise"].click()
    assert dashboard.strip.look.value != asked
    dashboard.controls.widgets["gain"].value = 1.23
    assert dashboard.strip.look.value == asked
    assert not any("rnnviz-chosen" in each._dom_classes for each in dashboard.strip.scenes.values())


def test_buttons_choose_scenes_draw_again_and_go_back():
    dashboard = make("state", "gradient")
    strip, actions = dashboard.strip, dashboard.actions
    assert actions.reset.disabled
    assert actions.said.value == "This page is where it started."
    strip.scenes["surprise"].click()
    assert dashboard.config == SCENES["surprise"].config
    assert SCENES["surprise"].look in strip.look.value
    assert "rnnviz-chosen" in strip.scenes["surprise"]._dom_classes
    actions.new_seed.click()
    assert dashboard.trace.seeds == (2, 3)
    assert dashboard.controls.widgets["seed"].value == 2
    assert "rnnviz-changed" in dashboard.controls.widgets["seed"]._dom_classes
    assert actions.said.value == ""
    actions.reset.click()
    assert dashboard.config == START
    assert dashboard.link == ""
    assert actions.said.value == "This page is where it started."


def test_pins_stay_until_they_are_taken_away():
    dashboard = make("gradient")
    assert dashboard.actions.unpin.disabled
    dashboard.actions.pin.click()
    put(dashboard, gain=1.5)
    assert "pinned: Xavier" in shown(dashboard)["gradient"][1]
    assert "pin=" in dashboard.stage.query
    dashboard.actions.unpin.click()
    assert "pinned" not in shown(dashboard)["gradient"][1]
    assert "pin=" not in dashboard.stage.query


def test_pins_of_a_link_are_computed_bit_for_bit(opened):
    dashboard = opened("pin=gain%3D1.5&pin=gain%3D0.5%26seed%3D3", "gradient")
    (_, first), (name, second) = pinned(dashboard.state, dashboard.results)
    assert name == "pinned: Xavier, Gain 0.5, Seed 3"
    expected = rv.compare(dashboard.config.replace(gain=0.5, seed=3), ("xavier",), (3, 4))
    np.testing.assert_array_equal(second.log10_grad_norm, expected.log10_grad_norm)
    assert first.config.gain == 1.5


# The gradient check


def test_the_check_says_what_was_compared_and_to_how_many_digits_it_agrees():
    dashboard = make("state", seed=3)
    panel = dashboard.check
    panel.button.click()
    said = text_of(panel.words)
    pattern = (
        r"Xavier, seed 3: 30 entries checked without backpropagation, by the complex step: the same gradients to "
        r"(\d+) digits \(worst: (.+)\)\."
    )
    digits, worst = re.fullmatch(pattern, said).groups()
    result = gradient_check.check(dashboard.config)
    assert 10.0 ** -int(digits) >= result.error > 10.0 ** (-1 - int(digits))
    assert int(digits) >= 12
    assert worst.startswith(result.worst.where)
    assert panel.button.description == "Check these gradients"
    put(dashboard, gain=1.5)
    assert text_of(panel.words) == "", "a result is of its settings"


def test_what_cannot_be_checked_is_said_in_a_sentence():
    dashboard = make("state", activation="linear", scheme="uniform01", hidden_size=64, seq_len=300)
    dashboard.check.button.click()
    refused = r"These gradients cannot be checked: the state is not finite from step \d+ on.*\."
    assert re.fullmatch(refused, text_of(dashboard.check.words))
    assert dashboard.check.button.description == "Check these gradients"


def test_chaos_is_said_beside_the_verdicts():
    dashboard = make("gradient", gain=10.0, hidden_size=64, seq_len=60)
    assert words(dashboard)[-1].startswith("Chaos with Xavier: ")
    put(dashboard, gain=1.5)
    assert not any("Chaos" in text for text in words(dashboard))


# Bets


def test_a_bet_is_judged_and_uncovers_the_gradient(opened):
    dashboard = opened("predict=1", scheme="uniform01")
    bet = dashboard.bet
    assert "covered" in shown(dashboard)["gradient"][1]
    assert not any(button.disabled for button in bet.buttons.values())
    scenes = [button.description for name, button in dashboard.strip.scenes.items() if name]
    assert scenes == [f"Scene {k + 1}" for k in range(len(scenes))], "names would tell"
    bet.buttons["fades"].click()
    assert "Right." in bet.result.value or "No: it" in bet.result.value
    assert "1 bets right so far" in bet.result.value
    assert all(button.disabled for button in bet.buttons.values())
    assert "covered" not in shown(dashboard)["gradient"][1]
    put(dashboard, gain=1.5)
    assert "Right." not in bet.result.value
    assert "covered" in shown(dashboard)["gradient"][1]


@pytest.mark.parametrize(
    ("query", "words"), [("seq_len=1", "over 1 step, Xavier"), ("seq_len=5&loss_at=every", "over 4 steps, Xavier")]
)
def test_a_bet_is_on_the_steps_that_the_verdict_follows(opened, query, words):
    assert words in opened(f"predict=1&{query}").bet.question.value
