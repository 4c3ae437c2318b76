"""Single kernels on one core: ``pytest bench/test_kernels.py``, not part of the tests.

Results are compared with the reference's first.  A rate is set beside what this machine can do,
measured just before: the peak of multiply-adds, or the rate at which as many bytes are copied.
"""

import functools

import numpy as np
import pytest

from bench.kernels import CASES, Case, Kernel
from bench.peak import Peak
from bench.peers import compiled_backends
from fastmlp.kernels import reference
from fastmlp.kernels.ladder.roofline import copy_rate

TOLERANCE = 1e-4  # of the largest result


@functools.cache
def peak() -> Peak:
    return Peak()


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("backend", compiled_backends())
def test_rate(benchmark, backend: str, case: Case):
    kernel = Kernel(backend, case)
    agrees_with_reference(kernel)
    benchmark.group = str(case)
    benchmark.pedantic(kernel.run, (kernel.times, *kernel.arguments), rounds=20, warmup_rounds=1)
    seconds = benchmark.stats.stats.median / kernel.times - kernel.overhead
    if case.flops:
        rate, unit, roof, limit = case.flops / seconds, "GFLOP/s", "the FMA peak", peak().rate()
    else:
        rate, unit, roof = case.bytes / seconds, "GB/s", "copying"
        limit = copy_rate(case.bytes)
    benchmark.extra_info |= {
        "kernel": f"{case} ({backend})", "seconds a call": seconds, unit: rate / 1e9,
        "roof": roof, "share": rate / limit,
    }  # fmt: skip


def agrees_with_reference(kernel: Kernel) -> None:
    ours, theirs = (kernel.case.arguments() for _ in range(2))
    kernel.run(1, *ours)
    getattr(reference, kernel.case.kernel)(*theirs)
    for mine, other in zip(ours, theirs, strict=True):
        if isinstance(other, np.ndarray):
            size = max(1.0, np.abs(other).max(initial=0))
            np.testing.assert_allclose(mine, other, rtol=0, atol=TOLERANCE * size)
