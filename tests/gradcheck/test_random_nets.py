"""Negative controls: nets of every kind whose gradients are right, and pass."""

from functools import cache

import numpy as np
import pytest

from fastmlp import Sequential, activations, check_gradients, layers, losses, regularizers

HIDDEN = [
    *(name for name in activations.NAMES if name != "softmax"),
    activations.LeakyReLU(0.01),
    activations.ELU(0.3),
    activations.ELU(2.0),
]
PENALTIES = [
    None,
    None,
    regularizers.L1(0.01),
    regularizers.L2(0.02),
    regularizers.L1L2(0.01, 0.03),
]
INITIALIZERS = ["glorot_uniform", "he_normal", "lecun_uniform", "orthogonal", "torch_default"]
SEEDS = range(200)
GROUP = 20


def pick(rng, choices):
    return choices[rng.integers(len(choices))]


def random_dense(rng, units, activation):
    return layers.Dense(
        units,
        activation,
        use_bias=bool(rng.random() < 0.8),
        kernel_initializer=pick(rng, INITIALIZERS),
        bias_initializer=pick(rng, ["zeros", "normal", "torch_default"]),
        kernel_regularizer=pick(rng, PENALTIES),
        bias_regularizer=pick(rng, PENALTIES),
    )


def random_case(seed):
    """A net of 1 to 5 dense layers of 1 to 9 units, and a batch for it."""
    rng = np.random.default_rng(seed)
    features = int(rng.integers(1, 10))
    stack = [layers.Input((features,))]
    if rng.random() < 0.3:
        stack.append(layers.Rescaling(float(rng.uniform(0.5, 2)), float(rng.normal())))
    for _ in range(rng.integers(0, 5)):
        if rng.random() < 0.25:
            stack.append(layers.Dropout(float(rng.uniform(0, 0.8))))
        stack.append(random_dense(rng, int(rng.integers(1, 10)), pick(rng, HIDDEN)))
        if rng.random() < 0.15:
            stack.append(layers.Activation(pick(rng, HIDDEN)))
        if rng.random() < 0.1:
            stack.append(layers.Rescaling(0.7, 0.1))
    n = int(rng.integers(1, 9))
    x = rng.normal(size=(n, features))
    kind = pick(rng, ["labels", "targets", "logits", "squares", "squares of softmax"])
    outputs = int(rng.integers(1 if kind == "squares" else 2, 10))
    if kind == "squares":
        loss, last, y = "mse", pick(rng, HIDDEN), rng.normal(size=(n, outputs))
    elif kind == "squares of softmax":
        loss, last, y = "mse", "softmax", rng.normal(size=(n, outputs))
    elif kind == "targets":
        loss, last = "categorical_crossentropy", "softmax"
        y = rng.dirichlet(np.ones(outputs), n)
    else:
        from_logits = kind == "logits"
        loss = losses.SparseCategoricalCrossentropy(from_logits)
        last, y = None if from_logits else "softmax", rng.integers(0, outputs, n)
    stack.append(random_dense(rng, outputs, last))
    model = Sequential(stack, seed=seed, dtype="float64", backend="numba")
    model.compile("sgd", loss)
    return model, x, y


@cache
def checked(seed):
    """Return a net, and the report on its gradients, which leaves its parameters as they are."""
    model, x, y = random_case(seed)
    before = model.params.tobytes()
    report = check_gradients(model, x, y, step=seed)
    assert model.params.tobytes() == before
    return model, report


@pytest.mark.parametrize("first", SEEDS[::GROUP])
def test_right_gradients_pass(first):
    """Rounding gives 1e-12 of the loss, and gradients are rarely a hundredth of it."""
    for seed in range(first, first + GROUP):
        model, report = checked(seed)
        text = f"seed {seed}\n{report}"
        assert report.passed, text
        assert report.relative_error <= 1e-8, text
        assert all(tensor.passed for tensor in report.tensors), text
        assert all(kink.passed for kink in report.kinks), text
        assert report.parameters == model.count_params()


def test_the_nets_are_as_varied_as_they_should_be():
    """Every activation, loss and layer occurs, and few nets have only kinks to show."""
    seen, parameters, kinks = set(), 0, 0
    for seed in SEEDS:
        model, report = checked(seed)
        for layer in model.layers:
            seen.add(type(layer).__name__)
            if hasattr(layer, "activation"):
                seen.add(layer.activation.name)
        seen.add(model.loss)
        seen.add(f"{sum(isinstance(layer, layers.Dense) for layer in model.layers)} dense")
        parameters += report.parameters
        kinks += sum(kink.cause == "activation" for kink in report.kinks)
    names = {activations.get(name).name for name in activations.NAMES}
    assert seen >= {"Activation", "Dense", "Dropout", "Rescaling", *names}
    assert seen >= {f"{depth} dense" for depth in range(1, 6)}
    assert len([loss for loss in seen if isinstance(loss, losses.Loss)]) == 4
    assert kinks < parameters / 20
