"""Quick start: a net that reads digits, in a few lines: ``python examples/quick_start.py``.

With ``--short``, as the tests run it, it trains for two epochs.  ``curves.png`` shows its course.
"""

import sys

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from fastmlp import Input, Sequential, layers


def main(short: bool) -> None:
    digits = load_digits()
    x, x_test, y, y_test = train_test_split(
        digits.images, digits.target, test_size=0.25, random_state=0
    )
    model = Sequential(
        [
            Input(shape=(8, 8)),
            layers.Rescaling(1 / 16),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ],
        seed=0,
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.summary(line_length=60)
    history = model.fit(x, y, epochs=2 if short else 40, validation_split=0.2, verbose=2)
    loss, accuracy = model.evaluate(x_test, y_test)
    print(f"test loss {loss:.3f}, test accuracy {accuracy:.3f}")
    print("the first five:", model.predict(x_test[:5]).argmax(axis=1), "are", y_test[:5])
    history.plot()[0].figure.savefig("curves.png", dpi=100)


if __name__ == "__main__":
    main("--short" in sys.argv)
