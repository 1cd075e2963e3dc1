"""Links: the page's state travels through a URL bit for bit; hostile links do nothing."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz import Config
from rnnviz.dashboard.link import differences, from_query, to_query
from rnnviz.dashboard.scenes import SCENES
from rnnviz.dashboard.settings import Settings
from rnnviz.dashboard.state import MOST_PINS, PageState
from rnnviz.dashboard.work import Pin
from rnnviz.network.activations import ACTIVATIONS
from rnnviz.network.cells import CELLS
from rnnviz.network.inputs import INPUTS
from rnnviz.network.schemes import SCHEMES
from rnnviz.numerics.progress import finish
from rnnviz.views import OPTIONS

names = st.sampled_from(sorted(SCHEMES))
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=2, max_size=40).filter(
    lambda text: len(set(text)) > 1
)
configs = st.builds(
    Config,
    cell=st.sampled_from(sorted(CELLS)),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    inputs=st.sampled_from(sorted(INPUTS)),
    loss_at=st.sampled_from(["last", "every"]),
    loss_reduction=st.sampled_from(["sum", "mean"]),
    input_size=st.integers(1, 4096),
    output_size=st.integers(2, 4096),
    batch_size=st.integers(1, 4096),
    scheme=names,
    input_scheme=st.none() | names,
    gain=st.floats(0, 20),
    input_scale=st.floats(0, 100),
    forget_bias=st.floats(-20, 20),
    hidden_size=st.integers(1, 4096),
    seq_len=st.integers(1, 10_000),
    seed=st.integers(0, 2**32 - 1),
    text=texts,
)
options = st.fixed_dictionaries(
    {name: st.sampled_from([value for _, value in option.choices]) for name, option in OPTIONS.items()}
)
all_settings = st.builds(Settings, configs, st.lists(names, max_size=4).map(tuple), options, st.integers(1, 100))
controls = st.lists(st.sampled_from(["all", "beside", "gain", "seeds", "theory"]), max_size=3).map(tuple)
START = Settings(beside=("uniform01",))


@st.composite
def states(draw):
    """Draw a page's state, of everything that a link carries."""
    start = draw(all_settings)
    pins = tuple(pin.alone for pin in draw(st.lists(all_settings, max_size=MOST_PINS)))
    flags = {name: draw(st.booleans()) for name in ("present", "predict")}
    lists = {name: draw(controls) for name in ("lock", "hide")}
    texts = {"lang": draw(st.sampled_from(["", "en", "de"])), "question": draw(st.sampled_from(["", "0ab1"]))}
    settings = draw(all_settings)
    return PageState(settings, start, settings, pins=pins, **texts, **flags, **lists)


@given(states())
@settings(max_examples=50)
def test_a_link_brings_a_page_back_wherever_it_starts(state):
    back = from_query("?" + to_query(state), state.start)
    assert back == state
    assert math.copysign(1, back.settings.config.gain) == math.copysign(1, state.settings.config.gain)


def small(given):
    """Return the same settings, but for sizes that would take long."""
    limits = {"hidden_size": 12, "seq_len": 9, "input_size": 7, "output_size": 6, "batch_size": 5}
    sizes = {name: min(getattr(given.config, name), most) for name, most in limits.items()}
    return given.replace(seeds=min(given.seeds, 2), **sizes)


def same_bits(mine, theirs):
    """Tell whether two comparisons hold the same numbers bit for bit, nan included."""
    arrays = {name: value for name, value in vars(mine).items() if isinstance(value, np.ndarray)}
    assert len(arrays) > 4
    return all(value.tobytes() == getattr(theirs, name).tobytes() for name, value in arrays.items())


@pytest.mark.slow
@given(all_settings.map(small), all_settings)
@settings(max_examples=100)
def test_a_link_brings_back_the_same_trace_bit_for_bit(mine, start):
    back = from_query("?" + to_query(PageState(mine, start, start)), start)
    mine, theirs = (finish(Pin(each.comparison).compute()) for each in (mine, back.settings))
    assert same_bits(mine, theirs)


