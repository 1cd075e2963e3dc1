"""Controls of layers and truncation: folded away until a page is about them, and what they change."""

import pytest

from rnnviz.dashboard.cost import amount
from rnnviz.dashboard.settings import Settings
from rnnviz.story import step_readout

pytestmark = pytest.mark.usefixtures("no_loop")
SMALL = {"hidden_size": 8, "seq_len": 6, "batch_size": 2, "seeds": 2}


def seen(page):
    """Return the labels of the controls that stand open, and of those folded away."""
    boxes = page.controls.second, page.controls.more.children[1]
    return [[each.description for each in box.children if each.layout.display != "none"] for box in boxes]


def test_layers_and_truncation_are_folded_away_where_a_page_is_not_about_them(opened):
    page = opened("", **SMALL)
    second, more = seen(page)
    assert {"Layers", "Truncate after"} <= set(more)
    assert "Layer shown" not in second + more, "there is only one"
    usual = second
    page.controls.widgets["layers"].value = 3
    page.actions.new_seed.click()
    assert seen(page)[0] == usual, "what the reader has moved stays where it is"
    assert "Layer shown" in seen(page)[1]


def test_a_page_or_a_link_that_sets_them_brings_them_up(opened):
    page = opened("truncate=3", layers=2, **SMALL)
    assert {"Layers", "Truncate after"} <= set(seen(page)[0])
    page.controls.widgets["layers"].value = 1
    assert "Layers" in seen(page)[0], "not under the reader's hand"
    page = opened("", **SMALL)
    usual = seen(page)[0]
    page.receive({"kind": "open", "query": "layers=4"})
    assert set(seen(page)[0]) - set(usual) == {"Layers"}
    assert page.config.layers == 4
    page.actions.reset.click()
    assert seen(page)[0] == usual


def test_what_a_question_moves_is_not_folded_away(opened):
    page = opened("", **SMALL)
    page.controls.feature(("layers",))
    assert "Layers" in seen(page)[0]
    assert "rnnviz-early" in page.controls.widgets["layers"]._dom_classes
    page.controls.feature(("gain",))
    assert "Layers" in seen(page)[1]


def test_a_layer_is_chosen_among_those_of_the_network(opened):
    page = opened("", "state", "gradient", layers=3, **SMALL)
    menu = page.controls.choices["layer"]
    assert [label for label, _value in menu.options] == ["top", "1", "2", "3"]
    menu.value = 2
    assert all("layer 2 of 3" in view["alt"] for view in page.stage.frame["views"])
    assert "layer=2" in page.link
    page.stage.step = 4
    said = step_readout.sentences(page.trace.of_layer(2), 4)
    assert page.stage.moment[1 : 1 + len(said)] == said
    page.controls.widgets["layers"].value = 1
    assert menu.value == 0
    assert not any("layer" in view["alt"] for view in page.stage.frame["views"])


def test_the_chosen_layer_comes_back_by_its_link(opened):
    page = opened("layers=4&layer=2", "state", "gradient", **SMALL)
    assert page.controls.choices["layer"].value == 2
    assert page.stage.notice == ""
    assert "layers=4" in page.link
    assert "layer=2" in page.link


def test_the_cost_model_knows_layers():
    one, four = (amount(Settings().replace(layers=layers, input_size=64).comparison) for layers in (1, 4))
    assert 3 < four / one < 4.4, "the bar of compare"
    cut = Settings().replace(loss_at="every", truncate=20).comparison
    assert 3 < amount(cut) / amount(Settings().comparison) < 6, "the gradients of 21 losses go back side by side"
