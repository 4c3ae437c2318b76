"""A stack of layers and their weights: how they are checked, named apart, built and copied."""

import copy
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike

from .. import backends, initializers
from ..layers import Input, Layer
from ..layers.nested import Nested, as_layer
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

    Nets may share layers.  A net runs on memory of its own; the weights of a shared layer, as users
    see them, lie in that of the net which trained it last, its home.  Others copy them from there
    before they run, and a net that is to be trained becomes the home of all its layers.

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
    _learning: dict[int, bool]  # of each layer, by its id: whether it is trained in this net
    _parts: list[tuple["Stack", tuple[Layer, ...]]]  # nets inside, with the layers they had
    _slots: list[Slot]
    _state: State
    _engine: Engine | None
    _rows: lowering.Builder | None  # of the layers, until an engine has them
    _rows_of: tuple[object, ...] | None  # what they were written from

    name: str

    def __init__(
        self, layers: Sequence[Any], seed: int, dtype: np.dtype[np.floating], backend: str
    ) -> None:
        assign(
            self, seed=seed, dtype=dtype, backend=backend, _layers=(), _input_shape=None,
            _learning={}, _parts=[], _slots=[], _engine=None,
            _state=State(np.empty(0, dtype), np.empty(0, dtype)), _rows=None, _rows_of=None,
        )  # fmt: skip
        self._append("layers[{}]", items("layers", "layers", layers))

    def _append(self, argument: str, layers: Sequence[Any]) -> None:
        """Put layers on top; ``argument`` is how messages name one, given its index."""
        layers = [as_layer(layer) for layer in layers]
        for index, layer in enumerate(layers):
            name = argument.format(index)
            if isinstance(layer, Nested) and self in layer.nets:
                raise ValueError(f"{name}: a net can't be a layer of itself")
            check_layer(name, layer, (*self._layers, *layers[:index]))
        everything = (*self._layers, *layers)
        shape = self._input_shape
        if shape is None and everything:
            shape = _shape_that_is_known(everything[0])
        with _unchanged_after_an_error(self, *every_layer(layers)):
            self._take_trainable(layers)
            if shape is None:
                _name_apart([*every_layer(everything)])
            else:
                self._build(everything, shape)
            self._layers = everything

    def _take_trainable(self, layers: Sequence[Layer]) -> None:
        """Let these layers learn, or not, as their ``trainable`` says now."""
        taken = {id(layer): learns for layer, learns in learning(layers, self.trainable)}
        self._learning = self._learning | taken

    def _have_learn(self, layers: Sequence[Layer]) -> None:
        """Let layers, whose rows are to be written, learn as in this net: others may share them."""
        for layer in every_layer(layers):
            assign(layer, _learns=self._learning[id(layer)])

    def _remove_last(self) -> Layer:
        """Take the last layer off, which keeps its weights as its own; the others keep theirs."""
        *others, last = self._layers
        left = {id(layer) for layer in every_layer(others)}
        with _unchanged_after_an_error(self, *every_layer(self._layers)):
            for layer in every_layer([last]):
                if layer._home is self._state and not isinstance(last, Nested):
                    own = {name: np.array(view) for name, view in layer._weights.items()}
                    assign(layer, _weights=own, _in_use=False, _home=None)
            if others and self._input_shape is not None:
                self._build(others, self._input_shape)
            else:
                none = np.empty(0, self.dtype)
                self._slots, self._parts = [], []
                self._state = self._state.resized(none, none)
                self._input_shape = self._engine = self._rows = None
            self._layers = tuple(others)
            self._learning = {key: learns for key, learns in self._learning.items() if key in left}
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
        for layer in every_layer(layers):
            if layer._home is not None and layer._home.params.dtype != self.dtype:
                raise ValueError(
                    f"layers: {layer!r} is part of a net of dtype {layer._home.params.dtype}, and "
                    f"can't be in one of dtype {self.dtype} too; a copy of it can"
                )
        build_layers(layers, input_shape, self.dtype)
        if any(isinstance(layer, Nested) for layer in every_layer(layers)):
            _name_apart([*every_layer(layers)])  # they have built themselves
        # Nets inside may have got more layers, as long as they were not built.
        now = {id(layer): learns for layer, learns in learning(layers, self.trainable)}
        self._learning = now | self._learning
        self._have_learn(layers)
        rows = lowering.lower_layers(layers, input_shape, self.seed)
        lowered = rows.finish()
        lowered.check_numbers(self.dtype)
        state = self._state.resized(*self._new_vectors(lowered))
        for number, slot in enumerate(lowered.all_slots):
            slot.of(state)[...] = _first_values(slot, self.seed, number, self.dtype)
        self._link(layers, lowered.all_slots, state)
        assign(
            self, _state=state, _input_shape=input_shape, _engine=None,
            _rows=rows, _rows_of=_what_rows_say(layers),
        )  # fmt: skip

    def _written_rows(self) -> lowering.Builder:
        """Return the rows of the layers: those that exist, if they would be the same again."""
        self._check_parts()
        self._have_learn(self._layers)
        says = _what_rows_say(self._layers)
        if self._rows is None or says is None or says != self._rows_of:
            assert self._input_shape is not None
            self._rows = lowering.lower_layers(self._layers, self._input_shape, self.seed)
            self._rows_of = says
        return self._rows

    def _new_vectors(self, lowered: Plan) -> tuple[Array, Array]:
        """Return memory for the parameters of a plan, and for its running statistics."""
        params, running = lowered.size, lowered.running_size
        return aligned_zeros(params, self.dtype), aligned_zeros(running, self.dtype)

    def _link(self, layers: Sequence[Layer], slots: list[Slot], state: State) -> None:
        """Let the layers see their weights in the memory that training changes.

        Those that are at home with another net stay there.
        """
        for layer in every_layer(layers):
            home = layer._home
            if home is not None and home is not self._state:
                cast(State, home).is_shared = state.is_shared = True
            else:
                assign(layer, _weights={}, _in_use=True, _home=state)
        for slot in slots:
            if slot.layer._home is state:
                slot.layer._weights[slot.weight.name] = slot.of(state)
        self._slots = slots
        nets = [layer.model for layer in every_layer(layers) if isinstance(layer, Nested)]
        self._parts = [(net, net._layers) for net in nets]

    def _check_parts(self) -> None:
        """Raise RuntimeError if a net inside has other layers than those that this one runs."""
        for net, layers in self._parts:
            if net._layers is not layers:
                raise RuntimeError(
                    f"{net!r} has got other layers since it became a part of {self!r}, which does "
                    "not have them; make a new net of its layers"
                )

    def _fetch(self) -> None:
        """Copy the weights of the layers that are at home with another net."""
        for slot in self._slots:
            if slot.layer._home is not self._state:
                slot.of(self._state)[...] = slot.seen

    def _become_home(self) -> None:
        """Have the weights of all layers in the memory of this net, which is to be trained.

        Whoever calls this has a claim to the layers: another net's training would be lost.
        """
        self._fetch()
        for layer in every_layer(self._layers):
            if layer._home is not self._state:
                assign(layer, _home=self._state)
        for slot in self._slots:
            slot.layer._weights[slot.weight.name] = slot.of(self._state)

    def _name_apart(self) -> None:
        """Give each layer a name that no other one has: another net may have renamed some."""
        _name_apart([*every_layer(self._layers)])

    def _give(self, fresh: State) -> None:
        """Set all weights, wherever they are at home, to those of a state of the same sizes."""
        # At once: Ctrl-C leaves the old weights or the new ones.
        self._state.params[:] = fresh.params
        self._state.running[:] = fresh.running
        for slot in self._slots if self._state.is_shared else ():
            slot.seen[...] = slot.of(fresh)

    @property
    def _claimed(self) -> list[object]:
        """What a training uses alone."""
        return [self, *every_layer(self._layers)]

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy needs; the weights are with the layers, which copy them."""
        state = self._state.resized(self._state.params[:0], self._state.running[:0])
        state.take_moments(self._state)
        now, known = learning(self._layers, self.trainable), self._learning
        return vars(self) | {
            "_engine": None, "_rows": None, "_slots": [], "_parts": [], "_state": state,
            "_learning": [known.get(id(layer), learns) for layer, learns in now],
        }  # fmt: skip

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        pairs = zip(every_layer(attributes["_layers"]), attributes["_learning"], strict=True)
        vars(self).update(attributes, _learning={id(layer): learns for layer, learns in pairs})
        backends.resolve(self.backend)
        if self._input_shape is None:
            return
        self._have_learn(self._layers)
        lowered = lowering.lower_layers(self._layers, self._input_shape, self.seed).finish()
        state = self._state.resized(*self._new_vectors(lowered))
        state.draws, state.is_shared = state.draws.copy(), False
        for slot in lowered.all_slots:
            slot.of(state)[...] = slot.seen
        self._link(self._layers, lowered.all_slots, state)
        state.take_moments(self._state)
        self._state = state

    def __copy__(self) -> Self:
        """Return a deep copy: nets that share layers would train each other's weights."""
        return copy.deepcopy(self)


