"""Ensembles whose members share weights, and have scales and biases of their own (TabM)."""

import numpy as np
import pytest
import torch

from fastmlp import Sequential, check_gradients, layers, load_model, optimizers
from fastmlp.callbacks import Callback
from fastmlp.kernels.contract import Column, Op
from fastmlp.layers import Activation, Dense, Input, Scale
from fastmlp.runtime import engine
from fastmlp.runtime.members import columns_of, mean_of_members
from tests.backends import ALL, COMPILED
from tests.threads import each_number_of_threads

from .nets import data

each = pytest.mark.parametrize("backend", ALL)
MEMBERS, CLASSES = 3, 4
X, Y = data(40)


def ensemble(members=MEMBERS, width=9, last="softmax", optimizer="adam", **options):
    """A net 6-9-4 of members that differ in all that is theirs."""
    model = Sequential(
        [
            Input((6,)),
            Scale(members=members, scale_initializer="random_sign"),
            Dense(width, use_bias=False),
            Scale(members=members, use_bias=True, bias_initializer="random_normal"),
            Activation("tanh"),
            Scale(members=members, scale_initializer="random_normal"),
            Dense(CLASSES, use_bias=False),
            Scale(members=members, use_bias=True),
            Activation(last),
        ],
        **{"seed": 0, "dtype": "float64", **options},
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def logits_of_torch(weights, x):
    """What the members compute (members, n, classes), each weight a tensor."""
    into, kernel, out, bias, into_last, last, out_last, bias_last = weights
    hidden = (x[None] * into[:, None]) @ kernel * out[:, None] + bias[:, None]
    hidden = torch.tanh(hidden) * into_last[:, None]
    return hidden @ last * out_last[:, None] + bias_last[:, None]


@each
def test_gradients(backend):
    model = ensemble(backend=backend)
    report = check_gradients(model, X[:7], Y[:7], tolerance=1e-8)
    assert report.passed


@each
@pytest.mark.parametrize(("batch_size", "epochs"), [(40, 200), (16, 67)])
def test_200_steps_are_those_of_torch(backend, batch_size, epochs):
    model = ensemble(backend=backend, optimizer=optimizers.Adam(0.01))
    theirs = [torch.tensor(w, requires_grad=True) for w in model.get_weights()]
    optimizer = torch.optim.Adam(theirs, 0.01, eps=1e-7)
    x, y = torch.tensor(X.astype(float)), torch.tensor(Y)
    for rows in torch.arange(40).split(batch_size) * epochs:
        optimizer.zero_grad()
        logits = logits_of_torch(theirs, x[rows])
        answers = y[rows].expand(MEMBERS, -1)
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), answers.flatten()).backward()
        optimizer.step()
    model.fit(X, Y, batch_size, epochs, shuffle=False, verbose=0)
    assert model.steps_trained >= 200
    for own, other in zip(model.get_weights(), theirs, strict=True):
        np.testing.assert_allclose(own, other.detach().numpy(), rtol=0, atol=1e-9)
    outputs = torch.softmax(logits_of_torch(theirs, x), 2).mean(0).detach().numpy()
    np.testing.assert_allclose(model.predict(X, batch_size=13), outputs, rtol=0, atol=1e-9)


@each
def test_figures_are_means_over_the_members(backend):
    model = ensemble(backend=backend)
    weights = [torch.tensor(w) for w in model.get_weights()]
    logits = logits_of_torch(weights, torch.tensor(X.astype(float)))
    answers = torch.tensor(Y).expand(MEMBERS, -1)
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), answers.flatten())
    accuracy = (logits.argmax(2) == answers).double().mean()
    found = model.evaluate(X, Y, batch_size=7, verbose=0)
    np.testing.assert_allclose(found, [float(loss), float(accuracy)], rtol=1e-12)


@pytest.mark.parametrize("backend", COMPILED)
def test_the_same_bits_on_every_number_of_threads(backend, monkeypatch):
    found = set()
    for _ in each_number_of_threads(monkeypatch):
        model = ensemble(backend=backend, optimizer="sgd", dtype="float32")
        model.fit(X, Y, batch_size=16, epochs=2, verbose=0)
        model.compile("adamw", "sparse_categorical_crossentropy")
        model.fit(X, Y, batch_size=16, epochs=2, verbose=0)
        found.add(model.params.tobytes() + model.predict(X).tobytes())
    assert len(found) == 1


