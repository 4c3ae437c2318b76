"""The three patients: one net per activation, at the depth where it was reported to fail."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure as Drawing

from .. import style
from ..lab import Lab
from ..nets import Net
from ..report import Figure, Section, table
from . import claims


@dataclass(frozen=True)
class Patient:
    """What was seen in one patient.

    Attributes
    ----------
    first_gradient : list of float
        Each layer's gradient norm at the first step, from the input on.
    last_gradient : list of float
        The same at the last recorded step.
    change_norm, change_mean : float
        Of the first layer's kernel over the training: Euclidean norm, and mean absolute value.
    change_relative : float
        ``change_norm`` over the norm before.
    saturated, dead : float
        At the last recorded step, the mean over the hidden layers.
    """

    net: Net
    first_gradient: list[float]
    last_gradient: list[float]
    change_norm: float
    change_mean: float
    change_relative: float
    saturated: float
    dead: float

    @property
    def gradient_ratio(self) -> float:
        """The first layer's gradient norm over the last's, at the first step."""
        return self.first_gradient[0] / self.first_gradient[-1]

    @property
    def factor_per_layer(self) -> float:
        """By what the gradient changes from one hidden layer to the next below, on average.

        The first layer, which has other sizes than the rest, is left out.
        """
        hidden = self.first_gradient[1:-1]
        return (hidden[0] / hidden[-1]) ** (1 / (len(hidden) - 1)) if len(hidden) > 1 else np.nan


def nets(lab: Lab) -> list[Net]:
    return [claims.net(lab.settings, name, depth) for name, depth in claims.DEPTHS.items()]


def train(lab: Lab) -> None:
    for net in nets(lab):
        lab.observe(net)


def findings(lab: Lab) -> list[Patient]:
    """Return what was seen in the patients that have been trained."""
    seen = []
    for net in nets(lab):
        if net not in lab.observations:
            continue
        watched = lab.observations[net]
        change = watched.after.astype(np.float64) - watched.before
        recorded = np.isfinite(watched.gradient_norms).all(axis=1)
        norms = watched.gradient_norms[recorded]
        seen.append(
            Patient(
                net,
                norms[0].tolist(),
                norms[-1].tolist(),
                float(np.linalg.norm(change)),
                float(np.abs(change).mean()),
                float(np.linalg.norm(change) / np.linalg.norm(watched.before)),
                float(watched.saturated[recorded][-1].mean()),
                float(watched.dead[recorded][-1].mean()),
            )
        )
    return seen


def describe(lab: Lab) -> Section | None:
    seen = findings(lab)
    if not seen:
        return None
    net = seen[0].net
    course = table(
        ["patient", "epoch", "train loss", "train accuracy", "test loss", "test accuracy"],
        [
            [_name(patient.net) if epoch == 0 else "", epoch + 1, *row]
            for patient in seen
            for epoch, row in enumerate(_rows(lab, patient.net))
        ],
    )
    inside = table(
        ["", *(_name(p.net) for p in seen)],
        [
            ["gradient norm, first layer", *(f"{p.first_gradient[0]:.2g}" for p in seen)],
            ["gradient norm, last layer", *(f"{p.first_gradient[-1]:.2g}" for p in seen)],
            ["ratio of the two", *(f"{p.gradient_ratio:.2g}" for p in seen)],
            ["first layer's change, norm", *(f"{p.change_norm:.3g}" for p in seen)],
            ["mean absolute change", *(f"{p.change_mean:.2g}" for p in seen)],
            ["norm of change / of weights", *(f"{p.change_relative:.2g}" for p in seen)],
            ["flat hidden outputs", *(f"{p.saturated:.0%}" for p in seen)],
            ["flat hidden units", *(f"{p.dead:.0%}" for p in seen)],
        ],
    )
    text = (
        f"One net per activation, at the depth at which the course report says that it fails: "
        f"{net.width} units a layer, batches of {net.batch_size}, plain SGD at a learning rate "
        f"of {net.learning_rate:g}, {net.epochs} epochs, weights and biases uniform in "
        f"±1/√fan_in. Depth counts the hidden layers. A net that knows nothing but how frequent "
        f"the classes are has a test loss of {lab.entropy:.4f} and an accuracy of at most "
        f"{lab.chance:.2f}.\n\n{course}\n\n"
        "Inside: gradient norms (of a layer's weights and biases together) at the first step; "
        "how far training moved the first layer's matrix from where it began; and at the end "
        "the share of hidden outputs on a flat piece of their activation (slope below 0.01), "
        f"and of units that are flat for a whole batch.\n\n{inside}"
    )
    figures = [
        Figure(
            "patients_curves",
            "Loss and accuracy of the patients, epoch by epoch; the dotted line is chance.",
            lambda: draw_curves(lab),
        ),
        Figure(
            "patients_gradients",
            "Gradient norm of each layer of the patients, from the input (left) to the output.",
            lambda: draw_gradients(lab),
        ),
        Figure(
            "patients_first_layer",
            "What training added to the weights of the first layer's units, as images.",
            lambda: draw_first_layer(lab),
        ),
    ]
    return Section("The three patients", text, figures)


def results(lab: Lab) -> list[dict[str, object]]:
    """Return the numbers, for results.json."""
    return [
        {
            "activation": p.net.activation,
            "depth": p.net.depth,
            "stuck": lab.is_stuck(p.net),
            "gradient_norms_first_step": p.first_gradient,
            "gradient_norms_last_recorded_step": p.last_gradient,
            "first_layer_change_norm": p.change_norm,
            "first_layer_change_mean_absolute": p.change_mean,
            "first_layer_change_relative": p.change_relative,
            "saturated": p.saturated,
            "dead": p.dead,
        }
        for p in findings(lab)
    ]


def arrays(lab: Lab) -> dict[str, np.ndarray]:
    """Return the first layers' weight changes (inputs, width), by activation."""
    return {
        p.net.activation: lab.observations[p.net].after - lab.observations[p.net].before
        for p in findings(lab)
    }


