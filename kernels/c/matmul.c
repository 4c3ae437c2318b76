/* The two matrix products that training needs, both out += scale * ..., all row-major.

   matmul_nn  out += scale * a @ b      the vector runs along the rows of b and out
   matmul_nt  out += scale * a @ b.T    the vector runs along the summed axis

   Both hold a tile of the result in registers while they run over the whole summed axis: a tile
   of 10 rows and 2 vectors does 20 multiply-adds for 2 loads and 10 broadcasts, where the plain
   loop does one for two loads and a store.  A multiply-add takes 4 cycles and one (AVX-512) or two
   (AVX2) can start in each, so at least 4 or 8 must be under way that do not wait for each other.

   Each element of the result is one chain of multiply-adds in the order of the summed axis,
   whatever the tile that it falls into: so it has the same bits however the rows of `out` are
   shared among threads. */

/* As many accumulators as the registers hold, less two for b and one for a; with 32 registers that
   would be 14 rows, but 12 are 5 % slower on (512, 512, 128) than 10: as many rows of a, a power of
   two apart, compete for the same places in the first-level cache. */
#if defined(__AVX512F__) || defined(__aarch64__)
#define NN_ROWS 10
#define NT_ROWS 5
#else
#define NN_ROWS 6
#define NT_ROWS 2
#endif

/* One tile: `rows` and `vectors` are known where this is inlined, so that the loops over them
   unroll and `sum` becomes registers. The last vector has `count` lanes.  `adds` tells whether to
   add to what `out` holds. */
INLINE void nn_tile(int adds, int rows, int vectors, int64_t count, const real *a, int64_t a_row,
                    int64_t a_column, const real *b, int64_t b_row, real scale, real *out,
                    int64_t k) {
    vector sum[NN_ROWS][2];
#pragma GCC unroll 10
    for (int i = 0; i < rows; i++) sum[i][0] = sum[i][1] = (vector){0};
    for (int64_t p = 0; p < k; p++) {
        const real *at = b + p * b_row;
        vector b0 = vectors == 2 ? load(at) : load_some(at, count);
        vector b1 = vectors == 2 ? load_some(at + LANES, count) : b0;
#pragma GCC unroll 10
        for (int i = 0; i < rows; i++) {
            vector factor = broadcast(a[i * a_row + p * a_column]);
            sum[i][0] += factor * b0;
            if (vectors == 2) sum[i][1] += factor * b1;
        }
    }
#pragma GCC unroll 10
    for (int i = 0; i < rows; i++) {
        real *to = out + i * b_row;
        if (vectors == 2) {
            store(to, scale * sum[i][0] + (adds ? load(to) : (vector){0}));
            to += LANES;
        }
        vector before = adds ? load_some(to, count) : (vector){0};
        store_some(to, scale * sum[i][vectors - 1] + before, count);
    }
}

/* All tiles of some rows: `b` and `out` are (k, n) and (rows, n). */
INLINE void nn_rows(int adds, int rows, const real *a, int64_t a_row, int64_t a_column, const real *b,
                    real scale, real *out, int64_t k, int64_t n) {
    int64_t j = 0;
    for (; j + 2 * LANES <= n; j += 2 * LANES)
        nn_tile(adds, rows, 2, LANES, a, a_row, a_column, b + j, n, scale, out + j, k);
    if (j + LANES <= n) {
        nn_tile(adds, rows, 1, LANES, a, a_row, a_column, b + j, n, scale, out + j, k);
        j += LANES;
    }
    if (j < n) nn_tile(adds, rows, 1, n - j, a, a_row, a_column, b + j, n, scale, out + j, k);
}

/* Cut m rows into tiles of about the same height: 13 into 7 and 6, not 12 and 1. */
INLINE int64_t tile_height(int64_t m, int64_t largest) {
    int64_t tiles = (m + largest - 1) / largest;
    return (m + tiles - 1) / tiles;
}

#define NN_CASE(rows)                                                                              \
    case rows:                                                                                     \
        nn_rows(adds, rows, a + i * a_row, a_row, a_column, b, scale, out + i * n, k, n);                \
        break;

