"""Callbacks made of functions."""

from collections.abc import Callable
from typing import Any

from ..runtime.arguments import shown
from .base import PREDICT_BATCH, TEST_BATCH, TRAIN_BATCH, Callback

_OTHERS = (
    *TRAIN_BATCH[2:], *TEST_BATCH, *PREDICT_BATCH,
    "on_test_begin", "on_test_end", "on_predict_begin", "on_predict_end",
)  # fmt: skip


class LambdaCallback(Callback):
    """A callback made of functions.

    Parameters
    ----------
    on_epoch_begin, on_epoch_end : callable (epoch, logs), optional
    on_train_begin, on_train_end : callable (logs), optional
    on_train_batch_begin, on_train_batch_end : callable (batch, logs), optional
    **others : callable
        Any other hook of :class:`Callback`.

    Raises
    ------
    TypeError
        If one is no function, or no hook has that name.
    """

    def __init__(
        self,
        on_epoch_begin: Callable[[int, Any], object] | None = None,
        on_epoch_end: Callable[[int, Any], object] | None = None,
        on_train_begin: Callable[[Any], object] | None = None,
        on_train_end: Callable[[Any], object] | None = None,
        on_train_batch_begin: Callable[[int, Any], object] | None = None,
        on_train_batch_end: Callable[[int, Any], object] | None = None,
        **others: Callable[..., object] | None,
    ) -> None:
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        for name in others:
            if name not in _OTHERS:
                raise TypeError(
                    f"{name}: expected one of {', '.join((*hooks, *_OTHERS))}, got another name"
                )
        for name, function in {**hooks, **others}.items():
            if function is not None and not callable(function):
                raise TypeError(f"{name}: expected a function, got {shown(function)}")
            if function is not None:
                setattr(self, name, function)
