"""Same seed, same bits: again, side by side, and in a new process."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from fastmlp import fit_many
from tests.api.nets import small_data, small_net

X, Y = small_data(200)


def trained(**options):
    model = small_net(**options)
    model.fit(X, Y, batch_size=7, epochs=4)
    return digest(model)


def digest(model):
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_twice(dtype):
    assert trained(dtype=dtype) == trained(dtype=dtype)


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_side_by_side(jobs):
    models = [small_net() for _ in range(5)]
    fit_many(models, X, Y, batch_size=7, epochs=4, jobs=jobs)
    assert {digest(model) for model in models} == {trained()}


def test_in_a_new_process():
    code = "from tests.engine.test_determinism import trained; print(trained())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == trained()


def test_a_fit_in_two_parts_is_one_fit():
    whole, parts = small_net(), small_net()
    whole.fit(X, Y, epochs=4)
    parts.fit(X, Y, epochs=1)
    parts.fit(X, Y, epochs=3)
    assert digest(whole) == digest(parts)


def test_another_seed_is_another_net():
    model = small_net()
    other = small_net()
    other.seed = 1
    model.fit(X, Y)
    other.fit(X, Y)
    assert not np.array_equal(model.get_weights()[0], other.get_weights()[0])
