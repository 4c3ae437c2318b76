"""What is done with a packet of an experiment's nets, here or on a worker elsewhere."""

import pickle
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import DivergenceWarning, Sequential, fit_many
from ..datasets import Dataset
from ..history import Fits, History
from ..runtime.schedulers import Post, Work
from .nets import Net, Outcome

Measure = Callable[[Dataset, Net, Sequential], dict[str, float]]


class Training(Work):
    """Trains nets on a data set, and measures what a question wants to know of them."""

    def __init__(self, dataset: Dataset, backend: str, measure: Measure) -> None:
        self.dataset, self.backend, self.measure = dataset, backend, measure

    def train(
        self, items: Sequence[tuple[int, Any]], done: Mapping[int, bytes], jobs: int | None,
        post: Post,
    ) -> None:  # fmt: skip
        """Train a packet's nets; what is posted of each is its pickled outcome."""
        todo = [(number, net) for number, net in items if number not in done]
        for cools in (False, True):
            part = [(number, net) for number, net in todo if bool(net.cool_after) == cools]

            def keep(number: int, net: Net, model: Sequential, history: History) -> None:
                outcome = outcome_of(self.dataset, self.measure, net, model, history)
                post(number, pickle.dumps(outcome), b"")

            if part:
                train = self._train_and_cool if cools else self._train
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DivergenceWarning)
                    warnings.filterwarnings("ignore", "fit_many: ", RuntimeWarning)
                    train(part, jobs, keep)

    def _train(self, part: list[tuple[int, Net]], jobs: int | None, keep: "_Keep") -> None:
        models = [net.build(self.dataset, self.backend) for _, net in part]

        def done(index: int, history: History) -> None:
            keep(*part[index], models[index], history)

        self._fit(part, models, [net.epochs for _, net in part], jobs, done)

    def _train_and_cool(self, part: list[tuple[int, Net]], jobs: int | None, keep: "_Keep") -> None:
        models = [net.build(self.dataset, self.backend) for _, net in part]
        before = self._fit(part, models, [net.cool_after for _, net in part], jobs, None)
        for (_, net), model in zip(part, models, strict=True):
            assert model.optimizer is not None
            model.optimizer.learning_rate = net.learning_rate / net.cool_by
        left = [net.epochs - net.cool_after for _, net in part]
        after = self._fit(part, models, left, jobs, None)
        for one, model, first, second in zip(part, models, before, after, strict=True):
            keep(*one, model, _joined(first, second))

    def _fit(
        self,
        part: list[tuple[int, Net]],
        models: list[Sequential],
        epochs: list[int],
        jobs: int | None,
        on_done: Callable[[int, History], None] | None,
    ) -> Fits:
        """Train the nets; raise what ended the training of some, or KeyboardInterrupt."""
        fits = fit_many(
            models, *self.dataset.train, [net.batch_size for _, net in part], epochs, 0,
            subsets=[repeated(self.dataset, net.samples) for _, net in part],
            validation_data=self.dataset.test, jobs=jobs, on_done=on_done,
        )  # fmt: skip
        if fits.interrupted:
            raise KeyboardInterrupt
        for error in fits.errors.values():
            raise error
        return fits


_Keep = Callable[[int, Net, Sequential, History], None]


def outcome_of(
    dataset: Dataset, measure: Measure, net: Net, model: Sequential, history: History
) -> Outcome:
    """Return what became of a trained net."""
    divergence = history.divergence.message if history.divergence else ""
    return Outcome(history.history, divergence, measure(dataset, net, model))


def repeated(dataset: Dataset, samples: int | None) -> NDArray[np.integer] | None:
    """Return the first samples' indices, repeated until there are as many as in the whole set.

    So an epoch has as many steps, and nothing but the data differs.  None stands for all samples.
    """
    count = len(dataset.train[0])
    return None if samples is None or samples >= count else np.arange(count) % samples


def _joined(first: History, second: History) -> History:
    """Return the history of a training that was done in two parts."""
    figures = {name: first.history[name] + second.history[name] for name in first.history}
    return History(second.params, figures, first.epoch + second.epoch, second.divergence)
