"""The growth of time with T, and of memory with everything: each step costs the same, and nothing is stored twice.

python benchmarks/growth.py           # about three minutes
python benchmarks/growth.py --small   # without the comparison of 96 runs
"""

from __future__ import annotations

import resource
import sys
import time
import tracemalloc
from itertools import product

import numpy as np
from timing import again, alternate, machine, verdict

import rnnviz as rv
from rnnviz.engine.batching import run_bytes
from rnnviz.engine.runs import comparing
from rnnviz.numerics.progress import finish


def slope(config: rv.Config, lengths: tuple[int, ...]) -> float:
    """Return d log(time) / d log(T) over the given sequence lengths, all of them run in alternation."""
    contenders = {str(T): lambda T=T: rv.run(config.replace(seq_len=T)) for T in lengths}
    times = alternate(contenders, 9)
    return np.polyfit(np.log(lengths), np.log([times[str(T)] for T in lengths]), 1)[0]


def peak_over_stored(config: rv.Config, seeds: int) -> float:
    """Return peak memory as a multiple of what the backward pass needs.

    It needs R x L x T x B x H numbers of 8 bytes for each factor of the cell: 1 for an RNN, 6 for an LSTM, 5 for a GRU.
    """
    stored = seeds * run_bytes(config)
    tracemalloc.start()
    rv.compare(config, (config.scheme,), range(seeds))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / stored


def layers_ratio(config: rv.Config) -> float:
    """Return the CPU time of a comparison of four layers, as a multiple of that of one."""
    contenders = {
        str(layers): lambda layers=layers: finish(comparing(config.replace(layers=layers), lanes=1))
        for layers in (1, 4)
    }
    times = alternate(contenders, 9, time.process_time)
    return times["4"] / times["1"]


def largest() -> None:
    """Run the largest comparison that must fit into 2 GiB; the process must do nothing else."""
    config = rv.Config(hidden_size=512, seq_len=1000)
    start = time.perf_counter()
    rv.compare(config, ("xavier", "glorot_normal", "he", "orthogonal", "uniform01", "uniform_centered"), range(16))
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    verdict(f"S=6 R=16 H=512 T=1000 B=32: peak GiB ({time.perf_counter() - start:.0f} s)", gib, high=2.0)


def main() -> None:
    print(machine())
    for cell in rv.cells.CELLS:
        verdict(f"{cell} H=64: slope of time in T", slope(rv.Config(cell=cell), (200, 400, 800, 1600)), 0.9, 1.1)
    for hidden_size in (256, 1024):
        config = rv.Config(hidden_size=hidden_size, batch_size=8)
        verdict(f"rnn H={hidden_size}: slope of time in T", slope(config, (100, 200, 400)), 0.9, 1.1)
    for cell, layers in product(rv.cells.CELLS, (1, 4)):
        config = rv.Config(cell=cell, hidden_size=128, seq_len=200, layers=layers)
        name = f"{cell}, {layers} layers: peak memory over what must be stored, 4 seeds"
        verdict(name, peak_over_stored(config, 4), high=2.0)
    truncated = rv.Config(hidden_size=128, seq_len=200, loss_at="every", truncate=50)
    verdict("rnn, truncated: peak memory over what must be stored", peak_over_stored(truncated, 4), high=2.0)
    for cell in rv.cells.CELLS:
        verdict(f"{cell}: time of 4 layers over that of 1", layers_ratio(rv.Config(cell=cell)), high=4.4)


if __name__ == "__main__":
    if "--largest" in sys.argv:
        largest()
    else:
        main()
        if "--small" not in sys.argv:
            again(None, "--largest")
