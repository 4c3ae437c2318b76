"""PyTorch for many nets: one after another, which is what a loop over seeds does.

On one thread: nets as small as these only lose by more.
"""

import torch

from bench.peers.torch_eager import TorchEager
from bench.problem import Problem


class TorchMany:
    name = "PyTorch eager"

    def load(self, problems: list[Problem]) -> None:
        self.peers = [TorchEager() for _ in problems]
        for peer, problem in zip(self.peers, problems, strict=True):
            peer.load(problem)
        torch.set_num_threads(1)

    def epoch(self, number: int) -> list[float]:
        return [peer.epoch(number) for peer in self.peers]
