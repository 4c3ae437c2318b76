"""Error and time of estimators for tables: ``python -m bench.tabular [--quick]``.

Each peer is fitted by its defaults on three quarters of each table, and tested on the rest: the
share of wrong classes, or the root of the mean squared error over the deviation of the answers.
Results are kept after each fit, and what is there is not measured again, so it can be done in
pieces.  Beside the seconds on the clock stand those of all cores together, which say more on a
machine where others work, too.
"""

import argparse
import json
import os
import time
import warnings
from pathlib import Path

import numpy as np

from bench import machine
from bench.tabular.peers import PEERS, installed
from bench.tabular.pictures import draw_pareto, draw_ranks
from bench.tabular.report import Report
from bench.tabular.sets import QUICK, TABLES, Table, load

FOLDER = Path(__file__).resolve().parent
DOCS = FOLDER.parent.parent / "docs"
PACKAGES = ("scikit-learn", "lightgbm", "xgboost", "catboost", "pytabkit", "torch")
FULL, SMALL = FOLDER / "results.json", FOLDER / "quick.json"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.tabular", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--quick", action="store_true", help="eight tables, 1,000 samples of each")
    parser.add_argument("--table", choices=TABLES, action="append", help="this one alone")
    parser.add_argument("--peer", choices=PEERS, action="append", help="this one alone")
    parser.add_argument("--again", action="store_true", help="measure anew what is there")
    parser.add_argument("--seconds", type=float, default=np.inf, help="begin no fit after these")
    arguments = parser.parse_args()
    path = SMALL if arguments.quick else FULL
    results = read(path)
    started = time.perf_counter()
    for name in arguments.table or (QUICK if arguments.quick else TABLES):
        table = None
        for peer in arguments.peer or installed():
            key = f"{name} / {peer}"
            if key in results["runs"] and not arguments.again:
                continue
            if time.perf_counter() - started > arguments.seconds:
                break
            table = load(name, arguments.quick) if table is None else table
            results["runs"][key] = run = measure(table, peer)
            print(f"{key}: error {run['error']:.4f}, fit {run['fit']:.2f} s "
                  f"({run['fit_of_cores']:.2f} s of all cores), predict {run['predict']:.3f} s",
                  flush=True)  # fmt: skip
            results["machine"] = machine.describe(PACKAGES)
            path.write_text(json.dumps(results, indent=1) + "\n")
    write(*(read(name) for name in (FULL, SMALL)))


def read(path: Path) -> dict:
    """Return what has been measured so far."""
    found: dict = json.loads(path.read_text()) if path.exists() else {"runs": {}}
    return found


def measure(table: Table, peer: str) -> dict:
    estimator = PEERS[peer][1](table.of_classes, table.x)
    load_before = os.getloadavg()[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started, busy = time.perf_counter(), time.process_time()
        estimator.fit(table.x, table.y)
        fit, fit_of_cores = time.perf_counter() - started, time.process_time() - busy
        started = time.perf_counter()
        answers = np.asarray(estimator.predict(table.x_test))
        predict = time.perf_counter() - started
    return {
        "error": error_of(table, answers), "fit": fit, "fit_of_cores": fit_of_cores,
        "predict": predict, "samples": len(table.x), "load": load_before,
    }  # fmt: skip


def error_of(table: Table, answers: np.ndarray) -> float:
    if table.of_classes:
        return float(np.mean(answers.ravel().astype(int) != table.y_test))
    error = np.sqrt(np.mean((answers.ravel() - table.y_test) ** 2))
    return float(error / np.std(table.y_test))


def write(full: dict, quick: dict) -> None:
    """Print what comes out of both kinds of runs, and put it down."""
    lines = ["# Tables", ""]
    reports = Report(full["runs"]), Report(quick["runs"])
    titles = "All samples", "Eight tables, 1,000 samples of each"
    for title, results, report in zip(titles, (full, quick), reports, strict=True):
        if not report.is_enough:
            continue
        loads = [run["load"] for run in results["runs"].values()]
        lines += [f"## {title}", "", *report.text(), ""]
        lines += [
            f"{machine.in_words(results['machine'])}; load {min(loads):.1f} to {max(loads):.1f}.",
            "",
        ]
    print("\n".join(lines))
    (FOLDER / "RESULTS.md").write_text("\n".join(lines))
    report = reports[0]
    if report.is_enough:
        draw_ranks(report.peers, report.ranks, report.difference, DOCS / "tabular_ranks.png")
        draw_pareto(
            report.peers, report.mean("fit"), report.relative_errors, DOCS / "tabular_pareto.png"
        )


if __name__ == "__main__":
    main()
