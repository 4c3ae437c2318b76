/* exp, expm1, tanh, sigmoid, log1p, sine, cosine and the normal distribution of whole vectors, as
   kernels/numba/elementary.py explains them:
   x = k ln 2 + r, a polynomial for exp(r) - 1, and 2^k made by writing k into the exponent. */

#if REAL_IS_FLOAT
#define LN2_HIGH 0.693115234375f /* 12 bits, so that k * high is exact */
#define LN2_LOW 3.1946184945309417232e-5f
#define ROUND 12582912.0f /* 1.5 * 2^23: a sum with it ends in the rounded integer */
#define ROUND_BITS 0x4B400000
#define EXPONENT_BIAS 127
#define EXPONENT_SHIFT 23
#define EXP_LARGEST 89.0f
#define EXP_SMALLEST -87.0f
#define EXPM1_SMALLEST -40.0f
#define PI_HIGH 3.140625f /* 8 bits, and 12, so that their products with k are exact */
#define PI_MIDDLE 0.000967502593994140625f
#define PI_LOW 1.5099580252808664e-7f
#else
#define LN2_HIGH 0.693147180369123816490173339844 /* 32 bits */
#define LN2_LOW 1.908214929270587816144266e-10
#define ROUND 6755399441055744.0
#define ROUND_BITS 0x4338000000000000
#define EXPONENT_BIAS 1023
#define EXPONENT_SHIFT 52
#define EXP_LARGEST 710.0
#define EXP_SMALLEST -708.0
#define EXPM1_SMALLEST -60.0
#define PI_HIGH 3.1415926534682512 /* 33 bits each */
#define PI_MIDDLE 1.2154201012607932e-10
#define PI_LOW 4.044532497591901e-21
#endif
#define LOG2E ((real)1.442695040888963407)
#define INVERSE_PI ((real)0.318309886183790671538)

INLINE vector power_of_two(integers k) { return (vector)((k + EXPONENT_BIAS) << EXPONENT_SHIFT); }

/* exp(r) - 1 for |r| <= ln 2 / 2. */
INLINE vector expm1_reduced(vector r) {
#if REAL_IS_FLOAT
    vector q = broadcast(0.0013926213466332443037f);
    q = fused(q, r, broadcast(0.0083632029715758549465f));
    q = fused(q, r, broadcast(0.041666554437685938899f));
    q = fused(q, r, broadcast(0.16666576845993976311f));
#else
    vector q = broadcast(2.0914717341716375952e-9);
    q = fused(q, r, broadcast(2.5105259538448493419e-8));
    q = fused(q, r, broadcast(2.7557273570102139673e-7));
    q = fused(q, r, broadcast(2.7557255297969644392e-6));
    q = fused(q, r, broadcast(0.000024801587325605322782));
    q = fused(q, r, broadcast(0.00019841269874901259234));
    q = fused(q, r, broadcast(0.0013888888888883731828));
    q = fused(q, r, broadcast(0.0083333333333261120526));
    q = fused(q, r, broadcast(0.041666666666666669767));
    q = fused(q, r, broadcast(0.16666666666666671008));
#endif
    q = fused(q, r, broadcast((real)0.5));
    return fused(r * r, q, r);
}

/* The integer k nearest to x / ln 2, and exp(x - k ln 2) - 1. */
INLINE vector reduce(vector x, integers *k) {
    vector shifted = fused(x, broadcast(LOG2E), broadcast(ROUND));
    *k = (integers)shifted - ROUND_BITS;
    vector rounded = shifted - ROUND;
    vector r = fused(rounded, broadcast(-LN2_HIGH), x);
    return expm1_reduced(fused(rounded, broadcast(-LN2_LOW), r));
}

/* exp(x), with 0 for results below about 1.6e-38 (3.3e-308 in 64 bits); NaN stays NaN. */
INLINE vector vector_exp(vector x) {
    const vector zero = {0}, largest = broadcast(EXP_LARGEST), smallest = broadcast(EXP_SMALLEST);
    integers k;
    vector m = reduce(at_least(smallest, at_most(largest, x)), &k);
    /* Two factors, for 2^k itself may overflow where the result does not. */
    integers half = k >> 1;
    vector factor = power_of_two(half);
    vector y = fused(m, factor, factor) * power_of_two(k - half);
    return where_less(x, smallest, zero, y);
}

