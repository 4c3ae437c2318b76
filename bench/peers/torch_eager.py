"""PyTorch as one writes it: a Sequential, an optimizer, a loop over shuffled batches.

Samples are float32 tensors in memory, of which a batch is selected by index: many times faster
than a DataLoader.  The optimizer is the fused one, and losses are read once, at the end.
"""

import numpy as np
import torch
from torch import nn

from bench.problem import Problem
from bench.worker import all_cores

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}


class TorchEager:
    name = "PyTorch eager"

    def __init__(self) -> None:
        torch.set_num_threads(len(all_cores()))

    def load(self, problem: Problem) -> None:
        self.problem = problem
        self.x = torch.from_numpy(problem.x).float() * (1 / 255)
        self.y = torch.from_numpy(problem.y)
        modules: list[nn.Module] = []
        for kernel, _ in problem.layers:
            modules += [nn.Linear(*kernel.shape), ACTIVATIONS[problem.workload.activation]()]
        self.net = nn.Sequential(*modules[:-1])
        self.loss = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(
            self.net.parameters(), lr=problem.workload.learning_rate, fused=True
        )
        self.reset()

    @torch.no_grad()
    def reset(self) -> None:
        for parameter, array in zip(self.net.parameters(), self.problem.weights, strict=True):
            parameter.copy_(torch.from_numpy(array.T))

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
        self.inputs = torch.from_numpy(x).float() * (1 / 255)

    @torch.inference_mode()
    def predict(self) -> np.ndarray:
        return torch.softmax(self.forward(self.inputs), 1).numpy()
