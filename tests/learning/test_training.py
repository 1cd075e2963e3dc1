"""A training is a curve that nothing between two steps changes; what overflows ends one run and is named."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnnviz as rv
from rnnviz.learning.optimisers import OPTIMISERS
from rnnviz.learning.problems import PROBLEMS

SMALL = {"hidden_size": 8, "seq_len": 6, "batch_size": 4}
BOTH = {"schemes": ("xavier", "uniform01"), "seeds": range(3)}


def trained(steps, problem="recall", config=None, **more):
    training = rv.Training(config or rv.Config(**SMALL), problem, **more)
    for _ in training.run(steps):
        pass
    return training


def assert_same(one, other):
    """Hold two trainings equal, bit for bit."""
    for name in ("losses", "grad_norms", "diverged", "reached"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    np.testing.assert_array_equal(one.stack.weights, other.stack.weights)


def test_train_yields_numbers_for_one_run_and_arrays_for_several():
    progress = next(rv.train(rv.Config(**SMALL), "recall"))
    assert (progress.step, type(progress.loss), type(progress.grad_norm)) == (1, float, float)
    assert (progress.diverged, progress.overflow) == (0, "")
    records = list(rv.train(rv.Config(**SMALL), "recall", **BOTH, steps=7, every=3))
    assert [each.step for each in records] == [3, 6, 7]
    for name in ("loss", "grad_norm", "diverged", "overflow"):
        assert getattr(records[-1], name).shape == (2, 3), name


def test_without_a_config_the_setting_is_the_problems_own():
    training = rv.Training(problem="characters")
    config, own = training.config, training.settings
    assert (config.hidden_size, config.seq_len, config.batch_size, config.cell) == (100, 25, 1, "rnn")
    assert (own.optimiser_name, own.learning_rate, own.clip_norm, own.clip_value) == ("adagrad", 0.1, 0.0, 5.0)


def test_another_optimiser_brings_its_own_learning_rate():
    for name, entry in OPTIMISERS.items():
        usual = rv.Training(rv.Config(**SMALL), "characters", optimiser=name).settings.learning_rate
        assert usual == (0.1 if name == "adagrad" else entry.learning_rate)


@pytest.mark.parametrize(
    ("cell", "problem"), [("rnn", "adding"), ("lstm", "copying"), ("gru", "characters"), ("gru", "digits")]
)
def test_a_run_in_a_stack_is_the_run_alone(cell, problem):
    config = rv.Config(cell=cell, **SMALL)
    together = trained(4, problem, config, **BOTH)
    for s, scheme in enumerate(BOTH["schemes"]):
        for r, seed in enumerate(BOTH["seeds"]):
            alone = trained(4, problem, config.replace(scheme=scheme, seed=seed))
            np.testing.assert_array_equal(together.losses[:, s, r], alone.losses[:, 0, 0])
            for name, value in alone.params().items():
                np.testing.assert_array_equal(together.params(s, r)[name], value, err_msg=name)


def test_parts_in_threads_change_nothing(monkeypatch):
    config = rv.Config(hidden_size=64, seq_len=5, batch_size=64)
    curves = []
    for cores in (1, 2):
        for module in ("stack", "training"):
            monkeypatch.setattr(f"rnnviz.learning.{module}.available_cores", lambda cores=cores: cores)
        curves.append(trained(3, config=config, **BOTH))
        assert len(curves[-1].networks) == cores
    assert_same(*curves)
    few = rv.Training(config.replace(batch_size=16), "adding", **BOTH)
    assert len(few.networks) == 1, "short steps gain nothing from a second thread"


def test_all_schemes_of_a_seed_read_the_same_batches():
    training = rv.Training(rv.Config(**SMALL), "recall", ("xavier", "xavier"), (4, 5))
    training.advance()
    assert (training.losses[0, 0] == training.losses[0, 1]).all()
    assert training.losses[0, 0, 0] != training.losses[0, 0, 1]


@pytest.mark.parametrize(
    ("problem", "optimiser", "cell"),
    [("characters", "adagrad", "lstm"), ("recall", "adam", "gru"), ("adding", "momentum", "rnn")],
)
def test_saved_and_loaded_it_goes_on_with_the_same_curve(tmp_path, problem, optimiser, cell):
    config = rv.Config(cell=cell, **SMALL, text="abcdefgh" * 12)
    more = {"optimiser": optimiser, **BOTH}
    whole, half = trained(30, problem, config, **more), trained(13, problem, config, **more)
    half.save(tmp_path / "half.npz")
    loaded = rv.Training.load(tmp_path / "half.npz")
    assert loaded.step == 13
    assert loaded.settings == half.settings
    for _ in loaded.run(17):
        pass
    assert_same(whole, loaded)


def test_a_saved_training_needs_no_pickle_and_another_file_is_refused(tmp_path):
    trained(2).save(tmp_path / "training")
    with np.load(tmp_path / "training", allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file)
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with np.load(tmp_path / "training", allow_pickle=False) as file:
        arrays = dict(file)
    for name, change in {"settings": "{}", "format": "2", "weights": np.zeros((1, 3))}.items():
        np.savez(tmp_path / f"{name}.npz", **arrays | {name: change})
    (tmp_path / "text.npz").write_text("not a zip")
    (tmp_path / "empty.npz").write_text("")
    with zipfile.ZipFile(tmp_path / "zip.npz", "w") as file:
        file.writestr("a.txt", "no array")
    np.save(tmp_path / "single.npy", np.zeros(3))
    for name in (
        "settings.npz",
        "format.npz",
        "weights.npz",
        "other.npz",
        "text.npz",
        "empty.npz",
        "zip.npz",
        "single.npy",
    ):
        with pytest.raises(ValueError, match=f"{name} is not a training that rnnviz has saved"):
            rv.Training.load(tmp_path / name)


def test_rewind_gives_the_same_curve_and_another_draw_another():
    training = trained(8, **BOTH)
    again = trained(8, **BOTH)
    training.rewind()
    assert training.step == 0
    assert len(training.losses) == 0
    for _ in training.run(8):
        pass
    assert_same(training, again)
    other = training.another_draw()
    assert other.settings.seeds == (3, 4, 5)
    other.advance()
    assert not np.isin(other.losses, training.losses).any()


def test_leaving_a_step_changes_nothing():
    config = rv.Config(hidden_size=8, seq_len=40, batch_size=4, text="abcdefgh" * 20)
    training, undisturbed = (rv.Training(config, "characters", **BOTH) for _ in range(2))
    for left_after in range(4):
        job = training.advancing()
        for _ in range(left_after + 1):
            next(job)
        job.close()
        training.advance()
        undisturbed.advance()
    assert_same(training, undisturbed)


def test_snapshots_keep_earlier_weights_in_bounded_memory():
    training = rv.Training(rv.Config(**SMALL), "recall")
    training.snapshots.most = 5
    weights = {0: training.params()}
    for progress in training.run(50):
        weights[progress.step] = progress.params()
        assert len(training.snapshots.kept) <= 5
        assert 0 in training.snapshots.kept
    kept = training.steps_kept
    assert len(set(np.diff(kept))) == 1
    for step in kept:
        for name, value in training.params(step=step).items():
            np.testing.assert_array_equal(value, weights[step][name])
    assert (training.params(step=kept[1] + 1)["W_hh"] == weights[kept[1]]["W_hh"]).all()


def test_what_is_handed_out_is_a_copy():
    training = trained(2)
    training.params()["W_hh"][:] = np.nan
    assert np.isfinite(training.advance().loss)


# ---- divergence


def diverged(steps=30, problem="adding", **more):
    config = rv.Config(**{"hidden_size": 8, "seq_len": 40, "batch_size": 4} | more.pop("config", {}))
    return trained(steps, problem, config, clip_norm=0, **more)


def test_a_run_that_overflows_ends_and_the_others_go_on():
    config = {"activation": "relu", "gain": 20.0, "seq_len": 300}
    training = diverged(config=config, schemes=("uniform01", "small_normal"), seeds=range(2))
    assert (training.diverged[0] == 1).all()
    assert (training.diverged[1] == 0).all()
    assert (training.overflow[0] == "the state").all()
    assert (training.overflow[1] == "").all()
    assert np.isnan(training.losses[:, 0]).all()
    assert np.isfinite(training.losses[:, 1]).all()
    alone = diverged(config=config | {"scheme": "small_normal", "seed": 1})
    np.testing.assert_array_equal(training.losses[:, 1, 1], alone.losses[:, 0, 0])
    start = rv.Training.of(training.settings)
    for name, value in training.params(0, 0).items():
        np.testing.assert_array_equal(value, start.params(0, 0)[name])


def test_the_label_is_what_overflowed():
    """Each by construction: the state by ReLU, the loss by the square of a large state, and so on."""
    relu = {"activation": "relu", "scheme": "uniform01", "seq_len": 40}
    assert diverged(1, config=relu | {"gain": 20.0, "hidden_size": 64, "seq_len": 200}).overflow[0, 0] == "the state"
    growing = {"activation": "linear", "scheme": "identity", "hidden_size": 2, "gain": 20.0, "seq_len": 119}
    sgd = {"optimiser": "sgd", "learning_rate": 1e-308}
    scales = np.geomspace(0.1, 50.0, 25)  # 20^119 is 7e154: the loss is its square, the gradient of W_hh 12 times that
    labels = [diverged(1, config=growing | {"input_scale": scale}, **sgd).overflow[0, 0] for scale in scales]
    assert labels[0] == ""
    assert next(filter(None, labels)) == "the gradient of W_hh"
    assert labels[-1] == "the loss"
    weights = diverged(3, learning_rate=1e308, optimiser="adam").overflow[0, 0]
    assert weights.startswith("the weights ")


def test_an_optimiser_whose_memory_overflows_is_not_silently_stuck():
    """A gradient of 1e200: Adam would divide by the root of its infinite square, and never move again."""
    config = {"activation": "linear", "scheme": "identity", "hidden_size": 2, "gain": 20.0, "seq_len": 85}
    assert diverged(1, config=config, optimiser="sgd", learning_rate=1e-300).diverged[0, 0] == 0
    for name in ("adam", "rmsprop", "adagrad"):
        training = diverged(1, config=config, optimiser=name)
        assert training.overflow[0, 0].startswith("what the optimiser remembers of W"), name


@settings(max_examples=40)
@given(
    cell=st.sampled_from(["rnn", "lstm", "gru"]), activation=st.sampled_from(list(rv.activations.ACTIVATIONS)),
    scheme=st.sampled_from(list(rv.schemes.SCHEMES)), gain=st.sampled_from([0.0, 1.0, 3.0, 20.0]),
    hidden_size=st.integers(1, 6), layers=st.integers(1, 3), truncate=st.integers(0, 5),
    seq_len=st.integers(2, 30), batch_size=st.integers(1, 3),
    input_scale=st.sampled_from([0.0, 1.0, 100.0]), problem=st.sampled_from(list(PROBLEMS)),
    optimiser=st.sampled_from(list(OPTIMISERS)), rate=st.sampled_from([1e-3, 1.0, 1e3, 1e100]),
    clip=st.sampled_from([{}, {"clip_norm": 0.0}, {"clip_norm": 0.0, "clip_value": 1e3}]),
)  # fmt: skip
def test_no_nan_is_unmarked(problem, optimiser, rate, clip, **config):
    training = trained(6, problem, rv.Config(**config), optimiser=optimiser, learning_rate=rate, **clip)
    for curve in (training.losses, training.grad_norms):
        is_marked = (training.diverged[0, 0] > 0) & (np.arange(1, 7) >= training.diverged[0, 0])
        assert (np.isfinite(curve[:, 0, 0]) == ~is_marked).all()
    assert np.isfinite(training.stack.weights).all()
    assert (training.overflow[0, 0] != "") == bool(training.diverged[0, 0])


# ---- what came of it


@pytest.mark.parametrize("problem", PROBLEMS)
def test_evaluation_of_a_network_that_always_says_the_same(problem):
    """With W_hy = 0 the loss and the share of right outputs are those of b_y, whatever was read."""
    training = rv.Training(rv.Config(**SMALL), problem)
    views = training.stack.views(slice(None))
    views["W_hy"][...] = views["b_y"][...] = 0.0
    entry = training.problem
    for name, (loss, accuracy) in training.evaluate().items():
        targets = training.tests(seed=0)[name].targets
        if entry.loss == "squared error":
            assert loss[0, 0] == pytest.approx(np.mean(targets**2))
            assert accuracy[0, 0] == np.mean(np.abs(targets) < 0.04)
        else:
            counted = targets[-10:] if problem == "copying" else targets
            assert loss[0, 0] == pytest.approx(np.log(entry.sizes(training.config)[1]))
            assert accuracy[0, 0] == np.mean(counted == 0)


def test_recall_is_learned():
    """Short enough for the default tests: orthogonal weights, T = 5."""
    config = rv.Config(hidden_size=32, seq_len=5, batch_size=32, scheme="orthogonal")
    training = trained(250, "recall", config, learning_rate=0.01)
    score = training.evaluate()["test"]
    assert score.loss < training.solved
    assert score.accuracy > 0.9
    reached = int(training.reached[0, 0])
    means = np.convolve(training.losses[:, 0, 0], np.full(20, 1 / 20), "valid")
    assert reached == 20 + int(np.argmax(means <= training.target))


@pytest.mark.slow
def test_adding_is_learned_by_a_gru():
    config = rv.Config(cell="gru", hidden_size=32, seq_len=20, batch_size=32, scheme="orthogonal")
    training = trained(1500, "adding", config, learning_rate=0.01)
    score = training.evaluate()["test"]
    assert score.loss < training.solved


def test_digits_are_learned_from_scans_that_are_not_the_test_scans():
    training = trained(
        150, "digits", PROBLEMS["digits"].config(scheme="orthogonal", hidden_size=32), learning_rate=0.01
    )
    scores = training.evaluate()
    assert scores["train"].accuracy > 0.9
    assert scores["test"].accuracy > 0.85


def test_a_text_is_written():
    config = PROBLEMS["characters"].config(text="abcd" * 30, seq_len=10, hidden_size=16)
    training = trained(200, "characters", config)
    assert training.write(12, start="a", temperature=0.1) == "bcdabcdabcda"
    assert training.write(30, temperature=5.0, seed=1) != training.write(30, temperature=5.0, seed=2)
    with pytest.raises(ValueError, match="start must be made of characters of the text; got 'x'"):
        training.write(start="x")
    with pytest.raises(ValueError, match="temperature must be a positive number; got 0"):
        training.write(temperature=0)
    with pytest.raises(ValueError, match="write needs a problem with characters; got 'recall'"):
        trained(1).write()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"problem": "addnig"}, "problem must be one of adding, .*; got 'addnig'. Did you mean 'adding'?"),
        ({"optimiser": "adan"}, "optimiser must be one of sgd, .*; got 'adan'. Did you mean 'adam'?"),
        ({"schemes": ["xavier", "xavir"]}, "scheme must be one of xavier, .*; got 'xavir'. Did you mean 'xavier'?"),
        ({"schemes": ()}, r"schemes must hold at least one entry; got \(\)"),
        ({"schemes": 3}, "scheme must be one of xavier, .*; got 3"),
        ({"seeds": []}, r"seeds must hold at least one entry; got \[\]"),
        ({"seeds": 1.5}, "seeds must hold at least one entry; got 1.5"),
        ({"seeds": [0, -1]}, "seed must be a whole number from 0 to 4294967295; got -1"),
        ({"learning_rate": 0}, "learning_rate must be a positive number; got 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be a positive number; got nan"),
        ({"learning_rate": "fast"}, "learning_rate must be a positive number; got 'fast'"),
        ({"clip_norm": -1}, "clip_norm must be a number from 0 on, 0 for no clipping; got -1"),
        ({"clip_value": True}, "clip_value must be a number from 0 on, 0 for no clipping; got True"),
        ({"steps": 0}, "steps must be a whole number from 1 on; got 0"),
        ({"steps": 1.5}, "steps must be a whole number from 1 on; got 1.5"),
        ({"every": -2}, "every must be a whole number from 1 on; got -2"),
        ({"config": {"scheme": "xavier"}}, "config must be a Config or None; got {'scheme': 'xavier'}"),
    ],
)
def test_a_wrong_argument_is_named_at_once(wrong, message):
    arguments = {"config": rv.Config(**SMALL), "problem": "recall"} | wrong
    with pytest.raises(ValueError, match=message):
        rv.train(**arguments)


@pytest.mark.parametrize("truncate", [0, 2])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_gradient_is_that_of_bptt(cell, truncate):
    """Two ways through the same cells: all steps by `bptt`, exact at any magnitude, and what a training step does."""
    config = rv.Config(cell=cell, layers=2, truncate=truncate, **SMALL)
    for problem, loss_at in (("recall", "last"), ("copying", "every"), ("characters", "every")):
        training = rv.Training(config, problem, clip_norm=0, clip_value=0)
        (x, targets), params = training.draw(0), training.params()
        reduction = "sum" if training.problem.is_summed else "mean"
        targets = targets[-1] if loss_at == "last" else targets
        g = rv.bptt(params, x, targets, cell=cell, loss_at=loss_at, loss_reduction=reduction, truncate=truncate)
        steps = len(x) if training.problem.is_summed else 1
        assert training.advance().loss == pytest.approx(g.loss / steps, rel=1e-12)
        found = training.stack.unpacked(training.stack.gradient[0])
        for name, value in g.d_params.items():
            np.testing.assert_allclose(found[name], value, atol=1e-12, err_msg=f"{problem} {name}")
