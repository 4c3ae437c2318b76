"""The three patients: one net per activation, at the depth where it was reported to fail."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import NullLocator

from .. import style
from ..lab import Lab
from ..nets import Net
from ..report import Figure, Section, Statement, count, table
from . import claims, gradients


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
        last = self.first_gradient[-1]
        return self.first_gradient[0] / last if last else np.nan


def nets(lab: Lab) -> list[Net]:
    settings = lab.settings
    return [
        claims.net(settings, name, claims.depth(settings, name))
        for name in claims.activations(settings)
    ]


def train(lab: Lab) -> None:
    lab.observe(nets(lab))


def findings(lab: Lab) -> list[Patient]:
    """Return what was seen in the patients that have been trained."""
    seen = []
    for net in nets(lab):
        if net not in lab.observations:
            continue
        watched = lab.observations[net]
        with np.errstate(all="ignore"):  # a net that diverged may have no finite weights left
            change = watched.after.astype(np.float64) - watched.before
        recorded = np.isfinite(watched.gradient_norms).all(axis=1)
        if not recorded.any():  # it came apart at its first step
            continue
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
    own = all(claims.DEPTHS.get(p.net.activation) == p.net.depth for p in seen)
    where = ", at the depth at which the course report says that it fails" if own else ""
    said = statements(lab)
    listed = "\n".join(f"- {statement.text}" for statement in said)
    text = (
        f"One net per activation{where}: "
        f"{count(net.width, 'unit')} a layer, batches of {net.batch_size}, SGD at a learning rate "
        f"of {net.learning_rate:g}, {count(net.epochs, 'epoch')}, initialization "
        f"{net.initializer}. {'Losses are without the penalty. ' if net.l1 or net.l2 else ''}"
        "Depth counts the hidden layers. A net that knows nothing but how frequent "
        f"the classes are has a test loss of {lab.entropy:.4f} and an accuracy of at most "
        f"{lab.chance:.2f}.\n\n{_courses(lab, seen)}\n\n"
        "Inside: gradient norms (of a layer's weights and biases together) at the first step; "
        "how far training moved the first layer's matrix from where it began; and at the end "
        "the share of hidden outputs on a flat piece of their activation (slope below 0.01), "
        f"and of units that are flat for a whole batch. (Half of ReLU's outputs are flat in a "
        "healthy net, too: the share alone is no sign of illness.) One net is one case: the map "
        "has the shares.\n\n"
        f"{_insides(seen)}\n\n{listed}"
    )
    figures = [
        Figure(
            "patients_curves",
            "Loss and accuracy of the patients, epoch by epoch; the dotted line is chance.",
            lambda: draw_curves(lab),
        ),
        Figure(
            "patients_gradients",
            "Gradient norm of each layer of the patients, from the input (left) to the output "
            "layer (out); a layer whose gradient is 0 is marked at the lower edge.",
            lambda: draw_gradients(lab),
        ),
        Figure(
            "patients_first_layer",
            "What training added to the weights of the first layer's units, as images; one "
            "colour scale for all, so that a net that did not learn is pale.",
            lambda: draw_first_layer(lab),
        ),
    ]
    return Section("The patients", text, figures, said)


def _courses(lab: Lab, seen: list[Patient]) -> str:
    """Return the table of the patients' epochs."""
    return table(
        ["patient", "epoch", "train loss", "train accuracy", "test loss", "test accuracy"],
        [
            [_name(patient.net) if epoch == 0 else "", epoch + 1, *row]
            for patient in seen
            for epoch, row in enumerate(_rows(lab, patient.net))
        ],
    )


