"""The life of warm kernels, as a script: jupyter_client's sockets and loops outlive a test in its process.

python kernel_life.py METHOD FOLDER
"""

import asyncio
import json
import multiprocessing
import os
import sys
import traceback
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from conftest import PATIENCE, is_alive
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

from rnnviz.serving import app, warm_kernels

COMMAND = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]


def specification(folder):
    """Install a kernel that is provided from the pool, in a folder."""
    metadata = {"kernel_provisioner": {"provisioner_name": warm_kernels.NAME}}
    specification = {"argv": COMMAND, "display_name": "Warm", "language": "python", "metadata": metadata}
    Path(folder, "warm").mkdir()
    Path(folder, "warm", "kernel.json").write_text(json.dumps(specification))
    return KernelSpecManager(kernel_dirs=[str(folder)], ensure_native_kernel=False)


@asynccontextmanager
async def kernels(number, **settings):
    """Start kernels as the server does; yield their manager, and id and client of each."""
    places = {"kernel_spec_manager": SPECIFICATION, "connection_dir": str(FOLDER)}
    manager = AsyncMappingKernelManager(config=app.settings(FOLDER, 8866), **places, **settings)
    started = []
    for _ in range(number):
        kernel = await manager.start_kernel(kernel_name="warm", env={**os.environ, "OF_THIS_KERNEL": "yes"})
        client = manager.get_kernel(kernel).client()
        client.start_channels()
        await client.wait_for_ready(timeout=PATIENCE)
        started.append((kernel, client))
    yield manager, *started
    for _, client in started:
        client.stop_channels()
    await manager.shutdown_all(now=True)


async def evaluate(client, expression):
    """Return a value of a kernel."""
    code = "import multiprocessing, os, random, sys, ipywidgets, numpy"
    reply = await client.execute_interactive(code, user_expressions={"it": expression}, timeout=PATIENCE)
    return eval(reply["content"]["user_expressions"]["it"]["data"]["text/plain"])


async def until(condition, what):
    """Wait for a state, while the event loop goes on."""
    for _ in range(20 * PATIENCE):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"not so after {PATIENCE} s: {what}")


def process_of(manager, kernel):
    return psutil.Process(manager.get_kernel(kernel).provisioner.pid)


async def is_like_a_new_one():
    async with kernels(2) as (_manager, (_, one), (_, other)):
        assert await evaluate(one, "'rnnviz.dashboard.app' in sys.modules"), "it is not warm"
        assert await evaluate(one, "os.environ['OF_THIS_KERNEL']") == "yes"
        assert await evaluate(one, "os.path.basename(sys.argv[0]), __name__") == ("ipykernel_launcher", "__main__")
        assert await evaluate(one, "multiprocessing.current_process().daemon") is False
        assert await evaluate(one, "ipywidgets.Widget.get_manager_state()['state']") == {}
        # Processes that are forked without care draw the same.
        for draw in ("random.random()", "numpy.random.random()", "os.urandom(8)"):
            assert await evaluate(one, draw) != await evaluate(other, draw), draw


async def is_interrupted_crashes_alone_and_is_shut_down():
    async with kernels(2) as (manager, (first, one), (second, other)):
        request = one.execute("print('at work')\nwhile True: pass", stop_on_error=False)
        while (await one.get_iopub_msg(timeout=PATIENCE))["msg_type"] != "stream":
            pass
        await manager.interrupt_kernel(first)
        reply = await one.get_shell_msg(timeout=PATIENCE)
        while reply["parent_header"]["msg_id"] != request:
            reply = await one.get_shell_msg(timeout=PATIENCE)
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert await evaluate(one, "1 + 1") == 2
        crashed, survivor = process_of(manager, first), process_of(manager, second)
        crashed.kill()
        await until(lambda: not is_alive(crashed) and first not in manager, "the crash is noticed")
        assert await manager.get_kernel(second).is_alive()
        assert await evaluate(other, "2 + 2") == 4
        await manager.shutdown_kernel(second)
        assert not is_alive(survivor)


async def tells_a_page_of_its_widgets_once_that_asks():
    async with kernels(1) as (_manager, (_, client)):
        told = []

        def opened():
            return [m["content"]["data"]["state"]["_model_name"] for m in told if m["msg_type"] == "comm_open"]

        def updated():
            return [m["content"]["data"] for m in told if m["msg_type"] == "comm_msg"]

        async def run(code):
            await client.execute_interactive(code, output_hook=told.append, timeout=60)

        await run("import ipywidgets; out = ipywidgets.Output(); number = ipywidgets.IntText(7); number.value = 8")
        assert opened() == ["OutputModel"], "the server collects what that shows, and no page is there for the others"
        assert updated() == []
        control = {"comm_id": "control", "target_name": "jupyter.widget.control", "data": {}}
        request = {"comm_id": "control", "data": {"method": "request_states"}}
        for kind, content in (("comm_open", control), ("comm_msg", request)):
            message = client.session.msg(kind, content, metadata={"version": "1.0.0"})
            client.shell_channel.send(message)
        while not updated():
            told.append(await client.get_iopub_msg(timeout=30))
        states = updated()[0]["states"].values()
        assert [each["state"]["value"] for each in states if each["model_name"] == "IntTextModel"] == [8]
        await run("number.value = 9; ipywidgets.Text()")
        assert updated()[-1]["state"] == {"value": 9}
        assert opened()[-1] == "TextModel"


async def is_culled_and_another_waits_in_its_place():
    async with kernels(1, cull_interval=1) as (manager, (kernel, _client)):
        manager.cull_idle_timeout = 1
        process = process_of(manager, kernel)
        await until(lambda: not is_alive(process), "the kernel is culled")
        await until(lambda: len(POOL.waiting) == 1, "another process waits")


async def has_processes_of_its_own_which_end_with_it():
    async with kernels(1) as (manager, (kernel, client)):
        code = "import subprocess; child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=-1, stderr=-3)"
        await evaluate(client, "1")
        client.execute(code)
        child = psutil.Process(await evaluate(client, "child.pid"))
        assert await evaluate(client, "multiprocessing.get_start_method()") == multiprocessing.get_start_method()
        await manager.shutdown_kernel(kernel, now=True)
        await until(lambda: not is_alive(child), "the kernel's process has ended with it")


LIVES = (
    is_like_a_new_one,
    is_interrupted_crashes_alone_and_is_shut_down,
    tells_a_page_of_its_widgets_once_that_asks,
    is_culled_and_another_waits_in_its_place,
    has_processes_of_its_own_which_end_with_it,
)

if __name__ == "__main__":
    METHOD, FOLDER = sys.argv[1], Path(sys.argv[2])
    SPECIFICATION = specification(FOLDER)
    POOL = warm_kernels.start(method=METHOD)
    try:
        for life in LIVES:
            asyncio.run(life())
            print("A warm kernel", life.__name__.replace("_", " "), flush=True)
    except Exception:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)  # jupyter_client would wait for sockets whose loops have ended
