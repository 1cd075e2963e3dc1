"""The dashboard without a browser: set a control, see config, trace, picture and words follow."""

import io
import json
import re

import ipywidgets as widgets
import numpy as np
import pytest
from comm import DummyComm
from conftest import SMALL
from pages import TEXT, is_one_sentence, make, shown
from PIL import Image

import rnnviz as rv
from rnnviz.dashboard import painter, task
from rnnviz.dashboard.presets import PRESETS
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
    "forget_bias": (3.0, {"cell": "lstm"}),
    "seed": (5, {}),
    "text": (TEXT, {"inputs": "text"}),
}
KEPT_LABELS = {
    "hidden_size": "Hidden size",
    "seq_len": "Sequence length",
    "scheme": "Scheme",
    "cell": "Cell",
    "activation": "Activation",
    "gain": "Gain",
    "seed": "Seed",
}


def words(dashboard):
    return [item["text"] for item in dashboard.stage.frame["words"]]


def everything_in(widget):
    """Return a widget and all widgets inside it."""
    return [widget, *(each for child in getattr(widget, "children", ()) for each in everything_in(child))]


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


def test_every_field_of_config_is_changed_here():
    assert set(CHANGES) == set(FIELDS)


@pytest.mark.parametrize("name", CHANGES)
def test_a_control_changes_config_trace_pictures_and_words(name):
    value, needs = CHANGES[name]
    dashboard = make(**needs)
    before = shown(dashboard)
    dashboard.controls.widgets[name].value = value
    config = rv.Config(**{key: SMALL[key] for key in ("hidden_size", "seq_len", "batch_size")} | needs | {name: value})
    assert dashboard.config == config
    schemes = (config.scheme, "uniform01")
    assert (dashboard.trace.schemes, dashboard.trace.seeds) == (schemes, (config.seed, config.seed + 1))
    expected = rv.compare(config, schemes, (config.seed, config.seed + 1))
    np.testing.assert_array_equal(dashboard.trace.log10_grad_norm, expected.log10_grad_norm)
    np.testing.assert_array_equal(dashboard.trace.second_moment, expected.second_moment)
    assert dashboard.stage.message == ""
    after = shown(dashboard)
    changed = ("gradient",) if name in ("output_size", "loss_at") else ("state", "gradient")
    for view in changed:
        assert before[view][0] != after[view][0], f"the picture of {view} is the old one"
        assert before[view][1] != after[view][1], f"the alt text of {view} is the old one"


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_has_a_control_with_its_label(name):
    dashboard = make()
    control = dashboard.controls.widgets[name]
    meta = FIELDS[name].metadata
    assert any(control is each for each in everything_in(dashboard)), "the control is nowhere on the page"
    assert control.description == meta["label"] == KEPT_LABELS.get(name, meta["label"])
    assert control.tooltip == meta["help"]


@pytest.mark.parametrize("name", [name for name, spec in FIELDS.items() if spec.metadata["kind"] == "choice"])
def test_menus_offer_every_entry_of_the_registry(name):
    menu = make().controls.widgets[name]
    offered = [value for _, value in menu.options]
    assert [value for value in offered if value] == list(FIELDS[name].metadata["allowed"])
    assert len({label for label, _ in menu.options}) == len(offered)
    assert all(label for label, _ in menu.options)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_choice_of_the_page_changes_a_picture(name):
    view = next(VIEWS[each] for each in ("state", "gradient", *VIEWS) if name in VIEWS[each].options)
    dashboard = make(view.name)
    before, trace = shown(dashboard), dashboard.trace
    control = dashboard.controls.choices[name]
    assert any(control is each for each in everything_in(dashboard))
    control.value = OPTIONS[name].choices[-1][1]
    assert shown(dashboard)[view.name][0] != before[view.name][0]
    assert dashboard.trace is trace, "a choice of the page must not run anything"


def test_only_the_choices_that_its_views_have_are_on_a_page():
    assert set(make("units").controls.choices) == set(VIEWS["units"].options) == set()
    assert set(make("state").controls.choices) == set(VIEWS["state"].options)


