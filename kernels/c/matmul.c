/* The two matrix products that training needs, all row-major.

   nn  scale * a @ b      the vector runs along the rows of b and out
   nt  scale * a @ b.T    the vector runs along the summed axis

   Both are added to what `out` holds, or start from a bias: one number for each row of `out`, or
   NULL for zeros.  A pass of its own that puts the bias there takes a small layer as long as the
   product.

   Both hold a tile of the result in registers while they run over the whole summed axis: a tile
   of 10 rows and 2 vectors does 20 multiply-adds for 2 loads and 10 broadcasts, where the plain
   loop does one for two loads and a store.  A multiply-add takes 4 cycles and one (AVX-512) or two
   (AVX2) can start in each, so at least 4 or 8 must be under way that do not wait for each other.

   Each element of the result is one chain of multiply-adds in the order of the summed axis,
   whatever the tile that it falls into: so it has the same bits however the rows of `out` are
   shared among threads. */

/* As many accumulators as the registers hold, less two for b and one for a; with 32 registers that
   would be 14 rows, but 12 are 5 % slower on (512, 512, 128) than 10: as many rows of a, a power of
   two apart, compete for the same places in the first-level cache.  One of 16 registers must stay
   free: GCC stores and loads a sum at each step, at half the speed, when all have a use, as they
   would for 3 rows of 4 columns of nt. */
#if defined(__AVX512F__) || defined(__aarch64__)
#define SECOND_CACHE (1 << 20) /* bytes, of processors with such registers */
#define NN_ROWS 10
#define NN_NARROW_ROWS 10 /* of a tile that is one vector wide */
#define NT_ROWS 5
#define NT_COLUMNS 4
#else
#define SECOND_CACHE (1 << 19)
#define NN_ROWS 6
#define NN_NARROW_ROWS 12
#define NT_ROWS 6
#define NT_COLUMNS 2
#endif

/* One tile: `rows` and `vectors` are known where this is inlined, so that the loops over them
   unroll and `sum` becomes registers. The last vector has `count` lanes. */
INLINE void nn_tile(int adds, int rows, int vectors, int64_t count, const real *a, int64_t a_row,
                    int64_t a_column, const real *b, int64_t b_row, const real *bias, real scale,
                    real *out, int64_t k, struct ahead *ahead) {
    vector sum[NN_NARROW_ROWS][2];
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) sum[i][0] = sum[i][1] = (vector){0};
    /* Every third row has a pointer, and the two after it are addressed from there: a processor
       multiplies a number by 2, but not by 3, while it loads. */
    const real *third[NN_NARROW_ROWS / 3 + 1];
#pragma GCC unroll 4
    for (int g = 0; 3 * g < rows; g++) third[g] = a + 3 * g * a_row;
    for (int64_t p = 0; p < k; p++) {
        /* An unknown number to the compiler, which would otherwise keep a pointer for each row,
           more than there are registers, and load most of them at each step. */
        int64_t row = a_row;
        __asm__("" : "+r"(row));
        vector b0 = vectors == 2 ? load(b) : load_some(b, count);
        vector b1 = vectors == 2 ? load_some(b + LANES, count) : b0;
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++) {
            vector factor = broadcast(third[i / 3][i % 3 * row]);
            sum[i][0] = fused(factor, b0, sum[i][0]);
            if (vectors == 2) sum[i][1] = fused(factor, b1, sum[i][1]);
        }
        b += b_row;
#pragma GCC unroll 4
        for (int g = 0; 3 * g < rows; g++) {
            third[g] += a_column;
            __asm__("" : "+r"(third[g])); /* else it is computed from the first at each step */
        }
        if (ahead) prefetch_line(ahead);
    }
    const vector share = broadcast(scale);
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) {
        real *to = out + i * b_row;
        vector start = broadcast(bias ? bias[i] : 0);
        if (vectors == 2) {
            store(to, fused(share, sum[i][0], adds ? load(to) : start));
            to += LANES;
        }
        if (adds) start = load_some(to, count);
        store_some(to, fused(share, sum[i][vectors - 1], start), count);
    }
}

