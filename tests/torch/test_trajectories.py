"""Training runs of at least 200 steps, beside PyTorch on the same batches."""

from dataclasses import replace

import numpy as np
import pytest

from fastmlp.runtime.shuffling import epoch_order
from tests.backends import COMPILED

from .cases import CASES
from .nets import Peer, distance

STEPS = 200
EPSILON_32 = float(np.finfo(np.float32).eps)


def train_beside(case, model, peers):
    """Train all, epoch by epoch; yield the model's loss and those of the peers after each."""
    x, y = case.data()
    for epoch in range(-(-STEPS // case.steps_per_epoch)):
        order = epoch_order(case.seed, epoch, case.samples)
        (loss,) = model.fit(x, y, batch_size=case.batch_size, verbose=0).history["loss"]
        yield loss, [peer.train_epoch(order) for peer in peers]


@pytest.mark.parametrize("backend", COMPILED)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_float64_stays_on_torchs_path(case, backend):
    model = case.model("float64", backend)
    start = model.get_weights()
    peer = Peer(case, "float64", start)
    for loss, (expected,) in train_beside(case, model, [peer]):
        assert loss == pytest.approx(expected, rel=1e-9)
        assert distance(model.get_weights(), peer.weights()) <= 1e-9
    assert distance(start, peer.weights()) > 0.01  # it has led somewhere


def as_one(arrays):
    """Return one vector of all: the scale of a lone bias may be 0 for a moment."""
    return [np.concatenate([array.ravel() for array in arrays])]


def float32_errors(case, model):
    """Return how far fastmlp, and torch, stray from torch in float64 at most."""
    peers = [Peer(case, dtype, model.get_weights()) for dtype in ("float32", "float64")]
    own, of_torch = 0.0, 0.0
    for _ in train_beside(case, model, peers):
        exact = as_one(peers[1].weights())
        own = max(own, distance(as_one(model.get_weights()), exact))
        of_torch = max(of_torch, distance(as_one(peers[0].weights()), exact))
    assert peers[1].kink_distance > 2e-5, "runs may part at a kink: choose another seed"
    return own, of_torch


def allowed(case, of_torch):
    """Return how far a float32 run may stray, given how far torch's does.

    How errors grow along a run is a matter of the net, and the same for both, but for luck (4).
    On top of that, each step rounds the weights, in random directions; and a penalty's step apart
    from the rest does, alike from step to step, up to half a unit in the last place.
    """
    penalty = EPSILON_32 / 2 * STEPS if case.l1 or case.l2 else 0.0
    return 4 * of_torch + EPSILON_32 * STEPS**0.5 + penalty


@pytest.mark.parametrize("backend", COMPILED)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_float32_strays_hardly_further_than_torch(case, backend):
    own, of_torch = float32_errors(case, case.model("float32", backend))
    assert 0 < own <= allowed(case, of_torch)


@pytest.mark.parametrize("case", CASES[::6], ids=str)
def test_a_slightly_wrong_learning_rate_would_be_seen(case):
    wrong = replace(case, rate=case.rate * 1.001)
    own, of_torch = float32_errors(case, wrong.model("float32"))
    assert own > 2 * allowed(case, of_torch)


@pytest.mark.parametrize("case", CASES[:9:4], ids=str)
def test_the_reference_backend_stays_on_torchs_path(case):
    model = case.model("float64", backend="numpy")
    peer = Peer(case, "float64", model.get_weights())
    for loss, (expected,) in train_beside(case, model, [peer]):
        assert loss == pytest.approx(expected, rel=1e-9)
    assert distance(model.get_weights(), peer.weights()) <= 1e-9
