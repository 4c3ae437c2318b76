"""What comes out of the runs: ranks, pairs of peers, and the error on each table."""

import statistics

import numpy as np

from bench.tabular.peers import PEERS
from bench.tabular.ranks import average_ranks, critical_difference, geometric_mean
from bench.tabular.sets import TABLES

SMALLEST = 1e-3  # what an error counts as where it is a denominator: a table may be without any

# Whom one would have used instead.
PAIRS = [
    ("fastmlp MLP", "scikit-learn MLP"),
    ("fastmlp RealMLP-TD", "pytabkit RealMLP-TD"),
    ("fastmlp RealMLP-TD-S", "pytabkit RealMLP-TD-S"),
    ("fastmlp RealMLP-TD", "LightGBM"),
    ("fastmlp RealMLP-TD", "CatBoost"),
]

Runs = dict[str, dict[str, dict]]


class Report:
    """The runs of some tables.

    Parameters
    ----------
    runs : dict
        By table and peer, "table / peer".

    Attributes
    ----------
    peers, tables : list of str
        The peers that were measured on most tables, and the tables that have all of these.
    """

    def __init__(self, runs: dict[str, dict]) -> None:
        self.found: Runs = {}
        for key, run in runs.items():
            name, peer = key.split(" / ")
            self.found.setdefault(name, {})[peer] = run
        count = len(self.found)
        self.peers = [p for p in PEERS if 2 * sum(p in row for row in self.found.values()) > count]
        rows = [name for name in TABLES if name in self.found]
        self.tables = [name for name in rows if all(p in self.found[name] for p in self.peers)]

    @property
    def is_enough(self) -> bool:
        """Whether there are ranks."""
        return len(self.tables) > 1 and len(self.peers) > 1

    def of(self, what: str) -> np.ndarray:
        """Return a figure of each peer on each table (tables, peers)."""
        found = self.found
        return np.array([[found[t][p][what] for p in self.peers] for t in self.tables])

    @property
    def ranks(self) -> np.ndarray:
        return average_ranks(self.of("error"))

    @property
    def difference(self) -> float:
        return critical_difference(len(self.peers), len(self.tables))

    @property
    def relative_errors(self) -> np.ndarray:
        """Of each peer, the error over that of each table's best, as a geometric mean."""
        errors = np.maximum(self.of("error"), SMALLEST)
        return np.array([geometric_mean(c) for c in (errors / errors.min(axis=1)[:, None]).T])

    def mean(self, what: str) -> np.ndarray:
        return np.array([geometric_mean(column) for column in self.of(what).T])

    def ranking(self) -> list[str]:
        """Return the lines of a table of the peers."""
        lines = [
            f"{len(self.tables)} tables; ranks {self.difference:.2f} apart differ (5 %).",
            "",
            "| peer | mean rank | error over the best | fit, s | of all cores, s | predict, s |",
            "|---|---|---|---|---|---|",
        ]
        columns = zip(
            self.ranks, self.relative_errors,
            *(self.mean(what) for what in ("fit", "fit_of_cores", "predict")), strict=True,
        )  # fmt: skip
        rows = sorted(zip(self.peers, columns, strict=True), key=lambda row: row[1][0])
        return lines + [
            f"| {peer} | {rank:.2f} | {error:.3f} | {fit:.2f} | {cores:.2f} | {predict:.3f} |"
            for peer, (rank, error, fit, cores, predict) in rows
        ]

    def pairs(self) -> list[str]:
        """Return the lines of a table of one peer against another."""
        lines = [
            "| | tables | error, ratio | better on | times faster: median | least | most |",
            "|---|---|---|---|---|---|---|",
        ]
        for one, other in PAIRS:
            rows = [row for row in self.found.values() if one in row and other in row]
            if not rows:
                continue
            errors = [[max(row[p]["error"], SMALLEST) for p in (one, other)] for row in rows]
            ratio = geometric_mean(np.array([a / b for a, b in errors]))
            better = sum(a < b for a, b in errors)
            faster = [row[other]["fit"] / row[one]["fit"] for row in rows]
            lines.append(
                f"| {one} against {other} | {len(rows)} | {ratio:.3f} | {better} | "
                f"{statistics.median(faster):.2g} | {min(faster):.2g} | {max(faster):.2g} |"
            )
        return lines

    def errors(self) -> list[str]:
        """Return the lines of a table of all errors."""
        names = [name for name in TABLES if name in self.found]
        peers = [p for p in PEERS if any(p in row for row in self.found.values())]
        lines = [f"| table | {' | '.join(peers)} |", "|---" * (len(peers) + 1) + "|"]
        for name in names:
            row = self.found[name]
            cells = [f"{row[p]['error']:.4f}" if p in row else "" for p in peers]
            lines.append(f"| {name} | {' | '.join(cells)} |")
        return lines

    def text(self) -> list[str]:
        return [*self.ranking(), "", *self.pairs(), "", *self.errors()]
