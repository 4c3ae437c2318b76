"""Classes whose objects do not change, sooner made than by ``dataclass`` alone.

There are a hundred of them, and most differ from the class above in methods only: that class has
all that ``dataclass`` would write for them once more, which takes it half a millisecond each.
"""

from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Do what ``dataclass(frozen=True)`` does."""
    if vars(cls).get("__annotations__") or not hasattr(cls, "__dataclass_fields__"):
        return dataclass(frozen=True)(cls)

    # Those of the class above let objects of classes that are not frozen have attributes.
    def refuse_to_set(self: Any, name: str, value: object) -> None:
        if type(self) is cls:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def refuse_to_delete(self: Any, name: str) -> None:
        if type(self) is cls:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    for name, method in (("__setattr__", refuse_to_set), ("__delattr__", refuse_to_delete)):
        setattr(cls, name, method)
    return cls
