"""scikit-learn: ``MLPClassifier.partial_fit`` on all samples, which is one epoch."""

import numpy as np
from sklearn.neural_network import MLPClassifier

from bench.problem import Problem

ACTIVATIONS = {"sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}


class GivenOrder(np.random.RandomState):
    """Shuffles indices 0, 1, 2, ... into an order that is given."""

    def __init__(self, order: np.ndarray) -> None:
        super().__init__(0)
        self.order = order

    def shuffle(self, x: np.ndarray) -> None:
        x[:] = self.order


class SklearnMLP:
    name = "scikit-learn"

    def load(self, problem: Problem) -> None:
        self.problem = problem
        self.x = problem.x.astype(np.float32) * np.float32(1 / 255)
        self.y = problem.y
        self.reset()

    def reset(self) -> None:
        workload = self.problem.workload
        self.model = MLPClassifier(
            workload.widths[1:-1], activation=ACTIVATIONS[workload.activation], solver="sgd",
            alpha=0.0, momentum=0.0, nesterovs_momentum=False,
            learning_rate_init=workload.learning_rate, batch_size=workload.batch_size,
        )  # fmt: skip
        # A first call makes the arrays; what it learns is overwritten.
        few = slice(workload.batch_size)
        self.model.partial_fit(self.x[few], self.y[few], classes=np.arange(workload.widths[-1]))
        self.model.coefs_ = [kernel.copy() for kernel, _ in self.problem.layers]
        self.model.intercepts_ = [bias.copy() for _, bias in self.problem.layers]

    def steps(self, order: np.ndarray) -> float:
        return self._partial_fit(self.x[order], self.y[order], np.arange(len(order)))

    def epoch(self, number: int) -> float:
        return self._partial_fit(self.x, self.y, self.problem.orders[number])

    def _partial_fit(self, x: np.ndarray, y: np.ndarray, order: np.ndarray) -> float:
        self.model.random_state = GivenOrder(order)
        self.model.partial_fit(x, y)
        return float(self.model.loss_)

    def weights(self) -> list[np.ndarray]:
        layers = zip(self.model.coefs_, self.model.intercepts_, strict=True)
        return [array for layer in layers for array in layer]

    def put(self, x: np.ndarray) -> None:
        self.inputs = x.astype(np.float32) * np.float32(1 / 255)

    def predict(self) -> np.ndarray:
        return self.model.predict_proba(self.inputs)
