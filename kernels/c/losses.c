/* Losses: of the samples of a batch, reduced to that of the batch, and its gradient.  Logits and
   outputs are (features, n). */

#include <math.h>

/* What the outputs of a batch are compared with: the data set's labels (count,) or targets
   (count, features), of which one is NULL, and weights (count,), NULL if all samples weigh the
   same. */
struct answers {
    const int64_t *rows, *labels;
    const real *targets, *weights;
    int64_t features, n;
};

INLINE double weight_of(const struct answers *a, int64_t j) {
    return a->weights ? (double)a->weights[a->rows[j]] : 1;
}

/* The sum of the weights of the batch's samples. */
static double weight_sum(const struct answers *a) {
    if (!a->weights) return (double)a->n;
    double sum = 0;
    for (int64_t j = 0; j < a->n; j++) sum += (double)a->weights[a->rows[j]];
    return sum;
}

/* Each of the functions below returns the weighted sum of the samples' losses, and sets dx to their
   slopes over n, which `loss` weighs. */

/* loss = sum_j logsumexp(logits[:, j]) - logits[label, j]; dlogits = (softmax - onehot) / n. */
static double softmax_crossentropy_labels(const real *logits, const struct answers *a,
                                          real *scratch, real *dlogits) {
    const int64_t features = a->features, n = a->n;
    const real *largest = scratch, *inverse = scratch + n;
    const integers one = (integers)broadcast(1);
    real share = (real)(1.0 / (double)n);
    softmax_forward(logits, scratch, dlogits, features, n);
    /* A sum of logarithms is the logarithm of a product: one for the batch, not one for each
       sample, if all weigh the same.  The factors are at most 1 and at least 1 / features. */
    double loss = 0, product = 1;
    FOR_VECTORS(j, count, n) {
        integers label = {0}, chosen = {0};
        for (int64_t lane = 0; lane < count; lane++)
            label[lane] = (integer)a->labels[a->rows[j + lane]];
        /* Looking at every class is faster than to change one number of a vector that was just
           written: what reads it next would have to wait. */
        for (int64_t i = 0; i < features; i++) {
            integers is_label = label == (integer)i;
            real *at = dlogits + i * n + j;
            chosen |= (integers)load_some(logits + i * n + j, count) & is_label;
            store_some(at, share * (load_some(at, count) - (vector)(one & is_label)), count);
        }
        vector above = load_some(largest + j, count) - (vector)chosen;
        if (a->weights) {
            for (int64_t lane = 0; lane < count; lane++)
                loss += weight_of(a, j + lane) *
                        ((double)above[lane] - log((double)inverse[j + lane]));
            continue;
        }
        loss += sum_of(above);
        for (int64_t lane = 0; lane < count; lane++) product *= inverse[j + lane];
        if (product < 1e-200) {
            loss -= log(product);
            product = 1;
        }
    }
    return loss - log(product);
}

/* The same for targets that are distributions over the classes. */
static double softmax_crossentropy_targets(const double *reals, const real *logits,
                                           const struct answers *a, real *scratch, real *dlogits) {
    const int64_t features = a->features, n = a->n;
    const real *largest = scratch, *inverse = scratch + n;
    real share = (real)(1.0 / (double)n);
    real keep = (real)(1 - reals[SCALAR_SMOOTHING]);
    real lift = (real)(reals[SCALAR_SMOOTHING] / (double)features);
    softmax_forward(logits, scratch, dlogits, features, n);
    double loss = 0;
    for (int64_t j = 0; j < n; j++) {
        const real *given = a->targets + a->rows[j] * features;
        double log_inverse = log((double)inverse[j]), weight = weight_of(a, j);
        real mass = 0; /* 1 but for rounding */
        for (int64_t i = 0; i < features; i++) mass += keep * given[i] + lift;
        for (int64_t i = 0; i < features; i++) {
            real target = keep * given[i] + lift;
            if (target != 0) {
                double log_probability = (double)(logits[i * n + j] - largest[j]) + log_inverse;
                loss -= weight * ((double)target * log_probability);
            }
            dlogits[i * n + j] = share * (dlogits[i * n + j] * mass - target);
        }
    }
    return loss;
}

