"""Stopping in time, and going on after a break: ``python examples/stop_and_resume.py``.

``EarlyStopping`` ends a fit that gets no better, and restores the best weights.
``BackupAndRestore`` lets a fit that was cut off go on: the result has the same bits as that of one
which was not.  ``--short`` trains briefly.
"""

import sys
import tempfile

from sklearn.datasets import load_digits

from fastmlp import Input, Sequential, callbacks, layers


class PowerCut(callbacks.Callback):
    """Ends a fit in the middle of its third epoch, as a power cut would."""

    def on_train_batch_end(self, batch, logs=None):
        if self.model.epochs_trained == 2 and batch == 20:
            raise KeyboardInterrupt


def net() -> Sequential:
    model = Sequential(
        [Input(64), layers.Dense(32, "relu"), layers.Dropout(0.3), layers.Dense(10, "softmax")],
        seed=0,
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main(short: bool) -> None:
    x, y = load_digits(return_X_y=True)
    x = x / 16

    model = net()
    stop = callbacks.EarlyStopping(patience=3, restore_best_weights=True, verbose=1)
    history = model.fit(
        x, y, epochs=6 if short else 200, validation_split=0.3, callbacks=[stop], verbose=0
    )
    print(
        f"{len(history.epoch)} epochs; the best was number {stop.best_epoch + 1}, {stop.best:.4f}"
    )

    whole, epochs = net(), 4 if short else 10
    whole.fit(x, y, epochs=epochs, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        backup = callbacks.BackupAndRestore(folder, save_freq=10)
        try:
            net().fit(x, y, epochs=epochs, verbose=0, callbacks=[backup, PowerCut()])
        except KeyboardInterrupt:
            print("cut off in the third epoch")
        resumed = net()  # as another process would make it
        resumed.fit(x, y, epochs=epochs, verbose=0, callbacks=[callbacks.BackupAndRestore(folder)])
    same = resumed.params.tobytes() == whole.params.tobytes()
    print("the same bits as without the break:", same)


if __name__ == "__main__":
    main("--short" in sys.argv)
