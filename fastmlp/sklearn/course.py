"""What happens around the epochs of an estimator's fit: learning rates, scores, when to stop."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..callbacks import Callback, Logs
from ..callbacks.monitor import say
from ..runtime.tensors import Array
from .objective import Objective
from .settings import Settings

if TYPE_CHECKING:
    from .base import BaseMLP

Score = Callable[[], float]

# scikit-learn's: below this, an adaptive rate is not lowered any more.
_LOWEST_RATE = 1e-6


class Course(Callback):
    """Keeps an estimator's attributes up to date, and ends its fit.

    Parameters
    ----------
    estimator : BaseMLP
        What an epoch leaves is among its attributes, so that the next ``partial_fit`` goes on.
    settings : Settings
    objective : Objective
    score : callable, optional
        Returns the score of the validation data.

    Attributes
    ----------
    has_stopped : bool
        Whether the fit was ended before its last epoch.
    """

    def __init__(
        self,
        estimator: "BaseMLP",
        settings: Settings,
        objective: Objective,
        score: Score | None,
    ) -> None:
        self.estimator, self.settings, self.objective = estimator, settings, objective
        self.score = score
        self.has_stopped = False
        self.best_weights: list[Array] | None = None
        self._rate_before: float | Callable[[Any], Any] | None = None

    def _epochs_at_once(self) -> float:
        """Return after how many epochs the fit may end, or have another learning rate."""
        settings = self.settings
        scales = settings.solver == "sgd" and settings.schedule == "invscaling"
        if self.score is not None or settings.verbose or (scales and not callable(settings.rate)):
            return 1
        return settings.patience - self.estimator._no_improvement_count + 1

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Let the weights that a warm start begins with count as the best so far."""
        is_first = self.estimator.best_validation_score_ is None
        if self.score is not None and is_first and self.model.epochs_trained:
            self.estimator.best_validation_score_ = self.score()
            self.best_weights = self.model.get_weights()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the learning rate, where it is another one: else what callbacks made of it counts."""
        assert self.model.optimizer is not None
        rate = self._rate
        if rate != self._rate_before:
            scaled = self.settings.scaled(rate, self.objective.slope)
            self.model.optimizer.learning_rate = scaled
        self._rate_before = rate

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write down the loss and the score, and see whether they still get better."""
        estimator = self.estimator
        assert logs is not None
        assert self.model.history is not None
        divergence = self.model.history.divergence
        if divergence is not None and self.best_weights is None:
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large "
                f"values and need to be preprocessed. {divergence.message}"
            )
        estimator.n_iter_ += 1
        estimator.t_ += self.params["samples"]
        estimator.loss_ = self.objective.loss_of(logs)
        estimator.loss_curve_.append(estimator.loss_)
        if self.settings.verbose:
            say(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        is_better = self._judge_loss()
        if self.score is not None:
            score = self.score() if divergence is None else math.nan
            score_is_better = self._judge_score(score)
            if self.settings.early_stopping:
                is_better = score_is_better
        estimator._no_improvement_count = 0 if is_better else estimator._no_improvement_count + 1
        if divergence is not None:
            self._stop()
        elif estimator._no_improvement_count > self.settings.patience:
            self._lower_or_stop()

    @property
    def _rate(self) -> float | Callable[[Any], Any]:
        """The learning rate of the epoch that comes, or a schedule, in scikit-learn's scale."""
        settings, estimator = self.settings, self.estimator
        if callable(settings.rate):
            return settings.rate
        if settings.solver == "sgd" and settings.schedule == "invscaling":
            rate: float = settings.rate / (estimator.t_ + 1) ** settings.power_t
            return rate
        return settings.rate / 5.0**estimator._reductions

    def _judge_loss(self) -> bool:
        """Return whether the training's loss is better than all before, by more than tol."""
        estimator = self.estimator
        if self.settings.early_stopping:
            return False
        best = math.inf if estimator.best_loss_ is None else estimator.best_loss_
        estimator.best_loss_ = min(best, estimator.loss_)
        return bool(estimator.loss_ <= best - self.settings.tol)

    def _judge_score(self, score: float) -> bool:
        """Return whether a score is better than all before, by tol; keep the best weights."""
        estimator = self.estimator
        if estimator.validation_scores_ is None:
            estimator.validation_scores_ = []
        estimator.validation_scores_.append(score)
        if self.settings.verbose:
            say(f"Validation score: {score:.6f}")
        known = estimator.best_validation_score_
        best = -math.inf if known is None else known
        if score > best:
            estimator.best_validation_score_ = score
            self.best_weights = self.model.get_weights()
        return bool(score >= best + self.settings.tol)

    def _lower_or_stop(self) -> None:
        """Divide an adaptive rate by 5, as often as that makes sense; else end the fit."""
        settings = self.settings
        what = "Validation score" if settings.early_stopping else "Training loss"
        said = (
            f"{what} did not improve more than tol={settings.tol:f} for {settings.patience} "
            "consecutive epochs."
        )
        is_adaptive = settings.solver == "sgd" and settings.schedule == "adaptive"
        rate = self._rate
        if is_adaptive and not callable(rate) and rate > _LOWEST_RATE:
            self.estimator._reductions += 1
            self.estimator._no_improvement_count = 0
            said = f"{said} Setting learning rate to {self._rate:f}"
        else:
            said = f"{said} {'Learning rate too small. ' if is_adaptive else ''}Stopping."
            self._stop()
        if settings.verbose:
            say(said)

    def _stop(self) -> None:
        self.has_stopped = True
        self.model.stop_training = True
