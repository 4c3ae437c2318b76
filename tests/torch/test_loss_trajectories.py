"""Two hundred steps by each loss, beside PyTorch's gradients of Keras' formula, in float64.

Numba, which compiles a kernel for each, takes some here; ``python -m tests.torch`` takes all.
"""

import numpy as np
import pytest

from fastmlp import Sequential, layers, losses, optimizers
from fastmlp.kernels.contract import Loss
from fastmlp.runtime.shuffling import epoch_order
from tests.backends import parameter

torch = pytest.importorskip("torch", reason="PyTorch, the peer, is not installed")
functional = torch.nn.functional

RNG = np.random.default_rng(7)
X = RNG.standard_normal((40, 6))
NUMBERS = RNG.standard_normal((40, 4))
YES = (NUMBERS > 0) * 1.0
ONE_HOT = np.eye(4)[RNG.integers(0, 4, 40)]
SHARES = RNG.dirichlet(np.ones(4), 40)
WEIGHTS = RNG.random(40)
EPSILON = 1e-7
STEPS, BATCH = 200, 8


def entropy(z, t):
    return functional.binary_cross_entropy_with_logits(z, t, reduction="none")


def focal_of_questions(z, t, gamma, yes, no):
    p = torch.sigmoid(z)
    wrong = 1 - (t * p + (1 - t) * (1 - p))
    return ((t * yes + (1 - t) * no) * wrong**gamma * entropy(z, t)).mean(1)


def focal_of_classes(z, t, alpha, gamma):
    log_p = torch.log_softmax(z, 1)
    return (-alpha * t * (1 - log_p.exp()) ** gamma * log_p).sum(1)


def unit(values):
    return values / values.norm(dim=1, keepdim=True)


def margins(y, t):
    return torch.relu(1 - (2 * t - 1) * y)


def logarithms(y, t):
    return torch.log(y.clamp(min=EPSILON) + 1) - torch.log(t.clamp(min=EPSILON) + 1)


# name: the loss, the last layer's activation, right answers, and the formula of what the last
# layer's product is, for each sample.
CASES = {
    "mape": ("mape", None, NUMBERS, lambda y, t: (100 * (y - t).abs() / t.abs()).mean(1), 1e-4),
    "msle": ("msle", "softplus", np.abs(NUMBERS),
             lambda z, t: (logarithms(functional.softplus(z), t) ** 2).mean(1), 0.1),
    "log-cosh": ("log_cosh", None, NUMBERS, lambda y, t: torch.log(torch.cosh(y - t)).mean(1), 0.1),
    "poisson": ("poisson", "softplus", np.floor(3 * np.abs(NUMBERS)),
                lambda z, t: (functional.softplus(z)
                              - t * torch.log(functional.softplus(z) + EPSILON)).mean(1), 0.1),
    "hinge": ("hinge", None, YES, lambda y, t: margins(y, t).mean(1), 0.1),
    "squared hinge": ("squared_hinge", None, YES, lambda y, t: (margins(y, t) ** 2).mean(1), 0.1),
    "categorical hinge": (
        "categorical_hinge", None, ONE_HOT,
        lambda y, t: torch.relu(((1 - t) * y).max(1).values - (t * y).sum(1) + 1), 0.02),
    "kl": ("kld", "softmax", SHARES,
           lambda z, t: (t * (torch.log(t) - torch.log_softmax(z, 1))).sum(1), 0.1),
    "cosine": ("cosine_similarity", None, NUMBERS,
               lambda y, t: -(unit(y) * unit(t)).sum(1), 0.1),
    "quantile": (losses.Quantile(0.8), None, NUMBERS,
                 lambda y, t: torch.maximum(0.8 * (t - y), 0.2 * (y - t)).mean(1), 0.02),
    "smooth classes": (
        losses.CategoricalCrossentropy(label_smoothing=0.2), "softmax", ONE_HOT,
        lambda z, t: -((0.8 * t + 0.05) * torch.log_softmax(z, 1)).sum(1), 0.1),
    "smooth questions": (
        losses.BinaryCrossentropy(label_smoothing=0.2), "sigmoid", YES,
        lambda z, t: entropy(z, 0.8 * t + 0.1).mean(1), 0.1),
    "binary focal": ("binary_focal_crossentropy", "sigmoid", YES,
                     lambda z, t: focal_of_questions(z, t, 2.0, 1.0, 1.0), 0.3),
    "balanced focal": (losses.BinaryFocalCrossentropy(True, 0.3, 1.5), "sigmoid", YES,
                       lambda z, t: focal_of_questions(z, t, 1.5, 0.3, 0.7), 0.3),
    "focal": ("categorical_focal_crossentropy", "softmax", ONE_HOT,
              lambda z, t: focal_of_classes(z, t, 0.25, 2.0), 0.3),
}  # fmt: skip
ON_NUMBA = ["log-cosh", "focal", "quantile"]


