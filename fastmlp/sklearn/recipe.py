"""How the net of an estimator is made: its layers, and scikit-learn's first weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .. import activations, layers, regularizers
from ..model import Sequential
from ..runtime.tensors import Array

# Of each dense layer (inputs, units) and (units,).
Weights = list[tuple[Array, Array]]


@dataclass(frozen=True)
class Recipe:
    """All that a net is made by, apart from its weights.

    Attributes
    ----------
    features, outputs : int
    hidden : tuple of int
        The units of each hidden layer.
    hidden_activations : tuple of Activation, one for each hidden layer
    first_activation : Activation
        What the width of the first weights goes by, where there is no hidden layer.
    dropout : tuple of float, one for each hidden layer
    batch_norm, layer_norm : bool
    output : {"linear", "sigmoid", "softmax", "exponential"}
    dtype, backend : str
    """

    features: int
    hidden: tuple[int, ...]
    outputs: int
    hidden_activations: tuple[activations.Activation, ...]
    first_activation: activations.Activation
    dropout: tuple[float, ...]
    batch_norm: bool
    layer_norm: bool
    output: str
    dtype: str
    backend: str

    def make(self, seed: int, penalty: regularizers.L1L2 | None) -> Sequential:
        """Return a net whose weights are all 0, and those of normalizations as in Keras.

        The penalty is that of all weights, without the intercepts.
        """

        def dense(units: int, function: str | activations.Activation | None) -> layers.Dense:
            return layers.Dense(
                units, function, kernel_initializer="zeros", kernel_regularizer=penalty
            )

        stack: list[layers.Layer] = [layers.Input((self.features,))]
        for units, function, rate in zip(
            self.hidden, self.hidden_activations, self.dropout, strict=True
        ):
            if self.batch_norm or self.layer_norm:
                kind = layers.BatchNormalization if self.batch_norm else layers.LayerNormalization
                stack += [dense(units, None), kind(), layers.Activation(function)]
            else:
                stack.append(dense(units, function))
            if rate:
                stack.append(layers.Dropout(rate))
        stack.append(dense(self.outputs, self.output))
        return Sequential(stack, seed=seed, dtype=self.dtype, backend=self.backend)

    def draw(self, random: np.random.RandomState) -> tuple[int, Weights]:
        """Return a seed, and the first weights and intercepts of each dense layer.

        The numbers that scikit-learn draws from the same random state: uniform in ``+-bound``, the
        intercepts too, with ``bound**2 = 6 / (inputs + units)``, or 2 in place of 6 for the
        logistic function (Glorot & Bengio, 2010).  The output layer is drawn as the hidden layer
        before it.
        """
        drawn = []
        functions = [*self.hidden_activations]
        functions.append(functions[-1] if functions else self.first_activation)
        sizes = pairwise([self.features, *self.hidden, self.outputs])
        for (inputs, units), function in zip(sizes, functions, strict=True):
            factor = 2.0 if function.name == "sigmoid" else 6.0
            bound = np.sqrt(factor / (inputs + units))
            kernel = random.uniform(-bound, bound, (inputs, units))
            drawn.append((kernel, random.uniform(-bound, bound, units)))
        return int(random.randint(np.iinfo(np.int32).max)), drawn

    def new(self, seed: int, weights: Weights, penalty: regularizers.L1L2 | None) -> Sequential:
        """Return a net with first weights."""
        net = self.make(seed, penalty)
        for layer, (kernel, intercept) in zip(dense_layers(net), weights, strict=True):
            assert layer.bias is not None
            layer.kernel[...] = kernel
            layer.bias[...] = intercept
        return net

    def remake(self, net: Sequential, penalty: regularizers.L1L2 | None) -> Sequential:
        """Return a net by this recipe that goes on where another one of the same shapes is."""
        other = self.make(net.seed, penalty)
        other.set_weights(net.get_weights())
        other._state.steps, other._state.epochs = net._state.steps, net._state.epochs
        return other

    def check_fits(self, other: "Recipe") -> None:
        """Raise ValueError if a net by the other recipe has weights of other shapes."""
        for argument, mine, others in (
            ("hidden_layer_sizes", list(self.hidden), list(other.hidden)),
            ("batch_norm", self.batch_norm, other.batch_norm),
            ("layer_norm", self.layer_norm, other.layer_norm),
            ("y", f"{self.outputs} outputs", f"{other.outputs} outputs"),
        ):
            if mine != others:
                raise ValueError(
                    f"{argument}: the net that is to be trained further was made with {others}, "
                    f"got {mine}; with warm_start=False, fit makes a new one"
                )


def dense_layers(net: Sequential) -> Sequence[layers.Dense]:
    """Return the layers that have the coefficients."""
    return [layer for layer in net.layers if isinstance(layer, layers.Dense)]
