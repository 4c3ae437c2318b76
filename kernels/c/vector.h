/* Vectors of the widest registers that the instruction set has, and the few operations on them
   for which C has no operator.  `real` is the dtype that this translation unit is made for.

   GCC's and Clang's vector extensions give +, -, * and / on whole vectors.  What is written with
   intrinsics here has a plain form beside it, for every other machine.

   A product and a sum are one instruction, with one rounding, where it says `fused`, and nowhere
   else (-ffp-contract=off): left to itself the compiler decides in each copy of an inlined
   function, and in a loop and its remainder, whether to fuse and which product of a * b - c * d. */
#ifndef FASTMLP_VECTOR_H
#define FASTMLP_VECTOR_H

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if REAL_IS_FLOAT
typedef float real;
typedef int32_t integer; /* as wide as real */
#else
typedef double real;
typedef int64_t integer;
#endif

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

#define LANES ((int64_t)(VECTOR_BYTES / sizeof(real)))

#define INLINE static inline __attribute__((always_inline))

typedef real vector __attribute__((vector_size(VECTOR_BYTES)));
typedef integer integers __attribute__((vector_size(VECTOR_BYTES)));
typedef real anywhere __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));

/* The lanes of two vectors of four, 0 to 3 those of a and 4 to 7 those of b. */
#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#elif REAL_IS_FLOAT
#define SHUFFLE(a, b, ...)                                                                         \
    __builtin_shuffle(a, b, (int32_t __attribute__((vector_size(16)))){__VA_ARGS__})
#else
#define SHUFFLE(a, b, ...)                                                                         \
    __builtin_shuffle(a, b, (int64_t __attribute__((vector_size(32)))){__VA_ARGS__})
#endif

/* Four numbers, on any machine. */
typedef real four __attribute__((vector_size(4 * sizeof(real))));
typedef real four_anywhere
    __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));

INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

INLINE vector load(const real *p) { return *(const anywhere *)p; }

INLINE void store(real *p, vector v) { *(anywhere *)p = v; }

INLINE four load_four(const real *p) { return *(const four_anywhere *)p; }

INLINE void store_four(real *p, four v) { *(four_anywhere *)p = v; }

/* Two numbers from each of two places. */
INLINE four load_pairs(const real *p, const real *q) {
#if defined(__SSE2__) && REAL_IS_FLOAT
    __m128 first = _mm_loadl_pi(_mm_setzero_ps(), (const __m64 *)p);
    return (four)_mm_loadh_pi(first, (const __m64 *)q);
#elif defined(__AVX2__)
    __m256d first = _mm256_castpd128_pd256(_mm_loadu_pd(p));
    return (four)_mm256_insertf128_pd(first, _mm_loadu_pd(q), 1);
#else
    return (four){p[0], p[1], q[0], q[1]};
#endif
}

INLINE void store_pairs(real *p, real *q, four v) {
#if defined(__SSE2__) && REAL_IS_FLOAT
    _mm_storel_pi((__m64 *)p, (__m128)v);
    _mm_storeh_pi((__m64 *)q, (__m128)v);
#elif defined(__AVX2__)
    _mm_storeu_pd(p, _mm256_castpd256_pd128((__m256d)v));
    _mm_storeu_pd(q, _mm256_extractf128_pd((__m256d)v, 1));
#else
    p[0] = v[0], p[1] = v[1];
    q[0] = v[2], q[1] = v[3];
#endif
}

INLINE vector broadcast(real x) { return x - (vector){0}; }

#if defined(__AVX2__) && !defined(__AVX512F__)
/* A mask for the first `count` lanes. */
INLINE __m256i first_lanes(int64_t count) {
    static const integer edge[2 * VECTOR_BYTES / sizeof(real)] = {
        -1, -1, -1, -1,
#if REAL_IS_FLOAT
        -1, -1, -1, -1,
#endif
    };
    return _mm256_loadu_si256((const __m256i *)(edge + LANES - count));
}
#endif

/* The first `count` < LANES elements, and zeros; nothing beyond them is read. */
INLINE vector load_part(const real *p, int64_t count) {
#if defined(__AVX512F__) && REAL_IS_FLOAT
    return (vector)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), p);
