"""A fit that is refused changes nothing about the estimator."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def unchanged_after_an_error(estimator: Any) -> Iterator[None]:
    """If an error follows, and no step is taken before it, give back all attributes.

    Else an estimator would answer with the net of one fit and the classes of another.
    """
    before, steps = dict(vars(estimator)), _steps_of(estimator)
    try:
        yield
    except BaseException:
        if _steps_of(estimator) in (0, steps):
            vars(estimator).clear()
            vars(estimator).update(before)
        raise


def _steps_of(estimator: Any) -> int:
    """Return how many steps its net has taken, or its nets, or those of its members."""
    known = vars(estimator)
    nets = [known["net_"]] if "net_" in known else known.get("nets_", [])
    nets = [*nets, *(member.net_ for member in known.get("estimators_", []))]
    return sum(net.steps_trained for net in nets)
