"""What was measured, as text: ``bench/RESULTS.md`` with everything, a small table in README.md."""

import textwrap
from pathlib import Path

from bench.machine import cores_text, in_words
from bench.rows.crossover import standing

BEGIN, END = "<!-- benchmark:begin -->", "<!-- benchmark:end -->"
# The rows of the README's table and of the picture; RESULTS.md has all.
LABELS = {
    "five-layers": "train 784-10×5, batch 32",
    "fourteen-layers": "train 784-10×15 (tanh), batch 32",
    "wide": "train 784-128-10, batch 64",
    "large": "train 784-512-512-10, batch 128",
    "five-layers-adam": "train 784-10×5 with Adam, batch 32",
    "wide-adam": "train 784-128-10 with Adam, batch 64",
    "table-of-8-adam": "train 8-32-32-1 with Adam, batch 32",
    "many-nets": "train 32 nets 784-10×5",
    "one-sample": "predict one sample",
    "many-samples": "predict 10,000 samples",
    "cold": "new process to first epoch",
}
COLUMNS = ("fastmlp", "PyTorch eager", "torch.compile", "JAX", "scikit-learn")


def figure(value: float) -> str:
    """Three digits, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def results_markdown(results: dict) -> str:
    lines = [
        "# Benchmark",
        "",
        f"Measured {results['date']} by `python -m bench`, on {in_words(results['machine'])}. "
        "Peak measured between the rounds: "
        + ", ".join(
            f"{figure(peak['median'] / 1e9)} GFLOP/s on {cores_text(int(cores))}"
            for cores, peak in results["peaks"].items()
        )
        + ".",
        "",
        "All peers get the same samples, initial weights and order of batches, and their results "
        'are compared before anything is timed. Each has its own process; a peer on "one core" '
        "is pinned to it before it imports anything. They take turns, "
        f"{results['rounds']} rounds; given is the median (lowest to highest), and a ratio is one "
        "within a round.",
    ]
    if results["left_out"]:
        lines += ["", "Left out: "]
        lines[-1] += "; ".join(f"{name}: {why}" for name, why in results["left_out"].items()) + "."
    for row in results["rows"].values():
        lines += ["", f"## {row['title']}, {cores_text(row['cores'])}", ""]
        lines += table(row)
    return "\n".join(lines) + "\n"


def table(row: dict) -> list[str]:
    return _crossover_table(row) if "points" in row else _row_table(row)


def _spread_text(spread: dict) -> str:
    return f"{figure(spread['median'])} ({figure(spread['low'])} to {figure(spread['high'])})"


def _row_table(row: dict) -> list[str]:
    base = row["entries"][0]["name"]
    has_share = "share_of_peak" in row["entries"][0]
    head = ["", row["unit"], f"over {base}'s"] + ["share of the FMA peak"] * has_share
    lines = [_line(head), _line(["---"] + ["---:"] * (len(head) - 1))]
    for entry in row["entries"]:
        cells = [entry["name"], _spread_text(entry["value"]), _spread_text(entry["ratio"])]
        if has_share:
            cells.append(_share_text(entry["share_of_peak"]["median"]))
        lines.append(_line(cells))
    return lines


def _share_text(share: float) -> str:
    """A share of the peak; one above 100 % says that the peak was measured too low."""
    return f"{share:.1%}" + " (peak measured too low)" * (share > 1)


def _crossover_table(row: dict) -> list[str]:
    names = list(dict.fromkeys(point["name"] for point in row["points"]))
    base, *others = names
    head = ["batch", "w", f"{base}, {row['unit']}", *(f"{name}, over that" for name in others)]
    lines = [_line(head), _line(["---:"] * len(head))]
    cells = {(p["batch_size"], p["width"], p["name"]): p for p in row["points"]}
    for batch_size, width in dict.fromkeys((p["batch_size"], p["width"]) for p in row["points"]):
        of = {name: cells[batch_size, width, name] for name in names}
        lines.append(
            _line([
                str(batch_size), str(width), _spread_text(of[base]["value"]),
                *(_spread_text(of[name]["ratio"]) for name in others),
            ])
        )  # fmt: skip
    return [*lines, "", *(f"{sentence}" for sentence in overtaking(row))]


def overtaking(row: dict) -> list[str]:
    """At which widths who is faster than fastmlp: where all rounds agree."""
    base, *others = dict.fromkeys(point["name"] for point in row["points"])
    rule = (
        f"Faster or slower than {base} is said where the ratios of all rounds lie on one side of "
        "1; elsewhere it is undecided."
    )
    sentences = [rule, ""]
    for name in others:
        for batch_size in dict.fromkeys(point["batch_size"] for point in row["points"]):
            line = [p for p in row["points"] if p["name"] == name and p["batch_size"] == batch_size]
            sentences.append(f"- {name}, batch {batch_size}: {_standings(line)}.")
    return sentences


def _standings(line: list[dict]) -> str:
    of: dict[str, list[dict]] = {"faster": [], "undecided": [], "slower": []}
    for point in sorted(line, key=lambda point: point["width"]):
        of[standing(point)].append(point)
    parts = []
    for word, points in of.items():
        if len(points) == len(line):
            return f"{word} at every width from {points[0]['width']} to {points[-1]['width']}"
        widths = ", ".join(
            f"{p['width']}{_ratio_text(p['ratio'])}" if word == "undecided" else str(p["width"])
            for p in points
        )
        if points or word == "faster":
            parts.append(f"{word} at {'w = ' + widths if points else 'no width'}")
    return "; ".join(parts)


def _ratio_text(ratio: dict) -> str:
    median, low, high = (figure(ratio[key]) for key in ("median", "low", "high"))
    return f" ({median}, {low} to {high})"


def widest(row: dict) -> str:
    """How the others do at the largest net, in a sentence."""
    width = max(point["width"] for point in row["points"])
    batch_size = max(point["batch_size"] for point in row["points"])
    base, *others = [
        p for p in row["points"] if p["width"] == width and p["batch_size"] == batch_size
    ]
    times = " and ".join(
        f"{p['name']} takes {p['ratio']['median']:.2f} times as long as {base['name']} "
        f"({p['ratio']['low']:.2f} to {p['ratio']['high']:.2f})"
        for p in others
    )
    return f"At the largest net of the picture, w = {width} with batches of {batch_size}, {times}."


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def readme_table(results: dict) -> str:
    """fastmlp's own time, and by what factor the others take longer, each at its best."""
    lines = [_line(["", *COLUMNS]), _line(["---", *["---:"] * len(COLUMNS)])]
    for key, label in LABELS.items():
        if key not in results["rows"]:
            continue
        row = results["rows"][key]
        cells = [f"{label}, {cores_text(row['cores'])}"]
        cells.append(f"{figure(row['entries'][0]['value']['median'])} {row['unit'].split()[0]}")
        for start in COLUMNS[1:]:
            ratios = [e["ratio"]["median"] for e in row["entries"] if e["name"].startswith(start)]
            cells.append(f"{figure(min(ratios))}×" if ratios else "")
        lines.append(_line(cells))
    if "crossover" in results["rows"]:
        lines += ["", *textwrap.wrap(widest(results["rows"]["crossover"]), 98)]
    return "\n".join(lines)


def write_readme(path: Path, results: dict) -> None:
    before, _, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{path} has no {BEGIN} ... {END}")
    path.write_text(f"{before}{BEGIN}\n{readme_table(results)}\n{END}{after}")
