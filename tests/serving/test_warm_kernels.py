"""Kernels that were forked from a warm process, or started ahead: they live and end as any kernel does."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import kernel_life
import psutil
import pytest
from conftest import NOTEBOOKS, PATIENCE, is_alive, start_server, wait_until

METHODS = ["forkserver", "spawn"] if sys.platform == "linux" else ["spawn"]
FIRST = f"voila/render/{min(NOTEBOOKS.glob('*.ipynb')).name}"


@pytest.fixture
def demo(tmp_path, request, monkeypatch):
    """Run a demo of one's own, whose kernels are provided in one of the ways."""
    monkeypatch.setenv("RNNVIZ_KERNELS", request.param)
    server = start_server([shutil.which("rnnviz", path=str(Path(sys.executable).parent))], tmp_path / "log")
    yield server
    if server.process.poll() is None:
        assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_a_warm_kernel_lives_as_any_kernel(method):
    with tempfile.TemporaryDirectory() as folder:  # the path of a socket may be 107 characters long
        command = [sys.executable, kernel_life.__file__, method, folder]
        paths = [str(Path(kernel_life.__file__).parents[1]), *sys.path]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == len(kernel_life.LIVES), done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows ends no process so")
@pytest.mark.parametrize(
    ("demo", "end"),
    [(method, end) for method in METHODS for end in ("SIGINT", "SIGKILL")],
    indirect=["demo"],
)
def test_no_process_outlives_the_server(demo, end):
    assert demo.get(FIRST)[0] == 200
    family = psutil.Process(demo.process.pid).children(recursive=True)
    assert len(family) >= 2, "a kernel, and one that waits"
    demo.process.send_signal(getattr(signal, end))
    assert demo.process.wait(timeout=PATIENCE) == (-signal.SIGKILL if end == "SIGKILL" else 0)
    wait_until(lambda: not any(map(is_alive, family)), "all processes have ended")


@pytest.mark.slow
@pytest.mark.skipif("forkserver" not in METHODS, reason="no process is forked here")
@pytest.mark.parametrize("demo", ["forkserver"], indirect=True)
def test_kernels_outlive_the_process_that_they_were_forked_from(demo):
    assert demo.get(FIRST)[0] == 200
    (kernel,) = demo.kernels()
    kernel.parent().kill()
    wait_until(lambda: kernel.ppid() != demo.process.pid and is_alive(kernel), "the kernel has lost its parent")
    for _ in range(2):  # the first gets the process that waits, which has lost its parent too
        assert demo.get(FIRST)[0] == 200, "another page opens"
    assert is_alive(kernel)
    assert len(demo.kernels()) == 1, "that of the last page"
