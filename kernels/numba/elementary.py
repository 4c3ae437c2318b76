"""exp, expm1, tanh and sigmoid as straight-line code, so that a loop over them vectorizes.

A call into libm costs 4 to 10 ns an element and keeps the loop scalar.  Here
``x = k ln 2 + r`` with ``|r| <= ln 2 / 2``; ``exp(r) = 1 + r + r^2 q(r)`` with ``q`` interpolated
at Chebyshev nodes (relative error 1e-8 in the 32-bit form, 2.3e-19 in the 64-bit form, before
rounding); and ``2^k`` is made by writing ``k`` into an exponent field.  NaN goes in and out.

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
