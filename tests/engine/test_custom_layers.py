"""A layer written in Python, trained among built-in ones."""

import numpy as np
import pytest

from fastmlp import check_gradients, layers, optimizers
from fastmlp.layers import Layer
from tests.backends import ALL

from .nets import Scale, data, dense_tanh, net

backends = pytest.mark.parametrize("backend", ALL)


class PythonDense(Layer):
    """What layers.Dense does, in NumPy."""

    def __init__(self, units, name=None):
        super().__init__(name)
        self.units = units

    def build(self, input_shape):
        self.add_weight("kernel", (*input_shape, self.units), transposed=True)
        self.add_weight("bias", (self.units,), "zeros")

    def output_shape(self, input_shape):
        return (self.units,)

    def forward(self, x, training):
        self.x = x.copy()
        return x @ self.weights["kernel"] + self.weights["bias"]

    def backward(self, dy):
        gradients = {"kernel": self.x.T @ dy, "bias": dy.sum(axis=0)}
        return dy @ self.weights["kernel"].T, gradients


class PythonTanh(Layer):
    def forward(self, x, training):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        return dy * (1 - self.y**2), {}


class Image(Layer):
    """Sees samples in their shape, and flattens them in an order of its own."""

    def output_shape(self, input_shape):
        return (input_shape[0] * input_shape[1],)

    def forward(self, x, training):
        self.shape = x.shape
        return x.transpose(0, 2, 1).reshape(len(x), -1)

    def backward(self, dy):
        n, height, width = self.shape
        return dy.reshape(n, width, height).transpose(0, 2, 1), {}


OPTIMIZERS = [optimizers.SGD(0.1), optimizers.SGD(0.05, 0.9, nesterov=True)]


@backends
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=["plain", "nesterov"])
def test_python_layers_train_like_the_builtin_ones(backend, optimizer):
    x, y = data()
    builtin = net(*dense_tanh(), backend=backend, optimizer=optimizer)
    custom = net(
        PythonDense(7), PythonTanh(), PythonDense(5), PythonTanh(), backend=backend,
        optimizer=optimizer,
    )  # fmt: skip
    assert custom.count_params() == builtin.count_params()
    custom.set_weights(builtin.get_weights())
    histories = [
        model.fit(x, y, batch_size=8, epochs=10, validation_data=(x, y), verbose=0).history
        for model in (builtin, custom)
    ]
    # 50 steps of some tens of roundings, amplified tenfold.
    np.testing.assert_allclose(custom.params, builtin.params, rtol=0, atol=1e-12)
    for figure, values in histories[0].items():
        np.testing.assert_allclose(histories[1][figure], values, rtol=1e-12)
    np.testing.assert_allclose(custom.predict(x), builtin.predict(x), rtol=1e-11)
    assert check_gradients(custom, x, y).passed


@backends
def test_samples_come_in_their_shape(backend):
    images = np.random.default_rng(0).standard_normal((9, 3, 2))
    labels = np.arange(9) % 4
    model = net(Image(), layers.Dense(5, "tanh"), features=(3, 2), backend=backend)
    flat = net(layers.Dense(5, "tanh"), backend=backend)
    images_as_rows = images.transpose(0, 2, 1).reshape(9, -1)
    np.testing.assert_allclose(model.predict(images), flat.predict(images_as_rows), rtol=1e-13)
    model.fit(images, labels, verbose=0)
    flat.fit(images_as_rows, labels, verbose=0)
    np.testing.assert_allclose(model.params, flat.params, atol=1e-14, rtol=0)


@backends
def test_forward_is_told_whether_the_net_is_training(backend):
    seen = []

    class Witness(Layer):
        def forward(self, x, training):
            seen.append(training)
            return x

        def backward(self, dy):
            return dy, {}

    x, y = data(4)
    model = net(Witness(), backend=backend)
    for call, expected in [
        (lambda: model.fit(x, y, verbose=0), True),
        (lambda: model.loss_and_gradient(x, y), True),
        (lambda: model.predict(x), False),
        (lambda: model.evaluate(x, y), False),
    ]:
        seen.clear()
        call()
        assert seen == [expected]


@backends
def test_weights_of_custom_layers_are_live(backend):
    x, y = data()
    model = net(Scale(), *dense_tanh(), backend=backend)
    scale = model.layers[0]
    before = scale.weights["scale"].copy()
    model.fit(x, y, verbose=0)
    assert (scale.weights["scale"] != before).all()
    np.testing.assert_array_equal(scale.weights["scale"], model.get_weights()[0])
    np.testing.assert_array_equal(scale.weights["scale"], model.params[:6])


class Broken(Scale):
    """Makes one mistake."""

    def __init__(self, mistake):
        super().__init__("broken")
        self.mistake = mistake

    def forward(self, x, training):
        y = super().forward(x, training)
        return y[:, :-1] if self.mistake == "outputs" else y

    def backward(self, dy):
        dx, gradients = super().backward(dy)
        if self.mistake == "dx":
            return dx[:-1], gradients
        if self.mistake == "missing":
            return dx, {}
        if self.mistake == "shape":
            return dx, {"scale": gradients["scale"][:-1]}
        return dx, gradients


@backends
@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ("outputs", r"'broken'>?\.forward: expected outputs of shape \(37, 6\), got \(37, 5\)"),
        ("dx", r"'broken'>?\.backward: expected dL/dx of shape \(37, 6\), got \(36, 6\)"),
        ("missing", r"'broken'>?\.backward: no gradient for 'scale'"),
        ("shape", r"'broken'>?\.backward: expected dL/dscale of shape \(6,\), got \(5,\)"),
    ],
)
def test_mistakes_are_named(backend, mistake, message):
    x, y = data()
    model = net(Broken(mistake), backend=backend)
    with pytest.raises(ValueError, match=message):
        model.fit(x, y, batch_size=64, verbose=0)


@backends
@pytest.mark.parametrize("wrap", [lambda dy: dy, lambda dy: (dy,), lambda dy: (dy, dy)])
def test_backward_returns_a_pair(backend, wrap):
    class Alone(Layer):
        def forward(self, x, training):
            return x

        def backward(self, dy):
            return wrap(dy)

    x, y = data()
    message = r"'alone'>?\.backward: expected dL/dx and a dict of gradients"
    with pytest.raises(TypeError, match=message):
        net(Alone(), backend=backend).fit(x, y, verbose=0)


@backends
def test_methods_that_are_missing_are_named(backend):
    class Empty(Layer):
        pass

    x, y = data()
    with pytest.raises(NotImplementedError, match=r"Empty\.forward"):
        net(Empty(), backend=backend).fit(x, y, verbose=0)