@pytest.mark.parametrize(
    ("name", "value", "slider"),
    [
        ("hidden_size", 700, (1, 700)),
        ("gain", 15.5, (0.0, 15.5)),
        ("seed", 12_345, (0, 12_345)),
        ("seq_len", 7, (1, 200)),
    ],
)
def test_a_value_outside_the_usual_range_extends_the_slider(name, value, slider):
    settings = {"hidden_size": 4, "seq_len": 3, "batch_size": 1, "seeds": 1} | {name: value}
    dashboard = rv.Dashboard("state", **settings)
    control = dashboard.controls.widgets[name]
    assert (control.min, control.max, control.value) == (*slider, value)
    assert getattr(dashboard.trace.config, name) == value


def test_controls_that_mean_nothing_now_are_hidden():
    dashboard = make()
    layout = {name: dashboard.controls.widgets[name].layout for name in ("forget_bias", "text")}
    assert [each.display for each in layout.values()] == ["none", "none"]
    dashboard.controls.widgets["cell"].value = "lstm"
    dashboard.controls.widgets["inputs"].value = "text"
    assert [each.display for each in layout.values()] == [None, None]
    dashboard.controls.widgets["cell"].value = "gru"
    assert layout["forget_bias"].display == "none"


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
    boxes["uniform01"].value = boxes["orthogonal"].value = False
    assert dashboard.trace.schemes == ("xavier",)
    assert len(words(dashboard)) == 1


def test_the_first_scheme_is_not_drawn_twice():
    dashboard = make(scheme=["xavier", "he"])
    dashboard.controls.widgets["scheme"].value = "he"
    assert dashboard.trace.schemes == ("he",)
    dashboard.controls.widgets["scheme"].value = "xavier"
    assert dashboard.trace.schemes == ("xavier", "he")


def test_each_sentence_has_the_sample_of_its_curve():
    items = make(scheme=["xavier", "he", "keras"]).stage.frame["words"]
    colours = [item["style"]["color"] for item in items]
    assert len(set(colours)) == len({str(item["style"]["dash"]) for item in items}) == 3


def test_a_seed_near_the_greatest_still_has_enough_seeds():
    dashboard = make("state", seed=2**32 - 1)
    assert dashboard.trace.seeds == (2**32 - 2, 2**32 - 1)


# What goes wrong


def test_a_bad_value_is_one_sentence_and_the_last_picture_stays():
    dashboard = make(inputs="text")
    frame = dashboard.stage.frame
    dashboard.controls.widgets["text"].value = "aaaa"
    assert is_one_sentence(dashboard.stage.message)
    assert dashboard.stage.report == "", "nothing is wrong with the program"
    assert dashboard.stage.busy
    assert re.search(r"text must be .*different; got 'aaaa'", dashboard.stage.message)
    assert dashboard.stage.frame is frame
    dashboard.controls.widgets["hidden_size"].value = 15  # still bad, still said, still alive
    assert "'aaaa'" in dashboard.stage.message
    assert dashboard.stage.frame is frame
    dashboard.controls.widgets["text"].value = TEXT
    assert dashboard.stage.message == ""
    assert dashboard.trace.config == dashboard.config
    assert dashboard.config.hidden_size == 15
    assert shown(dashboard)["state"][0] != frame["views"][0]["png"]


def test_a_bad_text_can_be_left_behind():
    dashboard = make(inputs="text")
    dashboard.controls.widgets["text"].value = "aaaa"
    assert not dashboard.presets.reset.disabled
    dashboard.controls.widgets["inputs"].value = "gaussian"
    assert dashboard.stage.message == ""
    assert dashboard.trace.config == dashboard.config == rv.Config(hidden_size=12, seq_len=12, batch_size=4)
    dashboard.controls.widgets["inputs"].value = "text"
    assert "'aaaa'" in dashboard.stage.message
    for name, button in dashboard.presets.buttons.items():
        button.click()
        assert dashboard.stage.message == ""
        assert dashboard.config == PRESETS[name].config
    dashboard.controls.assign(dashboard.controls.scene.replace(inputs="text"))
    dashboard.controls.widgets["text"].value = ""
    dashboard.presets.new_seed.click()
    assert "text must be" in dashboard.stage.message


def test_what_is_wrong_stays_said_when_the_window_changes_its_size():
    dashboard = make(inputs="text")
    dashboard.controls.widgets["text"].value = "aaaa"
    dashboard.stage.viewport = {"width": 390, "ratio": 1}
    assert "'aaaa'" in dashboard.stage.message


