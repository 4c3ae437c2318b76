"""The gradient check of each of the four models."""

from ...gradcheck import GradientReport, explain_reading
from ..lab import Lab
from ..report import Section, table
from . import claims
from .claims import Claim

SAMPLES = 32
REPORTED = 0.9999999999998282


def train(lab: Lab) -> None:
    with lab.console.status("Checking the gradients"):
        for claim in claims.MODELS:
            lab.check_gradients(claims.net(lab.settings, claim), SAMPLES)


def findings(lab: Lab) -> list[tuple[Claim, GradientReport]]:
    """Return the checks done so far."""
    checks = lab.gradient_checks
    nets = [(claim, claims.net(lab.settings, claim)) for claim in claims.MODELS]
    return [(claim, checks[net]) for claim, net in nets if net in checks]


def describe(lab: Lab) -> Section | None:
    found = findings(lab)
    if not found:
        return None
    rows = [
        [
            claim.name,
            f"{report.relative_error:.1e}",
            f"{max(tensor.relative_error for tensor in report.tensors):.1e}",
            f"{report.parameters:,}",
            len(report.kinks),
            f"{report.seconds:.2f} s",
            "passed" if report.passed else f"failed: {report.location}",
        ]
        for claim, report in found
    ]
    columns = ["model", "‖a - n‖ / (‖a‖ + ‖n‖)", "worst tensor", "checked", "kinks", "time", ""]
    text = (
        f"After one epoch, on {SAMPLES} samples, in float64: the analytic gradient a of every "
        "parameter against n, from central differences of the loss, penalties included and the "
        "dropout mask held. Parameters at a kink, where a ReLU's input or an L1-penalized weight "
        f"is 0, are judged apart, by the slopes on both sides.\n\n{table(columns, rows)}\n\n"
        f"The report's check reads {REPORTED}, and was left there. Such a reading means: "
        f"{explain_reading(REPORTED)}."
    )
    return Section("The gradient check", text)


def results(lab: Lab) -> list[dict[str, object]]:
    return [
        {
            "model": claim.name,
            "relative_error": report.relative_error,
            "tensors": {tensor.name: tensor.relative_error for tensor in report.tensors},
            "passed": report.passed,
            "parameters": report.parameters,
            "kinks": len(report.kinks),
        }
        for claim, report in findings(lab)
    ]