#elif defined(__AVX512F__)
    return (vector)_mm512_maskz_loadu_pd((__mmask8)((1u << count) - 1), p);
#elif defined(__AVX2__) && REAL_IS_FLOAT
    return (vector)_mm256_maskload_ps(p, first_lanes(count));
#elif defined(__AVX2__)
    return (vector)_mm256_maskload_pd(p, first_lanes(count));
#else
    vector v = {0};
    for (int64_t i = 0; i < count; i++) v[i] = p[i];
    return v;
#endif
}

/* For AVX2 without its masked store, which takes 42 operations on some processors. */
INLINE void store_part(real *p, vector v, int64_t count) {
#if defined(__AVX512F__) && REAL_IS_FLOAT
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)v);
#elif defined(__AVX512F__)
    _mm512_mask_storeu_pd(p, (__mmask8)((1u << count) - 1), (__m512d)v);
#elif defined(__AVX2__) && REAL_IS_FLOAT
    __m128 part = _mm256_castps256_ps128((__m256)v);
    if (count & 4) {
        _mm_storeu_ps(p, part);
        part = _mm256_extractf128_ps((__m256)v, 1);
        p += 4;
    }
    if (count & 2) {
        _mm_storel_pi((__m64 *)p, part);
        part = _mm_movehl_ps(part, part);
        p += 2;
    }
    if (count & 1) _mm_store_ss(p, part);
#elif defined(__AVX2__)
    __m128d part = _mm256_castpd256_pd128((__m256d)v);
    if (count & 2) {
        _mm_storeu_pd(p, part);
        part = _mm256_extractf128_pd((__m256d)v, 1);
        p += 2;
    }
    if (count & 1) _mm_store_sd(p, part);
#else
    for (int64_t i = 0; i < count; i++) p[i] = v[i];
#endif
}

/* Whole vectors of an array of `size`, then the part that is left: `count` is LANES or less. */
#define FOR_VECTORS(i, count, size)                                                              \
    for (int64_t i = 0, count; i < (size) && (count = smaller(LANES, (size)-i)); i += LANES)

INLINE vector load_some(const real *p, int64_t count) {
    return count == LANES ? load(p) : load_part(p, count);
}

INLINE void store_some(real *p, vector v, int64_t count) {
    if (count == LANES)
        store(p, v);
    else
        store_part(p, v, count);
}

/* a * b + c, with one rounding where the machine has an instruction for that. */
INLINE real fused_number(real a, real b, real c) {
#if (defined(__FMA__) || defined(__aarch64__)) && REAL_IS_FLOAT
    return __builtin_fmaf(a, b, c);
#elif defined(__FMA__) || defined(__aarch64__)
    return __builtin_fma(a, b, c);
#else
    return a * b + c;
#endif
}

INLINE vector fused(vector a, vector b, vector c) {
#if defined(__AVX512F__) && REAL_IS_FLOAT
    return (vector)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX512F__)
    return (vector)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__AVX2__) && defined(__FMA__) && REAL_IS_FLOAT
    return (vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__AVX2__) && defined(__FMA__)
    return (vector)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif defined(__aarch64__) && REAL_IS_FLOAT
    return (vector)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#elif defined(__aarch64__)
    return (vector)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
    return a * b + c;
#endif
}

INLINE four fused_four(four a, four b, four c) {
#if defined(__FMA__) && REAL_IS_FLOAT
    return (four)_mm_fmadd_ps((__m128)a, (__m128)b, (__m128)c);
#elif defined(__FMA__)
    return (four)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif !defined(__aarch64__)
    return a * b + c;
#else
    for (int lane = 0; lane < 4; lane++) c[lane] = fused_number(a[lane], b[lane], c[lane]);
    return c;
#endif
}

/* v, in a register: where it is used more than once the compiler may otherwise load it each time. */
INLINE vector in_register(vector v) {
#if defined(__AVX512F__)
    __asm__("" : "+v"(v));
#elif defined(__x86_64__)
    __asm__("" : "+x"(v));
#endif
    return v;
}

