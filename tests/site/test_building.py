"""What a static site is made of, without a browser: Pyodide's files are checked, and what is wrong is named."""

import io
import json
import shutil
import subprocess
import tarfile
import zipfile
from hashlib import sha256
from importlib.util import find_spec

import pytest

from rnnviz.__main__ import main
from rnnviz.serving.site import pyodide

FIRST = next(iter(pyodide.SUMS))


def folder(path, contents):
    path.mkdir()
    for name, content in contents.items():
        (path / name).write_bytes(content)
    return path


def zip_archive(path, contents):
    path = path.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(f"some/place/{name}", content)
    return path


def tar_archive(path, contents):
    path = path.with_suffix(".tar.bz2")
    with tarfile.open(path, "w:bz2") as archive:
        for name, content in contents.items():
            file = tarfile.TarInfo(f"pyodide/{name}")
            file.size = len(content)
            archive.addfile(file, io.BytesIO(content))
    return path


@pytest.mark.parametrize("make", [folder, zip_archive, tar_archive])
def test_a_file_that_is_missing_or_another_is_refused_by_name(tmp_path, make):
    with pytest.raises(ValueError, match=f"has no {FIRST}$"):
        pyodide.files(str(make(tmp_path / "other", {"README": b"nothing"})))
    with pytest.raises(ValueError, match=f"^{FIRST} in .* is not the one of Pyodide {pyodide.VERSION}$"):
        pyodide.files(str(make(tmp_path / "forged", dict.fromkeys(pyodide.SUMS, b"forged"))))


def test_the_command_says_what_is_wrong_in_one_sentence(tmp_path, capsys):
    (tmp_path / "there").mkdir()
    assert main(["site", "--output", str(tmp_path / "there")]) == 2
    assert "exists; remove it" in capsys.readouterr().err
    if find_spec("voici_core") is None:
        assert main(["site", "--output", str(tmp_path / "new")]) == 2
        assert capsys.readouterr().err == (
            "rnnviz: the package 'voici_core' is missing; pip install 'rnnviz[site]' brings it.\n"
        )
        assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_the_sums_are_those_of_the_official_lock(tmp_path):
    npm = shutil.which("npm")
    command = [npm or "npm", "pack", "--silent", f"pyodide@{pyodide.VERSION}"]
    if npm is None or subprocess.run(command, cwd=tmp_path, timeout=120).returncode:
        pytest.skip("npm, which has Pyodide's lock, is not to be had")
    with tarfile.open(next(tmp_path.glob("*.tgz"))) as archive:
        official = {name.split("/")[-1]: archive.extractfile(name).read() for name in archive.getnames()}
    packages = json.loads(official["pyodide-lock.json"])["packages"].values()
    wheels = {package["file_name"]: package["sha256"] for package in packages}
    for name, expected in pyodide.SUMS.items():
        assert expected == (wheels[name] if name in wheels else sha256(official[name]).hexdigest()), name
