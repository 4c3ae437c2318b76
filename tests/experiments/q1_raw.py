"""What question 1's sentences rest on, computed anew from a run's raw figures.

Nothing here is imported from the experiments: a mistake there is not repeated here.
"""

import functools
import math

import numpy as np
from scipy import stats
from scipy.optimize import brentq

BASE = {
    "activation": "", "depth": 0, "width": 10, "initializer": "torch_default",
    "learning_rate": 0.2, "momentum": 0.0, "l1": 0.0, "l2": 0.0, "dropout": 0.0, "batch_size": 32,
    "epochs": 5, "samples": None, "seed": 0, "cool_after": 0, "cool_by": 1.0, "optimizer": "sgd",
    "residual": False, "normalized": False,
}  # fmt: skip
REPORTED_DEPTHS = {"sigmoid": 4, "tanh": 14, "relu": 8}
NEVER, LOST, SLOW, LEARNED = "never learned", "learned and lost", "learning slowly", "learned"
GLOROT = ("sigmoid", "tanh")

# What each cure does to a net.
CURES = {
    "ReLU": lambda n: {"activation": "relu"},
    "leaky ReLU": lambda n: {"activation": "leaky_relu"},
    "ELU": lambda n: {"activation": "elu"},
    "SELU": lambda n: {"activation": "selu"},
    "GELU": lambda n: {"activation": "gelu"},
    "Glorot initialization": lambda n: {"initializer": "glorot_uniform"},
    "He initialization": lambda n: {"initializer": "he_normal"},
    "LeCun initialization": lambda n: {"initializer": "lecun_normal"},
    "learning rate / 4": lambda n: {"learning_rate": n["learning_rate"] / 4},
    "learning rate / 20": lambda n: {"learning_rate": n["learning_rate"] / 20},
    "half the layers": lambda n: {"depth": max(1, n["depth"] // 2)},
    "half the units": lambda n: {"width": max(1, round(n["width"] / 2))},
    "4 times the units": lambda n: {"width": 4 * n["width"]},
    "momentum 0.9": lambda n: {"momentum": 0.9},
    "batch normalization": lambda n: {"normalized": True},
    "residual connections": lambda n: {"residual": n["depth"] > 1},
    "SELU with LeCun": lambda n: {"activation": "selu", "initializer": "lecun_normal"},
    "matched initialization, rate / 10": lambda n: {
        "initializer": "glorot_uniform" if n["activation"] in GLOROT
        else "lecun_normal" if n["activation"] == "selu" else "he_normal",
        "learning_rate": n["learning_rate"] / 10,
    },
    "Adam, rate 0.001": lambda n: {"optimizer": "adam", "learning_rate": 1e-3, "momentum": 0.0},
    "momentum 0.9, rate / 10": lambda n: {
        "momentum": 0.9, "learning_rate": n["learning_rate"] / 10,
    },
}  # fmt: skip


def wilson(count, total):
    if not total:
        return 0.0, 1.0
    found = stats.binomtest(count, total).proportion_ci(0.95, "wilson")
    return float(found.low), float(found.high)


def side(count, total):
    low, high = wilson(count, total)
    return (low > 0.5) - (high < 0.5)


def shown(count, total):
    """Return a share as sentences have it."""
    low, high = wilson(count, total)
    return f"{count} of {total} [{low:.2f}, {high:.2f}]"


def gain(a, b):
    """Return Newcombe's interval of the difference of two shares."""
    p, q = a[0] / a[1], b[0] / b[1]
    (low_a, high_a), (low_b, high_b) = wilson(*a), wilson(*b)
    return (
        p - q - math.hypot(p - low_a, high_b - q),
        p - q + math.hypot(high_a - p, q - low_b),
    )


def auc(first, second):
    wins = [(a > b) + 0.5 * (a == b) for a in first for b in second]
    return float(np.mean(wins))


def auc_interval(value, m, n):
    """Return Newcombe's interval (2006, method 5), by root finding."""

    def beyond(x):
        more = (m + n) / 2 - 1
        spread = 1 + more * ((1 - x) / (2 - x) + x / (1 + x))
        return abs(x - value) - stats.norm.isf(0.025) * math.sqrt(x * (1 - x) * spread / (m * n))

    low = 0.0 if value == 0 else brentq(beyond, 0, value - 1e-12) if value > 1e-12 else 0.0
    high = 1.0 if value == 1 else brentq(beyond, value + 1e-12, 1)
    return low, high


class Raw:
    """A run: its nets by what they are, and what became of each."""

    def __init__(self, results, dataset, arrays):
        self.results, self.arrays = results, arrays
        self.settings = results["settings"]
        self.train, self.test = len(dataset.train[1]), len(dataset.test[1])
        counts = np.bincount(dataset.test[1])
        self.chance = float(counts.max() / self.test)
        shares = counts[counts > 0] / self.test
        self.entropy = -(shares * np.log(shares)).sum()
        fewer = min(self.train, self.test)
        self.threshold = stats.binom.isf(1e-6, fewer, self.chance) / fewer
        self.nets = {self._key(net): net for net in results["nets"]}
        self.base = BASE | {
            name: value
            for name, value in self.settings.items()
            if name in BASE and value is not None and name != "depth"
        }
        self.activations = self.settings["activations"] or ["sigmoid", "tanh", "relu"]
        best = [max(self.known(net)[1:]) for a in self.activations for net in self.map_nets(a)]
        self.ceiling = max([*best, -1.0])

    @staticmethod
    def _key(net):
        return tuple(net[name] for name in BASE)

    def find(self, net, **changes):
        """Return a net of the run that is like another but for changes, or None."""
        return self.nets.get(self._key({name: net[name] for name in BASE} | changes))

    @staticmethod
    def known(net):
        after = net["figures"]["val_accuracy"]
        first = net["figures"]["accuracy"][0] if math.isfinite(after[0]) else -1
        return [a if math.isfinite(a) else -1 for a in (first, *after)]

    def course(self, net):
        known = self.known(net)
        best, last = max(known), known[-1]
        if not best > self.threshold:
            return NEVER
        fallen = 2 * (last - self.chance) <= best - self.chance
        if fallen and best - last > self.threshold - self.chance:
            return LOST
        return LEARNED if 2 * (last - self.chance) > self.ceiling - self.chance else SLOW

    def knows(self, net):
        return self.course(net) in (SLOW, LEARNED)

    def fell(self, net):
        """Return in which epoch, counted from 1, a net that lost fell; 0 is before the first."""
        known = self.known(net)
        best = known.index(max(known))
        for place in range(best + 1, len(known)):
            if known[place] - self.chance <= (known[best] - self.chance) / 2:
                return place
        raise AssertionError("a net that lost did not fall")

    def own(self, activation, depth, seed=0):
        return self.base | {"activation": activation, "depth": depth, "seed": seed}

    def asked(self, activation):
        return self.settings["depth"] or REPORTED_DEPTHS.get(activation, 8)

    def depths(self, activation):
        if max(16, self.settings["depth"] or 0) > 16:
            found = sorted({n["depth"] for n in self.results["findings"]["depth_map"]})
        elif self.settings["quick"]:
            found = [1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16]
        else:
            found = list(range(1, 17))
        return sorted({*found, self.asked(activation)})

    @functools.cache  # noqa: B019
    def cell(self, activation, depth):
        """Return the nets of a depth: as many seeds as it takes to decide."""
        looks = (
            (self.settings["seeds"],) if self.settings["seeds"]
            else (4,) if self.settings["quick"] else (6, 12, 20, 30)
        )  # fmt: skip
        nets = []
        for look in looks:
            nets = [self.find(self.own(activation, depth, seed)) for seed in range(look)]
            if all(side(*self.share(nets, what)) for what in ("never learned", "failed")):
                break
        return nets

    def share(self, nets, what):
        """Return how many nets never learned, or failed; this needs no ceiling."""
        hits = 0
        for net in nets:
            known = self.known(net)
            best, last = max(known), known[-1]
            never = not best > self.threshold
            lost = (
                not never
                and 2 * (last - self.chance) <= best - self.chance
                and best - last > self.threshold - self.chance
            )
            hits += int(never or (lost and what == "failed"))
        return hits, len(nets)

    def map_nets(self, activation):
        return [net for depth in self.depths(activation) for net in self.cell(activation, depth)]

    def anything_learned(self):
        return any(self.course(net) != NEVER for a in self.activations for net in self.map_nets(a))

    def fallen(self, activation):
        lost = [net for net in self.map_nets(activation) if self.course(net) == LOST]
        return [net for net in lost if self.fell(net) > 1]

    def probes(self, activation):
        """Return the map's nets with the two ratios of their first step."""
        steps = {
            (s["activation"], s["depth"], s["seed"]): s
            for s in self.results["findings"]["causes"]["first_steps"]
        }
        found = []
        for net in self.map_nets(activation):
            step = steps[activation, net["depth"], net["seed"]]
            found.append(
                (net, _ratio(step["gradient"][0], step["gradient"][-1]),
                 _ratio(step["signal"][-1], step["signal"][0]))
            )  # fmt: skip
        return found

    def case(self, activation):
        """Return at which depth cures are tried, and the failed nets there, or None."""
        cells = {d: self.cell(activation, d) for d in self.depths(activation)}
        above = [d for d, nets in cells.items() if side(*self.share(nets, "failed")) > 0]
        if not above or not self.anything_learned():
            return None
        depth = self.asked(activation) if self.asked(activation) in above else above[0]
        return depth, [net for net in cells[depth] if not self.knows(net)]

    def trial(self, activation, cure):
        """Return how many things a cure changes, how many nets it has, how many know something."""
        _, failed = self.case(activation)
        changes = CURES[cure](failed[0])
        changed = sum(failed[0][name] != value for name, value in changes.items())
        if not changed:
            return 0, 0, 0
        most = 4 if self.settings["quick"] else 20
        tried = [self.find(net, **CURES[cure](net)) for net in failed[:most]]
        done = [net for net in tried if net is not None]
        return changed, sum(map(self.knows, done)), len(done)

    def control(self, activation):
        _, failed = self.case(activation)
        nets = [self.find(failed[0], seed=1000 + n) for n in range(12)]
        done = [net for net in nets if net is not None]
        assert len(done) == (6 if self.settings["quick"] else 12)
        return sum(map(self.knows, done)), len(done)

    def verdict(self, learned, tried, control):
        low, high = wilson(learned, tried)
        better = gain((learned, tried), control)[0] > 0
        if high < 0.5:
            return "fails in most"
        return ("works in most" if low > 0.5 else "helps") if better else "undecided"


def _ratio(a, b):
    return a / b if b and math.isfinite(a) and math.isfinite(b) else 0.0
