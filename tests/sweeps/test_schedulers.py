"""Sweeps on several processes: the same table as here, also if one of them is killed."""

import os
import signal
import threading
import time

import pytest
from joblib.externals.loky import get_reusable_executor

import fastmlp
from fastmlp.runtime.schedulers import LostWorkersError, Packet, Work, processes
from fastmlp.runtime.schedulers.processes import Joblib
from fastmlp.sweeps import Halving

from .tabular import build, data

X, Y = data(256)


def traced(seed, width, rate):
    """Build a net, and note in a file that this process has."""
    with open(os.environ["FASTMLP_TEST_TRACE"], "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    return build(seed, width, rate)


@pytest.fixture
def trace(tmp_path, monkeypatch):
    path = tmp_path / "trace"
    path.touch()
    monkeypatch.setenv("FASTMLP_TEST_TRACE", str(path))
    # Processes that are left from before do not know of that place.
    get_reusable_executor().shutdown()
    return lambda: [int(line) for line in path.read_text().splitlines()]


def run(**options):
    return fastmlp.sweep(
        {"width": [2, 4, 8], "rate": [0.01, 0.1]}, traced, X, Y,
        **{"seeds": 8, "batch_size": 4, "epochs": 60, "packet": 12, "verbose": 0, **options},
    )  # fmt: skip


def kill_one(trace, out):
    """Kill a worker that is training when some nets are done; return a thread that does."""

    def watch():
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and not over.is_set():
            rows = out / "rows.jsonl"
            spooled = [path.stat().st_size for path in (out / "spool").glob("*.jsonl")]
            pids = [pid for pid in trace() if pid != os.getpid()]
            if pids and ((rows.exists() and rows.stat().st_size) or any(spooled)):
                os.kill(pids[-1], signal.SIGKILL)
                killed.append(pids[-1])
                return
            time.sleep(0.005)

    killed, over = [], threading.Event()
    thread = threading.Thread(target=watch)
    thread.killed, thread.over = killed, over
    thread.start()
    return thread


def test_processes_one_of_which_is_killed(tmp_path, trace):
    expected = run(jobs=2)
    before = len(trace())
    killer = kill_one(trace, tmp_path / "out")
    table = run(scheduler="loky", jobs=2, out=tmp_path / "out")
    killer.over.set()
    killer.join()
    assert killer.killed
    assert table.digest == expected.digest
    assert len(set(trace()[before:])) > 2
    # Of two packets, of 12 nets each, those are built anew that were not done.
    assert len(trace()) - before < 48 + 1 + 2 * 12


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_cluster_one_of_whose_workers_is_killed(tmp_path, trace, cluster):
    expected = run(jobs=2, halving=Halving("loss", 10, 4))
    before = len(trace())
    killer = kill_one(trace, tmp_path / "out")
    with cluster.get_client() as client:
        # Workers were started before the trace's place was known.
        client.run(os.environ.update, FASTMLP_TEST_TRACE=os.environ["FASTMLP_TEST_TRACE"])
        client.register_plugin(_Trace(os.environ["FASTMLP_TEST_TRACE"]))
        table = run(scheduler=client, out=tmp_path / "out", halving=Halving("loss", 10, 4))
        killer.over.set()
        killer.join()
        again = run(scheduler=cluster.scheduler_address, halving=Halving("loss", 10, 4))
    assert killer.killed
    assert table.digest == again.digest == expected.digest
    assert len(set(trace()[before:])) > 2


def _Trace(path):  # noqa: N802
    from distributed import WorkerPlugin

    class Trace(WorkerPlugin):
        """Tells workers that are started anew where the trace is."""

        name = "trace"

        def setup(self, worker):
            os.environ["FASTMLP_TEST_TRACE"] = path

    return Trace()


class Dies(Work):
    def train(self, items, done, jobs, post):
        os.kill(os.getpid(), signal.SIGKILL)


def test_workers_that_are_lost_again_and_again_are_an_error(monkeypatch):
    monkeypatch.setattr(processes, "ATTEMPTS", 2)
    with (
        Joblib("loky", 2).open(Dies()) as pool,
        pytest.raises(LostWorkersError, match="workers were lost 2 times in a row"),
    ):
        pool.run([Packet(((0, None),))], lambda number, result: None)
