"""Bad arguments of ``check_gradients`` give clear errors, and change nothing."""

import numpy as np
import pytest

from fastmlp import Sequential, check_gradients, layers
from tests.backends import ALL

X, Y = np.ones((4, 3)), np.array([0, 1, 1, 0])


def net(compiled=True, **options):
    model = Sequential([layers.Input((3,)), layers.Dense(2, "softmax")], seed=0, **options)
    if compiled:
        model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def square(x):
    return (x**2).sum()


def twice(x):
    return 2 * x


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((X[:, :2], Y), ValueError, r"^x: expected shape \(samples, 3\), got \(4, 2\)"),
        ((X, Y[:3]), ValueError, r"^y: expected one entry for each of the 4 samples in x"),
        ((X, Y + 1), ValueError, r"^y: expected labels from 0 to 1.*got 2 at \[1\]"),
        ((X, Y * 0.5), ValueError, r"^y: expected integer labels, got 0.5 at"),
        ((X[:0], Y[:0]), ValueError, r"^x: expected at least one sample"),
        ((X * np.nan, Y), ValueError, r"^x: expected finite numbers"),
        (([["a", "b", "c"]], [0]), TypeError, r"^x: expected real numbers"),
    ],
)
def test_data_that_do_not_fit(arguments, error, message):
    with pytest.raises(error, match=message):
        check_gradients(net(), *arguments)


@pytest.mark.parametrize("step", [-1, 1.5, True, "0", "a", None, float("nan"), [0]])
def test_bad_step(step):
    with pytest.raises(ValueError, match=r"^step: expected a non-negative integer, got "):
        check_gradients(net(), X, Y, step=step)


@pytest.mark.parametrize("step", [1, -1, True, "a", None])
def test_a_function_has_no_step(step):
    with pytest.raises(ValueError, match=r"^step: expected none for a function.*, got "):
        check_gradients(square, twice, X, step=step)


@pytest.mark.parametrize("tolerance", [1, 2.5, float("inf"), np.float32(1)])
def test_a_tolerance_that_everything_would_pass(tolerance):
    with pytest.raises(ValueError, match=r"^tolerance: expected a number below 1"):
        check_gradients(square, twice, X, tolerance=tolerance)


@pytest.mark.parametrize("tolerance", [1e-6, np.float32(1e-6), np.float64(1e-6)])
def test_numbers_of_numpy_are_tolerances(tolerance):
    assert check_gradients(square, twice, X, tolerance=tolerance).tolerance == float(tolerance)


@pytest.mark.parametrize("tolerance", [0, -1e-7, float("nan"), "1", True, 1j, [1e-7]])
@pytest.mark.parametrize("arguments", [(net(), X, Y), (square, twice, X)])
def test_bad_tolerance(arguments, tolerance):
    with pytest.raises(ValueError, match=r"^tolerance: expected a positive number, got "):
        check_gradients(*arguments, tolerance=tolerance)


def test_a_net_has_to_be_compiled():
    with pytest.raises(RuntimeError, match=r"^call compile\(optimizer, loss\) before this"):
        check_gradients(net(compiled=False), X, Y)


@pytest.mark.parametrize("model", [None, 3, "net", X])
def test_something_else_than_a_net_or_a_function(model):
    with pytest.raises(TypeError, match=r"^model: expected a Sequential or a function, got "):
        check_gradients(model, X, Y)


@pytest.mark.parametrize("backend", ALL)
def test_a_loss_that_is_not_finite(backend):
    model = Sequential([layers.Input((3,)), layers.Dense(1)], dtype="float64", backend=backend)
    model.compile("sgd", "mse")
    model.set_weights([np.full((3, 1), 1e200), [0.0]])
    message = r"^model: the loss is inf on this batch"
    with np.errstate(over="ignore"), pytest.raises(ValueError, match=message):
        check_gradients(model, X, np.zeros(4))


