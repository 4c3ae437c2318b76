"""Backends: which implementation of the kernels runs a plan."""

import functools
import importlib
import importlib.util
import os
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .kernels.check import checked, checked_probe
from .kernels.contract import Batches, Course, Memory, Net, Team, Trial
from .kernels.interrupts import undisturbed
from .kernels.prepare import Call, prepare_with
from .kernels.walk import epoch as walk_epoch
from .kernels.walk import probe as walk_probe
from .kernels.walk.rows import PythonLayer
from .runtime.lookup import by_name

# ``bind(net, memory)`` returns ``prepare(batches, course, team)``, and that a call of the engine
# that needs no more arguments, and takes another first step: see ``kernels/contract.py``.
Prepare = Callable[[Batches, Course, Team], Call]
Bind = Callable[[Net, Memory], Prepare]
Probe = Callable[[Net, Memory, Batches, Trial], None]

_in_use = ""

_KERNELS = {"cython": "c", "numba": "numba", "numpy": "reference"}
_DESCRIPTIONS = {
    "cython": "the whole epoch in one call to C, compiled when fastmlp was installed",
    "numba": "the whole epoch in one call, compiled when it is first needed",
    "numpy": "the reference: every kernel in plain NumPy, one at a time",
}
NAMES = ("auto", *_KERNELS)

# The one that starts sooner first; never the reference, slow without anyone having asked for it.
_AUTOMATIC = ("cython", "numba")


class Available(dict[str, str]):
    """What there is: each usable backend's name with a sentence about it.

    Attributes
    ----------
    missing : dict
        The names of the others, each with what it lacks.
    """

    def __init__(self, usable: dict[str, str], missing: dict[str, str]) -> None:
        super().__init__(usable)
        self.missing = missing

    def __str__(self) -> str:
        lines = [f"{name}: {sentence}" for name, sentence in self.items()]
        lines += [f"{name}: not here, as {reason}" for name, reason in self.missing.items()]
        return "\n".join(lines)


def available() -> Available:
    """Return which backends can be used here, and what the others lack.

    Examples
    --------
    >>> print(backends.available())  # doctest: +SKIP
    numba: the whole epoch in one call, compiled when it is first needed
    numpy: the reference: every kernel in plain NumPy, one at a time
    cython: not here, as its C kernels were not built when fastmlp was installed; ...
    """
    reasons = {name: _reason_against(name) for name in _DESCRIPTIONS}
    usable = {name: _DESCRIPTIONS[name] for name, reason in reasons.items() if not reason}
    return Available(usable, {name: reason for name, reason in reasons.items() if reason})


@functools.cache
def _reason_against(name: str) -> str:
    """Return what keeps a backend from being used here; empty if nothing does."""
    if name == "numba":
        return "" if importlib.util.find_spec("numba") else "the package numba is not installed"
    try:
        _module(name)
    except ModuleNotFoundError:
        if shadowed := _shadowed_install():
            return (
                f"this is the checkout {Path(__file__).parents[1]}, which has no C kernels and "
                f"hides the fastmlp that is installed in {shadowed}: start Python elsewhere, or "
                "install the checkout itself with pip install -e"
            )
        return (
            "its C kernels were not built when fastmlp was installed: with a C compiler, "
            "installing it again builds them, and with FASTMLP_REQUIRE_C=1 says why it cannot"
        )
    except ImportError as reason:
        return f"its C kernels cannot be loaded: {reason}"
    return ""


def _shadowed_install() -> Path | None:
    """Return where another fastmlp is installed, if this one is a checkout that hides it."""
    # Only here, for it is a tenth of the time that importing fastmlp takes.
    import importlib.metadata

    here = Path(__file__).resolve().parent
    for found in importlib.metadata.distributions(name="fastmlp"):  # a build leaves one in here
        installed = Path(str(found.locate_file("fastmlp")))
        if installed.is_dir() and installed.resolve() != here:
            return installed
    return None


def use(name: str) -> None:
    """Choose the backend of all nets that are made from now on with ``backend="auto"``."""
    global _in_use  # noqa: PLW0603
    _in_use = _usable("name", name)


def resolve(name: str) -> str:
    """Return the backend that ``name`` means here and now.

    ``"auto"`` is what :func:`use` was told, else the environment variable ``FASTMLP_BACKEND``,
    else the fastest that there is: ``"cython"`` if it was built, else ``"numba"``.
    """
    if name != "auto":
        return _usable("backend", name)
    if _in_use:
        return _in_use
    return _usable("FASTMLP_BACKEND", os.environ.get("FASTMLP_BACKEND") or "auto")


def _usable(argument: str, name: str) -> str:
    chosen = by_name(argument, name, {known: known for known in NAMES})
    if chosen == "auto":
        for candidate in _AUTOMATIC:
            reason = _reason_against(candidate)
            if not reason:
                return candidate
            if "cannot be loaded" in reason:  # they were built, and whoever did so expects them
                warnings.warn(f"backend: not {candidate!r}: {reason}", RuntimeWarning, stacklevel=4)
        reasons = "; ".join(f"{other!r}: {_reason_against(other)}" for other in _AUTOMATIC)
        raise ValueError(
            f"backend: there is no fast one here; 'numpy' works everywhere, slowly. {reasons}"
        )
    reason = _reason_against(chosen)
    if reason:
        raise ValueError(f"{argument}: {chosen!r} cannot be used here: {reason}")
    return chosen


@functools.cache
def _module(name: str, part: str = "") -> Any:
    module = f"fastmlp.kernels.{_KERNELS[name]}{part}"
    # Numba takes a second to import, and does not expect to be imported again after half of it.
    return undisturbed(partial(importlib.import_module, module))


def shuffle_of(name: str) -> Callable[[NDArray[np.uint64], NDArray[np.int64]], None]:
    """Return the function that makes the orders of epochs: C's or NumPy's, with the same bits."""
    shuffle: Callable[[NDArray[np.uint64], NDArray[np.int64]], None]
    shuffle = _module("cython" if name == "cython" else "numpy", ".shuffling").shuffle
    return shuffle


def runs_python(name: str, python_layers: dict[int, PythonLayer]) -> bool:
    """Return whether this backend walks such a plan in Python, row by row."""
    return bool(python_layers) or name == "numpy"


def bind_of(name: str, python_layers: dict[int, PythonLayer]) -> Bind:
    """Return the function that binds plans and their memory to this backend's engine.

    What stays the same from call to call is looked at once: in C, to look at all arrays takes
    longer than to run a small net on one sample.  A net with layers written in Python is walked
    row by row, on the same kernels.
    """
    if runs_python(name, python_layers):
        run = partial(walk_epoch.run, _module(name), python_layers)

        def bind(net: Net, memory: Memory) -> Prepare:
            prepare: Prepare = prepare_with(run, net, memory)
            return prepare

        walker: Bind = checked(bind, runs_python=True)
        return walker
    ready: Bind = _module(name, ".epoch").bind
    return ready


def probe_of(name: str, python_layers: dict[int, PythonLayer]) -> Probe:
    """Return the function that computes losses with one parameter at a time moved."""
    if runs_python(name, python_layers):
        walker = partial(walk_probe.probe, _module(name), python_layers)
        probe: Probe = checked_probe(walker, runs_python=True)
    else:
        probe = checked_probe(_module(name, ".probe").probe)
    return probe
