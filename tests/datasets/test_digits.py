"""The embedded digits."""

import builtins

import numpy as np
import pytest

from fastmlp import datasets


def test_split_is_fixed_and_stratified():
    (x_train, _y_train), (x_test, y_test) = datasets.digits.load_data()
    assert x_train.shape == (1437, 8, 8)
    assert x_test.shape == (360, 8, 8)
    assert (x_train.dtype, x_train.max()) == (np.uint8, 16)
    assert np.bincount(y_test).min() >= 34
    again = datasets.digits.load_data()
    np.testing.assert_array_equal(again[1][0], x_test)


def test_by_name():
    dataset = datasets.load("digits")
    assert dataset.note == ""
    assert dataset.scale == 1 / 16
    assert len(dataset.classes) == 10


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="dataset: 'mnist' is unknown; expected one of 'auto'"):
        datasets.load("mnist")


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    real_import = builtins.__import__

    def fail(name, *args, **kwargs):
        if name.startswith("sklearn"):
            raise ImportError("no sklearn")
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", fail)
    with pytest.raises(datasets.DatasetNotFoundError, match=r"fastmlp\[experiments\]"):
        datasets.digits.load_data()
