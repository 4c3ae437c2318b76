"""A call of the engine tells whether it can run on what its memory holds now."""

import numpy as np
import pytest

from fastmlp import Sequential, layers
from fastmlp.kernels.contract import Mode
from fastmlp.runtime.data import Data
from tests.backends import ALL

CLASSES = 3


def call_on(samples, labels, backend, dtype):
    features = samples.shape[1]
    model = Sequential(
        [layers.Input((features,)), layers.Dense(CLASSES, "softmax")],
        seed=0, dtype=dtype, backend=backend,
    )  # fmt: skip
    model.compile("sgd", "sparse_categorical_crossentropy")
    data = Data(samples.view(np.uint8), labels, np.empty((0, 0), dtype))
    return model._ready_engine().prepare_alone(Mode.EVALUATE, data)


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("features", [1, 5, 67])
def test_of_finite_samples(features, dtype, backend):
    """Of any size: vectors of numbers, and what is left behind the last one."""
    samples, labels = np.ones((3, features), dtype), np.zeros(3, np.int64)
    call = call_on(samples, labels, backend, dtype)
    assert call.is_sound(CLASSES)
    for i in range(samples.size):
        for value in (np.nan, np.inf, -np.inf):
            samples.flat[i] = value
            assert not call.is_sound(CLASSES), (i, value)
        samples.flat[i] = np.finfo(dtype).max
        assert call.is_sound(CLASSES)


@pytest.mark.parametrize("backend", ALL)
def test_of_bytes_and_of_labels(backend):
    samples, labels = np.full((3, 4), 255, np.uint8), np.zeros(3, np.int64)
    call = call_on(samples, labels, backend, "float32")
    for i in range(3):
        for label, is_sound in ((2, True), (3, False), (-1, False), (2**62, False), (0, True)):
            labels[i] = label
            assert call.is_sound(CLASSES) is is_sound
