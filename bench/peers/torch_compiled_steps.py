"""``torch.compile`` at its strongest: whole steps, several in a graph, called through C++.

Forward, gradient and update are one functional graph, which batches enter as indices into uint8
samples.  With ``STEPS`` of them in a graph and inductor's C++ wrapper, Python is left once for
all of them: five to seven times faster than the compiled model.  Longer graphs gain little (a
tenth with 25 steps) and take a minute to compile.
"""

import numpy as np
import torch
from torch.func import functional_call, grad_and_value

from bench.peers.torch_eager import TorchEager
from bench.problem import Problem

STEPS = 5


def descend(rate, parameters, gradients, moments) -> None:
    for name, parameter in parameters.items():
        parameter.sub_(gradients[name], alpha=rate)


def adapt(rate, parameters, gradients, moments) -> None:
    """Take a step of Adam (Kingma & Ba, 2015, algorithm 1)."""
    moments["time"].add_(1)
    time = moments["time"]
    scale, correction = rate / (1 - 0.9**time), 1 / (1 - 0.999**time)
    for name, parameter in parameters.items():
        first, second = moments[f"first {name}"], moments[f"second {name}"]
        first.lerp_(gradients[name], 0.1)
        second.lerp_(gradients[name] ** 2, 0.001)
        parameter.sub_(scale * first / ((second * correction).sqrt() + 1e-7))


class TorchCompiledSteps(TorchEager):
    name = "torch.compile (steps)"

    def load(self, problem: Problem) -> None:
        super().load(problem)
        self.x = torch.from_numpy(problem.x)
        self.parameters = {name: p.detach() for name, p in self.net.named_parameters()}
        update = descend if problem.workload.optimizer == "SGD" else adapt
        rate = problem.workload.learning_rate
        scale = 1 / 255 if problem.workload.data == "images" else 1.0

        def loss_of(parameters, x, y):
            return self.loss(functional_call(self.net, parameters, (x,)), y)

        def step(parameters, moments, x, y):
            gradients, loss = grad_and_value(loss_of)(parameters, x.float() * scale, y)
            update(rate, parameters, gradients, moments)
            return loss

        def several(parameters, moments, batches, x, y):
            return torch.stack([step(parameters, moments, x[rows], y[rows]) for rows in batches])

        self.several = torch.compile(
            several, fullgraph=True, dynamic=False, options={"cpp_wrapper": True}
        )

    def reset(self) -> None:
        super().reset()
        sizes = {name: p.detach() for name, p in self.net.named_parameters()}
        self.moments = {
            "time": torch.zeros(()),
            **{f"first {name}": torch.zeros_like(p) for name, p in sizes.items()},
            **{f"second {name}": torch.zeros_like(p) for name, p in sizes.items()},
        }

    def steps(self, order: np.ndarray) -> float:
        batches = torch.from_numpy(order).view(-1, STEPS, self.problem.workload.batch_size)
        losses = [
            self.several(self.parameters, self.moments, some, self.x, self.y) for some in batches
        ]
        return torch.stack(losses).mean().item()

    def put(self, x: np.ndarray) -> None:
        self.inputs = torch.from_numpy(x)
        self.compiled = torch.compile(
            lambda x: torch.softmax(self.net(x.float() * (1 / 255)), 1),
            fullgraph=True, dynamic=False, options={"cpp_wrapper": True},
        )  # fmt: skip

    @torch.inference_mode()
    def predict(self) -> np.ndarray:
        return self.compiled(self.inputs).numpy()