/* base^exponent for 0 <= base <= 1, but 0 for 0 to a negative power: what it is multiplied with is 0
   then. */
INLINE double power(double base, double exponent) {
    if (exponent == 2) return base * base;
    if (exponent == 1) return base;
    return base > 0 || exponent == 0 ? pow(base, exponent) : 0 * base;
}

/* Of one class in a focal loss, -alpha t (1 - p)^gamma log p, and p times its slope by p. */
struct focal {
    double loss, q;
};

INLINE struct focal focal_of(const double *reals, double target, double p, double log_p) {
    double gamma = reals[SCALAR_GAMMA], rest = -expm1(log_p), scale = -reals[SCALAR_ALPHA] * target;
    double focus = power(rest, gamma);
    double falling = gamma != 0 ? gamma * power(rest, gamma - 1) * p * log_p : 0;
    return (struct focal){target != 0 ? scale * focus * log_p : 0, scale * (focus - falling)};
}

/* Softmax and focal loss in one (Lin et al., 2017): the slope by a logit is q_i - p_i sum q. */
static double softmax_focal(const double *reals, const real *logits, const struct answers *a,
                            real *scratch, real *dlogits) {
    const int64_t features = a->features, n = a->n;
    const real *largest = scratch, *inverse = scratch + n;
    double keep = 1 - reals[SCALAR_SMOOTHING], lift = reals[SCALAR_SMOOTHING] / (double)features;
    double loss = 0;
    softmax_forward(logits, scratch, dlogits, features, n);
    for (int64_t j = 0; j < n; j++) {
        const real *target = a->targets + a->rows[j] * features;
        double log_inverse = log((double)inverse[j]), total = 0;
        for (int64_t i = 0; i < features; i++) {
            double log_p = (double)(logits[i * n + j] - largest[j]) + log_inverse;
            double t = keep * (double)target[i] + lift, p = (double)dlogits[i * n + j];
            struct focal focal = focal_of(reals, t, p, log_p);
            loss += weight_of(a, j) * focal.loss;
            total += focal.q;
        }
        for (int64_t i = 0; i < features; i++) {
            double log_p = (double)(logits[i * n + j] - largest[j]) + log_inverse;
            double t = keep * (double)target[i] + lift, p = (double)dlogits[i * n + j];
            struct focal focal = focal_of(reals, t, p, log_p);
            dlogits[i * n + j] = (real)((focal.q - p * total) / (double)n);
        }
    }
    return loss;
}

/* max(max_i (1 - t_i) y_i - sum_i t_i y_i + 1, 0) */
static double categorical_hinge(const real *outputs, const struct answers *a, real *doutputs) {
    const int64_t features = a->features, n = a->n;
    double loss = 0;
    for (int64_t j = 0; j < n; j++) {
        const real *target = a->targets + a->rows[j] * features;
        double right = 0, wrong = 0;
        int64_t highest = 0;
        for (int64_t i = 0; i < features; i++) {
            double y = (double)outputs[i * n + j], t = (double)target[i];
            right += t * y;
            if (i == 0 || (1 - t) * y > wrong) {
                wrong = (1 - t) * y;
                highest = i;
            }
        }
        double margin = wrong - right + 1;
        loss += weight_of(a, j) * (margin < 0 ? 0 * margin : margin);
        for (int64_t i = 0; i < features; i++) {
            double t = (double)target[i], slope = (i == highest ? 1 - t : 0) - t;
            doutputs[i * n + j] = margin > 0 ? (real)(slope / (double)n) : 0;
        }
    }
    return loss;
}

