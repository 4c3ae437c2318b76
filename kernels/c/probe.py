"""Numeric gradients in C, for plans of either dtype."""

from typing import Any

from .dispatch import Array, of_dtype


def probe(table: Array, reals: Array, params: Array, *arguments: Any) -> None:
    """Do what ``kernels.compiled.probe.probe`` does, with the same arguments."""
    of_dtype(params).probe(table, reals, params, *arguments)
