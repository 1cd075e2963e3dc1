"""The wheel in an environment of its own: it serves the notebooks from any folder, and copies them out to edit."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from conftest import NOTEBOOKS, ROOT, start_server

from rnnviz import __main__ as command_line

PATTERNS = ("*.ipynb", "de/*.ipynb", "reproductions/*.ipynb", "pictures/0*.png", "de/pictures/*.png")
SERVED = {path.relative_to(NOTEBOOKS) for pattern in PATTERNS for path in NOTEBOOKS.glob(pattern)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel; this needs no network, since the environment has the build's packages."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Install the wheel where the extra `app` is to be had, but this clone is not; return the command `rnnviz`."""
    pytest.importorskip("pip", reason="this environment has no pip")  # uv makes such
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / Path(sys.executable).name
    own = subprocess.check_output([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "install", "--no-index"]
    subprocess.run([*pip, "--quiet", "--no-deps", str(wheel)], check=True)
    # A path in a .pth file brings this environment's packages, but not its editable installs.
    (Path(own.strip()) / "extra_app.pth").write_text(sysconfig.get_path("purelib"))
    return shutil.which("rnnviz", path=str(scripts))


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Work in an empty folder, with nothing of this clone on the path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("JUPYTER_PATH", str(Path(sys.prefix, "share", "jupyter")))
    return tmp_path


def test_the_wheel_holds_the_notebooks_and_what_builds_the_site(wheel):
    with zipfile.ZipFile(wheel) as archive:
        builder = {path.relative_to(ROOT).as_posix() for path in (ROOT / "rnnviz/serving/site").glob("*.*")}
        assert builder <= set(archive.namelist())
        held = {Path(name) for name in archive.namelist() if name.startswith("rnnviz/notebooks/")}
        first = min(SERVED)
        assert archive.read(f"rnnviz/notebooks/{first.as_posix()}") == (NOTEBOOKS / first).read_bytes()
    assert held == {Path("rnnviz/notebooks") / path for path in SERVED}


@pytest.mark.slow
def test_an_installed_demo_serves_the_notebooks_from_any_folder(installed, elsewhere):
    running = start_server([installed], elsewhere / "log", folder=elsewhere)
    try:
        status, index = running.get()
        assert status == 200
        assert index.count("/voila/render/") == len(list(NOTEBOOKS.glob("*.ipynb")))
        status, page = running.get(f"voila/render/{min(SERVED)}")
        assert status == 200
        assert "rnnviz-loading" in page
        assert '"ename"' not in page
        where = [kernel.cwd() for kernel in running.kernels()]
        assert where
        assert not any(folder.startswith(str(ROOT)) for folder in where)
    finally:
        assert running.stop() == 0, running.log.read_text()


@pytest.mark.slow
def test_an_installed_command_copies_the_notebooks_out(installed, elsewhere):
    done = subprocess.run([installed, "notebooks", "mine"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "To serve them: rnnviz demo mine"
    mine = elsewhere / "mine"
    assert {path.relative_to(mine) for path in mine.rglob("*") if path.is_file()} == SERVED


def test_notebooks_are_copied_out_and_never_overwritten(elsewhere, capsys):
    target = elsewhere / "my notebooks"
    assert command_line.main(["notebooks", str(target)]) == 0
    copied = {path.relative_to(target) for path in target.rglob("*") if path.is_file()}
    assert copied >= SERVED
    notebooks = sum(path.suffix == ".ipynb" for path in copied)
    printed = capsys.readouterr().out
    assert f"Copied {notebooks} notebooks and {len(copied) - notebooks} pictures to {target}." in printed
    assert shlex.split(printed.splitlines()[-1]) == ["To", "serve", "them:", "rnnviz", "demo", str(target)]

    edited = target / "08_the_note.ipynb"
    edited.write_text("mine")
    shutil.rmtree(target / "pictures")
    assert command_line.main(["notebooks", str(target)]) == 2
    assert "is not overwritten" in capsys.readouterr().err
    assert edited.read_text() == "mine"
    assert not (target / "pictures").exists(), "nothing is copied where anything would be overwritten"

    (elsewhere / "file").touch()
    assert command_line.main(["notebooks", str(elsewhere / "file")]) == 2
    assert capsys.readouterr().err.startswith("rnnviz: ")
