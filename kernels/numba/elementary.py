"""exp, expm1, tanh, sigmoid, log1p, sine, cosine, the normal distribution as straight-line code.

So a loop over them vectorizes.

A call into libm costs 4 to 10 ns an element and keeps the loop scalar.  Here
``x = k ln 2 + r`` with ``|r| <= ln 2 / 2``; ``exp(r) = 1 + r + r^2 q(r)`` with ``q`` interpolated
at Chebyshev nodes (relative error 1e-8 in the 32-bit form, 2.3e-19 in the 64-bit form, before
rounding); and ``2^k`` is made by writing ``k`` into an exponent field.  NaN goes in and out.

Likewise ``x = k pi + r`` with ``|r| <= pi / 2``, and ``sin(x)`` is ``sin(r)``, or minus that where
``k`` is odd; a cosine is the sine of half a ``pi`` less.

Rounding to the integer ``k`` adds and subtracts 1.5 * 2^23 (or 2^52): the sum's low bits hold
``k``, with no conversion instruction.
"""

import numpy as np

from .jit import exact
from .rounding import fma

LOG2E_32 = np.float32(1.442695040888963407)
LN2_HIGH_32 = np.float32(0.693115234375)  # 12 bits, so that k * high is exact
LN2_LOW_32 = np.float32(3.1946184945309417232e-5)
ROUND_32 = np.float32(12582912.0)
ROUND_BITS_32 = np.int32(0x4B400000)

LOG2E_64 = np.float64(1.442695040888963407)
LN2_HIGH_64 = np.float64(0.693147180369123816490173339844)  # 32 bits
LN2_LOW_64 = np.float64(1.908214929270587816144266e-10)
ROUND_64 = np.float64(6755399441055744.0)
ROUND_BITS_64 = np.int64(0x4338000000000000)

INVERSE_PI = 0.318309886183790671538
PI_HIGH_32 = np.float32(3.140625)  # 8 bits, and 12, so that their products with k are exact
PI_MIDDLE_32 = np.float32(0.000967502593994140625)
PI_LOW_32 = np.float32(1.5099580252808664e-7)
PI_HIGH_64 = np.float64(3.1415926534682512)  # 33 bits each
PI_MIDDLE_64 = np.float64(1.2154201012607932e-10)
PI_LOW_64 = np.float64(4.044532497591901e-21)


@exact
def power_of_two_32(k):
    """2^k for an int32 k in [-126, 127]."""
    return np.int32((k + np.int32(127)) << np.int32(23)).view(np.float32)


@exact
def power_of_two_64(k):
    """2^k for an int64 k in [-1022, 1023]."""
    return np.int64((k + np.int64(1023)) << np.int64(52)).view(np.float64)


@exact
def expm1_reduced_32(r):
    """exp(r) - 1 for |r| <= ln 2 / 2."""
    q = np.float32(0.0013926213466332443037)
    q = fma(q, r, np.float32(0.0083632029715758549465))
    q = fma(q, r, np.float32(0.041666554437685938899))
    q = fma(q, r, np.float32(0.16666576845993976311))
    q = fma(q, r, np.float32(0.5))
    return fma(r * r, q, r)


@exact
def expm1_reduced_64(r):
    """exp(r) - 1 for |r| <= ln 2 / 2."""
    q = np.float64(2.0914717341716375952e-9)
    q = fma(q, r, np.float64(2.5105259538448493419e-8))
    q = fma(q, r, np.float64(2.7557273570102139673e-7))
    q = fma(q, r, np.float64(2.7557255297969644392e-6))
    q = fma(q, r, np.float64(0.000024801587325605322782))
    q = fma(q, r, np.float64(0.00019841269874901259234))
    q = fma(q, r, np.float64(0.0013888888888883731828))
    q = fma(q, r, np.float64(0.0083333333333261120526))
    q = fma(q, r, np.float64(0.041666666666666669767))
    q = fma(q, r, np.float64(0.16666666666666671008))
    q = fma(q, r, np.float64(0.5))
    return fma(r * r, q, r)


@exact
def reduced_32(x, k):
    """X - k ln 2, for an integer k in floating point."""
    return fma(-k, LN2_LOW_32, fma(-k, LN2_HIGH_32, x))


@exact
def reduced_64(x, k):
    return fma(-k, LN2_LOW_64, fma(-k, LN2_HIGH_64, x))


