"""The critique: what the numbers say about the report's claims, in words chosen by the numbers."""

import numpy as np

from ..lab import Lab
from ..report import Section, count, listing
from ..style import NAMES
from . import claims, cures, depth_map, patients

VANISHED = 0.01  # of the last layer's gradient norm, at the first
MOST = 0.5
FLAT = 0.9


def train(lab: Lab) -> None:
    """Nothing: the other parts have trained what this one talks about."""


def describe(lab: Lab) -> Section | None:
    paragraphs = [
        *(_depth(border) for border in depth_map.borders(lab)),
        *_accuracies(lab),
        *(_cause(lab, patient) for patient in patients.findings(lab)),
        *(_cure(lab, case) for case in cures.cases(lab) if cures.trials(lab, case)),
        *_proposals(lab),
    ]
    text = "\n\n".join(f"{n}. {paragraph}" for n, paragraph in enumerate(paragraphs, 1))
    return Section("The critique", text) if paragraphs else None


def results(lab: Lab) -> str:
    section = describe(lab)
    return section.text if section else ""


def _depth(border: depth_map.Border) -> str:
    name, claim = NAMES[border.activation], claims.DEPTHS[border.activation]
    deepest = max(border.trained)
    if claim not in border.trained:
        there = f"None of that depth was trained (the map ends at {deepest})"
    else:
        stuck, trained = border.stuck[claim], border.trained[claim]
        there = (
            f"Here {stuck} of {trained} nets of that depth are stuck, and their mean test "
            f"accuracy is {border.accuracy[claim]:.2f}"
        )
    if border.onset is None:
        verdict = f"{name} does not stop learning at any depth up to {deepest}."
        judgement = "not confirmed" if claim in border.trained else "not tested"
    else:
        share = f"{border.stuck[border.onset]} of {border.trained[border.onset]}"
        verdict = f"The depth at which it stops is {border.onset} ({share} stuck)."
        if border.onset == claim:
            judgement = "confirmed"
        elif border.onset < claim:
            judgement = "too deep: it stops earlier"
        else:
            judgement = "too shallow: it stops later"
    return (
        f"**{name} at {claim} layers: {judgement}.** The report has it vanish there. {there}. "
        f"{verdict} (Figure depth_map.)"
    )


def _accuracies(lab: Lab) -> list[str]:
    """Compare the reported accuracies with those of nets that are stuck, as its losses say."""
    stuck = [
        net for net, outcome in lab.outcomes.items()
        if lab.is_stuck(net) and not outcome.divergence
    ]  # fmt: skip
    if not stuck:
        return [
            "**Accuracies: nothing to compare.** No net of this run is stuck, so none can be "
            "held against the reported accuracies of 0.0099 to 0.0101. (Figure patients_curves.)"
        ]
    train = float(np.median([lab.outcomes[net].final("accuracy") for net in stuck]))
    loss = float(np.median([lab.outcomes[net].final("loss") for net in stuck]))
    low, high = claims.LOSSES
    reported = float(np.mean(claims.ACCURACIES))
    same_task = low - 0.01 <= loss <= high + 0.01
    chance = 1 / claims.CLASSES
    return [
        "**Accuracies: the reported ones are "
        + (f"{chance / reported:.0f} times too small" if chance > 2 * reported else "plausible")
        + f".** The report's losses, {low} to {high}, are those of a net that knows nothing of "
        f"{claims.CLASSES} classes (ln {claims.CLASSES} = {np.log(claims.CLASSES):.4f}), and such "
        f"a net is right in {chance:.0%} of the cases; the report prints "
        f"{claims.ACCURACIES[0]} to {claims.ACCURACIES[1]}. The "
        f"{count(len(stuck), 'stuck net')} of this run "
        + ("have" if len(stuck) > 1 else "has")
        + f" a median train loss of {loss:.4f} "
        + ("and" if same_task else "(another task than the report's) and")
        + f" accuracy of {train:.4f}. (Figure patients_curves.)"
    ]


