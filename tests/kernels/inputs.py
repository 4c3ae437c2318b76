"""Arguments for the kernels, and bounds of what rounding may do to their results."""

import numpy as np

from fastmlp.kernels import reference
from fastmlp.kernels.contract import (
    MOMENTS,
    Coding,
    Constraint,
    Loss,
    Metric,
    Number,
    Reduction,
    Rule,
    Scalar,
    Spread,
    Telemetry,
)

EXP = 4  # roundings that an exponential may cost


def normal(rng, dtype, *shape):
    return rng.standard_normal(shape).astype(dtype)


def unset(dtype, *shape):
    """Return memory in which an entry that is never written will be found."""
    return np.full(shape, np.nan, dtype)


def magnitude_of_product(a, b, scale, out):
    return (np.abs(out) + (a.shape[1] + 3) * abs(scale) * (np.abs(a) @ np.abs(b)),)


def product(transpose_a=False, transpose_b=False):
    def make(rng, dtype, m, k, n):
        a = normal(rng, dtype, k, m).T if transpose_a else normal(rng, dtype, m, k)
        b = normal(rng, dtype, n, k) if transpose_b else normal(rng, dtype, k, n)
        return a, b, dtype(-0.7), normal(rng, dtype, m, n)

    def bound(a, b, scale, out):
        return magnitude_of_product(a, b.T if transpose_b else b, scale, out)

    return make, bound


def dense_forward(rows=False, bias=True):
    def make(rng, dtype, m, k, n):
        x = normal(rng, dtype, n, k) if rows else normal(rng, dtype, k, n)
        own_bias = normal(rng, dtype, m if bias else 0)
        scale = (dtype(0.4),) if rows else ()
        return x, normal(rng, dtype, m, k), own_bias, *scale, normal(rng, dtype, m, n)

    def bound(x, weights, bias, *rest):
        scale = rest[0] if rows else 1
        return magnitude_of_product(
            weights, x.T if rows else x, scale, bias[:, None] if bias.size else 0
        )

    return make, bound


def dense_weights(update=False, rows=False):
    def make(rng, dtype, m, k, n):
        scale = (dtype(-0.3),) if update or rows else ()
        x = normal(rng, dtype, n, k) if rows else normal(rng, dtype, k, n)
        return x, normal(rng, dtype, m, n), *scale, normal(rng, dtype, m, k)

    def bound(x, dy, *rest):
        *scale, before = rest
        x = x if rows else x.T
        return magnitude_of_product(dy, x, *(scale or (1,)), before if update else 0)

    return make, bound


def softmax_bounds(x, share=1.0):
    """Bounds of the maximum, the inverse sum, and of probabilities times ``share``."""
    spread = x.max(axis=0) - x
    weights = np.exp(-spread)
    # exp turns the rounding of its argument, up to |argument| / 2 epsilon, into a relative one.
    roundings = (spread + EXP + len(x)).max(axis=0)
    inverse = 1 / weights.sum(axis=0)
    return np.stack([0 * inverse, roundings * inverse]), share * (roundings + 2) * weights * inverse


def log_softmax_bounds(x):
    """Bounds of the maximum, the logarithm of the sum, and of logarithms of probabilities."""
    spread = x.max(axis=0) - x
    roundings = (spread + EXP + len(x)).max(axis=0) + 2
    return np.stack([0 * roundings, roundings]), roundings + 2 * spread + 2 * np.log(len(x))


def codes(rng, dtype, n, columns, categories):
    """Return samples with so many columns of whole numbers, some of no category, behind another."""
    return np.column_stack(
        [rng.normal(size=n), rng.integers(-1, categories + 2, (n, columns))]
    ).astype(dtype)


def embedding(output):
    def make(rng, dtype, m, k, n):
        rows = normal(rng, dtype, k, m)
        return 1, output, codes(rng, dtype, n, 5, k), rows, unset(dtype, 5 * m - output, n)

    return make


def embedding_weights(what, category):
    def make(rng, dtype, m, k, n):
        x, dy = codes(rng, dtype, n, 3, k + category), normal(rng, dtype, 3 * m, n)
        scale = () if what == "gradient" else (dtype(-0.3),)
        return 1, category, *scale, x, dy, normal(rng, dtype, k, m)

    return make


