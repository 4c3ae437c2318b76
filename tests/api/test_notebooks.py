"""What a notebook shows of nets and histories, and the curves that are drawn of one."""

import matplotlib as mpl
import numpy as np
import pytest
from IPython.core.formatters import HTMLFormatter

from fastmlp import History, Input, Sequential, layers

mpl.use("Agg")

X = np.random.default_rng(0).standard_normal((40, 3))
Y = np.arange(40) % 4


def net():
    inner = Sequential([layers.Dense(5, "relu")], name="<inner>", seed=1)
    model = Sequential(
        [Input(3), inner, layers.BatchNormalization(), layers.Dense(4, "softmax")],
        seed=0, backend="numpy", name="a & b",
    )  # fmt: skip
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_a_net_is_a_table():
    text = HTMLFormatter()(net())
    assert "<b>a &amp; b</b> (float32, numpy)" in text
    assert "<td>&lt;inner&gt; (Sequential)</td><td>(None, 5)</td><td>20</td>" in text
    assert "&nbsp;&nbsp;&nbsp;&nbsp;dense (Dense)" in text
    assert "<td><b>non-trainable</b></td><td></td><td>10</td>" in text
    unbuilt = Sequential([layers.Dense(3)])
    assert "<td>dense (Dense)</td><td>?</td><td>?</td>" in HTMLFormatter()(unbuilt)


def test_a_history_is_a_table():
    history = net().fit(X, Y, epochs=2, verbose=0, validation_split=0.2)
    text = HTMLFormatter()(history)
    assert "<b>History</b> of 2 epochs" in text
    assert "<th>val_accuracy</th>" in text
    assert f"<td>2</td><td>{history.history['loss'][1]:.4g}</td>" in text
    long = net().fit(X, Y, epochs=30, verbose=0)
    assert HTMLFormatter()(long).count("<tr>") == 1 + 3 + 1 + 5


def test_curves():
    history = net().fit(X, Y, epochs=4, verbose=0, validation_split=0.2, validation_freq=2)
    axes = history.plot()
    assert [own.get_title() for own in axes] == ["loss", "accuracy"]
    training, validation = axes[0].lines
    np.testing.assert_array_equal(training.get_xdata(), [1, 2, 3, 4])
    np.testing.assert_array_equal(training.get_ydata(), history.history["loss"])
    np.testing.assert_array_equal(validation.get_xdata(), [2, 4])
    assert [text.get_text() for text in axes[0].get_legend().texts] == ["training", "validation"]
    (own,) = history.plot(["accuracy"], axes[1])
    assert own is axes[1]
    with pytest.raises(ValueError, match="^metrics: 'los' is unknown"):
        history.plot(["los"])
    with pytest.raises(ValueError, match="^axes: expected 2"):
        history.plot(axes=axes[0])
    with pytest.raises(ValueError, match="^history: it has no epoch yet"):
        History().plot()
    mpl.pyplot.close("all")