/* exp(x) - 1 for x <= 0, accurate relative to its own size. */
INLINE vector vector_expm1_negative(vector x) {
    const vector smallest = broadcast(EXPM1_SMALLEST);
    integers k;
    vector m = reduce(at_least(smallest, x), &k);
    vector factor = power_of_two(k);
    return fused(m, factor, factor - 1);
}

/* 1 / (1 + exp(-x)), with 0 where exp(x) would be.  The exponential of a bounded argument needs
   one power of two, not two. */
INLINE vector vector_sigmoid(vector x) {
    const vector zero = {0}, bound = broadcast(-EXP_SMALLEST), smallest = broadcast(EXP_SMALLEST);
    integers k;
    vector m = reduce(at_least(smallest, at_most(bound, -x)), &k), factor = power_of_two(k);
    vector y = 1 / (1 + fused(m, factor, factor));
    return where_less(x, smallest, zero, y);
}

/* -t / (t + 2) with t = exp(-2 |x|) - 1, and the sign of x. */
INLINE vector vector_tanh(vector x) {
    vector t = vector_expm1_negative(-2 * absolute(x));
    return with_sign_of(t / (t + 2), x);
}

/* log(1 + e) for 0 <= e <= 1: 2 atanh(s) with s = e / (2 + e), a polynomial in s^2.  Its error is
   at most 2 ULP. */
INLINE vector vector_log1p(vector e) {
    vector s = e / (2 + e), z = s * s;
#if REAL_IS_FLOAT
    vector q = broadcast(0.281577783631f);
    q = fused(q, z, broadcast(0.279651577452f));
    q = fused(q, z, broadcast(0.400245952307f));
    q = fused(q, z, broadcast(0.666663216414f));
    q = fused(q, z, broadcast(2.00000000768f));
#else
    vector q = broadcast(0.170441635627813981291);
    q = fused(q, z, broadcast(0.08324506511860820575702));
    q = fused(q, z, broadcast(0.1211016872806921765465));
    q = fused(q, z, broadcast(0.1330037403267462433708));
    q = fused(q, z, broadcast(0.153866140423040077617));
    q = fused(q, z, broadcast(0.1818174083250480451027));
    q = fused(q, z, broadcast(0.2222222408074767317302));
    q = fused(q, z, broadcast(0.2857142854545411453365));
    q = fused(q, z, broadcast(0.4000000000018574746801));
    q = fused(q, z, broadcast(0.6666666666666614959443));
    q = fused(q, z, broadcast(2.000000000000000002375));
#endif
    return s * q;
}

#if REAL_IS_FLOAT
#define TAIL_MIDDLE 3
#define TAIL_BOUND 14
#else
#define TAIL_MIDDLE 5
#define TAIL_BOUND ((real)38.6)
#endif
#define INVERSE_SQRT_TWO_PI ((real)0.39894228040143267794)

/* The normal distribution function at x, and its density.  Below 0 it is exp(-x^2 / 2) times a
   polynomial in (a - k) / (a + k) for a = |x|, above 0 what that leaves of 1.  The rounding of
   x^2 / 2, which exp would multiply, is made good. */
