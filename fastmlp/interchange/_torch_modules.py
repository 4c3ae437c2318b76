"""Modules that PyTorch does not have, at the top of a module so that they can be pickled."""

from typing import Any

import torch


class Scale(torch.nn.Module):  # type: ignore[misc]
    """``x * scale + offset``."""

    def __init__(self, scale: float, offset: float) -> None:
        super().__init__()
        self.scale, self.offset = scale, offset

    def forward(self, x: Any) -> Any:
        return x * self.scale + self.offset


class Add(torch.nn.Module):  # type: ignore[misc]
    """``x + f(x)``, where ``f`` is some modules one after the other."""

    def __init__(self, *parts: torch.nn.Module) -> None:
        super().__init__()
        self.parts = torch.nn.Sequential(*parts)

    def forward(self, x: Any) -> Any:
        return x + self.parts(x)
