/* Columns of the samples, x (n, inputs), as y (outputs, n): what whole numbers in them stand for.
   Numbers below 0, or of no category, are none: their outputs are NaN, or all 0 as indicators. */

#include <math.h>

/* The category of a value among so many from `category` on, or -1. */
INLINE int64_t category_of(real value, int64_t category, int64_t categories) {
    double place = (double)value - (double)category;
    return place >= 0 && place < (double)categories ? (int64_t)place : -1;
}

/* y[(column, entry), s] = rows[x[s, column], entry] */
static void embedding_forward(int64_t first, int64_t output, const real *x, const real *rows,
                              real *y, int64_t inputs, int64_t n, int64_t categories,
                              int64_t width, int64_t outputs) {
    for (int64_t o = output; o < output + outputs; o++, y += n) {
        const real *column = x + first + o / width, *entries = rows + o % width;
        for (int64_t s = 0; s < n; s++) {
            int64_t k = category_of(column[s * inputs], 0, categories);
            y[s] = k < 0 ? (real)NAN : entries[k * width];
        }
    }
}

/* rows[x[s, column], entry] += scale * dy[(column, entry), s], for one column and sample after the
   other: the order, and so the bits, do not depend on which part of the rows it is. */
static void embedding_update(int64_t first, int64_t category, real scale, const real *x,
                             const real *dy, real *rows, int64_t inputs, int64_t n,
                             int64_t categories, int64_t width, int64_t outputs) {
    const real *column = x + first;
    for (const real *end = dy + outputs * n; dy < end; dy += width * n, column++)
        for (int64_t s = 0; s < n; s++) {
            int64_t k = category_of(column[s * inputs], category, categories);
            if (k < 0) continue;
            real *row = rows + k * width;
            for (int64_t j = 0; j < width; j++) row[j] += scale * dy[j * n + s];
        }
}

static void embedding_gradient(int64_t first, int64_t category, const real *x, const real *dy,
                               real *drows, int64_t inputs, int64_t n, int64_t categories,
                               int64_t width, int64_t outputs) {
    memset(drows, 0, (size_t)(categories * width) * sizeof(real));
    embedding_update(first, category, 1, x, dy, drows, inputs, n, categories, width, outputs);
}

/* What a COLUMNS row computes, by its coding, of so many columns and categories. */
static void columns_forward(int64_t kind, int64_t first, int64_t columns, int64_t categories,
                            int64_t output, const real *x, real *y, int64_t inputs, int64_t n,
                            int64_t outputs) {
    for (int64_t o = output; o < output + outputs; o++, y += n) {
        int64_t begin = first, end = first + columns;
        if (kind == CODING_PASS || kind == CODING_ONE_HOT) {
            begin = first + o / categories;
            end = begin + 1;
        }
        if (kind == CODING_PASS && o > output && o % categories) { /* the same column once more */
            memcpy(y, y - n, (size_t)n * sizeof(real));
            continue;
        }
        real category = (real)(o % categories);
        for (int64_t s = 0; s < n; s++) {
            const real *sample = x + s * inputs;
            int64_t equal = 0;
            for (int64_t i = begin; i < end; i++) equal += sample[i] == category;
            if (kind == CODING_PASS)
                y[s] = sample[begin];
            else
                y[s] = (real)(kind == CODING_NUMBER ? equal : equal > 0);
        }
    }
}
