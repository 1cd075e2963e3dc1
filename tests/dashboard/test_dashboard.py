"""The dashboard without a browser or a loop: set a control, see config, trace, pictures and words follow."""

import html
import io
import json
import math
import re

import ipywidgets as widgets
import numpy as np
import pytest
from comm import DummyComm
from pages import TEXT, everything_in, is_one_sentence, made_up, make, shown
from PIL import Image

import rnnviz as rv
from rnnviz.dashboard.controls import Controls
from rnnviz.dashboard.pins import pinned
from rnnviz.dashboard.scenes import SCENES
from rnnviz.dashboard.state import Settings
from rnnviz.engine import gradient_check
from rnnviz.network.config import FIELDS
from rnnviz.network.schemes import SCHEMES
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
    "text": (TEXT, {"inputs": "text"}),
    "numbers": ("1;2\n3;5\n2;4", {"inputs": "numbers"}),
}
# Fields that leave the forward pass alone, or, as a factor on the loss does, every curve relative to the last step.
SEEN_IN = {"output_size": ("gradient",), "loss_at": ("gradient",), "loss_reduction": ()}
KEPT_LABELS = {
    "hidden_size": "Hidden size",
    "seq_len": "Sequence length",
    "scheme": "Scheme",
    "cell": "Cell",
    "activation": "Activation",
    "gain": "Gain",
    "seed": "Seed",
}
START = rv.Config(hidden_size=12, seq_len=12, batch_size=4)


def words(dashboard):
    return [item["text"] for item in dashboard.stage.frame["words"]]


def put(dashboard, **values):
    """Set some controls."""
    for name, value in values.items():
        dashboard.controls.widgets[name].value = value


def text_of(*boxes):
    return html.unescape(re.sub("<[^>]*>", "", "".join(box.value for box in boxes)))


@pytest.fixture
def sent(monkeypatch):
    """Collect (comm, names of the state sent) of every message that a kernel would send."""
    messages = []

    def publish(comm, msg_type, data=None, metadata=None, buffers=None, **keys):
        if msg_type == "comm_msg":
            messages.append((comm.comm_id, set(data.get("state", {}))))

    monkeypatch.setattr(DummyComm, "publish_msg", publish)
    return messages


# Controls


def test_a_control_changes_config_trace_pictures_and_words():
    assert set(CHANGES) >= set(FIELDS) - {"layers"}
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
    names = [next(each for each in ("state", "gradient", *VIEWS) if name in VIEWS[each].options) for name in OPTIONS]
    dashboard = make(*dict.fromkeys(names))
    inside = everything_in(dashboard)
    for name, view in zip(OPTIONS, names, strict=True):
        before, trace, control = shown(dashboard), dashboard.trace, dashboard.controls.choices[name]
        assert any(control is each for each in inside), name
        control.value = OPTIONS[name].choices[-1][1]
        assert shown(dashboard)[view][0] != before[view][0], name
        assert dashboard.trace is trace, name


def test_only_the_choices_that_its_views_have_are_on_a_page():
    dashboard = make("units")
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
    assert (dashboard.notes.value, dashboard.notes.layout.display) == ("", "none")
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


def test_buttons_choose_scenes_draw_again_and_go_back():
    dashboard = make("state")
    row = dashboard.buttons
    assert row.reset.disabled
    row.scenes["surprise"].click()
    assert dashboard.config == SCENES["surprise"].config
    assert SCENES["surprise"].look in row.look.value
    assert "rnnviz-chosen" in row.scenes["surprise"]._dom_classes
    row.new_seed.click()
    assert dashboard.trace.seeds == (2, 3)
    assert dashboard.controls.widgets["seed"].value == 2
    assert "rnnviz-changed" in dashboard.controls.widgets["seed"]._dom_classes
    row.reset.click()
    assert dashboard.config == SCENES["surprise"].config
    assert "seed=2" not in dashboard.link


def test_pins_stay_until_they_are_taken_away():
    dashboard = make("gradient")
    assert dashboard.buttons.unpin.disabled
    dashboard.buttons.pin.click()
    put(dashboard, gain=1.5)
    assert "pinned: Xavier" in shown(dashboard)["gradient"][1]
    assert "pin=" in dashboard.stage.query
    dashboard.buttons.unpin.click()
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


def test_the_check_says_what_was_compared_and_how_well_it_agrees():
    dashboard = make("state", seed=3)
    panel = dashboard.check
    panel.button.click()
    said = text_of(panel.words)
    pattern = r"Xavier, seed 3: 30 entries agree with the complex step to a relative error of (\S+) \(worst: (.+)\)\."
    error, worst = re.fullmatch(pattern, said).groups()
    result = gradient_check.check(dashboard.config)
    assert float(error) == pytest.approx(result.error, rel=0.06)
    assert float(error) < 1e-12
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


# Bets


