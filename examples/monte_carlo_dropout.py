"""How sure is a net?  ``python examples/monte_carlo_dropout.py``.

With dropout also when it predicts (Gal & Ghahramani, 2016), a net gives another answer each time;
where the answers differ, it is not sure.  The doubtful digits are those that it gets wrong.
``--short`` trains briefly.
"""

import sys

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from fastmlp import Input, Sequential, layers


class MCDropout(layers.Dropout):
    """Dropout that goes on when the net predicts."""

    def call(self, inputs, training=None):
        return super().call(inputs, training=True)


def main(short: bool) -> None:
    x, y = load_digits(return_X_y=True)
    x, x_test, y, y_test = train_test_split(x / 16, y, test_size=0.5, random_state=0)
    model = Sequential(
        [Input(64), layers.Dense(64, "relu"), layers.Dropout(0.5), layers.Dense(10, "softmax")],
        seed=0,
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.fit(x, y, epochs=10 if short else 40, verbose=0)

    draws = np.stack([model(x_test, training=True) for _ in range(50)])
    mean, spread = draws.mean(axis=0), draws.std(axis=0)
    wrong = mean.argmax(axis=1) != y_test
    doubt = np.take_along_axis(spread, mean.argmax(axis=1)[:, None], axis=1)[:, 0]
    print(f"accuracy of one answer {(model.predict(x_test).argmax(1) == y_test).mean():.3f}")
    print(f"accuracy of the mean of 50 {1 - wrong.mean():.3f}")
    print(f"spread where it is right {doubt[~wrong].mean():.3f}, wrong {doubt[wrong].mean():.3f}")
    sure = doubt < np.quantile(doubt, 0.9)
    print(f"without the tenth that it doubts most, it is right in {1 - wrong[sure].mean():.1%}")

    # The same as a layer of one's own; the layers, and so the weights, are those of the first net.
    first, _, last = model.layers
    always = Sequential([Input(64), first, MCDropout(0.5), last])
    answers = {round(float(always.predict(x_test[:1]).max()), 4) for _ in range(5)}
    print(f"five answers of a net with MCDropout: {sorted(answers)}")


if __name__ == "__main__":
    main("--short" in sys.argv)
