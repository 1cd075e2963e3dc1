#!/usr/bin/env python3
"""Set up and run the project with nothing but Python: `python3 dev.py demo`, `python3 dev.py test`.

The packages in requirements.lock are installed into .venv beside this file, and installed again only when the lock,
pyproject.toml or the Python version changes. Arguments after a command are passed on.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
OLDEST = (3, 11)
NOTEBOOKS = ("*.ipynb", "[!.]*/*.ipynb")  # the second pattern: the translated ones
PARALLEL = "--numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder".split()
FAST = ["-m", "not slow and not reproduce"]
REPRODUCE = "-m reproduce -q -s tests/reproductions".split()
# The tests of the core and of the views run at both ends of the allowed versions. Old packages raise warnings of
# their own (numpy.core.einsumfunc, pyparsing's parseString), so there warnings are not errors.
CORE = [f"tests/{folder}" for folder in "text numerics network engine theory story views".split()]
DECLARED = "-r pyproject.toml --extra app --extra test".split()
ENDS = {
    "--lowest": ("--resolution=lowest-direct", ["-o", "filterwarnings=default"]),
    "--newest": ("--resolution=highest", []),
}
STRIP_KEYS = "metadata.widgets metadata.language_info.version"
LOCK_COMMAND = (
    "uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate "
    "--no-emit-find-links --no-header --no-strip-extras pyproject.toml --extra app"
).split()
# Binder and a hub need less than a developer, in the same versions.
PARTS = {
    "requirements.lock": "--extra test --extra coverage".split(),
    "binder/requirements.txt": "--constraint requirements.lock".split(),
    "deploy/requirements.lock": "--extra hub --constraint requirements.lock".split(),
}

USAGE = """\
usage: python3 dev.py COMMAND [ARGUMENTS]

  demo       serve the dashboards and open the browser   (--no-browser, --port N)
  test       run the tests except the slow ones          (other arguments go to pytest: -k name)
               --all      run the slow ones too
               --reproduce  run the papers' experiments again, and nothing else: minutes each
               --lowest   run the core's tests with the lowest versions that pyproject.toml allows (needs uv)
               --newest   run the core's tests with the newest versions (needs uv)
  site       build the static site, which needs no server   (--output FOLDER, --pyodide ARCHIVE)
  lint       check style and types, and that the notebooks contain no outputs
  translate  update the catalogues of all languages and the files made from them
  setup      only create .venv and install the packages
  lock       regenerate requirements.lock and its parts from pyproject.toml (needs uv)
