"""A class that is rare: ``python examples/rare_class.py``; ``--short`` trains briefly.

One digit in fifty is an 8.  Plain training finds some of them; with ``class_weight``, in which the
samples of the rare class count more, the net finds more of them, and calls more others an 8.
"""

import sys

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score, precision_score, recall_score
from sklearn.model_selection import train_test_split

from fastmlp import Input, Sequential, layers


def data() -> list[np.ndarray]:
    """Return digits of which one in fifty is an 8, as training and test."""
    x, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    others = np.flatnonzero(y != 8)
    eights = rng.choice(np.flatnonzero(y == 8), len(others) // 50, replace=False)
    kept = np.concatenate([others, eights])
    return train_test_split(
        x[kept] / 16, (y[kept] == 8).astype(int), test_size=0.4, random_state=0, stratify=y[kept]
    )


def main(short: bool) -> None:
    x, x_test, y, y_test = data()
    share = y.mean()
    print(f"{y.sum()} of {len(y)} are an 8; who says 'no' always is right in {1 - share:.1%}")
    weights = {0: 0.5 / (1 - share), 1: 0.5 / share}  # both classes weigh the same in all
    for name, class_weight in (("plain", None), ("class_weight", weights)):
        model = Sequential(
            [Input(64), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")], seed=0
        )
        model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
        model.fit(x, y, epochs=5 if short else 100, class_weight=class_weight, verbose=0)
        scores = model.predict(x_test)[:, 0]
        found = scores > 0.5
        print(
            f"{name:>12}: finds {recall_score(y_test, found):.0%} of them; "
            f"of what it finds, {precision_score(y_test, found, zero_division=0):.0%} are; "
            f"average precision {average_precision_score(y_test, scores):.2f}"
        )


if __name__ == "__main__":
    main("--short" in sys.argv)
