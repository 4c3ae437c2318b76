"""Every backend trains the same net to the same numbers."""

from copy import deepcopy

import numpy as np
import pytest

from fastmlp import optimizers
from tests.backends import ALL, COMPILED

from .nets import data, net
from .test_gradients import NETS, batch, randomized

EPSILON = {"float32": 2.0**-23, "float64": 2.0**-52}
EPOCHS, BATCH_SIZE = 10, 4  # three steps an epoch, the last of one sample

OPTIMIZERS = {
    "plain": optimizers.SGD(0.1),
    "momentum": optimizers.SGD(0.05, 0.9),
    "nesterov": optimizers.SGD(0.05, 0.9, nesterov=True),
}


SLOWER = {"log_softmax": 0.1}  # its outputs are not bounded below: it diverges


def trained(name, backend, dtype, optimizer):
    hidden, options = NETS[name]
    rule = deepcopy(OPTIMIZERS[optimizer])
    rule.learning_rate = rule.learning_rate * SLOWER.get(name, 1)
    model = randomized(net(*hidden(), backend=backend, dtype=dtype, optimizer=rule, **options))
    before = model.params.copy()
    history = model.fit(*batch(options), batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0)
    assert np.abs(model.params - before).max() > 0.01
    return model, history.history


@pytest.mark.parametrize("compiled", COMPILED)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", NETS)
def test_a_training_run(name, optimizer, compiled):
    by_compiled, by_numpy = (
        trained(name, backend, "float64", optimizer) for backend in (compiled, "numpy")
    )
    # 30 steps of some tens of roundings each, amplified a hundredfold at most.
    allowed = 30 * 30 * 100 * EPSILON["float64"]
    largest = np.abs(by_numpy[0].params).max()
    assert np.abs(by_compiled[0].params - by_numpy[0].params).max() <= allowed * largest
    assert by_compiled[1].keys() == by_numpy[1].keys()
    for figure, values in by_numpy[1].items():
        np.testing.assert_allclose(by_compiled[1][figure], values, rtol=allowed)


# Nets without a kink: there float32 runs would part where a value is within rounding of it.
@pytest.mark.parametrize("compiled", COMPILED)
@pytest.mark.parametrize(
    "name", ["deep", "wide", "no bias", "targets", "squares", "rescaled", "dropout", "custom"]
)
def test_a_training_run_in_float32(name, compiled):
    by_compiled, by_numpy = (
        trained(name, backend, "float32", "plain")[0] for backend in (compiled, "numpy")
    )
    difference = np.abs(by_compiled.params - by_numpy.params).max()
    # 30 steps, each with some roundings of the weights: 10 a step, if errors never cancel.
    assert difference <= 300 * EPSILON["float32"] * np.abs(by_numpy.params).max()


@pytest.mark.parametrize("compiled", COMPILED)
@pytest.mark.parametrize("name", NETS)
def test_predict_and_evaluate(name, compiled):
    hidden, options = NETS[name]
    x, y = batch(options)
    outputs, figures = [], []
    for backend in (compiled, "numpy"):
        model = randomized(net(*hidden(), backend=backend, **options))
        outputs.append(model.predict(x))
        figures.append(model.evaluate(x, y, return_dict=True))
    np.testing.assert_allclose(*outputs, rtol=1e-12, atol=1e-14)
    assert figures[0] == pytest.approx(figures[1], rel=1e-12)


@pytest.mark.parametrize("backend", ALL)
def test_evaluate_agrees_with_predict(backend):
    x, labels = data(300)  # more than two of evaluate's batches
    model = net(*NETS["deep"][0](), backend=backend)
    probabilities = model.predict(x)
    loss, accuracy = model.evaluate(x, labels)
    assert loss == pytest.approx(-np.log(probabilities[np.arange(300), labels]).mean(), rel=1e-12)
    assert accuracy == np.mean(probabilities.argmax(axis=1) == labels)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-14)
