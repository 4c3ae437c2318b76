"""The report: figures that fit together, and a text that a person can read."""

import re

import numpy as np
import pytest

from fastmlp import Sequential, check_gradients, layers
from fastmlp.kernels import reference


def net():
    model = Sequential(
        [
            layers.Input((3,)),
            layers.Dense(4, "relu", name="hidden", kernel_regularizer="l1"),
            layers.Dense(2, "softmax", name="output"),
        ],
        seed=0,
        dtype="float64",
        backend="numpy",
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def batch():
    rng = np.random.default_rng(2)
    return rng.normal(size=(6, 3)), np.arange(6) % 2


def norm_ratio(a, n):
    return np.linalg.norm(a - n) / (np.linalg.norm(a) + np.linalg.norm(n))


def test_figures_of_a_net():
    model = net()
    loss, gradient = model.loss_and_gradient(*batch())
    report = check_gradients(model, *batch())
    assert report.passed
    assert report.loss == loss
    assert report.parameters == 26
    # Two steps, each up and down, for each parameter that crosses no kink.
    assert report.evaluations >= 4 * 26
    assert report.seconds > 0
    assert [layer.name for layer in report.layers] == ["hidden", "output"]
    shapes = [tensor.shape for tensor in report.tensors]
    assert shapes == [array.shape for array in gradient]
    for tensor, array in zip(report.tensors, gradient, strict=True):
        assert tensor.analytic_norm == pytest.approx(np.linalg.norm(array), rel=1e-14)
        # 4 eps |loss| / step, over gradients of 0.1 or so.
        assert tensor.numeric_norm == pytest.approx(tensor.analytic_norm, rel=1e-9)
        assert 0 < tensor.resolution < 1e-10


def test_relative_errors_are_those_of_the_course():
    """|a - n| / (|a| + |n|) in Euclidean norms; here both gradients are known."""
    x = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]])
    a = 2 * x
    a[0, 1] += 0.5
    report = check_gradients(lambda x: (x**2).sum(), a, x)
    expected = norm_ratio(a, 2 * x)
    assert report.relative_error == pytest.approx(expected, rel=1e-9)
    assert report.tensors[0].relative_error == report.layers[0].relative_error
    assert report.layers[0].relative_error == report.relative_error
    # Symmetric, and independent of a common factor.
    swapped = check_gradients(lambda x: 7 * (a * x).sum(), 14 * x, x)
    assert swapped.relative_error == pytest.approx(expected, rel=1e-9)


def test_worst_entries_come_in_order():
    x = np.arange(1.0, 9.0)
    wrong = 2 * x + np.array([0, 3, 0, -5, 0.5, 0, 4, -1])
    report = check_gradients(lambda x: (x**2).sum(), wrong, x)
    assert [entry.index for entry in report.worst] == [(3,), (6,), (1,), (7,), (4,)]


def test_text_of_a_passed_check():
    report = check_gradients(net(), *batch())
    text = str(report)
    lines = text.splitlines()
    assert lines[0] == f"gradient check, loss {report.loss:.6g}"
    for name, shape in (("hidden/kernel", "(3, 4)"), ("output/bias", "(2,)")):
        (line,) = [line for line in lines if name in line]
        assert shape in line
        assert " ok " in line
    assert re.search(
        r"^PASSED: relative error \d\.\d\de-\d\d over 26 parameters: the two", text, re.M
    )
    assert "|a - n| / (|a| + |n|) is at most 1e-07" in text
    assert "Where" not in text
    assert "FAILED" not in text


def test_text_of_a_failed_check(monkeypatch):
    def no_gradient(dy, dbias):
        dbias[:] = 0

    monkeypatch.setattr(reference, "dense_bias_gradient", no_gradient)
    report = check_gradients(net(), *batch())
    text = str(report)
    flat = " ".join(text.split())
    assert re.search(r"^FAILED: relative error", text, re.M)
    assert "PASSED" not in text
    assert "Where: in output/bias and hidden/bias: the gradient that arrives there is right" in flat
    assert "Largest differences:" in text
    (line,) = [line for line in text.splitlines() if line.startswith("│ output/bias[1]")]
    assert f"{report.worst[0].numeric:.10e}" in text
    assert "0.0000000000e+00" in line
    assert "hidden/kernel" in text
    # Findings are wrapped, not cut off.
    assert "numeric one" in flat
    assert "…" not in text


