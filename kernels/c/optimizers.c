/* Optimizer steps over flat vectors: the only place with the algebra of updates, but for plain
   gradient descent, whose step a dense layer takes while it computes its gradient.

   A moment that is too small for a normal number becomes 0, in all rules: see
   `without_denormals`. */

#include <math.h>

/* What an optimizer is given: numbers are read once, since a store to the parameters could change
   them for all that the compiler knows. */
struct step {
    const double *numbers;
    double rate, decay;
    int64_t step;
    int evenly;    /* Round up and down by turns: no change is too small to count. */
    int64_t first; /* The number of the first parameter here, among all. */
};

/* A number of the rule. */
INLINE vector number(const struct step *step, int64_t which) {
    return broadcast((real)step->numbers[which]);
}

/* What is left of 1 by a number of the rule. */
INLINE vector rest_of(const struct step *step, int64_t which) {
    return broadcast((real)(1 - step->numbers[which]));
}

/* How many steps the moments know of, with this one. */
INLINE double steps_of(const struct step *step) {
    return (double)step->step + 1 - step->numbers[NUMBER_STEPS_BEFORE];
}

/* How changes are applied to weights. */
struct manner {
    int evenly, decays;
    vector decay; /* what the decay adds to a weight of 1: Loshchilov & Hutter (2019) */
};

INLINE struct manner manner_of(const struct step *step) {
    return (struct manner){
        .evenly = step->evenly,
        .decays = step->decay != 0,
        .decay = broadcast((real)(-step->rate * step->decay)),
    };
}

/* Let weights decay, and then change.  The decay is a sum of its own, and even: added to the change
   first, it would be lost in float32 where it is less than the rounding of that. */
INLINE void apply(struct manner manner, real *params, vector change, int64_t count, turns now) {
    vector w = load_some(params, count);
    if (manner.decays) w = add_evenly(w, manner.decay * w, now);
    store_some(params, manner.evenly ? add_evenly(w, change, now) : w + change, count);
}

/* v, or 0 if it is too small for a normal number: arithmetic on those is many times slower, and
   moments that decay would stay there. */
INLINE vector without_denormals(vector v) {
    const vector smallest = broadcast(REAL_IS_FLOAT ? (real)0x1p-126 : (real)0x1p-1022);
    return where_less(absolute(v), smallest, (vector){0}, v);
}

/* Replace a moment, and return what it is now. */
INLINE vector keep(real *moment, vector v, int64_t count) {
    v = without_denormals(v);
    store_some(moment, v, count);
    return v;
}

/* Let a moment go on towards x, by a share of the distance. */
INLINE vector follow(real *moment, vector share, vector x, int64_t count) {
    vector m = load_some(moment, count);
    return keep(moment, fused(share, x - m, m), count);
}

/* The same, towards the square of x. */
INLINE vector follow_square(real *moment, vector share, vector x, int64_t count) {
    vector m = load_some(moment, count);
    return keep(moment, fused(share, fused(x, x, -m), m), count);
}

/* The larger of two in each lane; NaN if one of them is. */
INLINE vector larger(vector a, vector b) {
    integers first = (a >= b) | (a != a);
    return (vector)(((integers)a & first) | ((integers)b & ~first));
}

static double square_sum(const real *values, int64_t size) { return sum_of_squares(values, size); }

/* What values with that sum of squares are multiplied with so that their norm is at most a limit.
   If the norm is not finite, that is NaN, and shows. */
static double clipping_scale(double sum, double limit) {
    double norm = sqrt(sum);
    return norm <= limit ? 1 : norm < INFINITY ? limit / norm : NAN;
}

static void clip_values(real limit, real *values, int64_t size) {
    const vector high = broadcast(limit), low = -high;
    FOR_VECTORS(i, count, size) {
        vector v = load_some(values + i, count);
        store_some(values + i, at_most(high, at_least(low, v)), count);
    }
}

/* w -= rate g */
static void descent_step(const struct step *step, real *params, const real *gradient,
                         int64_t size) {
    const vector rate = broadcast(-(real)step->rate);
    FOR_VECTORS(i, count, size) {
        vector w = load_some(params + i, count);
        store_some(params + i, fused(rate, load_some(gradient + i, count), w), count);
    }
}