/* All whole tiles of some rows: `b` and `out` are (k, n) and (rows, n), and a row of either begins
   `b_row` numbers after the one before. */
INLINE void nn_rows(int adds, int rows, const real *a, int64_t a_row, int64_t a_column,
                    const real *b, const real *bias, real scale, real *out, int64_t k, int64_t n,
                    int64_t b_row, struct ahead *ahead) {
    for (int64_t j = 0; j + 2 * LANES <= n; j += 2 * LANES)
        nn_tile(adds, rows, 2, LANES, a, a_row, a_column, b + j, b_row, bias, scale, out + j, k,
                ahead);
}

/* What is left of them, if that is more than a vector.  That and the part of another are one tile:
   two would each keep half as many multiply-adds under way, and take as long as two whole tiles. */
INLINE void nn_rest(int adds, int rows, const real *a, int64_t a_row, int64_t a_column,
                    const real *b, const real *bias, real scale, real *out, int64_t k, int64_t n,
                    int64_t b_row, struct ahead *ahead) {
    int64_t left = n % (2 * LANES), j = n - left;
    if (left > LANES)
        nn_tile(adds, rows, 2, left - LANES, a, a_row, a_column, b + j, b_row, bias, scale, out + j,
                k, ahead);
}

/* What is left of them, if that is a vector or less: tiles of more rows then, for as many
   multiply-adds under way. */
INLINE void nn_narrow(int adds, int rows, const real *a, int64_t a_row, int64_t a_column,
                      const real *b, const real *bias, real scale, real *out, int64_t k, int64_t n,
                      int64_t b_row, struct ahead *ahead) {
    int64_t left = n % (2 * LANES), j = n - left;
    nn_tile(adds, rows, 1, left, a, a_row, a_column, b + j, b_row, bias, scale, out + j, k, ahead);
}

/* How rows are cut into tiles of about the same height: 13 into 7 and 6, not 12 and 1.  The first
   `higher` of them have a row more than `height`. */
struct cut {
    int64_t height, higher;
};

INLINE struct cut cut_rows(int64_t m, int64_t largest) {
    int64_t tiles = (m + largest - 1) / largest;
    if (tiles == 0) return (struct cut){0};
    int64_t height = m / tiles;
    return (struct cut){height, m - height * tiles};
}

INLINE int64_t next_height(struct cut *cut) { return cut->height + (cut->higher-- > 0); }

#define NN_OF(tiles, rows, ahead)                                                                  \
    tiles(adds, rows, a + i * a_row, a_row, a_column, b, bias ? bias + i : NULL, scale,            \
          out + i * b_row, k, n, b_row, ahead)

#define NN_CASE(rows)                                                                              \
    case rows:                                                                                     \
        if (ahead && ahead->n)                                                                     \
            NN_OF(nn_rows, rows, ahead);                                                           \
        else                                                                                       \
            NN_OF(nn_rows, rows, NULL);                                                            \
        NN_OF(nn_rest, rows, ahead);                                                               \
        break;

#define NN_NARROW_CASE(rows)                                                                       \
    case rows: NN_OF(nn_narrow, rows, ahead); break;

/* The product of all rows of `a` with some columns of `b`.  The first rows of tiles prefetch what
   lies ahead: in loops that do not, nobody asks whether they should, which alone took 4 % of the
   time. */