@exact
def exp_32(x):
    # Comparisons, not min and max: those would turn NaN into a bound.
    if x > np.float32(89.0):
        x = np.float32(89.0)
    negligible = x < np.float32(-87.0)
    if negligible:
        x = np.float32(-87.0)
    shifted = np.float32(fma(x, LOG2E_32, ROUND_32))
    k = np.int32(shifted.view(np.int32) - ROUND_BITS_32)
    rounded = shifted - ROUND_32
    m = expm1_reduced_32(reduced_32(x, rounded))
    # Two factors, for 2^k itself may overflow where the result does not.
    half = np.int32(k >> np.int32(1))
    factor = power_of_two_32(half)
    y = fma(m, factor, factor) * power_of_two_32(np.int32(k - half))
    return np.float32(0.0) if negligible else y


@exact
def exp_64(x):
    if x > np.float64(710.0):
        x = np.float64(710.0)
    negligible = x < np.float64(-708.0)
    if negligible:
        x = np.float64(-708.0)
    shifted = np.float64(fma(x, LOG2E_64, ROUND_64))
    k = np.int64(shifted.view(np.int64) - ROUND_BITS_64)
    rounded = shifted - ROUND_64
    m = expm1_reduced_64(reduced_64(x, rounded))
    half = np.int64(k >> np.int64(1))
    factor = power_of_two_64(half)
    y = fma(m, factor, factor) * power_of_two_64(np.int64(k - half))
    return np.float64(0.0) if negligible else y


@exact
def expm1_negative_32(x):
    if x < np.float32(-40.0):
        x = np.float32(-40.0)
    shifted = np.float32(fma(x, LOG2E_32, ROUND_32))
    k = np.int32(shifted.view(np.int32) - ROUND_BITS_32)
    rounded = shifted - ROUND_32
    m = expm1_reduced_32(reduced_32(x, rounded))
    factor = power_of_two_32(k)
    return fma(m, factor, factor - np.float32(1.0))


@exact
def expm1_negative_64(x):
    if x < np.float64(-60.0):
        x = np.float64(-60.0)
    shifted = np.float64(fma(x, LOG2E_64, ROUND_64))
    k = np.int64(shifted.view(np.int64) - ROUND_BITS_64)
    rounded = shifted - ROUND_64
    m = expm1_reduced_64(reduced_64(x, rounded))
    factor = power_of_two_64(k)
    return fma(m, factor, factor - np.float64(1.0))


@exact
def exp(x):
    """exp(x), with 0 for results below about 1.6e-38 (3.3e-308 in 64 bits).

    Denormal results would be exact, and eight times slower: no softmax misses them.
    """
    if isinstance(x, np.float32):
        return exp_32(x)
    return exp_64(x)


@exact
def expm1_negative(x):
    """exp(x) - 1 for x <= 0, accurate relative to its own size."""
    if isinstance(x, np.float32):
        return expm1_negative_32(x)
    return expm1_negative_64(x)


@exact
def exp_within_32(x):
    """exp(x) for |x| <= 87, where 2^k needs no second factor."""
    shifted = np.float32(fma(x, LOG2E_32, ROUND_32))
    k = np.int32(shifted.view(np.int32) - ROUND_BITS_32)
    rounded = shifted - ROUND_32
    m = expm1_reduced_32(reduced_32(x, rounded))
    factor = power_of_two_32(k)
    return fma(m, factor, factor)


@exact
def exp_within_64(x):
    """exp(x) for |x| <= 708."""
    shifted = np.float64(fma(x, LOG2E_64, ROUND_64))
    k = np.int64(shifted.view(np.int64) - ROUND_BITS_64)
    rounded = shifted - ROUND_64
    m = expm1_reduced_64(reduced_64(x, rounded))
    factor = power_of_two_64(k)
    return fma(m, factor, factor)


@exact
def sigmoid_32(x):
    z = -x
    if z > np.float32(87.0):
        z = np.float32(87.0)
    if z < np.float32(-87.0):
        z = np.float32(-87.0)
    y = np.float32(1.0) / (np.float32(1.0) + exp_within_32(z))
    return np.float32(0.0) if x < np.float32(-87.0) else y


