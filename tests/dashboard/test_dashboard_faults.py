"""What goes wrong on a page is one sentence, and the page goes on."""

import re

import numpy as np
import pytest
from pages import TEXT, is_one_sentence, made_up, make, shown
from synchronous import START, put

import rnnviz as rv
from rnnviz.dashboard.scenes import SCENES
from rnnviz.network.schemes import SCHEMES
from rnnviz.views import VIEWS

pytestmark = pytest.mark.usefixtures("no_loop")


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
    dashboard = make("state", "gradient", inputs="text")
    put(dashboard, text="aaaa")
    assert not dashboard.actions.reset.disabled
    put(dashboard, inputs="gaussian")
    assert dashboard.stage.message == ""
    assert dashboard.trace.config == dashboard.config == START
    put(dashboard, inputs="text")
    assert "'aaaa'" in dashboard.stage.message
    dashboard.strip.scenes["fades"].click()
    assert dashboard.stage.message == ""
    assert dashboard.config == SCENES["fades"].config
    put(dashboard, inputs="text", text="")
    assert "text must be" in dashboard.stage.message
    dashboard.actions.reset.click()
    assert dashboard.stage.message == ""
    assert dashboard.config == START.replace(inputs="text")


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
        for gain, error in enumerate([RuntimeError("boom"), ZeroDivisionError(), np.linalg.LinAlgError("no")], 2):
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
        assert "not enough memory" in dashboard.stage.message
        assert is_one_sentence(dashboard.stage.message)
        assert dashboard.stage.report == "", "nothing is wrong with the program"
        assert dashboard.stage.busy
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
