"""Compile flags live in one file, and keep what is not a number."""

import math
import re
import tokenize
from pathlib import Path

import numpy as np
import pytest

import fastmlp
from fastmlp.kernels import numba as compiled
from fastmlp.kernels.contract import Scalar
from fastmlp.kernels.numba import jit

KERNELS = Path(jit.__file__).parent.parent
FORBIDDEN = {"njit", "jit", "guvectorize", "stencil", "cfunc", "prange", "fastmath", "nogil"}


def names_in(path):
    """Return the names that a source file uses as code, with their line numbers."""
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.NAME:
                yield token.start[0], token.string, token.line


def offences(path):
    return [
        f"{path.name}:{number}: {name}"
        for number, name, line in names_in(path)
        if name in FORBIDDEN and not re.match(r"\s*from [.\w]*\.jit import ", line)
    ]


def test_no_file_but_jit_says_how_to_compile():
    files = [*KERNELS.rglob("*.py"), *Path(fastmlp.__file__).parent.rglob("*.py")]
    assert len(files) > 30
    found = {path for path in files if offences(path)}
    assert found == {KERNELS / "numba" / "jit.py"}


def test_no_flag_assumes_that_numbers_are_finite():
    for flags in (jit.REASSOCIATE, jit.CONTRACT):
        assert not flags & {"fast", "nnan", "ninf"}
    assert "reassoc" not in jit.CONTRACT
    for _, name, line in names_in(KERNELS / "numba" / "jit.py"):
        assert name != "fastmath" or "fastmath=set(flags)" in line


def test_only_the_ladder_lets_the_compiler_choose_the_rounding():
    """A kernel has many copies, and each would be fused and reordered in a way of its own."""
    assert frozenset() == jit.STRICT
    for path in (KERNELS / "numba").glob("*.py"):
        if path.name != "jit.py":
            used = {name for _, name, _ in names_in(path)}
            assert not used & {"fast", "contracted"}, path.name
    for kernel in vars(compiled).values():
        if hasattr(kernel, "targetoptions"):
            assert not kernel.targetoptions["fastmath"]


def test_no_kernel_uses_a_test_that_reassociation_folds_away():
    """Numba makes isfinite(x) of x - x, and LLVM 0 of that: compare with infinity instead."""
    for path in (KERNELS / "numba").glob("*.py"):
        for number, name, _ in names_in(path):
            assert name not in {"isfinite", "isnan", "isinf"}, f"{path.name}:{number}"


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_do_not_lose_what_is_not_finite(bad, dtype):
    w = np.ones(67, dtype)
    w[40] = bad
    assert not math.isfinite(compiled.penalty(0.1, 0.1, w))
    out = np.zeros((1, 1), dtype)
    with np.errstate(all="ignore"):
        compiled.matmul_nt(w[None], np.ones((1, 67), dtype), dtype(1), out)
        assert not np.isfinite(out).any()
        logits = np.ascontiguousarray(w[:, None])
        rows, labels = np.zeros(1, np.int64), np.zeros(1, np.int64)
        scratch, dlogits = np.empty((2, 1), dtype), np.empty((67, 1), dtype)
        none, reals = np.empty((0, 0), dtype), np.zeros(len(Scalar))
        loss = compiled.loss(
            0, 0, logits, rows, labels, none, none.ravel(), reals, scratch, dlogits
        )
    assert not math.isfinite(loss)
