"""The weights of a layer, as users see them."""

from collections.abc import Mapping
from typing import Any

from ..runtime.attributes import FixedList
from ..runtime.tensors import Array


class Weights(FixedList[Array]):
    """The weights in order, as in Keras; ``weights["kernel"]`` is the one of that name.

    Each is a view of the memory that training changes: ``weights[0][...] = values`` sets it.
    """

    advice = "write weights[0][...] = values, or call set_weights"

    def __init__(self, named: Mapping[str, Array]) -> None:
        super().__init__(named.values())
        self._named = named

    @property
    def names(self) -> list[str]:
        """Their names, in the same order."""
        return list(self._named)

    def __getitem__(self, key: Any) -> Any:
        return self._named[key] if isinstance(key, str) else super().__getitem__(key)
