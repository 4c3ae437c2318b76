"""Some tensors of a net, as a user names them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arguments import items


class Choice:
    """Some tensors of a net, as a user names them.

    Parameters
    ----------
    var_list : sequence of array or str
        Weights of the net, ``layer.kernel``, or their full names, ``"dense/kernel"``.
    var_names : sequence of str
        Regular expressions, of which one is found in the full name.

    Raises
    ------
    TypeError, ValueError
        If one is something else.
    """

    def __init__(
        self, var_list: Sequence[NDArray[Any] | str] | None, var_names: Sequence[str] | None
    ) -> None:
        chosen = [] if var_list is None else items("var_list", "weights", var_list)
        for i, one in enumerate(chosen):
            if not isinstance(one, (str, np.ndarray)):
                raise TypeError(
                    f"var_list[{i}]: expected a weight of the net, such as layer.kernel, or its "
                    f"full name, got {type(one).__name__}"
                )
        patterns = [] if var_names is None else items("var_names", "patterns", var_names)
        for i, pattern in enumerate(patterns):
            try:
                re.compile(pattern)
            except (TypeError, re.error) as reason:
                raise ValueError(
                    f"var_names[{i}]: expected a regular expression, got {pattern!r}: {reason}"
                ) from None
        self.names = [one for one in chosen if isinstance(one, str)]
        self.arrays = [one for one in chosen if isinstance(one, np.ndarray)]
        self.patterns = patterns
        self._asked: dict[str, bool] = {}  # what was answered of names

    def recognize(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Know arrays by their names, if a net's tensors are these.

        Raises
        ------
        ValueError
            If an array is none of them, or a name of none.
        """
        found = []
        for array in self.arrays:
            name = next((n for n, own in tensors.items() if _is_same_memory(array, own)), None)
            if name is None:
                raise ValueError(f"var_list: an array of shape {array.shape} is no weight of it")
            found.append(name)
        unknown = [name for name in self.names if name not in tensors]
        if unknown:
            raise ValueError(f"var_list: the net has no weight {unknown[0]!r}: {list(tensors)}")
        if found:
            self.names += found
            self.arrays = []
            self._asked.clear()

    def __contains__(self, name: str) -> bool:
        if name not in self._asked:
            found = any(re.search(pattern, name) for pattern in self.patterns)
            self._asked[name] = found or name in self.names
        return self._asked[name]

    def get_config(self) -> dict[str, Any]:
        """Return what was named, as plain data."""
        if self.arrays:
            raise TypeError(
                "var_list: it names weights of a net that has not been compiled with this "
                "optimizer yet, and so they can't be saved"
            )
        return {"var_list": self.names, "var_names": self.patterns}


def _is_same_memory(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Return whether two arrays are views of the same numbers."""
    ours, theirs = a.__array_interface__, b.__array_interface__
    return bool(ours["data"][0] == theirs["data"][0] and a.shape == b.shape and a.dtype == b.dtype)
