/* Samples of the batch to come, prefetched while this one is computed with.

   When a net learns they lie anywhere in a data set that is larger than the caches: gathering 32
   images takes 6 µs if it must wait for memory, and 1 µs if it need not.  Some two dozen requests
   can be under way, so one cache line is asked for at each step of a tile, while the first layer's
   weights are updated.  A dozen at once, after each tile, make the product wait: 3 % of a small
   net's step; in the first product, whose own operands come from the second-level cache, 5 %.

   A net that predicts has no update, but it reads its samples in order, for which whole samples
   at once, after each tile of the first product, do well. */

#define CACHE_LINE 64

struct ahead {
    const uint8_t *data;
    const int64_t *rows; /* of the data set that are still to come */
    int64_t n;           /* how many */
    int64_t bytes;       /* of a sample */
    int64_t offset;      /* in the first of them */
};

INLINE void prefetch_line(struct ahead *ahead) {
    if (ahead->n == 0) return;
    const uint8_t *at = ahead->data + *ahead->rows * ahead->bytes + ahead->offset;
    __builtin_prefetch(at, 0, 2);
    ahead->offset += CACHE_LINE - (int64_t)((uintptr_t)at % CACHE_LINE);
    if (ahead->offset < ahead->bytes) return;
    ahead->offset = 0;
    ahead->rows++;
    ahead->n--;
}

INLINE void prefetch_samples(struct ahead *ahead, int64_t count) {
    int64_t lines = count * ((ahead->bytes + CACHE_LINE - 1) / CACHE_LINE);
    for (int64_t line = 0; line < lines; line++) prefetch_line(ahead);
}

/* The batch's labels, prefetched before its way forward: they lie anywhere, too. */
static void prefetch_labels(const int64_t *labels, const int64_t *rows, int64_t n) {
    for (int64_t i = 0; labels && i < n; i++) __builtin_prefetch(labels + rows[i], 0, 2);
}
