"""What the numbers were measured on."""

import importlib.metadata
import platform
from collections.abc import Sequence

from bench.worker import all_cores
from fastmlp.kernels.ladder.machine import cpu

PACKAGES = ("fastmlp", "numpy", "numba", "torch", "jax", "scikit-learn")


def describe(packages: Sequence[str] = PACKAGES) -> dict:
    return {
        "cpu": cpu(),
        "cores": len(all_cores()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in packages},
    }


def cores_text(cores: int) -> str:
    return "one core" if cores == 1 else f"{cores} cores"


def in_words(machine: dict) -> str:
    """Return what ``describe`` found, with those packages that are there."""
    versions = ", ".join(f"{name} {v}" for name, v in machine["versions"].items() if v)
    where = f"{machine['cpu']}, {cores_text(machine['cores'])}, {machine['system']}"
    return f"{where}; Python {machine['python']}, {versions}"


def _version(package: str) -> str | None:
    if package == "fastmlp":
        import fastmlp

        return fastmlp.__version__
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
