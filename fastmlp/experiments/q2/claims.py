"""What the course report said of question 2, and the nets it had."""

from dataclasses import dataclass, replace

from ..lab import Lab
from ..nets import Net
from ..settings import Settings

DATASET = "fashion-mnist"
SAMPLES = 60_000
CLASSES = 10
EPOCHS = 25
BATCH_SIZE = 32
ACTIVATION = "relu"  # not given in the report
DEPTH = 3
WIDTH = 13

SEEDS = 5
SWEEP_SEEDS = 4

# The arm with few samples: so many, but never more than this share of what there is.
SUBSET = 2_000
SUBSET_SHARE = 5

QUICK_EPOCHS = 15
QUICK_RATE = 10  # with a tenth of the samples an epoch has a tenth of the steps


@dataclass(frozen=True)
class Claim:
    """A model of the report, with the figures that it printed."""

    name: str
    learning_rate: float
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    kind: str = ""  # l1, l2, dropout, or none of them
    strength: float = 0.0

    @property
    def spoken(self) -> str:
        """The name as a sentence has it."""
        return self.name if self.kind else "the unregularized net"


MODELS = (
    Claim("unregularized", 0.003, 1.0215, 0.5371, 1.1277, 0.1837),
    Claim("L1", 0.003, 1.4341, 0.6543, 1.1389, 0.2012, "l1", 0.0018),
    Claim("L2", 0.0033, 1.0614, 0.8176, 1.0029, 0.2077, "l2", 0.0019),
    Claim("dropout", 0.0033, 1.3450, 0.5411, 1.2807, 0.2079, "dropout", 0.25),
)
PLAIN = MODELS[0]
REGULARIZED = MODELS[1:]


def own_strength(settings: Settings, claim: Claim) -> float:
    """Return the model's λ or dropout rate: the report's, unless the settings change it."""
    asked = getattr(settings, claim.kind) if claim.kind else None
    return claim.strength if asked is None else float(asked)


def rate(settings: Settings, claim: Claim) -> float:
    return settings.rate_or(claim.learning_rate * (QUICK_RATE if settings.quick else 1))


def net(
    lab: Lab, claim: Claim, seed: int = 0, *, subset: bool = False, strength: float | None = None
) -> Net:
    """Return a net of the report, but for what the settings change.

    Parameters
    ----------
    lab : Lab
    claim : Claim
    seed : int
    subset : bool
        With few samples; all else stays, the number of steps included.
    strength : float, optional
        In place of the model's own; 0 gives the same net without its regularizer.
    """
    settings = lab.settings
    changed = Net(
        settings.activations[0] if settings.activations else ACTIVATION,
        DEPTH if settings.depth is None else settings.depth,
        WIDTH if settings.width is None else settings.width,
        learning_rate=rate(settings, claim),
        batch_size=settings.batch_size,
        epochs=settings.epochs_or(QUICK_EPOCHS if settings.quick else EPOCHS),
        samples=few(lab) if subset else None,
        seed=seed,
    )
    if settings.initializer is not None:
        changed = replace(changed, initializer=settings.initializer)
    if settings.momentum is not None:
        changed = replace(changed, momentum=settings.momentum)
    if claim.kind:
        value = own_strength(settings, claim) if strength is None else strength
        changed = replace(changed, **{claim.kind: value})  # type: ignore[arg-type]
    return changed


def few(lab: Lab) -> int:
    """Return how many samples the arm with few of them has."""
    return max(1, min(SUBSET, len(lab.dataset.train[0]) // SUBSET_SHARE))


def seeds(settings: Settings) -> range:
    return settings.seeds_or(3 if settings.quick else SEEDS)


def sweep_seeds(settings: Settings) -> range:
    return settings.seeds_or(3 if settings.quick else SWEEP_SEEDS)


def departures(lab: Lab) -> list[str]:
    """Return in what this run is not the report's, as far as the report tells what it was."""
    s, found = lab.settings, []
    if lab.dataset.name != DATASET:
        found.append(f"the data are {lab.dataset.name}")
    elif len(lab.dataset.train[0]) != SAMPLES:
        found.append(f"only {len(lab.dataset.train[0]):,} of {SAMPLES:,} samples are used")
    plain = net(lab, PLAIN)
    if plain.epochs != EPOCHS:
        found.append(f"nets train for {plain.epochs} epochs, not {EPOCHS}")
    for name, here, there in (
        ("learning rate", plain.learning_rate, PLAIN.learning_rate),
        ("batch size", plain.batch_size, BATCH_SIZE),
        ("number of hidden layers", plain.depth, DEPTH),
        ("width", plain.width, WIDTH),
        ("momentum", plain.momentum, 0.0),
        *((f"{c.name} strength", own_strength(s, c), c.strength) for c in REGULARIZED),
    ):
        if here != there:
            found.append(f"the {name} is {here:g}, not {there:g}")
    if plain.activation != ACTIVATION or s.initializer is not None:
        found.append(f"activation or initializer were chosen ({plain.activation}, "
                     f"{plain.initializer})")  # fmt: skip
    return found
