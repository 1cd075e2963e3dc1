"""JupyterHub on one machine: every student gets a server whose start page is a dashboard. See README.md beside this.

RNNVIZ_PASSWORD=... jupyterhub -f deploy/jupyterhub_config.py
"""

import os
import shutil
import sys
from pathlib import Path

from rnnviz.engine.batching import BLAS_THREADS

ROOT = Path(__file__).resolve().parents[1]
MEMORY = 2 * 2**30  # bytes of addresses of one process; a kernel uses a fifth of them
IDLE = int(os.environ.get("RNNVIZ_IDLE", 1200))  # seconds after which a server without visitors is stopped

c = get_config()  # noqa: F821

# Anyone with the password can be anyone: good for one class and one afternoon. For longer, use the school's accounts.
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = os.environ.get("RNNVIZ_PASSWORD")
c.Authenticator.allow_all = True

# The default spawner runs each server as the system's user of that name, and so keeps students apart.
c.Spawner.default_url = "/voila/render/01_variance_and_gradients.ipynb"
c.Spawner.notebook_dir = str(ROOT / "notebooks")
c.Spawner.environment = {
    **dict.fromkeys(BLAS_THREADS, "1"),
    "JUPYTER_CONFIG_PATH": str(ROOT),  # voila.json and jupyter_config.json
    "JUPYTER_PATH": str(ROOT / "rnnviz" / "serving" / "jupyter"),
    "JUPYTERHUB_ACTIVITY_INTERVAL": str(min(300, IDLE // 4)),
}
c.Spawner.start_timeout = c.Spawner.http_timeout = 120
# Other users of the machine can reach a kernel's ports.
c.Spawner.args = ["--ServerApp.terminals_enabled=False", "--KernelManager.transport_encryption=auto"]
if shutil.which("prlimit"):
    c.Spawner.cmd = ["prlimit", f"--as={MEMORY}", sys.executable, "-m", "jupyterhub.singleuser"]

# A student who comes back after a pause gets a new server without a question; the link's settings are in the address.
c.JupyterHub.implicit_spawn_seconds = 1
c.JupyterHub.activity_resolution = min(30, IDLE // 4)
c.JupyterHub.active_server_limit = 100
c.JupyterHub.concurrent_spawn_limit = 8  # a start takes a core for two seconds; the others wait on a page that says so

# Kernels without a page are stopped by jupyter_config.json, servers without visitors by this service.
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [
            sys.executable,
            "-m",
            "jupyterhub_idle_culler",
            f"--timeout={IDLE}",
            f"--cull-every={max(1, IDLE // 4)}",
        ],
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
