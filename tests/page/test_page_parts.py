"""Scenes, reset, links and locks of a dashboard without a browser.

The tests press its buttons, set its controls and read what its stage shows.
"""

import re

import ipywidgets
import numpy as np
import pytest
from conftest import SMALL
from pages import everything_in
from parts import button, chosen, control, controls, look, marked, named, of_class

import rnnviz as rv

pytestmark = pytest.mark.usefixtures("no_loop")
# Scene -> the fields of Config that differ from their defaults, and the schemes drawn beside the first.
SCENES = {
    "Fades": ({}, ("orthogonal",)),
    "Flat": ({"gain": 1.85, "hidden_size": 128}, ()),
    "Blows up": ({"scheme": "uniform_centered", "activation": "relu"}, ("he",)),
    "The surprise": ({"scheme": "uniform01"}, ("uniform_centered",)),
    "What PyTorch does": ({"scheme": "pytorch"}, ("keras",)),
    "Forget bias": ({"cell": "lstm", "forget_bias": 0.0}, ("pytorch",)),
}
LARGEST_COMPARISON = 6  # schemes; there are as many colours


def drop(page):
    """Return how much log10 of the gradient's norm falls on its way back, for each scheme."""
    norms = np.median(page.trace.log10_grad_norm, axis=1)
    return norms[:, -1] - norms[:, 0]


def test_a_scene_sets_everything_at_once_and_says_what_to_look_at(opened):
    page, frames = opened("", gain=1.3), []
    page.stage.observe(lambda change: frames.append(change["new"]), "frame")
    for name, (settings, beside) in SCENES.items():
        before = look(page)
        button(page, name).click()
        assert len(frames) == 1, name
        assert page.config == rv.Config(**settings), name
        assert page.trace.schemes == (page.config.scheme, *beside), name
        assert look(page) not in ("", before), name
        assert not re.search(r"\d[.,]\d|e-\d", look(page)), "tells a result"
        assert chosen(page) == [name]
        assert marked(page) == set(), name
        frames.clear()


def test_a_scenes_sentence_stays_while_it_fits(opened):
    page = opened()
    start = look(page)
    assert start
    button(page, "Fades").click()
    fades = look(page)
    control(page, "Hidden size").value = 20
    assert look(page) == fades
    control(page, "Activation").value = "relu"
    assert look(page) == start
    button(page, "Fades").click()
    assert look(page) == fades
    control(page, "He").value = True
    assert look(page) == start
    button(page, "Reset").click()
    assert look(page) == start
    for scene, moved in (("Flat", "Gain"), ("Forget bias", "Forget bias")):
        button(page, scene).click()
        said = look(page)
        slider = named(page, moved, ipywidgets.FloatSlider)
        slider.value = 2.0
        assert look(page) == said != "", "a scene asks to move this control"
    control(page, "Gain").value = 2.0
    assert look(page) == start


def test_folded_settings_are_marked_if_one_of_them_has_changed(opened):
    page = opened()
    control(page, "Gain").value = 1.5
    assert "More settings" not in marked(page)
    button(page, "New seed").click()
    assert {"More settings", "Seed"} <= marked(page)
    button(page, "Reset").click()
    assert marked(page) == set()


def test_the_scenes_show_what_their_names_say(opened):
    falls, page = {}, opened()
    for name in SCENES:
        button(page, name).click()
        falls[name] = drop(page)
    assert (falls["Fades"] > 5).all()
    assert abs(falls["Flat"][0]) < 1
    assert (falls["Blows up"] < 0).all()
    assert falls["Blows up"][0] < -5
    assert falls["The surprise"][0] > 300 > falls["The surprise"][1]
    assert falls["What PyTorch does"][0] > falls["What PyTorch does"][1] + 5
    named(page, "Forget bias", ipywidgets.FloatSlider).value = 5.0
    assert drop(page)[0] < falls["Forget bias"][0] - 5
    assert drop(page)[1] == falls["Forget bias"][1], "PyTorch draws its own bias"


def test_changed_controls_are_marked_until_reset(opened):
    page = opened()
    start, reset = page.stage.query, button(page, "Reset")
    assert reset.disabled
    control(page, "Gain").value = 1.7
    control(page, "He").value = True
    control(page, "Theory").value = True
    assert marked(page) == {"Gain", "Compare with", "Theory", "More settings"}
    assert not reset.disabled
    reset.click()
    assert marked(page) == set()
    assert page.config.gain == 1.0
    assert page.stage.query == start == ""


