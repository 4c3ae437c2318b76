"""What a net looks like, as a table of its layers."""

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..layers import Input, Layer
from ..layers.nested import shown_as
from .tensors import Shape

if TYPE_CHECKING:
    from rich.table import Table

    from ..model import Sequential


def print_summary(
    model: "Sequential", line_length: int | None, print_fn: Callable[[str], object] | None
) -> None:
    """Print a net's summary, or hand it over as text; see :meth:`Sequential.summary`."""
    from rich.console import Console

    table = table_of(model)
    if print_fn is None:
        Console(width=line_length).print(table)
        return
    console = Console(file=io.StringIO(), width=line_length or 100)
    with console.capture() as captured:
        console.print(table)
    print_fn(captured.get())


def table_of(model: "Sequential") -> "Table":
    """Return the layers of a net, with their output shapes and numbers of parameters."""
    from rich.table import Table

    table = Table(title=f"{model.name} ({model.dtype}, {model.backend})", title_justify="left")
    table.add_column("layer")
    table.add_column("output shape")
    table.add_column("parameters", justify="right")
    for cells in rows_of(model._layers, model._input_shape):
        table.add_row(*cells)
    table.add_section()
    for name, count in totals_of(model).items():
        table.add_row(name, "", count)
    return table


def totals_of(model: "Sequential") -> dict[str, str]:
    """Return the numbers of all parameters, and of those that are trained, if not all are."""
    totals = {"total": f"{model.count_params():,}" if model.built else "?"}
    if model.non_trainable_weights:
        for what, weights in (
            ("trainable", model.trainable_weights),
            ("non-trainable", model.non_trainable_weights),
        ):
            totals[what] = f"{sum(weight.size for weight in weights):,}"
    return totals


def rows_of(
    layers: Sequence[Layer], shape: Shape | None, indent: str = ""
) -> list[tuple[str, str, str]]:
    """Return name, output shape and number of parameters of each layer; ``?`` if not known.

    ``shape`` is that of their inputs, if known.
    """
    rows = []
    for layer in layers:
        inputs, shape = shape, None if shape is None else layer._output_shape(shape)
        if not isinstance(layer, Input):
            rows.append((
                f"{indent}{layer.name} ({type(shown_as(layer)).__name__})",
                "?" if shape is None else str((None, *shape)),
                "?" if shape is None else f"{layer.count:,}",
            ))  # fmt: skip
        rows += rows_of(layer.nested, inputs, f"{indent}  ")
    return rows
