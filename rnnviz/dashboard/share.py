"""The address of this server for others: under JupyterHub and on Binder, its own belongs to one user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def shared_address(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what a link for others has in place of ``base``, the path of this user's server; {} outside of a hub.

    ``redirect`` leads all users of a hub to their own servers, ``binder`` starts a new session of the same repository;
    ``ends`` is true where no address outlives this session. Source: the environment that JupyterHub and BinderHub set.

    >>> shared_address({"JUPYTERHUB_SERVICE_PREFIX": "/hubs/user/ana/", "JUPYTERHUB_BASE_URL": "/hubs/"})
    {'base': '/hubs/user/ana/', 'redirect': '/hubs/hub/user-redirect/'}
    """
    base = environment.get("JUPYTERHUB_SERVICE_PREFIX", "")
    if not base:
        return {}
    host, request = (environment.get(f"BINDER_{name}", "") for name in ("LAUNCH_HOST", "PERSISTENT_REQUEST"))
    if host and request:
        return {"base": base, "binder": f"{host.rstrip('/')}/{request.strip('/')}"}
    if any(name.startswith("BINDER_") for name in environment):
        return {"base": base, "ends": True}
    hub = environment.get("JUPYTERHUB_HOST", "") + environment.get("JUPYTERHUB_BASE_URL", "/")
    return {"base": base, "redirect": f"{hub}hub/user-redirect/"}