def bound_embedding(first, category, *rest):
    *scale, x, dy, rows = rest
    before = np.abs(rows) if scale else 0
    return (3 * len(x) * (before + np.abs(dy).sum(axis=1).reshape(3, -1).sum(axis=0)),)


def columns(kind, output, times=1):
    """Samples for a coding; if they stay what they are, each so many times."""

    def make(rng, dtype, m, k, n):
        categories = times if kind == Coding.PASS else m + 1
        of_each = kind in (Coding.PASS, Coding.ONE_HOT)
        outputs = 3 * categories if of_each else categories
        x = codes(rng, dtype, n, 3, m + 1)
        return int(kind), 1, 3, categories, output, x, unset(dtype, outputs - output, n)

    return make


def answers(dtype, right):
    """Return labels and targets, of which one is empty."""
    if right.ndim == 1:
        return right, np.empty((0, 0), dtype)
    return np.empty(0, np.int64), right.astype(dtype)


def reals(**numbers):
    """Return a row of the table of reals."""
    row = np.zeros(len(Scalar))
    for name, value in numbers.items():
        row[Scalar[name]] = value
    return row


def weights_of(rng, dtype, count, weighted):
    """Return weights of samples, some of them 0, or none."""
    weights = rng.random(count if weighted else 0).astype(dtype)
    weights[::5] = 0
    return weights


def crossentropy(labels, weighted=False, reduction=Reduction.MEAN):
    def make(rng, dtype, m, k, n):
        classes = m + 1
        if labels:
            right = rng.integers(0, classes, 2 * n)
        else:
            right = rng.dirichlet(np.ones(classes), 2 * n)
            right[0] = np.eye(classes)[0]
        rows = rng.permutation(2 * n)[:n]
        return (
            int(Loss.SOFTMAX_CROSSENTROPY), int(reduction), 4 * normal(rng, dtype, classes, n),
            rows, *answers(dtype, right), weights_of(rng, dtype, 2 * n, weighted), reals(),
            *scratch(dtype, classes, n),
        )  # fmt: skip

    def bound(kind, reduction, logits, rows, labels, targets, weights, *rest):
        n = logits.shape[1] / reduced(reduction, rows, weights)
        of_scratch, of_probabilities = softmax_bounds(logits)
        per_sample = 4 * np.abs(logits).max(axis=0) + EXP + len(logits) + 2
        # A probability minus its target, both at most 1, is rounded once more.
        # Beside float64, the sum over the batch is a random walk of its own.
        return of_scratch, (of_probabilities + 2) / n, 4 * per_sample.sum() * logits.shape[1] / n

    return make, bound


def scratch(dtype, features, n):
    return unset(dtype, 2, n), unset(dtype, features, n)


def reduced(reduction, rows, weights):
    """Return how much larger than that of their mean the loss of samples is, at most."""
    if reduction == Reduction.SUM:
        return rows.size
    total = weights[rows].sum() if weights.size else rows.size
    return rows.size / total if reduction == Reduction.WEIGHTED_MEAN and total else 1


def loss(kind, weighted=False, **numbers):
    """Arguments of a loss that looks at each output by itself."""

    def make(rng, dtype, m, k, n):
        rows = rng.permutation(2 * n)[:n]
        outputs, targets = normal(rng, dtype, m, n), rng.standard_normal((2 * n, m))
        return (
            int(kind), int(Reduction.MEAN), outputs, rows, *answers(dtype, targets),
            weights_of(rng, dtype, 2 * n, weighted), reals(**numbers), *scratch(dtype, m, n),
        )  # fmt: skip

    return make


def bound_squares(kind, reduction, outputs, rows, labels, targets, *rest):
    sizes = np.abs(outputs) + np.abs(targets[rows].T)
    # A square of three roundings, summed in float64: which is exact beside float32, and beside
    # float64 a walk of a thousand random steps, that end within some tens of them.
    return 4 * 2 * sizes / sizes.size, 16 * (sizes**2).sum() / len(outputs)


