"""The benchmark: ``python -m bench [--only ROW] [--rounds N]``.

Measures fastmlp and every peer that is installed, and writes ``bench/results.json``,
``bench/RESULTS.md``, the table in README.md and ``docs/benchmark.png``.
"""

import argparse
import datetime
import json
import time
from pathlib import Path

from bench import machine, report
from bench.rounds import spread
from bench.rows.cold import cold_row
from bench.rows.crossover import crossover_row
from bench.rows.first_layer import first_layer_row
from bench.rows.inference import inference_row
from bench.rows.many import many_row
from bench.rows.training import training_row
from bench.stage import Stage
from bench.worker import all_cores
from bench.workloads import (
    FIVE_LAYERS,
    FIVE_NORMALIZED,
    FIVE_WITH_ADAM,
    FOURTEEN_LAYERS,
    LARGE,
    SMALL,
    TABLE_OF_8,
    TABLE_OF_30,
    TABLE_OF_30_SGD,
    WIDE,
    WIDE_WITH_ADAM,
)

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results.json"
ROWS = {
    "five-layers": lambda stage: training_row(stage, FIVE_LAYERS, 1),
    "fourteen-layers": lambda stage: training_row(stage, FOURTEEN_LAYERS, 1),
    "wide": lambda stage: training_row(stage, WIDE, 1),
    "large": lambda stage: training_row(stage, LARGE, len(all_cores())),
    "five-layers-adam": lambda stage: training_row(stage, FIVE_WITH_ADAM, 1),
    "five-layers-normalized": lambda stage: training_row(stage, FIVE_NORMALIZED, 1),
    "wide-adam": lambda stage: training_row(stage, WIDE_WITH_ADAM, 1),
    "table-of-8-adam": lambda stage: training_row(stage, TABLE_OF_8, 1),
    "table-of-30-adam": lambda stage: training_row(stage, TABLE_OF_30, 1),
    "table-of-30": lambda stage: training_row(stage, TABLE_OF_30_SGD, 1),
    "one-sample": lambda stage: inference_row(stage, 1),
    "many-samples": lambda stage: inference_row(stage, SMALL.samples),
    "first-layer": first_layer_row,
    "cold": cold_row,
    "many-nets": lambda stage: many_row(stage, same_order=False),
    "many-nets-one-order": lambda stage: many_row(stage, same_order=True),
    "crossover": crossover_row,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", choices=ROWS, action="append", metavar="ROW",
        help=f"measure this row anew and keep the others' results; one of {', '.join(ROWS)}",
    )  # fmt: skip
    parser.add_argument(
        "--rounds", type=int, default=7, metavar="N", help="how often each peer runs"
    )
    arguments = parser.parse_args()
    results = measure(arguments.only or list(ROWS), arguments.rounds)
    if arguments.only and RESULTS.exists():
        results = merged(json.loads(RESULTS.read_text()), results)
    write(results)


def measure(names: list[str], rounds: int) -> dict:
    stage = Stage(rounds)
    rows = {}
    for name in names:
        started = time.perf_counter()
        rows[name] = ROWS[name](stage)
        print(f"\n{name} ({time.perf_counter() - started:.0f} s)")
        print("\n".join(report.table(rows[name])), flush=True)
    peaks = {
        str(cores): spread([stage.peak(cores) for _ in range(rounds)])
        for cores in sorted({1, len(all_cores())})
    }
    stage.close()
    return {
        "date": datetime.date.today().isoformat(),
        "machine": machine.describe(),
        "rounds": rounds,
        "peaks": peaks,
        "left_out": stage.left_out,
        "rows": rows,
    }


def merged(old: dict, new: dict) -> dict:
    """The new results with the old ones of what was not measured, if the machine is the same."""
    if old["machine"] != new["machine"]:
        print("the other rows were measured on another machine, and are dropped")
        return new
    rows = {**old["rows"], **new["rows"]}
    rows = {name: rows[name] for name in ROWS if name in rows}
    return {**new, "left_out": {**old["left_out"], **new["left_out"]}, "rows": rows}


def write(results: dict) -> None:
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    (ROOT / "bench" / "RESULTS.md").write_text(report.results_markdown(results))
    report.write_readme(ROOT / "README.md", results)
    if "crossover" in results["rows"]:
        from bench.plot import plot

        plot(results, ROOT / "docs" / "benchmark.png")


if __name__ == "__main__":
    main()
