"""The tables that users drop, and the toys."""

import numpy as np
import pytest

from fastmlp.playground import data

ROWS = "\n".join(f"{i},{i * i},{'even' if i % 2 == 0 else 'odd'}" for i in range(20))


@pytest.mark.parametrize("name", data.NAMES[:5])
def test_a_toy_is_in_the_plane_and_the_same_each_time(name):
    data.load.cache_clear()
    first = data.load(name, 0.1)
    data.load.cache_clear()
    again = data.load(name, 0.1)
    np.testing.assert_array_equal(first.train[0], again.train[0])
    assert first.is_plane
    assert np.abs(first.train[0]).max() < 2
    assert set(np.unique(first.test[1])) == set(range(len(first.classes)))


@pytest.mark.parametrize("text", [ROWS, "a,b,c\n" + ROWS, ROWS.replace(",", ";"), "\ufeff" + ROWS])
def test_a_table_of_classes(text):
    problem = data.read_csv(text)
    assert problem.classes == ("even", "odd")
    assert problem.train[0].shape == (16, 2)
    assert len(problem.test[1]) == 4
    np.testing.assert_allclose(problem.train[0].mean(axis=0), 0, atol=1e-6)
    assert "2 classes" in problem.note


def test_a_table_of_numbers():
    text = "\n".join(f"{i},{i / 7}" for i in range(40))
    problem = data.read_csv(text)
    assert problem.classes == ()
    assert problem.outputs == 1
    assert problem.train[1].shape == (32, 1)


def test_few_whole_numbers_are_classes_in_their_order():
    text = "\n".join(f"{i},{(i * 3) % 11}" for i in range(44))
    assert data.read_csv(text).classes == tuple(str(number) for number in range(11))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "2 to 1,000 columns, got 0"),
        ("1\n2\n3", "2 to 1,000 columns, got 1"),
        ("1,2\n3,4", "at least 10 rows of data, got 2"),
        (ROWS + "\n1,2", "line 21: expected 3 columns, got 2"),
        (ROWS + "\n1,x,odd", "line 21: expected a number in column 2, got 'x'"),
        (ROWS + "\nnan,1,odd", "line 21: expected a number in column 1, got 'nan'"),
        ("\n".join(f"{i},same" for i in range(20)), "2 to 50 classes in the last column, got 1"),
        ("x" * 4_000_001, "at most 4,000,000 letters"),
    ],
)
def test_a_bad_table_is_told_where(text, words):
    with pytest.raises(ValueError, match="CSV") as refused:
        data.read_csv(text)
    assert words in str(refused.value)
