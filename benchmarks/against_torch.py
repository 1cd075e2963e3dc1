"""`compare` against torch.nn.RNN, LSTM and GRU with autograd, doing the same work in float64.

The work: for every scheme and seed the norm of dL/dh_t at every step, and mean, second moment, variance and saturation
of every state. Torch gives the total dL/dh_t only in stepwise calls with retained gradients. The easier whole-sequence
call, which gives only parameter gradients, is timed too. Torch gets its weights and inputs ready-made, while `compare`
samples its own.

    python benchmarks/against_torch.py
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from timing import again, alternate, machine, verdict

import rnnviz as rv
from rnnviz.network.sampling import draw_inputs

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


def race(config: rv.Config, schemes, seeds: int, low: float, rounds: int = 5) -> dict[str, float]:
    """Time one comparison in each way, and print the ratio beside its limit."""
    nets = [load(config.replace(scheme=scheme, seed=seed)) for scheme in schemes for seed in range(seeds)]
    contenders = {
        "rnnviz": lambda: rv.compare(config, schemes, range(seeds)),
        "stepwise": lambda: [stepwise(*net) for net in nets],
        "whole": lambda: [whole_sequence(*net) for net in nets],
    }
    times = alternate(contenders, rounds)
    what = f"{config.cell} H={config.hidden_size} T={config.seq_len}, {len(schemes)} schemes x {seeds} seeds"
    print(f"  {what}: " + ", ".join(f"{name} {1e3 * value:.0f} ms" for name, value in times.items()))
    verdict("torch stepwise / rnnviz", times["stepwise"] / times["rnnviz"], low)
    print(f"  {'torch whole sequence (parameter gradients only) / rnnviz':<58} {times['whole'] / times['rnnviz']:8.2f}")
    return times


def multiplications(config: rv.Config):
    """Return a function that only does the matrix multiplications of one run."""
    params, (x, _) = rv.init_params(config), draw_inputs(config)
    W, W_xh, h = params["W_hh"], params["W_xh"], np.random.default_rng(0).standard_normal(x.shape[1:2] + (512,))

    def run():
        x.reshape(-1, x.shape[-1]) @ W_xh
        for _ in range(config.seq_len):
            h @ W
        for _ in range(config.seq_len):
            h @ W.T

    return run


def main() -> None:
    print(machine(), f"torch {torch.__version__}")
    race(rv.Config(), SCHEMES, 8, 3.0)
    large = rv.Config(hidden_size=512, seq_len=200)
    race(large, ("xavier",), 1, 1.2)
    times = alternate({"rnnviz": lambda: rv.compare(large, ("xavier",), (0,)), "products": multiplications(large)}, 15)
    verdict("H=512 T=200: rnnviz / its matrix products alone", times["rnnviz"] / times["products"], high=2.0)
    for cell in ("lstm", "gru"):
        for hidden_size in (64, 128):
            race(rv.Config(cell=cell, hidden_size=hidden_size), SCHEMES, 4, 1.0)


if __name__ == "__main__":
    if "--here" in sys.argv:
        main()
    else:
        again(None, "--here")
        again(1, "--here")
