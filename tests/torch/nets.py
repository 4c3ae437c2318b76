"""The same net twice, in fastmlp and in PyTorch: one table of cases, one way to compare."""

from dataclasses import dataclass

import numba  # noqa: F401 - it must be imported before torch
import numpy as np
import pytest

from fastmlp import Sequential, layers, losses, optimizers, regularizers

torch = pytest.importorskip("torch", reason="PyTorch, the peer, is not installed")
nn = torch.nn

DTYPES = {"float32": torch.float32, "float64": torch.float64}

MODULES = {
    "linear": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": lambda: nn.GELU(approximate="none"),
    "silu": nn.SiLU,
    # By default torch goes over to the identity at 20, which costs up to 2e-9.
    "softplus": lambda: nn.Softplus(threshold=100),
    "mish": nn.Mish,
    "softmax": lambda: nn.Softmax(dim=1),
}
KINKED = ("relu", "leaky_relu", "selu")
LOSSES = {
    "sparse_categorical_crossentropy": nn.CrossEntropyLoss,
    "categorical_crossentropy": nn.CrossEntropyLoss,
    "mean_squared_error": nn.MSELoss,
    "binary_crossentropy": nn.BCEWithLogitsLoss,
    "huber": nn.HuberLoss,
    "mean_absolute_error": nn.L1Loss,
}


@dataclass(frozen=True)
class Case:
    """A net with its data and its way of training."""

    activation: str = "tanh"
    widths: tuple[int, ...] = (12, 9, 7, 4)
    last: str = "linear"
    loss: str = "sparse_categorical_crossentropy"
    rate: float = 0.1
    momentum: float = 0.0
    nesterov: bool = False
    samples: int = 70
    batch_size: int = 16
    seed: int = 0
    bias: bool = True
    l1: float = 0.0
    l2: float = 0.0
    target_scale: float = 1.0

    def __str__(self) -> str:
        default = Case()
        own = [
            f"{name}={value}"
            for name, value in vars(self).items()
            if name != "activation" and value != getattr(default, name)
        ]
        return " ".join([self.activation, *own])

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.samples // self.batch_size)

    def data(self):
        """Return inputs, exact in float32, and what the loss wants of them."""
        rng = np.random.default_rng(self.seed)
        x = rng.standard_normal((self.samples, self.widths[0])).astype(np.float32)
        if self.loss == "sparse_categorical_crossentropy":
            return x, rng.integers(0, self.widths[-1], self.samples)
        if self.loss == "categorical_crossentropy":
            # Multiples of 1/64 sum to exactly 1 in any dtype.
            shares = rng.multinomial(64, [1 / self.widths[-1]] * self.widths[-1], self.samples)
            return x, shares.astype(np.float32) / 64
        targets = self.target_scale * rng.random((self.samples, self.widths[-1]))
        return x, targets.astype(np.float32)

    def model(self, dtype, backend="numba"):
        """Return the net in fastmlp, compiled."""

        def dense(units, activation):
            return layers.Dense(
                units,
                activation,
                use_bias=self.bias,
                bias_initializer="uniform",
                kernel_regularizer=regularizers.L1L2(self.l1, self.l2),
            )

        model = Sequential(
            [
                layers.Input((self.widths[0],)),
                *[dense(units, self.activation) for units in self.widths[1:-1]],
                dense(self.widths[-1], self.last),
            ],
            seed=self.seed,
            dtype=dtype,
            backend=backend,
        )
        loss = {
            "sparse_categorical_crossentropy": losses.SparseCategoricalCrossentropy(True),
            "categorical_crossentropy": losses.CategoricalCrossentropy(True),
            "binary_crossentropy": losses.BinaryCrossentropy(True),
        }.get(self.loss, self.loss)
        model.compile(optimizers.SGD(self.rate, self.momentum, self.nesterov), loss)
        return model


class Peer:
    """A case's net in PyTorch, with the weights of a model of fastmlp."""

    def __init__(self, case, dtype, weights):
        self.case, self.dtype = case, DTYPES[dtype]
        weights = iter(weights)
        modules = []
        for inputs, units in zip(case.widths, case.widths[1:], strict=False):
            linear = nn.Linear(inputs, units, bias=case.bias, dtype=self.dtype)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(next(weights).T.copy()))
                if case.bias:
                    linear.bias.copy_(torch.from_numpy(next(weights)))
            modules += [linear, MODULES[case.activation]()]
        self.net = nn.Sequential(*modules[:-1], MODULES[case.last]())
        x, y = case.data()
        self.x = torch.from_numpy(x).to(self.dtype)
        self.y = torch.from_numpy(y) if y.ndim == 1 else torch.from_numpy(y).to(self.dtype)
        self.loss = LOSSES[case.loss]()
        self.kink_distance = np.inf  # the smallest that any step has seen
        if case.activation in KINKED:
            for module in self.net[1:-1:2]:
                module.register_forward_pre_hook(lambda _, inputs: self._note_kinks(inputs[0]))
        self.optimizer = torch.optim.SGD(
            self.net.parameters(), case.rate, case.momentum, nesterov=case.nesterov
        )

    def _note_kinks(self, values):
        self.kink_distance = min(self.kink_distance, values.abs().min().item())

    def predict(self):
        with torch.no_grad():
            return self.net(self.x).numpy()

    def backward(self, rows):
        """Compute the mean loss of some samples and leave its gradient in the parameters."""
        self.optimizer.zero_grad()
        loss = self.loss(self.net(self.x[rows]), self.y[rows])
        for module in self.net:
            if isinstance(module, nn.Linear) and (self.case.l1 or self.case.l2):
                w = module.weight
                if self.case.l1:
                    self._note_kinks(w)
                loss = loss + self.case.l1 * w.abs().sum() + self.case.l2 * (w * w).sum()
        loss.backward()
        return loss.item()

    def train_epoch(self, order):
        """Step along the batches of ``order``; return the mean of their losses."""
        total = 0.0
        for rows in torch.from_numpy(order).split(self.case.batch_size):
            total += self.backward(rows) * len(rows)
            self.optimizer.step()
        return total / len(order)

    def weights(self):
        return self._shaped_as_in_fastmlp(lambda parameter: parameter.detach())

    def gradients(self):
        return self._shaped_as_in_fastmlp(lambda parameter: parameter.grad)

    def _shaped_as_in_fastmlp(self, of):
        return [np.array(of(p).numpy().T, dtype=np.float64) for p in self.net.parameters()]


def distance(arrays, expected):
    """Return the largest difference over the largest expected value, tensor by tensor."""
    return max(
        float(np.abs(a.astype(np.float64) - e).max() / np.abs(e).max())
        for a, e in zip(arrays, expected, strict=True)
    )