def _name(net: Net) -> str:
    return f"{style.NAMES[net.activation]}, {net.depth} layers"


def _rows(lab: Lab, net: Net) -> list[list[str]]:
    figures = lab.outcomes[net].figures
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    return [
        [f"{value:.4f}" for value in row] for row in zip(*(figures[n] for n in names), strict=True)
    ]


def draw_curves(lab: Lab) -> Drawing:
    seen = [net for net in nets(lab) if net in lab.outcomes]
    figure, axes = style.subplots(2, len(seen), 3.2 * len(seen), 5.4, sharex=True, sharey="row")
    for column, net in enumerate(seen):
        figures = lab.outcomes[net].figures
        epochs = range(1, len(figures["loss"]) + 1)
        for row, (name, chance) in enumerate((("loss", lab.entropy), ("accuracy", lab.chance))):
            axis = axes[row][column]
            axis.axhline(chance, color=style.GREY, linestyle=":", label="chance")
            axis.plot(epochs, figures[name], "o-", color=style.BLUE, label="train")
            axis.plot(epochs, figures[f"val_{name}"], "s--", color=style.ORANGE, label="test")
            style.integers_only(axis, epochs)
        axes[0][column].set_title(_name(net))
        axes[1][column].set_xlabel("epoch")
    axes[0][0].set_ylabel("loss (nats)")
    axes[1][0].set_ylabel("accuracy")
    axes[1][0].set_ylim(0, 1)
    axes[0][0].set_ylim(0, 1.15 * max(lab.entropy, axes[0][0].get_ylim()[1]))
    axes[0][-1].legend(loc="lower right")
    return figure


def draw_gradients(lab: Lab) -> Drawing:
    seen = [net for net in nets(lab) if net in lab.observations]
    figure, axes = style.subplots(1, len(seen), 3.4 * len(seen), 3.4, sharey=True)
    for axis, net in zip(axes[0], seen, strict=True):
        watched = lab.observations[net]
        epochs = len(lab.outcomes[net].figures["loss"])
        by_epoch = np.array_split(watched.gradient_norms, epochs)
        places = range(1, len(watched.layers) + 1)
        axis.plot(places, watched.gradient_norms[0], "o-", color=style.BLUE, label="first step")
        axis.plot(
            places, np.nanmedian(by_epoch[0], axis=0), "s--", color=style.ORANGE,
            label="epoch 1, median",
        )  # fmt: skip
        axis.plot(
            places, np.nanmedian(by_epoch[-1], axis=0), "^-.", color=style.GREEN,
            label=f"epoch {epochs}, median",
        )  # fmt: skip
        axis.set_yscale("log")
        axis.set_title(_name(net))
        axis.set_xlabel("layer, from the input")
        axis.set_xticks([1, *range(5, len(places), 5), len(places)])
    axes[0][0].set_ylabel("gradient norm")
    axes[0][-1].legend(loc="best")
    return figure


def draw_first_layer(lab: Lab) -> Drawing:
    seen = [net for net in nets(lab) if net in lab.observations]
    shape = lab.dataset.input_shape
    width = max(net.width for net in seen)
    figure, axes = style.subplots(len(seen), width, 1.05 * width, 1.2 * len(seen) + 0.2)
    for row, net in zip(axes, seen, strict=True):
        watched = lab.observations[net]
        change = watched.after - watched.before
        limit = float(np.abs(change).max()) or 1.0
        for unit, axis in enumerate(row):
            image = axis.imshow(
                change[:, unit].reshape(shape), cmap="RdBu_r", vmin=-limit, vmax=limit
            )
            axis.set_xticks([])
            axis.set_yticks([])
            axis.grid(False)
            for spine in axis.spines.values():
                spine.set_visible(False)
        row[0].set_ylabel(f"{style.NAMES[net.activation]}\n{net.depth} layers")
        figure.colorbar(image, ax=row, fraction=0.05, pad=0.01)
    for unit, axis in enumerate(axes[0]):
        axis.set_title(f"unit {unit + 1}", fontsize=9)
    return figure
