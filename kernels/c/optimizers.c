/* Optimizer steps over flat vectors: the only place with the algebra of updates, but for plain
   gradient descent, whose step a dense layer takes while it computes its gradient. */

#include <math.h>

/* What an optimizer is given: numbers are read once, since a store to the parameters could change
   them for all that the compiler knows. */
struct step {
    const double *numbers;
    double rate;
    int64_t step;
    int evenly;    /* Round up and down by turns: no change is too small to count. */
    int64_t first; /* The number of the first parameter here, among all. */
};

INLINE void apply(int evenly, real *params, vector change, int64_t count, turns now) {
    vector w = load_some(params, count);
    store_some(params, evenly ? add_evenly(w, change, now) : w + change, count);
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

/* Keras' form: v = m v - rate g, then w += v, or w += m v - rate g (Nesterov). */
static void momentum_step(const struct step *step, real *params, const real *gradient,
                          real *velocity, int64_t size) {
    const vector rate = broadcast((real)step->rate);
    const vector momentum = broadcast((real)step->numbers[NUMBER_MOMENTUM]);
    const int nesterov = step->numbers[NUMBER_NESTEROV] != 0, evenly = step->evenly;
    turns now = turns_of(step->step, step->first);
    FOR_VECTORS(i, count, size) {
        vector change = rate * load_some(gradient + i, count);
        vector v = fused(momentum, load_some(velocity + i, count), -change);
        store_some(velocity + i, v, count);
        apply(evenly, params + i, nesterov ? fused(momentum, v, -change) : v, count, now);
        now = next_turns(now);
    }
}

/* v, or 0 if it is too small for a normal number: arithmetic on those is many times slower, and
   moments that decay would stay there. */
INLINE vector without_denormals(vector v) {
    const vector smallest = broadcast(REAL_IS_FLOAT ? (real)0x1p-126 : (real)0x1p-1022);
    return where_less(absolute(v), smallest, (vector){0}, v);
}

/* Algorithm 1 of Kingma & Ba (2015); the decay is that of Loshchilov & Hutter (2019):
   m += (1 - b1) (g - m), v += (1 - b2) (g^2 - v), and with t steps up to this one
   w -= rate (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon) + decay w). */
static void adam_step(const struct step *step, real *params, const real *gradient, real *mean,
                      real *square, int64_t size) {
    const double *numbers = step->numbers;
    const int evenly = step->evenly;
    const double t = (double)step->step + 1;
    const double beta1 = numbers[NUMBER_BETA_1], beta2 = numbers[NUMBER_BETA_2];
    const vector rest1 = broadcast((real)(1 - beta1)), rest2 = broadcast((real)(1 - beta2));
    const vector scale = broadcast((real)(-step->rate / (1 - pow(beta1, t))));
    const vector correction = broadcast((real)(1 / (1 - pow(beta2, t))));
    const vector epsilon = broadcast((real)numbers[NUMBER_EPSILON]);
    const vector decay = broadcast((real)(-step->rate * numbers[NUMBER_WEIGHT_DECAY]));
    turns now = turns_of(step->step, step->first);
    FOR_VECTORS(i, count, size) {
        vector g = load_some(gradient + i, count);
        vector m = load_some(mean + i, count), v = load_some(square + i, count);
        m = without_denormals(fused(rest1, g - m, m));
        v = without_denormals(fused(rest2, fused(g, g, -v), v));
        store_some(mean + i, m, count);
        store_some(square + i, v, count);
        vector change = scale * m / (square_root(v * correction) + epsilon);
        change = fused(decay, load_some(params + i, count), change);
        apply(evenly, params + i, change, count, now);
        now = next_turns(now);
    }
}

static void optimizer_step(int64_t rule, double rate, int64_t step, int64_t evenly, int64_t first,
                           real *params, const real *gradient, real *first_moment,
                           real *second_moment, const double *numbers, int64_t size) {
    const struct step the_step = {numbers, rate, step, evenly != 0, first};
    switch (rule) {
    case RULE_DESCENT: descent_step(&the_step, params, gradient, size); break;
    case RULE_MOMENTUM: momentum_step(&the_step, params, gradient, first_moment, size); break;
    case RULE_ADAM:
        adam_step(&the_step, params, gradient, first_moment, second_moment, size);
        break;
    }
}