/* -sum_i of y over its norm times t over its norm, neither of which is below epsilon. */
static double cosine_similarity(const real *outputs, const struct answers *a, real *doutputs) {
    const int64_t features = a->features, n = a->n;
    double loss = 0;
    for (int64_t j = 0; j < n; j++) {
        const real *target = a->targets + a->rows[j] * features;
        double of_y = 0, of_t = 0, cosine = 0;
        for (int64_t i = 0; i < features; i++) {
            double y = (double)outputs[i * n + j], t = (double)target[i];
            of_y += y * y;
            of_t += t * t;
        }
        double norm = sqrt(of_y), aim = sqrt(of_t);
        double size = norm < LOSS_EPSILON ? LOSS_EPSILON : norm;
        if (aim < LOSS_EPSILON) aim = LOSS_EPSILON;
        for (int64_t i = 0; i < features; i++)
            cosine += (double)outputs[i * n + j] / size * ((double)target[i] / aim);
        loss -= weight_of(a, j) * cosine;
        /* Below epsilon, the size is a constant. */
        double turning = norm <= LOSS_EPSILON ? 0 : cosine;
        for (int64_t i = 0; i < features; i++) {
            double along = turning * ((double)outputs[i * n + j] / size);
            doutputs[i * n + j] = (real)((along - (double)target[i] / aim) / size / (double)n);
        }
    }
    return loss;
}

/* The loss of one output, and its slope. */
struct point {
    double loss;
    real slope;
};

/* sum_j mean_i of the losses of single outputs, and the gradient over n.  The mean is a sum over
   `share`. */
INLINE double of_outputs(struct point (*of)(real output, real target, const double *reals),
                         const double *reals, const real *outputs, const struct answers *a,
                         real *doutputs, int64_t share) {
    const int64_t features = a->features, n = a->n;
    real scale = (real)(1.0 / (double)(share * n));
    double loss = 0;
    for (int64_t i = 0; i < features; i++)
        for (int64_t j = 0; j < n; j++) {
            real target = a->targets[a->rows[j] * features + i];
            struct point point = of(outputs[i * n + j], target, reals);
            loss += weight_of(a, j) * point.loss;
            doutputs[i * n + j] = scale * point.slope;
        }
    return loss / (double)share;
}

/* What is below a bound is hidden from a loss, but not if it is not finite: 0 times it is NaN. */
INLINE double above(double bound, double x) { return x < bound ? bound + 0 * x : x; }

INLINE struct point squared_error(real output, real target, const double *reals) {
    (void)reals;
    real error = output - target; /* whose square may be too large for a float */
    return (struct point){(double)error * (double)error, 2 * error};
}

/* For an error e, e^2 / 2; beyond delta, where that is steeper, its tangent goes on. */
INLINE struct point huber(real output, real target, const double *reals) {
    real delta = (real)reals[SCALAR_ALPHA];
    real error = output - target, size = error < 0 ? -error : error;
    if (size > delta)
        return (struct point){(double)(delta * (size - delta / 2)), error > 0 ? delta : -delta};
    return (struct point){(double)(error * error / 2), error};
}

/* The size of an error, whose slope is 0 where there is none; else what is left is NaN. */
INLINE struct point absolute_error(real output, real target, const double *reals) {
    (void)reals;
    real error = output - target;
    if (error > 0) return (struct point){(double)error, 1};
    return (struct point){(double)-error, error < 0 ? -1 : error};
}

/* The size of an error in percent of the target's. */
INLINE struct point percentage(real output, real target, const double *reals) {
    struct point size = absolute_error(output, target, reals);
    double whole = fabs((double)target);
    double scale = 100 / (whole < LOSS_EPSILON ? LOSS_EPSILON : whole);
    return (struct point){scale * size.loss, (real)(scale * (double)size.slope)};
}

/* (log(1 + y) - log(1 + t))^2, with epsilon for what is less. */
INLINE struct point squared_logarithmic(real output, real target, const double *reals) {
    (void)reals;
    double y = above(LOSS_EPSILON, (double)output), t = above(LOSS_EPSILON, (double)target);
    double difference = log1p(y) - log1p(t);
    real slope = (real)(2 * difference / (y + 1));
    return (struct point){difference * difference, (double)output < LOSS_EPSILON ? 0 : slope};
}

/* log(cosh e), without a difference of numbers that are larger than it. */
INLINE struct point log_cosh(real output, real target, const double *reals) {
    (void)reals;
    double error = (double)(output - target), size = fabs(error), half = sinh(size / 2);
    double loss = size < 1 ? log1p(2 * half * half) : size + log1p(exp(-2 * size)) - log(2);
    return (struct point){loss, (real)tanh(error)};
}

