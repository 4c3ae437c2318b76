"""Numbers of a table as waves, a matrix for each number, and vectors for its categories."""

import numpy as np
import pytest
import torch

from fastmlp import Sequential, check_gradients, layers, optimizers
from fastmlp.kernels.contract import Column, Op
from fastmlp.sklearn.realmlp.embedding import TableEmbedding
from tests.backends import ALL, COMPILED
from tests.threads import each_number_of_threads

from .nets import net
from .test_binding import FAR, bind, memory_of, net_of
from .torch_steps import assert_200_steps_are_those_of_torch

each = pytest.mark.parametrize("backend", ALL)
RNG = np.random.default_rng(4)
X = np.column_stack(
    [3 * RNG.normal(size=(40, 3)), RNG.integers(0, 4, 40), RNG.integers(0, 2, 40)]
)  # two numbers to embed, another, and two categories
Y = RNG.integers(0, 4, 40)
STEPPERS = {
    "descent": (lambda: optimizers.SGD(0.05), lambda w: torch.optim.SGD(w, 0.05)),
    "adam": (lambda: optimizers.Adam(0.01), lambda w: torch.optim.Adam(w, 0.01, eps=1e-7)),
}


def table(*more, **options):
    return net(TableEmbedding(2, (3, 1)), *more, layers.Dense(7, "tanh"), features=5, **options)


@each
def test_gradients(backend):
    assert check_gradients(table(backend=backend), X[:9], Y[:9], tolerance=1e-8).passed
    alone = net(TableEmbedding(1), layers.Dense(3, "tanh"), features=1, backend=backend)
    assert check_gradients(alone, X[:9, :1], Y[:9], tolerance=1e-8).passed


@each
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("samples", [1, 2, 7, 31, 33, 65])
def test_outputs_are_those_of_numpy(backend, dtype, samples):
    layer = TableEmbedding(2, (3, 1))
    model = Sequential([layers.Input(5), layer], backend=backend, dtype=dtype)
    x = np.resize(X, (samples, 5)).astype(dtype)
    x[:, 1] *= 10
    bound = 200 * np.finfo(dtype).eps
    np.testing.assert_allclose(model.predict(x), layer.of(x), rtol=bound, atol=bound)


class Torch(torch.nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.weights = torch.nn.ParameterList(torch.tensor(w) for w in weights)

    def forward(self, x):
        frequencies, phases, weights, biases, first, last, kernel, bias, *out = self.weights
        angles = 2 * torch.pi * x[:, :2, None] * frequencies + phases
        numbers = torch.einsum("nif,iof->nio", torch.cos(angles), weights) + biases
        parts = [numbers.flatten(1), x[:, :3], first[x[:, 3].long()], last[x[:, 4].long()]]
        return torch.tanh(torch.cat(parts, 1) @ kernel + bias) @ out[0] + out[1]


@each
@pytest.mark.parametrize("stepper", STEPPERS)
def test_200_steps_are_those_of_torch(backend, stepper):
    make, of_torch = STEPPERS[stepper]
    model = table(backend=backend, optimizer=make())
    theirs = Torch(model.get_weights())
    optimizer = of_torch(list(theirs.weights))
    assert_200_steps_are_those_of_torch(model, theirs, optimizer, X, Y)


@pytest.mark.parametrize("backend", COMPILED)
def test_the_same_bits_on_every_number_of_threads(backend, monkeypatch):
    found = set()
    for _ in each_number_of_threads(monkeypatch):
        model = table(backend=backend)
        for optimizer in ("sgd", "adam"):
            model.compile(optimizer, "sparse_categorical_crossentropy")
            model.fit(X, Y, batch_size=16, epochs=2, verbose=0)
        found.add(model.params.tobytes())
    assert len(found) == 1


def test_weights_that_no_row_reads_are_refused():
    class More(TableEmbedding):
        def build(self, input_shape):
            super().build(input_shape)
            self.add_weight("more", (2,))

    with pytest.raises(ValueError, match=r"^<More 'more'>: its kernel reads .*'biases'.*'more'"):
        net(More(1), features=1)


@each
@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        (Column.GROUPS, [-FAR, -1, 0, 3, 7, FAR]),
        (Column.SIZE, [0, 1, 2 * 3 * 16, 2 * 3 * 16 + 7, FAR]),
        (Column.BIAS, [-2, 0, 2 * 3 * 16, FAR]),
        (Column.PLACE, [-1, FAR]),
        (Column.WEIGHTS, [-1, FAR]),
        (Column.INPUTS, [31, FAR]),
        (Column.OUTPUTS, [5, FAR]),
    ],
    ids=lambda value: value.name if isinstance(value, Column) else "",
)
def test_groups_that_do_not_fit_are_refused(backend, column, wrong):
    plan = table(backend=backend)._ready_engine().plan
    r = plan.table[:, Column.OP].tolist().index(Op.GROUPED_DENSE)
    bind(backend)(net_of(plan), memory_of(plan))
    for number in wrong:
        rows = plan.table.copy()
        rows[r, column] = number
        with pytest.raises(ValueError, match=rf"^(table|values): (row {r} |expected)"):
            bind(backend)(net_of(plan, table=rows), memory_of(plan))
