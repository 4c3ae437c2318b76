"""What a net's training came to."""

import pytest

from fastmlp.experiments.course import LEARNED, LOST, NEVER, SLOW, Yardstick
from fastmlp.experiments.nets import Outcome

NAN = float("nan")
MARK = Yardstick(chance=0.1, threshold=0.12, ceiling=0.9)


def outcome(first, *after):
    divergence = "diverged" if after[-1] != after[-1] else ""
    figures = {"accuracy": [first] * len(after), "val_accuracy": list(after)}
    return Outcome(figures, divergence, {})


@pytest.mark.parametrize(
    ("accuracies", "course"),
    [
        ((0.1, 0.1, 0.1), NEVER),
        ((0.1, 0.1, 0.12), NEVER),
        ((0.1, 0.119, 0.09), NEVER),
        ((0.1, 0.1, 0.3), SLOW),
        ((0.1, 0.4, 0.3), SLOW),
        ((0.4, 0.6, 0.7), LEARNED),
        ((0.4, 0.7, 0.1), LOST),
        ((0.4, 0.7, 0.35), LOST),
        ((0.3, 0.1, 0.1), LOST),
        ((0.1, 0.125, 0.108), SLOW),  # a fall that is no more than noise
        ((0.5, 0.7, NAN), LOST),
        ((0.6, NAN), NEVER),  # the training accuracy of an epoch that broke off says nothing
    ],
)
def test_courses(accuracies, course):
    assert MARK.course(outcome(*accuracies)) == course


def test_when_a_net_fell():
    assert MARK.fell(outcome(0.2, 0.6, 0.7, 0.6, 0.2)) == 3
    assert MARK.fell(outcome(0.5, 0.1, 0.1)) == 0
    assert MARK.fell(outcome(0.2, 0.6, NAN)) == 1