def test_text_fits_a_terminal_and_has_no_escapes(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = str(check_gradients(net(), *batch()))
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 110
    assert text == "\n".join(line.rstrip() for line in text.splitlines())


def test_a_wrong_sign_in_a_small_component_beside_a_huge_one():
    """Their norms agree to 1e-10; that entry is wrong all the same, and the text says so."""

    def gradient(x):
        return np.array([2e6 * x[0], -2e-4 * x[1]])

    report = check_gradients(lambda x: 1e6 * x[0] ** 2 + 1e-4 * x[1] ** 2, gradient, np.ones(2))
    assert report.relative_error < 1e-9
    assert report.verdict == "failed"
    assert report.location == "in 1 of the 2 entries of x"
    assert report.worst[0].index == (1,)
    assert report.explanation == "close as a whole, but wrong in 1 of 2 entries"
    assert "agree" not in str(report)


@pytest.mark.parametrize(
    ("gradient", "explanation"),
    [
        (lambda x: 3 * 2 * x, "the analytic gradient is 3 times the numeric one"),
        (lambda x: -2 * x, "the analytic gradient is -1 times the numeric one"),
        (lambda x: 0 * x, "the analytic gradient is 0, the numeric one is not"),
        (lambda x: 2 * np.roll(x, 1), "wrong in 4 of 4 entries; the cosine between the two"),
        (lambda x: x + np.array([9.0, 0, 0, 0]), "wrong in 4 of 4 entries; the cosine between"),
    ],
)
def test_a_factor_is_only_named_where_there_is_one(gradient, explanation):
    report = check_gradients(lambda x: (x**2).sum(), gradient, np.array([1.0, -2.0, 0.5, 3.0]))
    assert report.verdict == "failed"
    assert report.explanation.startswith(explanation)
    assert ("times the numeric one" in report.explanation) == (abs(report.cosine) > 1 - 1e-9)
    assert "agree" not in str(report)


def test_a_wrong_slope_at_a_kink_is_no_agreement():
    report = check_gradients(
        lambda x: np.abs(x).sum(), lambda x: np.where(x == 0, 2, np.sign(x)), np.array([0.0, 1.0])
    )
    assert report.verdict == "failed"
    assert "agree" not in str(report)
    assert report.explanation == "close as a whole, but wrong in 1 of 2 entries"


def accumulating(factor):
    total = np.zeros(3)

    def gradient(x):
        nonlocal total
        total = factor * total + 2 * x
        return total

    return gradient


@pytest.mark.parametrize(("factor", "finding"), [(1, "accumulates: "), (0.9, "not repeatable: ")])
def test_a_gradient_that_is_not_cleared(factor, finding):
    report = check_gradients(lambda x: (x**2).sum(), accumulating(factor), np.ones(3))
    assert report.verdict == "failed"
    assert report.tensors[0].finding.startswith(finding)
    assert report.location == "in 3 of the 3 entries of x"
    assert "another one at a second call" in report.explanation


def test_a_report_is_true_if_the_check_has_passed():
    x = np.array([1.0, 2.0])
    right, wrong = (check_gradients(lambda x: (x**2).sum(), k * x, x) for k in (2, 3))
    hidden = check_gradients(lambda x: 1e20 + (x**2).sum(), 2 * x, x)
    assert [r.verdict for r in (right, wrong, hidden)] == ["passed", "failed", "cannot tell"]
    assert [bool(r) for r in (right, wrong, hidden)] == [True, False, False]
    assert [r.passed for r in (right, wrong, hidden)] == [True, False, False]
    assert not right.reason
    assert not wrong.reason


def test_text_tells_of_kinks():
    report = check_gradients(
        lambda x: np.abs(x).sum(), lambda x: np.where(x == 0, 2, np.sign(x)), np.array([0.0, 1.0])
    )
    assert "At a kink" in str(report)
    assert "1 of the parameters; 1 of them wrong" in str(report)
    assert "At a kink" not in str(check_gradients(net(), *batch()))


def test_text_tells_which_tensors_pass_only_within_rounding():
    """A gradient of 1 beside a loss of 1e8: differences show four digits of it."""
    x = np.array([0.5, 0.7])
    report = check_gradients(lambda x: 1e8 + (x**2).sum(), lambda x: 2 * x, x)
    assert report.passed
    assert report.tensors[0].relative_error > report.tolerance
    assert "ok within rounding" in " ".join(str(report).split())


def test_text_with_a_gradient_that_is_not_finite():
    report = check_gradients(lambda x: (x**2).sum(), lambda x: x * np.nan, np.ones(3))
    assert not report.passed
    assert "not finite" in str(report)
    assert report.explanation == "one of the two gradients is not finite"


def test_a_notebook_shows_what_is_printed():
    report = check_gradients(net(), *batch())
    shown, printed = report._repr_html_(), str(report)
    assert shown.count("<tr>") == 1 + len(report.tensors)
    assert "<td>hidden/kernel</td>" in shown
    for line in printed.splitlines()[-2:]:
        assert line.split(": ")[0].replace("'", "&#x27;") in shown
