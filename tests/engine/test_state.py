"""Steps are counted truly; an error leaves a net as it was before the step, or the call."""

import copy
import pickle

import numpy as np
import pytest

from fastmlp import Sequential, Telemetry, check_gradients, layers, load_model, optimizers
from tests.api.refusal import state
from tests.backends import ALL

from .nets import Scale, data, dense_tanh, net

each = pytest.mark.parametrize("backend", ALL)
X, Y = data()


@each
def test_steps_go_on_with_another_batch_size(backend):
    model = net(*dense_tanh(), layers.Dropout(0.5), backend=backend)
    telemetry = Telemetry(every=1)
    for batch_size, epochs in [(8, 2), (16, 3), (37, 1), (1, 1)]:
        model.fit(X, Y, batch_size, epochs, verbose=0, telemetry=telemetry)
    assert telemetry.steps == list(range(5 * 2 + 3 * 3 + 1 + 37))
    assert model.steps_trained == len(telemetry.steps)


@each
def test_masks_are_those_of_the_step(backend):
    model = net(layers.Dropout(0.5), backend=backend, optimizer=optimizers.SGD(0.1))
    model.fit(X, Y, 8, 2, verbose=0)
    model.fit(X, Y, 16, 1, verbose=0)
    step, before = model.steps_trained, model.get_weights()
    _, gradients = model.loss_and_gradient(X, Y, step=step)
    model.fit(X, Y, 37, 1, verbose=0, shuffle=False)
    for now, then, gradient in zip(model.get_weights(), before, gradients, strict=True):
        np.testing.assert_allclose(now, then - 0.1 * gradient, rtol=1e-12, atol=1e-14)


@each
def test_a_fit_may_be_split(backend):
    nets = [
        net(*dense_tanh(), layers.Dropout(0.5), backend=backend, optimizer=optimizers.SGD(0.1, 0.9))
        for _ in range(2)
    ]
    nets[0].fit(X, Y, 8, 4, verbose=0)
    for _ in range(4):
        nets[1].fit(X, Y, 8, 1, verbose=0)
    assert nets[0].params.tobytes() == nets[1].params.tobytes()


@each
@pytest.mark.parametrize(
    "make",
    [
        optimizers.Adam,
        lambda: optimizers.Adam(amsgrad=True),
        optimizers.Adamax,
        optimizers.Nadam,
    ],
)
def test_what_corrects_for_a_beginning_at_0_counts_from_there(backend, make, tmp_path):
    old, fresh = (net(*dense_tanh(), backend=backend, optimizer=make()) for _ in range(2))
    old.fit(X, Y, 8, 2, verbose=0)
    fresh.set_weights(old.get_weights())
    old.compile(make(), old.loss)
    for model in (old, fresh):
        model.fit(X, Y, 8, 2, verbose=0, shuffle=False)
    assert old.params.tobytes() == fresh.params.tobytes()
    old.save(tmp_path / "net")
    copies = [copy.deepcopy(old), pickle.loads(pickle.dumps(old)), load_model(tmp_path / "net")]
    for model in (old, *copies):
        model.fit(X, Y, 8, 1, verbose=0)
        assert model.params.tobytes() == old.params.tobytes()


class Failing(Scale):
    """Raises at a certain call of one of its methods."""

    def __init__(self, method, at):
        super().__init__()
        self.method, self.at = method, at

    def fails(self, method):
        if method == self.method:
            self.at -= 1
            if self.at < 0:
                raise ZeroDivisionError

    def forward(self, x, training):
        self.fails("forward")
        return super().forward(x, training)

    def backward(self, dy):
        self.fails("backward")
        return super().backward(dy)


@each
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("method", ["forward", "backward"])
def test_no_half_step_is_left(backend, method, momentum):
    def make(layer):
        hidden = [layers.Dense(6, "tanh"), layer, layers.Dense(5, "tanh")]
        return net(*hidden, backend=backend, optimizer=optimizers.SGD(0.1, momentum))

    broken, whole = make(Failing(method, 3)), make(Scale())
    with pytest.raises(ZeroDivisionError):
        broken.fit(X, Y, 8, verbose=0, shuffle=False)
    whole.fit(X[:24], Y[:24], 8, verbose=0, shuffle=False)
    assert broken.params.tobytes() == whole.params.tobytes()
    assert broken.steps_trained == 3
    assert broken._state.moments.tobytes() == whole._state.moments.tobytes()


def unbuilt(backend, *hidden, **options):
    model = Sequential([*hidden, layers.Dense(4, "softmax")], seed=0, backend=backend, **options)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@each
def test_an_error_leaves_an_unbuilt_net_unbuilt(backend):
    for call in (
        lambda model: check_gradients(model, X, Y[:-1]),
        lambda model: check_gradients(model, X, Y),
        lambda model: model.fit(X, Y, verbose=0),
        lambda model: model.predict(X),
        lambda model: model.evaluate(X, Y),
    ):
        model = unbuilt(backend, Failing("forward", 0))
        before = state(model)
        with pytest.raises((ValueError, ZeroDivisionError)):
            call(model)
        assert state(model) == before
        assert not any(layer.weights or layer.declared for layer in model.layers)


