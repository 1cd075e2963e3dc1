"""What deploy/ and binder/ promise, as far as it can be tested without a network and without Docker."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from conftest import NOTEBOOKS, ROOT
from jsonschema import Draft7Validator
from packaging.specifiers import SpecifierSet

from rnnviz.engine.batching import BLAS_THREADS

DEPLOY = ROOT / "deploy"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
IMAGE_ROOT = "/srv/rnnviz"
BINDER = "https://mybinder.org/v2/gh/OWNER/rnnviz/HEAD?urlpath="


def pins(path):
    """Return name==version -> hashes of a lock's packages."""
    text = (ROOT / path).read_text(encoding="utf-8")
    assert "://" not in text, "a registry's address"
    found = re.findall(r"^([\w.-]+)[\w\[\],]*(==\S+)(.*(?:\n .*)*)", text, re.MULTILINE)
    return {name + version: set(re.findall(r"--hash=(sha256:\w+)", rest)) for name, version, rest in found}


def test_the_locks_of_binder_and_of_the_hub_are_parts_of_the_lock():
    whole, binder, hub = map(pins, ("requirements.lock", "binder/requirements.txt", "deploy/requirements.lock"))
    names = {pin.split("==")[0] for pin in whole}
    assert binder.items() <= whole.items()
    assert binder.items() <= hub.items()
    assert {pin: hashes for pin, hashes in hub.items() if pin.split("==")[0] in names}.items() <= whole.items()
    assert all(hub.values())
    assert any(pin.startswith("jupyterhub==5") for pin in hub), "chart 4 runs JupyterHub 5"
    assert not any(pin.startswith("playwright==") for pin in hub)


def instructions():
    """Return the instructions of the Dockerfile, each as [name, arguments]."""
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", " ")
    return [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]


def test_the_image_is_made_of_what_is_there_and_of_locked_packages():
    steps = instructions()
    known = {"FROM", "RUN", "ENV", "COPY", "USER", "WORKDIR", "EXPOSE", "CMD"}
    assert {name for name, _ in steps} <= known
    assert steps[0] == ["FROM", "python:3.13-slim"]
    sent = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    copied = {}
    for name, arguments in steps:
        if name == "COPY":
            *sources, target = shlex.split(arguments)
            for source in sources:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in sent, f"{source} is not sent to the build"
                copied[target if len(sources) == 1 else target + Path(source).name] = ROOT / source
    installs = [arguments for name, arguments in steps if name == "RUN" and "pip install" in arguments]
    (file,) = (re.search(r"--requirement (\S+)", each)[1] for each in installs if "--require-hashes" in each)
    assert copied[file] == DEPLOY / "requirements.lock"
    assert len(installs) == 1, "all packages come from the lock"
    assert steps[-1] == ["CMD", '["jupyterhub-singleuser"]']
    assert ["USER", "student"] in steps


def test_the_image_finds_its_templates_settings_and_notebooks():
    environment = dict(part.split("=") for name, text in instructions() if name == "ENV" for part in shlex.split(text))
    assert environment["PYTHONPATH"] == environment["JUPYTER_CONFIG_PATH"] == IMAGE_ROOT
    templates = Path(environment["JUPYTER_PATH"]).relative_to(IMAGE_ROOT) / "voila/templates/rnnviz/index.html.j2"
    assert (ROOT / templates).is_file()
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
    assert ["WORKDIR", f"{IMAGE_ROOT}/notebooks"] in instructions()


def boxes(**properties):
    return {"type": "object", "additionalProperties": False, "properties": properties}


SWITCH, TEXT, NUMBER = {"type": "boolean"}, {"type": "string"}, {"type": "integer"}
# Those of chart 4.4's values that are used here. The workflow checks them against the whole of its schema.
CHART = boxes(
    singleuser=boxes(
        image=boxes(name=TEXT, tag=TEXT),
        cmd={"type": ["array", "string", "null"]},
        defaultUrl=TEXT,
        uid=NUMBER,
        startTimeout=NUMBER,
        memory=boxes(guarantee={"type": ["number", "string"]}, limit={"type": ["number", "string"]}),
        cpu=boxes(guarantee={"type": "number"}, limit={"type": "number"}),
        storage=boxes(type={"enum": ["dynamic", "static", "none"]}),
        networkPolicy=boxes(egressAllowRules=boxes(nonPrivateIPs=SWITCH)),
    ),
    cull=boxes(enabled=SWITCH, timeout=NUMBER, every=NUMBER),
    hub=boxes(concurrentSpawnLimit=NUMBER, activeServerLimit=NUMBER, config={"type": "object"}),
    scheduling=boxes(
        userScheduler=boxes(enabled=SWITCH),
        podPriority=boxes(enabled=SWITCH),
        userPlaceholder=boxes(enabled=SWITCH, replicas=NUMBER),
    ),
    prePuller=boxes(hook=boxes(enabled=SWITCH), continuous=boxes(enabled=SWITCH)),
)


