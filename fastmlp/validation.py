"""The evaluation that follows each epoch of a fit."""

import numpy as np
from numpy.typing import NDArray

from .callbacks import Logs
from .figures import figures_of
from .run import Part


class Validation(Part):
    """Adds the validation's figures to those of the epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        run, data = self.run, self.run.job.validation
        assert data is not None
        assert logs is not None

        def advance(done: int, totals: NDArray[np.float64]) -> None:
            run.check_stop()

        totals = run.engine.evaluate(data, advance=advance)
        for name, value in figures_of(run.engine, totals, run.job.metrics).items():
            logs[f"val_{name}"] = np.nan if run.is_cut_short else value
