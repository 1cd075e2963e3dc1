"""Kernels that were forked from a warm process, or started ahead: they live and end as any kernel does."""

import asyncio
import json
import os
import shutil
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from conftest import NOTEBOOKS, start_server, wait_until
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

from rnnviz.serving import app, warm_kernels

METHODS = ["forkserver", "spawn"] if sys.platform == "linux" else ["spawn"]
FIRST = f"voila/render/{min(NOTEBOOKS.glob('*.ipynb')).name}"
COMMAND = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]


@pytest.fixture(scope="module", params=METHODS)
def pool(request):
    pool = warm_kernels.start(method=request.param)
    yield pool
    pool.close()


@pytest.fixture
def specification(tmp_path):
    """Install a kernel that is provided from the pool."""
    metadata = {"kernel_provisioner": {"provisioner_name": warm_kernels.NAME}}
    specification = {"argv": COMMAND, "display_name": "Warm", "language": "python", "metadata": metadata}
    Path(tmp_path, "warm").mkdir()
    Path(tmp_path, "warm", "kernel.json").write_text(json.dumps(specification))
    return KernelSpecManager(kernel_dirs=[str(tmp_path)], ensure_native_kernel=False)


@pytest.fixture
def demo(tmp_path, request, monkeypatch):
    """Run a demo of one's own, whose kernels are provided in one of the ways."""
    monkeypatch.setenv("RNNVIZ_KERNELS", request.param)
    server = start_server([shutil.which("rnnviz", path=str(Path(sys.executable).parent))], tmp_path / "log")
    yield server
    if server.process.poll() is None:
        assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


@asynccontextmanager
async def kernels(specification, number, **settings):
    """Start kernels as the server does; yield their manager, and id and client of each."""
    config = app.settings(NOTEBOOKS, 8866)
    manager = AsyncMappingKernelManager(config=config, kernel_spec_manager=specification, **settings)
    started = []
    for _ in range(number):
        kernel = await manager.start_kernel(kernel_name="warm", env={**os.environ, "OF_THIS_KERNEL": "yes"})
        client = manager.get_kernel(kernel).client()
        client.start_channels()
        await client.wait_for_ready(timeout=60)
        started.append((kernel, client))
    try:
        yield manager, *started
    finally:
        for _, client in started:
            client.stop_channels()
        await manager.shutdown_all(now=True)
        manager.context.destroy(linger=0)


async def evaluate(client, expression):
    """Return a value of a kernel."""
    reply = await client.execute_interactive(
        "import os, random, sys, multiprocessing, numpy", user_expressions={"it": expression}, timeout=60
    )
    return eval(reply["content"]["user_expressions"]["it"]["data"]["text/plain"])


async def until(condition, what):
    """Wait for a state, while the event loop goes on."""
    for _ in range(600):
        if condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"not so after 30 s: {what}")


def process_of(manager, kernel):
    return psutil.Process(manager.get_kernel(kernel).provisioner.pid)


@pytest.mark.slow
@pytest.mark.usefixtures("pool", "no_loop")
def test_a_warm_kernel_is_like_a_new_one(specification):
    async def look():
        async with kernels(specification, 2) as (_manager, (_, one), (_, other)):
            assert await evaluate(one, "os.environ['OF_THIS_KERNEL']") == "yes"
            assert await evaluate(one, "sys.modules['rnnviz'].dashboard.app.__name__"), "it is not warm"
            assert await evaluate(one, "os.environ['OPENBLAS_NUM_THREADS'], os.environ['MALLOC_ARENA_MAX']") == (
                "1",
                "1",
            )
            assert await evaluate(one, "os.path.basename(sys.argv[0]), __name__") == ("ipykernel_launcher", "__main__")
            assert await evaluate(one, "multiprocessing.current_process().daemon") is False
            # Both would be the same in processes that were forked without care.
            for draw in ("random.random()", "numpy.random.random()", "os.urandom(8)"):
                assert await evaluate(one, draw) != await evaluate(other, draw), draw
            assert await evaluate(one, "__import__('ipywidgets').Widget.get_manager_state()['state']") == {}

    asyncio.run(look())


@pytest.mark.slow
@pytest.mark.usefixtures("pool", "no_loop")
def test_a_warm_kernel_is_interrupted_crashes_alone_and_is_shut_down(specification):
    async def live():
        async with kernels(specification, 2) as (manager, (first, one), (second, other)):
            request = one.execute("print('at work')\nwhile True: pass")
            while (await one.get_iopub_msg(timeout=30))["msg_type"] != "stream":
                pass
            await manager.interrupt_kernel(first)
            reply = await one.get_shell_msg(timeout=30)
            while reply["parent_header"]["msg_id"] != request:
                reply = await one.get_shell_msg(timeout=30)
            assert reply["content"]["ename"] == "KeyboardInterrupt"
            assert await evaluate(one, "1 + 1") == 2
            crashed, survivor = process_of(manager, first), process_of(manager, second)
            crashed.kill()
            await until(lambda: not crashed.is_running(), "the kernel has crashed")
            assert not await manager.get_kernel(first).is_alive()
            assert await manager.get_kernel(second).is_alive()
            assert await evaluate(other, "2 + 2") == 4
            await manager.shutdown_kernel(second)
            assert not survivor.is_running()

    asyncio.run(live())


@pytest.mark.slow
@pytest.mark.usefixtures("no_loop")
def test_an_idle_warm_kernel_is_culled_and_another_waits_in_its_place(pool, specification):
    async def idle():
        async with kernels(specification, 1, cull_idle_timeout=1, cull_interval=1) as (manager, (kernel, client)):
            client.stop_channels()
            process = process_of(manager, kernel)
            await until(lambda: not process.is_running(), "the kernel is culled")
            await until(lambda: len(pool.waiting) == pool.size, "another process waits")

    asyncio.run(idle())


def is_alive(process):
    """Tell whether a process runs: one without a parent that asks for its end stays as a zombie."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows ends no process so")
@pytest.mark.parametrize("demo", METHODS, indirect=True)
@pytest.mark.parametrize("end", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_no_process_outlives_the_server(demo, end):
    assert demo.get(FIRST)[0] == 200
    family = psutil.Process(demo.process.pid).children(recursive=True)
    assert len(family) >= 2, "a kernel, and one that waits"
    demo.process.send_signal(getattr(signal, end))
    assert demo.process.wait(timeout=30) == (-signal.SIGKILL if end == "SIGKILL" else 0)
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