def _shape_that_is_known(first: Layer) -> Shape | None:
    """Return the shape of a net's samples, if its first layer knows it."""
    if isinstance(first, Input):
        return first.shape
    if isinstance(first, Nested):
        return first.model._input_shape
    return first._given_shape or (first._built_shape if first._weights else None)


@contextmanager
def _unchanged_after_an_error(stack: Stack, *layers: Layer) -> Iterator[None]:
    """If an error follows, and no step is taken before it, give back all attributes."""
    nets = [layer.model for layer in layers if isinstance(layer, Nested)]
    kept = [(owner, dict(vars(owner))) for owner in (stack, *layers, *nets)]
    before = stack._state.steps, stack._state.epochs
    try:
        yield
    except BaseException:
        if (stack._state.steps, stack._state.epochs) == before:
            for owner, attributes in kept:
                vars(owner).clear()
                vars(owner).update(attributes)
        raise


def _what_rows_say(layers: Sequence[Layer]) -> tuple[object, ...] | None:
    """Return all about layers that their rows follow from and that may change, if it is known.

    That is so of layers that come with fastmlp, whose settings are fixed.
    """
    everything = list(every_layer(layers))
    if not all(layer.is_fixed for layer in everything):
        return None
    return tuple((id(layer), layer.name, layer._learns) for layer in everything)