def test_a_bet_is_judged_and_uncovers_the_gradient(opened):
    dashboard = opened("predict=1", scheme="uniform01")
    bet = dashboard.bet
    assert "covered" in shown(dashboard)["gradient"][1]
    assert not any(button.disabled for button in bet.buttons.values())
    assert all("Scene" in button.description for button in dashboard.buttons.scenes.values()), "names would tell"
    bet.buttons["fades"].click()
    assert "Right." in bet.result.value or "No: it" in bet.result.value
    assert "bets right so far" in bet.score.value
    assert all(button.disabled for button in bet.buttons.values())
    assert "covered" not in shown(dashboard)["gradient"][1]
    put(dashboard, gain=1.5)
    assert bet.result.value == ""
    assert "covered" in shown(dashboard)["gradient"][1]


# What goes wrong


def test_a_bad_value_is_one_sentence_and_the_last_picture_stays():
    dashboard = make(inputs="text")
    frame = dashboard.stage.frame
    put(dashboard, text="aaaa")
    assert is_one_sentence(dashboard.stage.message)
    assert dashboard.stage.report == "", "nothing is wrong with the program"
    assert dashboard.stage.busy
    assert re.search(r"text must be .*different; got 'aaaa'", dashboard.stage.message)
    assert dashboard.stage.frame is frame
    put(dashboard, hidden_size=15)  # still bad, still said, still alive
    assert "'aaaa'" in dashboard.stage.message
    assert dashboard.stage.frame is frame
    dashboard.stage.viewport = {"width": 390, "ratio": 1}
    assert "'aaaa'" in dashboard.stage.message
    put(dashboard, text=TEXT)
    assert dashboard.stage.message == ""
    assert not dashboard.stage.busy
    assert dashboard.trace.config == dashboard.config
    assert dashboard.config.hidden_size == 15
    assert shown(dashboard)["state"][0] != frame["views"][0]["png"]


def test_a_bad_text_can_be_left_behind():
    dashboard = make("state", inputs="text")
    put(dashboard, text="aaaa")
    assert not dashboard.buttons.reset.disabled
    put(dashboard, inputs="gaussian")
    assert dashboard.stage.message == ""
    assert dashboard.trace.config == dashboard.config == START
    put(dashboard, inputs="text")
    assert "'aaaa'" in dashboard.stage.message
    dashboard.buttons.scenes["fades"].click()
    assert dashboard.stage.message == ""
    assert dashboard.config == SCENES["fades"].config
    put(dashboard, inputs="text", text="")
    assert "text must be" in dashboard.stage.message
    dashboard.buttons.reset.click()
    assert dashboard.stage.message == ""
    assert dashboard.config == SCENES["fades"].config


class Failing:
    """A function that raises an error while there is one, and else calls another."""

    def __init__(self, function):
        self.function, self.error = function, None

    def __call__(self, *arguments, **named):
        if self.error:
            raise self.error
        return self.function(*arguments, **named)


def test_an_error_inside_is_one_sentence_and_the_page_goes_on():
    fn = Failing(SCHEMES["xavier"].fn)
    with made_up(SCHEMES, "xavier", fn=fn):
        dashboard = make(scheme="made_up")
        frame = dashboard.stage.frame
        for gain, error in enumerate([RuntimeError("boom"), MemoryError(), np.linalg.LinAlgError("no")], 2):
            fn.error = error
            put(dashboard, gain=float(gain))
            assert is_one_sentence(dashboard.stage.message)
            assert f"inside rnnviz ({type(error).__name__}" in dashboard.stage.message
            assert dashboard.stage.frame is frame
            assert dashboard.stage.busy, "the picture is of older settings"
            assert dashboard.stage.report.startswith(f"rnnviz {rv.__version__}, Python ")
            assert "raise self.error" in dashboard.stage.report
        fn.error = None
        put(dashboard, gain=1.5)
        assert dashboard.stage.message == dashboard.stage.report == ""
        assert dashboard.trace.config.gain == 1.5
        fn.error = MemoryError()
        put(dashboard, gain=1.6)
        fn.error = None
        put(dashboard, gain=1.5)
        put(dashboard, gain=1.6)
        assert dashboard.stage.message == "", "the same settings may go right the next time"


def test_an_error_while_drawing_is_one_sentence_too():
    describe = Failing(VIEWS["state"].describe)
    with made_up(VIEWS, "state", describe=describe):
        dashboard = make("made_up")
        frame, describe.error = dashboard.stage.frame, ZeroDivisionError("no")
        put(dashboard, gain=1.4)
        assert "ZeroDivisionError" in dashboard.stage.message
        assert "settings: ?gain=1.4\n" in dashboard.stage.report
        assert dashboard.stage.frame is frame
        assert dashboard.stage.busy
        describe.error = None
        put(dashboard, gain=1.5)
        assert dashboard.stage.message == ""
        assert not dashboard.stage.busy


