"""What the course report said of question 2, and the nets it had."""

from dataclasses import dataclass, replace

from ..nets import Net
from ..settings import Settings

EPOCHS = 25
SEEDS = 5
SWEEP_SEEDS = 2
ACTIVATION = "relu"  # not given in the report
DEPTH = 3
WIDTH = 13

# With fewer samples an epoch has fewer steps: a larger rate, and on the subset more epochs, make
# up for it.
SUBSET = 2_000
SUBSET_EPOCHS = 150
SUBSET_RATE = 10
QUICK_RATE = 10
QUICK_EPOCHS = 15


@dataclass(frozen=True)
class Claim:
    """A model of the report, with the figures that it printed."""

    name: str
    learning_rate: float
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0


MODELS = (
    Claim("none", 0.003, 1.0215, 0.5371, 1.1277, 0.1837),
    Claim("L1", 0.003, 1.4341, 0.6543, 1.1389, 0.2012, l1=0.0018),
    Claim("L2", 0.0033, 1.0614, 0.8176, 1.0029, 0.2077, l2=0.0019),
    Claim("dropout", 0.0033, 1.3450, 0.5411, 1.2807, 0.2079, dropout=0.25),
)


def net(settings: Settings, claim: Claim, seed: int = 0, *, subset: bool = False) -> Net:
    """Return a net of the report, or its like for the subset, but for what the settings change."""
    full = Net(
        ACTIVATION,
        DEPTH,
        WIDTH,
        learning_rate=settings.rate_or(claim.learning_rate * (QUICK_RATE if settings.quick else 1)),
        l1=claim.l1,
        l2=claim.l2,
        dropout=claim.dropout,
        batch_size=settings.batch_size,
        epochs=settings.epochs_or(QUICK_EPOCHS if settings.quick else EPOCHS),
        seed=seed,
    )
    if not subset:
        return full
    samples, epochs = (500, 75) if settings.quick else (SUBSET, SUBSET_EPOCHS)
    return replace(
        full,
        learning_rate=settings.rate_or(SUBSET_RATE * claim.learning_rate),
        samples=samples,
        epochs=settings.epochs_or(epochs),
    )


def seeds(settings: Settings) -> range:
    return settings.seeds_or(2 if settings.quick else SEEDS)


def sweep_seeds(settings: Settings) -> range:
    return settings.seeds_or(1 if settings.quick else SWEEP_SEEDS)
