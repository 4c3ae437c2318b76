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
static double softmax_crossentropy_targets(const real *logits, const struct answers *a,
                                           real *scratch, real *dlogits) {
    const int64_t features = a->features, n = a->n;
    const real *largest = scratch, *inverse = scratch + n;
    real share = (real)(1.0 / (double)n);
    softmax_forward(logits, scratch, dlogits, features, n);
    double loss = 0;
    for (int64_t j = 0; j < n; j++) {
        const real *target = a->targets + a->rows[j] * features;
        double log_inverse = log((double)inverse[j]), weight = weight_of(a, j);
        real mass = 0; /* 1 but for rounding */
        for (int64_t i = 0; i < features; i++) mass += target[i];
        for (int64_t i = 0; i < features; i++) {
            if (target[i] != 0) {
                double log_probability = (double)(logits[i * n + j] - largest[j]) + log_inverse;
                loss -= weight * ((double)target[i] * log_probability);
            }
            dlogits[i * n + j] = share * (dlogits[i * n + j] * mass - target[i]);
        }
    }
    return loss;
}

/* The loss of one output, and its slope. */
struct point {
    double loss;
    real slope;
};

/* sum_j mean_i of the losses of single outputs, and the gradient over n. */
INLINE double of_outputs(struct point (*of)(real output, real target, real alpha), real alpha,
                         const real *outputs, const struct answers *a, real *doutputs) {
    const int64_t features = a->features, n = a->n;
    real scale = (real)(1.0 / (double)(features * n));
    double loss = 0;
    for (int64_t i = 0; i < features; i++)
        for (int64_t j = 0; j < n; j++) {
            real target = a->targets[a->rows[j] * features + i];
            struct point point = of(outputs[i * n + j], target, alpha);
            loss += weight_of(a, j) * point.loss;
            doutputs[i * n + j] = scale * point.slope;
        }
    return loss / (double)features;
}

INLINE struct point squared_error(real output, real target, real alpha) {
    (void)alpha;
    real error = output - target;
    return (struct point){(double)(error * error), 2 * error};
}

/* For an error e, e^2 / 2; beyond delta, where that is steeper, its tangent goes on. */
INLINE struct point huber(real output, real target, real delta) {
    real error = output - target, size = error < 0 ? -error : error;
    if (size > delta)
        return (struct point){(double)(delta * (size - delta / 2)), error > 0 ? delta : -delta};
    return (struct point){(double)(error * error / 2), error};
}

/* The size of an error, whose slope is 0 where there is none; else what is left is NaN. */
INLINE struct point absolute_error(real output, real target, real alpha) {
    (void)alpha;
    real error = output - target;
    if (error > 0) return (struct point){(double)error, 1};
    return (struct point){(double)-error, error < 0 ? -1 : error};
}

/* Sigmoid and cross-entropy in one, for targets t from 0 to 1: with e = exp(-|z|), the loss of a
   logit z is max(z, 0) - z t + log(1 + e), without a logarithm of a rounded probability. */
static double sigmoid_crossentropy(const real *logits, const struct answers *a, real *dlogits) {
    const int64_t features = a->features, n = a->n;
    const vector zero = {0};
    real scale = (real)(1.0 / (double)(features * n));
    /* One logarithm for many samples, as of a softmax; the factors are at most 2. */
    double loss = 0, product = 1;
    for (int64_t i = 0; i < features; i++)
        FOR_VECTORS(j, count, n) {
            vector z = load_some(logits + i * n + j, count), target = {0};
            for (int64_t lane = 0; lane < count; lane++)
                target[lane] = a->targets[a->rows[j + lane] * features + i];
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
static double loss_sum(int64_t kind, real alpha, const real *x, const struct answers *a,
                       real *scratch, real *dx) {
    switch (kind) {
    case LOSS_SOFTMAX_CROSSENTROPY:
        if (a->labels) return softmax_crossentropy_labels(x, a, scratch, dx);
        return softmax_crossentropy_targets(x, a, scratch, dx);
    case LOSS_MEAN_SQUARED_ERROR: return of_outputs(squared_error, alpha, x, a, dx);
    case LOSS_HUBER: return of_outputs(huber, alpha, x, a, dx);
    case LOSS_MEAN_ABSOLUTE_ERROR: return of_outputs(absolute_error, alpha, x, a, dx);
    case LOSS_SIGMOID_CROSSENTROPY: return sigmoid_crossentropy(x, a, dx);
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
    double sum = loss_sum(kind, (real)reals[SCALAR_ALPHA], x, &a, scratch, dx);
    double factor = factor_of(reduction, &a);
    if (weights || factor != 1)
        for (int64_t i = 0; i < features; i++)
            for (int64_t j = 0; j < n; j++) dx[i * n + j] *= (real)(weight_of(&a, j) * factor);
    return sum * factor;
}
