"""Scenes and links: what the controls say travels through a URL bit for bit; hostile links do nothing."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz import Config
from rnnviz.dashboard.budget import whole
from rnnviz.dashboard.page import Page
from rnnviz.dashboard.runner import compare_part
from rnnviz.dashboard.scene import MOST_SCHEMES, Scene
from rnnviz.network.activations import ACTIVATIONS
from rnnviz.network.cells import CELLS
from rnnviz.network.config import FIELDS
from rnnviz.network.inputs import INPUTS
from rnnviz.network.schemes import SCHEMES
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
scenes = st.builds(Scene, configs, st.lists(names, max_size=4).map(tuple), options, st.integers(1, 100))
START = Scene(beside=("uniform01",))


@given(scenes, scenes)
@settings(max_examples=200)
def test_a_link_brings_a_scene_back_wherever_the_page_starts(scene, start):
    back, problems = Scene.from_query("?" + scene.to_query(start), start)
    assert problems == []
    assert back == scene
    assert math.copysign(1, back.config.gain) == math.copysign(1, scene.config.gain)


def small(scene):
    """Return a scene as it is, but for sizes that would take long."""
    limits = {"hidden_size": 12, "seq_len": 9, "input_size": 7, "output_size": 6, "batch_size": 5}
    sizes = {name: min(getattr(scene.config, name), most) for name, most in limits.items()}
    return scene.replace(seeds=min(scene.seeds, 2), **sizes)


def same_bits(mine, theirs):
    """Tell whether two comparisons hold the same numbers, bit for bit, those that are none included."""
    arrays = {name: value for name, value in vars(mine).items() if isinstance(value, np.ndarray)}
    assert len(arrays) > 4
    return all(value.tobytes() == getattr(theirs, name).tobytes() for name, value in arrays.items())


@given(scenes.map(small), scenes)
@settings(max_examples=100)
def test_a_link_brings_back_the_same_trace_bit_for_bit(scene, start):
    back, problems = Scene.from_query("?" + scene.to_query(start), start)
    assert problems == []
    assert same_bits(compare_part(scene, whole(scene)), compare_part(back, whole(back)))


@given(scenes, st.lists(scenes, max_size=3), st.booleans(), st.booleans(), st.sampled_from(["", "en", "de"]))
@settings(max_examples=100)
def test_a_page_comes_back_with_its_pins(scene, pins, present, predict, lang):
    page = Page(("gain", "all"), ("beside",), present, predict, lang=lang)
    query = page.link(scene, START, pins)
    again, same, problems = Page.of_link(query, START)
    assert (again.lock, again.hide, again.present, again.predict) == (page.lock, page.hide, present, predict)
    assert again.lang == lang
    assert same == scene
    assert problems == []
    assert [pin.config for pin in again.pins] == [pin.config for pin in pins]
    assert [pin.seeds for pin in again.pins] == [pin.seeds for pin in pins]


@pytest.mark.parametrize("name", FIELDS)
def test_a_link_holds_only_what_differs_from_the_start(name):
    assert name not in START.to_query(START)


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
]


@pytest.mark.parametrize("query", HOSTILE)
def test_what_cannot_be_is_a_sentence_and_the_default(query):
    scene, problems = Scene.from_query(query, START)
    name = query.partition("=")[0].replace("beside", "scheme")
    assert scene == START or query == "text=%ff%fe"  # replacement characters are characters
    assert len(problems) == (scene == START)
    assert all(name in problem and len(problem) < 400 for problem in problems)


def test_good_parts_of_a_bad_link_are_taken():
    scene, problems = Scene.from_query("gain=2.5&scheme=xavir&hidden_size=100", START)
    assert (scene.config.gain, scene.config.hidden_size, scene.config.scheme) == (2.5, 100, "xavier")
    assert len(problems) == 1
    assert "Did you mean 'xavier'?" in problems[0]


@given(st.text(max_size=300))
@settings(max_examples=300)
def test_no_link_breaks_the_page(query):
    page, scene, problems = Page.of_link(query, START)
    assert isinstance(scene, Scene)
    assert all(isinstance(problem, str) for problem in problems)


def test_names_that_mean_nothing_here_are_left_alone():
    assert Scene.from_query("utm_source=mail&token=abc&lock=all&present=1", START) == (START, [])


def test_an_overlong_link_is_not_read():
    scene, problems = Scene.from_query("text=" + "ab" * 200_000, START)
    assert scene == START
    assert len(problems) == 1


def test_schemes_beside_are_kept_in_order_without_the_first_and_not_too_many():
    scene = Scene(Config(scheme="he"), tuple(sorted(SCHEMES, reverse=True)))
    assert "he" not in scene.beside
    assert len(scene.schemes) == MOST_SCHEMES
    assert list(scene.beside) == [name for name in SCHEMES if name in scene.beside]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"beside": ("nosuch",)}, "scheme must be one of"),
        ({"options": {"nosuch": 1}}, "option must be one of"),
        ({"options": {"theory": 1}}, "theory must be one of"),
        ({"seeds": 0}, "seeds must be"),
        ({"seeds": True}, "seeds must be"),
        ({"gain": -1}, "gain must be"),
    ],
)
def test_a_scene_that_cannot_be_is_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        START.replace(**changes)


@pytest.mark.parametrize("query", ["scheme=he&beside=xavier,orthogonal", "beside=xavier,orthogonal&scheme=he"])
def test_the_parts_of_a_link_come_in_any_order(query):
    scene, _ = Scene.from_query(query, Scene(Config(scheme="xavier")))
    assert scene.schemes == ("he", "xavier", "orthogonal")


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("True", True), ("true", True), ("0", False), ("FALSE", False)]
)
def test_yes_and_no_are_read_in_every_form(text, value):
    scene, problems = Scene.from_query(f"theory={text}", START)
    assert (scene.option("theory"), problems) == (value, [])


@pytest.mark.parametrize(("text", "step"), [("7", 7), ("0", 0), ("9999", 20), ("-1", -1), ("x", -1), ("9" * 5000, -1)])
def test_a_link_points_at_a_step_that_there_is(text, step):
    page, _scene, problems = Page.of_link(f"seq_len=20&step={text}", START)
    assert (page.step, problems) == (step, [])
