"""Set-up from a fresh clone: dev.py, the lock, Binder, and the promises of the README."""

import importlib.util
import json
import os
import re
import sys
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest
from conftest import NOTEBOOKS, ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
CONDA_NAMES = {"matplotlib-base": "matplotlib"}
TEXTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("binder/*.md"), *ROOT.glob("deploy/*.md")])


@pytest.fixture(scope="module")
def dev():
    """Load dev.py, which is not part of the package."""
    specification = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def environment(dev, tmp_path):
    """Return an environment that does not exist yet."""
    return dev.Environment(tmp_path / ".venv")


def conda_requirements():
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    listed = [line.strip().removeprefix("- ") for line in lines[lines.index("dependencies:") + 1 :]]
    return {name(item): Requirement(item.replace("=3.13", "==3.13")) for item in listed}


def name(requirement):
    plain = re.match(r"[\w.-]+", requirement)[0]
    return canonicalize_name(CONDA_NAMES.get(plain, plain))


def test_environment_agrees_with_the_project():
    conda = conda_requirements()
    wanted = {name(item): Requirement(item) for item in PROJECT["dependencies"] + EXTRAS["app"]}
    assert {*conda} == {*wanted, "python", "pip"}
    for package, requirement in wanted.items():
        assert conda[package].specifier == requirement.specifier, package
    assert "3.13" in str(conda["python"].specifier)


def test_conda_channel_is_conda_forge_alone():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert re.search(r"^channels:\n  - conda-forge\ndependencies:", text, re.MULTILINE)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no executable files")
def test_binder_installs_rnnviz_without_its_dependencies():
    assert os.access(ROOT / "binder/postBuild", os.X_OK)
    assert "pip install --no-deps -e ." in (ROOT / "binder/postBuild").read_text()


def test_lock_holds_no_address():
    assert "://" not in LOCK
    assert not re.search(r"^\s*(-i|-f|--index-url|--extra-index-url|--find-links)", LOCK, re.MULTILINE)


def test_lock_covers_app_test_and_coverage():
    locked = {canonicalize_name(found) for found in re.findall(r"^([\w.-]+)==", LOCK, re.MULTILINE)}
    wanted = {name(item) for extra in ("app", "test", "coverage") for item in PROJECT["dependencies"] + EXTRAS[extra]}
    assert wanted <= locked
    assert "torch" not in locked
    pins = re.findall(r"^[\w.-]+==.*?(?=^[\w.-]+==|\Z)", LOCK, re.MULTILINE | re.DOTALL)
    assert len(pins) >= len(locked)
    assert all("--hash=sha256:" in pin for pin in pins)


def test_versions_agree():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1] == PROJECT["version"]
    assert re.search(r"^license: (.+)$", citation, re.MULTILINE)[1] == PROJECT["license"]


def test_readme_gives_the_two_commands(dev):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"python3 dev\.py (\w+)", readme))
    assert {"demo", "test"} <= named <= {*dev.COMMANDS}
    for command in dev.COMMANDS:
        assert f"\n  {command} " in dev.USAGE


def markdown_texts():
    for path in TEXTS:
        yield path, path.read_text(encoding="utf-8")
    for path in sorted([*NOTEBOOKS.glob("*.ipynb"), *NOTEBOOKS.glob("[!.]*/*.ipynb")]):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        yield path, "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def anchors(text):
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower())
        yield words.strip().replace(" ", "-")


def test_links_lead_somewhere():
    seen = 0
    for path, text in markdown_texts():
        text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        targets = re.findall(r"\]\(\s*<?([^)\s>]+)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
        for target in targets:
            if re.match(r"[a-z]+:|\?", target):  # a query sets up the same page
                continue
            seen += 1
            file, _, anchor = unquote(target).partition("#")
            there = (path.parent / file).resolve() if file else path
            assert there.exists(), f"{path.name}: {target}"
            if anchor and there.suffix == ".md":
                assert anchor in anchors(there.read_text(encoding="utf-8")), f"{path.name}: {target}"
    assert seen


def test_old_python_is_refused_in_a_sentence(dev, capsys):
    assert dev.main(["demo"], version=(3, 9, 1)) == 2
    assert capsys.readouterr().err == "dev.py: this is Python 3.9.1; rnnviz needs 3.11 or newer.\n"


def test_unknown_command_is_refused(dev, capsys):
    assert dev.main(["dmeo"]) == 2
    assert "there is no command 'dmeo'" in capsys.readouterr().err


def test_missing_venv_is_one_sentence(dev, environment, monkeypatch):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(dev.ExpectedError, match="^[^\n]*sudo apt install python3-venv[^\n]*$"):
        dev.set_up(environment, uv=[])


def test_failed_step_is_one_sentence(dev, environment):
    cases = [
        ("Failed to establish: [Errno -3] Temporary failure in name resolution", "the network?); the output"),
        ("ERROR: Could not find a version that satisfies the requirement numpy", "the network?); the output"),
        ("OSError: [Errno 28] No space left on device", "the disk is full; the output"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "differs from the one in the lock"),
        ("something else\nboom", "boom"),
        ("", "it printed nothing"),
    ]
    for printed, sentence in cases:
        script = f"import sys; print({printed!r}); sys.exit(1)"
        with pytest.raises(dev.ExpectedError) as failure:
            dev.step("installing", [sys.executable, "-c", script], environment.log)
        assert sentence in str(failure.value), printed
        assert "\n" not in str(failure.value), printed


def test_interrupted_set_up_is_not_taken_for_a_finished_one(dev, environment):
    environment.folder.mkdir()
    environment.stamp.write_text("an old stamp")
    with pytest.raises(dev.ExpectedError, match="making .venv failed: boom"):
        dev.set_up(environment, uv=[sys.executable, "-c", "import sys; sys.exit('boom')"])
    assert not environment.stamp.exists()


def test_set_up_does_nothing_while_lock_and_python_are_the_same(dev, environment, tmp_path):
    Path(environment.python).parent.mkdir(parents=True)
    Path(environment.python).touch()
    environment.stamp.write_text(environment.fingerprint())
    dev.set_up(environment, uv=["no-such-program"])
    changed = tmp_path / "lock"
    changed.write_text(LOCK + "\n")
    assert environment.fingerprint(changed) != environment.fingerprint()


def test_both_ends_need_uv(dev, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(ROOT)
    for end in dev.ENDS:
        assert dev.main(["test", end]) == 2
        assert capsys.readouterr().err.startswith(f"dev.py: 'test {end}' needs uv")
    for folder in dev.CORE:
        assert any((ROOT / folder).glob("test_*.py")), folder


def test_lint_and_hooks_strip_the_same(dev):
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert f'--extra-keys "{dev.STRIP_KEYS}"' in hooks


def test_ci_runs_every_test(dev):
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "\npython3 dev.py test --all\n" in script
    assert "--reproduce" not in script
    assert f"pip install --quiet {EXTRAS['peers'][0]}\n" in script
    assert sys.platform == "win32" or os.access(ROOT / ".ci/run", os.X_OK)
    workflow = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    for end in dev.ENDS:
        assert f"end: {end.strip('-')} " in workflow
