"""What the course report said of question 1, and the nets it had."""

from dataclasses import replace

import numpy as np

from ..lab import Lab
from ..nets import Net
from ..settings import Settings

EPOCHS = 5
LEARNING_RATE = 0.2
TRAIN = 60_000
DATASET = "fashion-mnist"  # an assumption: the report leaves open which data it has

# The depth (hidden layers) at which each activation was reported to have vanished.
DEPTHS = {"sigmoid": 4, "tanh": 14, "relu": 8}
DEFAULT_DEPTH = 8  # of the nets looked at closely, for other activations
DEEPEST = 16
QUICK_DEPTHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16)

LOSSES = (2.3026, 2.306)
ACCURACIES = (0.0099, 0.0101)
CLASSES = 10

# Entries of the first layer's weight changes, as printed; which net each is of is our reading.
CHANGES = {"sigmoid": 5.9e-4, "tanh": 1.7e-3, "relu": 4.5e-5}

# What it suggests, and which of our cures that is.
CURES = {
    "ReLU": ("ReLU",),
    "a smaller learning rate": ("learning rate / 4", "learning rate / 20"),
    "fewer layers": ("half the layers",),
    "fewer units": ("half the units",),
}

# How many seeds a cell has when it is looked at; it gets more only if that decides nothing yet.
LOOKS = (6, 12, 20, 30)
QUICK_LOOKS = (4,)


def activations(settings: Settings) -> tuple[str, ...]:
    return settings.activations or tuple(DEPTHS)


def depth(settings: Settings, activation: str) -> int:
    """Return how deep the nets are that are looked at closely."""
    return settings.depth or DEPTHS.get(activation, DEFAULT_DEPTH)


def depths(settings: Settings) -> list[int]:
    """Return the depths of the map: all up to 16, or as many spread further."""
    deepest = max(DEEPEST, settings.depth or 0)
    if settings.quick and deepest == DEEPEST:
        return list(QUICK_DEPTHS)
    if deepest == DEEPEST:
        return list(range(1, deepest + 1))
    spread = np.geomspace(1, deepest, DEEPEST).round().astype(int)
    return sorted({*range(1, 6), *spread.tolist()})


def net(settings: Settings, activation: str, depth: int, seed: int = 0) -> Net:
    """Return a net as the report had it, but for what the settings change."""
    own = Net(activation, depth, learning_rate=LEARNING_RATE, epochs=EPOCHS, seed=seed)
    return replace(settings.changed(own), depth=depth)


def looks(settings: Settings) -> tuple[int, ...]:
    if settings.seeds is not None:
        return (settings.seeds,)
    return QUICK_LOOKS if settings.quick else LOOKS


def differences(lab: Lab) -> list[str]:
    """Return what keeps this run's nets from being the report's, in words; empty if nothing."""
    here = net(lab.settings, "sigmoid", 1)
    own = Net("sigmoid", 1, learning_rate=LEARNING_RATE, epochs=EPOCHS)
    train = len(lab.dataset.train[1])
    pairs = [
        ("data", lab.dataset.name, DATASET),
        ("training samples", train, TRAIN),
        *(
            (name.replace("_", " "), getattr(here, name), getattr(own, name))
            for name in (
                "width", "initializer", "learning_rate", "momentum", "l1", "l2", "dropout",
                "batch_size", "epochs",
            )
        ),
    ]  # fmt: skip
    return [f"{name} {ours} instead of {theirs}" for name, ours, theirs in pairs if ours != theirs]


def steps(lab: Lab) -> int:
    """Return how many steps a training of this run has."""
    here = net(lab.settings, "sigmoid", 1)
    return here.epochs * -(-len(lab.dataset.train[1]) // here.batch_size)