/* out (m, n) += scale * a (m, k) @ b (k, n); entry (i, p) of `a` is a[i * a_row + p * a_column].

   Nothing is copied into packed panels, as a BLAS would: a panel of `b`, two vectors wide, comes
   from the second-level cache at 5 bytes a cycle, which the prefetcher hides.  Packing the rows of
   a transposed `a` was measured: 95 GFLOP/s instead of 116 at (512, 512, 128). */
INLINE void nn(int adds, const real *a, int64_t a_row, int64_t a_column, const real *b, real scale,
               real *out, int64_t m, int64_t k, int64_t n) {
    for (int64_t i = 0; i < m;) {
        int64_t rows = tile_height(m - i, NN_ROWS);
        switch (rows) {
            NN_CASE(1)
            NN_CASE(2)
            NN_CASE(3)
            NN_CASE(4)
            NN_CASE(5)
            NN_CASE(6)
#if NN_ROWS > 6
            NN_CASE(7)
            NN_CASE(8)
            NN_CASE(9)
            NN_CASE(10)
#endif
        }
        i += rows;
    }
}

static void matmul_nn(const real *a, int64_t a_row, int64_t a_column, const real *b, real scale,
                      real *out, int64_t m, int64_t k, int64_t n) {
    nn(1, a, a_row, a_column, b, scale, out, m, k, n);
}

/* out = a @ b */
static void matmul_nn_set(const real *a, int64_t a_row, int64_t a_column, const real *b, real *out,
                          int64_t m, int64_t k, int64_t n) {
    nn(0, a, a_row, a_column, b, 1, out, m, k, n);
}

/* One tile of dot products: `rows` rows of a with 4 rows of b, of which `columns` are wanted. */
INLINE void nt_tile(int rows, int columns, const real *a, const real *b, real scale, real *out,
                    int64_t out_row, int64_t k) {
    vector sum[NT_ROWS][4];
#pragma GCC unroll 5
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) sum[i][j] = (vector){0};
    FOR_VECTORS(p, count, k) {
        vector bp[4];
#pragma GCC unroll 4
        for (int j = 0; j < columns; j++) bp[j] = load_some(b + j * k + p, count);
#pragma GCC unroll 5
        for (int i = 0; i < rows; i++) {
            vector ap = load_some(a + i * k + p, count);
#pragma GCC unroll 4
            for (int j = 0; j < columns; j++) sum[i][j] += ap * bp[j];
        }
    }
#pragma GCC unroll 5
    for (int i = 0; i < rows; i++) {
        real sums[4];
        sum_four(sum[i][0], sum[i][1], sum[i][2], sum[i][3], sums);
#pragma GCC unroll 4
        for (int j = 0; j < columns; j++) out[i * out_row + j] += scale * sums[j];
    }
}

INLINE void nt_rows(int rows, const real *a, const real *b, real scale, real *out, int64_t k,
                    int64_t n, struct ahead *ahead) {
    int64_t j = 0;
    for (; j + 4 <= n; j += 4) {
        nt_tile(rows, 4, a, b + j * k, scale, out + j, n, k);
        prefetch_some(ahead);
    }
    for (; j < n; j++) nt_tile(rows, 1, a, b + j * k, scale, out + j, n, k);
}

#define NT_CASE(rows)                                                                              \
    case rows:                                                                                     \
        nt_rows(rows, a + i * k, b, scale, out + i * n, k, n, ahead);                              \
        break;

/* out (m, n) += scale * a (m, k) @ b (n, k).T; meanwhile, fetch what lies ahead. */
static void matmul_nt_ahead(const real *a, const real *b, real scale, real *out, int64_t m,
                            int64_t k, int64_t n, struct ahead *ahead) {
    share_among_tiles(ahead, ((m + NT_ROWS - 1) / NT_ROWS) * (n / 4));
    for (int64_t i = 0; i < m;) {
        int64_t rows = tile_height(m - i, NT_ROWS);
        switch (rows) {
            NT_CASE(1)
            NT_CASE(2)
#if NT_ROWS > 2
            NT_CASE(3)
            NT_CASE(4)
            NT_CASE(5)
#endif
        }
        i += rows;
    }
}

static void matmul_nt(const real *a, const real *b, real scale, real *out, int64_t m, int64_t k,
                      int64_t n) {
    struct ahead nothing = {0};
    matmul_nt_ahead(a, b, scale, out, m, k, n, &nothing);
}