def test_a_link_brings_a_scenes_settings_its_question_and_the_views_that_are_seen():
    page = from_query("scene=flat&gain=1.9&show=state,nosuch,gradient,units", START)
    assert (page.scene, page.home_scene, page.shown) == ("flat", "flat", ("state", "gradient"))
    assert page.settings == page.home == SCENES["flat"].applied_to(START).replace(gain=1.9)
    assert to_query(page) == "scene=flat&gain=1.9&show=state%2Cgradient"
    left = page.change(page.settings.replace(activation="relu"))
    assert "scene" not in to_query(left), "its question does not fit"
    assert from_query(to_query(left), START).settings == left.settings
    assert from_query("scene=nosuch", START).scene == ""


def test_a_link_holds_only_what_differs_from_the_start():
    assert to_query(PageState(START, START, START)) == ""
    assert differences(START.replace(gain=1.5), START) == {"gain": 1.5}


HOSTILE = [
    "gain=nan",
    "gain=1e999",
    "gain=-1",
    "hidden_size=0",
    "hidden_size=1e99",
    "hidden_size=[1]",
    "hidden_size=true",
    "hidden_size=64.5",
    "scheme=%3Cscript%3Ealert(1)%3C/script%3E",
    "scheme=",
    "cell=__class__",
    "beside=he,%3Cimg%20onerror=x%3E",
    "seeds=0",
    "seeds=1000000",
    "theory=2",
    "quantity=nosuch",
    "text=aa",
    "text=%ff%fe",
    "seed=" + "9" * 5000,
    "pin=gain%3Dnan",
    "text=" + "ab" * 200_000,
]


def test_what_cannot_be_is_a_sentence_and_the_default():
    for query in HOSTILE:
        state = from_query(query, START)
        name = query.partition("=")[0].replace("beside", "scheme").replace("pin", "gain")
        assert state.settings == START, query[:60]
        assert name in state.notice or "too long" in state.notice, query[:60]
        assert len(state.notice) < 400, query[:60]


def test_more_schemes_than_a_page_draws_are_named():
    beside = ["glorot_normal", "glorot_uniform", "he", "orthogonal", "identity"]
    assert from_query(f"beside={','.join(beside)},xavier", START).notice == ""
    state = from_query(f"beside={','.join(beside)},uniform01,small_normal", START)
    assert state.notice == "A page compares at most 6 schemes; it leaves out: U[0, 1], Small normal."
    assert list(state.settings.beside) == beside


def test_a_link_has_no_more_pins_than_a_page():
    state = from_query("&".join(f"pin=seed%3D{k}" for k in range(50)), START)
    assert [pin.config.seed for pin in state.pins] == [0, 1, 2]


def test_good_parts_of_a_bad_link_are_taken():
    state = from_query("gain=2.5&scheme=xavir&hidden_size=100", START)
    config = state.settings.config
    assert (config.gain, config.hidden_size, config.scheme) == (2.5, 100, "xavier")
    assert state.notice.count("In this link") == 1
    assert "Did you mean 'xavier'?" in state.notice


@given(st.text(max_size=300))
@settings(max_examples=50)
def test_no_link_breaks_the_page(query):
    state = from_query(query, START)
    assert isinstance(state.notice, str)
    assert from_query(to_query(state), START).settings == state.settings


def test_names_that_mean_nothing_here_are_left_alone():
    state = from_query("utm_source=mail&token=abc&lock=all&present=1&lang=xx", START)
    assert (state.settings, state.notice, state.lang) == (START, "", "")


@pytest.mark.parametrize("query", ["scheme=he&beside=xavier,orthogonal", "beside=xavier,orthogonal&scheme=he"])
def test_the_parts_of_a_link_come_in_any_order(query):
    found = from_query(query, Settings(Config(scheme="xavier"))).settings
    assert found.comparison.schemes == ("he", "xavier", "orthogonal")


def test_yes_and_no_are_read_in_every_form():
    for text, value in {"1": True, "True": True, "true": True, "0": False, "FALSE": False}.items():
        state = from_query(f"theory={text}", START)
        assert (state.settings.option("theory"), state.notice) == (value, ""), text


def test_a_link_points_at_a_step_that_there_is():
    for text, step in {"7": 7, "0": 0, "9999": 20, "-1": -1, "x": -1, "9" * 5000: -1}.items():
        state = from_query(f"seq_len=20&step={text}", START)
        assert (state.step, state.notice) == (step, ""), text[:60]