/* The same, with what a step along the whole gradient may have besides. */
static void whole_descent_step(const struct step *step, real *params, const real *gradient,
                               int64_t size) {
    const vector rate = broadcast(-(real)step->rate);
    const struct manner manner = manner_of(step);
    turns now = turns_of(step->step, step->first);
    FOR_VECTORS(i, count, size) {
        apply(manner, params + i, rate * load_some(gradient + i, count), count, now);
        now = next_turns(now);
    }
}

/* Keras' form: v = m v - rate g, then w += v, or w += m v - rate g (Nesterov). */
static void momentum_step(const struct step *step, real *params, const real *gradient,
                          real *velocity, int64_t size) {
    const vector rate = broadcast((real)step->rate);
    const vector momentum = number(step, NUMBER_MOMENTUM);
    const int nesterov = step->numbers[NUMBER_NESTEROV] != 0;
    const struct manner manner = manner_of(step);
    turns now = turns_of(step->step, step->first);
    FOR_VECTORS(i, count, size) {
        vector change = rate * load_some(gradient + i, count);
        vector v = fused(momentum, load_some(velocity + i, count), -change);
        v = keep(velocity + i, v, count);
        change = nesterov ? fused(momentum, v, -change) : v;
        apply(manner, params + i, change, count, now);
        now = next_turns(now);
    }
}

/* Keras' form of Hinton's RMSprop (2012): with the mean square s += (1 - rho) (g^2 - s),
   w -= rate g / sqrt(s + epsilon).  Centered (Graves, 2013), s is less by the square of the mean
   a += (1 - rho) (g - a), but never below 0, as rounding may have it.  With a velocity, that
   change is added to v = m v, and w changes by v. */
static void rmsprop_step(const struct step *step, real *params, const real *gradient, real *square,
                         real *velocity, real *mean, int64_t size) {
    const vector rate = broadcast(-(real)step->rate);
    const vector rest = rest_of(step, NUMBER_RHO), epsilon = number(step, NUMBER_EPSILON);
    const vector momentum = number(step, NUMBER_MOMENTUM);
    const struct manner manner = manner_of(step);
    turns now = turns_of(step->step, step->first);
    FOR_VECTORS(i, count, size) {
        vector g = load_some(gradient + i, count);
        vector s = follow_square(square + i, rest, g, count);
        if (mean) {
            vector a = follow(mean + i, rest, g, count);
            s = at_least((vector){0}, fused(-a, a, s));
        }
        vector change = rate * g / square_root(s + epsilon);
        if (velocity)
            change = keep(velocity + i,
                          fused(momentum, load_some(velocity + i, count), change), count);
        apply(manner, params + i, change, count, now);
        now = next_turns(now);
    }
}

/* Duchi, Hazan & Singer (2011): s += g^2, w -= rate g / sqrt(s + epsilon).  The sum's first value
   is added where it is used, so that all moments start from 0. */
static void adagrad_step(const struct step *step, real *params, const real *gradient, real *sum,
                         int64_t size) {
    const double *numbers = step->numbers;
    const vector rate = broadcast(-(real)step->rate);
    const vector least = broadcast(
        (real)(numbers[NUMBER_INITIAL_ACCUMULATOR_VALUE] + numbers[NUMBER_EPSILON]));
    const struct manner manner = manner_of(step);
    turns now = turns_of(step->step, step->first);
    FOR_VECTORS(i, count, size) {
        vector g = load_some(gradient + i, count);
        vector s = keep(sum + i, fused(g, g, load_some(sum + i, count)), count);
        apply(manner, params + i, rate * g / square_root(s + least), count, now);
        now = next_turns(now);
    }
}

/* Zeiler (2012): s += (1 - rho) (g^2 - s), d = g sqrt(c + epsilon) / sqrt(s + epsilon),
   c += (1 - rho) (d^2 - c), w -= rate d. */
static void adadelta_step(const struct step *step, real *params, const real *gradient,
                          real *square, real *changes, int64_t size) {
    const vector rate = broadcast(-(real)step->rate);
    const vector rest = rest_of(step, NUMBER_RHO), epsilon = number(step, NUMBER_EPSILON);
    const struct manner manner = manner_of(step);
    turns now = turns_of(step->step, step->first);
    FOR_VECTORS(i, count, size) {
        vector g = load_some(gradient + i, count);
        vector s = follow_square(square + i, rest, g, count);
        vector c = load_some(changes + i, count);
        vector d = g * (square_root(c + epsilon) / square_root(s + epsilon));
        follow_square(changes + i, rest, d, count);
        apply(manner, params + i, rate * d, count, now);
        now = next_turns(now);
    }
}

