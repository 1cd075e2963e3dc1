"""`compare` against torch.nn.RNN, LSTM and GRU with autograd, doing the same work in float64.

The work: for every scheme and seed the norm of dL/dh_t at every step, and mean, second moment, variance and saturation
of every state. Torch gives the total dL/dh_t only in stepwise calls with retained gradients. The easier whole-sequence
call, which gives only parameter gradients, is timed too. Torch gets its weights and inputs ready-made, while `compare`
samples its own.

Both compute in one thread, in turn, and their CPU time counts, so that other programs disturb little. The last line of
each race is the wall time with two stacks at a time, as `compare` runs where each multiplication keeps to one core.

    python benchmarks/against_torch.py
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch
from timing import again, alternate, machine, verdict

import rnnviz as rv
from rnnviz.engine.batching import split
from rnnviz.engine.layers import backward, forward
from rnnviz.engine.passes import cross_entropy
from rnnviz.engine.runs import comparing, stack_params
from rnnviz.network.activations import ACTIVATIONS
from rnnviz.network.arithmetic import EXACT
from rnnviz.network.cells import CELLS
from rnnviz.network.sampling import draw_inputs
from rnnviz.numerics.progress import finish

SCHEMES = ("xavier", "orthogonal", "he", "uniform01")
MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def load(config: rv.Config) -> tuple:
    """Return torch's network with the parameters of a Config, and its batch."""
    params = {name: torch.from_numpy(value.T.copy()) for name, value in rv.init_params(config).items()}
    net = MODULES[config.cell](config.sizes[0], config.hidden_size, dtype=torch.float64)
    out = torch.nn.Linear(config.hidden_size, config.sizes[1], dtype=torch.float64)
    with torch.no_grad():
        net.weight_ih_l0.copy_(params["W_xh"])
        net.weight_hh_l0.copy_(params["W_hh"])
        net.bias_ih_l0.copy_(params["b_h"])
        net.bias_hh_l0.zero_()
        out.weight.copy_(params["W_hy"])
        out.bias.copy_(params["b_y"])
    x, targets = (torch.from_numpy(np.ascontiguousarray(each)) for each in draw_inputs(config))
    return net, out, x, targets[-1]


def statistics(h: torch.Tensor) -> list[torch.Tensor]:
    """Return the state's statistics by step, h (T, B, H)."""
    h = h.detach().flatten(1)
    return [h.mean(1), (h * h).mean(1), h.var(1, correction=0), (h.abs() > 0.97).double().mean(1)]


def stepwise(net, out, x, target) -> list[torch.Tensor]:
    """Return ||dL/dh_t|| (LSTM: and ||dL/dc_t||) and the statistics of every step."""
    net.zero_grad()
    state, states = None, []
    for x_t in x:
        h, state = net(x_t[None], state)
        each = state if isinstance(state, tuple) else (state,)
        for value in each:
            value.retain_grad()
        states.append(each)
    torch.nn.functional.cross_entropy(out(each[0][0]), target).backward()
    each[-1].grad = torch.zeros_like(each[-1]) if each[-1].grad is None else each[-1].grad  # dL/dc_T
    norms = [torch.stack([step[k].grad for step in states]).flatten(1).norm(dim=1) for k in range(len(each))]
    return norms + statistics(torch.cat([step[0] for step in states]))


def whole_sequence(net, out, x, target) -> list[torch.Tensor]:
    """Return the statistics of every step; compute only the parameters' gradients."""
    net.zero_grad()
    h, _ = net(x)
    torch.nn.functional.cross_entropy(out(h[-1]), target).backward()
    return statistics(h)


def race(config: rv.Config, schemes, seeds: int, stepwise_low: float, whole_low: float = 0.0, rounds: int = 7) -> None:
    """Time one comparison in each way, and print the ratios beside their limits."""
    nets = [load(config.replace(scheme=scheme, seed=seed)) for scheme in schemes for seed in range(seeds)]
    contenders = {
        "rnnviz": lambda: finish(comparing(config, schemes, range(seeds), lanes=1)),
        "stepwise": lambda: [stepwise(*net) for net in nets],
        "whole": lambda: [whole_sequence(*net) for net in nets],
    }
    times = alternate(contenders, rounds, time.process_time)
    wall = alternate(contenders | {"rnnviz": lambda: rv.compare(config, schemes, range(seeds))}, rounds)
    what = f"{config.cell} H={config.hidden_size} T={config.seq_len}, {len(schemes)} schemes x {seeds} seeds"
    print(f"  {what}: " + ", ".join(f"{name} {1e3 * value:.0f} ms" for name, value in times.items()))
    verdict("torch stepwise / rnnviz", times["stepwise"] / times["rnnviz"], stepwise_low)
    verdict("torch whole (parameter gradients only) / rnnviz", times["whole"] / times["rnnviz"], whole_low)
    ratios = ", ".join(f"{name} / rnnviz {wall[name] / wall['rnnviz']:.2f}" for name in ("stepwise", "whole"))
    print(f"  wall time with two stacks at a time: {ratios}")


