"""What a net does without learning: evaluating and predicting, with a display if wanted."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..callbacks import Callback, having
from ..callbacks.base import PREDICT_BATCH, TEST_BATCH
from .data import Data
from .engine import Engine
from .figures import figures_of
from .progress import BatchProgress
from .shown import Shown
from .tensors import Array

Totals = NDArray[np.float64]


def evaluate(
    engine: Engine,
    data: Data,
    batch_size: int,
    metrics: Sequence[Shown],
    verbose: int = 0,
    callbacks: Sequence[Callback] = (),
    advance: Callable[[int, Totals], None] | None = None,
) -> dict[str, float]:
    """Return the figures over all samples, by name.

    ``advance`` is told now and then how many batches are done, with the totals so far.
    """
    for callback in callbacks:
        callback.on_test_begin({})
    total = partial(_totals, engine, data, batch_size, metrics, having(callbacks, TEST_BATCH))
    if not verbose:
        figures = figures_of(engine, total(advance), metrics)
    else:
        with BatchProgress(verbose, -(-data.count // batch_size)) as progress:

            def move(done: int, totals: Totals) -> None:
                progress.advance(done, figures_of(engine, totals, metrics))

            figures = figures_of(engine, total(move), metrics)
            progress.end(figures)
    for callback in callbacks:
        callback.on_test_end(dict(figures))
    return figures


def _totals(
    engine: Engine,
    data: Data,
    batch_size: int,
    metrics: Sequence[Shown],
    watchers: Sequence[Callback],
    advance: Callable[[int, Totals], None] | None,
) -> Totals:
    """Return the totals over all samples; batch by batch, if somebody watches."""
    if not watchers:
        return engine.evaluate(data, batch_size, advance)
    totals = np.zeros(engine.plan.totals)
    for batch, start in enumerate(range(0, data.count, batch_size)):
        for callback in watchers:
            callback.on_test_batch_begin(batch, {})
        part = data.part(slice(start, start + batch_size))
        engine.evaluate(part, batch_size, totals=totals)
        for callback in watchers:
            callback.on_test_batch_end(batch, figures_of(engine, totals, metrics))
        if advance is not None:
            advance(batch + 1, totals)
    return totals


def predict(
    engine: Engine,
    data: Data,
    batch_size: int,
    verbose: int = 0,
    callbacks: Sequence[Callback] = (),
) -> Array:
    """Return the outputs (n, outputs) for all samples."""
    for callback in callbacks:
        callback.on_predict_begin({})
    run = partial(_outputs, engine, data, batch_size, having(callbacks, PREDICT_BATCH))
    if not verbose:
        outputs = run(None)
    else:
        with BatchProgress(verbose, -(-data.count // batch_size)) as progress:
            outputs = run(lambda done: progress.advance(done, {}))
            progress.end({})
    for callback in callbacks:
        callback.on_predict_end({})
    return outputs


def _outputs(
    engine: Engine,
    data: Data,
    batch_size: int,
    watchers: Sequence[Callback],
    advance: Callable[[int], None] | None,
) -> Array:
    """Return the outputs for all samples; batch by batch, if somebody watches."""
    if not watchers:
        return engine.forward(data, batch_size, advance)
    parts = []
    for batch, start in enumerate(range(0, data.count, batch_size)):
        for callback in watchers:
            callback.on_predict_batch_begin(batch, {})
        parts.append(engine.forward(data.part(slice(start, start + batch_size)), batch_size))
        for callback in watchers:
            callback.on_predict_batch_end(batch, {"outputs": parts[-1]})
        if advance is not None:
            advance(batch + 1)
    return np.concatenate(parts)