"""

# What an installer prints when it fails, and what that means.
CAUSES = [
    (("no space left", "os error 28", "errno 28", "disk quota"), "the disk is full"),
    (("do not match the hashes", "hash mismatch"), "a package differs from the one in the lock"),
    (("permission denied", "errno 13", "os error 13"), "this account may not write to {venv}"),
    (
        (
            "name resolution", "failed to resolve", "getaddrinfo", "dns error", "connection refused",
            "tcp connect", "establish a new connection", "error sending request", "network is unreachable",
            "failed to fetch", "could not fetch", "timed out", "connection reset", "proxyerror",
            "could not find a version", "no matching distribution",
        ),
        "the packages could not be fetched (is this machine on the network?)",
    ),
]  # fmt: skip


class ExpectedError(Exception):
    """A failure that one sentence explains."""


class Environment:
    """A virtual environment, the installer's arguments for its packages, and where it keeps its notes."""

    def __init__(self, folder, packages=("--require-hashes", "-r", str(LOCK))):
        self.folder, self.packages = Path(folder), list(packages)
        self.python = str(self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
        self.stamp, self.log = self.folder / "rnnviz-stamp", self.folder / "install.log"

    def fingerprint(self, lock=LOCK):
        """Return a hash of everything that decides which packages are installed."""
        parts = [lock.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode(), bytes(ROOT)]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()

    def is_current(self):
        """Tell whether the environment holds what the lock lists."""
        return self.stamp.is_file() and self.stamp.read_text() == self.fingerprint() and Path(self.python).exists()

    def has_pip(self):
        """Tell whether the environment has pip."""
        return subprocess.call([self.python, "-c", "import pip"], stderr=subprocess.DEVNULL) == 0

    def is_of_this_python(self):
        """Tell whether the environment was made by the Python that runs this file."""
        try:
            code = f"import sys; sys.exit(sys.version != {sys.version!r})"
            return subprocess.call([self.python, "-c", code], stderr=subprocess.DEVNULL) == 0
        except OSError:
            return False


VENV = Environment(ROOT / ".venv")
SITE = Environment(ROOT / ".venv-site", [f"{ROOT}[site]", "hatchling", "editables"])


def main(arguments, version=sys.version_info):
    """Run one command and return its exit status."""
    if version < OLDEST:
        found = ".".join(map(str, version[:3]))
        return fail("this is Python {}; rnnviz needs 3.11 or newer.".format(found))  # noqa: UP032
    command = COMMANDS.get(arguments[0]) if arguments else None
    if command is None:
        wanted_help = not arguments or arguments[0] in ("-h", "--help", "help")
        print(USAGE, end="", file=sys.stdout if wanted_help else sys.stderr)
        return 0 if wanted_help else fail(f"there is no command {arguments[0]!r}.")
    try:
        return command(arguments[1:])
    except ExpectedError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        return 130


def fail(sentence):
    """Print what is wrong and return exit status 2."""
    print("dev.py: " + sentence, file=sys.stderr)
    return 2


def demo(arguments):
    """Serve the dashboards."""
    set_up(VENV, uv())
    return run([VENV.python, "-m", "rnnviz", "demo", *arguments])


def test(arguments):
    """Run all tests, several files at a time, or those that the arguments select, one after another."""
    os.chdir(ROOT)
    ends = [end for end in ENDS if end in arguments]
    chosen = [argument for argument in arguments if argument not in ("--all", *ENDS)]
    marked = [] if "--all" in arguments else FAST
    if ends:
        return max([test_end(end, [*marked, *chosen]) for end in ends])
    set_up(VENV, uv())
    if "--reproduce" in chosen:
        chosen.remove("--reproduce")
        return run([VENV.python, "-m", "pytest", *REPRODUCE, *chosen])
    return run([VENV.python, "-m", "pytest", *marked, *(chosen or PARALLEL)])


def test_end(end, arguments):
    """Run the tests of the core and the views with the lowest or the newest versions, in a fresh environment."""
    resolution, options = ENDS[end]
    environment = Environment(ROOT / f".venv-{end.strip('-')}", [resolution, *DECLARED])
    installer = uv(f"'test {end}'")
    shutil.rmtree(environment.folder, ignore_errors=True)
    set_up(environment, installer)
    return subprocess.call([environment.python, "-m", "pytest", *options, *CORE, *arguments])


def site(arguments):
    """Build the static site, in an environment of its own: what builds it pins other versions than the server."""
    set_up(SITE, uv())
    return run([SITE.python, "-m", "rnnviz", "site", *arguments])


def lint(arguments):
    """Check style and types, and that no notebook is committed with outputs."""
    os.chdir(ROOT)
    set_up(VENV, uv())
    notebooks = sorted(str(path) for pattern in NOTEBOOKS for path in Path("notebooks").glob(pattern))
    checks = [
        ["ruff", "check", *arguments],
        ["ruff", "format", "--check"],
        ["mypy"],
        ["nbstripout", "--verify", "--extra-keys", STRIP_KEYS, *notebooks],
    ]
    return max([subprocess.call([VENV.python, "-m", *check]) for check in checks])


def translate(arguments):
    """Update the catalogues and the files made from them."""
    os.chdir(ROOT)
    set_up(VENV, uv())
    return run([VENV.python, "-m", "rnnviz.locale", *arguments])


def setup(arguments):
    """Create .venv and install the packages."""
    set_up(VENV, uv())
    return 0


def lock(arguments):
    """Regenerate the lock and its parts, without the address of any registry."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
    command = [*uv("'lock'"), *LOCK_COMMAND[1:], *arguments]
    done = 0
    for path, extras in PARTS.items():
        done = done or subprocess.call([*command, *extras, "-o", path], cwd=ROOT, env=environment)
    return done


def uv(needed_by=""):
    """Return the command of uv: [] where it is not installed, unless something needs it."""
    found = shutil.which("uv")
    if found:
        return [found]
    if needed_by:
        raise ExpectedError(f"{needed_by} needs uv, which is not on the PATH; install it with 'pip install uv'.")
    return []


def set_up(environment, uv):
    """Make an environment and install its packages, with uv or, for an empty ``uv``, pip, unless it is current."""
    if environment.is_current():
        return
    environment.stamp.unlink(missing_ok=True)
    make(environment, uv)
    python = environment.python
    pip = [*uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    step(f"installing the packages with {'uv' if uv else 'pip'}", [*pip, *environment.packages], environment.log)
    step("installing rnnviz", [*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)], environment.log)
    environment.stamp.write_text(environment.fingerprint())


def make(environment, uv):
    """Make the environment, unless there is one for this Python."""
    folder = environment.folder
    if environment.is_of_this_python() and (uv or environment.has_pip()):
        return
    if not uv:
        require_ensurepip()
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise ExpectedError(f"{folder} cannot be made: {error.strerror}.") from error
    with_uv = [*uv, "venv", "--seed", "--allow-existing", "--python", sys.executable, str(folder)]
    step(f"making {folder.name}", with_uv if uv else [sys.executable, "-m", "venv", str(folder)], environment.log)


def require_ensurepip():
    """Refuse a Python that cannot make an environment with pip in it."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        raise ExpectedError(
            "this Python cannot make virtual environments; on Debian and Ubuntu, "
            "'sudo apt install python3-venv' fixes that."
        ) from error


def step(title, command, log):
    """Run one step of the set-up; show how long it takes, and write its output to a log."""
    print(f"{title} ...", end=" ", flush=True)
    begin = time.monotonic()
    try:
        log.parent.mkdir(exist_ok=True)
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            wait(process, begin)
    except OSError as error:
        print()
        raise ExpectedError(f"{title} failed: {error.strerror}.") from error
    print(f"{time.monotonic() - begin:.0f} s")
    if process.returncode != 0:
        raise ExpectedError(f"{title} failed: {cause(log)}")


def wait(process, begin):
    """Wait for a step and print a sign of life every ten seconds; an interrupt ends the step too."""
    shown = 0
    try:
        while process.poll() is None:
            time.sleep(0.1)
            if time.monotonic() - begin > 10 * (shown + 1):
                shown += 1
                print(f"{10 * shown} s ...", end=" ", flush=True)
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        print()
        raise


def cause(log):
    """Say in words why an installer failed."""
    text = log.read_text(encoding="utf-8", errors="replace").strip()
    for signs, sentence in CAUSES:
        if any(sign in text.lower() for sign in signs):
            return f"{sentence.format(venv=log.parent)}; the output is in {log}."
    last = text.splitlines()[-1] if text else "it printed nothing"
    return f"{last.strip().rstrip('.')}; the full output is in {log}."


def run(command):
    """Replace this process by another program; on Windows, run it and return its status."""
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(command[0], command)
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the program got the same Ctrl-C and ends by itself


COMMANDS = {
    "demo": demo,
    "test": test,
    "site": site,
    "lint": lint,
    "translate": translate,
    "setup": setup,
    "lock": lock,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
