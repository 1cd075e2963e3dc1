"""Training against torch: after 20 steps with the same weights, batches and optimiser, all parameters agree to 1e-9."""

from __future__ import annotations

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.learning.optimisers import OPTIMISERS

STEPS = 20
SMALL = {"hidden_size": 7, "seq_len": 6, "batch_size": 4}
CELLS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
PEERS = {
    "sgd": lambda torch, params, rate: torch.optim.SGD(params, lr=rate),
    "momentum": lambda torch, params, rate: torch.optim.SGD(params, lr=rate, momentum=0.9),
    "rmsprop": lambda torch, params, rate: torch.optim.RMSprop(params, lr=rate),
    "adagrad": lambda torch, params, rate: torch.optim.Adagrad(params, lr=rate),
    "adam": lambda torch, params, rate: torch.optim.Adam(params, lr=rate),
}


class Peer:
    """The single network of a Training in torch, which trains two biases where this project has one."""

    def __init__(self, torch, training):
        config, self.problem, self.settings = training.config, training.problem, training.settings
        self.torch, self.size, self.layers = torch, config.hidden_size, config.layers
        self.has_recurrent_bias = config.cell == "gru"
        sizes = self.problem.sizes(config)
        cell = getattr(torch.nn, CELLS[config.cell])
        self.net = cell(sizes[0], self.size, num_layers=self.layers, dtype=torch.float64)
        self.out = torch.nn.Linear(self.size, sizes[1], dtype=torch.float64)
        self.state = None
        self.put(training.params())
        self.params = [*self.net.parameters(), *self.out.parameters()]
        settings = training.settings
        self.optimiser = PEERS[settings.optimiser_name](torch, self.params, settings.learning_rate)

    def places(self):
        """Yield (name, tensor, part of it) for every parameter of this project."""
        for k in range(self.layers):
            end = f"_{k + 1}" if k else ""
            yield f"W_xh{end}", getattr(self.net, f"weight_ih_l{k}"), slice(None)
            yield f"W_hh{end}", getattr(self.net, f"weight_hh_l{k}"), slice(None)
            yield f"b_h{end}", getattr(self.net, f"bias_ih_l{k}"), slice(None)
            if self.has_recurrent_bias:
                yield f"b_hn{end}", getattr(self.net, f"bias_hh_l{k}"), slice(2 * self.size, None)
        yield "W_hy", self.out.weight, slice(None)
        yield "b_y", self.out.bias, slice(None)

    def put(self, params):
        with self.torch.no_grad():
            for k in range(self.layers):
                getattr(self.net, f"bias_hh_l{k}").zero_()
            for name, tensor, part in self.places():
                tensor[part] = self.torch.from_numpy(params[name].T.copy())

    def found(self):
        return {name: tensor.detach().numpy()[part].T for name, tensor, part in self.places()}

    def loss(self, x, targets, where):
        y = self.out(x[where])
        if self.problem.loss == "squared error":
            return self.torch.nn.functional.mse_loss(y, targets)
        each = self.torch.nn.functional.cross_entropy(y.flatten(0, 1), targets.flatten())
        return len(where) * each if self.problem.is_summed else each

    def step(self, batch, where, goes_on):
        """Take a step of the optimiser, with the second biases frozen but for those of a GRU's n."""
        self.optimiser.zero_grad()
        h, state = self.net(self.torch.from_numpy(batch.x), self.state if goes_on else None)
        self.state = tuple(each.detach() for each in state) if isinstance(state, tuple) else state.detach()
        self.loss(h, self.torch.from_numpy(batch.targets), where).backward()
        for k in range(self.layers):
            second = getattr(self.net, f"bias_hh_l{k}").grad
            second[: 2 * self.size if self.has_recurrent_bias else None] = 0.0
        if self.settings.clip_norm:
            self.torch.nn.utils.clip_grad_norm_(self.params, self.settings.clip_norm)
        if self.settings.clip_value:
            self.torch.nn.utils.clip_grad_value_(self.params, self.settings.clip_value)
        self.optimiser.step()


def assert_same_after_training(torch, training):
    """Train both, and compare every parameter."""
    peer, problem, config = Peer(torch, training), training.problem, training.config
    where = problem.steps_with_loss(config)
    for step in range(STEPS):
        goes_on = problem.continues is not None and problem.continues(config, step)
        peer.step(training.draw(config.seed), where, goes_on)
        training.advance()
    start, found = rv.Training.of(training.settings).params(), peer.found()
    for name, value in training.params().items():
        np.testing.assert_allclose(value, found[name], rtol=0, atol=1e-9, err_msg=name)
        assert np.abs(value - start[name]).max() > 1e-4, name


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("cell", CELLS)
def test_20_steps_agree(torch, cell, optimiser):
    config = rv.Config(cell=cell, **SMALL)
    for problem, clip in (("recall", {"clip_value": 0.01}), ("adding", {"clip_norm": 0.1})):
        assert_same_after_training(torch, rv.Training(config, problem, optimiser=optimiser, **clip))


@pytest.mark.parametrize("cell", CELLS)
def test_20_steps_of_layers_and_of_a_carried_state_agree(torch, cell):
    config = rv.Config(cell=cell, layers=3, **SMALL)
    assert_same_after_training(torch, rv.Training(config, "recall", clip_norm=0))
    carried = config.replace(layers=2, text="some letters, and some more" * 3)
    assert_same_after_training(torch, rv.Training(carried, "characters", optimiser="adam"))


def truncated_gradients(torch, peer, batch, where, reach):
    """Sum the gradients of every loss alone, with the state before its last ``reach`` steps detached."""
    x, targets = (torch.from_numpy(each) for each in batch)
    peer.optimiser.zero_grad()
    for k, t in enumerate(where):
        start, state = max(0, t + 1 - reach), None
        if start:
            state = peer.net(x[:start])[1]
            state = tuple(each.detach() for each in state) if isinstance(state, tuple) else state.detach()
        h, _ = peer.net(x[start : t + 1], state)
        (peer.loss(h, targets[k : k + 1], [-1]) / len(where)).backward()
    return {name: tensor.grad.numpy()[part].T for name, tensor, part in peer.places()}


@pytest.mark.parametrize(("problem", "layers"), [("recall", 1), ("recall", 3), ("copying", 2)])
@pytest.mark.parametrize("cell", CELLS)
def test_truncated_gradients_agree_with_autograd(torch, cell, problem, layers):
    for reach in (1, 4, 25):
        config = rv.Config(cell=cell, layers=layers, truncate=reach, **SMALL | {"batch_size": 2})
        training = rv.Training(config, problem, clip_norm=0)
        peer, where = Peer(torch, training), training.problem.steps_with_loss(config)
        expected = truncated_gradients(torch, peer, training.draw(config.seed), where, reach)
        training.advance()
        found = training.stack.unpacked(training.stack.gradient[0])
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-12, err_msg=f"{name} {reach}")
