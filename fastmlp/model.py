"""Sequential: a stack of layers with one input and one output."""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import numpy as np
from numpy.typing import ArrayLike

from . import backends, optimizers
from .callbacks import Callback, check_callbacks
from .history import DivergenceWarning, History
from .layers import Input, Layer
from .layers.base import checked_weights
from .layers.nested import shown_as
from .layers.stack import learning
from .runtime import on_batch
from .runtime.arguments import (
    is_integer,
    items,
    non_negative_integer,
    positive_integer,
    seed_integer,
    shape_of,
    shown,
    truth,
)
from .runtime.attributes import FixedList, assign, refuse, refuse_methods, unknown
from .runtime.claims import Claim
from .runtime.compiled import Compiled
from .runtime.configuration import Configurable, deserialize, serialize
from .runtime.data import check_samples
from .runtime.engine import PREDICT_BATCH
from .runtime.execution import check_execution
from .runtime.inference import evaluate, predict
from .runtime.job import BATCH_SIZE, Course, checked_job
from .runtime.lookup import by_name
from .runtime.progress import resolve_verbose
from .runtime.seeds import fresh_seed
from .runtime.stack import Stack
from .runtime.summary import print_summary
from .runtime.tensors import Array, Slot
from .runtime.weights import Weights
from .telemetry import Telemetry

if TYPE_CHECKING:
    from . import losses, metrics

# By which a subclass says in Keras what a step does.
_METHODS_OF_KERAS = (
    "call", "forward", "train_step", "test_step", "predict_step", "compute_loss", "compute_metrics",
    "make_train_function", "make_test_function", "make_predict_function",
)  # fmt: skip

_DTYPES: dict[str, np.dtype[np.floating]] = {
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
}


