"""How sure a count can make: 95 % intervals of shares, of their differences, and of an AUC."""

import bisect
import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtrc  # scipy.stats would take a second to import

_Z = 1.959963984540054  # of the normal distribution, for 95 %


@dataclass(frozen=True)
class Share:
    """So many of so many, with the Wilson interval (1927) of what this is a sample of."""

    count: int
    total: int

    @property
    def interval(self) -> tuple[float, float]:
        """The interval; [0, 1] if there is nothing to go by."""
        return _wilson(self.count, self.total) if self.total else (0.0, 1.0)

    @property
    def side(self) -> int:
        """1 if the interval lies above one half, -1 if below, 0 if it does not decide."""
        low, high = self.interval
        return int(low > 0.5) - int(high < 0.5)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.count} of {self.total} [{low:.2f}, {high:.2f}]"


@functools.cache  # a report asks for the few that there are thousands of times
def _wilson(count: int, total: int) -> tuple[float, float]:
    share, z = count / total, _Z**2 / total
    middle = (share + z / 2) / (1 + z)
    reach = math.sqrt(z * (share * (1 - share) + z / 4)) / (1 + z)
    low = middle - reach if count else 0.0
    high = middle + reach if count < total else 1.0
    return low, high


def difference(a: Share, b: Share) -> tuple[float, float]:
    """Return the interval of ``a - b`` for independent shares (Newcombe, 1998, method 10)."""
    if not a.total or not b.total:
        return -1.0, 1.0
    p, q = a.count / a.total, b.count / b.total
    (low_a, high_a), (low_b, high_b) = a.interval, b.interval
    return (
        p - q - math.hypot(p - low_a, high_b - q),
        p - q + math.hypot(high_a - p, q - low_b),
    )


@dataclass(frozen=True)
class Auc:
    """How well a figure tells two groups apart: 1 perfectly, 1/2 not at all.

    It is the share of pairs, one of each group, in which the first has the larger figure (ties
    count half); the interval is Newcombe's (2006, method 5), which holds near 1, too.
    """

    value: float
    first: int
    second: int

    @classmethod
    def of(cls, first: ArrayLike, second: ArrayLike) -> "Auc | None":
        """Return it for the figures of two groups, or None if one is empty."""
        a, b = np.asarray(first, float), np.array(second, float)
        if not a.size or not b.size:
            return None
        b.sort()
        wins = np.searchsorted(b, a, "left") + np.searchsorted(b, a, "right")
        return cls(float(wins.sum() / (2 * a.size * b.size)), a.size, b.size)

    @property
    def interval(self) -> tuple[float, float]:
        return self._bound(0.0), self._bound(1.0)

    def _bound(self, end: float) -> float:
        """Return the value nearest to ``end`` that the observed one is not too far from."""
        inside, outside = self.value, end
        for _ in range(60):
            middle = (inside + outside) / 2
            if abs(middle - self.value) <= _Z * self._deviation(middle):
                inside = middle
            else:
                outside = middle
        return inside

    def _deviation(self, value: float) -> float:
        m, n = self.first, self.second
        more = (m + n) / 2 - 1
        spread = 1 + more * ((1 - value) / (2 - value) + value / (1 + value))
        return math.sqrt(value * (1 - value) * spread / (m * n))

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.3f} [{low:.3f}, {high:.3f}]"


@functools.cache  # asked for each net again, and the same for all of them
def above_chance(chance: float, samples: int) -> float:
    """Return the accuracy that guessing exceeds once in a million tests of so many samples."""
    hits = bisect.bisect_left(
        range(samples), True, key=lambda count: bdtrc(count, samples, chance) <= 1e-6
    )
    return hits / samples
