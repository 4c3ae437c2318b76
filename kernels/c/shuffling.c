/* The order in which an epoch visits its samples: what NumPy's generator of that epoch makes of
   0, 1, 2, ..., bit for bit, in a third of the time. */

/* PCG64, "XSL RR 128/64" (O'Neill, 2014, "PCG: A Family of Simple Fast Space-Efficient
   Statistically Good Algorithms for Random Number Generation", section 6.3). */
__extension__ typedef unsigned __int128 wide_integer;

struct generator {
    wide_integer state, increment;
    uint32_t kept; /* half of the last 64 bits */
    int has_kept;
};

static const uint64_t MULTIPLIER[2] = {0x2360ED051FC65DA4, 0x4385DF649FCCF645};

INLINE wide_integer joined(const uint64_t *high_and_low) {
    return (wide_integer)high_and_low[0] << 64 | high_and_low[1];
}

INLINE void advance(struct generator *generator) {
    generator->state = generator->state * joined(MULTIPLIER) + generator->increment;
}

/* From four words: the high and low halves of where it begins, and of which stream it is. */
static struct generator generator_of(const uint64_t *words) {
    struct generator generator = {.increment = joined(words + 2) << 1 | 1};
    advance(&generator);
    generator.state += joined(words);
    advance(&generator);
    return generator;
}

INLINE uint64_t next_64(struct generator *generator) {
    advance(generator);
    uint64_t high = (uint64_t)(generator->state >> 64), low = (uint64_t)generator->state;
    int turn = (int)(high >> 58);
    return (high ^ low) >> turn | (high ^ low) << (-turn & 63);
}

INLINE uint32_t next_32(struct generator *generator) {
    if ((generator->has_kept = !generator->has_kept)) {
        uint64_t both = next_64(generator);
        generator->kept = (uint32_t)(both >> 32);
        return (uint32_t)both;
    }
    return generator->kept;
}

/* Fisher & Yates (1938), from the last to the first.  Where each goes is drawn again until it is not
   beyond its own place, which one cannot foresee: so there is no branch on it, and what was drawn in
   vain changes places with itself. */
static void shuffle(const uint64_t *words, int64_t *order, int64_t n) {
    struct generator generator = generator_of(words);
    for (int64_t i = 0; i < n; i++) order[i] = i;
    uint64_t i = n > 0 ? (uint64_t)n - 1 : 0;
    while (i > 0) {
        /* All places that have as many bits as this one. */
        const uint64_t mask = UINT64_MAX >> __builtin_clzll(i), stop = mask >> 1;
        while (i > stop) {
            uint64_t drawn = (mask <= UINT32_MAX ? next_32(&generator) : next_64(&generator)) & mask;
            uint64_t counts = drawn <= i, j = counts ? drawn : i;
            int64_t other = order[j];
            order[j] = order[i];
            order[i] = other;
            i -= counts;
        }
    }
}
