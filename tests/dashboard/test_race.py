"""A race on the page, without a browser: training, pausing, going back, and what the pictures show meanwhile."""

import re
from datetime import UTC, datetime

import numpy as np
import pytest
from looping import both_modes, outbox
from pages import reach, until

import rnnviz as rv
from rnnviz.dashboard.race import training_of
from rnnviz.dashboard.scenes import SCENES
from rnnviz.dashboard.settings import Settings
from rnnviz.learning.training import Training

SMALL = {"hidden_size": 10, "seq_len": 5, "batch_size": 8, "seeds": 2, "lang": "en"}


def race_page(steps="100", problem="recall", **settings):
    options = {"problem": problem, "training_steps": steps}
    return rv.Dashboard("race", "gradient", scheme=["xavier", "orthogonal"], options=options, **SMALL | settings)


def press(page, label):
    """Press a button of the race by what it says."""
    buttons = (page.race.start, page.race.rewind, page.race.again, page.race.save)
    (found,) = (each for each in buttons if each.description == label)
    assert not found.disabled, label
    found.click()


def upload(page, name, content):
    """Choose a file."""
    file = {"name": name, "type": "", "size": len(content), "content": content}
    page.race.load.value = [file | {"last_modified": datetime.fromtimestamp(0, UTC)}]


def text(widget):
    return re.sub("<[^>]*>", " ", widget.value)


def losses(training):
    return training.losses[-1]


@pytest.mark.usefixtures("no_loop")
def test_training_gives_the_losses_that_the_library_gives_and_says_what_came_of_it():
    page = race_page()
    press(page, "Train")
    config = rv.Config(hidden_size=10, seq_len=5, batch_size=8)
    expected = list(rv.train(config, "recall", schemes=("xavier", "orthogonal"), seeds=range(2), steps=100))[-1]
    np.testing.assert_array_equal(losses(page.state.race.training), expected.loss)
    assert "Training step 100 of 100" in text(page.race.said)
    assert page.race.start.description == "Trained"
    verdicts = [item["text"] for item in page.stage.frame["words"]]
    reached = expected.training.reached
    for k, name in enumerate(("Xavier", "Orthogonal")):
        said = re.search(rf"{name}: .*Target ([^.]*)\.", verdicts[k]).group(1)
        done = reached[k][reached[k] > 0]
        assert ("not reached by any of 2 runs" in said) == (done.size == 0)
        assert all(str(step) in said for step in done)
    shares = re.findall(r"right answers on new sequences ([\d.]+)%", text(page.race.notes))
    accuracy = np.median(expected.training.evaluate()["test"].accuracy, axis=1)
    np.testing.assert_allclose([float(each) for each in shares], 100 * accuracy, atol=0.6)


@pytest.mark.usefixtures("no_loop")
def test_the_pictures_show_the_trained_weights_and_the_scrubber_goes_back():
    page = race_page()
    untrained = page.trace
    press(page, "Train")
    training, trained = page.state.race.training, page.trace
    np.testing.assert_array_equal(trained.parameters(1, 1)["W_hh"], training.params(1, 1)["W_hh"])
    page.race.scrubber.value = 0
    np.testing.assert_array_equal(page.trace.parameters(1, 1)["W_hh"], untrained.parameters(1, 1)["W_hh"])
    page.race.scrubber.value = 50
    np.testing.assert_array_equal(page.trace.parameters(1, 1)["W_hh"], training.params(1, 1, step=50)["W_hh"])
    assert "the pictures show step 50" in text(page.race.said)
    page.race.scrubber.value = 100
    np.testing.assert_array_equal(page.trace.parameters(1, 1)["W_hh"], training.params(1, 1)["W_hh"])


@pytest.mark.usefixtures("no_loop")
def test_a_step_of_networks_that_learn_numbers_has_its_equation():
    page = race_page(problem="adding")
    press(page, "Train")
    page.stage.step = 3
    assert page.stage.message == ""
    assert any(each.startswith("Forward, Xavier, unit 1: h_3 = tanh(") for each in page.stage.moment)


@pytest.mark.usefixtures("no_loop")
def test_a_map_stays_that_of_the_settings_while_networks_are_trained():
    options = {"problem": "recall", "training_steps": "100"}
    page = rv.Dashboard("race", "map", scheme=["xavier"], options=options, **SMALL)
    before = page.stage.frame["views"][1]
    press(page, "Train")
    after = page.stage.frame["views"][1]
    assert page.trace.own is not None
    assert not page.stage.message
    assert (after["alt"], after["stale"]) == (before["alt"], False)


