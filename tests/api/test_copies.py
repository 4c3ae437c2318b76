"""Copies of nets: by copy, pickle, joblib and cloudpickle, at every stage of their lives."""

import copy
import io
import pickle

import cloudpickle
import joblib
import numpy as np
import pytest

from fastmlp import Sequential, Telemetry, layers, optimizers
from tests.backends import ALL
from tests.engine.nets import Scale, data, dense_tanh, net

X, Y = data()


def through_joblib(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


WAYS = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "cloudpickle": lambda model: cloudpickle.loads(cloudpickle.dumps(model)),
    "joblib": through_joblib,
}
OPTIMIZERS = {
    "plain": lambda: optimizers.SGD(0.1),
    "momentum": lambda: optimizers.SGD(0.05, 0.9),
    "nesterov": lambda: optimizers.SGD(0.05, 0.9, nesterov=True),
}

in_every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def make(backend="numpy", optimizer="plain", custom=False):
    hidden = [*([Scale()] if custom else []), *dense_tanh(), layers.Dropout(0.3)]
    return net(*hidden, backend=backend, optimizer=OPTIMIZERS[optimizer]())


def has_run(model):
    model.fit(X, Y, 8, 2, verbose=0, telemetry=Telemetry(every=2))
    model.predict(X[:1])
    model.evaluate(X, Y)
    return model


def assert_one_memory(model):
    """What users see of the weights is what trains."""
    assert model.params.flags.writeable
    views = [view for layer in model.layers for view in layer.weights]
    assert sum(view.size for view in views) == model.count_params()
    assert all(np.shares_memory(view, model.params) for view in views)
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    for seen, now, then in zip(views, model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(seen, now)
        assert (now != then).any()
    model.set_weights([w + 1 for w in before])
    for seen, then in zip(views, before, strict=True):
        np.testing.assert_array_equal(seen, then + 1)


@in_every_way
@pytest.mark.parametrize("custom", [False, True], ids=["builtin", "custom"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("backend", ALL)
def test_training_goes_on_as_in_the_original(backend, optimizer, custom, way):
    model = has_run(make(backend, optimizer, custom))
    before = model.params.copy()
    made = way(model)
    assert (made.steps_trained, made.epochs_trained) == (10, 2)
    assert made.history.history == model.history.history
    assert made.params.tobytes() == before.tobytes()
    histories = [net.fit(X, Y, 16, 2, verbose=0).history for net in (model, made)]
    assert histories[0] == histories[1]
    assert made.params.tobytes() == model.params.tobytes()
    assert made.predict(X).tobytes() == model.predict(X).tobytes()
    trained = model.params.copy()
    assert_one_memory(made)
    assert model.params.tobytes() == trained.tobytes()
    assert_one_memory(model)


@in_every_way
@pytest.mark.parametrize("backend", ALL)
def test_of_nets_that_have_not_run(backend, way):
    unbuilt = Sequential([layers.Dense(5), layers.Dense(4, "softmax")], seed=0, backend=backend)
    made = way(unbuilt)
    assert not made.built
    built = Sequential([layers.Input(6), layers.Dense(4, "softmax")], seed=0, backend=backend)
    for one in (unbuilt, made, built, way(built)):
        one.compile("sgd", "sparse_categorical_crossentropy")
        one.fit(X, Y, verbose=0)
        assert_one_memory(one)
    assert made.params.tobytes() == unbuilt.params.tobytes()


def test_of_copies():
    model = has_run(make(optimizer="momentum"))
    made = model
    for way in WAYS.values():
        made = way(made)
    for one in (model, made):
        one.fit(X, Y, verbose=0)
    assert made.params.tobytes() == model.params.tobytes()


def test_grow_by_themselves():
    model = has_run(make())
    made = copy.deepcopy(model)
    made.add(layers.Dense(3))
    assert len(model.layers) == len(made.layers) - 1
    assert [w.shape for w in made.get_weights()][-2:] == [(4, 3), (3,)]


def test_of_layers_belong_to_no_net_and_keep_their_weights():
    model = has_run(make(custom=True))
    for way in (copy.copy, copy.deepcopy, WAYS["pickle"]):
        alone = [way(layer) for layer in model.layers]
        for layer, original in zip(alone, model.layers, strict=True):
            for ours, theirs in zip(layer.get_weights(), original.get_weights(), strict=True):
                np.testing.assert_array_equal(ours, theirs)
            assert not any(np.shares_memory(w, model.params) for w in layer.weights)
        rebuilt = Sequential(alone, dtype="float64")
        assert rebuilt.params.tobytes() == model.params.tobytes()
        assert not np.shares_memory(rebuilt.params, model.params)


def test_of_layers_that_do_not_fit_their_weights_are_refused():
    dense = copy.copy(make().layers[0])
    with pytest.raises(ValueError, match=r"dense/kernel: expected shape \(2, 7\), got \(6, 7\)"):
        Sequential([layers.Input(2), dense])


def fitted(model):
    model.fit(X, Y, verbose=0)
    return model


def test_in_other_processes():
    models = [make(backend="numpy", custom=custom) for custom in (False, True)]
    with joblib.parallel_config("loky", n_jobs=2):
        made = joblib.Parallel()(joblib.delayed(fitted)(model) for model in models)
    for one, model in zip(made, models, strict=True):
        assert one.params.tobytes() == fitted(model).params.tobytes()
        assert_one_memory(one)