/* y - t log(y + epsilon) */
INLINE struct point poisson(real output, real target, const double *reals) {
    (void)reals;
    double y = (double)output, t = (double)target;
    return (struct point){y - t * log(y + LOSS_EPSILON), (real)(1 - t / (y + LOSS_EPSILON))};
}

/* max(1 - t y, 0); a target of 0 is one of -1. */
INLINE struct point hinge(real output, real target, const double *reals) {
    (void)reals;
    double sign = target == 0 ? -1 : (double)target, margin = 1 - sign * (double)output;
    return (struct point){above(0, margin), margin > 0 ? (real)-sign : 0};
}

INLINE struct point squared_hinge(real output, real target, const double *reals) {
    struct point side = hinge(output, target, reals);
    real slope = side.slope != 0 ? 2 * side.slope * (real)side.loss : 0;
    return (struct point){side.loss * side.loss, side.loss != side.loss ? (real)side.loss : slope};
}

/* t log(t / y), both clipped to what a probability is, from epsilon to 1. */
INLINE struct point divergence(real output, real target, const double *reals) {
    (void)reals;
    double t = above(LOSS_EPSILON, (double)target), y = above(LOSS_EPSILON, (double)output);
    if (t > 1) t = 1;
    if (y > 1) y = 1 + 0 * y;
    int inside = (double)output >= LOSS_EPSILON && output <= 1;
    return (struct point){t * log(t / y), inside ? (real)(-t / y) : (real)(0 * y)};
}

/* alpha t's excess, or 1 - alpha times y's (Koenker & Bassett, 1978). */
INLINE struct point quantile(real output, real target, const double *reals) {
    double alpha = reals[SCALAR_ALPHA], error = (double)(output - target);
    if (error > 0) return (struct point){(1 - alpha) * error, (real)(1 - alpha)};
    return (struct point){-alpha * error, (real)(error < 0 ? -alpha : error)};
}

/* Focal loss of a question: the cross-entropy of a logit, times its factor, times the probability
   of the wrong answer to the power gamma (Lin et al., 2017). */
INLINE struct point sigmoid_focal(real output, real target, const double *reals) {
    double z = (double)output, e = exp(-fabs(z)), gamma = reals[SCALAR_GAMMA];
    double smoothing = reals[SCALAR_SMOOTHING];
    double t = (double)target * (1 - smoothing) + smoothing / 2;
    double yes = (z < 0 ? e : 1) / (1 + e), no = (z < 0 ? 1 : e) / (1 + e);
    double loss = (z < 0 ? 0 : z) - z * t + log1p(e), wrong = t * no + (1 - t) * yes;
    double factor = t * reals[SCALAR_ALPHA] + (1 - t) * reals[SCALAR_BETA];
    double focus = power(wrong, gamma);
    double bend = gamma != 0 ? gamma * power(wrong, gamma - 1) * (1 - 2 * t) * yes * no : 0;
    double slope = bend * loss + focus * (yes - t);
    return (struct point){factor * focus * loss, (real)(factor * slope)};
}

/* Sigmoid and cross-entropy in one, for targets t from 0 to 1: with e = exp(-|z|), the loss of a
   logit z is max(z, 0) - z t + log(1 + e), without a logarithm of a rounded probability. */
static double sigmoid_crossentropy(const double *reals, const real *logits,
                                   const struct answers *a, real *dlogits) {
    const int64_t features = a->features, n = a->n;
    const vector zero = {0};
    real scale = (real)(1.0 / (double)(features * n));
    real keep = (real)(1 - reals[SCALAR_SMOOTHING]), lift = (real)(reals[SCALAR_SMOOTHING] / 2);
    /* One logarithm for many samples, as of a softmax; the factors are at most 2. */
    double loss = 0, product = 1;
    for (int64_t i = 0; i < features; i++)
        FOR_VECTORS(j, count, n) {
            vector z = load_some(logits + i * n + j, count), target = {0};
            for (int64_t lane = 0; lane < count; lane++)
                target[lane] = a->targets[a->rows[j + lane] * features + i];
            target = keep * target + lift;
            vector e = vector_exp(-absolute(z)), inverse = 1 / (1 + e);
            vector straight = at_least(zero, z) - z * target;
            vector slope = where_less(z, zero, e * inverse, inverse) - target;
            store_some(dlogits + i * n + j, scale * slope, count);
            if (a->weights) {
                for (int64_t lane = 0; lane < count; lane++)
                    loss += weight_of(a, j + lane) *
                            ((double)straight[lane] + log1p((double)e[lane]));
                continue;
            }
            loss += sum_of(straight);
            for (int64_t lane = 0; lane < count; lane++) product *= 1 + (double)e[lane];
            if (product > 1e200) {
                loss += log(product);
                product = 1;
            }
        }
    return (loss + log(product)) / (double)features;
}

