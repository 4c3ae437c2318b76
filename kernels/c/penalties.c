/* Penalties on weights, l1 |w| + l2 w^2, with value and gradient; at 0 the subgradient is 0.
   Both uses of the gradient round evenly over the steps: a penalty of 1e-8 changes a weight by less
   than its rounding. */

/* One sum, each of whose additions waits for the one before, took 6 % of the step of a net
   64-100-10. */
static double penalty(double l1, double l2, const real *weights, int64_t size) {
    return l1 * sum_of_magnitudes(weights, size) + l2 * sum_of_squares(weights, size);
}

INLINE vector penalty_slope(real l1, real l2, vector w) {
    const vector zero = {0};
    vector l1_part = where_less(zero, w, broadcast(l1), where_less(w, zero, broadcast(-l1), zero));
    return fused(broadcast(l2 + l2), w, l1_part);
}

/* Add the gradient at the weights, which are those of a tensor from the number `first` on. */
static void penalty_gradient(real l1, real l2, int64_t step, int64_t first, const real *weights,
                             real *gradient, int64_t size) {
    turns now = turns_of(step, first);
    FOR_VECTORS(i, count, size) {
        vector slope = penalty_slope(l1, l2, load_some(weights + i, count));
        vector sum = add_evenly(load_some(gradient + i, count), slope, now);
        store_some(gradient + i, sum, count);
        now = next_turns(now);
    }
}

/* Take the penalty's part of an SGD step. */
static void penalty_update(real l1, real l2, real rate, int64_t step, int64_t first, real *weights,
                           int64_t size) {
    turns now = turns_of(step, first);
    FOR_VECTORS(i, count, size) {
        vector w = load_some(weights + i, count);
        vector change = penalty_slope(-rate * l1, -rate * l2, w);
        store_some(weights + i, add_evenly(w, change, now), count);
        now = next_turns(now);
    }
}

/* Add the slopes of the penalties on outputs to the gradient with respect to them. */
static void activity_gradient(real l1, real l2, const real *y, real *dy, int64_t size) {
    FOR_VECTORS(i, count, size)
    store_some(dy + i, load_some(dy + i, count) + penalty_slope(l1, l2, load_some(y + i, count)),
               count);
}
