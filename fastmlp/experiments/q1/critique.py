"""The critique: what the numbers say about the report's claims, and where they cannot tell."""

from collections.abc import Sequence

import numpy as np

from ..course import NEVER
from ..lab import Lab
from ..report import Section, Statement, count, listing, table
from ..style import NAMES
from . import claims, cures, depth_map, patients

ALIKE = 10  # weight changes that differ by no more than this factor


def train(lab: Lab) -> None:
    """Nothing: the other parts have trained what this one talks about."""


def statements(lab: Lab) -> list[Statement]:
    if not depth_map.trained(lab):
        return []
    found = [
        _comparable(lab),
        *(_depth(lab, name) for name in depth_map.trained(lab) if name in claims.DEPTHS),
        _accuracies(lab),
        *(_changes(lab, patient) for patient in patients.findings(lab)),
        *_proposals(lab),
        *_open(),
    ]
    return [statement for statement in found if statement is not None]


def describe(lab: Lab) -> Section | None:
    said = statements(lab)
    text = "\n\n".join(f"{n}. {statement.text}" for n, statement in enumerate(said, 1))
    return Section("The critique", f"{_beside(said)}\n\n{text}", statements=said) if said else None


def _beside(said: Sequence[Statement]) -> str:
    """Return the report's claims beside what was measured, as a table."""
    rows: list[list[object]] = []
    for statement in said:
        q = statement.quantities
        if statement.kind == "report's depth":
            claim = f"{NAMES[q['activation']]} vanishes with {count(q['depth'], 'hidden layer')}"
            never, failed = (f"{hits} of {of}" for hits, of in (q["never"], q["failed"]))
            rows.append([claim, f"{never} never learn, {failed} fail", q["verdict"]])
        elif statement.kind == "report's accuracies":
            claim = (
                f"stuck nets have accuracies of {claims.ACCURACIES[0]} to {claims.ACCURACIES[1]}"
            )
            here = (
                f"median {q['accuracy']:.4f} of {count(q['stuck'], 'net')}" if q["stuck"] else "-"
            )
            rows.append([claim, here, f"{q['factor']:.0f} times too small"])
        elif statement.kind == "report's weight change":
            claim = f"{NAMES[q['activation']]}: the first layer changes by {q['printed']:g}"
            rows.append([claim, f"median {q['median']:.1e}", q["verdict"]])
        elif statement.kind == "report's cure":
            for activation, name, learned, tried, verdict in q["trials"]:
                claim = f"{q['proposal']} cures {NAMES[activation]} ({name})"
                rows.append([claim, f"{learned} of {tried} learn", verdict])
    return table(["the report's claim", "here", "verdict"], rows, 3)


def results(lab: Lab) -> dict[str, object]:
    return {"differences_from_the_report": claims.differences(lab)}


def _comparable(lab: Lab) -> Statement:
    found = claims.differences(lab)
    text = (
        "**This run's nets are not the report's:** "
        f"{'; '.join(found)}. What it says holds for its own nets; verdicts on the report's depths "
        "need a run without these differences."
        if found
        else "**This run's nets are the report's, as far as it tells what they were:** width, "
        "batch size, learning rate, epochs and plain SGD are its own; the data set "
        f"({claims.DATASET}) and the initialization are assumptions."
    )
    return Statement("comparable", text, {"differences": found})


def _depth(lab: Lab, activation: str) -> Statement | None:
    depth = claims.DEPTHS[activation]
    cell = depth_map.of(lab, activation).get(depth)
    name = NAMES[activation]
    if cell is None:
        return None
    differs = bool(claims.differences(lab))
    never, failed = cell.never, cell.failed
    if differs:
        verdict = "not comparable"
    elif never.side > 0:
        verdict = "confirmed"
    elif failed.side > 0:
        verdict = "it fails, but most do not vanish" if never.side < 0 else "it fails; how is open"
    elif failed.side < 0:
        verdict = "not confirmed"
    else:
        verdict = f"undecided with {failed.total} {'seed' if failed.total == 1 else 'seeds'}"
    text = (
        f"**{name} with {depth} hidden layers, which the report has vanish: {verdict}.** Here "
        f"{never} never learn, and {failed} fail in the end, within {claims.steps(lab):,} steps. "
        "The report shows one net, and claims no smallest depth. (Figure depth_map.)"
    )
    quantities = {
        "activation": activation, "depth": depth, "comparable": not differs, "verdict": verdict,
        "never": [never.count, never.total], "failed": [failed.count, failed.total],
    }  # fmt: skip
    return Statement("report's depth", text, quantities)


