"""What the benchmark writes follows from its numbers."""

import json
import re
from pathlib import Path

import pytest

from bench import plot, report

ROOT = Path(__file__).parent.parent.parent
RESULTS = json.loads((ROOT / "bench" / "results.json").read_text())


def row_of(ratios):
    points = [{"width": 16, "batch_size": 32, "name": "ours", "ratio": None}]
    for i, (low, median, high) in enumerate(ratios):
        ratio = {"low": low, "median": median, "high": high}
        points.append({"width": 16 << i, "batch_size": 32, "name": "theirs", "ratio": ratio})
    return {"points": points}


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        ([(1.1, 1.2, 1.3), (1.01, 1.1, 1.2)], "slower at every width from 16 to 32"),
        ([(0.7, 0.8, 0.9), (0.5, 0.6, 0.7)], "faster at every width from 16 to 32"),
        (
            [(1.1, 1.2, 1.3), (0.82, 0.91, 1.22)],
            "faster at no width; undecided at w = 32 (0.91, 0.82 to 1.22); slower at w = 16",
        ),
        ([(0.8, 0.9, 0.99), (1.1, 1.2, 1.3)], "faster at w = 16; slower at w = 32"),
    ],
)
def test_faster_is_said_where_all_rounds_agree(ratios, said):
    assert report.overtaking(row_of(ratios))[-1] == f"- theirs, batch 32: {said}."


def test_every_width_of_the_stored_results_is_said_to_stand_where_its_spread_does():
    row = RESULTS["rows"]["crossover"]
    sentences = "\n".join(report.overtaking(row))
    base = row["points"][0]["name"]
    for point in row["points"]:
        if point["name"] == base:
            continue
        start = f"- {point['name']}, batch {point['batch_size']}: "
        (line,) = (line for line in sentences.splitlines() if line.startswith(start))
        low, high = point["ratio"]["low"], point["ratio"]["high"]
        word = "faster" if high < 1 else "slower" if low > 1 else "undecided"
        (part,) = (part for part in line.split("; ") if re.search(rf"\b{word} at (w|every)", part))
        assert "every width" in part or re.search(rf"\b{point['width']}\b", part)


def test_a_share_above_the_peak_says_that_the_peak_is_too_low():
    assert report._share_text(0.987) == "98.7%"
    assert report._share_text(1.2) == "120.0% (peak measured too low)"


def test_the_files_in_the_tree_are_made_of_the_stored_results():
    assert (ROOT / "bench" / "RESULTS.md").read_text() == report.results_markdown(RESULTS)
    assert report.readme_table(RESULTS) in (ROOT / "README.md").read_text()


def test_peers_are_told_apart_by_marker_and_by_colour():
    names = {e["name"] for row in RESULTS["rows"].values() for e in row.get("entries", ())}
    looks = [plot.LOOKS[start] for start in plot.LOOKS]
    assert len({color for color, _ in looks}) == len({marker for _, marker in looks}) == len(looks)
    for start in plot.LOOKS:
        assert any(name.startswith(start) for name in names)
