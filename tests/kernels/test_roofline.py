"""The measured limits: that the loops do what is counted, not how fast."""

import os
import platform

import numpy as np
import pytest

from fastmlp.kernels.ladder import machine, roofline
from fastmlp.kernels.ladder.machine import vector_bytes
from fastmlp.kernels.ladder.machine_code import accumulators, count, functions, innermost_loops

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


@pytest.mark.parametrize("nbytes", [1, 4096, 100_000])
def test_every_byte_of_a_block_is_read_every_time(nbytes):
    block = roofline._block(nbytes)
    block[:] = np.random.default_rng(0).integers(-1000, 1000, block.size)
    read = roofline._read_loop(vector_bytes())
    for times in (1, 2, 7):
        assert read(times, block) == times * int(block.sum())


@pytest.mark.parametrize("nbytes", [1, 4096, 100_000])
def test_every_byte_of_a_block_is_copied(nbytes):
    source, target = roofline._block(nbytes), roofline._block(nbytes)
    source[:] = np.arange(source.size)
    roofline._copy_loop(vector_bytes())(1, source, target)
    np.testing.assert_array_equal(source, target)


def loop_of(run):
    """The longest inner loop of a loop that has been compiled."""
    (signature,) = run.signatures
    code = functions(run.inspect_asm(signature), "asm")
    return max((loop for part in code for loop in innermost_loops(part, "asm")), key=len)


x86_only = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="reads x86-64 instructions"
)


@x86_only
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_enough_multiply_adds_are_independent_of_each_other(dtype):
    # Built anew: the tests above compile loops of other sizes only, but maybe for both dtypes.
    roofline._multiply_add_loop.cache_clear()
    run, flops = roofline.multiply_adds(dtype)
    run(1)
    lanes = vector_bytes() // np.dtype(dtype).itemsize
    loop = loop_of(roofline._multiply_add_loop(lanes, flops // 2 // lanes))
    sums = accumulators(loop)
    found = count(loop)
    register = {64: "zmm", 32: "ymm", 16: "xmm"}[vector_bytes()]
    assert len(sums) == found["multiply-adds"] == flops // 2 // lanes >= 12
    assert all(name.startswith(f"%{register}") for name in sums)
    assert found["loads"] == found["stores"] == found["spills"] == 0


@x86_only
def test_a_loop_of_one_chain_is_seen_to_be_one():
    run, _ = roofline.multiply_adds(np.float32, lanes=4, chains=1)
    run(1)
    assert len(accumulators(loop_of(roofline._multiply_add_loop(4, 1)))) == 1
    dependent = ["\tvfmadd213ps\t%zmm2, %zmm1, %zmm0"] * 16
    assert accumulators(dependent) == {"%zmm0"}


@x86_only
def test_reading_is_loads_and_independent_additions():
    roofline._read_loop.cache_clear()
    run = roofline._read_loop(vector_bytes())
    run(1, roofline._block(4096))
    loop = [line for line in loop_of(run) if "paddd" in line]
    assert len(loop) == roofline.READS
    assert all("(%r" in line for line in loop)
    assert len({line.rpartition(", ")[2] for line in loop}) == roofline.ACCUMULATORS


def test_places_are_told_apart_by_the_caches_sizes():
    kib, mib = 1024, 1024**2
    for sizes in ([32 * kib, mib, 32 * mib], [48 * kib, mib, 32 * mib], [32 * kib, mib // 2]):
        found = roofline.places(sizes)
        names = [place.name for place in found]
        assert names[:-1] == ["first cache", "second cache", "third cache"][: len(sizes)]
        assert names[-1] == "memory"
        for place, size, smaller in zip(found, sizes, [0, *sizes], strict=False):
            assert 2 * smaller <= place.nbytes < size
        assert found[-1].nbytes > 2 * sizes[-1]
    assert [p.name for p in roofline.places([64 * kib, 64 * kib])] == ["first cache", "memory"]
    assert [p.name for p in roofline.places([])] == ["first cache", "memory"]


def test_caches_are_read_as_linux_describes_them(tmp_path):
    number = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    entries = [("Data", 1, "48K"), ("Instruction", 1, "32K"), ("Unified", 2, "1M"),
               ("Unified", 3, "32768K")]  # fmt: skip
    for i, (kind, level, size) in enumerate(entries):
        folder = tmp_path / f"cpu{number}" / "cache" / f"index{i}"
        folder.mkdir(parents=True)
        for name, text in (("type", kind), ("level", str(level)), ("size", size)):
            (folder / name).write_text(f"{text}\n")
    assert machine.caches(tmp_path) == [48 * 1024, 1024**2, 32 * 1024**2]


def test_limits_are_finite(monkeypatch):
    monkeypatch.setattr(roofline, "SAMPLES", 1)
    assert 0 < roofline.fma_peak(np.float32) < np.inf
    assert 0 < roofline.bandwidth(8192) < np.inf
    assert 0 < roofline.copy_rate(8192) < np.inf
