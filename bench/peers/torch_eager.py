"""PyTorch as one writes it: a Sequential, an optimizer, a loop over shuffled batches.

Samples are float32 tensors in memory, of which a batch is selected by index: many times faster
than a DataLoader.  The optimizer is the fused one, or with "foreach" that of lists of tensors; and
losses are read once, at the end.
"""

import numpy as np
import torch
from torch import nn

from bench.problem import Problem
from bench.worker import all_cores

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}


def as_numbers(problem: Problem, x: np.ndarray) -> torch.Tensor:
    scale = 1 / 255 if problem.workload.data == "images" else 1.0
    return torch.from_numpy(x).float() * scale


class TorchEager:
    name = "PyTorch eager"

    def __init__(self, form: str = "fused") -> None:
        self.form = form
        if form != "fused":
            self.name = f"{self.name} ({form})"
        torch.set_num_threads(len(all_cores()))

    def load(self, problem: Problem) -> None:
        self.problem = problem
        workload = problem.workload
        self.x = as_numbers(problem, problem.x)
        self.y = torch.from_numpy(problem.y)
        modules: list[nn.Module] = []
        for kernel, _, *normalization in problem.layers:
            modules += [nn.Linear(*kernel.shape), ACTIVATIONS[workload.activation]()]
            if normalization:
                modules.append(nn.BatchNorm1d(kernel.shape[1], eps=1e-3, momentum=0.01))
        self.net = nn.Sequential(*modules[:-1])
        self.loss = nn.MSELoss() if workload.learns_a_number else nn.CrossEntropyLoss()
        self.reset()

    @torch.no_grad()
    def reset(self) -> None:
        for parameter, array in zip(self.net.parameters(), self.problem.weights, strict=True):
            parameter.copy_(torch.from_numpy(array.T))
        options = {"lr": self.problem.workload.learning_rate, self.form: True}
        if self.problem.workload.optimizer == "SGD":
            self.optimizer = torch.optim.SGD(self.net.parameters(), **options)
        else:
            self.optimizer = torch.optim.Adam(self.net.parameters(), eps=1e-7, **options)

    def step(self, rows: torch.Tensor) -> torch.Tensor:
        self.optimizer.zero_grad()
        loss = self.loss(self.forward(self.x.index_select(0, rows)), self.y[rows])
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)

    def steps(self, order: np.ndarray) -> float:
        batches = torch.from_numpy(order).split(self.problem.workload.batch_size)
        return torch.stack([self.step(rows) for rows in batches]).mean().item()

    def epoch(self, number: int) -> float:
        return self.steps(self.problem.orders[number])

    def weights(self) -> list[np.ndarray]:
        return [parameter.detach().numpy().T.copy() for parameter in self.net.parameters()]

    def put(self, x: np.ndarray) -> None:
        self.inputs = as_numbers(self.problem, x)

    @torch.inference_mode()
    def predict(self) -> np.ndarray:
        return torch.softmax(self.forward(self.inputs), 1).numpy()
