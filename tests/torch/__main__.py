"""All losses on all compiled backends beside PyTorch, 200 steps each: ``python -m tests.torch``."""

import sys

from tests.backends import COMPILED

from .test_loss_trajectories import CASES, PLAIN, STEPS, follow


def main() -> None:
    """Follow each loss on the backends that are named, or on all."""
    count = 0
    for backend in sys.argv[1:] or COMPILED:
        name = getattr(backend, "values", (backend,))[0]
        for case in CASES | PLAIN:
            follow(case, name)
            count += 1
            sys.stdout.write(f"{name}: {case}, {STEPS} steps to 1e-9\n")
    sys.stdout.write(f"{count} of {count} follow PyTorch\n")


if __name__ == "__main__":
    main()