def _accuracies(lab: Lab) -> Statement:
    """Compare the reported accuracies with those of nets that never learned."""
    stuck = [
        net
        for name in depth_map.trained(lab)
        for cell in depth_map.of(lab, name).values()
        for net in cell.nets
        if lab.course(net) == NEVER and not lab.outcomes[net].divergence
    ]
    chance, reported = 1 / claims.CLASSES, float(np.mean(claims.ACCURACIES))
    text = (
        f"**The reported accuracies are {chance / reported:.0f} times too small.** The losses "
        f"({claims.LOSSES[0]} to {claims.LOSSES[1]}) are those of nets that know nothing of "
        f"{claims.CLASSES} classes (ln {claims.CLASSES} = {np.log(claims.CLASSES):.4f}); such nets "
        f"are right in {chance:.0%} of the cases, and the report prints {claims.ACCURACIES[0]} to "
        f"{claims.ACCURACIES[1]}. A cause that would give just that (proposed, not known): the "
        "hits are divided by the number of entries of the one-hot labels, samples × "
        f"{claims.CLASSES}, instead of by the number of samples."
    )
    quantities: dict[str, object] = {"stuck": len(stuck), "factor": chance / reported}
    if stuck:
        accuracy = float(np.median([lab.outcomes[net].final("val_accuracy") for net in stuck]))
        loss = float(np.median([lab.outcomes[net].of_data("val_loss")[-1] for net in stuck]))
        quantities |= {"accuracy": accuracy, "loss": loss}
        text += (
            f" Here {count(len(stuck), 'net')} never learned (and stayed finite): median test loss "
            f"{loss:.4f}, accuracy {accuracy:.4f}."
        )
    else:
        text += " No net of this run's map that stayed finite never learned, to compare with."
    return Statement("report's accuracies", text, quantities)


def _changes(lab: Lab, patient: patients.Patient) -> Statement | None:
    """Compare a printed entry of the first layer's weight change with the measured ones."""
    activation = patient.net.activation
    printed = claims.CHANGES.get(activation)
    if printed is None or patient.net.depth != claims.DEPTHS[activation]:
        return None
    watched = lab.observations[patient.net]
    change = np.abs(watched.after.astype(np.float64) - watched.before)
    change = change[np.isfinite(change).all(axis=1)]
    if not change.size:
        return None
    corners = np.concatenate([change[:3], change[-3:]]).ravel()
    below = float((change < printed).mean())
    differs = bool(claims.differences(lab))
    median, at_border = float(np.median(change)), float(np.median(corners))
    size = (
        "not comparable"
        if differs
        else "like the measured ones"
        if _alike(printed, median)
        else "like those measured at the picture's border"
        if _alike(printed, at_border)
        else "not like the measured ones"
    )
    course = lab.course(patient.net)
    text = (
        f"**{NAMES[activation]}, printed weight change {printed:g}: {size}.** {below:.0%} of the "
        f"measured absolute changes of the first layer (seed 0, here: {course}) are smaller; "
        f"their median is {median:.1e}, and {at_border:.1e} over the first and last three pixels, "
        f"which are what a shortened print of the matrix shows. (Alike is within a factor of "
        f"{ALIKE} of a median. Which printed entry is of which net is our reading: in the order of "
        "the nets.)"
    )
    quantities = {
        "activation": activation, "printed": printed, "comparable": not differs,
        "verdict": size, "share_below": below, "course": course,
        "median": median, "median_corners": at_border,
    }  # fmt: skip
    return Statement("report's weight change", text, quantities)


def _alike(printed: float, measured: float) -> bool:
    return measured / ALIKE <= printed <= measured * ALIKE


def _proposals(lab: Lab) -> list[Statement]:
    """Judge the cures that the report suggests."""
    tried = {
        (case.activation, trial.name): trial
        for case in cures.cases(lab)
        for trial in cures.trials(lab, case)
    }
    found = []
    for proposal, names in claims.CURES.items():
        trials = [
            (activation, tried[activation, name])
            for activation in depth_map.trained(lab)
            for name in names
            if (activation, name) in tried
        ]
        if not trials:
            continue
        words = [
            f"{NAMES[a]} with {t.name}: {t.learned.count} of {t.learned.total} ({t.verdict})"
            for a, t in trials
        ]
        text = (
            f"**The report's cure, {proposal}:** {'; '.join(words)}. With a new seed alone: "
            + listing([
                f"{NAMES[a]} {c.count} of {c.total}"
                for a, c in {a: t.control for a, t in trials}.items()
            ])
            + ". (Figure cures.)"
        )  # fmt: skip
        quantities = {
            "proposal": proposal,
            "trials": [[a, t.name, t.learned.count, t.learned.total, t.verdict] for a, t in trials],
        }
        found.append(Statement("report's cure", text, quantities))
    return found


def _open() -> list[Statement]:
    """Say what no number of this run decides."""
    return [
        Statement(
            "derivative of ReLU",
            "**The derivative of ReLU.** It is 1 above 0, 0 below, and does not exist at 0, where "
            "programs take 0; the report's differs from that. If autograd made the gradients, its "
            "formula was never run; if it was run, the gradient check must fail (question 2).",
        ),
        Statement(
            "left open",
            "**Left open by the report, and what is assumed here:** the data set (Fashion-MNIST), "
            "the scaling of its pixels (to [0, 1]), the initialization (uniform in ±1/√fan_in, "
            'weights and biases), the seed (several), and whether "hidden layer: 10" means ten '
            "units a layer (taken so) or ten layers.",
        ),
    ]
