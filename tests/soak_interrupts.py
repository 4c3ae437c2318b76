"""Press Ctrl-C thousands of times: ``python -m tests.soak_interrupts [--count N] [--backend B]``.

Every interrupt must end what it hits with KeyboardInterrupt or come too late, and leave a net that
works: its weights are finite, and it predicts.  Prints how often which of the two happened, also
along the way, and ends the process with a traceback of all threads if a call takes longer than
``PATIENCE``, which none does unless it hangs.
"""

import argparse
import collections
import faulthandler
import signal
import threading
import time
import warnings

import numpy as np

from fastmlp import Sequential, fit_many, layers, set_num_threads

from .engine import cold

PATIENCE = 120  # seconds
CLASSES = 10


class Presser:
    """A thread that sends this process's main thread SIGINT, a while after each request."""

    def __init__(self):
        self._main = threading.main_thread().ident
        self._due = None
        self._request = threading.Condition()
        threading.Thread(target=self._run, daemon=True).start()

    def press_after(self, delays):
        with self._request:
            self._due = list(delays)
            self._request.notify()

    def is_idle(self):
        return self._due is None

    def _run(self):
        while True:
            with self._request:
                self._request.wait_for(lambda: self._due is not None)
                due = self._due
            for delay in due:
                time.sleep(delay)
                signal.pthread_kill(self._main, signal.SIGINT)
            self._due = None


def wide_net(backend, seed=0):
    """Return a net whose steps are worth sharing."""
    model = Sequential(
        [
            layers.Input(512), layers.Dense(512, "relu"), layers.Dense(512, "relu"),
            layers.Dense(CLASSES, "softmax"),
        ],
        seed=seed, backend=backend,
    )  # fmt: skip
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def small_nets(backend):
    models = []
    for seed in range(4):
        model = Sequential(
            [layers.Input(512), layers.Dense(CLASSES, "softmax")], seed=seed, backend=backend
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        models.append(model)
    return models


class Soak:
    """Calls with an interrupt in each, and what became of them."""

    def __init__(self, backend, seed=0):
        self.rng = np.random.default_rng(seed)
        self.x = self.rng.standard_normal((512, 512)).astype(np.float32)
        self.y = self.rng.integers(0, CLASSES, len(self.x))
        self.model, self.many = wide_net(backend), small_nets(backend)
        self.presser = Presser()
        self.outcomes = collections.Counter()
        self.calls = {
            "predict": lambda: self.model.predict(self.x[:16]),
            "evaluate": lambda: self.model.evaluate(self.x, self.y),
            "fit": lambda: self.model.fit(self.x, self.y, 128, 2, verbose=0),
            "fit_many": self._fit_many,
        }

    def _fit_many(self):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "fit_many: .*interrupted", RuntimeWarning)
            fits = fit_many(self.many, self.x, self.y, epochs=20, verbose=0, jobs=self.threads)
        if fits.interrupted:
            raise KeyboardInterrupt

    def run(self, name, threads, presses=1):
        """Interrupt one call, within about the time that it takes."""
        self.threads = threads
        set_num_threads(threads)
        started = time.perf_counter()
        self.calls[name]()
        duration = time.perf_counter() - started
        delays = self.rng.uniform(0, duration, presses) / presses
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        try:
            self.presser.press_after(delays)
            for _ in range(20):  # the interrupt may come a while after it is due
                self.calls[name]()
                if self.presser.is_idle():
                    break
            outcome = "too late"
        except KeyboardInterrupt:
            outcome = "interrupted"
        self._let_pass()
        faulthandler.cancel_dump_traceback_later()
        self.outcomes[name, threads, outcome] += 1
        self._check()

    def _let_pass(self):
        """Let what is left of the presses happen where it does no harm."""
        while True:
            try:
                while not self.presser.is_idle():
                    time.sleep(0.0005)
                time.sleep(0.0005)
                return
            except KeyboardInterrupt:
                pass

    def _check(self):
        for model in (self.model, *self.many):
            assert np.isfinite(model.params).all()
            history = model.history
            if history is not None:
                assert {len(v) for v in history.history.values()} <= {len(history.epoch)}


def interrupt_compilations(count):
    """Interrupt the whole engine's compilation, at random moments."""
    rng = np.random.default_rng(0)
    for number in range(count):
        delays = iter(lambda: rng.uniform(0, 2), None)
        seconds, process, errors = cold.interrupts(delays, walks=False)
        assert (process.returncode, errors) == (0, ""), errors
        print(
            f"compilation {number + 1}: {len(seconds)} interrupts, each answered within "
            f"{max(seconds):.2f} s; the net works",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2400, help="interrupts in all")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--every", type=int, default=100, help="calls between two reports")
    parser.add_argument(
        "--cold", type=int, metavar="N",
        help="only compile the engine with Numba, N times, each interrupted until it is done",
    )  # fmt: skip
    options = parser.parse_args()
    if options.cold:
        interrupt_compilations(options.cold)
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    soak = Soak(options.backend)
    kinds = [(name, threads) for name in soak.calls for threads in (1, 2, 3, 4)]
    reports = range(options.every, options.count + 1, options.every)
    started = time.perf_counter()
    for number in range(options.count):
        soak.run(*kinds[number % len(kinds)], presses=1 + number // len(kinds) % 3)
        if number + 1 in reports:
            ended = collections.Counter(outcome for _, _, outcome in soak.outcomes.elements())
            found = ", ".join(f"{count} {outcome}" for outcome, count in sorted(ended.items()))
            print(
                f"{number + 1} calls after {time.perf_counter() - started:.0f} s: {found}",
                flush=True,
            )
    for (name, threads, outcome), count in sorted(soak.outcomes.items()):
        print(f"{name:9} {threads} threads: {outcome:11} {count:5}")
    seconds = time.perf_counter() - started
    print(f"{options.count} calls interrupted in {seconds:.0f} s; none hung, and all nets work")


if __name__ == "__main__":
    main()
