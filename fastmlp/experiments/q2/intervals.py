"""What a few seeds tell: means with t intervals, and differences between nets of the same seed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit  # scipy.stats would take a second to import

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean over seeds, with its two-sided t interval.

    Attributes
    ----------
    mean : float
    low, high : float
        The interval; NaN where there are fewer than two values, as one tells nothing of spread.
    count : int
        How many values.
    """

    mean: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float], comparisons: int = 1) -> "Interval":
        """Return the interval of finite values; of none, or of others, all is NaN.

        Of so many comparisons, all hold at once with the level's probability (Bonferroni).
        """
        n = len(values)
        if not n or not np.isfinite(values).all():
            return cls(math.nan, math.nan, math.nan, n)
        mean = float(np.mean(values))
        if n < 2:
            return cls(mean, math.nan, math.nan, n)
        error = float(np.std(values, ddof=1)) / math.sqrt(n)
        reach = float(stdtrit(n - 1, 1 - (1 - LEVEL) / 2 / comparisons)) * error
        return cls(mean, mean - reach, mean + reach, n)

    @property
    def sign(self) -> int:
        """1 or -1 if the whole interval lies on that side of 0, else 0: it cannot be told."""
        return int(self.low > 0) - int(self.high < 0)

    @property
    def reach(self) -> float:
        return self.high - self.mean

    def __str__(self) -> str:
        if not math.isfinite(self.mean):
            return "-"
        return f"{self.mean:.3f}" + (f"±{self.reach:.3f}" if math.isfinite(self.reach) else "")

    def signed(self) -> str:
        """Return the mean with its sign and the interval: ``+0.012 (0.008 to 0.016)``."""
        return f"{self.mean:+.3f} ({self.low:+.3f} to {self.high:+.3f})"