INLINE void nn_part(int adds, const real *a, int64_t a_row, int64_t a_column, const real *b,
                    const real *bias, real scale, real *out, int64_t m, int64_t k, int64_t n,
                    int64_t b_row, struct ahead *ahead) {
    struct cut cut = cut_rows(m, NN_ROWS);
    for (int64_t i = 0, rows; n > LANES && i < m; i += rows) {
        rows = next_height(&cut);
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
    }
    const int64_t left = n % (2 * LANES);
    if (left == 0 || left > LANES) return;
    cut = cut_rows(m, NN_NARROW_ROWS);
    for (int64_t i = 0, rows; i < m; i += rows) {
        rows = next_height(&cut);
        switch (rows) {
            NN_NARROW_CASE(1)
            NN_NARROW_CASE(2)
            NN_NARROW_CASE(3)
            NN_NARROW_CASE(4)
            NN_NARROW_CASE(5)
            NN_NARROW_CASE(6)
            NN_NARROW_CASE(7)
            NN_NARROW_CASE(8)
            NN_NARROW_CASE(9)
            NN_NARROW_CASE(10)
#if NN_NARROW_ROWS > 10
            NN_NARROW_CASE(11)
            NN_NARROW_CASE(12)
#endif
        }
    }
}

#define PACKED_ROWS (2 * NN_ROWS)
#define MOST_PACKED 2048 /* numbers of a row */

/* The product with a transposed `a`, whose rows are copied to where they lie close together, a few
   at a time.  A call of its own, so that only it has room for them on the stack. */
static __attribute__((noinline)) void nn_packed(int adds, const real *a, int64_t a_column,
                                                const real *b, const real *bias, real scale,
                                                real *out, int64_t m, int64_t k, int64_t n) {
    real packed[MOST_PACKED * PACKED_ROWS];
    for (int64_t i = 0; i < m; i += PACKED_ROWS) {
        int64_t rows = smaller(PACKED_ROWS, m - i);
        for (int64_t p = 0; p < k; p++) {
            const real *from = a + i + p * a_column;
            real *to = packed + p * PACKED_ROWS;
            if (rows == PACKED_ROWS) /* a number that is known: a few vectors, and no call */
                memcpy(to, from, PACKED_ROWS * sizeof(real));
            else
                memcpy(to, from, (size_t)rows * sizeof(real));
        }
        nn_part(adds, packed, 1, PACKED_ROWS, b, bias ? bias + i : NULL, scale, out + i * n, rows,
                k, n, n, NULL);
    }
}

/* Whether a transposed `a` is to be packed: it does not fit the second-level cache, and numbers that
   follow each other in a row of it lie a multiple of 2 kB apart, for which a cache has few places.
   Where it fits, packing takes longer than it saves. */
INLINE int wants_packing(int64_t a_row, int64_t a_column, int64_t k) {
    int64_t bytes = a_column * (int64_t)sizeof(real);
    return a_row == 1 && bytes % 2048 == 0 && k * bytes > SECOND_CACHE && k <= MOST_PACKED;
}

/* How many columns of `b` are multiplied before others: those that half the second-level cache
   holds, as each tile of rows reads them all.  If that were few, `a` would be read too often. */
INLINE int64_t columns_at_once(int64_t k, int64_t n) {
    const int64_t held = SECOND_CACHE / 2 / sizeof(real), tile = 2 * LANES;
    if (k * n <= held || k * 8 * tile > held) return n;
    int64_t parts = (n * k + held - 1) / held;
    return ((n + parts - 1) / parts + tile - 1) / tile * tile;
}

/* out (m, n) = (adds ? out : bias) + scale * a (m, k) @ b (k, n); entry (i, p) of `a` is
   a[i * a_row + p * a_column].

   Nothing of `b` is copied into packed panels, as a BLAS would: a panel of it, two vectors wide,
   comes from the second-level cache at 5 bytes a cycle, which the prefetcher hides. */
INLINE void nn(int adds, const real *a, int64_t a_row, int64_t a_column, const real *b,
               const real *bias, real scale, real *out, int64_t m, int64_t k, int64_t n,
               struct ahead *ahead) {
    if (wants_packing(a_row, a_column, k)) {
        nn_packed(adds, a, a_column, b, bias, scale, out, m, k, n);
        return;
    }
    const int64_t width = columns_at_once(k, n);
    for (int64_t j = 0; j < n; j += width)
        nn_part(adds, a, a_row, a_column, b + j, bias, scale, out + j, m, k, smaller(width, n - j),
                n, ahead);
}

