"""deploy/jupyterhub_config.py in a running JupyterHub, with students who log in."""

import os
import shutil
import socket
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest
from browsing import FIRST, PICTURES, STAGE, slider
from conftest import PATIENCE, ROOT, is_kernel, missing, wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the configuration is for Linux"),
]
PASSWORD = "gradients"
IDLE = 30  # seconds
CONFIG = ROOT / "deploy" / "jupyterhub_config.py"


def free_ports(number):
    """Return ports that are free now: a hub cannot choose its own."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in taken]
    for each in taken:
        each.close()
    return ports


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Run the hub as the configuration says, but with servers that all belong to this test's user."""
    pytest.importorskip("jupyterhub", reason="JupyterHub is not installed (the extra 'hub')")
    proxy = shutil.which("configurable-http-proxy")
    if not proxy:
        missing("configurable-http-proxy is not on the PATH", "RNNVIZ_REQUIRE_HUB")
    folder = tmp_path_factory.mktemp("hub")
    public, api, inner = free_ports(3)
    command = [
        *(sys.executable, "-m", "jupyterhub", "-f", str(CONFIG), "--JupyterHub.spawner_class=simple"),
        f"--JupyterHub.bind_url=http://127.0.0.1:{public}",
        f"--JupyterHub.hub_port={inner}",
        f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{api}",
        f"--SimpleLocalProcessSpawner.home_dir_template={folder}/{{username}}",
    ]
    python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "RNNVIZ_PASSWORD": PASSWORD, "RNNVIZ_IDLE": str(IDLE), "PYTHONPATH": python_path}
    for student in ("ana", "ben"):  # a container's tests may run as root
        own = folder / student / ".jupyter" / "jupyter_server_config.json"
        own.parent.mkdir(parents=True)
        own.write_text('{"ServerApp": {"allow_root": true}}')
    with (folder / "log").open("w") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
    log = folder / "log"
    try:
        wait_until(lambda: "JupyterHub is now running" in log.read_text() or process.poll() is not None, "the hub")
        assert process.poll() is None, log.read_text()
        yield SimpleNamespace(url=f"http://127.0.0.1:{public}", process=process, log=log)
    finally:
        started = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.terminate()
        process.wait(timeout=PATIENCE)
        _, left = psutil.wait_procs(started, timeout=10)
        for each in left:
            each.kill()


def log_in(page, hub, student, there):
    """Log in, and wait for the pictures of the page that the student asked for."""
    page.goto(f"{hub.url}{there}")
    page.get_by_label("Username").fill(student)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_function(PICTURES)


def test_students_see_the_dashboards_within_limits_and_come_back_after_a_pause(hub, new_page, problems):
    ana, ben = (new_page(viewport={"width": 1280, "height": height}) for height in (900, 901))  # two profiles
    log_in(ana, hub, "ana", "/")
    assert ana.url == f"{hub.url}/user/ana/voila/render/{FIRST}"
    (kernel,) = (each for each in psutil.Process(hub.process.pid).children(recursive=True) if is_kernel(each))
    assert kernel.rlimit(psutil.RLIMIT_AS)[0] == 2 * 2**30
    assert kernel.environ()["OPENBLAS_NUM_THREADS"] == "1"
    log_in(ben, hub, "ben", f"/hub/user-redirect/voila/render/{FIRST}?gain=1.5")
    assert ben.evaluate(f"{STAGE}.query") == "gain=1.5"
    assert ben.context.new_page().goto(f"{hub.url}/user/ana/voila/render/{FIRST}").status >= 400

    ana.goto("about:blank")
    wait_until(lambda: "User ana server took" in hub.log.read_text(), "the hub stops a server without visitors")
    ana.goto(f"{hub.url}/hub/user-redirect/voila/render/{FIRST}?gain=1.25")
    ana.wait_for_function(PICTURES)
    assert ana.evaluate(f"{STAGE}.query") == "gain=1.25"

    # Ben's laptop was closed meanwhile.
    slider(ben, "Gain").press("ArrowRight")
    ben.locator("#rnnviz-lost").get_by_text("has stopped").wait_for()
    with ben.expect_navigation():  # to the hub, which starts a new server
        ben.get_by_role("button", name="Reload with these settings").click()
    ben.wait_for_url(f"**/user/ben/voila/render/{FIRST}?gain=1.5*")
    ben.wait_for_function(PICTURES)
    for page in (ana, ben):
        page.goto("about:blank")
    problems.clear()  # what the browsers say about servers that are gone
