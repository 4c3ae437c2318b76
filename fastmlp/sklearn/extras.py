"""What fit and partial_fit are given besides samples and answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..callbacks import BackupAndRestore, Callback


@dataclass(frozen=True)
class Extras:
    """The other arguments of a fit.

    Attributes
    ----------
    x_val, y_val : array, optional
        What is scored after each epoch.
    callbacks : sequence of Callback, optional
    sample_weight : array (n,), optional
        How much each sample counts.
    classes : array, optional
        All classes there will be.
    incremental : bool
        Whether this is one epoch of a training that goes on.
    """

    x_val: Any = None
    y_val: Any = None
    callbacks: Sequence[Callback] | None = None
    sample_weight: Any = None
    classes: Any = None
    incremental: bool = False

    def check(self, solver: str) -> None:
        """Refuse half of the validation data, a backup, and what L-BFGS, without epochs, ignores.

        Raises
        ------
        ValueError
            With the name of the argument.
        """
        pair = {"X_val": self.x_val, "y_val": self.y_val}
        missing = [name for name, value in pair.items() if value is None]
        if len(missing) == 1:
            raise ValueError(f"{missing[0]}: expected X_val and y_val together, got None")
        for argument, is_given in {"X_val": not missing, "callbacks": bool(self.callbacks)}.items():
            if solver == "lbfgs" and is_given:
                raise ValueError(f"{argument}: not with solver='lbfgs', which has no epochs")
        if any(isinstance(callback, BackupAndRestore) for callback in self.callbacks or ()):
            raise ValueError(
                "callbacks: BackupAndRestore keeps the net alone, and not what an estimator knows "
                "of the epochs before; with partial_fit, a pickle of the estimator is a backup"
            )
