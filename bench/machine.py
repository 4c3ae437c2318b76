"""What the numbers were measured on."""

import importlib.metadata
import platform

from bench.worker import all_cores
from fastmlp.kernels.ladder.machine import cpu

PACKAGES = ("fastmlp", "numpy", "numba", "torch", "jax", "scikit-learn")


def describe() -> dict:
    return {
        "cpu": cpu(),
        "cores": len(all_cores()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str | None:
    if package == "fastmlp":
        import fastmlp

        return fastmlp.__version__
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