def bound_slopes(steepest):
    """Bounds for a loss that is nowhere steeper than that."""

    def bound(kind, reduction, outputs, rows, labels, targets, *rest):
        sizes = np.abs(outputs) + np.abs(targets[rows].T)
        return 4 * (sizes + steepest) / sizes.size, 16 * (steepest * sizes).sum() / len(outputs)

    return bound


def bound_sigmoid(kind, reduction, logits, rows, labels, targets, *rest):
    sizes = 1 + np.abs(logits) * (1 + np.abs(targets[rows].T))
    return (EXP + 4 * sizes) / sizes.size, 16 * EXP * sizes.sum() / len(logits)


def make_loss(kind, make_right, make_outputs, **numbers):
    """Arguments of any loss: ``make_right(rng, count, outputs)`` makes targets."""

    def make(rng, dtype, m, k, n):
        rows = rng.permutation(2 * n)[:n]
        outputs = make_outputs(rng, dtype, m, n)
        return (
            int(kind), int(Reduction.WEIGHTED_MEAN), outputs, rows,
            *answers(dtype, make_right(rng, 2 * n, m)), weights_of(rng, dtype, 2 * n, True),
            reals(**numbers), *scratch(dtype, m, n),
        )  # fmt: skip

    return make


def positive(rng, dtype, *shape):
    return (rng.random(shape) + 0.1).astype(dtype)


def classes(rng, count, outputs):
    return np.eye(outputs)[rng.integers(0, outputs, count)]


def shares(rng, count, outputs):
    return rng.choice([0, 1, 0.25, 0.5], (count, outputs))


def signs(rng, count, outputs):
    return rng.choice([-1.0, 1.0], (count, outputs))


def numbers(rng, count, outputs):
    return rng.standard_normal((count, outputs))


def amounts(rng, count, outputs):
    return rng.random((count, outputs)) + 0.1


def bound_by(steepness, more=1.0):
    """A bound by the size of numbers times how steep the loss may be; ``more`` what it may add."""

    def bound(kind, reduction, x, rows, labels, targets, weights, reals, *rest):
        n = x.shape[1]
        sizes = steepness * (more + np.abs(x) + np.abs(targets[rows].T)) ** 2
        return 64 * sizes.max() / n, 64 * sizes.sum()

    return bound


# For each loss that looks at each output by itself, its numbers and its bounds.
LOSSES = {
    Loss.MEAN_SQUARED_ERROR: ({}, bound_squares),
    Loss.HUBER: ({"ALPHA": 0.7}, bound_slopes(1)),
    Loss.MEAN_ABSOLUTE_ERROR: ({}, bound_slopes(1)),
    Loss.SIGMOID_CROSSENTROPY: ({}, bound_sigmoid),
    Loss.QUANTILE: ({"ALPHA": 0.3}, bound_slopes(1)),
    Loss.LOG_COSH: ({}, bound_by(1)),
}

# For the others, how targets and outputs are made, numbers, and a bound.
OTHER_LOSSES = [
    (Loss.MEAN_ABSOLUTE_PERCENTAGE_ERROR, amounts, normal, {}, bound_by(1000)),
    (Loss.MEAN_SQUARED_LOGARITHMIC_ERROR, amounts, normal, {}, bound_by(1)),
    (Loss.POISSON, amounts, positive, {}, bound_by(10)),
    (Loss.HINGE, signs, normal, {}, bound_by(1)),
    (Loss.HINGE, classes, normal, {}, bound_by(1)),
    (Loss.SQUARED_HINGE, signs, normal, {}, bound_by(2)),
    (Loss.CATEGORICAL_HINGE, classes, normal, {}, bound_by(2)),
    (Loss.KL_DIVERGENCE, shares, positive, {}, bound_by(20)),
    (Loss.COSINE_SIMILARITY, numbers, normal, {}, bound_by(200)),
    (Loss.SIGMOID_CROSSENTROPY, shares, normal, {"SMOOTHING": 0.2}, bound_by(1)),
    (Loss.SOFTMAX_CROSSENTROPY, shares, normal, {"SMOOTHING": 0.2}, bound_by(4)),
    (Loss.SIGMOID_FOCAL, shares, normal, {"ALPHA": 0.3, "BETA": 0.7, "GAMMA": 2.0}, bound_by(4)),
    (Loss.SIGMOID_FOCAL, shares, normal,
     {"ALPHA": 1, "BETA": 1, "GAMMA": 0.5, "SMOOTHING": 0.1}, bound_by(4)),
    (Loss.SOFTMAX_FOCAL, classes, normal, {"ALPHA": 0.25, "GAMMA": 2.0}, bound_by(4)),
    (Loss.SOFTMAX_FOCAL, classes, normal,
     {"ALPHA": 1, "GAMMA": 0.5, "SMOOTHING": 0.1}, bound_by(8)),
]  # fmt: skip