def test_the_values_for_zero_to_jupyterhub_are_known_to_the_chart_and_agree_with_the_image():
    values = yaml.safe_load((DEPLOY / "values.yaml").read_text(encoding="utf-8"))
    assert [error.message for error in Draft7Validator(CHART).iter_errors(values)] == []
    own = os.environ.get("RNNVIZ_CHART_SCHEMA")  # the chart's values.schema.json, without what it requires
    if own:
        schema = json.loads(Path(own).read_text(encoding="utf-8"))
        errors = [error for error in Draft7Validator(schema).iter_errors(values) if error.validator != "required"]
        assert errors == []
    student = values["singleuser"]
    assert student["image"]["tag"] == PROJECT["version"]
    assert ["RUN", f"useradd --create-home --uid {student['uid']} student"] in instructions()
    page = NOTEBOOKS / student["defaultUrl"].removeprefix("/voila/render/")
    assert page.is_file()


class Recorder:
    """Takes the settings that a JupyterHub configuration makes."""

    def __getattr__(self, name):
        value = Recorder()
        setattr(self, name, value)
        return value


def test_the_hub_starts_with_a_dashboard_within_limits():
    config = Recorder()
    path = DEPLOY / "jupyterhub_config.py"
    exec(compile(path.read_text(encoding="utf-8"), path, "exec"), {"__file__": str(path), "get_config": lambda: config})
    spawner, hub = config.Spawner, config.JupyterHub
    assert (Path(spawner.notebook_dir) / spawner.default_url.removeprefix("/voila/render/")).is_file()
    assert {spawner.environment[name] for name in BLAS_THREADS} == {"1"}
    for name in ("voila.json", "jupyter_config.json"):
        assert (Path(spawner.environment["JUPYTER_CONFIG_PATH"]) / name).is_file()
    (culler,) = hub.services
    assert culler["name"] == hub.load_roles[0]["name"]
    assert "delete:servers" in hub.load_roles[0]["scopes"]
    assert shutil.which("prlimit") is None or spawner.cmd[:2] == ["prlimit", f"--as={2 * 2**30}"]


def binder_links():
    """Return every link to Binder that there should be: each page and notebook, in each language."""
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        for name in (path.name, f"de/{path.name}"):
            assert (NOTEBOOKS / name).is_file()
            for place in ("voila/render/notebooks/", "lab/tree/notebooks/"):
                yield BINDER + quote(place + name, safe="")


def test_binder_has_a_link_to_every_page_and_notebook():
    table = (ROOT / "binder" / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\((https://mybinder\.org/[^)]*urlpath=[^)]*)\)", table)
    assert links == [*binder_links()]
    badge = re.search(r"\((https://mybinder\.org/v2/[^)]*)\)", (ROOT / "README.md").read_text(encoding="utf-8"))[1]
    assert badge == links[0]


@pytest.mark.skipif(sys.platform == "win32", reason="repo2docker does not run on Windows")
def test_repo2docker_installs_the_lock_with_a_python_that_it_supports(tmp_path):
    for part in ("binder", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(tmp_path)]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=120)
    dockerfile = printed.stdout + printed.stderr
    assert printed.returncode == 0, dockerfile
    assert 'pip install --no-cache-dir -r "binder/requirements.txt"' in dockerfile
    assert "binder/postBuild" in dockerfile
    python = (ROOT / "binder" / "runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-")
    assert f"Building conda environment for python={python}" in dockerfile
    assert python in SpecifierSet(PROJECT["requires-python"])
    workflow = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    assert f'"{python}"' in workflow, "CI runs the tests with this Python"
