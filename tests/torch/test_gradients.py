"""Outputs, losses and every gradient against PyTorch's autograd."""

import numpy as np
import pytest

from tests.backends import COMPILED

from .cases import CASES
from .nets import MODULES, Peer, distance

# A few hundred roundings of 1.1e-16 each, of which some add up.
TOLERANCE_64 = 1e-13

# float32 is compared by its error: that of fastmlp and that of torch, both against torch in
# float64, are roundings of the same formulas in another order, and alike but for luck.
LUCK = 4
EPSILON_32 = float(np.finfo(np.float32).eps)


def assert_as_close_as_torch(actual, peer, exact):
    assert distance(actual, exact) <= LUCK * (distance(peer, exact) + EPSILON_32)


@pytest.mark.parametrize("backend", COMPILED)
@pytest.mark.parametrize("case", CASES, ids=str)
class TestFloat64:
    def test_outputs(self, case, backend):
        model = case.model("float64", backend)
        peer = Peer(case, "float64", model.get_weights())
        assert distance([model.predict(case.data()[0])], [peer.predict()]) <= TOLERANCE_64

    def test_loss_and_gradients(self, case, backend):
        model = case.model("float64", backend)
        peer = Peer(case, "float64", model.get_weights())
        loss, gradients = model.loss_and_gradient(*case.data())
        assert loss == pytest.approx(peer.backward(slice(None)), rel=TOLERANCE_64)
        assert min(np.abs(gradient).max() for gradient in gradients) > 0
        assert distance(gradients, peer.gradients()) <= TOLERANCE_64


@pytest.mark.parametrize("backend", COMPILED)
@pytest.mark.parametrize("case", CASES, ids=str)
class TestFloat32:
    def test_outputs(self, case, backend):
        model = case.model("float32", backend)
        peers = [Peer(case, dtype, model.get_weights()) for dtype in ("float32", "float64")]
        outputs = model.predict(case.data()[0])
        assert outputs.dtype == np.float32
        assert_as_close_as_torch([outputs], *([peer.predict()] for peer in peers))

    def test_loss_and_gradients(self, case, backend):
        model = case.model("float32", backend)
        peers = [Peer(case, dtype, model.get_weights()) for dtype in ("float32", "float64")]
        loss, gradients = model.loss_and_gradient(*case.data())
        losses = [peer.backward(slice(None)) for peer in peers]
        # The sum of at most 70 terms, each with the error of its logits.
        assert loss == pytest.approx(losses[1], rel=16 * EPSILON_32)
        assert_as_close_as_torch(gradients, *(peer.gradients() for peer in peers))


def test_every_activation_with_a_module_is_reached():
    reached = {case.activation for case in CASES} | {case.last for case in CASES}
    assert reached == set(MODULES)
