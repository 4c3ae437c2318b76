"""What was measured, as text: ``bench/RESULTS.md`` with everything, a small table in README.md."""

from pathlib import Path

from bench.rows.crossover import BATCH_SIZES, overtaken_from

BEGIN, END = "<!-- benchmark:begin -->", "<!-- benchmark:end -->"
# The rows of the README's table and of the picture; RESULTS.md has all.
LABELS = {
    "five-layers": "train 784-10×5, batch 32",
    "fourteen-layers": "train 784-10×15 (tanh), batch 32",
    "wide": "train 784-128-10, batch 64",
    "large": "train 784-512-512-10, batch 128",
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


def cores_text(cores: int) -> str:
    return "one core" if cores == 1 else f"{cores} cores"


def results_markdown(results: dict) -> str:
    machine = results["machine"]
    versions = ", ".join(f"{name} {v}" for name, v in machine["versions"].items() if v)
    lines = [
        "# Benchmark",
        "",
        f"Measured {results['date']} by `python -m bench`, on {machine['cpu']}, "
        f"{cores_text(machine['cores'])}, {machine['system']}; Python "
        f"{machine['python']}, {versions}. Peak measured between the rounds: "
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
            cells.append(f"{entry['share_of_peak']['median']:.1%}")
        lines.append(_line(cells))
    return lines


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
    """From which width on who is faster than fastmlp."""
    base, *others = dict.fromkeys(point["name"] for point in row["points"])
    widest = max(point["width"] for point in row["points"])
    sentences = []
    for name in others:
        parts = []
        for batch_size in BATCH_SIZES:
            width = overtaken_from(row, name, batch_size)
            where = f"from width {width} on" if width else f"at no width up to {widest}"
            parts.append(f"{where} (batch {batch_size})")
        sentences.append(f"{name} is faster than {base} {', '.join(parts)}.")
    return sentences


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
    return "\n".join(lines)


def write_readme(path: Path, results: dict) -> None:
    before, _, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{path} has no {BEGIN} ... {END}")
    path.write_text(f"{before}{BEGIN}\n{readme_table(results)}\n{END}{after}")
