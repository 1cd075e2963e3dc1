"""Whether this machine is large enough for a class, and what a running class takes of it."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import psutil

# Bytes of a student's kernel after 50 moves, as benchmarks/load.py measures it: kernels that are forked share memory.
EACH = 90e6 if sys.platform == "linux" else 150e6
SERVER = 200e6  # bytes of the server and of the warm process behind it
EACH_CORE = 15  # students who were measured on one core and got their pictures quickly
LONG = 150 * 2**20  # bytes of a kernel after an hour's moves
FILES = 30  # that the server has open for each page
OWN_FILES = 100  # and for itself
CGROUP = Path("/sys/fs/cgroup")


def needed(students: int, each: float = EACH) -> float:
    """Return the bytes that a class and its teacher need."""
    return SERVER + (students + 1) * each


def memory(group: Path = CGROUP) -> tuple[float, float]:
    """Return the bytes that there are, and those that are free, on this machine or in this container."""
    machine = psutil.virtual_memory()
    whole, free = float(machine.total), float(machine.available)
    try:
        limit, used = (float((group / name).read_text()) for name in ("memory.max", "memory.current"))
        return min(whole, limit), min(free, max(0.0, limit - used))
    except (OSError, ValueError):  # ValueError: the limit is "max"
        return whole, free


def free_memory(group: Path = CGROUP) -> float:
    """Return the bytes that are free."""
    return memory(group)[1]


def fitting_kernels(group: Path = CGROUP) -> int:
    """Return how many kernels fit into half of the memory."""
    return max(4, int(memory(group)[0] / 2 / LONG))


def pages_with_files(number: int) -> int:
    """Let this process open the files of so many pages, and return for how many the system allows them."""
    if sys.platform == "win32":
        return number
    import resource

    wanted = OWN_FILES + FILES * number
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit < wanted:
        limit = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        with suppress(OSError, ValueError):  # macOS has another limit, and does not name it here
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, min(number, (limit - OWN_FILES) // FILES))


def warnings(students: int, free: float, cores: int, each: float = EACH, most: int | None = None) -> list[str]:
    """Return a sentence for each thing that is too small for a class, and what to do about it.

    ``most`` is for how many students the system lets the server open files.

    >>> warnings(30, 8e9, 2, each=90e6)
    []
    >>> warnings(30, 2e9, 2, each=90e6)[0]
    '30 students need about 3.0 GB of memory; this machine has 2.0 GB free: close other programs, or take --class 19.'
    """
    found = []
    if needed(students, each) > free:
        fit = int((free - needed(0, each)) / each)
        advice = f"close other programs, or take --class {fit}." if fit > 0 else "close other programs."
        memory, verb = gigabytes(needed(students, each)), "needs" if students == 1 else "need"
        found.append(
            f"{of(students)} {verb} about {memory} of memory; this machine has {gigabytes(free)} free: {advice}"
        )
    if students > EACH_CORE * cores:
        found.append(
            f"{of(students)} share {cores} core{'s' if cores > 1 else ''}: with more than {EACH_CORE} students a core, "
            "pictures may come slowly."
        )
    if most is not None and most < students:
        found.append(
            f"the system lets this program open files for {of(most)} only: ulimit -n {OWN_FILES + FILES * students} "
            "allows more."
        )
    return found


def of(students: int) -> str:
    """Return a number of students in words."""
    return f"{students} student{'s' if students != 1 else ''}"


def gigabytes(amount: float) -> str:
    """Return an amount of memory in words."""
    return f"{amount / 1e9:.1f} GB"


def used_memory(process: int) -> float:
    """Return the bytes that a process and its children take, shared pages counted once where the system can tell."""
    try:
        parent = psutil.Process(process)
        return sum(map(own_memory, [parent, *parent.children(recursive=True)]))
    except psutil.Error:
        return 0.0


def own_memory(process: psutil.Process) -> float:
    """Return the bytes of one process; 0 if it has ended meanwhile."""
    try:
        return float(process.memory_full_info().pss)
    except (AttributeError, psutil.AccessDenied):
        return float(process.memory_info().rss)
    except psutil.Error:
        return 0.0
