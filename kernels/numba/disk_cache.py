"""Where compiled kernels are kept, and under which name; a cache that fails costs time alone."""

import hashlib
import os
import pickle
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile


def _source_digest() -> str:
    """Identify the kernels' sources: Numba itself would miss an edit in a callee's file."""
    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    kernels = Path(__file__).parent.parent
    for path in sorted(kernels.rglob("*.py")):
        digest.update(path.relative_to(kernels).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _warn_uncached(reason: object) -> None:
    warnings.warn(
        f"fastmlp compiles its kernels anew in this process, for want of a cache: {reason}. "
        "Set FASTMLP_CACHE to a writable directory, or to 0 to do without on purpose.",
        RuntimeWarning,
        stacklevel=2,
    )


def _cache_directory() -> str | None:
    """Return the directory of this version's machine code, or None where there can be none."""
    setting = os.environ.get("FASTMLP_CACHE")
    if setting == "0":
        return None
    try:
        if setting:
            base = Path(setting)
        elif "XDG_CACHE_HOME" in os.environ:
            base = Path(os.environ["XDG_CACHE_HOME"]) / "fastmlp"
        else:
            base = Path.home() / ".cache" / "fastmlp"
        directory = base.resolve() / "kernels" / _source_digest()
        directory.mkdir(parents=True, exist_ok=True)
        if not os.access(directory, os.W_OK):
            raise PermissionError(f"{directory} is not writable")
    except (OSError, RuntimeError) as reason:
        _warn_uncached(reason)
        return None
    return str(directory)


CACHE_DIRECTORY = _cache_directory()


def cache_is_empty() -> bool:
    """Tell whether there is a cache, and nothing in it."""
    return CACHE_DIRECTORY is not None and not any(Path(CACHE_DIRECTORY).rglob("*.nbc"))


# What reading a file that is not what it should be can raise, by the documentation of pickle.
_DAMAGE = (
    OSError,
    EOFError,
    pickle.UnpicklingError,
    ValueError,
    AttributeError,
    ImportError,
    IndexError,
)


class _Files(IndexDataCacheFile):
    """One file for each signature, named after it.

    Numba numbers the files and keeps the numbers in an index.  Of two processes that save at
    once, one could then find the other's machine code under its own signature.
    """

    def _name_of(self, key: object) -> str:
        digest = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        return f"{self._index_name.removesuffix('.nbi')}.{digest}.nbc"

    def load(self, key: object) -> Any:
        try:
            return self._load_data(self._name_of(key))
        except FileNotFoundError:
            return None

    def save(self, key: object, data: object) -> None:
        self._save_data(self._name_of(key), data)


class Cache(FunctionCache):
    """A cache that may fail: a full disk or a half-written file costs time, never the run."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file = _Files(self.cache_path, self._impl.filename_base, None)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except _DAMAGE as reason:
            _warn_uncached(reason)  # and what is compiled now replaces that file
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as reason:
            _warn_uncached(reason)


def keep_in_cache(kernel: Any, function: Callable[..., Any]) -> None:
    """Let a Numba dispatcher load its machine code from the cache, and save it there."""
    if CACHE_DIRECTORY is None:
        return
    elsewhere = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = CACHE_DIRECTORY
    try:
        kernel._cache = Cache(function)
    finally:
        numba.config.CACHE_DIR = elsewhere
