"""Every kernel in Numba: plain Python functions that a compiler can read.

With ``NUMBA_DISABLE_JIT=1`` they run as that plain Python, slowly, to the same numbers.

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
