/* Samples of the batch to come, fetched while a product of this batch is computed.

   They lie anywhere in a data set that is larger than the caches: gathering 32 images takes 6 µs
   if it must wait for memory, and 1 µs if it need not.  Some two dozen requests can be under way,
   so one cache line is asked for at each step of a tile.  More at once, after each tile, make the
   product wait: 3 % of the step of a small net. */

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
    __builtin_prefetch(ahead->data + *ahead->rows * ahead->bytes + ahead->offset, 0, 2);
    ahead->offset += CACHE_LINE;
    if (ahead->offset < ahead->bytes) return;
    ahead->offset = 0;
    ahead->rows++;
    ahead->n--;
}

/* The batch's labels, fetched before its way forward: they lie anywhere, too. */
static void prefetch_labels(const int64_t *labels, const int64_t *rows, int64_t n) {
    for (int64_t i = 0; labels && i < n; i++) __builtin_prefetch(labels + rows[i], 0, 2);
}