static void nn_add(const real *a, int64_t a_row, int64_t a_column, const real *b, real scale,
                   real *out, int64_t m, int64_t k, int64_t n, struct ahead *ahead) {
    nn(1, a, a_row, a_column, b, NULL, scale, out, m, k, n, ahead);
}

static void nn_set(const real *a, int64_t a_row, int64_t a_column, const real *b, const real *bias,
                   real scale, real *out, int64_t m, int64_t k, int64_t n, struct ahead *ahead) {
    nn(0, a, a_row, a_column, b, bias, scale, out, m, k, n, ahead);
}

/* out += scale * a @ b */
static void matmul_nn(const real *a, int64_t a_row, int64_t a_column, const real *b, real scale,
                      real *out, int64_t m, int64_t k, int64_t n) {
    nn_add(a, a_row, a_column, b, scale, out, m, k, n, NULL);
}

/* Four sums of a tile, row by row, lie in one row of `out` or in two. */
#if NT_COLUMNS == 4
#define OUT_ROWS_OF_FOUR 1
INLINE four load_out(const real *p, int64_t row) { return load_four(p); }
INLINE void store_out(real *p, int64_t row, four v) { store_four(p, v); }
INLINE four start_of_rows(const real *bias) { return (four){0} + bias[0]; }
#else
#define OUT_ROWS_OF_FOUR 2
INLINE four load_out(const real *p, int64_t row) { return load_pairs(p, p + row); }
INLINE void store_out(real *p, int64_t row, four v) { store_pairs(p, p + row, v); }
INLINE four start_of_rows(const real *bias) { return (four){bias[0], bias[0], bias[1], bias[1]}; }
#endif

/* One vector of each row of a, times those of b: `p` is where it begins, `count` its lanes. */
INLINE void nt_step(int gathers, int rows, int columns, const real *a, real *b,
                    const uint8_t *const *bytes, int64_t p, int64_t count, int64_t k,
                    vector *sum) {
    vector bp[NT_COLUMNS];
#pragma GCC unroll 4
    for (int j = 0; j < columns; j++) {
        real *at = b + j * k + p;
        bp[j] = gathers ? load_bytes(bytes[j] + p, count) : load_some(at, count);
        if (gathers) store_some(at, bp[j], count);
        bp[j] = in_register(bp[j]); /* two loads a tile's row more: 5 % of the time */
    }
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
        vector ap = in_register(load_some(a + i * k + p, count));
#pragma GCC unroll 4
        for (int j = 0; j < columns; j++) {
            vector *to = sum + NT_COLUMNS * i + j;
            *to = fused(ap, bp[j], *to);
        }
    }
}

/* One tile of dot products: `rows` rows of a with `columns` rows of b.  If it `gathers`, those of b
   are made of `bytes` here. */
INLINE void nt_tile(int adds, int gathers, int rows, int columns, const real *a, real *b,
                    const uint8_t *const *bytes, const real *bias, real scale, real *out,
                    int64_t out_row, int64_t k) {
    vector sum[NT_ROWS * NT_COLUMNS];
#pragma GCC unroll 20
    for (int e = 0; e < NT_ROWS * NT_COLUMNS; e++) sum[e] = (vector){0};
    /* The part of a vector that is left has code of its own: in one loop with the others its mask
       took the register of a sum, which was then stored and loaded at each step. */
    int64_t p = 0;
    for (; p + LANES <= k; p += LANES)
        nt_step(gathers, rows, columns, a, b, bytes, p, LANES, k, sum);
    if (p < k) nt_step(gathers, rows, columns, a, b, bytes, p, k - p, k, sum);
#pragma GCC unroll 5
    for (int e = 0; e < rows * NT_COLUMNS; e += 4) {
        const int first = e / NT_COLUMNS;
        four sums = sum_four(sum[e], sum[e + 1], sum[e + 2], sum[e + 3]);
        if (columns == NT_COLUMNS && first + OUT_ROWS_OF_FOUR <= rows) {
            real *to = out + first * out_row;
            four start = {0};
            if (adds)
                start = load_out(to, out_row);
            else if (bias)
                start = start_of_rows(bias + first);
            store_out(to, out_row, fused_four((four){0} + scale, sums, start));
        } else
#pragma GCC unroll 4
            for (int l = 0; l < 4; l++) {
                const int i = (e + l) / NT_COLUMNS, j = (e + l) % NT_COLUMNS;
                if (i == rows || j >= columns) continue;
                real *to = out + i * out_row + j;
                *to = fused_number(scale, sums[l], adds ? *to : bias ? bias[i] : 0);
            }
    }
}

