"""What processor this is: its name, its vector registers and its caches."""

import os
import platform
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from llvmlite import binding

CPUS = Path("/sys/devices/system/cpu")
FILES = ("type", "level", "size")
UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3}


@lru_cache
def cpu() -> str:
    """Return the processor's name as its maker gives it, with family and model where known."""
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


@lru_cache
def core() -> str:
    """Return LLVM's name of the kind of core, such as ``znver5``: machine code is made for it."""
    return str(binding.get_host_cpu_name())


@lru_cache
def vector_bytes() -> int:
    """Return the size of this machine's widest vector register."""
    features = binding.get_host_cpu_features()
    return 64 if features.get("avx512f") else 32 if features.get("avx") else 16


@lru_cache
def vector_registers() -> int:
    """Return how many vector registers a program has: 16 of x86-64 before AVX-512, else 32."""
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    return 16 if x86 and not binding.get_host_cpu_features().get("avx512f") else 32


def caches(cpus: Path = CPUS) -> list[int]:
    """Return the sizes of the caches for data in bytes, smallest level first.

    The list is empty where the system does not tell.
    """
    return _from_sysfs(cpus) or _from_sysctl()


def _from_sysfs(cpus: Path) -> list[int]:
    """Read Linux's description of the core that this process may run on."""
    number = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    levels = {}
    for folder in (cpus / f"cpu{number}" / "cache").glob("index*"):
        kind, level, size = ((folder / name).read_text().strip() for name in FILES)
        if kind != "Instruction":
            levels[int(level)] = _bytes(size)
    return [levels[level] for level in sorted(levels)]


def _bytes(size: str) -> int:
    return int(size[:-1]) * UNITS[size[-1]] if size[-1] in UNITS else int(size)


def _from_sysctl() -> list[int]:
    """Ask macOS for the caches of its fast cores."""
    if sys.platform != "darwin":
        return []
    sizes = []
    for name in ("hw.perflevel0.l1dcachesize", "hw.perflevel0.l2cachesize"):
        done = subprocess.run(["sysctl", "-n", name], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            sizes.append(int(done.stdout))
    return sizes
