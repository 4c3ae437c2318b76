"""Every kernel of every backend against the reference run in float64."""

import numpy as np
import pytest

from fastmlp.kernels import reference
from fastmlp.kernels.contract import KERNELS

from .op_table import ALL, OPERATIONS, SIZES, kernel

TESTED_ELSEWHERE = {"activation_forward", "activation_backward"}
GUARD = 64  # elements on both sides of an output, which no kernel may touch
SENTINEL = 12345.0


def as_float64(argument):
    is_real = isinstance(argument, (np.ndarray, np.generic)) and argument.dtype.kind == "f"
    return np.float64(argument) if is_real else argument


def fresh(arguments):
    return tuple(a.copy(order="K") if isinstance(a, np.ndarray) else a for a in arguments)


def guarded(array):
    """Return a copy of an array that lies inside a larger one, and the larger one."""
    memory = np.full(array.size + 2 * GUARD, SENTINEL, array.dtype)
    inside = memory[GUARD : GUARD + array.size].reshape(array.shape)
    inside[...] = array
    return inside, memory


def assert_within(actual, exact, bounds, dtype):
    assert len(actual) == len(exact) == len(bounds)
    epsilon = float(np.finfo(dtype).eps)
    for a, e, bound in zip(actual, exact, bounds, strict=True):
        a, e = np.asarray(a, np.float64), np.asarray(e, np.float64)
        known = np.isfinite(e)
        np.testing.assert_array_equal(np.isfinite(a), known)
        error, limit = np.abs(a - e), np.broadcast_to(bound, e.shape) * epsilon
        assert (error[known] <= limit[known]).all(), f"{error} is beyond {limit}"


def compare_with_float64(operation, dtype, sizes, backend, seed):
    """Hold a backend's kernel, given arguments of a dtype and size, to the reference in float64."""
    arguments = operation.make(np.random.default_rng(seed), dtype, *sizes)
    precise = tuple(as_float64(a) for a in fresh(arguments))
    bounds = operation.bound(*fresh(precise))
    with np.errstate(all="ignore"):
        exact = operation.results(getattr(reference, operation.name), precise)
        actual = operation.results(kernel(backend, operation.name), fresh(arguments))
    assert_within(actual, exact, bounds, dtype)


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
class TestOperation:
    def test_is_exact_but_for_rounding(self, operation, dtype, backend):
        # In one test: of thousands, pytest would take longer to keep the books than to run them.
        for sizes in SIZES:
            compare_with_float64(operation, dtype, sizes, backend, seed=sum(sizes))

    def test_writes_only_where_it_should(self, operation, dtype, backend):
        arguments = operation.make(np.random.default_rng(0), dtype, *SIZES[-1])
        own = list(fresh(arguments))
        memories = []
        for i in operation.changed:
            own[i], memory = guarded(own[i])
            memories.append(memory)
        with np.errstate(all="ignore"):
            kernel(backend, operation.name)(*own)
        for memory in memories:
            assert (memory[:GUARD] == SENTINEL).all()
            assert (memory[-GUARD:] == SENTINEL).all()
        for i, (before, after) in enumerate(zip(arguments, own, strict=True)):
            scratch = operation.name in (
                "softmax_backward",
                "log_softmax_backward",
                "layernorm_input_gradient",
                "record_slopes",
                "loss",
            ) and (isinstance(before, np.ndarray) and i == len(own) - 2)
            if i not in operation.changed and not scratch:
                np.testing.assert_array_equal(after, before)


def test_the_table_is_complete():
    assert {operation.name for operation in OPERATIONS} | TESTED_ELSEWHERE == set(KERNELS)
