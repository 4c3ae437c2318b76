"""Bad options: the error names the argument, and nothing has changed."""

import numpy as np
import pytest

from fastmlp import Sequential, Telemetry, fit_many, layers, losses
from fastmlp.runtime.arguments import shown

from .refusal import X, Y, assert_refused, built_or_not, make

FIT_OPTIONS = {
    **{
        f"batch_size={shown(value)}": ({"batch_size": value}, ValueError, "batch_size: expected a")
        for value in (0, -1, 2.0, True, "32", np.nan, 2**63, 10**400, 10**5000)
    },
    **{
        f"epochs={shown(value)}": ({"epochs": value}, ValueError, "epochs: expected a pos")
        for value in (0, -3, 1.5, False, "1", None, 2**63, 10**400)
    },
    **{
        f"verbose={shown(value)}": ({"verbose": value}, ValueError, "verbose: expected")
        for value in (3, -1, "loud", None, 1.0, 10**400)
    },
    **{
        f"validation_split={shown(value)}": (
            {"validation_split": value}, ValueError, "validation_split: "
        )
        for value in (1.0, -0.1, np.nan, 0.999999, "0.1", None, True, 10**400)
    },
    "two validations": (
        {"validation_split": 0.2, "validation_data": (X, Y)}, ValueError,
        "validation_split: not together with validation_data",
    ),
    "validation_data=3": ({"validation_data": 3}, ValueError, r"validation_data: expected \(x, y"),
    "validation_data of four": (
        {"validation_data": (X, Y, Y, Y)}, ValueError, r"validation_data: expected \(x, y\) or"
    ),
    "validation x": (
        {"validation_data": (X[:, :2], Y)}, ValueError, "validation_data x: expected shape"
    ),
    "validation y": (
        {"validation_data": (X, Y + 1)}, ValueError, "validation_data y: expected labels from 0"
    ),
    **{
        f"shuffle={value!r}": ({"shuffle": value}, TypeError, "shuffle: expected True or False")
        for value in ("batch", 1, None)
    },
    "telemetry": ({"telemetry": 5}, TypeError, "telemetry: expected a fastmlp.Telemetry, got 5"),
}  # fmt: skip


@built_or_not
@pytest.mark.parametrize("case", FIT_OPTIONS)
def test_options_of_fit(case, built):
    options, error, message = FIT_OPTIONS[case]
    model = make(built=built)
    assert_refused(lambda: model.fit(X, Y, **options), error, f"^{message}", model)


MANY_OPTIONS = {
    **{
        f"jobs={jobs!r}": ({"jobs": jobs}, ValueError, "jobs: expected a positive integer")
        for jobs in (0, -1, 1.5, True, "2")
    },
    "batch_size": ({"batch_size": 0}, ValueError, "batch_size: expected"),
    "labels": ({"y": Y + 1}, ValueError, "y: expected labels from 0 to 3"),
    "on_done": ({"on_done": 5}, TypeError, "on_done: expected a function, got 5"),
}


@pytest.mark.parametrize("case", MANY_OPTIONS)
def test_options_of_fit_many(case):
    options, error, message = MANY_OPTIONS[case]
    models = [make(), make()]
    call = lambda: fit_many(models, **{"x": X, "y": Y, **options})  # noqa: E731
    assert_refused(call, error, f"^{message}", *models)


def test_the_same_net_twice():
    model = make()
    assert_refused(lambda: fit_many([model, model], X, Y), ValueError, "^models: the same", model)


@pytest.mark.parametrize("models", [None, 5, make(), "net"], ids=repr)
def test_models_that_are_no_list(models):
    with pytest.raises(TypeError, match="^models: expected a list of nets, got"):
        fit_many(models, X, Y)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (Sequential([layers.Dense(4)]), RuntimeError, "^call compile"),
        (make("categorical_crossentropy", built=False), ValueError, "^y: expected targets"),
    ],
    ids=["not compiled", "wants other targets"],
)
def test_one_net_that_is_refused_leaves_all_as_they_were(bad, error, message):
    models = [make(built=False), make(), bad]
    assert_refused(lambda: fit_many(models, X, Y), error, message, *models)


def test_models_that_are_no_nets():
    model = make(built=False)
    message = r"^models\[1\]: expected a Sequential, got 5"
    assert_refused(lambda: fit_many([model, 5], X, Y), TypeError, message, model)


WEIGHTS = {
    "too few": (lambda w: w[:3], ValueError, "weights: expected 4 arrays, got 3"),
    "too many": (lambda w: [*w, w[0]], ValueError, "weights: expected 4 arrays, got 5"),
    "shape": (
        lambda w: [w[0], w[1], w[2].T, w[3]], ValueError,
        r"weights\[2\] \(dense_1/kernel\): expected shape \(5, 4\), got \(4, 5\)",
    ),
    "NaN": (lambda w: [*w[:3], w[3] * np.nan], ValueError, r"weights\[3\] .*: expected finite"),
    "too large": (lambda w: [*w[:3], w[3] + 1e300], ValueError, r"weights\[3\]"),
    "strings": (lambda w: [*w[:3], ["a"] * 4], (TypeError, ValueError), r"weights\[3\]"),
    "ragged": (lambda w: [*w[:3], [[1], [1, 2]]], ValueError, r"weights\[3\]"),
    "complex": (lambda w: [*w[:3], w[3] * 1j], TypeError, r"weights\[3\]"),
    "None": (lambda w: None, TypeError, "weights: expected a list of arrays, got None"),
    "a number": (lambda w: 5, TypeError, "weights: expected a list of arrays, got 5"),
}  # fmt: skip


