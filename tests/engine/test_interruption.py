"""Ctrl-C ends training between two steps, with everything kept."""

import _thread
import _weakrefset
import contextlib
import itertools
import math
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from fastmlp import fit_many, layers, set_num_threads
from fastmlp.kernels.contract import Mode
from fastmlp.runtime import engine, pace, parallel, team
from fastmlp.runtime.job import Stop
from tests.backends import ALL, COMPILED
from tests.soak_interrupts import Soak

from . import cold
from .nets import data, dense_tanh, net

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "pthread_kill"), reason="needs a signal sent to the main thread"
)

FOREVER = 10**9
PATIENCE = 60  # seconds, after which the interruption comes in any case


@pytest.fixture(autouse=True)
def sigint_is_heard():
    """Shells start what runs in the background with SIGINT ignored: these tests would not end."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def interrupted_when(condition):
    """Press Ctrl-C, as it were, as soon as a condition holds."""

    ended = threading.Event()

    def press():
        deadline = time.monotonic() + PATIENCE
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.002)
        # Again after a while, as anybody would: Python swallows what is raised in a destructor.
        while not ended.is_set():
            # A real signal: unlike _thread.interrupt_main, it also ends a wait for a lock.
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            ended.wait(PATIENCE)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        ended.set()
        thread.join()


def fit_until_interrupted(*arguments, **options):
    """Call fit_many, which returns what is done when Ctrl-C comes; then raise it after all."""
    with pytest.warns(RuntimeWarning, match=r"^fit_many: \d+ of \d+ nets are done; interrupted"):
        fits = fit_many(*arguments, **options)
    assert fits.interrupted
    raise KeyboardInterrupt


def epochs_of(model):
    return 0 if model.history is None else len(model.history.epoch)


# Epochs long enough to be interrupted within, not while their figures are put down.
@pytest.mark.parametrize("backend", ALL)
def test_weights_and_history_are_kept(backend):
    x, y = data(3_000 if backend == "numpy" else 30_000)
    model = net(*dense_tanh(), backend=backend)
    before = model.params.copy()
    with interrupted_when(lambda: epochs_of(model) >= 3):
        model.fit(x, y, epochs=FOREVER, verbose=0, validation_split=0.2)
    history = model.history
    assert 3 <= len(history.epoch) < FOREVER
    assert model.epochs_trained == len(history.epoch)
    assert {len(values) for values in history.history.values()} == {len(history.epoch)}
    assert history.divergence is None
    assert np.isfinite(model.params).all()
    assert (model.params != before).any()


def test_numpy_does_not_look_into_enums_while_rows_are_walked():
    """Python runs an Enum's ``__getattr__`` for that, and NumPy swallows what is raised there."""
    looks = []

    def look(frame, event, argument):
        if event == "call" and frame.f_code.co_qualname == "EnumType.__getattr__":
            caller = Path(frame.f_back.f_code.co_filename).parent.name
            if frame.f_locals["name"].startswith("__array") and caller in ("walk", "reference"):
                looks.append((caller, frame.f_back.f_lineno))

    x, y = data(40)
    model = net(layers.Dense(5, "tanh", kernel_constraint="non_neg"), backend="numpy")
    before = sys.getprofile()
    sys.setprofile(look)
    try:
        model.fit(x, y, epochs=1, verbose=0, validation_split=0.2)
    finally:
        sys.setprofile(before)
    assert not looks


def test_an_epoch_of_many_steps_is_interrupted_within():
    x, y = data(200_000)
    model = net(layers.Dense(64, "tanh"), layers.Dense(64, "tanh"))
    model.fit(x[:64], y[:64], verbose=0)  # compiled
    before = model.params.copy()
    with interrupted_when(lambda: not np.array_equal(model.params, before)):
        model.fit(x, y, batch_size=1, epochs=FOREVER, verbose=0)
    assert model.history.epoch == []
    assert model.epochs_trained == 1


