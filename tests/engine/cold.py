"""A process that compiles with Numba, without a cache, and is interrupted meanwhile."""

import os
import signal
import subprocess
import sys
import time

PATIENCE = 600  # seconds, after which the process hangs

SOURCE = """
import faulthandler, signal
faulthandler.dump_traceback_later({patience}, exit=True)
import numpy as np
from fastmlp import Sequential, layers

class Same(layers.Layer):
    def forward(self, x, training):
        return x
    def backward(self, dy):
        return dy, {{}}

signal.signal(signal.SIGINT, signal.default_int_handler)
x = np.linspace(-1, 1, 40, dtype=np.float32).reshape(10, 4)

def net(backend):
    some = [Same()] if {walks} else []
    return Sequential(
        [layers.Input(4), layers.Dense(3, "tanh"), *some, layers.Dense(2)], seed=1, backend=backend
    )

def say(word):
    print(word, flush=True)

model = net("numba")
while True:
    try:
        say("predicts")
        y = model.predict(x)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        break
    except KeyboardInterrupt:
        if {ends}:
            raise
        say("interrupted")
assert np.allclose(y, net("numpy").predict(x), atol=1e-5), y
assert (model.predict(x[:4]) == y[:4]).all()
say("works")
"""


def interrupts(delays, *, walks, ends=False):
    """Send SIGINT the next of the delays after each attempt to predict, until one succeeds.

    Parameters
    ----------
    delays : iterator of float
    walks : bool
        Whether the net has a layer in Python, so that each kernel is compiled by itself.
    ends : bool
        Whether the first interrupt ends the process.

    Returns
    -------
    seconds : list of float
        How long it took to answer each interrupt.
    process : Popen
        As it ended.
    errors : str
        What it wrote to stderr.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", SOURCE.format(walks=walks, ends=ends, patience=PATIENCE)],
        env=os.environ | {"FASTMLP_CACHE": "0"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    seconds, sent = [], 0.0
    for line in process.stdout:
        if line == "works\n":
            break
        if line == "interrupted\n":
            seconds.append(time.perf_counter() - sent)
        else:
            time.sleep(next(delays))
            sent = time.perf_counter()
            process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    return seconds, process, errors
