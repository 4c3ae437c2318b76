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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("backend", COMPILED)
def test_a_product_larger_than_the_caches_has_the_bits_of_its_parts(backend, dtype):
    rng = np.random.default_rng(0)
    # Rows of W lie 2 kB apart.  As plain Python, which would take minutes, it is a small product.
    inputs = 2048 // np.dtype(dtype).itemsize if JIT else 20
    outputs, n, columns = (520, 37, 1100) if JIT else (9, 5, 150)
    weights = rng.standard_normal((outputs, inputs)).astype(dtype)
    dy = rng.standard_normal((outputs, n)).astype(dtype)
    dx, part = np.empty((inputs, n), dtype), np.empty((7, n), dtype)
    kernel(backend, "dense_input_gradient")(weights, dy, dx)
    np.testing.assert_allclose(dx, weights.T @ dy, rtol=0, atol=3000 * np.finfo(dtype).eps)
    for i in (0, inputs // 3, inputs - 7):
        kernel(backend, "dense_input_gradient")(weights[:, i : i + 7].copy(), dy, part)
        np.testing.assert_array_equal(part, dx[i : i + 7])

    x = rng.standard_normal((128 if JIT else 6, columns)).astype(dtype)
    dy = rng.standard_normal((13, len(x))).astype(dtype)
    whole, part = np.empty((13, columns), dtype), np.empty((13, 50), dtype)
    kernel(backend, "dense_weight_gradient_rows")(x, dy, dtype(1), whole)
    np.testing.assert_allclose(whole, dy @ x, rtol=0, atol=1000 * np.finfo(dtype).eps)
    for j in (0, columns // 2 - 10, columns - 50):
        kernel(backend, "dense_weight_gradient_rows")(x[:, j : j + 50].copy(), dy, dtype(1), part)
        np.testing.assert_array_equal(part, whole[:, j : j + 50])


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
