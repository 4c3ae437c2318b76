"""PyTorch as one writes it: a Sequential, an optimizer, a loop over shuffled batches.

The images are float32 tensors in memory and batches are indexed from them: several times
faster than a DataLoader.
"""

import torch
from torch import nn

from bench.workloads import Workload

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}


def torch_net(workload: Workload) -> nn.Sequential:
    """The workload's net with fastmlp's initial weights."""
    modules: list[nn.Module] = []
    weights = workload.model().get_weights()
    for i, (inputs, outputs) in enumerate(zip(workload.widths, workload.widths[1:], strict=False)):
        linear = nn.Linear(inputs, outputs)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weights[2 * i].T.copy()))
            linear.bias.copy_(torch.from_numpy(weights[2 * i + 1]))
        modules += [linear, ACTIVATIONS[workload.activation]()]
    return nn.Sequential(*modules[:-1])


class TorchEager:
    name = "PyTorch eager"

    def __init__(self, workload: Workload, threads: int) -> None:
        torch.set_num_threads(threads)
        self.workload = workload
        self.net = torch_net(workload)
        x, y = workload.images()
        self.x = torch.tensor(x.reshape(len(x), -1)).float() * (1 / 255)
        self.y = torch.tensor(y)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=workload.learning_rate)
        self.loss = nn.CrossEntropyLoss()

    def step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        self.optimizer.zero_grad()
        loss = self.loss(self.net(x), y)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def epoch(self, number: int) -> float:
        total = torch.zeros(())
        order = torch.from_numpy(self.workload.order(number))
        for rows in order.split(self.workload.batch_size):
            total += self.step(self.x[rows], self.y[rows]) * len(rows)
        return total.item() / len(order)
