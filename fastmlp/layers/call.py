"""What a layer's ``call`` works on: something that stands for arrays, and is none."""

import inspect
from typing import Any, NoReturn, Protocol

from ..runtime.arguments import shown
from ..runtime.lowering import Buffer, Builder


class _Called(Protocol):
    def call(self, inputs: "Placeholder", training: bool | None = None) -> "Placeholder": ...

    def _rows(self, builder: Builder, x: Buffer) -> Buffer: ...


class Placeholder:
    """The inputs or the outputs of a layer while a net is put together: no numbers yet.

    Parameters
    ----------
    builder : Builder
    buffer : Buffer
        Where the values will be.
    is_output : bool
        Whether a layer's rows have been added already.
    """

    def __init__(self, builder: Builder, buffer: Buffer, is_output: bool = False) -> None:
        self._builder, self._buffer, self._is_output = builder, buffer, is_output

    def called_by(self, layer: _Called) -> Buffer:
        """Let a layer's ``call`` add its rows, and return the buffer of its outputs.

        Raises
        ------
        TypeError
            If the call returns anything but what ``super().call(...)`` returned.
        """
        options = {"training": None} if "training" in _arguments_of(layer.call) else {}
        found: object = layer.call(self, **options)
        if not isinstance(found, Placeholder) or not found._is_output:
            raise TypeError(
                f"{layer!r}.call: expected to return what super().call(...) returns, "
                f"got {shown(found)}; a layer that computes something of its own has "
                "forward(x, training) and backward(dy)"
            )
        return found._buffer

    def through(self, layer: _Called, training: bool | None) -> "Placeholder":
        """Add a layer's rows, which run as in training if so wanted.

        Raises
        ------
        ValueError
            If ``training`` is neither None nor True.
        """
        if training is not None and training is not True:
            raise ValueError(
                f"training: {layer!r}.call can be given None, for what the net does, or True, "
                f"got {shown(training)}; what is never in training can be left out"
            )
        if self._is_output:
            raise TypeError(f"{layer!r}.call: super().call(...) can be called once")
        before = self._builder.always_learns
        self._builder.always_learns = before or bool(training)
        try:
            return Placeholder(self._builder, layer._rows(self._builder, self._buffer), True)
        finally:
            self._builder.always_learns = before

    def _refuse(self, *arguments: Any, **options: Any) -> NoReturn:
        """Raise TypeError: nothing can be computed with it."""
        raise TypeError(
            "call: its inputs stand for arrays that are not there yet, so nothing can be computed "
            "from them; write forward(x, training) and backward(dy), which get arrays"
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __matmul__ = _refuse
    __rmatmul__ = _refuse
    __truediv__ = __rtruediv__ = __pow__ = __neg__ = __getitem__ = __array__ = __len__ = _refuse
    __iter__ = __bool__ = __float__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse


def _arguments_of(function: Any) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return ["training"]
    return [p.name for p in parameters]
