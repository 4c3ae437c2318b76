"""What the course report said of question 1, and the nets it had."""

from ..nets import Net
from ..settings import Settings

EPOCHS = 5
LEARNING_RATE = 0.2
SEEDS = 5

# The depth (hidden layers) at which each activation was reported to have vanished.
DEPTHS = {"sigmoid": 4, "tanh": 14, "relu": 8}

LOSSES = (2.3026, 2.306)
ACCURACIES = (0.0099, 0.0101)
CLASSES = 10

# What it suggests, and which of our cures that is; of several the best one counts.
CURES = {
    "ReLU": ("ReLU",),
    "a smaller learning rate": ("learning rate / 4", "learning rate / 20"),
    "fewer layers": ("half the layers",),
    "fewer units": ("half the units",),
}


def net(settings: Settings, activation: str, depth: int, seed: int = 0) -> Net:
    """Return a net as the report had it, but for what the settings change."""
    return Net(
        activation,
        depth,
        learning_rate=settings.rate_or(LEARNING_RATE),
        batch_size=settings.batch_size,
        epochs=settings.epochs_or(EPOCHS),
        seed=seed,
    )


def seeds(settings: Settings) -> range:
    return settings.seeds_or(2 if settings.quick else SEEDS)
