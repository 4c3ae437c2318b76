"""What goes into :func:`fastmlp.sweep`, and what comes out.

Spaces: :class:`Grid`, :class:`Random`, :class:`Sobol` and :class:`Optuna`; a setting is a list of
values, or :func:`uniform`, :func:`log_uniform` or :func:`integers`.  :class:`Halving` stops poor
nets early.  :class:`Table` is what a sweep returns; :func:`read_table` reads it from its folder.
docs/sweeps.md shows all of it, and how to use a cluster.
"""

from .dimensions import integers, log_uniform, uniform
from .halving import Halving
from .journal import read_table
from .run import sweep
from .spaces import Grid, Random, Sobol, Space
from .table import Table
from .with_optuna import Optuna

__all__ = [
    "Grid",
    "Halving",
    "Optuna",
    "Random",
    "Sobol",
    "Space",
    "Table",
    "integers",
    "log_uniform",
    "read_table",
    "sweep",
    "uniform",
]
