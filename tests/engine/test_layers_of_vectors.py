"""LayerNormalization, RMSNormalization, Scale, PReLU and Normalization, and the ReLUs as layers."""

import copy

import numpy as np
import pytest
import torch

from fastmlp import (
    Sequential,
    check_gradients,
    initializers,
    layers,
    load_model,
    models,
    optimizers,
    regularizers,
)
from fastmlp.layers import (
    ELU,
    BatchNormalization,
    Dense,
    LayerNormalization,
    LeakyReLU,
    Normalization,
    PReLU,
    ReLU,
    Reshape,
    RMSNormalization,
    Scale,
    Softmax,
    UnitNormalization,
)
from tests.backends import ALL, COMPILED
from tests.threads import each_number_of_threads

from .nets import Scale as OfPython
from .nets import data, net
from .torch_steps import assert_200_steps_are_those_of_torch

each = pytest.mark.parametrize("backend", ALL)
X, Y = data(40)
STEPPERS = {
    "descent": (lambda: optimizers.SGD(0.02), lambda w: torch.optim.SGD(w, 0.02)),
    "adam": (
        lambda: optimizers.Adam(0.01),
        lambda w: torch.optim.Adam(w, 0.01, eps=1e-7),
    ),
}


def rich(width=7, python=False, **options):
    """A net with each of the layers, first and in the middle."""
    return net(
        Normalization(mean=0.1, variance=2.0),
        Scale(use_bias=True, scale_regularizer=regularizers.L2(0.01)),
        LayerNormalization(gamma_initializer="normal", beta_initializer="normal"),
        Dense(width), PReLU(initializers.Constant(0.2)),
        RMSNormalization(),
        *[OfPython()] * python,
        layers.Residual([Dense(width), LayerNormalization(center=False), BatchNormalization()]),
        LayerNormalization(scale=False, epsilon=0.1), Scale(trainable=False), ELU(0.7),
        LayerNormalization(center=False, scale=False),
        **options,
    )  # fmt: skip


@each
@pytest.mark.parametrize("python", [False, True], ids=["kernels", "with a layer in Python"])
def test_gradients(backend, python):
    model = rich(5, python=python, backend=backend)
    assert check_gradients(model, X[:7], Y[:7], tolerance=1e-8).passed


class Torch(torch.nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.weights = torch.nn.ParameterList(torch.tensor(w) for w in weights)

    def forward(self, x):
        scale, bias, gamma, beta, kernel, offset, alpha, rms, last, shift = self.weights
        x = torch.nn.functional.layer_norm(x * scale + bias, (6,), gamma, beta, 1e-3)
        x = torch.nn.functional.prelu(x @ kernel + offset, alpha)
        x = torch.nn.functional.rms_norm(x, (9,), rms, 1e-6)
        return x @ last + shift


@each
@pytest.mark.parametrize("stepper", STEPPERS)
def test_200_steps_are_those_of_torch(backend, stepper):
    make, of_torch = STEPPERS[stepper]
    model = net(
        Scale(use_bias=True), LayerNormalization(), Dense(9), PReLU(), RMSNormalization(),
        backend=backend, optimizer=make(),
    )  # fmt: skip
    theirs = Torch(model.get_weights())
    optimizer = of_torch(list(theirs.weights))
    assert_200_steps_are_those_of_torch(model, theirs, optimizer, X, Y)


@pytest.mark.parametrize("backend", COMPILED)
def test_the_same_bits_on_every_number_of_threads(backend, monkeypatch):
    found = set()
    for _ in each_number_of_threads(monkeypatch):
        model = rich(23, backend=backend, optimizer=optimizers.SGD(0.05))
        model.fit(X, Y, batch_size=16, epochs=2, verbose=0)
        model.compile("adamw", "sparse_categorical_crossentropy")
        model.fit(X, Y, batch_size=16, epochs=2, verbose=0)
        found.add(model.params.tobytes())
    assert len(found) == 1


def test_a_copy_trains_on_bit_for_bit(tmp_path):
    model = rich(optimizer=optimizers.Adam())
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "net")
    others = [copy.deepcopy(model), load_model(tmp_path / "net", {"OfPython": OfPython})]
    for one in (model, *others):
        one.fit(X, Y, verbose=0)
    assert {one.params.tobytes() for one in (model, *others)} == {model.params.tobytes()}


def applied(layer, x, backend="numpy"):
    model = Sequential([layers.Input(x.shape[1:]), layer], dtype="float64", backend=backend)
    return model.predict(x)


def relu(x, top, slope, start):
    """Keras' formula."""
    y = np.where(x > start, x, 0) - slope * np.maximum(start - x, 0)
    return np.where(x > start, np.minimum(y, np.inf if top is None else top), y)


@each
@pytest.mark.parametrize(
    "numbers", [(None, 0, 0), (0.7, 0, 0), (None, 0.1, 0), (None, 0, 0.3), (0.7, 0.1, 0.3),
                (0.7, 0.1, 0), (0.7, 0, 0.3), (None, 0.1, 0.3)], ids=str
)  # fmt: skip
def test_relu(backend, numbers):
    x = X.astype(float)
    np.testing.assert_allclose(
        applied(ReLU(*numbers), x, backend), relu(x, *numbers), rtol=1e-14, atol=1e-15
    )
    model = net(Dense(5), ReLU(*numbers), backend=backend)
    assert check_gradients(model, X[:5], Y[:5], tolerance=1e-8).passed


