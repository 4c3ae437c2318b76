"""Where nets are trained: in this process, on joblib's backends, or on a cluster."""

from pathlib import Path
from typing import Any

from ..arguments import shown
from ..threads import thread_count
from .base import MOST_NETS, LostWorkersError, Packet, Pool, Post, Scheduler, Work
from .cluster import Dask
from .local import Local
from .processes import Joblib

__all__ = [
    "MOST_NETS",
    "LostWorkersError",
    "Packet",
    "Pool",
    "Post",
    "Scheduler",
    "Work",
    "scheduler_of",
]

# How a command line or a call can name one.
NAMES = "'local', 'dask', a backend of joblib such as 'loky', or the address of a dask scheduler"


def scheduler_of(scheduler: Any, jobs: int | None, folder: Path | None = None) -> Scheduler:
    """Return what spreads work as ``scheduler`` says.

    Parameters
    ----------
    scheduler : str, distributed.Client or None
        "local" or None: threads of this process; the name of one of joblib's backends; "dask": a
        cluster on this machine; an address such as "tcp://10.0.0.1:8786", or the path of a
        scheduler's file, which ends in ".json"; or a client.
    jobs : int, optional
        How many nets train at once; a cluster decides by itself.
    folder : Path, optional
        Where processes of this machine leave what they have done.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """
    if jobs is not None:
        jobs = thread_count("jobs", jobs)
    if scheduler is None or (isinstance(scheduler, str) and scheduler == "local"):
        return Local(jobs)
    if hasattr(scheduler, "scatter") and hasattr(scheduler, "subscribe_topic"):
        return _dask(scheduler, jobs)
    if not isinstance(scheduler, str):
        raise TypeError(
            f"scheduler: expected {NAMES}, or a distributed.Client, got {shown(scheduler)}"
        )
    if scheduler == "dask" or "://" in scheduler or scheduler.endswith(".json"):
        return _dask(scheduler, jobs)
    known = _backends_of_joblib()
    if scheduler not in known:
        raise ValueError(
            f"scheduler: expected {NAMES} (here {', '.join(known)}), got {shown(scheduler)}"
        )
    return Joblib(scheduler, jobs, folder)


def _dask(client: Any, jobs: int | None) -> Dask:
    if jobs is not None:
        raise ValueError("jobs: not with a cluster, whose workers' threads say how many at once")
    return Dask(client)


def _backends_of_joblib() -> list[str]:
    try:
        from joblib.parallel import BACKENDS, EXTERNAL_BACKENDS
    except ImportError as reason:
        raise ImportError(
            "scheduler: it needs joblib; install it, or fastmlp with the extra 'sweeps'"
        ) from reason
    return [name for name in (*BACKENDS, *EXTERNAL_BACKENDS) if name != "dask"]
