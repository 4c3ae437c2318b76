/* Samples of the batch to come, fetched while this batch's first product is computed.

   They lie anywhere in a data set that is larger than the caches: gathering 32 images takes 6 µs
   if it must wait for memory, and 1 µs if it need not.  Asking for all at once takes 3 µs, as only
   some two dozen requests can be under way: so a few cache lines are asked for after each tile. */

#define CACHE_LINE 64

struct ahead {
    const uint8_t *data;
    const int64_t *rows;
    int64_t bytes; /* of a sample */
    int64_t n;     /* samples */
    int64_t sample, offset; /* where to go on */
    int64_t lines; /* to ask for at a time */
};

INLINE void share_among_tiles(struct ahead *ahead, int64_t tiles) {
    int64_t lines = ahead->n * (ahead->bytes / CACHE_LINE + 1);
    ahead->lines = tiles > 0 ? (lines + tiles - 1) / tiles : 0;
}

INLINE void prefetch_some(struct ahead *ahead) {
    for (int64_t line = 0; line < ahead->lines && ahead->sample < ahead->n; line++) {
        __builtin_prefetch(ahead->data + ahead->rows[ahead->sample] * ahead->bytes + ahead->offset,
                           0, 2);
        ahead->offset += CACHE_LINE;
        if (ahead->offset >= ahead->bytes) {
            ahead->offset = 0;
            ahead->sample++;
        }
    }
}
