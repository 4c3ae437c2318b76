"""A process for each peer: pinned before anything is imported, idle while others are measured.

One library's threads, memory allocator and flags are so kept away from another's, and
"one core" is one core for all of them.
"""

import importlib
import multiprocessing
import os
import time
from multiprocessing.connection import Connection

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class LeftOutError(Exception):
    """A peer that is not installed, or does not work here."""


def all_cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


class Worker:
    """Another process that holds one object.

    Parameters
    ----------
    target : str
        The object's class, ``"package.module:Class"``.
    cores : int
        How many cores the process may use.
    options
        Arguments of the class.

    Raises
    ------
    LeftOutError
        If the class cannot be imported or made.
    """

    def __init__(self, target: str, cores: int, **options: object) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, target, all_cores()[-cores:], options), daemon=True
        )
        self._process.start()
        theirs.close()
        self.name: str = self._answer()[0]

    def call(self, method: str, *arguments: object, repeat: int = 1) -> tuple:
        """Call a method so many times; return its last result, and the seconds of one call.

        Raises
        ------
        LeftOutError
            If it raises.
        """
        self._connection.send((method, arguments, repeat))
        return self._answer()

    def close(self) -> None:
        self._connection.close()
        self._process.join(5)
        self._process.kill()

    def _answer(self) -> tuple:
        try:
            answer = self._connection.recv()
        except EOFError:
            raise LeftOutError("its process ended") from None
        if isinstance(answer, str):
            raise LeftOutError(answer)
        return answer


def _serve(connection: Connection, target: str, cores: list[int], options: dict) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(len(cores))
    try:
        peer = load_class(target)(**options)
        connection.send((peer.name, 0.0))
        while True:
            method, arguments, repeat = connection.recv()
            function = getattr(peer, method)
            started = time.perf_counter()
            for _ in range(repeat):
                result = function(*arguments)
            seconds = (time.perf_counter() - started) / repeat
            connection.send((result, seconds))
    except EOFError:
        pass  # closed from the other side
    except ImportError as reason:
        connection.send(f"not installed ({reason})")
    except Exception as reason:
        first_line = str(reason).strip().partition("\n")[0]
        connection.send(f"fails here ({type(reason).__name__}: {first_line})")


def load_class(target: str) -> type:
    module, name = target.split(":")
    return getattr(importlib.import_module(module), name)
