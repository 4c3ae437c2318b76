"""Pictures as files: each is drawn once per format."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Drawing


def pictures(drawing: Drawing) -> dict[str, Callable[[Path], None]]:
    """Return what writes a drawing to a path, by format; to be called in this order.

    ``Figure.savefig`` draws everything twice, the first time to know what it would look like; what
    has its size from the start needs that no more than it needs to be laid out for each format.
    """
    return {"png": partial(_png, drawing), "svg": partial(_svg, drawing)}


def _png(drawing: Drawing, path: Path) -> None:
    FigureCanvasAgg(drawing).print_png(str(path))  # type: ignore[no-untyped-call]
    drawing.set_layout_engine("none")  # what was laid out once stays so


def _svg(drawing: Drawing, path: Path) -> None:
    FigureCanvasSVG(drawing).print_svg(str(path))  # type: ignore[no-untyped-call]
