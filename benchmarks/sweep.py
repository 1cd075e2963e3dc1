"""A sweep of 400 cells: two processes against one, each computing in one thread.

Both start their processes within the time that counts. A cell is a comparison of two schemes and four seeds.

    python benchmarks/sweep.py            # about a minute
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from timing import alternate, machine, verdict

from rnnviz.learning.sweep_file import sweep_file
from rnnviz.learning.workers import process_pool

GRID = """
schemes = ["xavier", "orthogonal"]
seeds = 4
[grid]
gain = { from = 0.5, to = 2, count = 20 }
seq_len = { from = 10, to = 100, count = 20 }
"""


def run(grid: Path, workers: int) -> bytes:
    """Return the table that so many processes compute."""
    out = grid.with_name(f"{workers}.csv")
    out.unlink(missing_ok=True)
    with process_pool(workers) as pool:
        sweep_file(grid, out, pool, io.StringIO())
    return out.read_bytes()


def main() -> None:
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        grid = Path(folder) / "grid.toml"
        grid.write_text(GRID)
        times = alternate({str(n): lambda n=n: run(grid, n) for n in (1, 2)}, rounds=3)
        print(f"  400 cells: one process {times['1']:.1f} s, two {times['2']:.1f} s")
        verdict("one process / pool of 2", times["1"] / times["2"], low=1.6)
        print(f"  same bytes: {run(grid, 1) == run(grid, 2)}")


if __name__ == "__main__":
    main()
