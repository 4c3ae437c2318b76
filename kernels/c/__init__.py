"""Every kernel in C.  Optional: where it was not built, this cannot be imported.

The kernels are those of ``kernels.contract.KERNELS``, each for arrays of either dtype.
"""

from ..contract import KERNELS
from .dispatch import by_dtype

globals().update({name: by_dtype(name) for name in KERNELS})
