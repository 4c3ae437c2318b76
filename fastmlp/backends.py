"""Backends: which implementation of the kernels runs a plan."""

import functools
import os
from collections.abc import Callable
from typing import Any

from .kernels.walk import PythonLayer
from .lookup import by_name

Run = Callable[..., int]
Probe = Callable[..., None]

_in_use = ""


def _numpy_run(python_layers: dict[int, PythonLayer]) -> Run:
    from .kernels import reference, walk

    return functools.partial(walk.run, reference, python_layers)


def _numba_run(python_layers: dict[int, PythonLayer]) -> Run:
    from .kernels import compiled
    from .kernels.compiled import engine

    if python_layers:
        from .kernels import walk

        return functools.partial(walk.run, compiled, python_layers)
    run: Run = engine.run
    return run


def _numpy_probe(python_layers: dict[int, PythonLayer]) -> Probe:
    from .kernels import reference, walk_probe

    return functools.partial(walk_probe.probe, reference, python_layers)


def _numba_probe(python_layers: dict[int, PythonLayer]) -> Probe:
    from .kernels import compiled
    from .kernels.compiled import probe

    if python_layers:
        from .kernels import walk_probe

        return functools.partial(walk_probe.probe, compiled, python_layers)
    compiled_probe: Probe = probe.probe
    return compiled_probe


_RUN = {"numpy": _numpy_run, "numba": _numba_run}
_PROBE = {"numpy": _numpy_probe, "numba": _numba_probe}
_CHOICES: dict[str, str] = {"auto": "numba", "numpy": "numpy", "numba": "numba"}


def available() -> dict[str, str]:
    """Return what there is: each backend's name with a sentence about it."""
    return {
        "numpy": "the reference: every kernel in plain NumPy, one at a time",
        "numba": "the default: the whole epoch in one compiled call",
    }


def use(name: str) -> None:
    """Choose the backend of all nets that are made from now on with ``backend="auto"``."""
    global _in_use  # noqa: PLW0603
    by_name("name", name, _CHOICES)
    _in_use = name


def resolve(name: str) -> str:
    """Return the backend that ``name`` means here and now.

    ``"auto"`` is what :func:`use` was told, else the environment variable
    ``FASTMLP_BACKEND``, else ``"numba"``.
    """
    chosen = by_name("backend", name, _CHOICES)
    if name != "auto":
        return chosen
    if _in_use:
        return _CHOICES[_in_use]
    return by_name("FASTMLP_BACKEND", os.environ.get("FASTMLP_BACKEND", "auto"), _CHOICES)


def run_of(name: str, python_layers: dict[int, Any]) -> Run:
    """Return the function that walks plans on this backend.

    A net with layers written in Python is walked row by row, on the same kernels.
    """
    return _RUN[name](python_layers)


def probe_of(name: str, python_layers: dict[int, Any]) -> Probe:
    """Return the function that computes losses with one parameter at a time moved."""
    return _PROBE[name](python_layers)