@pytest.mark.parametrize("case", WEIGHTS)
def test_weights(case):
    change, error, message = WEIGHTS[case]
    model = make()
    weights = [w.astype(np.float64) + 1 for w in model.get_weights()]
    assert_refused(lambda: model.set_weights(change(weights)), error, f"^{message}", model)


@pytest.mark.parametrize("verb", ["fit", "evaluate", "loss_and_gradient"])
def test_what_needs_a_loss(verb):
    model = Sequential([layers.Input((3,)), layers.Dense(4)])
    assert_refused(lambda: getattr(model, verb)(X, Y), RuntimeError, "compile", model)


def test_a_telemetry_may_only_be_a_telemetry():
    make().fit(X, Y, telemetry=Telemetry(1), verbose=0)


COMPILE = {
    "no loss": ({}, ValueError, "loss: expected a name such as"),
    "unknown loss": (
        {"loss": "categorical_crossentropi"}, ValueError,
        "loss: 'categorical_crossentropi' is unknown.*Did you mean 'categorical_crossentropy'",
    ),
    "a number": ({"loss": 3}, TypeError, "loss: expected one of .*got 3"),
    "unknown optimizer": (
        {"loss": "mse", "optimizer": "adabound"}, ValueError, "optimizer: 'adabound' is unknown"
    ),
    "an optimizer's class": (
        {"loss": "mse", "optimizer": int}, TypeError, "optimizer: expected one of"
    ),
    "unknown metric": ({"loss": "mse", "metrics": ["iou"]}, ValueError, "metrics: 'iou' is unkn"),
    "metrics as a string": (
        {"loss": "mse", "metrics": "accuracy"}, TypeError,
        "metrics: expected a list of names such as 'accuracy', got 'accuracy'",
    ),
    "a metric twice": (
        {"loss": "mse", "metrics": ["acc", "acc"]}, ValueError, "metrics: expected each name once"
    ),
    "logits after a softmax": (
        {"loss": losses.SparseCategoricalCrossentropy(from_logits=True)}, ValueError,
        "loss: .*needs a net that does not end in a softmax",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", COMPILE)
def test_compile(case):
    options, error, message = COMPILE[case]
    model = make()
    assert_refused(lambda: model.compile(**options), error, f"^{message}", model)


def test_loss_that_does_not_fit_the_last_layer():
    logits = Sequential([layers.Input((3,)), layers.Dense(4)])
    single = Sequential([layers.Input((3,)), layers.Dense(1, "sigmoid")])
    name = "sparse_categorical_crossentropy"
    message = "^loss: .*ends in a softmax, or from_logits=True"
    assert_refused(lambda: logits.compile("sgd", name), ValueError, message, logits)
    message = "^loss: .* an output for each class"
    assert_refused(lambda: single.compile("sgd", name), ValueError, message, single)
    message = "^metrics: 'accuracy' needs at least two outputs"
    assert_refused(
        lambda: single.compile("sgd", "mse", metrics=["accuracy"]), ValueError, message, single
    )


INFERENCE = {
    **{
        f"batch_size={shown(value)}": ({"batch_size": value}, "batch_size: expected a positive")
        for value in (0, -1, 2.0, True, "32", 2**63, 10**5000)
    },
    **{
        f"verbose={shown(value)}": ({"verbose": value}, "verbose: expected 'auto', 0, 1 or 2")
        for value in (3, "loud", None, 10**400)
    },
}


@built_or_not
@pytest.mark.parametrize("case", INFERENCE)
def test_options_of_evaluate_and_predict(case, built):
    options, message = INFERENCE[case]
    model = make(built=built)
    assert_refused(lambda: model.evaluate(X, Y, **options), ValueError, f"^{message}", model)
    assert_refused(lambda: model.predict(X, **options), ValueError, f"^{message}", model)


@pytest.mark.parametrize("steps", [0, -1, 1.5, True, 2**63])
def test_steps(steps):
    model = make()
    message = "^steps: expected a positive integer"
    assert_refused(lambda: model.predict(X, steps=steps), ValueError, message, model)


@pytest.mark.parametrize("step", [-1, 1.5, True, "a", None, 2**63, 10**400])
def test_the_step_of_a_gradient(step):
    model = make()
    message = "^step: expected a non-negative integer"
    call = lambda: model.loss_and_gradient(X, Y, step=step)  # noqa: E731
    assert_refused(call, ValueError, message, model)


def test_return_dict():
    model = make()
    call = lambda: model.evaluate(X, Y, return_dict=1)  # noqa: E731
    assert_refused(call, TypeError, "^return_dict: expected True or False", model)
