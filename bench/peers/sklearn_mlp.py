"""scikit-learn: ``partial_fit`` on all samples, which is one epoch.

Two classes are one output there, with a logistic function: a net with fewer weights, and with other
ones.  Its loss for numbers is half the mean squared error.
"""

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from bench.problem import Problem

# Adam's, which here is added to a root that is not corrected: of the first steps, a thirtieth.
EPSILON = 5e-9
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
        workload = problem.workload
        self.is_the_same_net = workload.widths[-1] != 2
        self.x = self._numbers(problem.x)
        self.y = problem.y.ravel()
        self.reset()

    def _numbers(self, x: np.ndarray) -> np.ndarray:
        images = self.problem.workload.data == "images"
        return x.astype(np.float32) * np.float32(1 / 255 if images else 1)

    def reset(self) -> None:
        workload = self.problem.workload
        kind = MLPRegressor if workload.learns_a_number else MLPClassifier
        self.model = kind(
            hidden_layer_sizes=workload.widths[1:-1],
            activation=ACTIVATIONS[workload.activation], solver=workload.optimizer.lower(),
            alpha=0.0, momentum=0.0, nesterovs_momentum=False, epsilon=EPSILON,
            learning_rate_init=workload.learning_rate, batch_size=workload.batch_size,
        )  # fmt: skip
        # A first call makes the arrays; what it learns is overwritten, and its moments are.
        few = slice(workload.batch_size)
        if workload.learns_a_number:
            self.model.partial_fit(self.x[few], self.y[few])
        else:
            self.model.partial_fit(self.x[few], self.y[few], classes=np.arange(workload.widths[-1]))
        if self.is_the_same_net:
            arrays = zip(self.model.coefs_, self.model.intercepts_, strict=True)
            for (kernel, bias), (own_kernel, own_bias) in zip(
                self.problem.layers, arrays, strict=True
            ):
                own_kernel[...], own_bias[...] = kernel, bias
        del self.model._optimizer

    def steps(self, order: np.ndarray) -> float:
        return self._partial_fit(self.x[order], self.y[order], np.arange(len(order)))

    def epoch(self, number: int) -> float:
        return self._partial_fit(self.x, self.y, self.problem.orders[number])

    def _partial_fit(self, x: np.ndarray, y: np.ndarray, order: np.ndarray) -> float:
        self.model.random_state = GivenOrder(order)
        self.model.partial_fit(x, y.ravel())
        return float(self.model.loss_) * (2 if self.problem.workload.learns_a_number else 1)

    def weights(self) -> list[np.ndarray] | None:
        if not self.is_the_same_net:
            return None
        layers = zip(self.model.coefs_, self.model.intercepts_, strict=True)
        return [array for layer in layers for array in layer]

    def put(self, x: np.ndarray) -> None:
        self.inputs = self._numbers(x)

    def predict(self) -> np.ndarray:
        return self.model.predict_proba(self.inputs)