/* The weighted sum of the samples' losses; sets dx to their slopes over n. */
static double loss_sum(int64_t kind, const double *reals, const real *x, const struct answers *a,
                       real *scratch, real *dx) {
    int64_t all = a->features;
    switch (kind) {
    case LOSS_SOFTMAX_CROSSENTROPY:
        if (a->labels) return softmax_crossentropy_labels(x, a, scratch, dx);
        return softmax_crossentropy_targets(reals, x, a, scratch, dx);
    case LOSS_MEAN_SQUARED_ERROR: return of_outputs(squared_error, reals, x, a, dx, all);
    case LOSS_HUBER: return of_outputs(huber, reals, x, a, dx, all);
    case LOSS_MEAN_ABSOLUTE_ERROR: return of_outputs(absolute_error, reals, x, a, dx, all);
    case LOSS_SIGMOID_CROSSENTROPY: return sigmoid_crossentropy(reals, x, a, dx);
    case LOSS_MEAN_ABSOLUTE_PERCENTAGE_ERROR: return of_outputs(percentage, reals, x, a, dx, all);
    case LOSS_MEAN_SQUARED_LOGARITHMIC_ERROR:
        return of_outputs(squared_logarithmic, reals, x, a, dx, all);
    case LOSS_LOG_COSH: return of_outputs(log_cosh, reals, x, a, dx, all);
    case LOSS_POISSON: return of_outputs(poisson, reals, x, a, dx, all);
    case LOSS_HINGE: return of_outputs(hinge, reals, x, a, dx, all);
    case LOSS_SQUARED_HINGE: return of_outputs(squared_hinge, reals, x, a, dx, all);
    case LOSS_CATEGORICAL_HINGE: return categorical_hinge(x, a, dx);
    case LOSS_KL_DIVERGENCE: return of_outputs(divergence, reals, x, a, dx, 1);
    case LOSS_COSINE_SIMILARITY: return cosine_similarity(x, a, dx);
    case LOSS_QUANTILE: return of_outputs(quantile, reals, x, a, dx, all);
    case LOSS_SIGMOID_FOCAL: return of_outputs(sigmoid_focal, reals, x, a, dx, all);
    case LOSS_SOFTMAX_FOCAL: return softmax_focal(reals, x, a, scratch, dx);
    }
    return NAN;
}

/* What turns a sum over samples into the batch's loss times its number of samples. */
static double factor_of(int64_t reduction, const struct answers *a) {
    if (reduction == REDUCTION_SUM) return (double)a->n;
    if (reduction == REDUCTION_MEAN || !a->weights) return 1;
    double sum = weight_sum(a);
    return sum != 0 ? (double)a->n / sum : 0;
}

/* The batch's loss times its number of samples; sets dx to the loss's gradient. */
static double loss(int64_t kind, int64_t reduction, const real *x, const int64_t *rows,
                   const int64_t *labels, const real *targets, const real *weights,
                   const double *reals, real *scratch, real *dx, int64_t features, int64_t n) {
    const struct answers a = {rows, labels, targets, weights, features, n};
    double sum = loss_sum(kind, reals, x, &a, scratch, dx);
    double factor = factor_of(reduction, &a);
    if (weights || factor != 1)
        for (int64_t i = 0; i < features; i++)
            for (int64_t j = 0; j < n; j++) dx[i * n + j] *= (real)(weight_of(&a, j) * factor);
    return sum * factor;
}
