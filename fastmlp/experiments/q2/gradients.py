"""The gradient check of each of the four models, and what the report's reading of it means."""

from dataclasses import asdict

from ...gradcheck import GradientReport
from ..lab import Lab
from ..report import Section, Statement, listing, table
from . import claims, models, readings
from .claims import Claim

SAMPLES = 32


def train(lab: Lab) -> None:
    with lab.console.status("Checking the gradients"):
        for claim in claims.MODELS:
            lab.check_gradients(claims.net(lab, claim), SAMPLES)
        lab.notes["readings"] = readings.measure(lab)


def findings(lab: Lab) -> list[tuple[Claim, GradientReport | None]]:
    """Return the checks done so far; None where training left no finite weights to check."""
    checks = lab.gradient_checks
    nets = [(claim, claims.net(lab, claim)) for claim in claims.MODELS]
    return [(claim, checks[net]) for claim, net in nets if net in checks]


def describe(lab: Lab) -> Section | None:
    found = findings(lab)
    if not found:
        return None
    columns = [
        "model", "‖a - n‖ / (‖a‖ + ‖n‖)", "worst tensor", "checked", "kinks", "verdict",
    ]  # fmt: skip
    said = [verdict(lab)]
    parts = [
        f"After one epoch, on {min(SAMPLES, len(lab.dataset.train[0]))} samples, in float64: the "
        "analytic gradient a of every parameter against n, from central differences of the loss, "
        "penalties included and the dropout mask held. Parameters at a kink, where a unit's input "
        "or an L1-penalized weight is 0, are judged apart, by the slopes on both sides.",
        table(columns, [_row(claim, report) for claim, report in found]),
        said[0].text,
    ]
    made = lab.notes.get("readings")
    if made is not None:
        more = readings.statements(made)
        said += more
        parts += [
            f"### The report's reading: {readings.REPORTED}",
            "The same check, made rightly and wrongly, on the unregularized net as it is "
            f"initialized (seed 0, {min(SAMPLES, len(lab.dataset.train[0]))} samples; in float32, "
            "the net computes in it, and the losses J are rounded to it):",
            *([readings.text(made)] if made else []),
            *(statement.text for statement in more),
            suspect(lab).text,
        ]
        said.append(suspect(lab))
    return Section("The gradient check", "\n\n".join(parts), statements=said)


def verdict(lab: Lab) -> Statement:
    """Say of which models the gradient was shown to be right, or wrong, or neither."""
    groups: dict[str, list[str]] = {"passed": [], "failed": [], "cannot tell": []}
    for claim, report in findings(lab):
        groups[str(report.verdict) if report else "cannot tell"].append(claim.spoken)
    words = {"passed": "right", "failed": "wrong", "cannot tell": "not judged"}
    parts = [
        f"the gradient is {word}{reason} for {listing(groups[key])}"
        for key, word in words.items()
        if groups[key]
        for reason in [
            " (weights or losses are not finite, or rounding hides it)"
            if key == "cannot tell"
            else ""
        ]
    ]
    text = f"By this check, {'; '.join(parts)}."
    return Statement("gradients", text, groups)


def suspect(lab: Lab) -> Statement:
    """Say where to look: the nets learn, so a gradient that is made for them is hardly 0."""
    found = models.findings(lab, subset=False)
    learned, nets = sum(f.learned for f in found), sum(len(f.ends) for f in found)
    text = (
        "The report's own nets learned (train accuracies of "
        f"{min(c.train_accuracy for c in claims.MODELS):.2f} and more where chance is 0.10). If "
        "their gradients came from automatic differentiation, as in any framework, then what the "
        "optimizer followed was right or nearly so, and what is wrong is the check: its formula, "
        "its precision, or which gradient it reads. The first suspect is then the check, not the "
        "gradient."
    )
    if learned:
        text += f" (Here, {learned} of {nets} nets of the four models learned.)"
    return Statement("suspect", text, {"learned": learned, "nets": nets})


def results(lab: Lab) -> dict[str, object]:
    made = lab.notes.get("readings") or []
    return {
        "reported": readings.REPORTED,
        "readings": [{**asdict(r), "alike": r.alike} for r in made],
        "models": [
            {
                "model": claim.name,
                "verdict": str(report.verdict) if report else "cannot tell",
                "relative_error": report.relative_error if report else None,
                "tensors": {t.name: t.relative_error for t in report.tensors} if report else {},
                "passed": bool(report and report.passed),
                "parameters": report.parameters if report else 0,
                "kinks": len(report.kinks) if report else 0,
            }
            for claim, report in findings(lab)
        ],
    }


def _row(claim: Claim, report: GradientReport | None) -> list[object]:
    if report is None:
        return [claim.name, "-", "-", "-", "-", "cannot tell: weights are not finite"]
    return [
        claim.name,
        f"{report.relative_error:.1e}",
        f"{max(tensor.relative_error for tensor in report.tensors):.1e}",
        f"{report.parameters:,}",
        len(report.kinks),
        str(report.verdict) + (f": {report.location}" if report.verdict == "failed" else ""),
    ]