class Sequential(Compiled, Configurable):
    """A stack of layers, as in Keras.

    Parameters
    ----------
    layers : sequence of Layer
        If the first is an :class:`~fastmlp.layers.Input`, weights exist from the start;
        otherwise from the first call that shows the net its samples.
    seed : int, optional
        Of the initial weights, the batches' order and dropout: the same seed gives the same bits,
        on the same machine and backend.  By default a new one each time, in ``self.seed``; it
        follows from :func:`fastmlp.utils.set_random_seed`, if that was called.
    dtype : {"float32", "float64"}
    backend : {"auto", "cython", "numba", "numpy"}
    name : str
    trainable : bool
        False freezes all layers. It is an attribute, too, and counts from the next :meth:`compile`;
        so does that of a layer.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be, or the layers do not fit together.
    """

    # Whether the fit that is running is to end after its epoch; users set it, in callbacks.
    stop_training = False

    def __init__(
        self,
        layers: Sequence["Layer | Sequential"] = (),
        *,
        seed: int | None = None,
        dtype: str = "float32",
        backend: str = "auto",
        name: str = "sequential",
        trainable: bool = True,
    ) -> None:
        if seed is None:
            seed = fresh_seed()
        seed, chosen = seed_integer("seed", seed), by_name("dtype", dtype, _DTYPES)
        backend = backends.resolve(backend)
        assign(self, optimizer=None, loss=None, metrics=[], weighted_metrics=[])
        self.name = name
        self.history: History | None = None
        super().__init__(layers, seed, chosen, backend)
        if not truth("trainable", trainable):
            self.trainable = False
            self._take_trainable(self._layers)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        refuse_methods(cls, _METHODS_OF_KERAS, "write a layer or a loss of your own, or a callback")

    def __setattr__(self, name: str, value: object) -> None:
        """Set one of the attributes that are free, or what a subclass has of its own."""
        if name == "stop_training":
            value = truth(name, value)
            if value and not self._is_training:
                raise refuse(self, name, "is not in a fit that could stop: set it in a callback")
        elif name == "trainable":
            value = truth(name, value)
            for layer in self.layers:
                layer.trainable = value
        elif name in _FIXED and not name.startswith("_"):
            raise refuse(self, name, "does not let it be set")
        elif type(self) is Sequential and name not in _FREE and not name.startswith("_"):
            raise unknown(self, name, _FREE)
        object.__setattr__(self, name, value)

    def add(self, layer: "Layer | Sequential") -> None:
        """Put a layer on top.

        The weights of the others stay; the optimizer's moments start from nothing.

        Raises
        ------
        RuntimeError
            If a fit that is not done uses the net; nothing has changed then.
        TypeError, ValueError
            If it is no layer, is used already, or does not fit.
        """
        claim = Claim()
        try:
            claim.take(self._claimed)
            self._append("layer", [layer])
        finally:
            claim.active = False

    def pop(self) -> Any:
        """Take the last layer off and return it, with its weights.

        The weights of the others stay; the optimizer's moments start from nothing.  A loss that
        does not fit the layer that is the last one now is refused at the next use of the net.

        Raises
        ------
        RuntimeError
            If a fit that is not done uses the net; nothing has changed then.
        ValueError
            If there is no layer.
        """
        if not self.layers:
            raise ValueError("pop: the net has no layers")
        claim = Claim()
        try:
            claim.take(self._claimed)
            return shown_as(self._remove_last())
        finally:
            claim.active = False

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """Return the layer of a name, or with a place in :attr:`layers`.

        Raises
        ------
        TypeError, ValueError
            If there is none, or not just one of the two is given.
        """
        if (name is None) == (index is None):
            raise ValueError("name: expected either a name or an index")
        if name is not None:
            named = {layer.name: shown_as(layer) for layer in self._layers}
            return by_name("name", name, named)
        count = len(self.layers)
        if index is None or not is_integer(index) or not -count <= index < count:
            raise ValueError(f"index: expected one of {count} layers, got {shown(index)}")
        return self.layers[index]

    def compile(
        self,
        optimizer: str | optimizers.Optimizer = "rmsprop",
        loss: "losses.Given | None" = None,
        loss_weights: None = None,
        metrics: "Sequence[metrics.Given] | None" = None,
        weighted_metrics: "Sequence[metrics.Given] | None" = None,
        run_eagerly: bool = False,
        steps_per_execution: int | str = 1,
        jit_compile: bool | str = "auto",
    ) -> None:
        """Choose what to minimize, and how.

        The weights, and the numbers of steps and epochs, stay; the optimizer's moments start from
        nothing, as in Keras.

        Parameters
        ----------
        optimizer : str or fastmlp.optimizers.Optimizer
        loss : str, fastmlp.losses.Loss or function of fastmlp.losses
        loss_weights : None
            A net has one output and one loss; here is Keras' place for those of others.
        metrics : sequence of str, fastmlp.metrics.Metric, or functions, optional
            What is shown beside the loss, under the names that are used here.  ``"accuracy"`` or
            ``"acc"`` is the share of right answers, as the loss understands them.
        weighted_metrics : sequence of str, fastmlp.metrics.Metric, or functions, optional
            The same with each sample counted by its weight.  One whose name is among ``metrics``
            is shown as "weighted_" and that name.
        run_eagerly : bool
            True, which runs the net row by row, in Python, is for nets with the backend "numpy".
        steps_per_execution : 1 or "auto"
            A call of the engine takes as many steps as it can in any case; if callbacks have hooks
            for batches, they see each.
        jit_compile : bool or "auto"
            Whether the net's kernels are compiled, which the backend decides.

        Raises
        ------
        RuntimeError
            If a fit that is not done uses the net; nothing has changed then.
        TypeError, ValueError
            If a name is unknown, or the loss or a metric does not fit the last layer.
        """
        # Here, so that a net that only predicts, or none, is sooner there.
        from .losses import get as loss_of
        from .metrics import beside
        from .metrics import get as metrics_of

        if loss is None:
            raise ValueError("loss: expected a name such as 'sparse_categorical_crossentropy'")
        check_execution(self.backend, loss_weights, run_eagerly, steps_per_execution, jit_compile)
        new_optimizer, new_loss = optimizers.get(optimizer), loss_of(loss)
        new_metrics = metrics_of(metrics)
        weighted = beside(metrics_of(weighted_metrics, "weighted_metrics"), new_metrics)
        claim = Claim()
        try:
            claim.take(self._claimed)
            self._compile(new_optimizer, new_loss, new_metrics, weighted)
        finally:
            claim.active = False

    def fit(
        self,
        x: ArrayLike,
        y: ArrayLike,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Sequence[Callback] | None = None,
        *,
        validation_split: float = 0.0,
        validation_data: tuple[ArrayLike, ...] | None = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: ArrayLike | None = None,
        telemetry: Telemetry | None = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> History:
        """Train.

        Ctrl-C raises KeyboardInterrupt between two steps: the net keeps its weights, and
        ``self.history`` the epochs completed.  If the loss is no longer finite, training stops
        with a :class:`~fastmlp.DivergenceWarning` and ``history.divergence`` says where.

        Parameters
        ----------
        x : array (samples, *input_shape)
            uint8, or any real numbers.
        y : array
            Labels (samples,) or (samples, 1), whole numbers of any dtype; or targets
            (samples, outputs), as the loss wants.
        batch_size : int, positive, optional
            By default 32.  The last batch of an epoch holds what remains.
        epochs : int, positive
        verbose : {"auto", 0, 1, 2}
            1 shows a progress bar, 2 the figures of each epoch.  "auto" is 1 on a terminal and in
            a notebook; elsewhere, as in a log file, it shows the figures of at most a hundred
            epochs, evenly spaced, and of the last.
        callbacks : sequence of fastmlp.callbacks.Callback, optional
            Called before and after each epoch, in this order, and around batches, if they have
            hooks for that.
        validation_split : float in [0, 1)
            Set the last share of the samples apart, before shuffling.
        validation_data : (x, y) or (x, y, sample_weight), optional
            Evaluated after each epoch, or as ``validation_freq`` says.
        shuffle : bool
            Whether each epoch visits the samples in a new order.
        class_weight : dict, optional
            The weight of the samples of each class, by its number; of those that are missing, 1.
            The class of a sample is its label, or where its target is largest, or, with one
            output, its target.  Samples that ``validation_split`` sets apart have none.
        sample_weight : array (samples,), optional
            What each sample's loss is multiplied with.  The loss of a batch is the sum over the
            number of samples, not over that of the weights, unless the loss's ``reduction`` says
            otherwise.  Metrics count samples by their weights if they are among the
            ``weighted_metrics`` of :meth:`compile`.
        telemetry : fastmlp.Telemetry, optional
            Measures the layers inside the loop.
        initial_epoch : int, not negative
            The number of the first epoch, which callbacks and the history count from: a training
            that goes on runs the epochs from here to ``epochs``.  Which samples an epoch visits
            when, and its dropout, follow from how many the net has been trained for in any case.
        steps_per_epoch : int, positive, optional
            Let an epoch be so many batches: the first ones, in its order.
        validation_steps : int, positive, optional
            Validate on so many batches, of ``validation_batch_size`` or else ``batch_size``.
        validation_batch_size : int, positive, optional
            By default 128: a matter of memory and time.
        validation_freq : int, positive, or sequence of them
            Validate after each epoch whose number, counted from 1, is a multiple of this, or is
            among these.

        Returns
        -------
        History

        Raises
        ------
        RuntimeError
            If the net is not compiled, or if another fit that is not done uses the net, the
            telemetry or a callback; nothing has changed then.
        TypeError, ValueError
            If an argument is not what it should be; nothing has changed then.
        """
        if telemetry is not None and not isinstance(telemetry, Telemetry):
            raise TypeError(f"telemetry: expected a fastmlp.Telemetry, got {shown(telemetry)}")
        called = check_callbacks(callbacks)
        claim = Claim()
        try:
            claim.take([*self._claimed, *called, *([telemetry] if telemetry is not None else [])])
            with self._built_for(x):
                job = checked_job(
                    self, x, y, batch_size, epochs, verbose, validation_split, validation_data,
                    shuffle, called, telemetry,
                    weights=Weights(sample_weight, class_weight),
                    course=Course(
                        initial_epoch, steps_per_epoch, validation_steps, validation_batch_size,
                        validation_freq,
                    ),
                )  # fmt: skip
                return self.run_job(job)
        finally:
            claim.active = False

    @overload
    def evaluate(
        self,
        x: ArrayLike,
        y: ArrayLike,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: ArrayLike | None = None,
        *,
        callbacks: Sequence[Callback] | None = None,
        return_dict: Literal[False] = False,
    ) -> float | list[float]: ...

    @overload
    def evaluate(
        self,
        x: ArrayLike,
        y: ArrayLike,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: ArrayLike | None = None,
        *,
        callbacks: Sequence[Callback] | None = None,
        return_dict: Literal[True],
    ) -> dict[str, float]: ...

    def evaluate(
        self,
        x: ArrayLike,
        y: ArrayLike,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: ArrayLike | None = None,
        *,
        callbacks: Sequence[Callback] | None = None,
        return_dict: bool = False,
    ) -> float | list[float] | dict[str, float]:
        """Return the mean loss, or with metrics ``[loss, *metrics]``, or all figures by name.

        The loss includes the penalties of regularizers, if there are any; ``data_loss``, among
        the figures by name, is then without.

        Parameters
        ----------
        x : array (samples, *input_shape)
        y : array
            Labels or targets, as for :meth:`fit`.
        batch_size : int, positive, optional
            How many samples go through the net at once, by default 128: a matter of memory and
            time.  It may change the loss in its last digits, as sums over batches are rounded.
        verbose : {"auto", 0, 1, 2}
            1 shows a progress bar and then the figures, 2 the figures alone, 0 and "auto"
            nothing: they are what is returned.
        sample_weight : array (samples,), optional
            As for :meth:`fit`.
        callbacks : sequence of fastmlp.callbacks.Callback, optional
            Their hooks ``on_test_...`` are called.
        return_dict : bool

        Raises
        ------
        RuntimeError
            If the net is not compiled.
        TypeError, ValueError
            If an argument is not what it should be, or the data do not fit the net.
        """
        self._compiled_loss()
        batch_size = _inference_batch_size(batch_size)
        shows = resolve_verbose(verbose, automatic=0)
        wants_dict = truth("return_dict", return_dict)
        called = self._introduced(callbacks)
        with self._built_for(x):
            engine = self._ready_engine()
            data = self._weighed_data(x, y, Weights(sample_weight))
            self._check_workspace("batch_size", min(batch_size, data.count))
            figures = evaluate(engine, data, batch_size, self.shown_metrics, shows, called)
            return figures if wants_dict else self._returned(figures)

    def _returned(self, figures: dict[str, float]) -> float | list[float]:
        """Return figures in the form that Keras has for them."""
        values = [value for name, value in figures.items() if name != "data_loss"]
        return values if len(values) > 1 else values[0]

    def predict(
        self,
        x: ArrayLike,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Sequence[Callback] | None = None,
    ) -> Array:
        """Return the outputs (samples, *output_shape) for ``x`` (samples, *input_shape).

        Parameters
        ----------
        x : array (samples, *input_shape)
        batch_size : int, positive, optional
            How many samples go through the net at once, by default 128: a matter of memory and
            time.
        verbose : {"auto", 0, 1, 2}
            1 shows a progress bar and then a line, 2 the line alone, 0 and "auto" nothing.
        steps : int, positive, optional
            Stop after so many batches, of 32 samples unless ``batch_size`` says otherwise.
        callbacks : sequence of fastmlp.callbacks.Callback, optional
            Their hooks ``on_predict_...`` are called.

        Raises
        ------
        TypeError, ValueError
            If an argument is not what it should be, or ``x`` does not fit the net.
        """
        is_quiet = verbose == "auto" or (type(verbose) is int and verbose == 0)
        is_plain = batch_size is None and steps is None and callbacks is None
        if is_quiet and is_plain and (outputs := on_batch.predict_as_before(self, x)) is not None:
            return outputs
        shows = resolve_verbose(verbose, automatic=0)
        upto = None
        if steps is not None:
            batch_size = BATCH_SIZE if batch_size is None else batch_size
            upto = positive_integer("steps", steps) * positive_integer("batch_size", batch_size)
        batch_size = _inference_batch_size(batch_size)
        called = self._introduced(callbacks)
        with self._built_for(x):
            engine = self._ready_engine()
            plan = engine.plan
            data = check_samples("x", x, plan.input_shape, self.dtype, plan.codes).part(slice(upto))
            self._check_workspace("batch_size", min(batch_size, data.count))
            outputs = predict(engine, data, batch_size, shows, called)
            if data.count <= batch_size:
                engine.shortcuts.expect_outputs(data.count)
            return outputs.reshape(-1, *engine.plan.output_shape)

    def loss_and_gradient(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        step: int = 0,
    ) -> tuple[float, list[Array]]:
        """Return the mean loss over all of ``x``, and its gradient, shaped as ``get_weights``.

        As in training: with penalties, and with the dropout masks of the step of that number.
        What is not trained, such as a running mean or a frozen layer, has no gradient and is left
        out.

        Raises
        ------
        RuntimeError
            If the net is not compiled.
        TypeError, ValueError
            If the data do not fit the net.
        """
        self._compiled_loss()
        step = non_negative_integer("step", step)
        with self._built_for(x):
            engine = self._ready_engine()
            data = self._weighed_data(x, y, Weights(sample_weight))
            self._check_workspace("x", data.count)
            value, gradient = engine.loss_and_gradient(data, step)
            return value, [np.array(slot.view(gradient)) for slot in engine.plan.slots]

    def __call__(self, x: ArrayLike, training: bool | None = None) -> Array:
        """Return the outputs for ``x``, as :meth:`predict` does, or as in training.

        Parameters
        ----------
        x : array (samples, *input_shape)
        training : bool, optional
            With True, all of ``x`` is one batch, from which values are dropped out, by another mask
            at each call, and by whose statistics it is normalized.  Nothing is learned from it,
            running statistics included (Keras moves those).

        Raises
        ------
        TypeError, ValueError
            If an argument is not what it should be.
        """
        if training is None or not truth("training", training):
            return self.predict(x)
        return on_batch.sample(self, x)

    def train_on_batch(
        self,
        x: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> float | list[float] | dict[str, float]:
        """Take one step along the gradient of all of ``x``, as one batch.

        If its loss is not finite, no step is taken, and a :class:`~fastmlp.DivergenceWarning` says
        so.  The step counts in ``steps_trained``; epochs and the history know nothing of it.

        Returns
        -------
        float, list or dict
            As of :meth:`evaluate`: of this batch alone, before its step and with dropout.  (Keras
            returns the mean over the batches so far.)

        Raises
        ------
        RuntimeError
            If the net is not compiled, or in use by a fit; nothing has changed then.
        TypeError, ValueError
            If an argument is not what it should be; nothing has changed then.
        """
        wants_dict = truth("return_dict", return_dict)
        weights = Weights(sample_weight, class_weight)
        figures, taken = on_batch.train(self, x, y, weights)
        if not taken:
            loss = figures["loss"]
            message = f"train_on_batch: the loss is {loss}; no step was taken"
            warnings.warn(message, DivergenceWarning, stacklevel=2)
        return figures if wants_dict else self._returned(figures)

    def test_on_batch(
        self,
        x: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        return_dict: bool = False,
    ) -> float | list[float] | dict[str, float]:
        """Return what :meth:`evaluate` does, with all of ``x`` as one batch."""
        wants_dict = truth("return_dict", return_dict)
        figures = on_batch.test(self, x, y, Weights(sample_weight))
        return figures if wants_dict else self._returned(figures)

    def predict_on_batch(self, x: ArrayLike) -> Array:
        """Return what :meth:`predict` does, with all of ``x`` as one batch."""
        return on_batch.predict(self, x)

    @property
    def layers(self) -> list[Any]:
        """The layers, without the :class:`Input`; :meth:`add` puts another one on top.

        A net that is one of the layers is itself in the list, which is a new one each time.
        """
        return FixedList(shown_as(layer) for layer in self._layers if not isinstance(layer, Input))

    @property
    def params(self) -> Array:
        """All parameters that are trained, as one flat vector: the memory that a step changes.

        Those of layers that another net has trained since are copies of the values there.
        """
        if self._state.is_shared:
            self._fetch()
        return self._state.params[:]

    @property
    def weights(self) -> list[Array]:
        """All weights, as views of the memory that training changes."""
        return [slot.seen for slot in self._slots]

    @property
    def trainable_weights(self) -> list[Array]:
        """Those of them that the optimizer changes, from the next :meth:`compile` on."""
        return [slot.seen for slot in self._slots if self._trains(slot)]

    @property
    def non_trainable_weights(self) -> list[Array]:
        """Those of them that it does not: running means, and those of frozen layers."""
        return [slot.seen for slot in self._slots if not self._trains(slot)]

    def _trains(self, slot: Slot) -> bool:
        """Whether the optimizer is to change a tensor."""
        learns = {id(layer): own for layer, own in learning(self._layers, self.trainable)}
        return slot.weight.trainable and learns[id(slot.layer)]

    @property
    def steps_trained(self) -> int:
        """The steps taken so far, over all fits and also in epochs that were interrupted."""
        return self._state.steps

    @property
    def epochs_trained(self) -> int:
        """The epochs completed so far, over all fits; each is shuffled by its number."""
        return self._state.epochs

    # As in Keras, where variables are weights, and what else a layer may remember.
    variables, trainable_variables = weights, trainable_weights
    non_trainable_variables = non_trainable_weights

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of inputs, ``(None, ...)``: any number of samples.

        Raises
        ------
        AttributeError
            If the net is not built.
        """
        if self._input_shape is None:
            raise refuse(self, "input_shape", "has none yet: give it an Input layer")
        return (None, *self._input_shape)

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The shape of outputs, likewise."""
        if self._input_shape is None:
            raise refuse(self, "output_shape", "has none yet: give it an Input layer")
        shape = self._input_shape
        for layer in self._layers:
            shape = layer._output_shape(shape)
        return (None, *shape)

    @property
    def metrics_names(self) -> list[str]:
        """The names of what :meth:`evaluate` returns, in its order."""
        return ["loss", *(metric.name for metric, _ in self.shown_metrics)]

    def reset_metrics(self) -> None:
        """Do nothing: figures are always those of one epoch, evaluation or batch."""

    def count_params(self) -> int:
        """Return the number of parameters."""
        return self._state.params.size + self._state.running.size

    def get_weights(self) -> list[Array]:
        """Return copies of all weights, layer by layer: of a dense one kernel, then bias.

        A kernel is (inputs, outputs).  What is not trained, such as a running mean, is among them.
        """
        return [np.array(view) for view in self.weights]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Set all weights, in the order and shapes of :meth:`get_weights`.

        Raises
        ------
        TypeError, ValueError
            If their number, a shape or a value is wrong; nothing has changed then.
        """
        if not self.built:
            raise RuntimeError("set_weights: the net has no weights yet; give it an Input layer")
        slots = self._slots
        places = [(s.name, s.of(self._state)) for s in slots]
        fresh = self._state.resized(self._state.params.copy(), self._state.running.copy())
        for array, slot in zip(checked_weights(weights, places), slots, strict=True):
            slot.of(fresh)[...] = array
        self._give(fresh)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the weights, for samples of a shape.

        Parameters
        ----------
        input_shape : tuple, as in Keras
            ``(None, features, ...)``: the batch comes first, and is None.

        Raises
        ------
        TypeError, ValueError
            If it is no such shape, or the layers can't take such samples; or if the net is built
            for others.
        """
        shape = items("input_shape", "sizes, the first of them None", input_shape)
        if len(shape) < 2 or shape[0] is not None:
            raise ValueError(
                "input_shape: expected (None, features, ...), with None for the samples, "
                f"got {shown(input_shape)}"
            )
        wanted = shape_of("input_shape", shape[1:])
        if self._input_shape not in (None, wanted):
            raise ValueError(
                f"input_shape: the net is built for samples of shape {self._input_shape}, "
                f"got {wanted}"
            )
        if self._input_shape is None:
            self._build_for(wanted)

    def get_config(self) -> dict[str, Any]:
        """Return the architecture as plain data; see :meth:`Sequential.from_config`."""
        shape = self._input_shape
        return {
            "name": self.name,
            "seed": self.seed,
            "dtype": str(self.dtype),
            "backend": self.backend,
            "trainable": self.trainable,
            "layers": serialize([shown_as(layer) for layer in self._layers], "layers"),
            "build_input_shape": None if shape is None else [None, *shape],
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Return a net with the architecture of a configuration, and its first weights.

        Parameters
        ----------
        config : dict
            From :meth:`get_config`.
        custom_objects : dict, optional
            Classes and functions of your own that the configuration names.

        Raises
        ------
        TypeError, ValueError
            If the configuration does not describe a net, or names what is not there.
        """
        arguments = {key: value for key, value in config.items() if key != "build_input_shape"}
        arguments["layers"] = deserialize(config["layers"], custom_objects)
        model = cls(**arguments)
        shape = config.get("build_input_shape")
        if shape is not None:
            model.build(shape)
        return model

    def get_compile_config(self) -> dict[str, Any] | None:
        """Return optimizer, loss and metrics as plain data; None before :meth:`compile`."""
        if self.loss is None:
            return None
        return {
            "optimizer": serialize(self.optimizer, "optimizer"),
            "loss": serialize(self.loss, "loss"),
            "metrics": serialize(self.metrics, "metrics"),
            "weighted_metrics": serialize(self.weighted_metrics, "weighted_metrics"),
        }

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compile as :meth:`get_compile_config` has described it."""
        self.compile(**{key: deserialize(value) for key, value in config.items()})

    def to_json(self) -> str:
        """Return the architecture as text, for :func:`fastmlp.models.model_from_json`."""
        import json

        return json.dumps(serialize(self))

    def save(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Save the net in a file, from which :func:`fastmlp.load_model` makes it again.

        With the architecture and the weights, the optimizer and its moments, the loss and the
        metrics, and the history: a fit goes on as if there had been no pause.  The file is in the
        safetensors format, whatever its name ends in, and holds no code.

        Parameters
        ----------
        filepath : str or path
            Such as "net.safetensors".
        overwrite : bool
            Whether a file of that name may be replaced; by an intact one, at once.

        Raises
        ------
        FileExistsError, FileNotFoundError
            If there is a file and ``overwrite`` is False, or no such folder.
        NotImplementedError, TypeError
            If a class of your own does not describe itself; nothing has been written then.
        """
        from .saving import save_model

        save_model(self, filepath, overwrite)

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Save the weights alone in a file; see :meth:`save`."""
        from .saving import save_weights

        save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Take the weights from a file of :meth:`save_weights` or :meth:`save`, in their order.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        RuntimeError
            If this net has no weights yet.
        ValueError
            If the file is damaged, or its weights do not fit; nothing has changed then.
        """
        from .saving import load_weights

        load_weights(self, filepath)

    def summary(
        self, line_length: int | None = None, print_fn: Callable[[str], object] | None = None
    ) -> None:
        """Print the layers with their output shapes and numbers of parameters.

        Parameters
        ----------
        line_length : int, positive, optional
            By default as wide as the terminal.
        print_fn : callable, optional
            Called with the whole text, instead of printing it.
        """
        if line_length is not None:
            positive_integer("line_length", line_length)
        if print_fn is not None and not callable(print_fn):
            raise TypeError(f"print_fn: expected a function, got {shown(print_fn)}")
        print_summary(self, line_length, print_fn)

    def _repr_html_(self) -> str:
        from .runtime.notebook import page_of_model

        return page_of_model(self)

    def __repr__(self) -> str:
        return f"<Sequential {self.name!r}: {', '.join(layer.name for layer in self.layers)}>"


def _inference_batch_size(batch_size: int | None) -> int:
    """Return how many samples go through the net at once when it does not learn."""
    return PREDICT_BATCH if batch_size is None else positive_integer("batch_size", batch_size)


_FREE = ("name", "history", "stop_training", "trainable")
_FIXED = {
    name
    for kind in (Sequential, Compiled, Stack)
    for name in (*dir(kind), *kind.__annotations__)
    if name not in _FREE
}
