"""Every kernel in plain NumPy, under the same names and contracts: slow, obvious, the truth.

Outputs come last and are written in place, as the compiled kernels do it.

The kernels are those of ``kernels.contract.KERNELS``, each in the file that is named there.
"""

from importlib import import_module

from ..contract import KERNELS

globals().update(
    {
        name: getattr(import_module(f".{kernel.file}", __package__), name)
        for name, kernel in KERNELS.items()
    }
)
