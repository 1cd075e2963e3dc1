"""A visitor's kernel holds little more after many moves than after its first picture."""

import os
import subprocess
import sys

import pytest

from rnnviz.dashboard.turns import ADDRESS
from rnnviz.serving.warm_kernels import ONE_HEAP

MOVES = """
import asyncio, random
import psutil
import rnnviz as rv

HIGHEST = {"hidden_size": 160, "seq_len": 150, "batch_size": 48}

async def rest(page):
    while page.worker.jobs or page.worker.running:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)

def megabytes():
    return psutil.Process().memory_full_info().uss / 2**20

async def main():
    page, draw = rv.Dashboard(), random.Random(1)
    await rest(page)
    first = megabytes()
    for _ in range(50):
        name = draw.choice([*HIGHEST, "gain", "seed", "cell", "scheme", "activation", "inputs", "loss_at"])
        control = page.controls.widgets[name]
        if hasattr(control, "options"):
            control.value = draw.choice([value for _, value in control.options])
        else:
            control.value = draw.randint(int(control.min) + 1, HIGHEST.get(name, 3))
        await rest(page)
    print(megabytes() - first)
    page.close()

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems measure and free memory otherwise")
def test_fifty_moves_leave_at_most_30_mb():
    environment = {**os.environ, **ONE_HEAP, ADDRESS: os.devnull}
    done = subprocess.run([sys.executable, "-c", MOVES], env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) <= 30