@pytest.mark.parametrize(
    ("views", "settings", "told"),
    [
        (("stat",), {}, ["view", "'stat'", ", ".join(VIEWS), "Did you mean 'state'?"]),
        ((), {"scheme": "xavir"}, ["scheme", "'xavir'", "glorot_normal", "Did you mean 'xavier'?"]),
        ((), {"scheme": ["xavier", "xavir"]}, ["scheme", "'xavir'", "Did you mean 'xavier'?"]),
        ((), {"scheme": []}, ["scheme", "at least one"]),
        ((), {"hidden_size": 0}, ["hidden_size", "1 to 4096", "got 0"]),
        ((), {"gain": "big"}, ["gain", "0 to 20", "'big'"]),
        ((), {"cell": "gruu"}, ["cell", "rnn, lstm, gru", "Did you mean 'gru'?"]),
        ((), {"hiden_size": 64}, ["hiden_size", "Did you mean 'hidden_size'?"]),
        ((), {"seeds": 0}, ["seeds", "1 to 100", "got 0"]),
        ((), {"seeds": 2.5}, ["seeds", "1 to 100", "2.5"]),
    ],
)
def test_arguments_that_cannot_be_are_refused_by_name(views, settings, told):
    with pytest.raises(ValueError) as refused:
        rv.Dashboard(*views, **settings)
    for part in told:
        assert part in str(refused.value)
    assert is_one_sentence(str(refused.value).rstrip(".") + ".")


def test_a_link_that_names_no_control_says_so(opened):
    dashboard = opened("lock=nosuch,gain&hide=all&gain=-1", "state")
    assert "'nosuch'" in dashboard.stage.notice
    assert "gain must be" in dashboard.stage.notice
    assert dashboard.controls.widgets["gain"].disabled
    assert not dashboard.controls.widgets["hidden_size"].disabled


# What travels to the page


def test_one_message_brings_everything_of_a_change(sent):
    dashboard = make()
    stage = dashboard.stage.comm.comm_id
    widgets = dashboard.controls.widgets | {"he": dashboard.controls.compare["he"]} | dashboard.controls.choices
    changes = {"hidden_size": 13, "scheme": "orthogonal", "cell": "lstm", "he": True, "theory": True}
    for name, value in changes.items():
        sent.clear()
        widgets[name].value = value
        assert [state & {"frame"} for comm, state in sent if comm == stage] == [{"frame"}], name


def test_a_frame_is_whole_and_plain():
    frame = make().stage.frame
    assert [view["name"] for view in frame["views"]] == ["state", "gradient"]
    assert frame["whole"]
    plain = {**frame, "views": [{key: value for key, value in view.items() if key != "png"} for view in frame["views"]]}
    assert json.loads(json.dumps(plain)) == plain
    assert len({view["revision"] for view in frame["views"]}) == 2


def test_pictures_have_the_dots_of_the_screen_and_turning_it_runs_nothing():
    dashboard = make()
    trace, before = dashboard.trace, dashboard.stage.frame["revision"]
    dashboard.stage.viewport = {"width": 700, "ratio": 1.5}
    frame = dashboard.stage.frame
    assert frame["revision"] > before
    assert dashboard.trace is trace
    for view in frame["views"]:
        size = Image.open(io.BytesIO(view["png"])).size
        assert size == (int(view["width"] * 1.5), int(view["height"] * 1.5))


def test_pictures_that_come_back_are_not_painted_again_unless_the_page_has_changed():
    dashboard = make("state")
    first = dashboard.stage.frame["views"][0]["revision"]
    put(dashboard, gain=1.5)
    put(dashboard, gain=1.0)
    assert dashboard.stage.frame["views"][0]["revision"] == first
    dashboard.stage.viewport = {"width": 390, "ratio": 2}
    assert dashboard.stage.frame["views"][0]["revision"] != first
    dashboard.controls.choices["theory"].value = True
    assert "Theory expects" in dashboard.stage.frame["views"][0]["alt"]


def test_files_and_code_are_sent_when_they_are_asked_for(opened):
    dashboard = opened("", "state", "spectrum")
    sent = []
    dashboard.stage.send = lambda content, buffers=None: sent.append((content, buffers))
    for kind, view in [("png", "spectrum"), ("svg", "state"), ("csv", ""), ("code", "")]:
        dashboard.receive({"kind": kind, "view": view})
    assert [content.get("name", "code").rpartition(".")[2] for content, _ in sent] == ["png", "svg", "csv", "code"]
    assert sent[0][1][0].startswith(b"\x89PNG")
    assert b"hidden_size: 12" in sent[2][1][0]
    assert "Dashboard(" in sent[3][0]["text"]
    assert dashboard.state.requests == ()


def test_no_file_gives_a_bet_away(opened):
    dashboard = opened("predict=1", "gradient")
    dashboard.attempt(lambda: dashboard.receive({"kind": "csv"}))
    assert dashboard.stage.message == "Place your bet first: a file would tell what happened."
    assert dashboard.state.requests == ()


def test_a_dashboard_is_a_widget_of_its_own_class_and_closes_all_others():
    dashboard = make("state")
    assert isinstance(dashboard, widgets.Widget)
    assert "rnnviz" in dashboard._dom_classes
    inside = everything_in(dashboard)
    dashboard.close()
    assert all(widget.comm is None for widget in inside)
