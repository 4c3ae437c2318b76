"""The evaluation that follows each epoch of a fit, or some of them."""

import numpy as np

from ..callbacks import Logs
from .engine import PREDICT_BATCH
from .inference import Totals, evaluate
from .run import Part


class Validation(Part):
    """Adds the validation's figures to those of the epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        run, job, data = self.run, self.run.job, self.run.job.validation
        assert data is not None
        assert logs is not None
        if not job.course.validates(epoch):
            return

        def advance(done: int, totals: Totals) -> None:
            run.check_stop()

        size = job.course.validation_batch_size or PREDICT_BATCH
        figures = evaluate(
            run.engine, data, size, job.metrics, callbacks=job.callbacks, advance=advance
        )
        for name, value in figures.items():
            logs[f"val_{name}"] = np.nan if run.is_cut_short else value
