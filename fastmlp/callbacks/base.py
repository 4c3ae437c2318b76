"""What every callback has."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..runtime.arguments import items, shown
from ..runtime.attributes import fixed

if TYPE_CHECKING:
    from ..model import Sequential
    from ..runtime.run import Run

Logs = dict[str, float]

TRAIN_BATCH = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
TRAIN_CALL = ("on_train_batches_end",)
TEST_BATCH = ("on_test_batch_begin", "on_test_batch_end")
PREDICT_BATCH = ("on_predict_batch_begin", "on_predict_batch_end")


class Callback:
    """What a fit calls before and after its epochs; subclass it to write your own.

    Pass callbacks to ``fit``: they are called in the order of the list.  One that sets
    ``self.model.stop_training = True`` has the fit end after the epoch that is running, or, in a
    hook of a batch, after that batch.  What one writes into the ``logs`` of :meth:`on_epoch_end` is
    seen by those behind it, and is kept in the history.  A change of
    ``self.model.optimizer.learning_rate`` counts from the next epoch on, or the next batch, if it
    is made in a hook of a batch.

    The hooks of batches cost a call of the engine each; what does not have them pays nothing.  To
    watch a fit at little cost, there is :meth:`on_train_batches_end`, which Keras does not have.
    None of them changes a bit of the result.

    After an error or Ctrl-C, also in a callback, no other hook is called.

    Attributes
    ----------
    model : Sequential
        The net that is trained; known from just before :meth:`on_train_begin` on.
    params : dict
        ``epochs``, ``steps`` (of an epoch), ``batch_size``, ``samples`` and ``verbose``.
    seconds_per_call : float
        How long the engine may run before :meth:`on_train_batches_end` is called, at most 0.2; 0 is
        one batch.  It may be changed while the fit runs.
    """

    seconds_per_call = 0.2
    model: "Sequential"
    params: dict[str, Any]

    _fixed: ClassVar[tuple[str, ...]] = ()  # attributes that decide which hooks an object has

    def __setattr__(self, name: str, value: object) -> None:
        if name in self._fixed and name in vars(self):
            raise fixed(self, name)
        object.__setattr__(self, name, value)

    def _join(self, run: "Run") -> None:
        """Know the run of a fit, if that is needed: of callbacks that are part of the library."""

    def _epochs_at_once(self) -> float:
        """Return how many epochs may go by before the callback needs to know of the first.

        They are taken in one call of the engine, if all callbacks can wait.  It is told when the
        first of them begins, and when the last has ended of the end of each.
        """
        return 1

    def set_model(self, model: "Sequential") -> None:
        """Tell which net is trained."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell how ``fit`` was called."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch; ``logs`` is empty."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch, also if it was the last because something ended the fit early.

        ``logs`` has the figures of that epoch.
        """

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch, counted from 0 within the fit; ``logs`` is empty."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch and its validation; ``logs`` has the figures by name."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of a fit, counted from 0 within the epoch; ``logs`` is empty."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch and its step; ``logs`` has the figures of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_train_batches_end(self, batch: int, logs: Logs | None = None) -> None:
        """After the batches of one call of the engine, the last of which has this number.

        ``logs`` has the figures of the epoch so far.  A long epoch takes several calls, each about
        as long as :attr:`seconds_per_call` says.  It is not called in a fit with hooks of batches.
        ``self.model.stop_training = True`` ends the fit here.
        """

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of :meth:`on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of :meth:`on_train_batch_end`."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before an evaluation, also that of the validation data of a fit; ``logs`` is empty."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After an evaluation; ``logs`` has its figures."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of an evaluation, counted from 0; ``logs`` is empty."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of an evaluation; ``logs`` has the figures so far."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before a prediction; ``logs`` is empty."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After a prediction; ``logs`` is empty."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of a prediction, counted from 0; ``logs`` is empty."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch of a prediction; ``logs`` has its ``outputs``."""


def having(callbacks: Sequence[Callback], hooks: Sequence[str]) -> tuple[Callback, ...]:
    """Return those of the callbacks that have one of the hooks, and do not just inherit them."""
    return tuple(
        callback
        for callback in callbacks
        if any(
            hook in vars(callback) or getattr(type(callback), hook) is not getattr(Callback, hook)
            for hook in hooks
        )
    )


def check_callbacks(callbacks: object, argument: str = "callbacks") -> tuple[Callback, ...]:
    """Return the callbacks of a list, or one alone; ``argument`` is its name in messages.

    Raises
    ------
    TypeError
        If one is no Callback.
    ValueError
        If one is in the list twice.
    """
    if callbacks is None:
        return ()
    if isinstance(callbacks, Callback):
        return (callbacks,)
    checked: list[Callback] = []
    for index, callback in enumerate(items(argument, "Callback objects", callbacks)):
        name = f"{argument}[{index}]"
        if not isinstance(callback, Callback):
            raise TypeError(f"{name}: expected a fastmlp.callbacks.Callback, got {shown(callback)}")
        if any(callback is other for other in checked):
            raise ValueError(f"{name}: {shown(callback)} is in the list already")
        checked.append(callback)
    return tuple(checked)
