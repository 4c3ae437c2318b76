"""What every layer has, and what a user's own layer fills in."""

import functools
import re
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .. import constraints, initializers, regularizers
from ..runtime.arguments import items, positive_integer, real_array, shape_of, shown, truth
from ..runtime.arrays import finite
from ..runtime.attributes import assign, fixed, refuse, unknown
from ..runtime.configuration import Configurable
from ..runtime.lowering import Buffer, Builder
from ..runtime.tensors import Array, Shape, Vectors, Weight
from .call import Placeholder
from .weights import Weights


class Layer(Configurable):
    """A step of a net; subclass it to write your own in Python.

    A layer of your own declares its tensors in :meth:`build` with :meth:`add_weight`, finds
    them in ``self.weights`` by name, and computes in :meth:`forward` and :meth:`backward`.
    The net then runs layer by layer, with the same kernels for all its other layers.

    A subclass of a layer that comes with fastmlp, such as :class:`Dense`, is run in Python as soon
    as it has a ``forward`` or a ``backward`` of its own: it then computes all of its outputs, the
    activation included.

    The settings of the layers that come with fastmlp are fixed when a layer is made.  A copy of a
    layer belongs to no net; put into one, it keeps its weights.

    Parameters
    ----------
    name : str, optional
        For messages and tables; by default the class's name, numbered.
    input_shape : tuple of int, optional
        Of one sample, without the batch: the first layer of a net may say it in place of an
        :class:`Input`.  Elsewhere it must be what the layer gets.
    input_dim : int, optional
        The same as ``input_shape=(input_dim,)``.
    trainable : bool
        Whether the optimizer changes the weights. It is an attribute, too, and counts from the
        next :meth:`fastmlp.Sequential.compile` on. Of a layer with False, weights, penalties and
        constraints stay out of a step, and :class:`BatchNormalization` uses and keeps its running
        statistics; gradients go through it.
    activity_regularizer : str or fastmlp.regularizers.L1L2, optional
        A penalty on the layer's outputs, summed over the samples of a batch and divided by their
        number, that is added to the loss.

    Examples
    --------
    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.add_weight("scale", input_shape, "ones")
    ...
    ...     def forward(self, x, training):
    ...         self.x = x.copy()
    ...         return x * self.weights["scale"]
    ...
    ...     def backward(self, dy):
    ...         return dy * self.weights["scale"], {"scale": (dy * self.x).sum(axis=0)}
    """

    # The public attributes of a class of layers that kernels exist for; a user's own has none.
    _settings: ClassVar[tuple[str, ...]] = ("name", "activity_regularizer")

    _known: ClassVar[frozenset[str]] = frozenset(_settings)  # with those of the classes it is of

    name: str
    _given_name: str | None
    _given_shape: Shape | None
    _declared: list[Weight]
    _weights: dict[str, Array]
    _in_use = False  # whether it is part of a net that is built
    _home: Vectors | None = None  # of the net in whose memory its weights lie
    _built_shape: Shape | None = None  # of the inputs that its weights were made for
    _building = False
    trainable: bool = True
    activity_regularizer: regularizers.L1L2 | None = None
    _learns = True  # whether it is trained in the net whose rows were written last

    _not_attributes: ClassVar[tuple[str, ...]] = ("input_shape", "input_dim")

    def __init__(
        self,
        name: str | None = None,
        *,
        input_shape: int | Shape | None = None,
        input_dim: int | None = None,
        trainable: bool = True,
        activity_regularizer: str | regularizers.L1L2 | None = None,
    ) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name: expected a string, got {shown(name)}")
        if input_dim is not None:
            if input_shape is not None:
                raise ValueError("input_dim: not together with input_shape")
            input_shape = (positive_integer("input_dim", input_dim),)
        elif isinstance(input_shape, int):
            input_shape = (input_shape,)
        shape = None if input_shape is None else shape_of("input_shape", input_shape)
        if shape == ():
            raise ValueError("input_shape: expected a tuple of positive integers, got ()")
        assign(
            self,
            _given_shape=shape,
            _given_name=name,
            name=name or _snake_case(type(self).__name__),
            activity_regularizer=regularizers.get("activity_regularizer", activity_regularizer),
            _declared=[],
            _weights={},
        )
        if not truth("trainable", trainable):
            assign(self, trainable=False)  # for those inside, a subclass does that

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._known = frozenset(s for kind in cls.__mro__ for s in vars(kind).get("_settings", ()))

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute, unless it would have no effect on a net that is built already."""
        if name == "trainable":
            value = truth(name, value)
            for layer in self.nested:
                layer.trainable = value
            assign(self, trainable=value)
            return
        if name in ("weights", "declared"):
            raise refuse(self, name, "declares its weights in build, with add_weight")
        known = self._known
        if name in known and name in vars(self):
            raise fixed(self, name)
        if self.is_fixed and name not in known and not name.startswith("_"):
            raise unknown(self, name, known)
        object.__setattr__(self, name, value)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy needs: weights of its own, and no place in a net."""
        weights = {name: np.array(view) for name, view in self._weights.items()}
        return vars(self) | {"_weights": weights, "_in_use": False, "_home": None}

    @property
    def is_fixed(self) -> bool:
        """Whether it is of a class that comes with fastmlp, whose attributes are its settings."""
        return type(self) is not Layer and "_settings" in vars(type(self))

    @property
    def weights(self) -> Weights:
        """The weights, in order or by name: views of the memory that training changes.

        Those of nested layers come behind, under names such as ``"dense/kernel"``.
        """
        nested = {name: view for layer in self.nested for name, view in layer._views()}
        return Weights({**self._weights, **nested})

    @property
    def declared(self) -> tuple[Weight, ...]:
        """The tensors that :meth:`build` declared."""
        return tuple(self._declared)

    def build(self, input_shape: Shape) -> None:
        """Declare the weights for inputs of ``input_shape``, which excludes the batch."""

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of one output for inputs of ``input_shape``.

        Raises
        ------
        ValueError
            If the layer cannot take such inputs.
        """
        return input_shape

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        """Add the layer's rows to a plan, from the buffer ``x`` to the one that is returned.

        A layer written in Python becomes one row that calls it.
        """
        return builder.python_row(self, x)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the outputs (n, *output_shape) for ``x`` (n, *input_shape).

        ``x`` is a read-only view of memory that is used again: copy what :meth:`backward` needs.
        """
        raise NotImplementedError(_missing(self, "forward", "(x, training)"))

    def backward(self, dy: Array) -> tuple[Array, dict[str, Array]]:
        """Return dL/dx, and dL/dw for each weight by name, given dL/dy.

        It follows the :meth:`forward` of the same batch. ``dy`` is read-only and already divided
        by the batch's size, so weights' gradients are sums over the batch.
        """
        raise NotImplementedError(_missing(self, "backward", "(dy)"))

    def add_weight(
        self,
        name: str,
        shape: Shape,
        initializer: initializers.Given = "glorot_uniform",
        *,
        fan_in: int | None = None,
        fan_out: int | None = None,
        transposed: bool = False,
        regularizer: str | regularizers.L1L2 | None = None,
        constraint: str | constraints.Constraint | None = None,
        trainable: bool = True,
    ) -> None:
        """Declare a tensor; call it from :meth:`build`.

        Parameters
        ----------
        name : str
            Its key in ``self.weights`` and in what :meth:`backward` returns.
        shape : tuple of int
            ``()`` for a single number.
        initializer : str or function
        fan_in, fan_out : int, optional
            For the initializer; by default what Keras makes of ``shape``.
        transposed : bool
            Whether it lies in memory with its axes swapped.
        regularizer : str or fastmlp.regularizers.L1L2, optional
            The net adds its value to the loss, and its gradient to what :meth:`backward` returns.
        constraint : str or fastmlp.constraints.Constraint, optional
            What it is brought to after each step.
        trainable : bool
            Whether :meth:`backward` returns a gradient, for the optimizer to step along.

        Raises
        ------
        RuntimeError
            If it is called from anywhere else than :meth:`build`.
        ValueError
            If the layer has declared a tensor of that name already.
        """
        if not isinstance(name, str):
            raise TypeError(f"name: expected a string, got {shown(name)}")
        if not self._building:
            raise RuntimeError(f"add_weight: {self!r} can declare {name!r} in build only")
        if any(weight.name == name for weight in self._declared):
            raise ValueError(f"name: {self!r} has declared a weight {name!r} already")
        shape = shape_of("shape", shape)
        own_fan_in, own_fan_out = initializers.fans_of(shape)
        self._declared.append(
            Weight(
                name,
                shape,
                initializers.get("initializer", initializer),
                own_fan_in if fan_in is None else fan_in,
                own_fan_out if fan_out is None else fan_out,
                transposed,
                regularizers.get("regularizer", regularizer),
                truth("trainable", trainable),
                constraints.get("constraint", constraint),
            )
        )

    def _add_with_options(self, name: str, shape: Shape, **more: Any) -> None:
        """Declare a tensor whose initializer, regularizer and constraint are attributes."""
        initializer, regularizer, constraint = (
            getattr(self, f"{name}_{option}")
            for option in ("initializer", "regularizer", "constraint")
        )
        self.add_weight(
            name, shape, initializer, regularizer=regularizer, constraint=constraint, **more
        )

    def _check_features(self, input_shape: Shape) -> None:
        """Raise ValueError if samples are more than features in a row."""
        if len(input_shape) != 1:
            raise ValueError(
                f"{type(self).__name__} expects inputs of shape (features,), got {input_shape}; "
                "put a Flatten() before it"
            )

    @property
    def nested(self) -> "tuple[Layer, ...]":
        """The layers that this one is made of, if it is."""
        return ()

    @property
    def count(self) -> int:
        """The number of parameters, those of nested layers included."""
        own = sum(weight.size for weight in self._declared)
        return own + sum(layer.count for layer in self.nested)

    def count_params(self) -> int:
        """Return the number of parameters, those of nested layers included."""
        return self.count

    def get_weights(self) -> list[Array]:
        """Return copies of the weights, in the order in which they were declared."""
        own = [np.array(view) for view in self._weights.values()]
        return own + [weight for layer in self.nested for weight in layer.get_weights()]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Set the weights, in the order and shapes of :meth:`get_weights`.

        Raises
        ------
        RuntimeError
            If they do not exist yet.
        TypeError, ValueError
            If their number, a shape or a value is wrong; nothing has changed then.
        """
        views = self._views()
        if not views and self.count == 0 and len(list(weights)):
            raise RuntimeError(f"set_weights: {self!r} has no weights, or not yet")
        for array, (_, view) in zip(checked_weights(weights, views), views, strict=True):
            view[...] = array

    def _views(self) -> list[tuple[str, Array]]:
        """Return the weights with their names, those of nested layers behind."""
        own = [(f"{self.name}/{name}", view) for name, view in self._weights.items()]
        return own + [pair for layer in self.nested for pair in layer._views()]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer, as plain data."""
        config = super().get_config()
        if self._given_shape is not None:
            config["input_shape"] = list(self._given_shape)
        return config

    def _build(self, input_shape: Shape) -> Shape:
        """Declare the weights, unless they are part of a net already; returns the outputs' shape.

        Raises
        ------
        TypeError, ValueError
            If the layer cannot take such inputs, or its ``output_shape`` returns no shape.
        """
        output_shape = self._output_shape(input_shape)
        if self._in_use and self._weights and input_shape != self._built_shape:
            raise ValueError(
                f"it has weights for inputs of shape {self._built_shape}, got {input_shape}"
            )
        try:
            if not self._in_use:
                assign(self, _declared=[], _building=True, _built_shape=input_shape)
                self.build(input_shape)
        finally:
            assign(self, _building=False)
        return output_shape

    def _output_shape(self, input_shape: Shape) -> Shape:
        """Return what ``output_shape`` does, checked."""
        if self._given_shape not in (None, input_shape):
            raise ValueError(
                f"input_shape: it was made for inputs of shape {self._given_shape}, "
                f"got {input_shape}"
            )
        shape = self.output_shape(input_shape)
        if not isinstance(shape, tuple):
            raise TypeError(
                f"output_shape: expected a tuple of positive integers such as ({shown(shape)},), "
                f"got {shown(shape)}"
            )
        return shape_of("output_shape", shape)

    def call(self, inputs: Placeholder, training: bool | None = None) -> Placeholder:
        """Return what stands for the layer's outputs, given what stands for its inputs.

        A subclass of a layer that comes with fastmlp may have a ``call`` of its own, which can
        only say that it is ``training``, whatever the net does::

            class MCDropout(Dropout):
                def call(self, inputs, training=None):
                    return super().call(inputs, training=True)
        """
        return inputs.through(self, training)

    def _lower(self, builder: Builder, x: Buffer) -> Buffer:
        """Add the layer's rows to a plan, as its ``call`` says."""
        if type(self).call is Layer.call and "call" not in vars(self):
            return self._rows(builder, x)
        return Placeholder(builder, x).called_by(self)

    def _rows(self, builder: Builder, x: Buffer) -> Buffer:
        """Add the layer's rows to a plan, by its kernels or its own Python."""
        return builder.python_row(self, x) if runs_in_python(self) else self.lower(builder, x)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def checked_weights(
    weights: Sequence[ArrayLike], places: Sequence[tuple[str, Array]]
) -> list[Array]:
    """Return users' values for the weights that are in these places, each with its name.

    Raises
    ------
    TypeError, ValueError
        If their number, a shape or a value is wrong.
    """
    given = items("weights", "arrays", weights)
    if len(given) != len(places):
        raise ValueError(f"weights: expected {len(places)} arrays, got {len(given)}")
    arrays = []
    for i, (values, (name, place)) in enumerate(zip(given, places, strict=True)):
        argument = f"weights[{i}] ({name})"
        array = real_array(argument, values)
        if array.shape != place.shape:
            raise ValueError(f"{argument}: expected shape {place.shape}, got {array.shape}")
        arrays.append(finite(argument, array, place.dtype))
    return arrays


def runs_in_python(layer: Layer) -> bool:
    """Whether a layer's own ``forward`` or ``backward`` is nearer to it than its ``lower``."""
    own = vars(layer)
    return "forward" in own or "backward" in own or _class_runs_in_python(type(layer))


def _class_runs_in_python(kind: type[Layer]) -> bool:
    for ancestor in kind.__mro__:
        if "lower" in vars(ancestor):
            return False
        if "forward" in vars(ancestor) or "backward" in vars(ancestor):
            return True
    raise AssertionError("Layer itself has lower")


def _missing(layer: Layer, method: str, arguments: str) -> str:
    kind = type(layer)
    if getattr(kind, method) is not getattr(Layer, method):
        return (
            f"{kind.__name__}.{method} cannot call super().{method}: the layers that come with "
            "fastmlp compute in kernels, not in Python"
        )
    return f"{kind.__name__}.{method}{arguments} is missing"


@functools.lru_cache
def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
