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


@dataclass(frozen=True)
class Case:
    """Two gradients to compare, what one learns from it, and what fastmlp says."""

    name: str
    analytic: np.ndarray
    numeric: np.ndarray
    lesson: str
    verdict: str = ""

    @property
    def reading(self) -> float:
        return read(self.analytic, self.numeric)


def read(a: np.ndarray, n: np.ndarray) -> float:
    return float(np.linalg.norm(a - n) / (np.linalg.norm(a) + np.linalg.norm(n)))


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
    net.compile(loss="sparse_categorical_crossentropy")
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
        "So 0.9999999999998282 is something else: there IS a gradient, but a tiny or a wrong one.",
    )
    yield Case(
        "The analytic gradient is 1e-13 times what it should be",
        1e-13 * a,
        n,
        "A factor c reads (1 - c) / (1 + c), about 1 - 2c. Something was multiplied in that should "
        "not be there (a squared epsilon, say), or n is that much too large.",
    )
    yield Case(
        "The difference is divided by another step than the one taken",
        a,
        differences(W, 1e-3, divisor=1e-3 * 8.6e-14),
        "The same from the other side: n is 1.2e13 times too large.",
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


def explain_the_number(r: float) -> str:
    ratio = (1 + r) / (1 - r)
    angle = np.sqrt(8 * (1 - r))
    return (
        f"If a and n point the same way, a reading r means that one is (1 + r) / (1 - r) times "
        f"longer: {ratio:.3g} times. If they are equally long, it means that they stand at an "
        f"angle of pi less {angle:.2g}: opposite, but for a numeric error of a millionth. One "
        f"look at |a| and |n| tells which, and so does the table that check_gradients prints."
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
    print("\nWhich of these read like it, to nine digits at least?")
    for number, case in enumerate(found):
        if abs(case.reading - READING) < 1e-9:
            exact = " (exactly 1)" if case.reading == 1 else ""
            print(f"    {number}. {case.name}: {case.reading!r}{exact}")
    return found


if __name__ == "__main__":
    main()
