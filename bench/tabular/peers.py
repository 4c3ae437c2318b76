"""Who takes part: each by its defaults, and with what it needs in front of it to read a table."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pandas as pd
from sklearn import ensemble, neural_network
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from fastmlp import sklearn as ours

SEED = 0
THREADS = 2

CATEGORIES = make_column_selector(dtype_include="category")
NUMBERS = make_column_selector(dtype_exclude="category")

Make = Callable[[bool, pd.DataFrame], Any]


def scaled(estimator: Any) -> Any:
    """One-hot categories and standardized numbers, as a net needs them."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORIES),
            (numbers, NUMBERS),
        ),
        estimator,
    )


def numbered(estimator: Any) -> Any:
    """Numbers in place of categories, as a tree can do with."""
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1
    )
    numbers = SimpleImputer(strategy="median")
    return make_pipeline(
        make_column_transformer((codes, CATEGORIES), (numbers, NUMBERS)), estimator
    )


class AsCatBoost:
    """CatBoost reads categories as strings, and wants to be told which they are."""

    def __init__(self, of_classes: bool, x: pd.DataFrame) -> None:
        import catboost

        self.names = list(CATEGORIES(x))
        kind = catboost.CatBoostClassifier if of_classes else catboost.CatBoostRegressor
        self.model = kind(
            verbose=0, random_seed=SEED, thread_count=THREADS, cat_features=self.names,
            allow_writing_files=False,
        )  # fmt: skip

    def read(self, x: pd.DataFrame) -> pd.DataFrame:
        return x.assign(**{name: x[name].astype(str) for name in self.names})

    def fit(self, x: pd.DataFrame, y: Any) -> "AsCatBoost":
        self.model.fit(self.read(x), y)
        return self

    def predict(self, x: pd.DataFrame) -> Any:
        return self.model.predict(self.read(x)).ravel()


class AsPytabkit:
    """pytabkit's RealMLP reads categories, and wants no missing numbers."""

    def __init__(self, variant: str, of_classes: bool, x: pd.DataFrame) -> None:
        from pytabkit import models  # noqa: F401  its estimators are found in there
        from pytabkit.models.sklearn import sklearn_interfaces

        name = f"RealMLP_{variant}_{'Classifier' if of_classes else 'Regressor'}"
        kind = getattr(sklearn_interfaces, name)
        self.model = kind(device="cpu", random_state=SEED, n_threads=THREADS)
        self.names = list(CATEGORIES(x))
        self.medians = x[NUMBERS(x)].median()

    def fit(self, x: pd.DataFrame, y: Any) -> "AsPytabkit":
        self.model.fit(x.fillna(self.medians), y, cat_col_names=self.names)
        return self

    def predict(self, x: pd.DataFrame) -> Any:
        return self.model.predict(x.fillna(self.medians))


def _of(module: Any, stem: str, **options: Any) -> Make:
    def make(of_classes: bool, x: pd.DataFrame) -> Any:
        kind = getattr(module, stem + ("Classifier" if of_classes else "Regressor"))
        return kind(random_state=SEED, **options)

    return make


def _lightgbm(of_classes: bool, x: pd.DataFrame) -> Any:
    import lightgbm

    kind = lightgbm.LGBMClassifier if of_classes else lightgbm.LGBMRegressor
    return kind(n_jobs=THREADS, random_state=SEED, verbose=-1)


def _xgboost(of_classes: bool, x: pd.DataFrame) -> Any:
    import xgboost

    kind = xgboost.XGBClassifier if of_classes else xgboost.XGBRegressor
    return kind(n_jobs=THREADS, random_state=SEED, enable_categorical=True)


PEERS: dict[str, tuple[str, Make]] = {
    "fastmlp RealMLP-TD": ("sklearn", _of(ours, "RealMLP", n_threads=THREADS)),
    "fastmlp RealMLP-TD-S": ("sklearn", _of(ours, "RealMLP", variant="td-s", n_threads=THREADS)),
    "fastmlp MLP": ("sklearn", lambda c, x: scaled(_of(ours, "MLP", n_threads=THREADS)(c, x))),
    "scikit-learn MLP": ("sklearn", lambda c, x: scaled(_of(neural_network, "MLP")(c, x))),
    "HistGradientBoosting": ("sklearn", _of(ensemble, "HistGradientBoosting")),
    "random forest": (
        "sklearn",
        lambda c, x: numbered(_of(ensemble, "RandomForest", n_jobs=THREADS)(c, x)),
    ),
    "LightGBM": ("lightgbm", _lightgbm),
    "XGBoost": ("xgboost", _xgboost),
    "CatBoost": ("catboost", AsCatBoost),
    "pytabkit RealMLP-TD": ("pytabkit", lambda c, x: AsPytabkit("TD", c, x)),
    "pytabkit RealMLP-TD-S": ("pytabkit", lambda c, x: AsPytabkit("TD_S", c, x)),
}


def installed() -> list[str]:
    """Return the peers whose package is there."""
    return [name for name, (package, _) in PEERS.items() if find_spec(package) is not None]
