"""Bad data: the error names the argument and the place, and nothing has changed."""

import numpy as np
import pytest
import torch

from fastmlp import fit_many

from .refusal import ONE_HOT, X, Y, assert_refused, built_or_not, make


def with_(array, index, value):
    changed = np.array(array)
    changed[index] = value
    return changed


SAMPLES = {
    "too few features": (X[:, :2], ValueError, r"x: expected shape \(samples, 3\), got \(12, 2\)"),
    "one axis": (X[:, 0], ValueError, r"x: expected shape \(samples, 3\), got \(12,\)"),
    "three axes": (X[None], ValueError, "x: expected shape"),
    "a number": (1.0, ValueError, "x: expected shape"),
    "none": (X[:0], ValueError, "x: expected at least one sample"),
    "NaN": (with_(X, (7, 1), np.nan), ValueError, r"x: .*finite.*nan at \[7, 1\]"),
    "infinity": (with_(X, (2, 0), -np.inf), ValueError, r"x: .*finite.*-inf at \[2, 0\]"),
    "both infinities": (
        with_(with_(X, (2, 0), -np.inf), (3, 0), np.inf), ValueError, r"x: .*finite.* at \[2, 0\]"
    ),
    "too large for float32": (with_(X, (5, 2), 1e39), ValueError, r"x: .*float32.*1e\+39 at"),
    "complex": (X * 1j, TypeError, "x: expected real numbers, got dtype complex128"),
    "strings": (X.astype(str), TypeError, "x: expected real numbers, got dtype <U"),
    "objects": (X.astype(object), TypeError, "x: expected real numbers, got dtype object"),
    "dates": (np.zeros((12, 3), "M8[s]"), TypeError, "x: expected real numbers"),
    "ragged": ([[1.0, 2.0, 3.0], [1.0]], ValueError, "x: cannot be made an array"),
    "masked": (np.ma.masked_greater(X, 1), TypeError, "x: expected an array without masked"),
    "torch's, with its gradient": (
        torch.tensor(X, requires_grad=True), ValueError, r"x: cannot be made an array: .*detach"
    ),
    "None": (None, TypeError, "x: expected real numbers, got dtype object"),
}  # fmt: skip

LABELS = {
    "too few": (Y[:11], ValueError, "y: expected one entry for each of the 12 samples in x"),
    "a number": (3, ValueError, "y: expected one entry for each"),
    "none": (Y[:0], ValueError, "y: expected one entry for each"),
    "too large": (with_(Y, 5, 4), ValueError, r"y: expected labels from 0 to 3.*got 4 at \[5\]"),
    "negative": (with_(Y, 6, -1), ValueError, r"y: expected labels from 0 to 3.*got -1 at \[6\]"),
    "unsigned and huge": (
        with_(Y.astype(np.uint64), 6, 2**63 + 1), ValueError, r"y: expected labels from 0 to 3"
    ),
    "halves": (with_(Y.astype(float), 5, 1.5), ValueError, "y: expected integer labels, got 1.5"),
    "NaN": (with_(Y.astype(float), 5, np.nan), ValueError, "y: expected integer labels, got nan"),
    "infinite": (with_(Y.astype(float), 5, np.inf), ValueError, "y: expected labels from 0 to 3"),
    "column of halves": (Y[:, None] / 2, ValueError, "y: expected integer labels, got 0.5 at"),
    "one-hot": (ONE_HOT, ValueError, "y: .*one-hot targets go with .*'categorical_crossentropy'"),
    "strings": (Y.astype(str), TypeError, "y: expected real numbers, got dtype <U"),
    "ragged": ([[0], [1, 2]], ValueError, "y: cannot be made an array"),
    "None": (None, TypeError, "y: expected real numbers"),
}  # fmt: skip

TARGETS = {
    "labels": (Y, ValueError, "y: .*integer labels go with .*'sparse_categorical_crossentropy'"),
    "too few outputs": (ONE_HOT[:, :3], ValueError, r"y: expected targets of shape \(samples, 4\)"),
    "too few": (ONE_HOT[:5], ValueError, "y: expected one entry for each of the 12"),
    "NaN": (with_(ONE_HOT, (3, 1), np.nan), ValueError, r"y: .*finite.*nan at \[3, 1\]"),
    "no distribution": (
        with_(ONE_HOT, (4, 0), 0.5), ValueError, r"y: expected probabilities that sum to 1.* \[4\]"
    ),
    "negative": (
        with_(ONE_HOT, 4, [-1, 2, 0, 0]), ValueError, r"y: expected probabilities.* at \[4\]"
    ),
    "complex": (ONE_HOT * 1j, TypeError, "y: expected real numbers, got dtype complex128"),
}  # fmt: skip


@pytest.mark.parametrize("case", SAMPLES)
@pytest.mark.parametrize("verb", ["fit", "evaluate", "loss_and_gradient", "predict", "fit_many"])
def test_samples(verb, case):
    x, error, message = SAMPLES[case]
    models = [make(), make()]
    call = {
        "predict": lambda: models[0].predict(x),
        "fit_many": lambda: fit_many(models, x, Y),
    }.get(verb, lambda: getattr(models[0], verb)(x, Y))
    assert_refused(call, error, f"^{message}", *models)


@built_or_not
@pytest.mark.parametrize("case", LABELS)
@pytest.mark.parametrize("verb", ["fit", "evaluate", "loss_and_gradient"])
def test_labels(verb, case, built):
    y, error, message = LABELS[case]
    model = make(built=built)
    assert_refused(lambda: getattr(model, verb)(X, y), error, f"^{message}", model)


@built_or_not
@pytest.mark.parametrize("case", TARGETS)
@pytest.mark.parametrize("verb", ["fit", "evaluate", "loss_and_gradient"])
def test_targets(verb, case, built):
    y, error, message = TARGETS[case]
    model = make("categorical_crossentropy", built=built)
    assert_refused(lambda: getattr(model, verb)(X, y), error, f"^{message}", model)


def test_a_refusal_shows_no_other_library():
    x = torch.tensor(X, requires_grad=True)
    with pytest.raises(ValueError, match="^x: ") as caught:
        make().predict(x)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


SAME_LABELS = {
    "float64": Y.astype(np.float64),
    "float32": Y.astype(np.float32),
    "column": Y[:, None],
    "column of floats": Y[:, None].astype(float),
    "uint8": Y.astype(np.uint8),
    "list": Y.tolist(),
    "torch": torch.tensor(Y),
    "torch floats": torch.tensor(Y).float(),
    "nothing masked": np.ma.masked_equal(Y, 99),
}


@pytest.mark.parametrize("kind", SAME_LABELS)
def test_labels_of_any_dtype_are_the_same_labels(kind):
    labels = SAME_LABELS[kind]
    models = [make(), make()]
    histories = [
        model.fit(X, y, epochs=2, verbose=0).history
        for model, y in zip(models, (Y, labels), strict=True)
    ]
    assert histories[0] == histories[1]
    np.testing.assert_array_equal(models[0].params, models[1].params)
    assert models[0].evaluate(X, Y) == models[1].evaluate(X, labels)


@pytest.mark.parametrize("case", ["NaN", "strings", "objects", "ragged", "complex", "one axis"])
def test_samples_that_would_shape_the_net(case):
    x, error, _ = SAMPLES[case]
    model = make(built=False)
    assert_refused(lambda: model.fit(x, Y), error, "^x: ", model)