INLINE vector normal_distribution(vector x, vector *density) {
    vector a = at_most(broadcast(TAIL_BOUND), absolute(x));
    vector u = (a - TAIL_MIDDLE) / (a + TAIL_MIDDLE);
#if REAL_IS_FLOAT
    vector q = broadcast(5.40938600723e-5f);
    q = fused(q, u, broadcast(0.000116207929242f));
    q = fused(q, u, broadcast(-0.000339556463507f));
    q = fused(q, u, broadcast(-0.000984276383318f));
    q = fused(q, u, broadcast(0.00290442838974f));
    q = fused(q, u, broadcast(0.00613219250965f));
    q = fused(q, u, broadcast(-0.0462132474669f));
    q = fused(q, u, broadcast(0.123225021749f));
    q = fused(q, u, broadcast(-0.206402622071f));
    q = fused(q, u, broadcast(0.121513947742f));
#else
    vector q = broadcast(-2.324368110166329173601e-10);
    q = fused(q, u, broadcast(-5.706049844913334451689e-10));
    q = fused(q, u, broadcast(1.827049760319101617345e-9));
    q = fused(q, u, broadcast(5.691203375678263942963e-9));
    q = fused(q, u, broadcast(-1.099588716788966510278e-8));
    q = fused(q, u, broadcast(-3.91691740711151101917e-8));
    q = fused(q, u, broadcast(7.710725800301015824012e-8));
    q = fused(q, u, broadcast(2.433462659261981322141e-7));
    q = fused(q, u, broadcast(-6.750782838094557679964e-7));
    q = fused(q, u, broadcast(-0.00000127007486190057279835));
    q = fused(q, u, broadcast(0.000006644421078869602976969));
    q = fused(q, u, broadcast(9.61305643833540661549e-7));
    q = fused(q, u, broadcast(-0.00006042748276875830714884));
    q = fused(q, u, broadcast(0.0001342768434566665504346));
    q = fused(q, u, broadcast(0.0002195507376223621542658));
    q = fused(q, u, broadcast(-0.002378844356695867523387));
    q = fused(q, u, broadcast(0.008991370550589495213255));
    q = fused(q, u, broadcast(-0.02341390048769198311274));
    q = fused(q, u, broadcast(0.04785535228417006816161));
    q = fused(q, u, broadcast(-0.08088387726412742186409));
    q = fused(q, u, broadcast(0.1160688118860032930275));
    q = fused(q, u, broadcast(-0.1434575552640119718225));
    q = fused(q, u, broadcast(0.07691930497500629590969));
#endif
    vector half = (real)0.5 * a, square = half * a;
    vector e = vector_exp(-square) * (1 - fused(half, a, -square)), tail = e * q;
    *density = e * INVERSE_SQRT_TWO_PI;
    return where_less(x, (vector){0}, tail, 1 - tail);
}

/* sin(r) for |r| <= pi / 2. */
INLINE vector sine_reduced(vector r) {
    vector z = r * r;
#if REAL_IS_FLOAT
    vector q = broadcast(-2.408009508712e-8f);
    q = fused(q, z, broadcast(2.753645944364609e-6f));
    q = fused(q, z, broadcast(-0.00019841086507f));
    q = fused(q, z, broadcast(0.008333332768529f));
    q = fused(q, z, broadcast(-0.166666666638799f));
#else
    vector q = broadcast(-8.006048703469620737852e-18);
    q = fused(q, z, broadcast(2.810468581681567657527e-15));
    q = fused(q, z, broadcast(-7.647139114646649648969e-13));
    q = fused(q, z, broadcast(1.605904347927675205537e-10));
    q = fused(q, z, broadcast(-2.505210838238988787451e-8));
    q = fused(q, z, broadcast(2.755731922397125429667e-6));
    q = fused(q, z, broadcast(-0.0001984126984126980610089));
    q = fused(q, z, broadcast(0.008333333333333333300794));
    q = fused(q, z, broadcast(-0.1666666666666666666662));
#endif
    return fused(r * z, q, r);
}

/* x = (k + half) pi + r; the sine of r, with its sign turned where k is odd. */
INLINE vector sine_beyond(vector x, real half) {
    const vector bound = broadcast((real)1.6);
    vector shifted = fused(x, broadcast(INVERSE_PI), broadcast(-half)) + broadcast(ROUND);
    vector halves = shifted - ROUND + half;
    vector r = fused(halves, broadcast(-PI_MIDDLE), fused(halves, broadcast(-PI_HIGH), x));
    r = at_most(bound, at_least(-bound, fused(halves, broadcast(-PI_LOW), r)));
    integers odd = (integers)shifted << (8 * sizeof(real) - 1);
    return (vector)((integers)sine_reduced(r) ^ odd);
}

INLINE vector vector_sin(vector x) { return sine_beyond(x, 0); }

INLINE vector vector_cos(vector x) { return -sine_beyond(x, (real)0.5); }
