"""Nets that several tests use."""

from fastmlp import Sequential, layers
from fastmlp.kernels.contract import Column, Op, Scalar


def dropout_net(seed=0, own_seed=None, rates=(0.3, 0.5), **options):
    """5-9-8-3 with dropout after each hidden layer; the second with a seed of its own, if given."""
    model = Sequential(
        [
            layers.Input((5,)),
            layers.Dense(9, "tanh"),
            layers.Dropout(rates[0]),
            layers.Dense(8, "tanh"),
            layers.Dropout(rates[1], seed=own_seed),
            layers.Dense(3, "softmax"),
        ],
        seed=seed,
        **options,
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def dropout_rows(model, x):
    """The plan's rows of dropout layers, each with its rate."""
    plan, _ = model.checked_plan(x)
    return [
        (row, reals[Scalar.RATE])
        for row, reals in zip(plan.table, plan.reals, strict=True)
        if row[Column.OP] == Op.DROPOUT
    ]
