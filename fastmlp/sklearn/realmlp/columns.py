"""Tables as users have them: columns of numbers and of categories, with missing values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from ...runtime.arguments import is_integer, is_real, shown
from ...runtime.tensors import Array


class Encoded(NamedTuple):
    """A table in numbers.

    Attributes
    ----------
    numbers : float64 array (n, columns of numbers)
        NaN where a value is missing.
    codes : int64 array (n, columns of categories)
        From 1 on; 0 where a value is missing, or was not there when the columns were made.
    """

    numbers: NDArray[np.float64]
    codes: NDArray[np.int64]

    def of(self, rows: Array) -> "Encoded":
        """Return some of the samples."""
        return Encoded(self.numbers[rows], self.codes[rows])


@dataclass(frozen=True)
class Columns:
    """What is known of the columns of a table.

    Attributes
    ----------
    categories : tuple of dict or None, one for each column
        The code of each category; None for a column of numbers.
    """

    categories: tuple[dict[Any, int] | None, ...]

    @property
    def sizes(self) -> list[int]:
        """How many categories each column has that has some."""
        return [len(known) for known in self.categories if known is not None]

    def encode(self, columns: Sequence[Array]) -> Encoded:
        """Return a table in numbers.

        Raises
        ------
        ValueError
            If a column should be one of numbers, and has something else.
        """
        count = len(columns[0])
        numbers, codes = [], []
        for index, (column, known) in enumerate(zip(columns, self.categories, strict=True)):
            if known is not None:
                codes.append([known.get(value, 0) for value in _values(column)])
            elif (other := _other_than_number(column)) is not None:
                raise ValueError(
                    f"X: expected numbers in column {index}, as in fit, got {shown(other)}"
                )
            else:
                numbers.append(column.astype(np.float64))
        return Encoded(
            np.array(numbers, np.float64).reshape(-1, count).T,
            np.array(codes, np.int64).reshape(-1, count).T,
        )


def columns_of(columns: Sequence[Array], chosen: Sequence[bool] | None) -> Columns:
    """Return what there is to know of columns; ``chosen`` are those of categories, if that is said.

    Raises
    ------
    ValueError
        If a column that is not chosen has something else than numbers.
    """
    found: list[dict[Any, int] | None] = []
    for index, column in enumerate(columns):
        is_chosen = column.dtype == object if chosen is None else chosen[index]
        if not is_chosen and _other_than_number(column) is not None:
            raise ValueError(
                f"categorical_features: column {index} has no numbers, and is not among them"
            )
        if is_chosen:
            values = {value for value in _values(column) if value is not None}
            ordered = sorted(values, key=lambda value: (type(value).__name__, value))
            found.append({value: code for code, value in enumerate(ordered, 1)})
        else:
            found.append(None)
    return Columns(tuple(found))


def read_columns(estimator: Any, X: Any, reset: bool) -> list[Array]:
    """Return the columns of users' samples: float64 arrays, or object arrays of categories.

    A missing value is NaN in the ones, and None in the others.

    Parameters
    ----------
    estimator : estimator
        Whose ``n_features_in_`` and ``feature_names_in_`` are checked; or set, with ``reset``.
    X : DataFrame of pandas or polars, array or sparse matrix (n, features)

    Raises
    ------
    TypeError, ValueError
        If it is none of that, or a column has neither numbers nor categories.
    """
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        columns = [_of_pandas(X.iloc[:, i]) for i in range(X.shape[1])]
    elif hasattr(X, "get_columns"):
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        columns = [_of_polars(column) for column in X.get_columns()]
    else:
        x = validate_data(
            estimator,
            X,
            accept_sparse=["csr", "csc"],
            dtype=None,
            ensure_all_finite="allow-nan",
            reset=reset,
        )
        columns = list((x.toarray() if issparse(x) else np.asarray(x)).T)
        return [_of_array(column, f"column {index}") for index, column in enumerate(columns)]
    if not columns or not len(columns[0]):
        raise ValueError(
            f"Found array with {len(X)} sample(s) and {len(columns)} feature(s) while a minimum of "
            "1 is required."
        )
    for index, column in enumerate(columns):
        if column.dtype != object and np.isinf(column).any():
            raise ValueError(f"Input X contains infinity in column {X.columns[index]!r}")
    return columns


def chosen_columns(given: Any, names: Iterable[str], count: int) -> list[bool] | None:
    """Return for each column whether it has categories, if that is said, and not left to its dtype.

    Raises
    ------
    ValueError
        If ``given`` is not what the estimators take as ``categorical_features``.
    """
    if given is None:
        return [False] * count
    if isinstance(given, str):
        if given == "from_dtype":
            return None
        raise ValueError(
            f"categorical_features: expected 'from_dtype', None, or columns, got {given!r}"
        )
    chosen = np.asarray(given)
    if chosen.dtype == bool:
        if chosen.shape != (count,):
            raise ValueError(
                f"categorical_features: expected one for each of the {count} columns, "
                f"got shape {chosen.shape}"
            )
        return [bool(one) for one in chosen]
    known = {name: index for index, name in enumerate(names)}
    found = [False] * count
    for one in chosen.tolist():
        index = known.get(one, -1) if isinstance(one, str) else one
        if not is_integer(index) or not 0 <= index < count:
            raise ValueError(f"categorical_features: {one!r} is none of the {count} columns")
        found[index] = True
    return found


def _of_pandas(series: Any) -> Array:
    kind = getattr(series.dtype, "kind", "O")
    if kind in "iuf":
        numbers: Array = series.to_numpy(dtype=np.float64, na_value=np.nan)
        return numbers
    if kind not in "ObUS":
        raise TypeError(_unreadable(f"column {series.name!r}", series.dtype))
    values: Array = series.astype(object).to_numpy()
    missing = series.isna().to_numpy()
    return _of_objects(
        [None if m else v for v, m in zip(values, missing, strict=True)],
        f"column {series.name!r}",
        may_be_numbers=series.dtype.name != "category",
    )


def _of_polars(series: Any) -> Array:
    if series.dtype.is_numeric():
        return np.array([np.nan if v is None else v for v in series.to_list()], np.float64)
    if series.dtype.is_temporal() or series.dtype.is_nested():
        raise TypeError(_unreadable(f"column {series.name!r}", series.dtype))
    return _of_objects(series.to_list(), f"column {series.name!r}")


def _of_array(column: Array, name: str) -> Array:
    if column.dtype.kind in "iuf":
        return column.astype(np.float64)
    if column.dtype.kind not in "ObUS":
        raise TypeError(_unreadable(name, column.dtype))
    return _of_objects([None if _is_missing(v) else v for v in column.tolist()], name)


def _of_objects(values: list[Any], name: str, may_be_numbers: bool = True) -> Array:
    """Return values as numbers if all of them are, else as categories; None is a missing value."""
    there = [value for value in values if value is not None]
    if there and may_be_numbers and all(is_real(value) for value in there):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    for value in there:
        if not isinstance(value, str | bytes | bool | np.bool_) and not is_real(value):
            raise TypeError(
                f"X: {name}: argument must be a string, a Boolean or a number, got {shown(value)}"
            )
    found: Array = np.empty(len(values), object)
    found[:] = values
    return found


def _other_than_number(column: Array) -> Any:
    """Return the first value that is no number, and not missing; None if there is none."""
    values = column if column.dtype == object else ()
    return next((value for value in values if value is not None and not is_real(value)), None)


def _is_missing(value: object) -> bool:
    is_nan = isinstance(value, float) and value != value
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")


def _values(column: Array) -> list[Any]:
    """Return values that a dict can be asked for, None where one is missing."""
    values: list[Any] = column.tolist()
    if column.dtype == object:
        return values
    return [None if value != value else value for value in values]


def _unreadable(name: str, dtype: Any) -> str:
    return (
        f"X: {name}: expected numbers, strings, categories or Booleans, got {dtype}; "
        "make numbers of it first"
    )
