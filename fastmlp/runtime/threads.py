"""On how many threads one net's step may run."""

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path, PurePosixPath

from .arguments import positive_integer

_chosen = 0
_limit: ContextVar[int] = ContextVar("threads", default=0)  # of this thread; 0 for none

_CONTROL_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")


def available_cores() -> int:
    """Return how many cores this process may use.

    Those that its affinity allows (``taskset``), or as many whole ones as its control group has
    time for (``docker --cpus``, a Kubernetes limit), whichever are fewer; at least one.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, int(_quota())))


@functools.cache
def _quota() -> float:
    """Return how many cores' time this process's control groups grant, or more than there are."""
    granted = [float(os.cpu_count() or 1)]
    try:
        lines = _OWN_GROUPS.read_text().splitlines()
    except OSError:  # not Linux
        lines = []
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        for folder in _folders(controllers.split(","), path):
            granted.extend(_granted_by(folder))
    return min(granted)


def _folders(controllers: list[str], path: str) -> Iterator[Path]:
    """Yield the folders of a control group and of those that it is in: each may have a limit.

    In a container the path may be that outside, where only the outermost folder is to be seen.
    """
    if controllers == [""]:
        mounts = [_CONTROL_GROUPS, _CONTROL_GROUPS / "unified"]  # version 2
    elif "cpu" in controllers:
        mounts = [_CONTROL_GROUPS / "cpu", _CONTROL_GROUPS / "cpu,cpuacct"]  # version 1
    else:
        mounts = []
    group = PurePosixPath(path.lstrip("/"))
    for mount in mounts:
        for inner in (group, *group.parents):
            yield mount / inner


def _granted_by(folder: Path) -> Iterator[float]:
    """Yield the cores' time that the files of one control group grant, if they limit it."""
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text()
        if quota not in ("max", "-1"):
            yield int(quota) / int(period)
    except (OSError, ValueError):  # there are none here, or this is not for us to read
        return


def most_threads() -> int:
    """Return how many threads may be asked for: 8 for each of the machine's cores, at least 64.

    More never helps, as a step ends when its slowest thread does; and each needs memory.
    """
    return max(64, 8 * (os.cpu_count() or 1))


def thread_count(argument: str, value: object) -> int:
    """Return a number of threads as an int.

    Raises
    ------
    ValueError
        If it is not an integer from 1 to :func:`most_threads`.
    """
    count = positive_integer(argument, value)
    if count > most_threads():
        raise ValueError(
            f"{argument}: expected at most {most_threads()} threads, as this machine has "
            f"{os.cpu_count()} cores, got {count}"
        )
    return count


def get_num_threads() -> int:
    """Return the largest number of threads that share the steps of one net.

    Inside :func:`threads_limited` that is its number; else what :func:`set_num_threads` was told,
    or the environment variable ``FASTMLP_NUM_THREADS``, or the number of cores that this process
    may use: those of its affinity, or the whole ones of its control group's quota.  A net whose
    steps are too short to be worth sharing uses one.  The number never changes a result.

    Raises
    ------
    ValueError
        If the environment variable is not a positive integer, or too large (see
        :func:`set_num_threads`).
    """
    if _limit.get():
        return _limit.get()
    if _chosen:
        return _chosen
    setting = os.environ.get("FASTMLP_NUM_THREADS", "")
    if not setting:
        return available_cores()
    if not setting.isdecimal() or int(setting) < 1:
        raise ValueError(f"FASTMLP_NUM_THREADS: expected a positive integer, got {setting!r}")
    return thread_count("FASTMLP_NUM_THREADS", int(setting))


def set_num_threads(threads: int) -> None:
    """Set the largest number of threads that share the steps of one net.

    Raises
    ------
    ValueError
        If ``threads`` is not a positive integer, or larger than 64 and than 8 for each core of
        this machine.
    """
    global _chosen  # noqa: PLW0603
    _chosen = thread_count("threads", threads)


@contextmanager
def threads_limited(threads: int | None) -> Iterator[None]:
    """Let the nets that this thread uses meanwhile share their steps among so many threads.

    Other threads of the process go by :func:`get_num_threads` as before; None changes nothing.
    """
    before = _limit.set(_limit.get() if threads is None else threads)
    try:
        yield
    finally:
        _limit.reset(before)
