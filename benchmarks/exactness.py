"""What exactness costs: the backward pass with a power of two beside each array, against the plain one.

Both walk the same tapes of plain float64 factors wherever float64 can hold them; the plain pass takes whatever
float64 leaves of the rest.

    python benchmarks/exactness.py
"""

from __future__ import annotations

import numpy as np
from timing import alternate, machine, verdict

import rnnviz as rv
from rnnviz.activations import ACTIVATIONS
from rnnviz.arithmetic import EXACT, PLAIN
from rnnviz.bptt import backward, cross_entropy, forward
from rnnviz.cells import CELLS
from rnnviz.scaled import Scaled


def tapes(config: rv.Config):
    """Return the parameters, the exact and the plain tapes of one run, and its errors."""
    params, (x, targets) = rv.init_params(config), rv.runs.draw_inputs(config)
    steps = list(forward(params, x, CELLS[config.cell], ACTIVATIONS[config.activation], EXACT))
    exact = [step.tape for step in steps]
    plain = [tuple(f.to_float() if isinstance(f, Scaled) else f for f in tape) for tape in exact]
    errors = [None] * (len(steps) - 1) + [cross_entropy(params, steps[-1].state["h"], targets[-1])[1]]
    return params, exact, plain, errors


def walk(params, tape, errors, cell, num) -> list[np.ndarray]:
    """Go back and take the norm of every step, as a Trace does."""
    return [num.log10_norm(step.total["h"]) for step in backward(params, tape, errors, CELLS[cell], num)]


def main() -> None:
    print(machine())
    for cell in CELLS:
        for scheme in ("xavier", "uniform01"):
            for hidden_size in (64, 128, 256, 512):
                config = rv.Config(cell=cell, scheme=scheme, hidden_size=hidden_size)
                params, exact, plain, errors = tapes(config)
                ways = {"exact": (exact, EXACT), "plain": (plain, PLAIN)}
                contenders = {
                    name: lambda tape=tape, num=num, p=params, e=errors, c=cell: walk(p, tape, e, c, num)
                    for name, (tape, num) in ways.items()
                }
                times = alternate(contenders, 41)
                verdict(f"{cell} {scheme} H={hidden_size}: exact / plain", times["exact"] / times["plain"], high=1.3)


if __name__ == "__main__":
    main()
