/* Optimizer steps over flat vectors. */

/* The optimizer's numbers, read once: a store to the parameters could change them, for all that the
   compiler knows, and it would read and convert them again for each vector. */
struct rule {
    vector rate, momentum;
    int nesterov;
};

static struct rule rule_of(const double *hyper) {
    return (struct rule){broadcast((real)hyper[HYPER_LEARNING_RATE]),
                         broadcast((real)hyper[HYPER_MOMENTUM]), hyper[HYPER_NESTEROV] != 0};
}

/* Change the velocity by the gradient g; returns the step. */
INLINE vector momentum_change(const struct rule *rule, vector g, real *velocity, int64_t count) {
    vector step = rule->rate * g;
    vector v = fused(rule->momentum, load_some(velocity, count), -step);
    store_some(velocity, v, count);
    return rule->nesterov ? fused(rule->momentum, v, -step) : v;
}

/* Keras' form: v = m v - rate g, then params += v, or m v - rate g (Nesterov); without a velocity
   plain gradient descent, params -= rate g. */
static void sgd_step(real *params, const real *gradient, real *velocity, const double *hyper,
                     int64_t size) {
    const struct rule rule = rule_of(hyper);
    FOR_VECTORS(i, count, size) {
        vector g = load_some(gradient + i, count), w = load_some(params + i, count);
        if (velocity) {
            vector change = momentum_change(&rule, g, velocity + i, count);
            store_some(params + i, w + change, count);
        } else {
            store_some(params + i, fused(-rule.rate, g, w), count);
        }
    }
}

/* The step with momentum for a net with penalties: no velocity is too small to count, also where
   the data have no gradient.  The vectors are those of all parameters from the number `first` on. */
static void sgd_step_evenly(int64_t step, int64_t first, real *params, const real *gradient,
                            real *velocity, const double *hyper, int64_t size) {
    const struct rule rule = rule_of(hyper);
    turns now = turns_of(step, first);
    FOR_VECTORS(i, count, size) {
        vector g = load_some(gradient + i, count), w = load_some(params + i, count);
        vector change = momentum_change(&rule, g, velocity + i, count);
        store_some(params + i, add_evenly(w, change, now), count);
        now = next_turns(now);
    }
}