@each
def test_others_as_layers(backend):
    x = X.astype(float)
    np.testing.assert_allclose(
        applied(LeakyReLU(), x, backend), np.where(x > 0, x, 0.3 * x), rtol=1e-15
    )
    np.testing.assert_allclose(
        applied(ELU(0.5), x, backend), np.where(x > 0, x, 0.5 * np.expm1(x)), rtol=1e-14
    )
    np.testing.assert_allclose(applied(Softmax(), x, backend).sum(axis=1), 1)
    apart = net(Dense(5), Softmax(), backend=backend)
    assert check_gradients(apart, X[:5], Y[:5], tolerance=1e-8).passed


@each
def test_unit_normalization_and_identity(backend):
    x = X.astype(float)
    found = applied(UnitNormalization(), x, backend)
    np.testing.assert_allclose(found, x / np.linalg.norm(x, axis=1, keepdims=True), rtol=1e-12)
    assert not applied(UnitNormalization(), 0 * x, backend).any()
    np.testing.assert_array_equal(applied(layers.Identity(), x, backend), x)
    model = net(Dense(5), UnitNormalization(), layers.Identity(), backend=backend)
    assert check_gradients(model, X[:5], Y[:5], tolerance=1e-8).passed


def test_a_softmax_of_its_own_is_computed_with_the_loss():
    found = []
    for last in ([layers.Dense(4, "softmax")], [layers.Dense(4), Softmax()]):
        model = Sequential([layers.Input(6), *last], seed=0, dtype="float64")
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(X, Y, verbose=0)
        found.append(model.params.tobytes())
    assert found[0] == found[1]


@each
def test_reshape(backend):
    x = np.arange(24.0).reshape(2, 12)
    assert applied(Reshape((3, -1)), x, backend).shape == (2, 3, 4)
    np.testing.assert_array_equal(applied(Reshape([2, 6]), x, backend), x.reshape(2, 2, 6))
    for wrong in ((5,), (5, -1), (24, -1)):
        with pytest.raises(ValueError, match="Reshape can't make"):
            applied(Reshape(wrong), x)
    for wrong in ((), (0, 3), (-1, -1), (-2, 3), (1.5,)):
        with pytest.raises(ValueError, match="^target_shape"):
            Reshape(wrong)


class TestNormalization:
    @each
    def test_adapted(self, backend):
        x = X.astype(float) * 3 + 1
        x[:, 2] = 7
        layer = Normalization()
        layer.adapt(x)
        found = applied(layer, x, backend)
        expected = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-7)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
        layer.adapt(X)  # of a net that is built
        np.testing.assert_allclose(layer.weights["mean"], X.mean(axis=0, dtype=float))

    def test_given_and_kept(self, tmp_path):
        model = net(Normalization(mean=[1, 2, 3, 4, 5, 6], variance=4), Dense(5))
        before = [np.array(w) for w in model.non_trainable_weights]
        assert [w.tolist() for w in before] == [[1, 2, 3, 4, 5, 6], [4] * 6]
        model.fit(X, Y, verbose=0)
        model.save(tmp_path / "net")
        other = load_model(tmp_path / "net")
        assert other.predict(X).tobytes() == model.predict(X).tobytes()
        for now, then in zip(model.non_trainable_weights, before, strict=True):
            assert np.array_equal(now, then)
        assert models.clone_model(model).layers[0].mean == [1, 2, 3, 4, 5, 6]

    def test_errors(self):
        with pytest.raises(ValueError, match="^variance: expected a number for each feature"):
            Normalization(mean=3)
        with pytest.raises(ValueError, match="^variance: expected no number below 0"):
            Normalization(mean=3, variance=[-1])
        with pytest.raises(ValueError, match="^axis: expected -1"):
            Normalization(axis=0)
        with pytest.raises(RuntimeError, match="^adapt: "):
            Normalization(mean=3, variance=2).adapt(X)
        with pytest.raises(ValueError, match="^data: expected shape"):
            Normalization().adapt([1, 2])
        with pytest.raises(ValueError, match="mean: expected a number for each of 6 features"):
            net(Normalization(mean=[1, 2], variance=1))
        layer = Normalization()
        layer.adapt(X[:, :3])
        with pytest.raises(ValueError, match="expected shape"):
            net(layer)
        built = Normalization()
        net(built)
        with pytest.raises(ValueError, match="^data: the layer is built for 6 features, got 3"):
            built.adapt(X[:, :3])


@each
def test_a_variance_that_overflows_shows(backend):
    model = net(LayerNormalization(), backend=backend)
    assert np.isnan(model.predict(np.full((1, 6), 1e200) * [1, -1, 1, -1, 1, -1])).all()


@pytest.mark.parametrize("layer", [LayerNormalization, RMSNormalization])
def test_other_axes_are_refused(layer):
    for wrong in (0, 2, [1, 2], "a", None):
        with pytest.raises(ValueError, match="^axis: expected -1"):
            layer(wrong)
