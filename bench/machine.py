"""What the numbers were measured on."""

import importlib.metadata
import platform
import subprocess
import sys
from pathlib import Path

from bench.worker import all_cores

PACKAGES = ("fastmlp", "numpy", "numba", "torch", "jax", "scikit-learn")


def describe() -> dict:
    return {
        "cpu": _cpu(),
        "cores": len(all_cores()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        fields = dict(
            (part.strip() for part in line.split(":", 1))
            for line in info.read_text().split("\n\n")[0].splitlines()
            if ":" in line
        )
        name = fields.get("model name", platform.machine())
        if {"cpu family", "model"} <= fields.keys():
            name += f" (family {fields['cpu family']}, model {fields['model']})"
        return name
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    if package == "fastmlp":
        import fastmlp

        return fastmlp.__version__
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
