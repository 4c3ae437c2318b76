"""Average ranks, and how far apart they have to be to mean something."""

import numpy as np
from scipy.stats import rankdata, studentized_range


def average_ranks(errors: np.ndarray) -> np.ndarray:
    """Return the mean rank of each peer (peers,), 1 the best, for errors (tables, peers)."""
    return rankdata(errors, axis=1).mean(axis=0)


def critical_difference(peers: int, tables: int, alpha: float = 0.05) -> float:
    """Return the difference of mean ranks from which on two peers differ (Nemenyi, 1963).

    ``q sqrt(k (k + 1) / (6 n))`` for k peers on n tables, with the studentized range's quantile
    over the root of 2 (Demsar, 2006).
    """
    q = studentized_range.ppf(1 - alpha, peers, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(peers * (peers + 1) / (6 * tables)))


def groups(ranks: np.ndarray, difference: float) -> list[tuple[int, int]]:
    """Return the longest runs of sorted ranks that do not differ, as first and last indices."""
    ranks = np.sort(ranks)
    found: list[tuple[int, int]] = []
    for first in range(len(ranks)):
        last = int(np.searchsorted(ranks, ranks[first] + difference, side="right")) - 1
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def geometric_mean(values: np.ndarray) -> float:
    return float(np.exp(np.mean(np.log(values))))
