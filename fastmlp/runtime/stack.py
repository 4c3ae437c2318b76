"""A stack of layers and their weights: how they are checked, named apart, built and copied."""

import copy
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from .. import backends
from ..layers import Input, Layer
from ..layers.stack import build_layers, check_layer, every_layer, learning
from . import lowering
from .arguments import items, real_array
from .arrays import finite
from .attributes import assign
from .engine import Engine
from .plan import Plan
from .state import State, aligned_zeros
from .tensors import Array, Shape, Slot


class Stack:
    """Layers on top of each other, with the memory of their weights once these exist.

    Nothing in here is for users: :class:`~fastmlp.Sequential` is what they see of it.

    Parameters
    ----------
    layers : sequence of Layer
    seed : int
    dtype : numpy.dtype
    backend : str
    """

    seed: int
    dtype: np.dtype[np.floating]
    backend: str
    trainable: bool = True
    _layers: tuple[Layer, ...]
    _input_shape: Shape | None
    _slots: list[Slot]
    _state: State
    _engine: Engine | None

    def __init__(
        self, layers: Sequence[Layer], seed: int, dtype: np.dtype[np.floating], backend: str
    ) -> None:
        assign(
            self, seed=seed, dtype=dtype, backend=backend, _layers=(), _input_shape=None,
            _slots=[], _state=State(np.empty(0, dtype), np.empty(0, dtype)), _engine=None,
        )  # fmt: skip
        self._append("layers[{}]", items("layers", "layers", layers))

    def _append(self, argument: str, layers: Sequence[Layer]) -> None:
        """Put layers on top; ``argument`` is how messages name one, given its index."""
        for index, layer in enumerate(layers):
            check_layer(argument.format(index), layer, (*self._layers, *layers[:index]))
        everything = (*self._layers, *layers)
        shape = self._input_shape
        if shape is None and everything:
            first = everything[0]
            shape = first.shape if isinstance(first, Input) else first._given_shape
        with _unchanged_after_an_error(self, *every_layer(layers)):
            self._take_trainable(layers)
            if shape is None:
                _name_apart([*every_layer(everything)])
            else:
                self._build(everything, shape)
            self._layers = everything

    def _take_trainable(self, layers: Sequence[Layer]) -> None:
        """Let these layers learn, or not, as their ``trainable`` says now."""
        for layer, learns in learning(layers, self.trainable):
            assign(layer, _learns=learns)

    def _remove_last(self) -> Layer:
        """Take the last layer off, which keeps its weights as its own; the others keep theirs."""
        *others, last = self._layers
        with _unchanged_after_an_error(self, *every_layer(self._layers)):
            for layer in every_layer([last]):
                own = {name: np.array(view) for name, view in layer._weights.items()}
                assign(layer, _weights=own, _in_use=False)
            if others and self._input_shape is not None:
                self._build(others, self._input_shape)
            else:
                none = np.empty(0, self.dtype)
                self._slots, self._state = [], self._state.resized(none, none)
                self._input_shape = self._engine = None
            self._layers = tuple(others)
        return last

    @contextmanager
    def _built_for(self, x: ArrayLike) -> Iterator[None]:
        """Build a net without an Input for samples like those of ``x``.

        If an error follows before a first step is taken, the net is as it was before.
        """
        if self._input_shape is not None:
            yield
            return
        shape = real_array("x", x).shape
        if not self._layers:
            raise ValueError("layers: the net has none")
        for index, layer in enumerate(self._layers):
            check_layer(f"layers[{index}]", layer, self._layers[:index])
        if len(shape) < 2 or 0 in shape[1:]:
            raise ValueError(f"x: expected shape (samples, features, ...), got {shape}")
        with _unchanged_after_an_error(self, *every_layer(self._layers)):
            self._build(self._layers, shape[1:])
            yield

    def _build_for(self, shape: Shape) -> None:
        """Build a net without an Input for samples of a shape, or leave it as it is."""
        with _unchanged_after_an_error(self, *every_layer(self._layers)):
            self._build(self._layers, shape)

    def _build(self, layers: Sequence[Layer], input_shape: Shape) -> None:
        """Give every layer its weights: those that it has, or new ones."""
        _name_apart([*every_layer(layers)])
        build_layers(layers, input_shape, self.dtype)
        lowered = lowering.lower(layers, input_shape, None, (), self.seed)
        lowered.check_numbers(self.dtype)
        state = self._state.resized(*self._new_vectors(lowered))
        for number, slot in enumerate(lowered.all_slots):
            rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(0, number)))
            slot.of(state)[...] = _first_values(slot, rng, self.dtype)
        self._link(layers, lowered.all_slots, state)
        self._state = state
        self._input_shape, self._engine = input_shape, None

    def _new_vectors(self, lowered: Plan) -> tuple[Array, Array]:
        """Return memory for the parameters of a plan, and for its running statistics."""
        params, running = lowered.size, lowered.running_size
        return aligned_zeros(params, self.dtype), aligned_zeros(running, self.dtype)

    def _link(self, layers: Sequence[Layer], slots: list[Slot], state: State) -> None:
        """Let the layers see their weights in the memory that training changes."""
        for layer in every_layer(layers):
            assign(layer, _weights={}, _in_use=True)
        for slot in slots:
            slot.layer._weights[slot.weight.name] = slot.of(state)
        self._slots = slots

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy needs; the weights are with the layers, which copy them."""
        state = self._state.resized(self._state.params[:0], self._state.running[:0])
        state.moments = self._state.moments
        return vars(self) | {"_engine": None, "_slots": [], "_state": state}

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        vars(self).update(attributes)
        backends.resolve(self.backend)
        if self._input_shape is None:
            return
        lowered = lowering.lower(self._layers, self._input_shape, None, (), self.seed)
        state = self._state.resized(*self._new_vectors(lowered))
        for slot in lowered.all_slots:
            slot.of(state)[...] = slot.layer._weights[slot.weight.name]
        self._link(self._layers, lowered.all_slots, state)
        if self._state.moments.size:
            state.provide_moments(self._state.moments.size // lowered.size)
            state.moments[:] = self._state.moments
        self._state = state

    def __copy__(self) -> Self:
        """Return a deep copy: nets that share layers would train each other's weights."""
        return copy.deepcopy(self)


