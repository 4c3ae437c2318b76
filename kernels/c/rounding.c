/* Sums to which numbers that are too small for one addition are added nevertheless: rounded up or
   down by turns, as kernels/numba/rounding.py explains it. */

/* Whose turn it is, in each lane: 32 bits, for real of 64 bits too, as one conversion is enough. */
typedef uint32_t turns __attribute__((vector_size(4 * LANES)));
typedef int32_t signed_turns __attribute__((vector_size(4 * LANES)));

/* The turns of the elements i, i + 1, ... at a step. */
INLINE turns turns_of(int64_t step, int64_t i) {
    turns first;
    for (int lane = 0; lane < LANES; lane++)
        first[lane] = (uint32_t)step * STEP_STRIDE + (uint32_t)(i + lane) * ELEMENT_STRIDE;
    return first;
}

/* Those of the next elements, LANES further on. */
INLINE turns next_turns(turns now) { return now + (uint32_t)LANES * ELEMENT_STRIDE; }

#if REAL_IS_FLOAT
#define EXPONENT_BITS 0x7F800000
#define EPSILON 0x1p-23f
#else
#define EXPONENT_BITS 0x7FF0000000000000
#define EPSILON 0x1p-52
#endif

/* a + b, or its neighbour away from 0 or towards it, if it is the turn of that one. */
INLINE vector add_evenly(vector a, vector b, turns now) {
    vector total = a + b, lost = b - (total - a);
    integers power = (integers)total & EXPONENT_BITS;
    vector turn = __builtin_convertvector((signed_turns)now, vector);
    vector share = fused(broadcast(EPSILON * (real)0x1p-32), turn, broadcast(EPSILON / 2));
    integers counts = share * (vector)power < absolute(lost);
    vector distance = (vector)(power | ((integers)lost & SIGN)) * EPSILON;
    return total + (vector)((integers)distance & counts);
}
