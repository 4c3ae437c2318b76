"""What a net does without learning: evaluating and predicting, with a display if wanted."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from .data import Data
from .engine import Engine
from .kernels.contract import Total
from .layers.base import Array
from .progress import BatchProgress
from .training import figures_of

_SECONDS_PER_CALL = 0.2  # between two looks at the display


def evaluate(
    engine: Engine, data: Data, batch_size: int, metrics: Sequence[str], verbose: int
) -> dict[str, float]:
    """Return the figures over all samples, by name."""
    totals = np.zeros(len(Total))

    def run(first: int, last: int) -> dict[str, float]:
        engine.evaluate_part(data, bool(metrics), batch_size, first, last, totals)
        return figures_of(engine, totals, metrics)

    if not verbose:
        totals = engine.evaluate(data, bool(metrics), batch_size)
        return figures_of(engine, totals, metrics)
    return _in_parts(run, -(-data.count // batch_size), verbose)


def predict(engine: Engine, data: Data, batch_size: int, verbose: int) -> Array:
    """Return the outputs (n, outputs) for all samples."""
    if not verbose:
        return engine.forward(data, batch_size)
    outputs = np.empty((data.count, engine.plan.outputs), engine.params.dtype)

    def run(first: int, last: int) -> dict[str, float]:
        engine.forward_part(data, batch_size, first, last, outputs)
        return {}

    _in_parts(run, -(-data.count // batch_size), verbose)
    return outputs


def _in_parts(
    run: Callable[[int, int], dict[str, float]], batches: int, verbose: int
) -> dict[str, float]:
    """Run some batches at a time, and show how far it is; returns the figures at the end."""
    done, steps = 0, 1
    figures: dict[str, float] = {}
    with BatchProgress(verbose, batches) as progress:
        while done < batches:
            upto = min(batches, done + steps)
            started = time.perf_counter()
            figures = run(done, upto)
            seconds = max(time.perf_counter() - started, 1e-6)
            steps = max(1, int((upto - done) / seconds * _SECONDS_PER_CALL))
            done = upto
            progress.advance(done, figures)
        progress.end(figures)
    return figures