@pytest.mark.parametrize(
    "error", [RuntimeError("boom"), MemoryError(), ValueError("shapes"), np.linalg.LinAlgError("no")]
)
def test_an_error_inside_is_one_sentence_and_the_page_goes_on(monkeypatch, error):
    dashboard = make()
    frame = dashboard.stage.frame

    def fail(*arguments, **named):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(task, "compare", fail)
        dashboard.controls.widgets["gain"].value = 1.4
        assert is_one_sentence(dashboard.stage.message)
        assert f"inside rnnviz ({type(error).__name__}" in dashboard.stage.message
        assert dashboard.stage.frame is frame
        assert dashboard.stage.busy, "the picture is of older settings"
        assert dashboard.stage.report.startswith(f"rnnviz {rv.__version__}, Python ")
        assert "raise error" in dashboard.stage.report
    dashboard.controls.widgets["gain"].value = 1.5
    assert dashboard.stage.message == dashboard.stage.report == ""
    assert dashboard.trace.config.gain == 1.5


def test_an_error_while_drawing_is_one_sentence_too(monkeypatch):
    dashboard = make()
    frame = dashboard.stage.frame
    with monkeypatch.context() as patch:
        patch.setattr(painter.Painter, "picture", lambda *arguments: 1 / 0)
        dashboard.controls.widgets["gain"].value = 1.4
        assert "ZeroDivisionError" in dashboard.stage.message
        assert dashboard.stage.frame is frame
    dashboard.controls.widgets["gain"].value = 1.5
    assert dashboard.stage.message == ""


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


# What travels to the page


def test_one_message_brings_everything_of_a_change(sent):
    dashboard = make("state", "gradient", "units")
    stage = dashboard.stage.comm.comm_id
    for change in [("hidden_size", 13), ("scheme", "he"), ("seq_len", 30), ("cell", "lstm")]:
        sent.clear()
        dashboard.controls.widgets[change[0]].value = change[1]
        assert [state & {"frame"} for comm, state in sent if comm == stage] == [{"frame"}]


def test_a_check_box_and_a_choice_send_one_message_too(sent):
    dashboard = make()
    stage = dashboard.stage.comm.comm_id
    for widget, value in [(dashboard.controls.compare["he"], True), (dashboard.controls.choices["theory"], True)]:
        sent.clear()
        widget.value = value
        assert [state & {"frame"} for comm, state in sent if comm == stage] == [{"frame"}]


def test_a_frame_is_whole_and_plain():
    frame = make().stage.frame
    assert [view["name"] for view in frame["views"]] == ["state", "gradient"]
    plain = {**frame, "views": [{key: value for key, value in view.items() if key != "png"} for view in frame["views"]]}
    assert json.loads(json.dumps(plain)) == plain
    assert len({view["revision"] for view in frame["views"]}) == 2


@pytest.mark.parametrize(
    ("width", "ratio", "columns"), [(1280, 1, 2), (1120, 2, 2), (700, 1.5, 1), (358, 1, 1), (358, 2, 1)]
)
def test_pictures_fit_the_page(width, ratio, columns):
    dashboard = make()
    before = dashboard.stage.frame["revision"]
    dashboard.stage.viewport = {"width": width, "ratio": ratio}
    frame = dashboard.stage.frame
    assert (frame["columns"], frame["revision"] > before) == (columns, True)
    assert sum(view["width"] for view in frame["views"][:columns]) <= width
    for view in frame["views"]:
        assert view["width"] > 0.9 * (width / columns - 20)
        size = Image.open(io.BytesIO(view["png"])).size
        assert size == (int(view["width"] * ratio), int(view["height"] * ratio))


def test_a_single_view_takes_one_column():
    dashboard = make("gradient")
    dashboard.stage.viewport = {"width": 1280, "ratio": 1}
    assert dashboard.stage.frame["columns"] == 1


def test_changes_of_width_and_ratio_run_nothing():
    dashboard = make()
    trace = dashboard.trace
    dashboard.stage.viewport = {"width": 500, "ratio": 2}
    assert dashboard.trace is trace


def test_a_dashboard_is_a_widget_of_its_own_class():
    dashboard = make()
    assert isinstance(dashboard, widgets.Widget)
    assert "rnnviz" in dashboard._dom_classes