@pytest.mark.parametrize(
    ("function", "gradient", "x", "message"),
    [
        (square, twice, [], r"^x: expected finite numbers, at least one"),
        (square, twice, [1.0, np.inf], r"^x: expected finite numbers, at least one"),
        (
            square,
            lambda x: 2 * x[:1],
            [1.0, 2.0],
            r"^grad: expected shape \(2,\) like x, got \(1,\)",
        ),
        (square, np.ones((2, 1)), [1.0, 2.0], r"^grad: expected shape \(2,\) like x, got \(2, 1\)"),
        (twice, twice, [1.0, 2.0], r"^f: expected a single number, got shape \(2,\)"),
        (lambda x: np.nan, twice, [1.0], r"^f: expected a finite number at x, got nan"),
    ],
)
def test_functions_that_do_not_fit(function, gradient, x, message):
    with pytest.raises(ValueError, match=message):
        check_gradients(function, gradient, x)


@pytest.mark.parametrize(
    ("function", "gradient", "x", "argument"),
    [
        (square, twice, "one", "x"),
        (square, None, [1.0], "grad"),
        (lambda x: None, twice, [1.0], "f"),
        (lambda x: 1j, twice, [1.0], "f"),
    ],
)
def test_what_is_no_number(function, gradient, x, argument):
    with pytest.raises(TypeError, match=f"^{argument}: expected real numbers, got dtype"):
        check_gradients(function, gradient, x)


def test_tolerance_decides():
    def slightly_wrong(x):
        return 2 * x * (1 + 1e-6)

    assert not check_gradients(square, slightly_wrong, X).passed
    report = check_gradients(square, slightly_wrong, X, tolerance=1e-6)
    assert report.passed
    assert report.tolerance == 1e-6


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_net_is_not_changed(dtype):
    model = net(dtype=dtype)
    model.fit(X, Y)
    before, epochs, history = model.params.tobytes(), model.epochs_trained, model.history
    other = net(dtype=dtype)
    other.fit(X, Y)
    assert check_gradients(model, X, Y).passed
    assert model.params.tobytes() == before
    assert (model.epochs_trained, model.history) == (epochs, history)
    # And training goes on as it would have.
    for each in (model, other):
        each.fit(X, Y, epochs=2)
    assert model.params.tobytes() == other.params.tobytes()


def test_a_net_without_input_layer_is_built_for_the_batch():
    model = Sequential([layers.Dense(2, "softmax")], seed=0)
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert check_gradients(model, X, Y).parameters == 8
    assert model.built


@pytest.mark.parametrize(
    "arguments",
    [
        {"y": Y + 5},
        {"y": Y[:2]},
        {"x": np.full((4, 3), np.nan)},
        {"x": np.full((4, 3), 1e200)},
        {"step": "a"},
        {"tolerance": "1"},
    ],
)
def test_a_net_that_was_not_built_is_not_after_an_error(arguments):
    loss, last = (
        ("mse", None) if "x" in arguments else ("sparse_categorical_crossentropy", "softmax")
    )
    model = Sequential([layers.Dense(2, last)], seed=0, backend="numpy", dtype="float64")
    model.compile("sgd", loss)
    y = np.zeros((4, 2)) if "x" in arguments else Y
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="^(x|y|step|tolerance|model)"):
        check_gradients(model, **{"x": X, "y": y} | arguments)
    assert not model.built
    assert model.count_params() == 0
    assert model.layers[0].weights == []


def test_uint8_images():
    model = Sequential(
        [
            layers.Input((2, 3)),
            layers.Flatten(),
            layers.Rescaling(1 / 255),
            layers.Dense(2, "softmax"),
        ],
        seed=0,
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    images = np.random.default_rng(0).integers(0, 256, (4, 2, 3), np.uint8)
    assert check_gradients(model, images, Y).passed


def test_dropout_masks_of_the_step_are_held():
    model = Sequential(
        [layers.Input((3,)), layers.Dropout(0.5), layers.Dense(2, "softmax")],
        seed=0,
        dtype="float64",
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = np.random.default_rng(1).normal(size=(4, 3))
    reports = [check_gradients(model, x, Y, step=step) for step in (0, 1, 0)]
    assert all(report.passed for report in reports)
    assert reports[0].loss == reports[2].loss == model.loss_and_gradient(x, Y, step=0)[0]
    assert reports[0].loss != reports[1].loss
