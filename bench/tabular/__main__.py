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
from bench.tabular.ranks import average_ranks, critical_difference, geometric_mean
from bench.tabular.sets import QUICK, TABLES, Table, load

FOLDER = Path(__file__).resolve().parent
DOCS = FOLDER.parent.parent / "docs"
SMALLEST = 1e-3  # what an error counts as where it is a denominator: a table may be without any


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
    path = FOLDER / ("quick.json" if arguments.quick else "results.json")
    results = json.loads(path.read_text()) if path.exists() else {"runs": {}}
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
            results["machine"] = machine.describe()
            path.write_text(json.dumps(results, indent=1) + "\n")
    report(results["runs"], arguments.quick)


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


def report(runs: dict, quick: bool) -> None:
    """Print what comes out of the tables on which all peers were measured, and draw it."""
    found: dict[str, dict[str, dict]] = {}
    for key, run in runs.items():
        name, peer = key.split(" / ")
        found.setdefault(name, {})[peer] = run
    peers = [peer for peer in PEERS if any(peer in row for row in found.values())]
    tables = [name for name in TABLES if all(peer in found.get(name, {}) for peer in peers)]
    if len(tables) < 2 or len(peers) < 2:
        print(f"{len(tables)} tables have all of {len(peers)} peers: too few for ranks")
        return
    errors, seconds, of_cores = (
        np.array([[found[name][peer][what] for peer in peers] for name in tables])
        for what in ("error", "fit", "fit_of_cores")
    )
    ranks = average_ranks(errors)
    difference = critical_difference(len(peers), len(tables))
    relative = np.maximum(errors, SMALLEST) / np.maximum(errors, SMALLEST).min(axis=1)[:, None]
    lines = [
        f"{len(tables)} tables; critical difference of ranks {difference:.2f} (5 %)",
        "",
        "| peer | mean rank | error over the best | fit, s | of all cores, s |",
        "|---|---|---|---|---|",
    ]
    means = np.array([geometric_mean(column) for column in relative.T])
    times = np.array([geometric_mean(column) for column in seconds.T])
    busy = np.array([geometric_mean(column) for column in of_cores.T])
    lines += [
        f"| {peers[index]} | {ranks[index]:.2f} | {means[index]:.3f} | {times[index]:.2f} | "
        f"{busy[index]:.2f} |"
        for index in np.argsort(ranks)
    ]
    loads = [run["load"] for run in runs.values()]
    lines += ["", f"{machine.describe()}; load of the machine {min(loads):.1f} to {max(loads):.1f}"]
    print("\n".join(lines))
    if not quick:
        from bench.tabular.pictures import draw_pareto, draw_ranks

        (FOLDER / "RESULTS.md").write_text("\n".join(["# Tables", "", *lines]) + "\n")
        draw_ranks(peers, ranks, difference, DOCS / "tabular_ranks.png")
        draw_pareto(peers, times, means, DOCS / "tabular_pareto.png")


if __name__ == "__main__":
    main()