#define NT_TILE(columns)                                                                           \
    nt_tile(adds, gathers, rows, columns, a, b + j * k, bytes, bias, scale, out + j, n, k)

/* All tiles of some rows: `b` is (n, k) and `out` is (rows, n). */
INLINE void nt_rows(int adds, int gathers, int rows, const real *a, real *b,
                    const struct samples *samples, const real *bias, real scale, real *out,
                    int64_t k, int64_t n, struct ahead *ahead) {
    for (int64_t j = 0; j < n; j += NT_COLUMNS) {
        const uint8_t *bytes[NT_COLUMNS] = {0};
        for (int64_t i = j; gathers && i < n && i < j + NT_COLUMNS; i++)
            bytes[i - j] = samples->data + samples->rows[i] * k;
        switch (n - j) {
        case 1: NT_TILE(1); break;
#if NT_COLUMNS > 2
        case 2: NT_TILE(2); break;
        case 3: NT_TILE(3); break;
#endif
        default: NT_TILE(NT_COLUMNS);
        }
        if (ahead) prefetch_samples(ahead, NT_COLUMNS);
    }
}

#define NT_ROWS_OF(gathers, rows, ahead)                                                           \
    nt_rows(adds, gathers, rows, a + i * k, b, samples, bias ? bias + i : NULL, scale,             \
            out + i * n, k, n, ahead)

#define NT_CASE(rows)                                                                              \
    case rows:                                                                                     \
        if (samples && i == 0)                                                                     \
            NT_ROWS_OF(1, rows, ahead);                                                            \
        else                                                                                       \
            NT_ROWS_OF(0, rows, i == 0 ? ahead : NULL);                                            \
        break;

/* out (m, n) = (adds ? out : bias) + scale * a (m, k) @ b (n, k).T.  The first row of tiles
   prefetches what lies ahead.

   If there are `samples`, b is made of their bytes: the first tiles convert, multiply and store,
   the others read.  To write b beforehand costs 1.2 µs at (10, 784, 32), a quarter of the product,
   in traffic between the caches; here all of it but 0.5 µs hides behind the arithmetic. */
INLINE void nt(int adds, const real *a, real *b, const struct samples *samples, const real *bias,
               real scale, real *out, int64_t m, int64_t k, int64_t n, struct ahead *ahead) {
    struct cut cut = cut_rows(m, NT_ROWS);
    for (int64_t i = 0, rows; i < m; i += rows) {
        rows = next_height(&cut);
        switch (rows) {
            NT_CASE(1)
            NT_CASE(2)
            NT_CASE(3)
            NT_CASE(4)
            NT_CASE(5)
#if NT_ROWS > 5
            NT_CASE(6)
#endif
        }
    }
}

static void nt_add(const real *a, const real *b, real scale, real *out, int64_t m, int64_t k,
                   int64_t n) {
    nt(1, a, (real *)b, NULL, NULL, scale, out, m, k, n, NULL);
}

static void nt_set(const real *a, real *b, const struct samples *samples, const real *bias,
                   real scale, real *out, int64_t m, int64_t k, int64_t n, struct ahead *ahead) {
    nt(0, a, b, samples, bias, scale, out, m, k, n, ahead);
}

/* out += scale * a @ b.T */
static void matmul_nt(const real *a, const real *b, real scale, real *out, int64_t m, int64_t k,
                      int64_t n) {
    nt_add(a, b, scale, out, m, k, n);
}
