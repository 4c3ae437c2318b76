"""The helpers for data that have Keras' names."""

import random

import numpy as np
import pytest

from fastmlp import Sequential, layers, utils
from fastmlp.runtime import seeds


def test_to_categorical():
    expected = [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    for x in ([0, 2, 1], np.array([0, 2, 1], np.uint8), np.array([[0], [2], [1]]), [0.0, 2.0, 1.0]):
        np.testing.assert_array_equal(utils.to_categorical(x), expected)
    assert utils.to_categorical([0, 1], 5).shape == (2, 5)
    assert utils.to_categorical(np.zeros((2, 3), int), 4).shape == (2, 3, 4)
    assert utils.to_categorical(1, 3).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, -1],), "^x: expected whole numbers from 0"),
        (([0, 0.5],), "^x: expected whole numbers"),
        (([0, 3], 3), "^x: expected labels from 0 to 2, .* got 3"),
        (([],), "^num_classes: expected a positive integer where x is empty"),
        (([0], 0), "^num_classes: expected"),
    ],
)
def test_what_is_no_label(arguments, message):
    with pytest.raises(ValueError, match=message):
        utils.to_categorical(*arguments)


def test_normalize():
    np.testing.assert_allclose(utils.normalize([[3, 4], [0, 0]]), [[0.6, 0.8], [0, 0]])
    np.testing.assert_allclose(utils.normalize([[3, 4], [1, 4]], axis=0, order=1),
                               [[0.75, 0.5], [0.25, 0.5]])  # fmt: skip


def test_set_random_seed(monkeypatch):
    monkeypatch.setattr(seeds, "_source", None)
    drawn = []
    for _ in range(2):
        utils.set_random_seed(7)
        nets = [Sequential([layers.Input(3), layers.Dense(2)]) for _ in range(2)]
        drawn.append((random.random(), np.random.rand(), *(net.seed for net in nets)))  # noqa: NPY002
    assert drawn[0] == drawn[1]
    assert drawn[0][2] != drawn[0][3]
    assert Sequential(seed=3).seed == 3
    for wrong in (-1, 2**32, 1.5, None):
        with pytest.raises(ValueError, match="^seed: expected an integer from 0 to"):
            utils.set_random_seed(wrong)


def test_split_dataset():
    x, y = np.arange(20).reshape(10, 2), np.arange(10)
    (x_left, y_left), (x_right, y_right) = utils.split_dataset((x, y), left_size=0.7)
    assert (len(x_left), len(x_right)) == (7, 3)
    np.testing.assert_array_equal(np.concatenate([y_left, y_right]), y)
    left, right = utils.split_dataset(y, left_size=2, right_size=3)
    assert (left.tolist(), right.tolist()) == ([0, 1], [7, 8, 9])
    left, right = utils.split_dataset([x, y], right_size=4, shuffle=True, seed=1)
    assert type(left) is list
    assert sorted([*left[1], *right[1]]) == y.tolist()
    assert left[1].tolist() != y[:6].tolist()
    np.testing.assert_array_equal(left[0][:, 0], 2 * left[1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "^left_size: expected a share"),
        ({"left_size": 1.5}, "^left_size: expected a number in"),
        ({"left_size": 10}, "^left_size: 10 and right_size: None make parts of 10 and 0 out of 10"),
        ({"left_size": 6, "right_size": 5}, "make parts of 6 and 5 out of 10 samples"),
        ({"left_size": 6, "seed": 5}, "^seed: needs shuffle=True"),
    ],
)
def test_parts_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        utils.split_dataset(np.arange(10), **options)
    with pytest.raises(ValueError, match="^dataset: expected arrays of the same length"):
        utils.split_dataset((np.arange(10), np.arange(9)), left_size=0.5)
