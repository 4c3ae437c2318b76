"""``python -m fastmlp.kernels``: the kernel ladder."""

import sys

from .ladder.cli import main, pin_to_one_core

if __name__ == "__main__":
    pin_to_one_core()
    sys.exit(main())
