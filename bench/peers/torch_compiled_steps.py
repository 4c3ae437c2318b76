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


class TorchCompiledSteps(TorchEager):
    name = "torch.compile (steps)"

    def load(self, problem: Problem) -> None:
        super().load(problem)
        self.x = torch.from_numpy(problem.x)
        self.parameters = {name: p.detach() for name, p in self.net.named_parameters()}
        learning_rate = problem.workload.learning_rate

        def loss_of(parameters, x, y):
            return self.loss(functional_call(self.net, parameters, (x,)), y)

        def step(parameters, x, y):
            gradients, loss = grad_and_value(loss_of)(parameters, x.float() * (1 / 255), y)
            for name, parameter in parameters.items():
                parameter.sub_(gradients[name], alpha=learning_rate)
            return loss

        def several(parameters, batches, x, y):
            return torch.stack([step(parameters, x[rows], y[rows]) for rows in batches])

        self.several = torch.compile(
            several, fullgraph=True, dynamic=False, options={"cpp_wrapper": True}
        )

    def steps(self, order: np.ndarray) -> float:
        batches = torch.from_numpy(order).view(-1, STEPS, self.problem.workload.batch_size)
        losses = [self.several(self.parameters, some, self.x, self.y) for some in batches]
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