/* Algorithm 1 of Kingma & Ba (2015); the decay is that of Loshchilov & Hutter (2019):
   m += (1 - b1) (g - m), v += (1 - b2) (g^2 - v), and with t steps up to this one
   w -= rate (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon) + decay w).
   AMSGrad (Reddi, Kale & Kumar, 2018) divides by the largest v so far. */
static void adam_step(const struct step *step, real *params, const real *gradient, real *mean,
                      real *square, real *largest, int64_t size) {
    const double *numbers = step->numbers, t = steps_of(step);
    const struct manner manner = manner_of(step);
    const vector rest1 = rest_of(step, NUMBER_BETA_1), rest2 = rest_of(step, NUMBER_BETA_2);
    const vector scale = broadcast((real)(-step->rate / (1 - pow(numbers[NUMBER_BETA_1], t))));
    const vector correction = broadcast((real)(1 / (1 - pow(numbers[NUMBER_BETA_2], t))));
    const vector epsilon = number(step, NUMBER_EPSILON);
    turns now = turns_of(step->step, step->first);
    FOR_VECTORS(i, count, size) {
        vector g = load_some(gradient + i, count);
        vector m = follow(mean + i, rest1, g, count);
        vector v = follow_square(square + i, rest2, g, count);
        if (largest) v = keep(largest + i, larger(load_some(largest + i, count), v), count);
        vector change = scale * m / (square_root(v * correction) + epsilon);
        apply(manner, params + i, change, count, now);
        now = next_turns(now);
    }
}

/* Section 7.1 of Kingma & Ba (2015), with an epsilon: m as in Adam, u = max(b2 u, |g|),
   w -= rate m / (1 - b1^t) / (u + epsilon). */
static void adamax_step(const struct step *step, real *params, const real *gradient, real *mean,
                        real *largest, int64_t size) {
    const double *numbers = step->numbers, t = steps_of(step);
    const struct manner manner = manner_of(step);
    const vector rest = rest_of(step, NUMBER_BETA_1), beta2 = number(step, NUMBER_BETA_2);
    const vector scale = broadcast((real)(-step->rate / (1 - pow(numbers[NUMBER_BETA_1], t))));
    const vector epsilon = number(step, NUMBER_EPSILON);
    turns now = turns_of(step->step, step->first);
    FOR_VECTORS(i, count, size) {
        vector g = load_some(gradient + i, count);
        vector m = follow(mean + i, rest, g, count);
        vector u = larger(beta2 * load_some(largest + i, count), absolute(g));
        u = keep(largest + i, u, count);
        apply(manner, params + i, scale * m / (u + epsilon), count, now);
        now = next_turns(now);
    }
}

/* Nadam's momentum at step t, counted from 1. */
INLINE double momentum_at(double beta1, double t) { return beta1 * (1 - 0.5 * pow(0.96, t)); }

/* The product of those up to step t.  Of the second factors, those beyond the 900th are 1 but for
   rounding; and of a product that 1 is subtracted from, what is below 2^-60 does not count. */
static double momentums_up_to(double beta1, double t) {
    double product = pow(beta1, t), power = 1;
    if (product < 0x1p-60) return 0;
    for (int64_t i = 1; i <= 900 && (double)i <= t; i++) {
        power *= 0.96;
        product *= 1 - 0.5 * power;
    }
    return product;
}

/* Dozat (2016): m and v as in Adam, and with the momentum u_t = b1 (1 - 0.96^t / 2) and p_t, the
   product of u_1 to u_t, w -= rate (u_(t+1) m / (1 - p_(t+1)) + (1 - u_t) g / (1 - p_t))
   / (sqrt(v / (1 - b2^t)) + epsilon). */
