"""Seeds for nets that are given none."""

import numpy as np

_source: "np.random.Generator | None" = None  # until somebody sets one, the machine's entropy


def set_source(seed: int) -> None:
    """Let the seeds of the nets to come follow from one number."""
    global _source  # noqa: PLW0603
    _source = np.random.default_rng(np.random.SeedSequence(seed))


def fresh_seed() -> int:
    """Return a seed for a net: another one each time."""
    if _source is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    return int(_source.integers(2**32))
