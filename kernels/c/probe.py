"""Numeric gradients in C, for plans of either dtype."""

from ..contract import Batches, Memory, Net, Trial
from .dispatch import of_dtype


def probe(net: Net, memory: Memory, batches: Batches, trial: Trial) -> None:
    """Do what ``kernels.numba.probe.probe`` does, with the same arguments."""
    of_dtype(net.params).probe(net, memory, batches, trial)
