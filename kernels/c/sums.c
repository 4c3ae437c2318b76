/* Long sums of numbers, in double: sixteen sums side by side, so that no addition waits for the one
   before, in an order that depends on the size alone.  Each in a loop of its own, of which the
   compiler makes vectors; of two sums in one loop it makes a shuffle of lanes. */

#include <math.h>

INLINE double sum_of_sixteen(const double *sums) {
    double sum = 0;
    for (int lane = 0; lane < 16; lane++) sum += sums[lane];
    return sum;
}

static double sum_of_squares(const real *values, int64_t size) {
    double sums[16] = {0};
    int64_t whole = size - size % 16;
    for (int64_t i = 0; i < whole; i += 16)
        for (int lane = 0; lane < 16; lane++)
            sums[lane] += (double)values[i + lane] * (double)values[i + lane];
    for (int64_t i = whole; i < size; i++)
        sums[i - whole] += (double)values[i] * (double)values[i];
    return sum_of_sixteen(sums);
}

static double sum_of_magnitudes(const real *values, int64_t size) {
    double sums[16] = {0};
    int64_t whole = size - size % 16;
    for (int64_t i = 0; i < whole; i += 16)
        for (int lane = 0; lane < 16; lane++) sums[lane] += fabs((double)values[i + lane]);
    for (int64_t i = whole; i < size; i++) sums[i - whole] += fabs((double)values[i]);
    return sum_of_sixteen(sums);
}