def _cause(lab: Lab, patient: patients.Patient) -> str:
    net = patient.net
    name = f"{NAMES[net.activation]} with {net.depth} layers"
    ratio, factor = patient.gradient_ratio, patient.factor_per_layer
    per_layer = (
        f", by a factor of {1 / factor:.1f} a layer" if np.isfinite(factor) and factor < 1 else ""
    )
    vanished = ratio < VANISHED
    gradient = (
        f"At the first step the gradient of the first layer is {ratio:.2g} times that of the "
        f"last: it {'vanishes' if vanished else 'does not vanish'} on its way down"
        + (per_layer if vanished else "")
    )
    moved = (
        f"Training moved the first layer's weights by {patient.change_relative:.2g} times their "
        f"norm (mean absolute change {patient.change_mean:.2g})"
    )
    flat = []
    if patient.dead > MOST:
        flat.append(f"{patient.dead:.0%} of the hidden units are dead on a whole batch")
    elif patient.saturated > MOST:
        flat.append(f"{patient.saturated:.0%} of the hidden outputs are saturated")
    state = f" At the end {flat[0]}." if flat else ""
    if not lab.is_stuck(net):
        accuracy = lab.test_accuracy(net)
        title = f"{name} learns, in spite of its gradient" if vanished else f"{name} learns"
        return (
            f"**{title}: test accuracy {accuracy:.2f}.** {gradient}. {moved}.{state} "
            "(Figures patients_gradients, patients_first_layer.)"
        )
    causes = ["a vanishing gradient"] if vanished else []
    if patient.dead > MOST:
        causes.append("units that died")
    elif patient.saturated > MOST:
        causes.append("saturation")
    cause = listing(causes) if causes else "neither a vanishing gradient nor flat units"
    course = lab.outcomes[net].figures["val_accuracy"]
    best = int(np.nanargmax(course))
    lost = (
        f" It had learned, to a test accuracy of {course[best]:.2f} after epoch {best + 1}, and "
        "lost it again."
        if course[best] > 2 * lab.chance
        else ""
    )
    return (
        f"**{name} is stuck: {cause}.** {gradient}. {moved}.{state}{lost} "
        "(Figures patients_gradients, patients_first_layer.)"
    )


def _cure(lab: Lab, case: cures.Case) -> str:
    tried = cures.trials(lab, case)
    by_verdict: dict[str, list[str]] = {"works": [], "sometimes": [], "does not": []}
    for trial in tried:
        by_verdict[trial.verdict].append(f"{trial.cure.name} ({trial.learned}/{trial.tried})")
    works, sometimes, fails = by_verdict.values()
    best = max(tried, key=lambda trial: trial.accuracy)
    sentences = [
        f"Works: {listing(works)}." if works else "None of the cures works reliably.",
        f"Works sometimes: {listing(sometimes)}." if sometimes else "",
        f"Does not work: {listing(fails)}." if fails else "",
        f"The best mean test accuracy, {best.accuracy:.2f}, is from {best.cure.name}.",
        _matched(case, tried),
    ]
    return (
        f"**Cures for {NAMES[case.activation]} with {case.depth} layers: "
        f"{len(works)} of {len(tried)} work.** "
        + " ".join(filter(None, sentences))
        + " (Figure cures.)"
    )


def _matched(case: cures.Case, tried: list[cures.Trial]) -> str:
    """Say whether the initialization that theory has for the activation is the one that helps."""
    theory = cures.INITIALIZATIONS[cures.MATCHED[case.activation]]
    shares = {t.cure.name: t.learned / t.tried for t in tried if t.cure.kind == "initialization"}
    if theory not in shares:
        return ""
    best = max(shares.values())
    if best == 0:
        return f"No initialization alone helps, not even the matched one ({theory})."
    if shares[theory] == best:
        return f"No initialization does better than the matched one ({theory})."
    better = [name for name, share in shares.items() if share == best]
    verb = "is" if len(better) == 1 else "are"
    return f"The matched initialization ({theory}) is not the best one: {listing(better)} {verb}."


def _proposals(lab: Lab) -> list[str]:
    """Judge the cures that the report suggests."""
    tried = {
        (case.activation, trial.cure.name): trial
        for case in cures.cases(lab)
        for trial in cures.trials(lab, case)
    }
    judged = []
    for proposal, names in claims.CURES.items():
        words = []
        for activation in claims.DEPTHS:
            found = [tried[activation, name] for name in names if (activation, name) in tried]
            if found:
                best = max(found, key=lambda trial: trial.learned / trial.tried)
                words.append(f"{NAMES[activation]} {best.learned} of {best.tried}")
        if words:
            judged.append(f"{proposal}: {', '.join(words)}")
    if not judged:
        return []
    return [
        "**The cures that the report suggests, and the failed nets that they make learn.** "
        + "; ".join(judged)
        + ". (Figure cures.)"
    ]
