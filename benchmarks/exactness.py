"""The cost of exactness: the backward pass with a power of two beside each array, against the plain one.

Both use the same tapes, of float64 factors where float64 can hold them; the plain pass takes the rest as float64 rounds
it. Eight seeds run together, as in `compare`; the figure for one seed alone is shown beside it.

    python benchmarks/exactness.py
"""

from __future__ import annotations

import numpy as np
from timing import alternate, machine, verdict

import rnnviz as rv
from rnnviz.engine.layers import backward, forward
from rnnviz.engine.passes import cross_entropy
from rnnviz.engine.runs import stack_params
from rnnviz.network.activations import ACTIVATIONS
from rnnviz.network.arithmetic import EXACT, PLAIN
from rnnviz.network.cells import CELLS
from rnnviz.network.sampling import draw_inputs
from rnnviz.numerics.scaled import Scaled


def tapes(config: rv.Config, seeds: int = 1):
    """Return the parameters, the exact and the plain tapes of a stack of runs, and their errors."""
    configs = [config.replace(seed=seed) for seed in range(seeds)]
    nets = [rv.init_params(each) for each in configs]
    params = {name: stack_params([net[name] for net in nets]) for name in nets[0]}
    x, targets = (np.stack(each) for each in zip(*map(draw_inputs, configs), strict=True))
    steps = list(forward(params, x, CELLS[config.cell], ACTIVATIONS[config.activation], EXACT))
    exact = [step.tape for step in steps]
    plain = [tuple(f.to_float() if isinstance(f, Scaled) else f for f in tape) for tape in exact]
    errors = [None] * (len(steps) - 1) + [cross_entropy(params, steps[-1].state["h"], targets[:, -1])[1]]
    return params, exact, plain, errors


def walk(params, tape, errors, cell, num) -> list[np.ndarray]:
    """Run the backward pass and return the norm at every step, as a Trace has it."""
    return [num.log10_norm(step.total["h"]) for step in backward(params, tape, errors, CELLS[cell], num)]


def ratio(config: rv.Config, seeds: int) -> float:
    """Return the time of the exact pass as a multiple of the plain one's."""
    params, exact, plain, errors = tapes(config, seeds)
    contenders = {
        "exact": lambda: walk(params, exact, errors, config.cell, EXACT),
        "plain": lambda: walk(params, plain, errors, config.cell, PLAIN),
    }
    times = alternate(contenders, 41 if seeds == 1 else 11)
    return times["exact"] / times["plain"]


def main() -> None:
    print(machine())
    for cell in CELLS:
        for scheme in ("xavier", "uniform01"):
            for hidden_size in (64, 128, 256, 512):
                config = rv.Config(cell=cell, scheme=scheme, hidden_size=hidden_size)
                name = f"{cell} {scheme} H={hidden_size}: exact / plain"
                verdict(f"{name} (one seed alone: {ratio(config, 1):.2f})", ratio(config, 8), high=1.3)


if __name__ == "__main__":
    main()
