/* Losses: the sum over the batch, and the gradient of the *mean* over the batch.  Logits and
   outputs are (features, n); labels (count,) and targets (count, features) are the data set's. */

#include <math.h>

static void scale_by(real factor, real *values, int64_t size) {
    FOR_VECTORS(i, count, size)
    store_some(values + i, factor * load_some(values + i, count), count);
}

/* loss = sum_j logsumexp(logits[:, j]) - logits[label, j]; dlogits = (softmax - onehot) / n. */
static double softmax_crossentropy_labels(const real *logits, const int64_t *rows,
                                          const int64_t *labels, real *scratch, real *dlogits,
                                          int64_t features, int64_t n) {
    const real *largest = scratch, *inverse = scratch + n;
    const integers one = (integers)broadcast(1);
    real share = (real)(1.0 / (double)n);
    softmax_forward(logits, scratch, dlogits, features, n);
    /* A sum of logarithms is the logarithm of a product: one for the batch, not one for each
       sample.  The factors are at most 1 and at least 1 / features. */
    double loss = 0, product = 1;
    FOR_VECTORS(j, count, n) {
        integers label = {0}, chosen = {0};
        for (int64_t lane = 0; lane < count; lane++)
            label[lane] = (integer)labels[rows[j + lane]];
        /* Looking at every class is faster than to change one number of a vector that was just
           written: what reads it next would have to wait. */
        for (int64_t i = 0; i < features; i++) {
            integers is_label = label == (integer)i;
            real *at = dlogits + i * n + j;
            chosen |= (integers)load_some(logits + i * n + j, count) & is_label;
            store_some(at, share * (load_some(at, count) - (vector)(one & is_label)), count);
        }
        loss += sum_of(load_some(largest + j, count) - (vector)chosen);
        for (int64_t lane = 0; lane < count; lane++) product *= inverse[j + lane];
        if (product < 1e-200) {
            loss -= log(product);
            product = 1;
        }
    }
    return loss - log(product);
}

/* The same for targets that are distributions over the classes. */
static double softmax_crossentropy_targets(const real *logits, const int64_t *rows,
                                           const real *targets, real *scratch, real *dlogits,
                                           int64_t features, int64_t n) {
    const real *largest = scratch, *inverse = scratch + n;
    softmax_forward(logits, scratch, dlogits, features, n);
    double loss = 0;
    for (int64_t j = 0; j < n; j++) {
        const real *target = targets + rows[j] * features;
        double log_inverse = log((double)inverse[j]);
        real mass = 0; /* 1 but for rounding */
        for (int64_t i = 0; i < features; i++) mass += target[i];
        for (int64_t i = 0; i < features; i++) {
            if (target[i] != 0) {
                double log_probability = (double)(logits[i * n + j] - largest[j]) + log_inverse;
                loss -= (double)target[i] * log_probability;
            }
            dlogits[i * n + j] = dlogits[i * n + j] * mass - target[i];
        }
    }
    scale_by((real)(1.0 / (double)n), dlogits, features * n);
    return loss;
}

/* sum_j mean_i (outputs[i, j] - targets[rows[j], i])^2 and its gradient over n. */
static double mean_squared_error(const real *outputs, const int64_t *rows, const real *targets,
                                 real *doutputs, int64_t features, int64_t n) {
    real scale = (real)(2.0 / (double)(features * n));
    double loss = 0;
    for (int64_t i = 0; i < features; i++)
        for (int64_t j = 0; j < n; j++) {
            real difference = outputs[i * n + j] - targets[rows[j] * features + i];
            loss += (double)(difference * difference);
            doutputs[i * n + j] = scale * difference;
        }
    return loss / (double)features;
}

/* The loss of one output, and its slope. */
struct point {
    real loss, slope;
};

/* sum_j mean_i of the losses of single outputs, and the gradient over n. */
INLINE double of_outputs(struct point (*of)(real output, real target, real alpha), real alpha,
                         const real *outputs, const int64_t *rows, const real *targets,
                         real *doutputs, int64_t features, int64_t n) {
    real scale = (real)(1.0 / (double)(features * n));
    double loss = 0;
    for (int64_t i = 0; i < features; i++)
        for (int64_t j = 0; j < n; j++) {
            real target = targets[rows[j] * features + i];
            struct point point = of(outputs[i * n + j], target, alpha);
            loss += (double)point.loss;
            doutputs[i * n + j] = scale * point.slope;
        }
    return loss / (double)features;
}

/* For an error e, e^2 / 2; beyond delta, where that is steeper, its tangent goes on. */
INLINE struct point huber(real output, real target, real delta) {
    real error = output - target, size = error < 0 ? -error : error;
    if (size > delta)
        return (struct point){delta * (size - delta / 2), error > 0 ? delta : -delta};
    return (struct point){error * error / 2, error};
}

/* The size of an error, whose slope is 0 where there is none; else what is left is NaN. */
INLINE struct point absolute_error(real output, real target, real alpha) {
    (void)alpha;
    real error = output - target;
    if (error > 0) return (struct point){error, 1};
    return (struct point){-error, error < 0 ? -1 : error};
}

/* Sigmoid and cross-entropy in one, for targets t from 0 to 1: with e = exp(-|z|), the loss of a
   logit z is max(z, 0) - z t + log(1 + e), without a logarithm of a rounded probability. */
static double sigmoid_crossentropy(const real *logits, const int64_t *rows, const real *targets,
                                   real *dlogits, int64_t features, int64_t n) {
    const vector zero = {0};
    real scale = (real)(1.0 / (double)(features * n));
    /* One logarithm for many samples, as of a softmax; the factors are at most 2. */
    double loss = 0, product = 1;
    for (int64_t i = 0; i < features; i++)
        FOR_VECTORS(j, count, n) {
            vector z = load_some(logits + i * n + j, count), target = {0};
            for (int64_t lane = 0; lane < count; lane++)
                target[lane] = targets[rows[j + lane] * features + i];
            vector e = vector_exp(-absolute(z)), inverse = 1 / (1 + e);
            loss += sum_of(at_least(zero, z) - z * target);
            for (int64_t lane = 0; lane < count; lane++) product *= 1 + (double)e[lane];
            if (product > 1e200) {
                loss += log(product);
                product = 1;
            }
            vector slope = where_less(z, zero, e * inverse, inverse) - target;
            store_some(dlogits + i * n + j, scale * slope, count);
        }
    return (loss + log(product)) / (double)features;
}

/* The batch's summed loss; sets dx to the gradient of the mean.  Either labels or targets is NULL. */
static double loss(int64_t kind, real alpha, const real *x, const int64_t *rows,
                   const int64_t *labels, const real *targets, real *scratch, real *dx,
                   int64_t features, int64_t n) {
    switch (kind) {
    case LOSS_SOFTMAX_CROSSENTROPY:
        if (labels) return softmax_crossentropy_labels(x, rows, labels, scratch, dx, features, n);
        return softmax_crossentropy_targets(x, rows, targets, scratch, dx, features, n);
    case LOSS_MEAN_SQUARED_ERROR:
        return mean_squared_error(x, rows, targets, dx, features, n);
    case LOSS_HUBER:
        return of_outputs(huber, alpha, x, rows, targets, dx, features, n);
    case LOSS_MEAN_ABSOLUTE_ERROR:
        return of_outputs(absolute_error, alpha, x, rows, targets, dx, features, n);
    case LOSS_SIGMOID_CROSSENTROPY:
        return sigmoid_crossentropy(x, rows, targets, dx, features, n);
    }
    return NAN;
}