def test_training_goes_on_afterwards():
    x, y = data(300)
    model, uninterrupted = (net(*dense_tanh()) for _ in range(2))
    with interrupted_when(lambda: epochs_of(model) >= 1):
        model.fit(x, y, epochs=FOREVER, verbose=0)
    done = model.epochs_trained
    model.fit(x, y, epochs=2, verbose=0)
    assert model.epochs_trained == done + 2
    assert model.history.epoch == [0, 1]
    assert model.history.history["loss"][-1] < uninterrupted.evaluate(x, y)[0]


def test_many_nets_all_stop_and_keep_theirs():
    x, y = data(300)
    models = [net(*dense_tanh(), seed=seed) for seed in range(3)]
    threads = threading.active_count()
    with interrupted_when(lambda: all(epochs_of(model) >= 2 for model in models[:2])):
        fit_until_interrupted(models, x, y, epochs=FOREVER, jobs=2)
    deadline = time.monotonic() + PATIENCE
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == threads
    for model in models[:2]:
        assert len(model.history.epoch) == model.epochs_trained >= 2
    assert epochs_of(models[2]) == 0  # its turn had not come


@pytest.fixture
def shared(monkeypatch):
    """Let any net be shared, however small, by three threads."""
    monkeypatch.setattr(engine, "_WORTH_SHARING", 0)
    monkeypatch.setattr("fastmlp.runtime.threads._chosen", 0)
    set_num_threads(3)


@pytest.mark.parametrize("backend", COMPILED)
@pytest.mark.parametrize("name", ["predict", "evaluate", "fit", "fit_many"])
def test_no_interrupt_hangs(backend, name, monkeypatch):
    """The short form of ``python -m tests.soak_interrupts``."""
    monkeypatch.setattr("fastmlp.runtime.threads._chosen", 0)
    soak = Soak(backend)
    for number in range(12):
        soak.run(name, threads=1 + number % 4, presses=1 + number % 3)
    assert sum(soak.outcomes.values()) == 12


class Impatience(BaseException):
    """An interrupt of a kind that nothing else raises."""


def interrupted_after(last, function, watches):
    """Call a function, and raise in it after ``last`` lines of the files that ``watches`` names.

    Returns how many such lines have run.
    """
    count = 0

    def interrupt(frame, event, _):
        nonlocal count
        if not watches(frame.f_code.co_filename):
            return None
        if event == "line":
            count += 1
            if count > last:
                sys.settrace(None)
                raise Impatience
        return interrupt

    sys.settrace(interrupt)
    try:
        function()
    except Impatience:
        pass
    finally:
        sys.settrace(None)
    return count


@pytest.mark.parametrize("backend", COMPILED)
def test_an_interrupt_at_any_line_leaves_nobody_waiting(shared, backend):
    """One after the other, each line that runs before and after the calls raises."""
    x, y = data(64)
    model = net(*dense_tanh(), backend=backend)
    expected = model.predict(x)

    def predict_until(last):
        return interrupted_after(last, lambda: model.predict(x), lambda file: file == team.__file__)

    seen = predict_until(math.inf)
    assert seen > 20
    for last in range(seen):
        predict_until(last)
        np.testing.assert_array_equal(model.predict(x), expected)
    before = model.params.copy()
    model.fit(x, y, verbose=0)
    assert (model.params != before).any()


def test_weights_are_set_all_or_none():
    """One after the other, each line that runs raises."""
    model = net(*dense_tanh())
    before, weights = model.params.tobytes(), [w + 1 for w in model.get_weights()]
    model.set_weights(weights)
    after, found = model.params.tobytes(), []
    for last in range(10_000):
        model.params[:] = np.frombuffer(before)
        count = interrupted_after(
            last,
            lambda: model.set_weights(weights),
            # Python swallows what is raised in the callback of a weak reference.
            lambda file: file not in (__file__, _weakrefset.__file__),
        )
        found.append(model.params.tobytes())
        if count <= last:
            break
    assert set(found) == {before, after}
    assert len(found) > 20


