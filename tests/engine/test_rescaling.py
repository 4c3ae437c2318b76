"""Rescaling: any scale gives what the formula says, wherever the arithmetic is done."""

import numpy as np
import pytest

from fastmlp import Sequential, optimizers
from fastmlp.layers import Dense, Input, Rescaling
from tests.backends import ALL

backends = pytest.mark.parametrize("backend", ALL)
RNG = np.random.default_rng(0)
X = RNG.uniform(0.5, 1.5, (9, 40))
KERNEL = RNG.standard_normal((40, 3))


def net(scalings, backend, dtype="float32"):
    model = Sequential(
        [Input((40,)), *[Rescaling(*s) for s in scalings], Dense(3)],
        backend=backend, dtype=dtype, seed=0,
    )  # fmt: skip
    model.set_weights([KERNEL, np.zeros(3)])
    model.compile(optimizers.SGD(1e-5), "mse")
    return model


SCALINGS = {
    "a little": [(1 / 255,)],
    "tiny": [(1e-37,)],
    "below float32's range": [(1e-44,)],
    "large": [(1e37,)],
    "beyond float32": [(4e38,)],
    "tiny and large": [(1e-37,), (1e37,)],
    "several that cancel": [(1e-20,), (1e-15,), (1e20,), (1e15,)],
    "tiny, with an offset": [(1e-37, 0.5)],
    "an offset that grows": [(1e-30, 1e-30), (1e30,)],
    "negative": [(-1e-37,)],
}


def scaled(x, scalings):
    """The samples after the scalings, each power of ten apart so that nothing overflows."""
    x = x.astype(np.longdouble)
    for scale, *offset in scalings:
        x = x * np.longdouble(scale) + (offset[0] if offset else 0)
    return x.astype(np.float64)


@backends
@pytest.mark.parametrize("case", SCALINGS)
def test_values_and_training_are_those_of_the_scaled_samples(backend, case):
    scalings = SCALINGS[case]
    total = np.prod([np.longdouble(scale) for scale, *_ in scalings])
    # Samples that the scalings bring to about 1, as far as float32 holds them.
    x = (X / np.clip(np.abs(total), 1e-37, 1e37)).astype(np.float32)
    inner = scaled(x, scalings)
    model, plain = net(scalings, backend), net([], backend, "float64")
    expected = inner @ KERNEL.astype(np.float32)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-4, atol=1e-5)
    y = np.ones((9, 3))
    for each, samples in ((model, x), (plain, inner)):
        each.fit(samples, y, epochs=3, batch_size=4, verbose=0)
    np.testing.assert_allclose(model.params, plain.params, rtol=1e-4, atol=1e-5)


@backends
def test_bytes_may_be_scaled_by_anything(backend):
    x = RNG.integers(0, 256, (9, 40), dtype=np.uint8)
    for scale in (1e-30, 1 / 255, 1e30):
        expected = (x.astype(np.float64) * scale) @ KERNEL.astype(np.float32)
        np.testing.assert_allclose(net([(scale,)], backend).predict(x), expected, rtol=1e-3)