@contextmanager
def _unchanged_after_an_error(stack: Stack, *layers: Layer) -> Iterator[None]:
    """If an error follows, and no step is taken before it, give back all attributes."""
    kept = [(owner, dict(vars(owner))) for owner in (stack, *layers)]
    before = stack._state.steps, stack._state.epochs
    try:
        yield
    except BaseException:
        if (stack._state.steps, stack._state.epochs) == before:
            for owner, attributes in kept:
                vars(owner).clear()
                vars(owner).update(attributes)
        raise


def _first_values(slot: Slot, rng: np.random.Generator, dtype: np.dtype[np.floating]) -> Array:
    """Return the values that a layer brought along, or those of its initializer.

    Raises
    ------
    TypeError, ValueError
        If they are no finite real numbers of the weight's shape.
    """
    weight, name = slot.weight, slot.name
    if weight.name in slot.layer._weights:
        argument, values = name, slot.layer._weights[weight.name]
    else:
        function = getattr(weight.initializer, "__name__", repr(weight.initializer))
        argument = f"{name}: the initializer {function}"
        values = weight.initializer(weight.shape, weight.fan_in, weight.fan_out, rng)
        if values is None:
            raise TypeError(f"{argument}: expected an array of shape {weight.shape}, got None")
    array = real_array(argument, values)
    if array.shape != weight.shape:
        raise ValueError(f"{argument}: expected shape {weight.shape}, got {array.shape}")
    return finite(argument, array, dtype)


def _name_apart(layers: Sequence[Layer]) -> None:
    """Number the layers that were given no name: dense, dense_1, dense_2."""
    given = [layer._given_name for layer in layers if layer._given_name]
    repeated = {name for name in given if given.count(name) > 1}
    if repeated:
        raise ValueError(f"layers: more than one is named {sorted(repeated)[0]!r}")
    taken = set(given)
    for layer in layers:
        if layer._given_name:
            continue
        base = re.sub(r"_\d+$", "", layer.name)
        name, number = base, 0
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        assign(layer, name=name)
        taken.add(name)