def multiplications(config: rv.Config, runs: int = 1):
    """Return a function that only does the matrix multiplications of one stack."""
    configs = [config.replace(seed=seed) for seed in range(runs)]
    W, W_xh = (stack_params([rv.init_params(each)[name] for each in configs]) for name in ("W_hh", "W_xh"))
    W_back = W.swapaxes(-1, -2).copy()
    rng = np.random.default_rng(0)
    x, h, d = (rng.standard_normal((runs, config.batch_size, M.shape[-2])) for M in (W_xh, W, W_back))

    def run():
        for _ in range(config.seq_len):
            x @ W_xh
            h @ W
            d @ W_back

    return run


def passes(configs: list[rv.Config]) -> dict:
    """Return functions that do the activations and both passes of one stack, without statistics."""
    cell, phi = CELLS[configs[0].cell], ACTIVATIONS[configs[0].activation]
    drawn = [rv.init_params(config) for config in configs]
    params = {name: stack_params([each[name] for each in drawn]) for name in drawn[0]}
    x, targets = (np.stack(each) for each in zip(*map(draw_inputs, configs), strict=True))
    like_a = [2.0 * step.state["h"] for step in forward(params, x, cell, phi)]

    def both():
        tapes = []
        for step in forward(params, x, cell, phi):
            tapes.append(step.tape)
        errors = [None] * (len(tapes) - 1) + [cross_entropy(params, step.state["h"], targets[:, -1])[1]]
        for _ in backward(params, tapes, errors, cell):
            pass

    return {"activation": lambda: [EXACT.activate(phi, a) for a in like_a], "both passes": both}


def shares(config: rv.Config, rounds: int = 9) -> None:
    """Print which part of a comparison's time its parts take, each timed by itself."""
    configs = [config.replace(scheme=scheme, seed=seed) for seed in range(8) for scheme in SCHEMES]
    stacks = split(config, len(configs))
    stack = configs[stacks[0]]
    contenders = {"products": multiplications(config, len(stack)), **passes(stack)}
    times = {name: len(stacks) * value for name, value in alternate(contenders, rounds, time.process_time).items()}
    whole = {
        "all": lambda: finish(comparing(config, SCHEMES, range(8), lanes=1)),
        "draws": lambda: ([rv.init_params(each) for each in configs], [draw_inputs(each) for each in configs[::4]]),
    }
    times |= alternate(whole, rounds, time.process_time)
    everything, both = times.pop("all"), times.pop("both passes")
    times["rest of both passes"] = both - times["products"] - times["activation"]
    times["statistics and norms"] = everything - both - times["draws"]
    parts = ", ".join(f"{name} {100 * seconds / everything:.0f} %" for name, seconds in times.items())
    print(f"  {1e3 * everything:.0f} ms in {len(stacks)} stacks: {parts}")


def main() -> None:
    print(machine(), f"torch {torch.__version__}")
    for hidden_size in (64, 128):
        race(rv.Config(hidden_size=hidden_size), SCHEMES, 8, 5.0 if hidden_size == 64 else 2.5, 2.0)
    shares(rv.Config())
    large = rv.Config(hidden_size=512, seq_len=200)
    race(large, ("xavier",), 1, 1.2)
    contenders = {"rnnviz": lambda: rv.compare(large, ("xavier",), (0,)), "products": multiplications(large)}
    times = alternate(contenders, 15, time.process_time)
    verdict("H=512 T=200: rnnviz / its matrix products alone", times["rnnviz"] / times["products"], high=2.0)
    for cell in ("lstm", "gru"):
        for hidden_size in (64, 128):
            race(rv.Config(cell=cell, hidden_size=hidden_size), SCHEMES, 4, 1.0)


if __name__ == "__main__":
    if "--here" in sys.argv:
        main()
    else:
        again(1, "--here")
