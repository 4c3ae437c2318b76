"""The live page's fit without the page: ``python -m bench.playground_fit SECONDS``.

Prints how many steps a second it takes.
"""

import sys
import time

from fastmlp.callbacks import Callback, Logs
from fastmlp.playground import data
from fastmlp.playground.configuration import Configuration

WATCHED = "data=fashion-mnist&hidden=10:tanh,10:tanh,10:tanh,10:tanh&epochs=10000"


class Until(Callback):
    """Ends a fit after so many seconds, at the end of an epoch."""

    def __init__(self, seconds: float) -> None:
        self._end = time.perf_counter() + seconds

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if time.perf_counter() > self._end:
            self.model.stop_training = True


def main(seconds: float) -> None:
    wanted = Configuration.parse(WATCHED)
    problem = data.load(wanted.data, wanted.noise)
    model = wanted.build(problem)
    for duration in (0.2, seconds):
        before, started = model.steps_trained, time.perf_counter()
        model.fit(
            *problem.train, batch_size=wanted.batch, epochs=wanted.epochs, verbose=0,
            validation_data=problem.test, callbacks=[Until(duration)],
        )  # fmt: skip
    print((model.steps_trained - before) / (time.perf_counter() - started))


if __name__ == "__main__":
    main(float(sys.argv[1]))