@exact
def sigmoid_64(x):
    z = -x
    if z > np.float64(708.0):
        z = np.float64(708.0)
    if z < np.float64(-708.0):
        z = np.float64(-708.0)
    y = np.float64(1.0) / (np.float64(1.0) + exp_within_64(z))
    return np.float64(0.0) if x < np.float64(-708.0) else y


@exact
def sigmoid(x):
    """1 / (1 + exp(-x)), with 0 where exp(x) would be."""
    if isinstance(x, np.float32):
        return sigmoid_32(x)
    return sigmoid_64(x)


@exact
def tanh(x):
    """-t / (t + 2) with t = exp(-2 |x|) - 1, and the sign of x: no overflow, no cancellation."""
    two = type(x)(2)
    t = expm1_negative(-two * abs(x))
    y = -t / (t + two)
    return y if x > type(x)(0) else -y


@exact
def log1p_series_32(z):
    """2 atanh(s) / s for z = s^2 of at most 1/9."""
    q = np.float32(0.281577783631)
    q = fma(q, z, np.float32(0.279651577452))
    q = fma(q, z, np.float32(0.400245952307))
    q = fma(q, z, np.float32(0.666663216414))
    return fma(q, z, np.float32(2.00000000768))


@exact
def log1p_series_64(z):
    q = np.float64(0.170441635627813981291)
    q = fma(q, z, np.float64(0.08324506511860820575702))
    q = fma(q, z, np.float64(0.1211016872806921765465))
    q = fma(q, z, np.float64(0.1330037403267462433708))
    q = fma(q, z, np.float64(0.153866140423040077617))
    q = fma(q, z, np.float64(0.1818174083250480451027))
    q = fma(q, z, np.float64(0.2222222408074767317302))
    q = fma(q, z, np.float64(0.2857142854545411453365))
    q = fma(q, z, np.float64(0.4000000000018574746801))
    q = fma(q, z, np.float64(0.6666666666666614959443))
    return fma(q, z, np.float64(2.000000000000000002375))


@exact
def log1p(e):
    """log(1 + e) for 0 <= e <= 1: 2 atanh(s) with s = e / (2 + e).

    The error is at most 2 units of the last place.
    """
    s = e / (type(e)(2) + e)
    if isinstance(e, np.float32):
        return s * log1p_series_32(s * s)
    return s * log1p_series_64(s * s)


@exact
def tail_32(a):
    """The normal distribution's tail beyond a number from 0 to 14, by exp(-a^2 / 2)."""
    u = (a - np.float32(3)) / (a + np.float32(3))
    q = np.float32(5.40938600723e-5)
    q = fma(q, u, np.float32(0.000116207929242))
    q = fma(q, u, np.float32(-0.000339556463507))
    q = fma(q, u, np.float32(-0.000984276383318))
    q = fma(q, u, np.float32(0.00290442838974))
    q = fma(q, u, np.float32(0.00613219250965))
    q = fma(q, u, np.float32(-0.0462132474669))
    q = fma(q, u, np.float32(0.123225021749))
    q = fma(q, u, np.float32(-0.206402622071))
    return fma(q, u, np.float32(0.121513947742))


@exact
def tail_64(a):
    """The same for a number from 0 to 38.6."""
    u = (a - np.float64(5)) / (a + np.float64(5))
    q = np.float64(-2.324368110166329173601e-10)
    q = fma(q, u, np.float64(-5.706049844913334451689e-10))
    q = fma(q, u, np.float64(1.827049760319101617345e-9))
    q = fma(q, u, np.float64(5.691203375678263942963e-9))
    q = fma(q, u, np.float64(-1.099588716788966510278e-8))
    q = fma(q, u, np.float64(-3.91691740711151101917e-8))
    q = fma(q, u, np.float64(7.710725800301015824012e-8))
    q = fma(q, u, np.float64(2.433462659261981322141e-7))
    q = fma(q, u, np.float64(-6.750782838094557679964e-7))
    q = fma(q, u, np.float64(-0.00000127007486190057279835))
    q = fma(q, u, np.float64(0.000006644421078869602976969))
    q = fma(q, u, np.float64(9.61305643833540661549e-7))
    q = fma(q, u, np.float64(-0.00006042748276875830714884))
    q = fma(q, u, np.float64(0.0001342768434566665504346))
    q = fma(q, u, np.float64(0.0002195507376223621542658))
    q = fma(q, u, np.float64(-0.002378844356695867523387))
    q = fma(q, u, np.float64(0.008991370550589495213255))
    q = fma(q, u, np.float64(-0.02341390048769198311274))
    q = fma(q, u, np.float64(0.04785535228417006816161))
    q = fma(q, u, np.float64(-0.08088387726412742186409))
    q = fma(q, u, np.float64(0.1160688118860032930275))
    q = fma(q, u, np.float64(-0.1434575552640119718225))
    return fma(q, u, np.float64(0.07691930497500629590969))