def make_metric(kind, make_right, totals, thresholds=(), labels=False, **numbers):
    """Arguments of a metric, which has so many ``totals(outputs)``.

    Few different outputs, hence ties.
    """

    def make(rng, dtype, m, k, n):
        outputs = (rng.integers(-2, 3, (m + 1, n)) / 4).astype(dtype)
        rows = rng.permutation(2 * n)[:n]
        right = rng.integers(0, m + 1, 2 * n) if labels else make_right(rng, 2 * n, m + 1)
        return (
            int(kind), outputs, rows, *answers(dtype, right),
            weights_of(rng, dtype, 2 * n, True), reals(**numbers),
            np.array(thresholds, np.float64), rng.random(totals(m + 1)),
        )  # fmt: skip

    return make


def one(outputs):
    return 1


def three(outputs):
    return 3 * outputs


LEVELS = (-0.5, 0.0, 0.2, 0.5)
METRICS = [
    ("labels", Metric.FIRST_MAXIMUM, None, one, {"labels": True}),
    ("classes", Metric.FIRST_MAXIMUM, classes, one, {}),
    ("labels", Metric.IN_TOP_K, None, one, {"labels": True, "ALPHA": 2}),
    ("classes", Metric.IN_TOP_K, classes, one, {"ALPHA": 1}),
    ("shares", Metric.BINARY, shares, one, {"ALPHA": 0.25}),
    ("shares", Metric.EQUAL, shares, one, {}),
    ("all", Metric.CONFUSION, shares, lambda _: 10, {"thresholds": LEVELS, "BETA": -1}),
    ("top", Metric.CONFUSION, shares, lambda _: 4,
     {"thresholds": (-1e10,), "ALPHA": 2, "BETA": -1}),
    ("second", Metric.CONFUSION, shares, lambda _: 10, {"thresholds": LEVELS, "BETA": 1}),
    ("each", Metric.CONFUSION, shares, lambda m: 10 * m,
     {"thresholds": LEVELS, "BETA": -1, "GAMMA": 1}),
    ("threshold", Metric.YES, shares, three, {"ALPHA": 0.25}),
    ("largest", Metric.YES, classes, three, {"BETA": 1}),
    ("numbers", Metric.SQUARES, numbers, three, {}),
]  # fmt: skip


def make_penalty(rng, dtype, m, k, n):
    weights = normal(rng, dtype, m * k)
    weights[::3] = 0
    return 0.01, 0.003, weights


SQUARES_COME_FIRST = (
    Rule.RMSPROP, Rule.RMSPROP_MOMENTUM, Rule.RMSPROP_CENTERED, Rule.ADAGRAD, Rule.ADADELTA,
)  # fmt: skip


NUMBERS = {
    "MOMENTUM": 0.9, "BETA_1": 0.9, "BETA_2": 0.99, "EPSILON": 1e-3, "RHO": 0.95,
    "INITIAL_ACCUMULATOR_VALUE": 0.1,
}  # fmt: skip


def optimizer(rule, evenly=False, **numbers):
    def make(rng, dtype, m, k, n):
        size, moments = m * k, MOMENTS[rule]
        given = np.zeros(len(Number))
        for name, value in numbers.items():
            given[Number[name]] = dtype(value)
        first = normal(rng, dtype, size if moments else 0)
        second = normal(rng, dtype, size if moments > 1 else 0) ** 2
        third = normal(rng, dtype, size if moments > 2 else 0)
        if rule in SQUARES_COME_FIRST:
            first **= 2
        if rule == Rule.AMSGRAD:
            third **= 2
        if rule == Rule.RMSPROP_CENTERED:
            second = normal(rng, dtype, size)
        if rule == Rule.RMSPROP_CENTERED:
            first += 4 + third**2  # a variance that is not lost in its rounding
        return (
            int(rule), float(dtype(0.3)), given[Number.WEIGHT_DECAY], 7, evenly,
            2**33 if evenly else 0, normal(rng, dtype, size), normal(rng, dtype, size),
            first, second, third, given,
        )  # fmt: skip

    return make


