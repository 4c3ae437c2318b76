"""The measured limits: that the loops do what is counted, not how fast."""

import numpy as np
import pytest

from fastmlp.kernels.ladder import roofline

from .op_table import JIT

pytestmark = pytest.mark.skipif(not JIT, reason="plain Python has no peak worth measuring")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("lanes", "chains"), [(1, 1), (1, 3), (4, 12), (16, 5)])
def test_the_peak_loop_computes_what_it_counts(dtype, lanes, chains):
    x, y = dtype(0.75), dtype(0.5)
    expected = np.arange(chains, dtype=np.float64)
    for _ in range(7):
        expected = expected * x + y
    # The first lane of the chains' sum: all lanes hold the same.
    total = roofline._multiply_add_loop(lanes, chains)(7, x, y)
    assert total == pytest.approx(expected.sum(), rel=8 * chains * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("size", [1, 7, 1000, 100_003])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_aligned_memory_begins_with_a_cache_line(size, dtype):
    memory = roofline.aligned(size, dtype)
    assert memory.ctypes.data % roofline.CACHE_LINE == 0
    assert memory.shape == (size,)
    assert memory.dtype == dtype


def test_reading_repeats():
    assert roofline._read(np.ones(1001, np.float32), 4) == 1001 * (0 + 1 + 2 + 3)


def test_limits_are_finite(monkeypatch):
    monkeypatch.setattr(roofline, "SAMPLES", 1)
    assert 0 < roofline.fma_peak(np.float32) < np.inf
    assert 0 < roofline.bandwidth(8192) < np.inf
