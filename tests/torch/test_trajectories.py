"""Training runs of at least 200 steps, beside PyTorch on the same batches."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from fastmlp.runtime.shuffling import epoch_order
from tests.backends import COMPILED

from .cases import CASES
from .nets import Peer, distance

STEPS = 200
EPSILON_32 = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Run:
    """A run in PyTorch: the loss of each epoch, the weights after it."""

    losses: list[float]
    weights: list[list[np.ndarray]]
    kink_distance: float


@cache
def run_in_torch(case, dtype, start):
    """Train in PyTorch from the weights that fastmlp's net of dtype ``start`` has at first."""
    peer = Peer(case, dtype, case.model(start).get_weights())
    losses, weights = [], []
    for epoch in range(-(-STEPS // case.steps_per_epoch)):
        losses.append(peer.train_epoch(epoch_order(case.seed, epoch, case.samples)))
        weights.append(peer.weights())
    return Run(losses, weights, peer.kink_distance)


def train_epoch(case, model):
    """Train for an epoch, and return its loss."""
    (loss,) = model.fit(*case.data(), batch_size=case.batch_size, verbose=0).history["loss"]
    return loss


def assert_stays_on_torchs_path(case, backend):
    model, run = case.model("float64", backend), run_in_torch(case, "float64", "float64")
    assert distance(model.get_weights(), run.weights[-1]) > 0.01  # it leads somewhere
    for loss, weights in zip(run.losses, run.weights, strict=True):
        assert train_epoch(case, model) == pytest.approx(loss, rel=1e-9)
        assert distance(model.get_weights(), weights) <= 1e-9


@pytest.mark.parametrize("backend", COMPILED)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_float64_stays_on_torchs_path(case, backend):
    assert_stays_on_torchs_path(case, backend)


def as_one(arrays):
    """Return one vector of all: the scale of a lone bias may be 0 for a moment."""
    return [np.concatenate([array.ravel() for array in arrays])]


def float32_errors(case, model):
    """Return how far fastmlp, and torch, stray from torch in float64 at most."""
    single, double = (run_in_torch(case, dtype, "float32") for dtype in ("float32", "float64"))
    own, of_torch = 0.0, 0.0
    for theirs, weights in zip(single.weights, double.weights, strict=True):
        train_epoch(case, model)
        exact = as_one(weights)
        own = max(own, distance(as_one(model.get_weights()), exact))
        of_torch = max(of_torch, distance(as_one(theirs), exact))
    assert double.kink_distance > 2e-5, "runs may part at a kink: choose another seed"
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
    assert_stays_on_torchs_path(case, "numpy")