def bound_optimizer(rule, rate, decay, step, evenly, first, params, gradient, *moments):
    if rule == Rule.ADAM:
        mean, square = np.abs(moments[0]) + np.abs(gradient), moments[1] + gradient**2
        change = 1 + mean / np.sqrt(square * 1e-3)
        return 8 * (np.abs(params) + change), 4 * mean, 4 * square
    if rule not in (Rule.DESCENT, Rule.MOMENTUM):
        return bound_by_magnitudes(rule, rate, decay, step, params, gradient, *moments)
    speed = np.abs(moments[0]) if moments[0].size else 0
    bound = 4 * (np.abs(params) + np.abs(gradient) + speed)
    return (bound, 4 * (np.abs(gradient) + speed)) if rule == Rule.MOMENTUM else (bound,)


def bound_by_magnitudes(rule, rate, decay, step, params, gradient, *moments_and_numbers):
    """Bounds by a step in which no terms cancel."""
    *moments, numbers = (np.abs(given) for given in moments_and_numbers)
    towards, change = np.abs(gradient), np.zeros_like(params)
    if rule in (Rule.RMSPROP_MOMENTUM, Rule.RMSPROP_CENTERED):  # whose velocity is downwards
        moments[1] = -moments[1]
    before = [np.abs(moment) for moment in moments if moment.size]
    reference.optimizer_step(rule, rate, decay, step, False, 0, change, towards, *moments, numbers)
    after = [np.abs(moment) for moment in moments if moment.size]
    scale = towards + towards**2
    bounds = (8 * (a + b + scale) for a, b in zip(before, after, strict=True))
    return 32 * (np.abs(params) + np.abs(change)), *bounds


def average(rng, dtype, m, k, n):
    """Parameters, and their running means, of which some do not exist yet."""
    means = normal(rng, dtype, m * k)
    means[::5] = np.nan
    return 0.9, normal(rng, dtype, m * k), means


def constrained(kind, axis):
    """A tensor (m, n), whose groups are its rows, its columns, or all of it."""

    def make(rng, dtype, m, k, n):
        group, stride = {0: (m, n), 1: (n, 1), 2: (m * n, 1)}[axis]
        groups = m * n // group
        weights = normal(rng, dtype, m * n)
        weights[:: max(groups, 2)] *= dtype(0)
        if kind == Constraint.NON_NEGATIVE:
            group, groups = 1, m * n
        return int(kind), 0.5, 2.0, 0.75, group, stride, groups // 3, groups, weights

    return make


def batch_statistics(rng, dtype, m, k, n):
    x = normal(rng, dtype, m, n) + dtype(3) * normal(rng, dtype, m, 1)
    return x, unset(dtype, m), unset(dtype, m)


def bound_statistics(x, mean, variance):
    n = x.shape[1]
    # The variance is about a mean that is off by some roundings, of which it feels the square.
    squares = x.var(axis=1) + n**2 * np.finfo(np.float64).eps * (x**2).mean(axis=1)
    return (n + 2) * np.abs(x).mean(axis=1), (n + 6) * squares * (n > 1)


