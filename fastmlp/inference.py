"""What a net does without learning: evaluating and predicting, with a display if wanted."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .data import Data
from .engine import Engine
from .figures import figures_of
from .progress import BatchProgress
from .tensors import Array


def evaluate(
    engine: Engine, data: Data, batch_size: int, metrics: Sequence[str], verbose: int
) -> dict[str, float]:
    """Return the figures over all samples, by name."""
    if not verbose:
        return figures_of(engine, engine.evaluate(data, batch_size), metrics)
    with BatchProgress(verbose, -(-data.count // batch_size)) as progress:

        def advance(done: int, totals: NDArray[np.float64]) -> None:
            progress.advance(done, figures_of(engine, totals, metrics))

        totals = engine.evaluate(data, batch_size, advance)
        figures = figures_of(engine, totals, metrics)
        progress.end(figures)
    return figures


def predict(engine: Engine, data: Data, batch_size: int, verbose: int) -> Array:
    """Return the outputs (n, outputs) for all samples."""
    if not verbose:
        return engine.forward(data, batch_size)
    with BatchProgress(verbose, -(-data.count // batch_size)) as progress:
        outputs = engine.forward(data, batch_size, lambda done: progress.advance(done, {}))
        progress.end({})
    return outputs
