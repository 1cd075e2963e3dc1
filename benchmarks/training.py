"""One training step against torch (nn.RNN, LSTM and GRU, autograd, Adam), and four schemes stacked against four runs.

Both in float64, with one BLAS thread, on the adding problem; torch gets its batches ready-made, `Training` draws them.
CPU time counts where one thread computes; a large stack uses two threads, so that its time is the clock's. A stack
saves Python's share of a step, which is most of it at B = 1, and less than a fourth at B = 32.

    python benchmarks/training.py
"""

from __future__ import annotations

import sys
import time

import torch
from timing import again, alternate, machine, verdict

import rnnviz as rv

MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
SCHEMES = ("xavier", "orthogonal", "he", "uniform_centered")


def torch_step(training: rv.Training):
    """Return a function that takes one step of the same network in torch."""
    config, sizes = training.config, training.problem.sizes(training.config)
    net = MODULES[config.cell](sizes[0], config.hidden_size, dtype=torch.float64)
    out = torch.nn.Linear(config.hidden_size, sizes[1], dtype=torch.float64)
    params = [*net.parameters(), *out.parameters()]
    optimiser = torch.optim.Adam(params, lr=training.settings.learning_rate)
    x, targets = (torch.from_numpy(each) for each in training.draw(config.seed))

    def step():
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(out(net(x)[0][-1:]), targets).backward()
        torch.nn.utils.clip_grad_norm_(params, training.settings.clip_norm)
        optimiser.step()

    return step


def race(cell: str, low: float) -> None:
    """Time one step in each way, and print the ratio beside its limit."""
    training = rv.Training(rv.Config(cell=cell, hidden_size=100, seq_len=50, batch_size=50), "adding")
    times = alternate({"torch": torch_step(training), "rnnviz": training.advance}, 15, time.process_time)
    print(f"  {cell}: " + ", ".join(f"{name} {1e3 * value:.1f} ms" for name, value in times.items()))
    verdict(f"{cell} H=100 T=50 B=50: torch / rnnviz", times["torch"] / times["rnnviz"], low)


def stacked(batch_size: int, seeds: int, low: float) -> None:
    """Time a step of four schemes and some seeds in one training and in as many as there are runs."""
    config = rv.Config(hidden_size=64, batch_size=batch_size)
    together = rv.Training(config, "adding", SCHEMES, range(seeds))
    each = [config.replace(scheme=scheme, seed=seed) for scheme in SCHEMES for seed in range(seeds)]
    alone = [rv.Training(one, "adding") for one in each]
    contenders = {"stacked": together.advance, "alone": lambda: [each.advance() for each in alone]}
    times = alternate(contenders, 31)
    verdict(f"H=64 T=50 B={batch_size}: 4 schemes x {seeds}, alone / stacked", times["alone"] / times["stacked"], low)


def main() -> None:
    print(machine(), f"torch {torch.__version__}")
    race("rnn", 1.0)
    race("lstm", 1 / 1.5)
    race("gru", 1 / 1.5)
    stacked(32, 1, 1.5)
    stacked(32, 4, 1.5)
    stacked(1, 1, 1.5)


if __name__ == "__main__":
    if "--here" in sys.argv:
        main()
    else:
        again(1, "--here")