@pytest.mark.usefixtures("no_loop")
def test_other_settings_are_shown_untrained_and_coming_back_shows_the_training_again():
    page = race_page()
    press(page, "Train")
    trained = page.trace
    page.controls.widgets["gain"].value = 1.5
    assert page.trace.own is None
    assert "begun with other settings" in text(page.race.said)
    assert page.race.start.description == "Train"
    page.controls.widgets["gain"].value = 1.0
    np.testing.assert_array_equal(page.trace.log10_grad_norm, trained.log10_grad_norm)


@pytest.mark.usefixtures("no_loop")
def test_rewinding_gives_the_same_curve_and_another_draw_a_different_one():
    page = race_page()
    press(page, "Train")
    first = page.state.race.training.losses.copy()
    press(page, "Rewind")
    assert page.state.race.training.step == 0
    press(page, "Train")
    np.testing.assert_array_equal(page.state.race.training.losses, first)
    press(page, "Another draw")
    again = page.state.race.training
    assert again.settings.seeds == (2, 3)
    assert not np.array_equal(again.losses, first)


@pytest.mark.usefixtures("no_loop")
def test_a_saved_training_opens_again_with_its_settings_and_goes_on(tmp_path):
    page = race_page()
    press(page, "Train")
    sent = outbox(page)
    page.race.send = page.stage.send
    press(page, "Save")
    ((message, (content,)),) = sent
    assert message["name"].endswith(".npz")
    (tmp_path / "a.npz").write_bytes(content)
    assert Training.load(tmp_path / "a.npz").step == 100
    other = race_page(problem="adding", hidden_size=20)
    upload(other, "a.npz", content)
    assert other.config.hidden_size == 10
    assert other.state.race.training.step == 100
    np.testing.assert_array_equal(other.state.race.training.losses, page.state.race.training.losses)
    upload(other, "b.npz", b"PK!")
    assert "b.npz" in other.stage.message


@pytest.mark.usefixtures("no_loop")
def test_a_problem_that_these_settings_cannot_have_is_one_sentence():
    page = race_page(problem="adding", seq_len=1)
    press(page, "Train")
    assert "seq_len must be at least 2" in page.stage.message
    assert page.state.race is None


@pytest.mark.usefixtures("no_loop")
def test_a_scene_brings_its_problem_and_start_brings_back_the_first():
    page = race_page()
    tabs = page.strip.scenes
    assert not set(tabs) & {"fades", "flat", "forget_bias"}  # they ask about networks that are not trained
    tabs["saved_steps"].click()
    assert page.state.settings.option("problem") == "digits"
    assert "rnnviz-chosen" in tabs["saved_steps"]._dom_classes
    page.controls.choices["problem"].value = "adding"
    assert "rnnviz-chosen" not in tabs["saved_steps"]._dom_classes
    tabs[""].click()
    assert page.state.settings.option("problem") == "recall"


@pytest.mark.usefixtures("no_loop")
@pytest.mark.parametrize("name", ["critical_gain", "saved_steps", "text", "lstm_recalls", "identity_relu"])
def test_every_scene_of_a_race_can_be_trained(name):
    scene = SCENES[name]
    training = training_of(scene.applied_to(Settings(seeds=1)).replace(hidden_size=8))
    assert training.settings.schemes[0] == scene.schemes[0]
    assert np.isfinite(training.advance().loss).all()


@pytest.mark.anyio
@both_modes
async def test_it_trains_beside_the_page_pauses_and_goes_on(mode):
    page = race_page(steps="10000", mode=mode)
    press(page, "Train")
    await reach(page.stage, lambda: page.frame.curves is not None and page.frame.curves.step > 20)
    page.controls.widgets["gain"].value = 1.3  # a slider is answered meanwhile
    await reach(page.stage, lambda: page.trace.config.gain == 1.3)
    page.controls.widgets["gain"].value = 1.0
    press(page, "Pause")
    training = page.state.race.training
    await until(lambda: page.worker.running is None or page.worker.running.job.kind != "training")
    at = training.step
    assert 20 < at < 10_000
    press(page, "Go on")
    await until(lambda: training.step > at + 5)
    page.close()
