"""Losses as functions and objects, and metrics outside of a net, have Keras' numbers."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import pytest

from fastmlp import losses, metrics

# It is Keras' own, where it reads PyTorch's tensors.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

RNG = np.random.default_rng(0)
N = 7
SHARES, OTHERS = RNG.dirichlet(np.ones(4), N), RNG.dirichlet(np.ones(4), N)
LABELS = RNG.integers(0, 4, N)
ONE_HOT, YES = np.eye(4)[LABELS], RNG.integers(0, 2, (N, 4)) * 1.0
SIGNS, NUMBERS = RNG.choice([-1.0, 1.0], (N, 4)), RNG.normal(size=(N, 4))
WEIGHTS = RNG.random(N)
OF_NUMBERS = NUMBERS, OTHERS

# By Keras' names: right answers, outputs.
FUNCTIONS = {
    "binary_crossentropy": (YES, SHARES),
    "binary_focal_crossentropy": (YES, SHARES),
    "categorical_crossentropy": (ONE_HOT, SHARES),
    "categorical_focal_crossentropy": (ONE_HOT, SHARES),
    "categorical_hinge": (ONE_HOT, NUMBERS),
    "cosine_similarity": OF_NUMBERS,
    "hinge": (SIGNS, NUMBERS),
    "huber": OF_NUMBERS,
    "kl_divergence": (OTHERS, SHARES),
    "log_cosh": OF_NUMBERS,
    "mean_absolute_error": OF_NUMBERS,
    "mean_absolute_percentage_error": OF_NUMBERS,
    "mean_squared_error": OF_NUMBERS,
    "mean_squared_logarithmic_error": (SHARES, OTHERS),
    "poisson": (OTHERS, SHARES),
    "sparse_categorical_crossentropy": (LABELS, SHARES),
    "squared_hinge": (YES, NUMBERS),
}
SMOOTH = [name for name in FUNCTIONS if "crossentropy" in name and "sparse" not in name]


def number(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_the_list_has_all():
    assert {f.__name__: kind for f, kind in losses.OF_FUNCTIONS.items()}.keys() == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_losses(name):
    right, outputs = FUNCTIONS[name]
    ours, theirs = getattr(losses, name), getattr(keras.losses, name)
    found = ours(right, outputs)
    assert found.shape == (N,)
    np.testing.assert_allclose(found, number(theirs(right, outputs)), rtol=1e-5)
    deeper = [np.reshape(a, (1, N, *a.shape[1:])) for a in (right, outputs)]
    np.testing.assert_array_equal(ours(*deeper), found[None])
    kind = losses.OF_FUNCTIONS[ours]
    assert losses.get(ours) == kind()
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
        one, other = (
            getattr(module, kind.__name__)(reduction=reduction) for module in (losses, keras.losses)
        )
        for weights in (None, WEIGHTS):
            expected = float(other(right, outputs, sample_weight=weights))
            assert one(right, outputs, sample_weight=weights) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("options", [{"from_logits": True}, {"label_smoothing": 0.2}], ids=str)
def test_options_of_cross_entropies(name, options):
    right, outputs = FUNCTIONS[name]
    outputs = NUMBERS if "from_logits" in options else outputs
    found, expected = (
        getattr(module, name)(right, outputs, **options) for module in (losses, keras.losses)
    )
    np.testing.assert_allclose(found, number(expected), rtol=1e-5)


METRICS = {
    "Accuracy": (LABELS, LABELS[::-1].copy()),
    "AUC": (YES, SHARES),
    "BinaryAccuracy": (YES, SHARES),
    "BinaryCrossentropy": (YES, SHARES),
    "CategoricalAccuracy": (ONE_HOT, SHARES),
    "CosineSimilarity": OF_NUMBERS,
    "F1Score": (ONE_HOT, SHARES),
    "MeanSquaredError": OF_NUMBERS,
    "Precision": (YES, SHARES),
    "R2Score": OF_NUMBERS,
    "RootMeanSquaredError": OF_NUMBERS,
    "SparseCategoricalAccuracy": (LABELS, SHARES),
    "SparseTopKCategoricalAccuracy": (LABELS, SHARES),
    "TruePositives": (YES, SHARES),
}
OPTIONS = {"F1Score": {"average": "macro"}, "SparseTopKCategoricalAccuracy": {"k": 2}}


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("weights", [None, WEIGHTS.astype(np.float32)], ids=["", "weights"])
def test_metrics(name, weights):
    right, outputs = METRICS[name]
    options = OPTIONS.get(name, {})
    ours, theirs = (getattr(module, name)(**options) for module in (metrics, keras.metrics))
    assert ours.result() == 0
    for part in (slice(0, 3), slice(3, N)):
        own = None if weights is None else weights[part]
        for metric in (ours, theirs):
            metric.update_state(right[part], outputs[part], sample_weight=own)
    assert ours.result() == pytest.approx(float(theirs.result()), rel=1e-5)
    both = ours.result()
    ours.reset_state()
    assert ours.result() == 0
    assert ours(right, outputs, weights) == pytest.approx(both)