static void nadam_step(const struct step *step, real *params, const real *gradient, real *mean,
                       real *square, int64_t size) {
    const double beta1 = step->numbers[NUMBER_BETA_1], t = steps_of(step);
    const double product = momentums_up_to(beta1, t), next = momentum_at(beta1, t + 1);
    const struct manner manner = manner_of(step);
    const vector rest1 = rest_of(step, NUMBER_BETA_1), rest2 = rest_of(step, NUMBER_BETA_2);
    const vector of_mean = broadcast((real)(-step->rate * next / (1 - product * next)));
    const vector of_gradient =
        broadcast((real)(-step->rate * (1 - momentum_at(beta1, t)) / (1 - product)));
    const vector correction = broadcast((real)(1 / (1 - pow(step->numbers[NUMBER_BETA_2], t))));
    const vector epsilon = number(step, NUMBER_EPSILON);
    turns now = turns_of(step->step, step->first);
    FOR_VECTORS(i, count, size) {
        vector g = load_some(gradient + i, count);
        vector m = follow(mean + i, rest1, g, count);
        vector v = follow_square(square + i, rest2, g, count);
        vector change = fused(of_mean, m, of_gradient * g);
        change = change / (square_root(v * correction) + epsilon);
        apply(manner, params + i, change, count, now);
        now = next_turns(now);
    }
}

/* Chen et al. (2023): w -= rate sign(m + (1 - b1) (g - m)), then m += (1 - b2) (g - m).  The sign
   of 0 is 0, that of NaN is NaN. */
static void lion_step(const struct step *step, real *params, const real *gradient, real *mean,
                      int64_t size) {
    const vector rate = broadcast(-(real)step->rate), zero = {0};
    const vector rest1 = rest_of(step, NUMBER_BETA_1), rest2 = rest_of(step, NUMBER_BETA_2);
    const struct manner manner = manner_of(step);
    turns now = turns_of(step->step, step->first);
    FOR_VECTORS(i, count, size) {
        vector g = load_some(gradient + i, count), m = load_some(mean + i, count);
        vector c = fused(rest1, g - m, m);
        c = where_less(c, zero, -rate, where_less(zero, c, rate, c));
        follow(mean + i, rest2, g, count);
        apply(manner, params + i, c, count, now);
        now = next_turns(now);
    }
}

static void optimizer_step(int64_t rule, double rate, double decay, int64_t step, int64_t evenly,
                           int64_t first, real *params, const real *gradient, real *m1, real *m2,
                           real *m3, const double *numbers, int64_t size) {
    const struct step now = {numbers, rate, decay, step, evenly != 0, first};
    switch (rule) {
    case RULE_DESCENT: descent_step(&now, params, gradient, size); break;
    case RULE_WHOLE_DESCENT: whole_descent_step(&now, params, gradient, size); break;
    case RULE_MOMENTUM: momentum_step(&now, params, gradient, m1, size); break;
    case RULE_RMSPROP: rmsprop_step(&now, params, gradient, m1, NULL, NULL, size); break;
    case RULE_RMSPROP_MOMENTUM: rmsprop_step(&now, params, gradient, m1, m2, NULL, size); break;
    case RULE_RMSPROP_CENTERED: rmsprop_step(&now, params, gradient, m1, m2, m3, size); break;
    case RULE_ADAGRAD: adagrad_step(&now, params, gradient, m1, size); break;
    case RULE_ADADELTA: adadelta_step(&now, params, gradient, m1, m2, size); break;
    case RULE_ADAM: adam_step(&now, params, gradient, m1, m2, NULL, size); break;
    case RULE_AMSGRAD: adam_step(&now, params, gradient, m1, m2, m3, size); break;
    case RULE_ADAMAX: adamax_step(&now, params, gradient, m1, m2, size); break;
    case RULE_NADAM: nadam_step(&now, params, gradient, m1, m2, size); break;
    case RULE_LION: lion_step(&now, params, gradient, m1, size); break;
    }
}

/* Let a running mean of the parameters follow them; NaN stands for none yet. */
static void average_step(double momentum, const real *params, real *average, int64_t size) {
    const vector share = broadcast((real)(1 - momentum));
    FOR_VECTORS(i, count, size) {
        vector w = load_some(params + i, count), a = load_some(average + i, count);
        integers none = a != a;
        a = fused(share, w - a, a);
        a = (vector)(((integers)w & none) | ((integers)a & ~none));
        store_some(average + i, a, count);
    }
}