def batchnorm(kind, gamma=True, beta=True):
    """Return how to make the arguments of one of the kernels of normalization, and its bound."""

    def make(rng, dtype, m, k, n):
        x, mean = normal(rng, dtype, m, n), normal(rng, dtype, m)
        variance = normal(rng, dtype, m) ** 2
        scale, shift = (normal(rng, dtype, m if has else 0) for has in (gamma, beta))
        rest = {
            "forward": (scale, shift, unset(dtype, m, n)),
            "weights": (normal(rng, dtype, m, n), unset(dtype, m), unset(dtype, m)),
            "input": (
                scale, normal(rng, dtype, m), normal(rng, dtype, m), normal(rng, dtype, m, n),
                unset(dtype, m, n),
            ),
        }  # fmt: skip
        return 0.01, x, mean, variance, *rest[kind]

    def bound(epsilon, x, mean, variance, *rest):
        n = x.shape[1]
        inverse = 1 / np.sqrt(variance + epsilon)[:, None]
        size = np.abs(x - mean[:, None]) * inverse
        factor = np.abs(rest[0])[:, None] if gamma and kind != "weights" else 1
        if kind == "forward":
            return (6 * size * factor + (2 * np.abs(rest[1])[:, None] if beta else 0),)
        if kind == "weights":
            dy = np.abs(rest[0])
            return (n + 6) * (size * dy).sum(axis=1), n * dy.sum(axis=1)
        dgamma, dbeta, dy = (np.abs(v) for v in rest[1:4])
        terms = dy + dbeta[:, None] / n + size * dgamma[:, None] / n
        return (8 * factor * inverse * terms,)

    return make, bound


def layernorm(which, kind=Spread.VARIANCE, vectors=True):
    """Return how to make the arguments of one of the kernels of its kind, and its bound."""

    def make(rng, dtype, m, k, n):
        x = normal(rng, dtype, m, n)
        gamma, beta = (normal(rng, dtype, m if vectors else 0) for _ in range(2))
        if which == "forward":
            return int(kind), 0.5, x, gamma, beta, *scratch(dtype, m, n)
        statistics = np.stack([normal(rng, dtype, n), normal(rng, dtype, n) ** 2])
        if which == "weights":
            return x, statistics, normal(rng, dtype, m, n), unset(dtype, m), unset(dtype, m)
        return int(kind), x, statistics, gamma, normal(rng, dtype, m, n), *scratch(dtype, m, n)

    def bound(*arguments):
        if which == "forward":
            _, _, x, gamma, beta, *_ = arguments
            size = len(x) + 8
            sizes = np.abs(x) + np.abs(x).mean(axis=0)
            scale = np.abs(gamma)[:, None] if vectors else 1
            shift = np.abs(beta)[:, None] if vectors else 0
            # A deviation is at least the root of epsilon.
            per_sample = 1 + (sizes**2).mean(axis=0)
            of_statistics = size * np.stack([sizes.mean(axis=0), 4 * per_sample])
            return of_statistics, size * (8 * sizes * per_sample * scale + shift)
        if which == "weights":
            x, (mean, inverse), dy, *_ = arguments
            products = np.abs(dy) * (np.abs(x) + np.abs(mean)) * inverse
            return (x.shape[1] + 8) * products.sum(axis=1), (x.shape[1]) * np.abs(dy).sum(axis=1)
        _, x, (mean, inverse), gamma, dy, *_ = arguments
        sizes = (np.abs(x) + np.abs(mean)) * inverse
        slopes = np.abs(dy) * (np.abs(gamma)[:, None] if vectors else 1)
        products = slopes + slopes.mean(axis=0) + sizes * (slopes * sizes).mean(axis=0)
        return ((len(x) + 12) * inverse * products,)

    return make, bound


def record_step(rng, dtype, m, k, n):
    before, change, gradient = (normal(rng, dtype, m * k) for _ in range(3))
    return before, before + dtype(0.01) * change, gradient, np.full(len(Telemetry), np.nan)


def slopes(kind, rows):
    def make(rng, dtype, m, k, n):
        x = 3 * normal(rng, dtype, m * n)
        x[: m * n // 2] -= dtype(20)
        y = np.empty_like(x)
        reference.activation_forward(kind, dtype(0.1), x, y)
        return kind, dtype(0.1), x, y, n, rows, unset(dtype, m * n), np.full(len(Telemetry), np.nan)

    return make


def figures(name, *measured):
    """Bounds for a record: of sums in float64, far below the epsilon of float32."""

    def bound(*arguments):
        getattr(reference, name)(*arguments)
        bounds = np.zeros(len(Telemetry))
        bounds[list(measured)] = 64 * np.abs(arguments[-1][list(measured)])
        return (bounds,)

    return bound


def dropout(rate, key, step):
    def make(rng, dtype, m, k, n):
        return np.int64(key), step, rate, unset(dtype, m * n)

    return make
