"""The networks of a training as a comparison: losses and gradients against autograd on the problem's own loss."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from rnnviz import Config
from rnnviz.learning.problems import PROBLEMS
from rnnviz.learning.shown import tracing_training
from rnnviz.learning.training import Training
from rnnviz.network.sampling import stream
from rnnviz.numerics.progress import finish
from rnnviz.story.notes import notes

CONFIG = Config(hidden_size=9, seq_len=6, batch_size=4)


def loss_of(problem, params, batch, kicks):
    """Return the loss of a tanh RNN on a batch, with ``kicks`` (T, B, H) added to its states."""
    h, loss = anp.zeros((batch.x.shape[1], 9)), 0.0
    where = PROBLEMS[problem].steps_with_loss(CONFIG)
    for t, x in enumerate(batch.x):
        h = anp.tanh(x @ params["W_xh"] + h @ params["W_hh"] + params["b_h"]) + kicks[t]
        if t in where:
            y, wanted = h @ params["W_hy"] + params["b_y"], batch.targets[list(where).index(t)]
            if problem == "adding":
                each = anp.mean((y - wanted) ** 2, axis=-1)
            else:
                each = anp.log(anp.sum(anp.exp(y), axis=-1)) - y[anp.arange(len(y)), wanted]
            loss = loss + anp.mean(each) / len(where)
    return loss


@pytest.mark.parametrize("problem", ["adding", "recall", "copying"])
def test_gradients_of_the_states_are_those_of_the_problems_loss(problem):
    training = Training(CONFIG, problem, schemes=("xavier", "orthogonal"), seeds=(3, 4))
    for _progress in training.run(3):
        pass
    trace = finish(tracing_training(training, training.step))
    s, r = 1, 1
    params = training.params(s, r, training.step)
    batch = training.problem.draw(stream(4, "tests"), training.config.replace(seed=4), 0)
    steps, size = batch.x.shape[:2]
    kicks = np.zeros((steps, size, 9))
    assert trace.loss[s, r] == pytest.approx(loss_of(problem, params, batch, kicks), rel=1e-12)
    d_h = grad(lambda each: loss_of(problem, params, batch, each))(kicks)
    norms = np.log10(np.linalg.norm(d_h.reshape(steps, -1), axis=1))
    np.testing.assert_allclose(trace.log10_grad_norm[s, r, 1:], norms, atol=1e-9)
    for name, value in trace.parameters(s, r).items():
        np.testing.assert_array_equal(value, params[name])
    assert trace.one(s, r).parameters()["W_hh"] is not params["W_hh"]
    np.testing.assert_array_equal(trace.only(s).parameters(0, r)["W_hh"], params["W_hh"])


def test_before_the_first_step_they_are_the_networks_as_drawn():
    training = Training(CONFIG, "recall", schemes=("xavier",), seeds=(0,))
    trace = finish(tracing_training(training, 0))
    for _progress in training.run(2):
        pass
    again = finish(tracing_training(training, 0))
    np.testing.assert_array_equal(trace.second_moment, again.second_moment)
    later = finish(tracing_training(training, 2))
    assert not np.array_equal(trace.second_moment, later.second_moment)


def test_fewer_seeds_and_sequences_are_the_first_of_them():
    training = Training(CONFIG.replace(batch_size=8), "recall", schemes=("xavier",), seeds=range(3))
    trace = finish(tracing_training(training, 0, sequences=2, seeds=1))
    assert trace.second_moment.shape == (1, 1, 7)
    assert trace.config.batch_size == 2


def test_a_comparison_says_whether_its_loss_is_a_sum_and_what_its_networks_read():
    config = Config(hidden_size=9, seq_len=6, batch_size=4, inputs="text")
    for problem, note in (("characters", "The loss is the sum of 6 losses"), ("adding", None)):
        training = Training(config, problem)
        trace = finish(tracing_training(training, 0))
        said = notes(config, (), trace)
        assert [each[: len(note or "")] for each in said] == ([note] if note else [])
        assert trace.layer_inputs(1).shape == (6, 4, training.problem.sizes(config)[0])