def test_steps_are_counted_by_batches_of_samples():
    class Counts(Callback):
        batches = 0

        def on_train_batch_end(self, batch, logs=None):
            self.batches += 1

    counts, model = Counts(), ensemble()
    model.fit(X, Y, batch_size=16, epochs=2, verbose=0, callbacks=[counts])
    assert model.steps_trained == counts.batches == 6
    model.fit(X, Y, batch_size=100, epochs=1, verbose=0)
    assert model.steps_trained == 7


def test_a_net_that_was_saved_trains_on_bit_for_bit(tmp_path):
    model = ensemble()
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "net")
    other = load_model(tmp_path / "net")
    for one in (model, other):
        one.fit(X, Y, verbose=0)
    assert other.params.tobytes() == model.params.tobytes()
    assert [w.shape for w in other.get_weights()[:2]] == [(MEMBERS, 6), (6, 9)]


def test_batches_that_shortcuts_would_take():
    model = ensemble()
    expected = model.predict(X[:5])
    for _ in range(3):
        np.testing.assert_array_equal(np.asarray(model(X[:5])), expected)
        model.train_on_batch(X[:5], Y[:5])
        expected = model.predict(X[:5])
    assert model.steps_trained == 3


@pytest.mark.parametrize(("count", "batch_size"), [(7, 3), (6, 3), (2, 5), (5, 1)])
def test_columns_and_back(count, batch_size):
    order = np.random.default_rng(0).permutation(count)
    columns = columns_of(order, batch_size, 4)
    batches = [columns[i : i + 4 * batch_size] for i in range(0, 4 * count, 4 * batch_size)]
    expected = [order[i : i + batch_size] for i in range(0, count, batch_size)]
    assert [b.tolist() for b in batches] == [e.tolist() * 4 for e in expected]
    outputs = np.stack([columns, np.arange(4 * count)], 1).astype(float)
    np.testing.assert_array_equal(mean_of_members(outputs, batch_size, 4)[:, 0], order)


@pytest.mark.parametrize("members", [0, -1, 2.0, True, 2**40])
def test_a_number_of_members_is_one(members):
    with pytest.raises(ValueError, match="^members: expected a positive integer"):
        Scale(members=members)


def test_all_layers_have_as_many():
    with pytest.raises(ValueError, match=r"^members: <Scale 'scale_1'> has 3, and a layer before"):
        Sequential([Input((4,)), Scale(members=2), Dense(3), Scale(members=3)])
    Sequential([Input((4,)), Scale(members=2), Scale(), Dense(3), Scale(members=2)])


@each
@pytest.mark.parametrize(
    ("members", "message"),
    [(0, "a number of members"), (2**40, "a number of members"), (4, "as many members as others")],
)
def test_a_table_with_other_members_is_refused(backend, members, message):
    model = ensemble(backend=backend)
    found = model._ready_engine()
    assert found.plan.members == MEMBERS  # known from now on
    row = int(np.flatnonzero(found.plan.table[:, Column.OP] == Op.SCALE)[1])
    found.plan.table[row, Column.MEMBERS] = members
    with pytest.raises(ValueError, match=message):
        model.predict(X)


@each
def test_an_order_that_leaves_a_member_out_is_refused(backend, monkeypatch):
    monkeypatch.setattr(engine, "columns_of", lambda order, batch_size, members: order)
    with pytest.raises(ValueError, match="^order: expected each sample of a batch 3 times"):
        ensemble(backend=backend).predict(X)


def test_other_layers_have_one_member():
    model = Sequential([Input((4,)), layers.PReLU(), Dense(1)])
    model.compile("sgd", "mse")
    table = model._ready_engine().plan.table
    table[table[:, Column.OP] == Op.PRELU, Column.MEMBERS] = 2
    with pytest.raises(ValueError, match="expected one member"):
        model.predict(X[:, :4])
