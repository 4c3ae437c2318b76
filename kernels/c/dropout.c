/* Dropout masks from a counter, by Philox4x32-10, as kernels/compiled/dropout.py explains it. */

#define PHILOX_ROUNDS 10

/* Four random words for the counter (block, step). */
INLINE void philox(uint64_t block, uint64_t step, uint64_t key, uint32_t words[4]) {
    uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32);
    uint32_t c2 = (uint32_t)step, c3 = (uint32_t)(step >> 32);
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t product_0 = 0xD2511F53u * (uint64_t)c0, product_1 = 0xCD9E8D57u * (uint64_t)c2;
        c0 = (uint32_t)(product_1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)product_1;
        c2 = (uint32_t)(product_0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)product_0;
        k0 += 0x9E3779B9u; /* the golden ratio's fraction */
        k1 += 0xBB67AE85u; /* that of the square root of 3 */
    }
    words[0] = c0, words[1] = c1, words[2] = c2, words[3] = c3;
}

/* 0 with probability `rate`, and else 1 / (1 - rate): element word * blocks + block of the mask is
   decided by that word of that block.  Draws what the blocks `first` to `last` decide. */
static void dropout_blocks(int64_t key, int64_t step, double rate, real *mask, int64_t size,
                           int64_t first, int64_t last) {
    int64_t blocks = (size + 3) / 4;
    int64_t full = size - 3 * blocks; /* blocks whose last word is needed; negative for 1 or 2 */
    uint64_t threshold = (uint64_t)(rate * 4294967296.0);
    real kept = (real)(1.0 / (1.0 - rate));
    for (int64_t block = first; block < smaller(full, last); block++) {
        uint32_t words[4];
        philox((uint64_t)block, (uint64_t)step, (uint64_t)key, words);
        for (int word = 0; word < 4; word++)
            mask[word * blocks + block] = words[word] >= threshold ? kept : 0;
    }
    for (int64_t block = full > first ? full : first; block < last; block++) {
        uint32_t words[4];
        philox((uint64_t)block, (uint64_t)step, (uint64_t)key, words);
        for (int word = 0; word < 3; word++)
            if (word * blocks + block < size)
                mask[word * blocks + block] = words[word] >= threshold ? kept : 0;
    }
}

static void dropout_mask(int64_t key, int64_t step, double rate, real *mask, int64_t size) {
    dropout_blocks(key, step, rate, mask, size, 0, (size + 3) / 4);
}
