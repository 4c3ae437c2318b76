"""What is set on a net, a layer or an optimizer has its effect, or is refused."""

import numpy as np
import pytest

from fastmlp import Sequential, activations, optimizers
from fastmlp.kernels.contract import Activation
from fastmlp.layers import Dense, Dropout, Flatten, Input, Layer, Rescaling
from tests.engine.nets import Scale, data, net

X, Y = data()

MODEL = ["layers", "loss", "optimizer", "metrics", "seed", "dtype", "backend", "params"]
MODEL += ["epochs_trained", "steps_trained", "built", "learning_rate", "metrcs", "fit"]


@pytest.mark.parametrize("name", MODEL)
def test_of_a_net(name):
    model = net(Dense(3))
    with pytest.raises(AttributeError, match=rf"^{name}: <Sequential"):
        setattr(model, name, False)
    model.fit(X, Y, verbose=0)


def test_of_a_net_that_take_effect():
    model = net(Dense(3))
    model.name, model.history, model.trainable = "mine", None, True
    assert repr(model).startswith("<Sequential 'mine'")
    with pytest.raises(TypeError, match="^this list shows what there is"):
        model.layers.append(Dense(3))


LAYERS = {
    Dense(3): ["units", "activation", "use_bias", "kernel_regularizer", "bias_initializer"],
    Dropout(0.1): ["seed"],  # its rate may change at any time
    Rescaling(0.1): ["scale", "offset"],
    Input(3): ["shape"],
    Flatten(): [],
}


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_of_layers(layer):
    for name in [*LAYERS[layer], "name", "weights", "activatoin", "forward"]:
        before = dict(vars(layer))
        with pytest.raises(AttributeError, match=rf"^{name}: <"):
            setattr(layer, name, 0.25)
        assert vars(layer) == before


def test_of_a_layer_of_ones_own_are_free():
    layer = Scale()
    layer.anything = 1
    with pytest.raises(TypeError, match="set_weights"):
        layer.weights["scale"] = 1

    class LikeKeras(Dense):
        def call(self, x):
            return x

    class Own(Layer):
        def call(self, x):
            return x * 2

    class Computes(Dense):
        def call(self, x):
            return super().call(x) * 2

    with pytest.raises(TypeError, match=r"expected to return what super\(\)\.call"):
        net(LikeKeras(3))
    with pytest.raises(TypeError, match=r"method call\(\)"):
        net(Own())
    with pytest.raises(TypeError, match=r"stand for arrays .* forward\(x, training\)"):
        net(Computes(3))


def test_of_an_optimizer():
    optimizer = optimizers.SGD(0.1)
    with pytest.raises(AttributeError, match=r"^lr: .*learning_rate"):
        optimizer.lr = 0.2
    for wrong in (None, 0, "no"):
        with pytest.raises(TypeError, match="^nesterov: expected True or False"):
            optimizers.SGD(0.1, 0.9, nesterov=wrong)


@pytest.mark.parametrize(
    ("name", "kind"), [("mine", None), ("mine", 99), ("softmax", Activation.RELU)]
)
def test_activations_made_by_hand_are_consistent(name, kind):
    with pytest.raises(ValueError, match="^kind: expected"):
        activations.Activation(name, kind)


@pytest.mark.parametrize("place", ["x", "y", "list", "few", "validation", "weights"])
def test_masks_are_not_ignored(place):
    model = net(Dense(3))
    model.predict(X[:2].astype(float))
    masked = np.ma.array(X.astype(float), mask=X > 2)
    labels = np.ma.array(Y, mask=Y > 2)
    calls = {
        "x": lambda: model.fit(masked, Y, verbose=0),
        "y": lambda: model.fit(X, labels, verbose=0),
        "list": lambda: model.predict(list(masked)),
        "few": lambda: model.predict(np.ma.array(X[:2].astype(float), mask=True)),
        "validation": lambda: model.fit(X, Y, verbose=0, validation_data=(masked, Y)),
        "weights": lambda: model.set_weights(
            [np.ma.array(w, mask=True) for w in model.get_weights()]
        ),
    }
    with pytest.raises(TypeError, match=r"masked entries.*\.filled"):
        calls[place]()
    np.testing.assert_array_equal(model.predict(np.ma.array(X)), model.predict(X))


def test_a_name_is_declared_once_and_in_build():
    class Twice(Layer):
        def build(self, input_shape):
            self.add_weight("a", (2,))
            self.add_weight("a", (3,))

    class Early(Layer):
        def __init__(self):
            super().__init__()
            self.add_weight("a", (2,))

    with pytest.raises(ValueError, match="declared a weight 'a' already"):
        net(Twice())
    with pytest.raises(RuntimeError, match="^add_weight: .*in build only"):
        Early()


@pytest.mark.parametrize(
    ("kind", "name"),
    [(Sequential, "train_step"), (Sequential, "call"), (optimizers.SGD, "update_step")],
)
def test_methods_that_keras_would_call_are_refused(kind, name):
    with pytest.raises(TypeError, match=rf"^Own\.{name}: it would never be called; "):
        type("Own", (kind,), {name: lambda self, data: data})
    type("Own", (kind,), {"of_my_own": lambda self: 1})
