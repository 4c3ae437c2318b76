/* Optimizer steps over flat vectors. */

/* Keras' form: v = m v - rate g, then params += v, or m v - rate g (Nesterov); without a velocity
   plain gradient descent, params -= rate g. */
static void sgd_step(real *params, const real *gradient, real *velocity, const double *hyper,
                     int64_t size) {
    real rate = (real)hyper[HYPER_LEARNING_RATE], momentum = (real)hyper[HYPER_MOMENTUM];
    int nesterov = hyper[HYPER_NESTEROV] != 0;
    FOR_VECTORS(i, count, size) {
        vector step = rate * load_some(gradient + i, count);
        vector w = load_some(params + i, count);
        if (velocity) {
            vector v = momentum * load_some(velocity + i, count) - step;
            store_some(velocity + i, v, count);
            store_some(params + i, w + (nesterov ? momentum * v - step : v), count);
        } else {
            store_some(params + i, w - step, count);
        }
    }
}
