"""Regularizers by name and by number."""

import pytest

from fastmlp import layers, regularizers

NAMED = {"l1": (0.01, 0.0), "l2": (0.0, 0.01), "l1_l2": (0.01, 0.01)}


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("argument", ["kernel_regularizer", "bias_regularizer"])
def test_names_have_keras_factors(argument, name):
    regularizer = getattr(layers.Dense(3, **{argument: name}), argument)
    assert (regularizer.l1, regularizer.l2) == NAMED[name]


@pytest.mark.parametrize(
    ("penalty", "factors"),
    [
        (regularizers.L1(0.3), (0.3, 0)),
        (regularizers.L2(0.3), (0, 0.3)),
        (regularizers.L1(), (0.01, 0)),
        (regularizers.l2(), (0, 0.01)),
        (regularizers.L1L2(), (0, 0)),
        (regularizers.l1_l2(l2=0.2), (0, 0.2)),
    ],
)
def test_constructors(penalty, factors):
    assert isinstance(penalty, regularizers.L1L2)
    assert (penalty.l1, penalty.l2) == factors


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "0.1", None, True, 1j, [0.1]])
@pytest.mark.parametrize("argument", ["l1", "l2"])
def test_bad_factors_are_refused(argument, value):
    message = f"^{argument}: expected a finite number that is not negative, got "
    with pytest.raises(ValueError, match=message) as caught:
        regularizers.L1L2(**{argument: value})
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("argument", ["kernel_regularizer", "bias_regularizer"])
def test_unknown_regularizers_are_refused(argument):
    with pytest.raises(
        ValueError, match=f"^{argument}: 'l1l2' is unknown; expected one of .* Did you mean 'l1_l2'"
    ):
        layers.Dense(3, **{argument: "l1l2"})
    with pytest.raises(TypeError, match=f"^{argument}: expected one of 'l1', 'l2', 'l1_l2'"):
        layers.Dense(3, **{argument: 0.01})