def _first_values(slot: Slot, seed: int, number: int, dtype: np.dtype[np.floating]) -> Array:
    """Return the values that a layer brought along, or those of its initializer.

    What is drawn follows from the net's seed and the tensor's number in the net.

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
        rng = initializers.no_draws()
        if initializers.draws(weight.initializer):
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0, number)))
        values = weight.initializer(weight.shape, weight.fan_in, weight.fan_out, rng)
        if values is None:
            raise TypeError(f"{argument}: expected an array of shape {weight.shape}, got None")
    array = real_array(argument, values)
    if array.shape != weight.shape:
        raise ValueError(f"{argument}: expected shape {weight.shape}, got {array.shape}")
    return finite(argument, array, dtype)


def _name_apart(layers: Sequence[Layer]) -> None:
    """Number the layers that were given no name: dense, dense_1, dense_2.

    Those of a net that is built keep theirs, if they can.
    """
    given = [layer._given_name for layer in layers if layer._given_name]
    repeated = {name for name in given if given.count(name) > 1}
    if repeated:
        raise ValueError(f"layers: more than one is named {sorted(repeated)[0]!r}")
    taken = set(given)
    unnamed = [layer for layer in layers if not layer._given_name]
    for layer in sorted(unnamed, key=lambda layer: not layer._in_use):
        if layer._in_use and layer.name not in taken:
            taken.add(layer.name)
            continue
        base = re.sub(r"_\d+$", "", layer.name)
        name, number = base, 0
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        assign(layer, name=name)
        taken.add(name)
