"""Each kind of sentence of question 1, parsed and held against the raw figures of the run."""

import math
import re

import numpy as np
import pytest

from tests.experiments.q1_raw import (
    BASE,
    CURES,
    LEARNED,
    NEVER,
    REPORTED_DEPTHS,
    Raw,
    auc,
    auc_interval,
    shown,
    side,
)

NAMES = {"relu": "ReLU", "leaky_relu": "leaky ReLU", "elu": "ELU", "selu": "SELU", "gelu": "GELU"}
PRINTED = {"sigmoid": 5.9e-4, "tanh": 1.7e-3, "relu": 4.5e-5}
PROPOSED = {
    "ReLU": ["ReLU"],
    "a smaller learning rate": ["learning rate / 4", "learning rate / 20"],
    "fewer layers": ["half the layers"],
    "fewer units": ["half the units"],
}
KNOBS = {
    "learning_rate": lambda own: {float(f"{own * f:.3g}") for f in (0.1, 3)},
    "initializer": lambda own: {"glorot_uniform", "he_normal"},
    "width": lambda own: {max(1, own // 2), 4 * own},
}
ABOUT_LEARNING = ("border", "prediction", "decay", "counterfactual", "flat units", "cures", "map",
                  "report's cure")  # fmt: skip


def depths_after(words, text):
    """Return the depths that a sentence names after some words."""
    found = re.search(re.escape(words) + r"(?: \d+ seeds?| \d+ to \d+ seeds)? at ([\d, -]+)", text)
    parts = [part.split("-") for part in found[1].strip(" ,").split(", ")] if found else []
    return [d for part in parts for d in range(int(part[0]), int(part[-1]) + 1)]


class Checker:
    """Recomputes what each kind of sentence says; ``checked`` counts them."""

    def __init__(self, results, dataset, arrays, reported=("fashion-mnist", 60_000)):
        self.raw = Raw(results, dataset, arrays)
        self.results = results
        self.reported = reported
        self.checked = 0

    def check_all(self):
        """Check all sentences, and that none is missing that the figures would allow."""
        self.check_numbers()
        for statement in self.results["statements"]:
            kind = statement["kind"].replace(" ", "_").replace("'", "")
            text = statement["text"]
            assert not re.search(r"\b1 (?:nets|seeds|epochs|hidden layers|samples)\b", text), text
            getattr(self, kind)(text, statement["quantities"])
            self.checked += 1
        kinds = [s["kind"] for s in self.results["statements"]]
        learns = self.raw.anything_learned()
        assert ("nothing learned" in kinds) == (not learns)
        assert kinds.count("border") == 2 * len(self.raw.activations) * learns
        assert kinds.count("cures") == sum(
            self.raw.case(a) is not None for a in self.raw.activations
        )
        assert kinds.count("left open") == kinds.count("report's accuracies") == 1
        for activation in self.raw.activations:
            said = any(s["kind"] == "counterfactual" and s["quantities"]["activation"] == activation
                       for s in self.results["statements"])  # fmt: skip
            assert said == bool(learns and self.raw.fallen(activation))

    def check_numbers(self):
        """Check what sentences share: the yardstick, the courses and the cells."""
        data = self.results["dataset"]
        assert data["chance"] == pytest.approx(self.raw.chance)
        assert data["threshold"] == pytest.approx(self.raw.threshold)
        assert data["ceiling"] == pytest.approx(self.raw.ceiling)
        assert data["entropy"] == pytest.approx(self.raw.entropy)
        for net in self.results["nets"]:
            assert net["course"] == self.raw.course(net)
        cells = {(c["activation"], c["depth"]): c for c in self.results["findings"]["depth_map"]}
        own = {(a, d) for a in self.raw.activations for d in self.raw.depths(a)}
        assert set(cells) == own
        for (activation, depth), cell in cells.items():
            nets = self.raw.cell(activation, depth)
            assert cell["nets"] == len(nets)
            for course, count in cell["courses"].items():
                assert count == sum(self.raw.course(net) == course for net in nets)

    def steps(self):
        base = self.raw.base
        return base["epochs"] * math.ceil(self.raw.train / base["batch_size"])

    def differences(self):
        base, report = self.raw.base, BASE
        names = [
            n for n in ("width", "initializer", "learning_rate", "momentum", "l1", "l2", "dropout",
                        "batch_size", "epochs")
            if base[n] != report[n]
        ]  # fmt: skip
        name, train = self.reported
        return (
            names + ["data"] * (self.results["dataset"]["name"] != name)
            + ["training samples"] * (self.raw.train != train)
        )  # fmt: skip

    def border(self, text, q):
        shares = {d: self.raw.share(self.raw.cell(q["activation"], d), q["what"])
                  for d in self.raw.depths(q["activation"])}  # fmt: skip
        sides = {depth: side(*share) for depth, share in shares.items()}
        above, below, undecided = ([d for d, s in sides.items() if s == x] for x in (1, -1, 0))
        words = "never learns" if q["what"] == NEVER else "fails (never learns"
        assert words in text
        assert f"within {self.steps():,} steps" in text
        for said, depths in (("more than half of the nets", above), ("fewer than half", below),
                             ("undecided with", undecided)):  # fmt: skip
            assert [d for d in depths_after(said, text) if d in sides] == depths
        if undecided:
            totals = {shares[d][1] for d in undecided}
            seeds = " to ".join(map(str, sorted({min(totals), max(totals)})))
            assert f"undecided with {seeds} seed" in text
        single = above and below and max(below) < min(above)
        assert ("border lies between" in text) == bool(single)
        if single:
            a, b = max(below), min(above)
            assert f"between {a} and {b} layers ({shown(*shares[a])} at {a}, " in text
            assert f"{shown(*shares[b])} at {b})" in text
        assert ("One hidden layer is enough" in text) == (not below and not undecided)
        assert ("No depth up to" in text) == (not above and not undecided)
        assert ("no single border" in text) == bool(above and below and not single)

    def nothing_learned(self, text, q):
        assert not self.raw.anything_learned()
        nets = [net for a in self.raw.activations for net in self.raw.map_nets(a)]
        if self.raw.threshold < 1:
            assert f"none of the {len(nets)} nets" in text
            assert f"above {self.raw.threshold:.3f}" in text
        else:
            assert f"with {self.raw.test} test samples" in text
        kinds = {s["kind"] for s in self.results["statements"]}
        assert not kinds & set(ABOUT_LEARNING)

    def patient(self, text, q):
        activation = q["activation"]
        net = self.raw.find(self.raw.own(activation, self.raw.asked(activation)))
        layers = "1 layer" if net["depth"] == 1 else f"{net['depth']} layers"
        name = NAMES.get(activation, activation)
        assert f"{name}, {layers}: {self.raw.course(net)}.**" in text
        change = np.abs(self.raw.arrays[activation].astype(float)).mean()
        said = float(re.search(r"mean absolute change ([\d.e+-]+|nan|inf)", text)[1].rstrip("."))
        assert said == pytest.approx(change, rel=0.06, nan_ok=True)
        found = next(p for p in self.results["findings"]["patients"]
                     if p["activation"] == activation)  # fmt: skip
        norms = found["gradient_norms_first_step"]
        ratio = norms[0] / norms[-1] if norms[-1] else math.nan
        assert f"gradient norm is {ratio:.2g} times" in text

    def prediction(self, text, q):
        place = {"gradient ratio": 1, "signal ratio": 2}[q["figure"]]
        probes = self.raw.probes(q["activation"])
        never = [p for p in probes if self.raw.course(p[0]) == NEVER]
        other = [p for p in probes if self.raw.course(p[0]) != NEVER]
        value = auc([p[place] for p in other], [p[place] for p in never])
        low, high = auc_interval(value, len(other), len(never))
        assert f"AUC {value:.3f} [{low:.3f}, {high:.3f}]" in text
        assert f"({len(never)} that never learn, {len(other)} others)" in text
        depth = auc([-p[0]["depth"] for p in other], [-p[0]["depth"] for p in never])
        assert f"depth alone has {depth:.3f}" in text
        same = [(a[place], b[place]) for a in other for b in never
                if a[0]["depth"] == b[0]["depth"]]  # fmt: skip
        if same:
            within = np.mean([(a > b) + 0.5 * (a == b) for a, b in same])
            assert f"it is {within:.3f} ({len(same)} pairs)" in text
        else:
            assert "cannot be told from depth" in text
        first = self.results["settings"]["seeds"] or (4 if self.results["settings"]["quick"] else 6)
        a, b = ([p[place] for p in some if p[0]["seed"] < first] for some in (other, never))
        differ = len(a) + len(b) < len(other) + len(never)
        assert ("as many nets at each depth" in text) == bool(differ and a and b)
        if differ and a and b:
            low_even, high_even = auc_interval(auc(a, b), len(a), len(b))
            assert f"it is {auc(a, b):.3f} [{low_even:.3f}, {high_even:.3f}] over all" in text
        assert (" tells which" in text) == (low > 0.5)
        assert ("no better than depth alone" in text) == (low > 0.5 and value <= depth)
        assert ("is larger in nets that never learn" in text) == (high < 0.5)
        assert ("cannot be said to tell" in text) == (low <= 0.5 <= high)

    def decay(self, text, q):
        depth = self.raw.asked(q["activation"])
        probes = [p for p in self.raw.probes(q["activation"]) if p[0]["depth"] == depth]
        gradient, signal = (np.median([p[place] for p in probes]) for place in (1, 2))
        assert f"with {depth} hidden layer" in text
        assert f"{signal:.2g} times" in text
        assert f"norm is {gradient:.2g} times" in text
        assert f"medians of {len(probes)} nets" in text or len(probes) == 1

    def counterfactual(self, text, q):
        sides = []
        most = 6 if self.results["settings"]["quick"] else 20
        for divisor in (4, 10):
            nets = [
                self.raw.find(net, cool_after=self.raw.fell(net) - 1, cool_by=float(divisor))
                for net in self.raw.fallen(q["activation"])[:most]
            ]
            kept = sum(map(self.raw.knows, nets))
            assert f"divided by {divisor}, {shown(kept, len(nets))} kept it" in text
            sides.append(side(kept, len(nets)))
        assert ("a lower rate keeps what they learned" in text) == (max(sides) > 0)
        assert ("does not keep it in most" in text) == (max(sides) < 0)
        assert ("is undecided" in text) == (max(sides) == 0)

    def flat_units(self, text, q):
        name = q["activation"]
        watched = {
            (w["activation"], w["depth"], w["seed"]): w["flat_units_and_outputs_by_epoch"]
            for w in self.results["findings"]["causes"]["watched"]
        }
        free = [n for n in self.raw.map_nets(name) if self.raw.course(n) == LEARNED]
        rows = []
        for net in self.raw.fallen(name):
            if len(rows) < 3 and free:
                like = min(free, key=lambda other: abs(other["depth"] - net["depth"]))
                free.remove(like)
                epoch = self.raw.fell(net) - 1
                rows.append([watched[name, n["depth"], n["seed"]][epoch] for n in (net, like)])
        fell, healthy = np.array(rows, float).transpose(1, 0, 2)
        assert ("every one that fell has more" in text) == (fell[:, 0].min() > healthy[:, 0].max())
        (a, c), (b, d) = fell.mean(axis=0), healthy.mean(axis=0)
        assert f"{a:.0%} of the hidden units" in text
        assert f"fell, {b:.0%} in nets" in text
        assert f"({len(rows)} of each)" in text
        assert f"{c:.0%} are flat, and {d:.0%}" in text

    def cures(self, text, q):
        activation = q["activation"]
        depth, _ = self.raw.case(activation)
        control = self.raw.control(activation)
        assert f"with {depth} hidden layer" in text
        assert f"A new seed alone makes {shown(*control)} learn" in text
        works = tried_cures = 0
        for cure in CURES:
            changed, learned, tried = self.raw.trial(activation, cure)
            if not tried:
                assert not re.search(rf"(?:: |, | and ){re.escape(cure)} \(", text)
                continue
            tried_cures += 1
            several = f", changes {changed} things" if changed > 1 else ""
            said = f"{cure} ({learned} of {tried}{several})"
            verdict = self.raw.verdict(learned, tried, control)
            part = next(p for p in text.split(". ") if said in p)
            assert part.lower().startswith(verdict)
            works += verdict == "works in most"
        assert f"{works} of {tried_cures} cure" in text

    def map(self, text, q):
        activation, knob = q["activation"], q["knob"]
        own = self.raw.base[knob]
        values = KNOBS[knob](own) - {own}
        seeds = min(4, len(self.raw.cell(activation, self.raw.depths(activation)[0])))
        cells, fail = {}, {value: np.zeros(2, int) for value in {*values, own}}
        for depth in {cell["depth"] for cell in q["cells"]}:
            for value in {*values, own}:
                nets = [self.raw.find(self.raw.own(activation, depth, s), **{knob: value})
                        for s in range(seeds)]  # fmt: skip
                cells[value, depth] = side(*self.raw.share(nets, "failed"))
                fail[value] += self.raw.share(nets, "failed")
        for value, (count, total) in fail.items():
            shown_value = f"{value:g}" if isinstance(value, (int, float)) else value
            assert re.search(rf"\b{count} of {total} with {re.escape(shown_value)}[, ]", text)
        decided = 0
        for value in values:
            shown_value = f"{value:g}" if isinstance(value, (int, float)) else value
            for words, this, that in (("learns", -1, 1), ("fails", 1, -1)):
                depths = sorted(d for v, d in cells
                                if v == value and cells[v, d] == this
                                and cells[own, d] == that)  # fmt: skip
                found = re.search(
                    rf"(?<![\w.-]){re.escape(shown_value)} {words} at ([\d, -]+) layers?, where",
                    text,
                )
                assert bool(found) == bool(depths)
                if found:
                    decided += 1
                    named = depths_after(f"{shown_value} {words}", text)
                    assert [d for d in named if (own, d) in cells] == depths
        assert decided or "no depth is decided otherwise" in text

    def comparable(self, text, q):
        found = self.differences()
        assert ("are not the report's" in text) == bool(found)
        for name in found:
            assert name.replace("_", " ") in text

    def reports_depth(self, text, q):
        activation = q["activation"]
        nets = self.raw.cell(activation, REPORTED_DEPTHS[activation])
        never, failed = (self.raw.share(nets, what) for what in (NEVER, "failed"))
        assert f"Here {shown(*never)} never learn, and {shown(*failed)} fail" in text
        a, b = side(*never), side(*failed)
        verdict = (
            "not comparable" if self.differences()
            else "confirmed" if a > 0
            else "it fails, but most do not vanish" if b > 0 and a < 0
            else "it fails; how is open" if b > 0
            else "not confirmed" if b < 0
            else "undecided with"
        )  # fmt: skip
        assert f"vanish: {verdict}" in text
        assert not any(word in text for word in ("too deep", "too shallow"))

    def reports_accuracies(self, text, q):
        nets = [n for a in self.raw.activations for n in self.raw.map_nets(a)
                if self.raw.course(n) == NEVER and not n["divergence"]]  # fmt: skip
        if nets:
            figures = [n["figures"] for n in nets]
            loss = np.median([f.get("val_data_loss", f["val_loss"])[-1] for f in figures])
            accuracy = np.median([f["val_accuracy"][-1] for f in figures])
            count = f"{len(nets)} net{'s' * (len(nets) > 1)} never learned"
            assert count in text
            assert f"loss {loss:.4f}, accuracy {accuracy:.4f}" in text
        else:
            assert "No net of this run's map that stayed finite never learned" in text
        assert "10 times too small" in text

    def reports_weight_change(self, text, q):
        activation = q["activation"]
        change = np.abs(self.raw.arrays[activation].astype(float))
        change = change[np.isfinite(change).all(axis=1)]
        below = (change < PRINTED[activation]).mean()
        assert f"{below:.0%} of the measured" in text
        assert f"median is {np.median(change):.1e}" in text
        net = self.raw.find(self.raw.own(activation, REPORTED_DEPTHS[activation]))
        assert f"here: {self.raw.course(net)})" in text
        border = np.median([*change[:3].ravel(), *change[-3:].ravel()])
        verdict = (
            "not comparable" if self.differences()
            else "like the measured" if 0.1 <= PRINTED[activation] / np.median(change) <= 10
            else "like those measured at" if 0.1 <= PRINTED[activation] / border <= 10
            else "not like the measured"
        )  # fmt: skip
        assert f"{PRINTED[activation]:g}: {verdict}" in text

    def reports_cure(self, text, q):
        asked = next(p for p in PROPOSED if f"cure, {p}:" in text)
        for activation in self.raw.activations:
            if self.raw.case(activation) is None:
                continue
            control = self.raw.control(activation)
            for cure in PROPOSED[asked]:
                _, learned, tried = self.raw.trial(activation, cure)
                if tried:
                    verdict = self.raw.verdict(learned, tried, control)
                    name = NAMES.get(activation, activation)
                    assert f"{name} with {cure}: {learned} of {tried} ({verdict})" in text
                    assert f"{name} {control[0]} of {control[1]}" in text

    def derivative_of_ReLU(self, text, q):  # noqa: N802
        assert "1 above 0, 0 below" in text

    def left_open(self, text, q):
        assert "±1/√fan_in" in text