def _insides(seen: list[Patient]) -> str:
    """Return the table of what their gradients, changes and units are."""
    return table(
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


def statements(lab: Lab) -> list[Statement]:
    found = []
    for p in findings(lab):
        course = lab.course(p.net)
        text = (
            f"**{_name(p.net)}: {course}.** At the first step the first layer's gradient norm is "
            f"{p.gradient_ratio:.2g} times the output layer's; training changed the first layer's "
            f"weights by {p.change_relative:.2g} times their norm (mean absolute change "
            f"{p.change_mean:.2g})."
        )
        quantities = {
            "activation": p.net.activation, "depth": p.net.depth, "course": course,
            "gradient_ratio": p.gradient_ratio, "change_relative": p.change_relative,
            "change_mean": p.change_mean,
        }  # fmt: skip
        found.append(Statement("patient", text, quantities))
    return found


def results(lab: Lab) -> list[dict[str, object]]:
    """Return the numbers, for results.json."""
    return [
        {
            "activation": p.net.activation,
            "depth": p.net.depth,
            "course": lab.course(p.net),
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
    return f"{style.NAMES[net.activation]}, {count(net.depth, 'layer')}"


def _rows(lab: Lab, net: Net) -> list[list[str]]:
    of_data = lab.outcomes[net].of_data
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    return [[f"{value:.4f}" for value in row] for row in zip(*map(of_data, names), strict=True)]


def draw_curves(lab: Lab) -> Drawing:
    seen = [net for net in nets(lab) if net in lab.outcomes]
    figure, axes = style.subplots(2, len(seen), 3.2 * len(seen), 5.4, sharex=True, sharey="row")
    for column, net in enumerate(seen):
        of_data = lab.outcomes[net].of_data
        epochs = range(1, len(of_data("loss")) + 1)
        for row, (name, chance) in enumerate((("loss", lab.entropy), ("accuracy", lab.chance))):
            axis = axes[row][column]
            axis.axhline(chance, color=style.GREY, linestyle=":", label="chance")
            axis.plot(epochs, of_data(name), "o-", color=style.BLUE, label="train")
            axis.plot(epochs, of_data(f"val_{name}"), "s--", color=style.ORANGE, label="test")
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
    seen = [p.net for p in findings(lab)]
    figure, axes = style.subplots(
        1, len(seen), max(4.5, 3.4 * len(seen)), 3.7, sharey=True
    )  # fmt: skip
    values = [lab.observations[net].gradient_norms for net in seen]
    finite = np.concatenate([v[np.isfinite(v) & (v > 0)] for v in values])
    edge = float(finite.min()) / 3 if finite.size else 1e-3
    for axis, net in zip(axes[0], seen, strict=True):
        watched = lab.observations[net]
        looks = (("o-", style.BLUE), ("s--", style.ORANGE), ("^-.", style.GREEN))
        places = np.arange(1, len(watched.layers) + 1)
        moments = gradients.moments(lab, net)
        chosen = [moments[0], *moments[1:2], *(moments[-1:] if moments[2:] else [])]
        for (label, norm), (line, colour) in zip(chosen, looks, strict=False):
            shown = np.where(norm > 0, norm, np.nan)
            axis.plot(places, shown, line, color=colour, markersize=5, label=label)
            axis.plot(places[norm == 0], np.full((norm == 0).sum(), edge), "v", color=colour)
        axis.axvspan(len(places) - 0.4, len(places) + 0.4, color=style.LIGHT, alpha=0.6, zorder=0)
        axis.set_yscale("log")
        axis.yaxis.set_minor_locator(NullLocator())
        axis.set_title(_name(net))
        axis.set_xlabel("layer")
        inner = range(1, len(places), 1 if len(places) < 12 else 3)
        ticks = [place for place in inner if len(places) < 12 or place < len(places) - 1]
        axis.set_xticks([*ticks, len(places)], [*map(str, ticks), "out"])
    axes[0][0].set_ylabel("gradient norm")
    style.legend_below(figure, [axes[0][0]])
    return figure


def draw_first_layer(lab: Lab) -> Drawing:
    seen = [p.net for p in findings(lab)]
    height, width = _image_shape(lab)
    units = min(10, max(net.width for net in seen))
    changes = [lab.observations[net].after - lab.observations[net].before for net in seen]
    finite = [np.abs(change[np.isfinite(change)]) for change in changes]
    limit = max((float(np.quantile(f, 0.999)) for f in finite if f.size), default=0.0) or 1.0
    # One picture of all images, with gaps: axes for each would take seconds.
    tall, wide = height + max(2, height // 5), width + max(1, width // 10)
    mosaic = np.full((tall * len(seen), wide * units), np.nan, np.float32)
    for row, change in enumerate(changes):
        for unit in range(min(change.shape[1], units)):
            place = np.s_[row * tall : row * tall + height, unit * wide : unit * wide + width]
            mosaic[place] = change[:, unit].reshape(height, width)
    figure, ((axis,),), bar = style.subplots_and_bar(
        1, 1, 1.0 * units + 2.6, (1.0 * units * mosaic.shape[0] / mosaic.shape[1]) + 0.35
    )
    image = axis.imshow(
        mosaic, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest"
    )
    names = [
        f"{_name(net)}\nlargest {np.abs(change).max():.1g}"
        for net, change in zip(seen, changes, strict=True)
    ]
    axis.set_yticks([row * tall + height / 2 for row in range(len(seen))], names, fontsize=9)
    places = [unit * wide + width / 2 for unit in range(units)]
    axis.set_xticks(places, [f"unit {unit + 1}" for unit in range(units)], fontsize=9)
    axis.tick_params(length=0, labeltop=True, labelbottom=False)
    axis.grid(False)
    axis.spines[:].set_visible(False)
    figure.colorbar(image, cax=bar, label="change of a weight")
    return figure


def _image_shape(lab: Lab) -> tuple[int, int]:
    """Return the samples' height and width: what is no image is a row."""
    shape = lab.dataset.input_shape
    return (shape[0], int(np.prod(shape[1:]))) if len(shape) > 1 else (1, shape[0])
