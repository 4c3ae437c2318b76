"""How large the gradients of a watched net's layers were, at the first step and by epoch."""

import numpy as np
from numpy.typing import NDArray

from ..lab import Lab
from ..nets import Net
from . import depth_map


def moments(lab: Lab, net: Net) -> list[tuple[str, NDArray[np.float64]]]:
    """Return the norms (layers,), from the input on, at the first step and as each epoch's median.

    What was recorded after a net came apart is left out.
    """
    watched = lab.observations[net].gradient_norms
    norms = watched[np.isfinite(watched).all(axis=1)]
    if not len(norms):
        return []
    epochs = np.array_split(norms, len(lab.outcomes[net].figures["loss"]))
    return [
        ("first step", norms[0]),
        *(
            (f"epoch {number}, median", np.median(part, axis=0))
            for number, part in enumerate(epochs, 1)
            if part.size
        ),
    ]


def watched(lab: Lab, activation: str) -> list[Net]:
    """Return the map's nets that were watched, one a depth."""
    nets = depth_map.nets(lab, activation)
    return [net for net in nets if net in lab.observations and net in lab.outcomes]


def results(lab: Lab) -> list[dict[str, object]]:
    """Return the numbers, for results.json."""
    return [
        {
            "activation": net.activation, "depth": net.depth, "seed": net.seed,
            "gradient_norms": {moment: norms.tolist() for moment, norms in moments(lab, net)},
        }
        for activation in depth_map.trained(lab)
        for net in watched(lab, activation)
    ]  # fmt: skip
