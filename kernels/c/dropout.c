/* Dropout masks from a counter, by Philox4x32-10, as kernels/numba/dropout.py explains it. */

#include <math.h>

#define PHILOX_ROUNDS 10
#define BLOCKS ((int64_t)(VECTOR_BYTES / sizeof(uint64_t))) /* drawn at once */

/* Words of 32 bits in lanes of 64, which have room for their products. */
typedef uint64_t words __attribute__((vector_size(VECTOR_BYTES)));

/* The product of each lane's low word with a word. */
INLINE words multiply_low(words a, uint32_t b) {
#if defined(__AVX512F__)
    return (words)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(b));
#elif defined(__AVX2__)
    return (words)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(b));
#elif defined(__SSE2__)
    return (words)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x(b));
#else
    return (a & 0xFFFFFFFF) * b;
#endif
}

/* What each round adds to the words, in all lanes. */
struct schedule {
    words keys[PHILOX_ROUNDS][2];
};

INLINE struct schedule schedule_of(uint64_t key) {
    struct schedule schedule;
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        schedule.keys[round][0] = (words){0} + k0;
        schedule.keys[round][1] = (words){0} + k1;
        k0 += 0x9E3779B9u; /* the golden ratio's fraction */
        k1 += 0xBB67AE85u; /* that of the square root of 3 */
    }
    return schedule;
}

/* Four random words for each of the counters (block, step).  Only the low half of a lane counts,
   as in products, so what is left in the other half is cleared once, at the end. */
INLINE void philox(words block, uint64_t step, const struct schedule *schedule, words random[4]) {
    words c0 = block, c1 = block >> 32, c2 = (words){0} + step, c3 = (words){0} + (step >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        words product_0 = multiply_low(c0, 0xD2511F53u), product_1 = multiply_low(c2, 0xCD9E8D57u);
        c0 = (product_1 >> 32) ^ c1 ^ schedule->keys[round][0];
        c1 = product_1;
        c2 = (product_0 >> 32) ^ c3 ^ schedule->keys[round][1];
        c3 = product_0;
    }
    const uint64_t low = 0xFFFFFFFF;
    random[0] = c0 & low, random[1] = c1 & low, random[2] = c2 & low, random[3] = c3 & low;
}

/* A number of the mask for each lane of words. */
typedef real reals __attribute__((vector_size(BLOCKS * sizeof(real)), aligned(sizeof(real))));

/* `kept` where random words are at least a threshold, and else 0. */
INLINE reals kept_where(words random, int64_t threshold, real kept) {
    typedef int64_t signed_words __attribute__((vector_size(VECTOR_BYTES)));
    typedef integer selection __attribute__((vector_size(BLOCKS * sizeof(real))));
    /* Words fit in 32 bits, so they may be compared as signed, for which AVX2 has an instruction. */
    selection is_dropped = __builtin_convertvector((signed_words)random < threshold, selection);
    return (reals)((selection)((reals){0} + kept) & ~is_dropped);
}

/* 0 with probability `rate`, and else 1 / (1 - rate): element word * blocks + block of the mask is
   decided by that word of that block.  Draws what the blocks from `first` to before
   `stop` decide. */
static void dropout_blocks(int64_t key, int64_t step, double rate, real *mask, int64_t size,
                           int64_t first, int64_t stop) {
    int64_t blocks = (size + 3) / 4;
    int64_t threshold = (int64_t)(rate * 4294967296.0);
    real kept = (real)(1.0 / (1.0 - rate));
    const struct schedule schedule = schedule_of((uint64_t)key);
    words lane;
    for (int i = 0; i < BLOCKS; i++) lane[i] = (uint64_t)i;
    for (int64_t block = first; block < stop; block += BLOCKS) {
        words random[4];
        philox(lane + (uint64_t)block, (uint64_t)step, &schedule, random);
        for (int word = 0; word < 4; word++) {
            int64_t at = word * blocks + block;
            int64_t count = smaller(size, word * blocks + stop) - at;
            reals drawn = kept_where(random[word], threshold, kept);
            if (count >= BLOCKS)
                memcpy(mask + at, &drawn, sizeof drawn);
            else
                for (int64_t i = 0; i < count; i++) mask[at + i] = drawn[i];
        }
    }
}

static void dropout_mask(int64_t key, int64_t step, double rate, real *mask, int64_t size) {
    dropout_blocks(key, step, rate, mask, size, 0, (size + 3) / 4);
}

/* Normal numbers: of each block, words 0 and 1 give two, words 2 and 3 another two, by the transform
   of Box & Muller (1958), in float64.  Draws the blocks from `first` to before `stop`. */
static void normal_blocks(int64_t key, int64_t step, double mean, double deviation, real *mask,
                          int64_t size, int64_t first, int64_t stop) {
    int64_t blocks = (size + 3) / 4;
    const struct schedule schedule = schedule_of((uint64_t)key);
    words lane;
    for (int i = 0; i < BLOCKS; i++) lane[i] = (uint64_t)i;
    for (int64_t block = first; block < stop; block += BLOCKS) {
        words random[4];
        philox(lane + (uint64_t)block, (uint64_t)step, &schedule, random);
        int64_t count = smaller(BLOCKS, stop - block);
        for (int pair = 0; pair < 4; pair += 2)
            for (int64_t i = 0; i < count; i++) {
                int64_t at = pair * blocks + block + i;
                double u = ((double)random[pair][i] + 0.5) * 0x1p-32;
                double angle = 6.283185307179586 * ((double)random[pair + 1][i] * 0x1p-32);
                double radius = deviation * sqrt(-2 * log(u));
                if (at < size) mask[at] = (real)(mean + radius * cos(angle));
                if (at + blocks < size) mask[at + blocks] = (real)(mean + radius * sin(angle));
            }
    }
}

static void normal_mask(int64_t key, int64_t step, double mean, double deviation, real *mask,
                        int64_t size) {
    normal_blocks(key, step, mean, deviation, mask, size, 0, (size + 3) / 4);
}

/* y = x * scale + offset, or dropped where the mask is 0; y may be x. */
static void alpha_dropout(real scale, real offset, real dropped, const real *x, const real *mask,
                          real *y, int64_t size) {
    const vector zero = {0}, factor = broadcast(scale), start = broadcast(offset);
    const vector other = broadcast(dropped);
    FOR_VECTORS(i, count, size) {
        vector kept = fused(load_some(x + i, count), factor, start);
        store_some(y + i, where_less(zero, load_some(mask + i, count), kept, other), count);
    }
}