@exact
def tail_bound(x):
    """What the normal distribution's tail is next to nothing beyond."""
    return np.float32(14) if isinstance(x, np.float32) else np.float64(38.6)


@exact
def gaussian(a):
    """exp(-a^2 / 2); the rounding of the square, which exp would multiply, is made good."""
    half = type(a)(0.5) * a
    square = half * a
    return exp(-square) * (type(a)(1) - fma(half, a, -square))


@exact
def normal_cdf(x):
    """The normal distribution function: below 0 a Gaussian times a polynomial in (a - k) / (a + k).

    Here ``a = |x|``; above 0 it is what that leaves of 1.  NaN stays NaN.
    """
    a = abs(x)
    a = tail_bound(x) if a > tail_bound(x) else a
    tail = gaussian(a) * (tail_32(a) if isinstance(x, np.float32) else tail_64(a))
    return tail if x < type(x)(0) else type(x)(1) - tail


@exact
def sine_reduced_32(r):
    """sin(r) for |r| <= pi / 2."""
    z = r * r
    q = np.float32(-2.408009508712e-8)
    q = fma(q, z, np.float32(2.753645944364609e-6))
    q = fma(q, z, np.float32(-0.00019841086507))
    q = fma(q, z, np.float32(0.008333332768529))
    q = fma(q, z, np.float32(-0.166666666638799))
    return fma(r * z, q, r)


@exact
def sine_reduced_64(r):
    z = r * r
    q = np.float64(-8.006048703469620737852e-18)
    q = fma(q, z, np.float64(2.810468581681567657527e-15))
    q = fma(q, z, np.float64(-7.647139114646649648969e-13))
    q = fma(q, z, np.float64(1.605904347927675205537e-10))
    q = fma(q, z, np.float64(-2.505210838238988787451e-8))
    q = fma(q, z, np.float64(2.755731922397125429667e-6))
    q = fma(q, z, np.float64(-0.0001984126984126980610089))
    q = fma(q, z, np.float64(0.008333333333333333300794))
    q = fma(q, z, np.float64(-0.1666666666666666666662))
    return fma(r * z, q, r)


@exact
def within_half_turn(r):
    """What is left of x, but never more than a half turn, which it is where x has no fraction."""
    bound = type(r)(1.6)
    r = bound if r > bound else r
    return -bound if r < -bound else r


@exact
def sine_beyond_32(x, half):
    """The sine of r in x = (k + half) pi + r, with its sign turned where k is odd."""
    shifted = np.float32(fma(x, np.float32(INVERSE_PI), -half) + ROUND_32)
    halves = shifted - ROUND_32 + half
    r = fma(halves, -PI_MIDDLE_32, fma(halves, -PI_HIGH_32, x))
    y = sine_reduced_32(within_half_turn(fma(halves, -PI_LOW_32, r)))
    return -y if shifted.view(np.int32) & np.int32(1) else y


@exact
def sine_beyond_64(x, half):
    shifted = np.float64(fma(x, np.float64(INVERSE_PI), -half) + ROUND_64)
    halves = shifted - ROUND_64 + half
    r = fma(halves, -PI_MIDDLE_64, fma(halves, -PI_HIGH_64, x))
    y = sine_reduced_64(within_half_turn(fma(halves, -PI_LOW_64, r)))
    return -y if shifted.view(np.int64) & np.int64(1) else y


@exact
def sine(x):
    """sin(x); within [-1, 1] where x is so large that it has no fraction of a turn."""
    if isinstance(x, np.float32):
        return sine_beyond_32(x, np.float32(0))
    return sine_beyond_64(x, np.float64(0))


@exact
def cosine(x):
    if isinstance(x, np.float32):
        return -sine_beyond_32(x, np.float32(0.5))
    return -sine_beyond_64(x, np.float64(0.5))
