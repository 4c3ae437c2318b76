"""On how many threads one net's step may run."""

import os

from .arguments import positive_integer

_chosen = 0


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def get_num_threads() -> int:
    """Return the largest number of threads that share the steps of one net.

    That is what :func:`set_num_threads` was told, else the environment variable
    ``FASTMLP_NUM_THREADS``, else the number of available cores.  A net whose steps are too
    short to be worth sharing uses one.  The number never changes a result.

    Raises
    ------
    ValueError
        If the environment variable is not a positive integer.
    """
    if _chosen:
        return _chosen
    setting = os.environ.get("FASTMLP_NUM_THREADS", "")
    if not setting:
        return available_cores()
    if not setting.isdecimal() or int(setting) < 1:
        raise ValueError(f"FASTMLP_NUM_THREADS: expected a positive integer, got {setting!r}")
    return int(setting)


def set_num_threads(threads: int) -> None:
    """Set the largest number of threads that share the steps of one net.

    Raises
    ------
    ValueError
        If ``threads`` is not a positive integer.
    """
    global _chosen  # noqa: PLW0603
    _chosen = positive_integer("threads", threads)