@pytest.mark.parametrize("backend", COMPILED)
@pytest.mark.parametrize("started", [0, 1])
def test_a_thread_that_cannot_be_started_is_an_error(shared, backend, started, monkeypatch):
    x, y = data(64)
    model = net(*dense_tanh(), backend=backend)
    expected, before = model.predict(x), model.params.copy()
    starts = []

    def start(function, arguments):
        starts.append(function)
        if len(starts) > started:
            raise RuntimeError("can't start new thread")
        return _thread.start_new_thread(function, arguments)

    monkeypatch.setattr(team, "start_new_thread", start)
    for call in (lambda: model.fit(x, y, verbose=0), lambda: model.predict(x)):
        starts.clear()
        with pytest.raises(RuntimeError, match="can't start new thread"):
            call()
    monkeypatch.undo()
    np.testing.assert_array_equal(model.params, before)
    np.testing.assert_array_equal(model.predict(x), expected)


@pytest.mark.parametrize("backend", COMPILED)
def test_a_thread_that_fails_before_its_call_is_an_error(shared, backend):
    x, _ = data(64)
    model = net(*dense_tanh(), backend=backend)
    expected = model.predict(x)
    prepare = model._engine._prepare

    def with_a_failing_helper(*arguments, **options):
        calls, barrier = prepare(*arguments, **options)

        def fail():
            raise MemoryError

        return [calls[0], fail, calls[2]], barrier

    model._engine._prepare = with_a_failing_helper
    with pytest.raises(MemoryError):
        model.predict(x)
    del model._engine._prepare
    np.testing.assert_array_equal(model.predict(x), expected)


def test_a_thread_that_never_begins_is_an_error(shared, monkeypatch):
    x, _ = data(64)
    model = net(*dense_tanh())
    expected = model.predict(x)
    monkeypatch.setattr(team, "_PATIENCE", 0.05)
    monkeypatch.setattr(team, "start_new_thread", lambda function, arguments: 0)
    with pytest.raises(RuntimeError, match="did not begin"):
        model.predict(x)
    with pytest.raises(RuntimeError, match="did not begin"):
        fit_many([net(*dense_tanh())], *data(64))
    monkeypatch.undo()
    np.testing.assert_array_equal(model.predict(x), expected)


def test_a_dismissed_worker_that_has_not_begun_never_does():
    ran = []
    worker = team.Worker(lambda: ran.append(1))
    worker.dismiss()
    worker.dismiss()
    worker._run()
    assert ran == []


def run_python(source, timeout=100):
    """Run a program in a process of its own; a hang is an error."""
    return subprocess.run(
        [sys.executable, "-c", source], timeout=timeout, capture_output=True, text=True, check=False
    )


WIDE = """
import threading, time, resource, os
import numpy as np
import fastmlp
from fastmlp import Sequential, layers, set_num_threads
model = Sequential(
    [layers.Input(512), layers.Dense(512, "relu"), layers.Dense(10, "softmax")], backend={!r}
)
model.compile("sgd", "sparse_categorical_crossentropy")
x, y = np.ones((256, 512), np.float32), np.zeros(256, int)
set_num_threads(3)
model.fit(x, y, verbose=0)
"""


@pytest.mark.parametrize("backend", COMPILED)
def test_the_interpreter_ends_while_a_daemon_thread_trains(backend):
    ended = run_python(WIDE.format(backend) + """
fit = lambda: model.fit(x, y, epochs=10**9, verbose=0)
threading.Thread(target=fit, daemon=True).start()
time.sleep(0.3)
""")  # fmt: skip
    assert ended.returncode == 0, ended.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS limits memory on Linux alone")
@pytest.mark.parametrize("backend", COMPILED)
def test_no_memory_for_another_thread_is_an_error(backend):
    ended = run_python(WIDE.format(backend) + """
used = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
soft, hard = resource.getrlimit(resource.RLIMIT_AS)
before = model.params.copy()
threading.stack_size(2**30)
resource.setrlimit(resource.RLIMIT_AS, (used + 2**27, hard))
for _ in range(3):
    try:
        model.predict(x)
        raise SystemExit("a thread was started")
    except RuntimeError as reason:
        assert "can't start new thread" in str(reason), reason
resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
threading.stack_size(0)
assert np.isfinite(model.predict(x)).all() and (model.params == before).all()
""")  # fmt: skip
    assert ended.returncode == 0, ended.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("backend", COMPILED)
