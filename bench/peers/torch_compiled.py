"""``torch.compile`` as its tutorial has it: the model is compiled, the loop is not."""

import torch

from bench.peers.torch_eager import TorchEager
from bench.problem import Problem


class TorchCompiledModel(TorchEager):
    name = "torch.compile (model)"

    def load(self, problem: Problem) -> None:
        super().load(problem)
        self.compiled = torch.compile(self.net)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.compiled(x)
