"""A history's curves in a notebook."""

import math
from xml.etree import ElementTree

from fastmlp import History
from fastmlp.runtime.drawing import drawing_of


def circles(page):
    return [title.text for title in ElementTree.fromstring(page).iter("title")]


def test_each_figure_has_a_panel_with_its_validation_and_every_value():
    figures = {"loss": [2.0, 1.0], "acc & <b>": [0.5, 0.75], "val_loss": [2.5, math.nan]}
    page = drawing_of([0, 1], figures)
    assert page.count("<svg") == 2
    assert circles(page) == [
        "epoch 1: loss 2", "epoch 2: loss 1", "epoch 1: val_loss 2.5",
        "epoch 1: acc & <b> 0.5", "epoch 2: acc & <b> 0.75",
    ]  # fmt: skip


def test_what_has_no_range_or_no_end_is_drawn_all_the_same():
    assert drawing_of([0], {"loss": [1.0]}) == ""
    ElementTree.fromstring(drawing_of([3, 4], {"loss": [1.0, 1.0], "bad": [math.nan, math.inf]}))
    long = drawing_of(range(1000), {"loss": [float(i) for i in range(1000)]})
    assert circles(long) == []


def test_a_notebook_gets_curves_and_table():
    history = History(history={"loss": [2.0, 1.0]}, epoch=[0, 1])
    shown = history._repr_html_()
    assert "<svg" in shown
    assert "<table" in shown
