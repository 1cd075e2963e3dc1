#!/usr/bin/env python3
"""Set up and run the project with nothing but Python: `python3 dev.py demo`, `python3 dev.py test`.

The packages of requirements.lock go into .venv beside this file; that is done again only when the lock,
pyproject.toml or the Python version changes. Whatever follows a command is passed on to it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "rnnviz-stamp"
LOG = VENV / "install.log"
LOCK = ROOT / "requirements.lock"
OLDEST = (3, 11)
NOTEBOOKS = ("*.ipynb", "[!.]*/*.ipynb")  # the second: those in other languages
SIDE_BY_SIDE = "--numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder".split()
STRIP_KEYS = "metadata.widgets metadata.language_info.version"
LOCK_COMMAND = (
    "uv pip compile --quiet --universal --python-version 3.11 --extra app --extra test --generate-hashes "
    "--no-emit-index-url --no-emit-find-links --no-annotate --no-header pyproject.toml -o requirements.lock"
).split()

USAGE = """\
usage: python3 dev.py COMMAND [ARGUMENTS]

  demo       serve the dashboards and open the browser   (--no-browser, --port N)
  test       run the tests                               (arguments go to pytest: -k name)
  lint       check the code's style and that the notebooks hold no outputs
  translate  bring the catalogues of all languages, and what is made of them, up to date
  setup      only make .venv and install the packages
  lock       write requirements.lock anew from pyproject.toml (needs uv)
"""

# What an installer prints when it fails, and what that means to the person who waits for it.
CAUSES = [
    (("no space left", "os error 28", "errno 28", "disk quota"), "the disk is full"),
    (("do not match the hashes", "hash mismatch"), "a package is not the one in the lock"),
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


def main(arguments):
    """Run one command and return its exit status."""
    if sys.version_info < OLDEST:
        version = ".".join(map(str, sys.version_info[:3]))
        return fail("this is Python {}; rnnviz needs 3.11 or newer.".format(version))  # noqa: UP032
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
    """Say what was wrong and return exit status 2."""
    print("dev.py: " + sentence, file=sys.stderr)
    return 2


def demo(arguments):
    """Serve the dashboards."""
    set_up([])
    return run([python(), "-m", "rnnviz", "demo", *arguments])


def test(arguments):
    """Run the tests: all of them on several processors at once, file by file; chosen ones in one row."""
    set_up([])
    os.chdir(ROOT)
    return run([python(), "-m", "pytest", *(arguments or SIDE_BY_SIDE)])


def lint(arguments):
    """Check style, and that no notebook is committed with outputs."""
    set_up([])
    os.chdir(ROOT)
    notebooks = sorted(str(path) for pattern in NOTEBOOKS for path in Path("notebooks").glob(pattern))
    checks = [
        ["ruff", "check", *arguments],
        ["ruff", "format", "--check"],
        ["nbstripout", "--verify", "--extra-keys", STRIP_KEYS, *notebooks],
    ]
    return max(subprocess.call([python(), "-m", *check]) for check in checks)


def translate(arguments):
    """Bring the catalogues, and what is made of them, up to date."""
    set_up([])
    os.chdir(ROOT)
    return run([python(), "-m", "rnnviz.locale", *arguments])


def set_up(arguments):
    """Make the environment, unless it already is what the lock says."""
    wanted = fingerprint()
    if STAMP.is_file() and STAMP.read_text() == wanted and Path(python()).exists():
        return 0
    STAMP.unlink(missing_ok=True)
    uv = shutil.which("uv")
    make_environment(uv)
    pip = [uv, "pip", "install", "--python", python()] if uv else [python(), "-m", "pip", "install"]
    step(f"installing the packages with {'uv' if uv else 'pip'}", [*pip, "--require-hashes", "-r", str(LOCK)])
    step("installing rnnviz", [*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)])
    STAMP.write_text(wanted)
    return 0


def lock(arguments):
    """Write the lock anew, without the address of any registry."""
    if not shutil.which("uv"):
        raise ExpectedError("'lock' needs uv, which is not on the PATH; 'pip install uv' brings it.")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
    return subprocess.call([*LOCK_COMMAND, *arguments], cwd=ROOT, env=environment)


def fingerprint():
    """Return a hash of everything that decides what is in the environment."""
    parts = [LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode(), bytes(ROOT)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def python():
    """Return the environment's Python."""
    return str(VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def make_environment(uv):
    """Make .venv for this Python, or keep the one that is there for it."""
    try:
        version = subprocess.check_output([python(), "-c", "import sys; print(sys.version)"], text=True)
    except (OSError, subprocess.CalledProcessError):
        version = ""
    if version.strip() == sys.version and (uv or has_pip()):
        return
    if not uv:
        require_ensurepip()
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        VENV.mkdir(exist_ok=True)
    except OSError as error:
        raise ExpectedError(f"{VENV} cannot be made: {error.strerror}.") from error
    with_uv = [uv, "venv", "--seed", "--allow-existing", "--python", sys.executable, str(VENV)]
    step("making .venv", with_uv if uv else [sys.executable, "-m", "venv", str(VENV)])


def has_pip():
    """Tell whether the environment has pip."""
    return subprocess.call([python(), "-c", "import pip"], stderr=subprocess.DEVNULL) == 0


def require_ensurepip():
    """Refuse a Python that cannot make an environment with pip in it."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        raise ExpectedError(
            "this Python cannot make virtual environments; on Debian and Ubuntu, "
            "'sudo apt install python3-venv' mends that."
        ) from error


def step(title, command):
    """Run one step of the set-up quietly, with its time on the screen and its words in a log."""
    print(f"{title} ...", end=" ", flush=True)
    begin = time.monotonic()
    try:
        LOG.parent.mkdir(exist_ok=True)
        with LOG.open("w", encoding="utf-8") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            wait(process, begin)
        failed = process.returncode != 0
    except OSError as error:
        print()
        raise ExpectedError(f"{title} failed: {error.strerror}.") from error
    print(f"{time.monotonic() - begin:.0f} s")
    if failed:
        raise ExpectedError(f"{title} failed: {cause(LOG.read_text(encoding='utf-8', errors='replace'))}")


def wait(process, begin):
    """Wait for a step, with a sign of life; an interrupt ends the step too."""
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
    lowered = log.lower()
    for signs, sentence in CAUSES:
        if any(sign in lowered for sign in signs):
            return f"{sentence.format(venv=VENV)}; what was printed is in {LOG}."
    lines = log.strip().splitlines() or ["it printed nothing"]
    return f"{lines[-1].strip().rstrip('.')}; all that was printed is in {LOG}."


def run(command):
    """Hand over to another program; where that cannot be done, run it and return its status."""
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(command[0], command)
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the program got the same Ctrl-C and ends by itself


COMMANDS = {"demo": demo, "test": test, "lint": lint, "translate": translate, "setup": set_up, "lock": lock}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
