/* Sums to which numbers that are too small for one addition are added nevertheless: rounded up or
   down by turns, as kernels/compiled/rounding.py explains it. */

INLINE uint32_t low_31_bits(int64_t step, int64_t i) {
    return ((uint32_t)step * STEP_STRIDE + (uint32_t)i * ELEMENT_STRIDE) & 0x7FFFFFFFu;
}

/* Where, between 0 and 1, the elements i, i + 1, ... round up at a step. */
INLINE vector thresholds(int64_t step, int64_t i) {
    vector fractions;
    for (int lane = 0; lane < LANES; lane++)
        fractions[lane] = (real)(int32_t)low_31_bits(step, i + lane);
    return (fractions + (real)0.5) * (real)0x1p-31;
}

#if REAL_IS_FLOAT
#define EXPONENT_BITS 0x7F800000
#define EPSILON 0x1p-23f
#else
#define EXPONENT_BITS 0x7FF0000000000000
#define EPSILON 0x1p-52
#endif

INLINE vector add_evenly(vector a, vector b, vector limits) {
    const vector zero = {0};
    vector total = a + b, lost = b - (total - a);
    vector distance = (vector)((integers)total & EXPONENT_BITS) * EPSILON;
    vector step = where_less(limits * distance, absolute(lost), with_sign_of(distance, lost), zero);
    return total + step;
}
