"""The arguments of an estimator, checked when it is fitted, with what a variant says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ... import activations, backends
from ...runtime.arguments import positive_integer, real_number, truth
from ...runtime.lookup import by_name
from ...runtime.threads import thread_count
from ..settings import checked_sizes
from .variants import Variant

_SHARE = "a number in [0, 1)"
_NOT_NEGATIVE = "a finite number that is not negative"


@dataclass(frozen=True)
class Settings:
    """The checked arguments; their meanings are those of the estimator's, or of a Variant's."""

    hidden: tuple[int, ...]
    activation: activations.Activation
    rate: float
    label_smoothing: float
    dropout: float
    weight_decay: float
    mixes: bool
    starts_from_data: bool
    largest_one_hot: int | None
    embeds_numbers: bool
    clamps: bool
    n_ens: int
    max_iter: int
    batch_size: int
    validation_fraction: float
    verbose: bool
    threads: int | None
    backend: str


def checked(estimator: Any, variants: Mapping[str, Variant]) -> Settings:
    """Return the checked arguments of an estimator.

    Raises
    ------
    TypeError, ValueError
        If one is not what it should be.
    """
    e = estimator
    variant: Variant = by_name("variant", e.variant, dict(variants))

    def number(name: str, default: float, kind: str, **bounds: float) -> float:
        given = getattr(e, name, None)
        return real_number(name, default if given is None else given, kind, **bounds)

    given = variant.activation if e.activation is None else e.activation
    return Settings(
        hidden=checked_sizes(e.hidden_layer_sizes),
        activation=activations.get(given),
        rate=number("learning_rate_init", variant.learning_rate, _NOT_NEGATIVE, low=0),
        label_smoothing=number("label_smoothing", variant.label_smoothing, _SHARE, low=0, below=1),
        dropout=number("dropout", variant.dropout, _SHARE, low=0, below=1),
        weight_decay=number("weight_decay", variant.weight_decay, _NOT_NEGATIVE, low=0),
        mixes=variant.mixes,
        starts_from_data=variant.starts_from_data,
        largest_one_hot=variant.largest_one_hot,
        embeds_numbers=variant.embeds_numbers,
        clamps=variant.clamps,
        n_ens=positive_integer("n_ens", e.n_ens),
        max_iter=positive_integer("max_iter", e.max_iter),
        batch_size=positive_integer("batch_size", e.batch_size),
        validation_fraction=_fraction(e.validation_fraction),
        verbose=truth("verbose", e.verbose),
        threads=None if e.n_threads is None else thread_count("n_threads", e.n_threads),
        backend=backends.resolve(e.backend),
    )


def _fraction(given: object) -> float:
    kind = "a number between 0 and 1"
    return real_number("validation_fraction", given, kind, low=5e-324, below=1)