def test_new_seed_draws_other_numbers_and_changes_nothing_else(opened):
    page = opened()
    before = page.trace
    button(page, "New seed").click()
    assert page.config.replace(seed=0) == before.config
    assert not set(page.trace.seeds) & set(before.seeds)
    assert not np.array_equal(page.trace.second_moment, before.second_moment)


def test_a_link_brings_back_the_very_picture(opened):
    changes = {
        "seed": lambda page: button(page, "New seed").click(),
        "pin": lambda page: button(page, "Pin").click(),
        "number": lambda page: setattr(control(page, "Gain"), "value", 0.1 + 0.2),
        "menu": lambda page: setattr(control(page, "Input scheme"), "value", "orthogonal"),
        "choice": lambda page: setattr(control(page, "Theory"), "value", True),
        "draws": lambda page: setattr(control(page, "Draws"), "value", 3),
        "scene": lambda page: button(page, "Forget bias").click(),
    }
    page, queries = opened(), [""]
    for name, change in changes.items():
        change(page)
        assert page.stage.query not in queries, name
        queries.append(page.stage.query)
        if name not in ("draws", "scene"):
            continue  # the scene sets other settings in the place of all before
        again = opened(page.stage.query)
        assert again.stage.notice == "", name
        assert again.stage.query == page.stage.query, name
        np.testing.assert_array_equal(again.trace.log10_grad_norm, page.trace.log10_grad_norm)
        for mine, theirs in zip(page.stage.frame["views"], again.stage.frame["views"], strict=True):
            assert mine["png"] == theirs["png"], name
            assert mine["alt"] == theirs["alt"], name


def test_a_bad_link_is_reported_until_the_next_change(opened):
    page = opened("scheme=%3Cb%3E&gain=1e999")
    assert page.stage.notice.count("In this link") == 2
    assert page.config == rv.Config(**{key: value for key, value in SMALL.items() if key != "seeds"})
    control(page, "Gain").value = 1.5
    assert page.stage.notice == ""


def test_a_link_freezes_and_hides_controls(opened):
    page = opened("lock=gain,beside&hide=cell,nosuch")
    assert page.stage.notice == "In this link, lock/hide contain an unknown control: 'nosuch'."
    (row,) = of_class(page, "rnnviz-compare")
    boxes = [each for each in row.children if isinstance(each, ipywidgets.Checkbox)]
    assert boxes
    assert all(box.disabled for box in boxes)
    frozen = {each.description for each in controls(page) if each.disabled and each not in boxes}
    assert frozen == {"Gain"}
    assert of_class(page, "rnnviz-hidden") == [control(page, "Cell")]
    assert all(scene.disabled for scene in of_class(page, "rnnviz-scene"))
    new_seed = button(page, "New seed")
    assert not new_seed.disabled
    new_seed.click()
    assert button(page, "Reset").disabled


def test_everything_can_be_frozen(opened):
    page = opened("lock=all")
    assert len(controls(page)) > 20
    assert all(each.disabled for each in controls(page))
    assert button(page, "New seed").disabled


def test_a_page_without_controls_has_no_scenes_either(opened):
    for query, hidden in (("hide=all", True), ("hide=gain", False)):
        page = opened(query)
        around = [each for each in page.children if button(page, "Fades") in everything_in(each)]
        assert ("rnnviz-hidden" in around[0]._dom_classes) == hidden, query


def test_a_projector_gets_larger_letters_in_pictures_of_the_same_size(opened):
    plain, large = opened(), opened("present=1")
    assert large.stage.present
    for mine, theirs in zip(plain.stage.frame["views"], large.stage.frame["views"], strict=True):
        assert (mine["width"], mine["height"]) == (theirs["width"], theirs["height"])
        assert mine["png"] != theirs["png"]
        assert theirs["axes"]["left"] > 1.3 * mine["axes"]["left"]


def test_no_more_schemes_can_be_ticked_than_there_are_colours(opened):
    page = opened("beside=")
    (row,) = of_class(page, "rnnviz-compare")
    boxes = [each for each in row.children if isinstance(each, ipywidgets.Checkbox)]
    for box in boxes:
        if not box.disabled:
            box.value = True
    ticked = [box for box in boxes if box.value]
    assert len(page.trace.schemes) == len(ticked) + 1 == LARGEST_COMPARISON
    ticked[0].value = False
    assert [box.description for box in boxes if box.disabled] == ["Xavier"]
