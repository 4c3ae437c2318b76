"""How the axes of a figure share its room."""

from collections import defaultdict

from matplotlib.figure import Figure
from matplotlib.layout_engine import LayoutEngine

_PAD = 0.09  # inches


class OnePass(LayoutEngine):
    """Leave each row and column of axes the room that its labels and titles take.

    It is for one grid of axes and a legend below. Matplotlib's constrained layout can do more, and
    measures all labels six times for it: that took half the time of a drawing.
    """

    _adjust_compatible = True
    _colorbar_gridspec = True

    def execute(self, fig: Figure) -> None:
        """Measure what sticks out of each of the axes, and place them."""
        width, height = fig.get_size_inches()
        left: dict[int, float] = defaultdict(float)
        right: dict[int, float] = defaultdict(float)
        top: dict[int, float] = defaultdict(float)
        bottom: dict[int, float] = defaultdict(float)
        for axes in fig.axes:
            place = axes.get_subplotspec()
            outer = axes.get_tightbbox(for_layout_only=True)
            if place is None or outer is None:
                continue
            inner, dpi = axes.bbox, fig.dpi
            for sides, number, reach in (
                (left, place.colspan.start, inner.x0 - outer.x0),
                (right, place.colspan.stop - 1, outer.x1 - inner.x1),
                (top, place.rowspan.start, outer.y1 - inner.y1),
                (bottom, place.rowspan.stop - 1, inner.y0 - outer.y0),
            ):
                sides[number] = max(sides[number], reach / dpi)
        columns, rows = max(right) + 1, max(bottom) + 1
        legends = sum(legend.get_window_extent().height / fig.dpi for legend in fig.legends)
        begin, end = left[0] + _PAD, width - right[columns - 1] - _PAD
        low, high = bottom[rows - 1] + legends + _PAD, height - top[0] - _PAD
        across = max((right[c] + left[c + 1] + 2 * _PAD for c in range(columns - 1)), default=0.0)
        down = max((bottom[r] + top[r + 1] + 2 * _PAD for r in range(rows - 1)), default=0.0)
        fig.subplots_adjust(
            left=begin / width, right=end / width, bottom=low / height, top=high / height,
            wspace=_share(across, columns, end - begin), hspace=_share(down, rows, high - low),
        )  # fmt: skip


def _share(gap: float, count: int, room: float) -> float:
    """Return a gap as a share of the mean size of what is between the gaps."""
    return gap * count / max(room - gap * (count - 1), 0.1)