@each
def test_an_error_at_the_first_step_leaves_history(backend):
    model = net(Failing("backward", 5), backend=backend)
    model.fit(X, Y, 8, verbose=0)
    before = state(model)
    with pytest.raises(ZeroDivisionError):
        model.fit(X, Y, 8, verbose=0)
    assert state(model) == before


@each
def test_the_largest_sizes_are_all_of_the_data(backend):
    large, whole = (net(*dense_tanh(), backend=backend) for _ in range(2))
    before = state(large)
    with pytest.raises(ValueError, match="^batch_size: expected a positive integer"):
        large.fit(X, Y, 2**63, verbose=0)
    assert state(large) == before
    large.fit(X, Y, 2**62, verbose=0, telemetry=Telemetry(every=2**62))
    whole.fit(X, Y, len(X), verbose=0)
    assert large.params.tobytes() == whole.params.tobytes()


class Weird(layers.Layer):
    def __init__(self, initializer):
        super().__init__("weird")
        self.initializer = initializer

    def build(self, input_shape):
        self.add_weight("w", input_shape, self.initializer)


INITIALIZERS = {
    "None": lambda shape, *_: None,
    "NaN": lambda shape, *_: np.full(shape, np.nan),
    "too large": lambda shape, *_: np.full(shape, 1e300),
    "shape": lambda shape, *_: np.zeros(2),
    "scalar": lambda shape, *_: 0.0,
    "dtype": lambda shape, *_: np.zeros(shape, complex),
    "masked": lambda shape, *_: np.ma.array(np.zeros(shape), mask=True),
}


@pytest.mark.parametrize("fault", INITIALIZERS)
def test_initializers_are_checked_by_name(fault):
    wrong = INITIALIZERS[fault]
    made = {
        "weird/w": Weird(wrong),
        "dense/kernel": layers.Dense(3, kernel_initializer=wrong),
        "dense/bias": layers.Dense(3, bias_initializer=wrong),
    }
    for name, layer in made.items():
        model = Sequential([layers.Input(6), layers.Dense(6, name="first")], seed=0)
        before = state(model), layer.name
        with pytest.raises((TypeError, ValueError), match=f"^{name}: the initializer <lambda>: "):
            model.add(layer)
        assert (state(model), layer.name) == before
        assert not layer.weights
        model.add(layers.Dense(3))


def test_weights_are_set_from_views_of_themselves():
    model = Sequential([layers.Input(4), layers.Dense(4), layers.Dense(4)], seed=0)
    kernel, bias, kernel_1, bias_1 = model.get_weights()
    first, second = (layer.weights for layer in model.layers)
    model.set_weights([second["kernel"], first["bias"], first["kernel"], second["bias"]])
    for now, expected in zip(model.get_weights(), [kernel_1, bias, kernel, bias_1], strict=True):
        np.testing.assert_array_equal(now, expected)


@each
def test_workspaces_are_not_kept_for_ever(backend):
    model = net(layers.Dense(64, "tanh"), backend=backend)
    x, y = data(6000)
    sizes = []
    for count in range(1000, 6000, 500):
        model.loss_and_gradient(x[:count], y[:count])
        kept = model._ready_engine()._workspaces.values()
        sizes.append(sum(workspace.bytes for workspace in kept))
    largest = 2 * 5504 * 8 * model._ready_engine().plan.features
    assert 0 < max(sizes) <= (32 << 20) + largest  # all ten would take 76 MB
    workspace = model._ready_engine().workspace(5500)
    assert model._ready_engine().workspace(5500) is workspace


class Dense2(layers.Dense):
    """Twice the linear output."""

    def forward(self, x, training):
        self.x = x.copy()
        return 2 * (x @ self.weights["kernel"] + self.weights["bias"])

    def backward(self, dy):
        gradients = {"kernel": 2 * self.x.T @ dy, "bias": 2 * dy.sum(axis=0)}
        return 2 * dy @ self.weights["kernel"].T, gradients


@each
def test_a_subclass_with_a_forward_of_its_own_is_run(backend):
    model, plain = (net(kind(5), backend=backend) for kind in (Dense2, layers.Dense))
    kernel, bias, *rest = model.get_weights()
    plain.set_weights([2 * kernel, 2 * bias, *rest])
    np.testing.assert_allclose(model.predict(X), plain.predict(X), rtol=1e-12)
    assert check_gradients(model, X, Y).passed


@each
@pytest.mark.parametrize("method", ["forward", "backward"])
def test_what_a_layer_is_given_is_read_only(backend, method):
    class Writes(Scale):
        def forward(self, x, training):
            if method == "forward":
                x *= 2
            return super().forward(x, training)

        def backward(self, dy):
            dy *= 2
            return super().backward(dy)

    with pytest.raises(ValueError, match="read-only"):
        net(Writes(), backend=backend).fit(X, Y, verbose=0)
