"""What layers share that give as many features as they get."""

from ..runtime.tensors import Shape
from .base import Layer


class OfFeatures(Layer):
    """A layer of samples that are rows of features: what comes out has the shape of what comes."""

    def output_shape(self, input_shape: Shape) -> Shape:
        self._check_features(input_shape)
        return input_shape