INLINE vector square_root(vector v) {
#if defined(__AVX512F__) && REAL_IS_FLOAT
    return (vector)_mm512_sqrt_ps((__m512)v);
#elif defined(__AVX512F__)
    return (vector)_mm512_sqrt_pd((__m512d)v);
#elif defined(__AVX2__) && REAL_IS_FLOAT
    return (vector)_mm256_sqrt_ps((__m256)v);
#elif defined(__AVX2__)
    return (vector)_mm256_sqrt_pd((__m256d)v);
#elif defined(__x86_64__) && REAL_IS_FLOAT
    return (vector)_mm_sqrt_ps((__m128)v);
#elif defined(__x86_64__)
    return (vector)_mm_sqrt_pd((__m128d)v);
#elif defined(__aarch64__) && REAL_IS_FLOAT
    return (vector)vsqrtq_f32((float32x4_t)v);
#elif defined(__aarch64__)
    return (vector)vsqrtq_f64((float64x2_t)v);
#else
    for (int lane = 0; lane < LANES; lane++) v[lane] = (real)__builtin_sqrt((double)v[lane]);
    return v;
#endif
}

/* x < y ? a : b in each lane; comparisons with NaN are false. */
INLINE vector where_less(vector x, vector y, vector a, vector b) {
#if defined(__AVX512F__) && REAL_IS_FLOAT
    __mmask16 less = _mm512_cmp_ps_mask((__m512)x, (__m512)y, _CMP_LT_OQ);
    return (vector)_mm512_mask_blend_ps(less, (__m512)b, (__m512)a);
#elif defined(__AVX512F__)
    __mmask8 less = _mm512_cmp_pd_mask((__m512d)x, (__m512d)y, _CMP_LT_OQ);
    return (vector)_mm512_mask_blend_pd(less, (__m512d)b, (__m512d)a);
#else
    integers less = x < y;
    return (vector)(((integers)a & less) | ((integers)b & ~less));
#endif
}

#if defined(__AVX512F__) && REAL_IS_FLOAT
#define INTRINSIC(name, a, b) (vector)_mm512_##name##_ps((__m512)(a), (__m512)(b))
#elif defined(__AVX512F__)
#define INTRINSIC(name, a, b) (vector)_mm512_##name##_pd((__m512d)(a), (__m512d)(b))
#elif defined(__AVX2__) && REAL_IS_FLOAT
#define INTRINSIC(name, a, b) (vector)_mm256_##name##_ps((__m256)(a), (__m256)(b))
#elif defined(__AVX2__)
#define INTRINSIC(name, a, b) (vector)_mm256_##name##_pd((__m256d)(a), (__m256d)(b))
#endif

/* x, but at most `bound` in each lane; NaN stays NaN, as x is the second operand. */
INLINE vector at_most(vector bound, vector x) {
#ifdef INTRINSIC
    return INTRINSIC(min, bound, x);
#else
    return where_less(bound, x, bound, x);
#endif
}

/* x, but at least `bound` in each lane; NaN stays NaN. */
INLINE vector at_least(vector bound, vector x) {
#ifdef INTRINSIC
    return INTRINSIC(max, bound, x);
#else
    return where_less(x, bound, bound, x);
#endif
}

#define SIGN ((integers){0} + (integer)((uint64_t)1 << (8 * sizeof(real) - 1)))

INLINE vector absolute(vector x) {
    return (vector)((integers)x & ~SIGN);
}

/* The magnitude of x, with the sign of y. */
INLINE vector with_sign_of(vector x, vector y) {
    return (vector)(((integers)x & ~SIGN) | ((integers)y & SIGN));
}

/* The sums of four vectors.  Half the lanes of two vectors are exchanged, and so all lanes are
   added for both at once: 13 instructions for all four, where summing one after the other takes 8
   each.  A blend and a shuffle exchange them: two shuffles, that interleave the vectors, had to
   wait for the same two units, and small nets took 2 % longer. */
