"""What a gradient check of 0.9999999999998282 means: ``python examples/reading_near_one.py``.

A gradient check compares the analytic gradient ``a`` with a numeric one ``n`` by

    r = |a - n| / (|a| + |n|)

0 is agreement.  This script makes the mistakes that give readings near 1, one by one.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from fastmlp import Sequential, check_gradients, layers
from fastmlp.gradcheck import explain_reading

READING = 0.9999999999998282  # the one to explain

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(32, 6)), RNG.integers(0, 3, 32)
OTHER_X, OTHER_Y = RNG.normal(size=(32, 6)), RNG.integers(0, 3, 32)
W = RNG.normal(size=(6, 3))
GUARDED_NORM = 5.82  # of n, for the printed reading beside zeros and a guard of 1e-12


@dataclass(frozen=True)
class Case:
    """Two gradients to compare, what one learns from it, and what fastmlp says."""

    name: str
    analytic: np.ndarray
    numeric: np.ndarray
    lesson: str
    verdict: str = ""
    guard: float = 0.0  # added to the denominator

    @property
    def reading(self) -> float:
        return read(self.analytic, self.numeric, self.guard)


def read(a: np.ndarray, n: np.ndarray, guard: float = 0.0) -> float:
    return float(np.linalg.norm(a - n) / (np.linalg.norm(a) + np.linalg.norm(n) + guard))


def loss(w: np.ndarray, x: np.ndarray = X, y: np.ndarray = Y) -> float:
    """Softmax regression: the mean cross-entropy, in the precision of ``w``."""
    logits = x.astype(w.dtype) @ w
    logits -= logits.max(axis=1, keepdims=True)
    log_sums = np.log(np.exp(logits).sum(axis=1))
    return (log_sums - logits[np.arange(len(y)), y]).mean()


def gradient(w: np.ndarray, x: np.ndarray = X, y: np.ndarray = Y) -> np.ndarray:
    logits = x @ w
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    d = e / e.sum(axis=1, keepdims=True)
    d[np.arange(len(y)), y] -= 1
    return x.T @ d / len(y)


def differences(w: np.ndarray, step: float, divisor: float | None = None) -> np.ndarray:
    """Central differences, in the precision of ``w``; divided by twice the step, if all is well."""
    n = np.empty(w.shape)
    for index in np.ndindex(w.shape):
        up, down = w.copy(), w.copy()
        up[index] += w.dtype.type(step)
        down[index] -= w.dtype.type(step)
        n[index] = (loss(up) - loss(down)) / (2 * (divisor or step))
    return n


def wrong_precedence(w: np.ndarray, step: float) -> np.ndarray:
    """(J+ - J-) / 2 * step, as it is computed without the brackets around 2 * step."""
    return differences(w, step) * step * step


def one_sided(w: np.ndarray, step: float) -> np.ndarray:
    n = np.empty(w.shape)
    for index in np.ndindex(w.shape):
        up = w.copy()
        up[index] += step
        n[index] = (loss(up) - loss(w)) / step
    return n


def sigmoid_net() -> Sequential:
    """17 layers of sigmoids; its first and its last kernel are (6, 3)."""
    hidden = [layers.Dense(units, "sigmoid") for units in (3,) * 16 + (6,)]
    net = Sequential(
        [layers.Input((6,)), *hidden, layers.Dense(3, "softmax")],
        seed=0,
        dtype="float64",
        backend="numpy",
    )
    net.compile("sgd", loss="sparse_categorical_crossentropy")
    return net


def first_kernel_differences(net: Sequential, step: float) -> np.ndarray:
    weights, found = net.get_weights(), []
    for index in np.ndindex(weights[0].shape):
        sides = []
        for sign in (1, -1):
            moved = weights[0].copy()
            moved[index] += sign * step
            net.set_weights([moved, *weights[1:]])
            sides.append(net.evaluate(X, Y))
        found.append((sides[0] - sides[1]) / (2 * step))
    net.set_weights(weights)
    return np.reshape(found, weights[0].shape)


def vanished() -> Iterator[Case]:
    net = sigmoid_net()
    _, gradients = net.loss_and_gradient(X, Y)
    low, high = gradients[0], gradients[-2]
    yield Case(
        "A gradient that vanished, beside that of other weights",
        low,
        high,
        f"Through 17 layers of sigmoids the gradient shrinks from {np.linalg.norm(high):.0e} to "
        f"{np.linalg.norm(low):.0e}. Compared with anything of ordinary size, that reads like 0.",
    )
    report = check_gradients(net, X, Y)
    yield Case(
        "A gradient that vanished, beside its own differences",
        low,
        first_kernel_differences(net, 1e-5),
        "The loss is rounded to 1e-16, so a step of 1e-5 shows no slope below 1e-11: n is 0, or "
        "rounding. Backpropagation is right, and the reading says nothing about it.",
        f"relative error {report.relative_error:.0e} over all weights: {report.explanation}; "
        f"the first kernel's differences are known to {report.tensors[0].resolution:.0e} only, "
        f"and that is taken into account",
    )


def cases() -> Iterator[Case]:
    """All cases; of those on the small net, fastmlp checks the analytic gradient as well."""
    for case in small_net():
        finding = check_gradients(loss, case.analytic, W).tensors[0].finding
        yield replace(case, verdict=finding or "nothing is wrong with the analytic gradient")
    yield from inexact()
    yield from vanished()


def small_net() -> Iterator[Case]:
    a, n = gradient(W), differences(W, 1e-5)
    yield Case(
        "All is well",
        a,
        n,
        "Central differences in float64 with a step of 1e-5 leave 1e-10 or so.",
    )
    yield Case(
        "The analytic gradient was never filled in",
        np.zeros_like(a),
        n,
        "Zeros against anything: |a - n| is |n|, and the reading is 1, to the last digit. "
        "So 0.9999999999998282 needs something more: see the next case.",
    )
    yield Case(
        "Never filled in, and 1e-12 added to the denominator",
        np.zeros_like(a),
        GUARDED_NORM / np.linalg.norm(n) * n,
        "To avoid 0 / 0, many add 1e-12 to |a| + |n|. Beside zeros that leaves "
        "1 - r = 1e-12 / |n|. The printed value needs |n| = 5.8, which is a usual size: here the "
        "loss was multiplied to have it. This is one of the two plausible causes.",
        guard=1e-12,
    )
    yield Case(
        "Operator precedence: (J+ - J-) / 2 * eps, float64, eps = 3e-7",
        a,
        wrong_precedence(W, 3e-7),
        "Python divides by 2 and then multiplies by eps, so n is eps squared times what it should "
        "be, and 1 - r is 2 eps squared: 2e-14 for eps = 1e-7, and the printed value for 2.9e-7. "
        "This is the other plausible cause.",
    )
    yield Case(
        "Operator precedence, float32, eps = 1e-7",
        a,
        wrong_precedence(W.astype(np.float32), 1e-7),
        "In float32 the differences of the loss are a few of its rounding steps, 1e-7 each; times "
        "eps / 2 that is 1e-14, again.",
    )
    yield Case(
        "The analytic gradient is 1e-13 times what it should be",
        1e-13 * a,
        n,
        "A factor c reads (1 - c) / (1 + c), about 1 - 2c, whichever side it is on.",
    )
    yield Case(
        "Other weights' gradient, of about the same size",
        RNG.permutation(a.ravel()).reshape(a.shape),
        n,
        "Vectors that have nothing to do with each other stand about at right angles, "
        "which reads sqrt(1/2) = 0.71, not 1.",
    )
    yield Case(
        "The gradient of an earlier batch",
        gradient(W, OTHER_X, OTHER_Y),
        n,
        "Stale, yet not unrelated: far from 0, and far from 1 as well.",
    )
    yield Case(
        "The sum over the batch in place of the mean",
        32 * a,
        n,
        "A factor of 32 reads 31/33 = 0.94; even 60,000 samples give no more than 0.99997.",
    )
    yield Case(
        "The sign is wrong",
        -a,
        n,
        "Vectors that point opposite ways are |a| + |n| apart whatever their lengths. If n is off "
        "by an angle d, this reads cos(d / 2) = 1 - d^2 / 8: with differences as good as these, "
        "no digit is left to tell it from 1.",
    )
    yield Case(
        "The sign is wrong, and the differences are one-sided",
        -a,
        one_sided(W, 5e-6),
        "With a step of 5e-6 they are off by an angle of 1e-6 or so, and d^2 / 8 is 1e-13. "
        "So a gradient of just the right size, with a sign error, reads 0.9999999999998 too.",
    )
    single = W.astype(np.float32)
    yield Case(
        "float32, with a step of 1e-12",
        a,
        differences(single, 1e-12),
        "w + 1e-12 is w in float32, so n is 0, and the reading exactly 1.",
    )
    yield Case(
        "float32, with a step of 1e-7",
        a,
        differences(single, 1e-7),
        "Now w moves, by a rounding error; so does the loss, and n is noise of ordinary size.",
    )
    yield Case(
        "float64, with a step of 1e-15",
        a,
        differences(W, 1e-15),
        "Rounding noise over a tiny step. Whatever the step is, it does not come near the printed "
        "value: see the list below.",
    )


def inexact() -> Iterator[Case]:
    """Right gradients whose differences are not quite right, and one that lacks a little."""
    a, n, single = gradient(W), differences(W, 1e-5), W.astype(np.float32)
    yield Case(
        "A step of 0.03",
        a,
        differences(W, 3e-2),
        "Central differences are off by step^2 / 6 times the third derivative.",
    )
    yield Case(
        "float32, with a step of 1e-3",
        a,
        differences(single, 1e-3),
        "A step that suits float32; the rounding of the loss leaves 1e-4 or so.",
    )
    yield Case(
        "A kink inside the step",
        np.where(W > 0, 1.0, 0.0).ravel(),
        kinked_differences(W.ravel(), 1e-2),
        "A sum of ReLUs, one of whose inputs is nearer to 0 than the step.",
    )
    yield Case(
        "A small term is missing: an L2 penalty of 1e-3",
        a,
        n + 2e-3 * W,
        "The numeric gradient has it, as the loss has; the analytic one does not.",
    )


def kinked_differences(w: np.ndarray, step: float) -> np.ndarray:
    """Central differences of sum(max(w, 0)), with one entry moved to nearly a step above 0."""
    w = w.copy()
    w[np.argmax(w > 0)] = 0.9 * step
    return (np.maximum(w + step, 0) - np.maximum(w - step, 0)) / (2 * step)


def noise_by_step() -> list[tuple[float, float, float]]:
    """Return (step, reading in float64, reading in float32) of steps from 1e-2 to 1e-25."""
    a, single = gradient(W), W.astype(np.float32)
    return [
        (step, read(a, differences(W, step)), read(a, differences(single, step)))
        for step in (10.0**-k for k in range(2, 26))
    ]


def explain_the_number(r: float) -> str:
    ratio = (1 + r) / (1 - r)
    angle = np.sqrt(8 * (1 - r))
    return (
        f"If a and n point the same way, a reading r means that one is (1 + r) / (1 - r) times "
        f"longer: {ratio:.3g} times, a factor of {np.sqrt(1 / ratio):.2g} squared. If "
        f"a is 0 and 1e-12 was added to the denominator, |n| is {1e-12 * r / (1 - r):.3g}. If they "
        f"are equally long, they stand at an angle of pi less {angle:.2g}: opposite, but for a "
        f"numeric error of a millionth. One look at |a| and |n| tells which. Where automatic "
        f"differentiation made a, and the net learns, the first suspect is the check."
    )


def show(text: str) -> None:
    print(textwrap.fill(text, 88, initial_indent="    ", subsequent_indent="    "))


def main() -> list[Case]:
    print(f"The reading: {READING!r}")
    show(explain_the_number(READING))
    show(f"explain_reading says: {explain_reading(READING)}.")
    found = list(cases())
    for number, case in enumerate(found):
        print(f"\n{number}. {case.name}")
        print(f"    |a| = {np.linalg.norm(case.analytic):.3e}", end="   ")
        print(f"|n| = {np.linalg.norm(case.numeric):.3e}   reading {case.reading!r}")
        show(case.lesson)
        if case.verdict:
            show(f"check_gradients: {case.verdict}.")
    print("\nRounding noise, by the step (float64, float32):")
    for step, double, single in noise_by_step():
        print(f"    {step:.0e}   {double:.10g}   {single:.10g}")
    print("\nWhich of these read like it, to nine digits at least?")
    for number, case in enumerate(found):
        if abs(case.reading - READING) < 1e-9:
            exact = " (exactly 1)" if case.reading == 1 else ""
            print(f"    {number}. {case.name}: {case.reading!r}{exact}")
    return found


if __name__ == "__main__":
    main()
