"""Attributes: setting one has its effect, or is refused."""

from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn, TypeVar

T = TypeVar("T")

# Names that users know from Keras, with what to do here instead.
_ADVICE = {
    "lr": "it is called learning_rate here",
    "learning_rate": "it belongs to the optimizer: set model.optimizer.learning_rate",
    "momentum": "it belongs to the optimizer: set model.optimizer.momentum",
    "optimizer": "call compile(optimizer, loss)",
    "loss": "call compile(optimizer, loss)",
    "metrics": "call compile(optimizer, loss, metrics=...)",
    "layers": "call add(layer), or make a new net",
    "weights": "change the values in place, or with set_weights of the net",
    "params": "change the values in place, or with set_weights of the net",
}


def refuse(owner: object, name: str, reason: str) -> AttributeError:
    """Return the error for an attribute that cannot be set."""
    advice = f"; {_ADVICE[name]}" if name in _ADVICE else ""
    return AttributeError(f"{name}: {owner!r} {reason}{advice}", name=name, obj=owner)


def fixed(owner: object, name: str) -> AttributeError:
    """Return the error for an attribute that is what its owner was made with."""
    return refuse(owner, name, f"was made with {name}={vars(owner)[name]!r}, which is fixed")


def unknown(owner: object, name: str, known: Iterable[str]) -> AttributeError:
    """Return the error for an attribute that would have no effect, as it does not exist."""
    import difflib  # here, as it is seldom needed

    close = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return refuse(owner, name, f"has no such attribute{hint}")


def refuse_methods(kind: type, names: Iterable[str], advice: str) -> None:
    """Raise TypeError if a subclass has a method that Keras would call, and nothing here does."""
    for name in names:
        if name in vars(kind):
            raise TypeError(f"{kind.__name__}.{name}: it would never be called; {advice}")


def assign(owner: object, **values: Any) -> None:
    """Set attributes that only the owner's own methods may set."""
    vars(owner).update(values)


class FixedList(list[T]):
    """A list that is made anew each time it is asked for: to change it would have no effect."""

    advice: ClassVar[str] = "call add(layer) or pop(), or make a new net"

    def _refuse(self, *arguments: object, **options: object) -> NoReturn:
        raise TypeError(f"this list shows what there is, and can't be changed; {self.advice}")

    __setitem__ = __delitem__ = append = extend = insert = pop = remove = clear = _refuse
    sort = reverse = __iadd__ = __imul__ = _refuse