INLINE four sum_four(vector a, vector b, vector c, vector d) {
#if defined(__AVX512F__) && REAL_IS_FLOAT
    __m512 ab = _mm512_add_ps(_mm512_mask_blend_ps(0xCCCC, (__m512)a, (__m512)b),
                              _mm512_shuffle_ps((__m512)a, (__m512)b, 0x4E));
    __m512 cd = _mm512_add_ps(_mm512_mask_blend_ps(0xCCCC, (__m512)c, (__m512)d),
                              _mm512_shuffle_ps((__m512)c, (__m512)d, 0x4E));
    __m512 abcd = _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x88), _mm512_shuffle_ps(ab, cd, 0xDD));
    __m256 half = _mm256_add_ps(_mm512_castps512_ps256(abcd), _mm512_extractf32x8_ps(abcd, 1));
    return (four)_mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
#elif defined(__AVX512F__)
    __m512d ab = _mm512_add_pd(_mm512_mask_blend_pd(0xAA, (__m512d)a, (__m512d)b),
                               _mm512_shuffle_pd((__m512d)a, (__m512d)b, 0x55));
    __m512d cd = _mm512_add_pd(_mm512_mask_blend_pd(0xAA, (__m512d)c, (__m512d)d),
                               _mm512_shuffle_pd((__m512d)c, (__m512d)d, 0x55));
    __m256d ab_half = _mm256_add_pd(_mm512_castpd512_pd256(ab), _mm512_extractf64x4_pd(ab, 1));
    __m256d cd_half = _mm256_add_pd(_mm512_castpd512_pd256(cd), _mm512_extractf64x4_pd(cd, 1));
    return (four)_mm256_add_pd(_mm256_permute2f128_pd(ab_half, cd_half, 0x20),
                               _mm256_permute2f128_pd(ab_half, cd_half, 0x31));
#elif defined(__AVX2__) && REAL_IS_FLOAT
    __m256 ab = _mm256_add_ps(_mm256_blend_ps((__m256)a, (__m256)b, 0xCC),
                              _mm256_shuffle_ps((__m256)a, (__m256)b, 0x4E));
    __m256 cd = _mm256_add_ps(_mm256_blend_ps((__m256)c, (__m256)d, 0xCC),
                              _mm256_shuffle_ps((__m256)c, (__m256)d, 0x4E));
    __m256 abcd = _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x88), _mm256_shuffle_ps(ab, cd, 0xDD));
    return (four)_mm_add_ps(_mm256_castps256_ps128(abcd), _mm256_extractf128_ps(abcd, 1));
#elif defined(__AVX2__)
    __m256d ab = _mm256_add_pd(_mm256_blend_pd((__m256d)a, (__m256d)b, 0xA),
                               _mm256_shuffle_pd((__m256d)a, (__m256d)b, 0x5));
    __m256d cd = _mm256_add_pd(_mm256_blend_pd((__m256d)c, (__m256d)d, 0xA),
                               _mm256_shuffle_pd((__m256d)c, (__m256d)d, 0x5));
    return (four)_mm256_add_pd(_mm256_permute2f128_pd(ab, cd, 0x20),
                               _mm256_permute2f128_pd(ab, cd, 0x31));
#elif defined(__aarch64__) && REAL_IS_FLOAT
    return (four)vpaddq_f32(vpaddq_f32((float32x4_t)a, (float32x4_t)b),
                            vpaddq_f32((float32x4_t)c, (float32x4_t)d));
#elif defined(__SSE2__) && REAL_IS_FLOAT
    __m128 rows[4] = {(__m128)a, (__m128)b, (__m128)c, (__m128)d};
    _MM_TRANSPOSE4_PS(rows[0], rows[1], rows[2], rows[3]);
    return ((four)rows[0] + (four)rows[2]) + ((four)rows[1] + (four)rows[3]);
#else
    four sums = {0};
    for (int lane = 0; lane < LANES; lane++)
        sums += (four){a[lane], b[lane], c[lane], d[lane]};
    return sums;
#endif
}

INLINE real sum_of(vector v) {
    return sum_four(v, (vector){0}, (vector){0}, (vector){0})[0];
}

#endif
