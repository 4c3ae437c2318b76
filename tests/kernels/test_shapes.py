"""Any shape, also empty ones: the kernels that have blocks and remainders."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .op_table import COMPILED, JIT, OPERATIONS, kernel
from .test_ops import compare_with_float64

BLOCKED = (
    "matmul",
    "dense",
    "softmax",
    "gather",
    "dropout",
    "transpose",
    "loss",
    "metric",
    "batch",
)

operations = st.sampled_from([o for o in OPERATIONS if o.name.startswith(BLOCKED)])
largest = 40 if JIT else 9
sizes = st.tuples(*[st.integers(1, largest)] * 3)
own_settings = settings(derandomize=True, deadline=None, max_examples=400 if JIT else 60)


@pytest.mark.parametrize("backend", COMPILED)
@own_settings
@given(operations, sizes, st.sampled_from([np.float32, np.float64]), st.integers(0, 1000))
def test_any_size(backend, operation, sizes, dtype, seed):
    compare_with_float64(operation, dtype, sizes, backend, seed)


@pytest.mark.parametrize("backend", COMPILED)
@own_settings
@given(sizes, st.integers(0, 2))
def test_a_product_along_an_empty_axis_adds_nothing(backend, sizes, axis):
    m, k, n = (0 if i == axis else size for i, size in enumerate(sizes))
    before = np.ones((m, n), np.float32)
    for name, b in (("matmul_nn", np.ones((k, n))), ("matmul_nt", np.ones((n, k)))):
        out = before.copy()
        kernel(backend, name)(np.ones((m, k), np.float32), b.astype(np.float32), np.float32(2), out)
        expected = before if k == 0 else before + 2 * k
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("backend", COMPILED)
@own_settings
@given(st.integers(0, 200), st.integers(0, 2**40), st.integers(-(2**63), 2**63 - 1))
def test_a_mask_depends_on_nothing_but_its_counter(backend, size, step, key):
    masks = np.empty((2, size), np.float32)
    for mask in masks:
        kernel(backend, "dropout_mask")(np.int64(key), step, 0.3, mask)
    np.testing.assert_array_equal(*masks)
    assert set(np.unique(masks)) <= {0, np.float32(1 / 0.7)}


@pytest.mark.parametrize("backend", COMPILED)
@own_settings
@given(sizes, st.integers(0, 100))
def test_softmax_is_a_distribution_whatever_is_added_to_its_inputs(backend, sizes, shift):
    features, n, _ = sizes
    x = np.random.default_rng(features * n).standard_normal((features, n))
    y, moved, scratch = np.empty_like(x), np.empty_like(x), np.empty((2, n))
    kernel(backend, "softmax_forward")(x, scratch, y)
    kernel(backend, "softmax_forward")(x + shift, scratch, moved)
    assert y.min() >= 0
    # The sum of up to 40 rounded numbers; the shift's own rounding, up to 100 epsilon.
    np.testing.assert_allclose(y.sum(axis=0), 1, rtol=50 * np.finfo(float).eps)
    np.testing.assert_allclose(moved, y, rtol=300 * np.finfo(float).eps)
