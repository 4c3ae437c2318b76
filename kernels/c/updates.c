/* Optimizer steps over flat vectors. */

/* Change the velocity by the gradient g; returns the step. */
INLINE vector momentum_change(vector g, real *velocity, int64_t count, const double *hyper) {
    vector momentum = broadcast((real)hyper[HYPER_MOMENTUM]);
    vector step = (real)hyper[HYPER_LEARNING_RATE] * g;
    vector v = fused(momentum, load_some(velocity, count), -step);
    store_some(velocity, v, count);
    return hyper[HYPER_NESTEROV] != 0 ? fused(momentum, v, -step) : v;
}

/* Keras' form: v = m v - rate g, then params += v, or m v - rate g (Nesterov); without a velocity
   plain gradient descent, params -= rate g. */
static void sgd_step(real *params, const real *gradient, real *velocity, const double *hyper,
                     int64_t size) {
    real rate = (real)hyper[HYPER_LEARNING_RATE];
    FOR_VECTORS(i, count, size) {
        vector g = load_some(gradient + i, count), w = load_some(params + i, count);
        if (velocity) {
            vector change = momentum_change(g, velocity + i, count, hyper);
            store_some(params + i, w + change, count);
        } else {
            store_some(params + i, fused(broadcast(-rate), g, w), count);
        }
    }
}

/* The step with momentum for a net with penalties: no velocity is too small to count, also where
   the data have no gradient.  The vectors are those of all parameters from the number `first` on. */
static void sgd_step_evenly(int64_t step, int64_t first, real *params, const real *gradient,
                            real *velocity, const double *hyper, int64_t size) {
    turns now = turns_of(step, first);
    FOR_VECTORS(i, count, size) {
        vector g = load_some(gradient + i, count), w = load_some(params + i, count);
        vector change = momentum_change(g, velocity + i, count, hyper);
        store_some(params + i, add_evenly(w, change, now), count);
        now = next_turns(now);
    }
}
