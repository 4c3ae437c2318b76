"""What a notebook shows of a net and of a history: tables in HTML, and a history's curves."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from .drawing import drawing_of
from .summary import rows_of, totals_of

if TYPE_CHECKING:
    from ..history import History
    from ..model import Sequential

_FIRST, _LAST = 3, 5  # epochs of a long history that are shown


def page_of_model(model: "Sequential") -> str:
    """Return a net's layers as a table."""
    rows = []
    for name, shape, count in rows_of(model._layers, model._input_shape):
        indent = "&nbsp;" * 4 * ((len(name) - len(name.lstrip())) // 2)
        rows.append([indent + escape(name.strip()), escape(shape), escape(count)])
    rows += [[f"<b>{name}</b>", "", escape(count)] for name, count in totals_of(model).items()]
    title = f"<b>{escape(model.name)}</b> ({model.dtype}, {escape(model.backend)})"
    return _table(title, ["layer", "output shape", "parameters"], rows)


def page_of_history(history: "History") -> str:
    """Return a history's curves, and a table of the first and the last epochs if there are many."""
    count = len(history.epoch)
    shown = list(range(count))
    if count > _FIRST + _LAST + 1:
        shown = [*range(_FIRST), -1, *range(count - _LAST, count)]
    rows = []
    for index in shown:
        if index < 0:
            rows.append(["…"] * (1 + len(history.history)))
            continue
        figures = [f"{values[index]:.4g}" for values in history.history.values()]
        rows.append([str(history.epoch[index] + 1), *figures])
    title = f"<b>History</b> of {count} epoch{'' if count == 1 else 's'}"
    if history.divergence is not None:
        title += f"<br>{escape(history.divergence.message)}"
    table = _table(title, ["epoch", *map(escape, history.history)], rows)
    return drawing_of(history.epoch, history.history) + table


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are HTML already."""
    head = "".join(f"<th>{cell}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<div>{title}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
