"""A grid search on one core and on all: ``python -m bench.grid_search [--fits N] [--jobs N ...]``.

``GridSearchCV`` over alphas and learning rates of an ``MLPClassifier`` behind a ``StandardScaler``,
with five folds of scikit-learn's breast cancer table: 200 candidates are 1,000 fits.  By default
first one job, then two, whose workers joblib starts meanwhile, then two again, with those workers.
The scores must be the same.

Prints seconds and ratios; the CPU time of all processes, which says more on a machine where others
work, too; how many threads each fit was allowed, as its worker knows at that time;
and how many threads of these processes ran, or were waiting for a core, on average: looked up many
times a second in /proc, hence on Linux alone.  More than there are cores would be too many.
"""

import argparse
import os
import threading
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info

from bench import machine
from fastmlp import get_num_threads
from fastmlp.sklearn import MLPClassifier
from fastmlp.sklearn.workers import threads_here

FOLDS = 5
RATES = np.geomspace(3e-4, 3e-2, 10)
LOOKS_A_SECOND = 20


class RunningThreads:
    """Looks again and again how many threads of this process and of its children run, or could."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self._ended = threading.Event()
        self._looking = threading.Thread(target=self._look)

    def __enter__(self) -> "RunningThreads":
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._looking.join()

    @property
    def mean(self) -> float:
        return float(np.mean(self.seen)) if self.seen else float("nan")

    def _look(self) -> None:
        own = threading.get_native_id()
        while not self._ended.wait(1 / LOOKS_A_SECOND):
            tasks = [task for process in _family() for task in _tasks(process)]
            states = [_fields(task)[0] for task in tasks if task.name != str(own)]
            self.seen.append(states.count("R"))


def _family() -> list[str]:
    """Return the numbers of this process and of all that descend from it."""
    parents = {path.name: _fields(path)[1] for path in Path("/proc").glob("[0-9]*")}
    family = [str(os.getpid())]
    for member in family:  # which grows meanwhile
        family += [process for process, parent in parents.items() if parent == member]
    return family


def _tasks(process: str) -> list[Path]:
    try:
        return list(Path(f"/proc/{process}/task").iterdir())
    except OSError:  # it has ended
        return []


def cpu_seconds() -> float:
    """Return the CPU time of this process and its children, those that have ended too."""
    fields = [_fields(Path(f"/proc/{process}"))[11:15] for process in _family()]
    return sum(int(ticks) for times in fields for ticks in times) / os.sysconf("SC_CLK_TCK")


def _fields(task: Path) -> list[str]:
    """Return state, parent and so on of a process or a thread: what follows its name."""
    try:
        return (task / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return ["ended", ""]


def judge(net: Pipeline, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    return {"accuracy": net.score(x, y), "threads": threads_here() or get_num_threads()}


def blas_threads() -> int:
    return max((pool["num_threads"] for pool in threadpool_info()), default=1)


class Search:
    """A grid search with so many fits, which can be repeated."""

    def __init__(self, fits: int) -> None:
        self.x, self.y = load_breast_cancer(return_X_y=True)
        net = make_pipeline(StandardScaler(), MLPClassifier(random_state=0))
        alphas = np.geomspace(1e-6, 1, max(1, fits // FOLDS // len(RATES)))
        self.fits = FOLDS * len(RATES) * len(alphas)
        self.net, self.grid = net, {
            "mlpclassifier__alpha": alphas, "mlpclassifier__learning_rate_init": RATES
        }  # fmt: skip

    def run(self, jobs: int) -> tuple[float, np.ndarray]:
        """Return the seconds and the accuracy of each candidate, and say how it went."""
        search = GridSearchCV(
            self.net, self.grid, scoring=judge, n_jobs=jobs, cv=FOLDS, refit=False
        )
        with RunningThreads() as running:
            started, busy = time.perf_counter(), cpu_seconds()
            results = search.fit(self.x, self.y).cv_results_
            seconds, busy = time.perf_counter() - started, cpu_seconds() - busy
        allowed = Counter(
            int(count) for fold in range(FOLDS) for count in results[f"split{fold}_test_threads"]
        )
        blas = Parallel(jobs)(delayed(blas_threads)() for _ in range(jobs))
        fits = "; ".join(f"{count} fits were allowed {n} thread(s)" for n, count in allowed.items())
        print(f"{jobs} job(s): {seconds:.2f} s, {busy:.2f} s of CPU; {fits}, BLAS {max(blas)}; "
              f"{running.mean:.2f} threads ran or wanted to", flush=True)  # fmt: skip
        return seconds, results["mean_test_accuracy"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fits", type=int, default=1000)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2, 2], help="of each search")
    arguments = parser.parse_args()
    # The workers take it over: not all nets converge within the default's 200 epochs.
    os.environ["PYTHONWARNINGS"] = "ignore"
    warnings.simplefilter("ignore")
    search = Search(arguments.fits)
    print(f"{search.fits} fits on {search.x.shape[0]} x {search.x.shape[1]} numbers")
    print(machine.describe())
    first, scores = search.run(arguments.jobs[0])
    for jobs in arguments.jobs[1:]:
        seconds, found = search.run(jobs)
        if not np.array_equal(found, scores):
            raise SystemExit("the scores depend on the number of jobs")
        print(f"{first / seconds:.2f} times as fast as the first search")


if __name__ == "__main__":
    main()
