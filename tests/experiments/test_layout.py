"""Figures: nothing is cut off, and no axes lie on others."""

import itertools

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from fastmlp.experiments import style
from fastmlp.experiments.pictures import pictures


def drawn(rows, columns, **options):
    figure, axes = style.subplots(rows, columns, 8.0, 5.0, **options)
    for number, axis in enumerate(itertools.chain(*axes)):
        axis.plot([0, 1], [0, 10.0**number], label="a curve")
        axis.set_title(f"two lines\nof title {number}")
        axis.set_xlabel("a label")
        axis.set_yticks([0, 10.0**number], ["nothing", "a rather long label"])
    style.legend_below(figure, [axes[0][0]])
    FigureCanvasAgg(figure).draw()
    return figure


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 3), (2, 2), (3, 2)])
def test_labels_stay_inside_and_apart(rows, columns):
    figure = drawn(rows, columns)
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    boxes.append(figure.legends[0].get_window_extent())
    for box in boxes:
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1
    for a, b in itertools.combinations(boxes, 2):
        assert not a.overlaps(b)


def test_a_scale_of_colours_has_its_own_column():
    figure, axes, bar = style.subplots_and_bar(2, 2, 8.0, 4.0)
    image = axes[0][0].imshow([[0.0, 1.0]], aspect="auto")
    figure.colorbar(image, cax=bar, label="value")
    FigureCanvasAgg(figure).draw()
    assert bar.get_position().width < axes[0][0].get_position().width / 5
    assert bar.get_position().height > 1.8 * axes[0][0].get_position().height
    assert bar.get_tightbbox().x1 <= figure.bbox.x1


def test_a_drawing_is_written_in_both_formats(tmp_path):
    with style.applied():
        for kind, write in pictures(drawn(1, 2)).items():
            write(tmp_path / f"figure.{kind}")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert ">a rather long label</text>" in (tmp_path / "figure.svg").read_text()