def test_a_child_of_a_fork_can_use_a_net_that_was_in_use(backend):
    ended = run_python(WIDE.format(backend) + """
threading.Thread(target=model.fit, args=(x, y, 32, 10**9, 0), daemon=True).start()
time.sleep(0.3)
child = os.fork()
if not child:
    ok = model.predict(x).shape == (256, 10)
    model.fit(x, y, verbose=0)
    os._exit(0 if ok else 1)
_, status = os.waitpid(child, 0)
raise SystemExit(status)
""")  # fmt: skip
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("backend", COMPILED[:1])
def test_interrupts_while_numba_compiles(backend):
    """The short form of ``python -m tests.soak_interrupts --cold``; a kernel after the other."""
    delays = itertools.chain([0.0, 0.3, 0.3, 0.05, 1.0], itertools.repeat(0.7))
    seconds, process, errors = cold.interrupts(delays, walks=True)
    assert (process.returncode, errors) == (0, "")
    assert len(seconds) >= 3


@pytest.mark.parametrize("backend", COMPILED[:1])
@pytest.mark.parametrize("delay", [0.1, 2.0])
def test_an_interrupt_while_numba_compiles_ends_a_program(backend, delay):
    _, process, errors = cold.interrupts(iter([delay]), walks=True, ends=True)
    assert errors.endswith("KeyboardInterrupt\n")
    # After a KeyboardInterrupt that nobody caught, CPython ends by SIGINT: unless another thread
    # evaluates a string before the process is gone, as the one that imports Numba and compiles
    # does hundreds of times.  That clears CPython's note of the interrupt, and it ends with 1.
    assert process.returncode in (-signal.SIGINT, 1)


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("name", ["predict", "evaluate", "validation"])
def test_long_work_without_learning_is_interrupted_within(backend, name, monkeypatch):
    """One after the other, the calls of the engine are cut short: Ctrl-C comes between them."""
    x, y = data(2_000)
    model = net(*dense_tanh(), backend=backend)
    model.evaluate(x, y)
    monkeypatch.setattr(pace, "SECONDS_PER_CALL", 0)
    calls = {
        "predict": lambda: model.predict(x),
        "evaluate": lambda: model.evaluate(x, y),
        "validation": lambda: model.fit(x[:1], y[:1], validation_data=(x, y), verbose=0),
    }
    expected, run, count = model.predict(x), engine.Engine._run, 0

    def interrupted(*arguments, **options):
        nonlocal count
        reached = run(*arguments, **options)
        count += 1
        if count == 5:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        return reached

    monkeypatch.setattr(engine.Engine, "_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        calls[name]()
    assert count == 5
    assert model.epochs_trained == 0
    monkeypatch.undo()
    if name != "validation":
        np.testing.assert_array_equal(model.predict(x), expected)


def test_many_nets_stop_within_a_validation(monkeypatch):
    x, y = data(2_000)
    models = [net(*dense_tanh(), seed=seed) for seed in range(2)]
    monkeypatch.setattr(pace, "SECONDS_PER_CALL", 0)
    run, begun, wishes = engine.Engine._run, threading.Event(), []

    class Wish(Stop):
        def __init__(self):
            super().__init__()
            wishes.append(self)

    def waiting(self, mode, *arguments, **options):
        if mode == Mode.EVALUATE:
            begun.set()
            while not wishes[0].is_wanted:
                time.sleep(0.001)
        return run(self, mode, *arguments, **options)

    monkeypatch.setattr(parallel, "Stop", Wish)
    monkeypatch.setattr(engine.Engine, "_run", waiting)
    with interrupted_when(begun.is_set):
        fit_until_interrupted(models, x[:1], y[:1], epochs=FOREVER, validation_data=(x, y), jobs=2)
    assert [epochs_of(model) for model in models] == [0, 0]