def peer_of(model):
    return [torch.from_numpy(w.copy()).requires_grad_() for w in model.get_weights()]


# The others are in test_trajectories.py, and here for ``python -m tests.torch``.
PLAIN = {
    "mse": ("mse", None, NUMBERS, lambda y, t: ((y - t) ** 2).mean(1), 0.1),
    "mae": ("mae", None, NUMBERS, lambda y, t: (y - t).abs().mean(1), 0.02),
    "huber": (losses.Huber(0.4), None, NUMBERS,
              lambda y, t: functional.huber_loss(y, t, reduction="none", delta=0.4).mean(1), 0.1),
    "classes": ("categorical_crossentropy", "softmax", ONE_HOT,
                lambda z, t: -(t * torch.log_softmax(z, 1)).sum(1), 0.1),
    "labels": ("sparse_categorical_crossentropy", "softmax", ONE_HOT.argmax(1),
               lambda z, t: functional.cross_entropy(z, t, reduction="none"), 0.1),
    "questions": ("binary_crossentropy", "sigmoid", YES, lambda z, t: entropy(z, t).mean(1), 0.1),
}  # fmt: skip


@pytest.mark.parametrize(
    ("case", "backend"),
    [
        pytest.param(case, *of.values, marks=of.marks)
        for of, cases in ((parameter("cython"), CASES), (parameter("numba"), ON_NUMBA))
        for case in cases
    ],
)
def test_it_stays_on_torchs_path(case, backend):
    follow(case, backend)


def test_the_table_has_all_losses():
    made = {losses.get(loss).kind for loss, *_ in (CASES | PLAIN).values()}
    assert made == {kind for kind in Loss if kind != Loss.PYTHON}


def follow(case, backend):
    """Take the steps, and raise AssertionError if weights are further apart than rounding."""
    loss, last, y, formula, rate = (CASES | PLAIN)[case]
    model = Sequential(
        [layers.Input(6), layers.Dense(7, "tanh"), layers.Dense(4, last)],
        seed=1, dtype="float64", backend=backend,
    )  # fmt: skip
    model.compile(optimizers.SGD(rate), loss)
    weights = peer_of(model)
    start = [w.detach().clone() for w in weights]
    x, t, share = (torch.from_numpy(values) for values in (X, y, WEIGHTS))
    for epoch in range(STEPS * BATCH // len(X)):
        model.fit(X, y, BATCH, 1, 0, sample_weight=WEIGHTS)
        for rows in torch.from_numpy(epoch_order(1, epoch, len(X))).split(BATCH):
            z = torch.tanh(x[rows] @ weights[0] + weights[1]) @ weights[2] + weights[3]
            value = (formula(z, t[rows]) * share[rows]).mean()
            gradients = torch.autograd.grad(value, weights)
            with torch.no_grad():
                for w, gradient in zip(weights, gradients, strict=True):
                    w -= rate * gradient
    for found, w, first in zip(model.get_weights(), weights, start, strict=True):
        w = w.detach()
        assert np.abs(found - w.numpy()).max() <= 1e-9 * w.abs().max().item()
        assert (w - first).abs().max() > 1e-3
