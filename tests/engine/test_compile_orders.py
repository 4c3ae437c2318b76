"""What was compiled first, and what came from the cache, changes no bit.

One process takes its kernels from the cache of all tests, and so compiles what no test before it
has compiled; another one compiles all of them by itself, in another order; a third one has what
the second has cached.  In float32; ``python -m tests.engine.test_compile_orders`` has float64 among
them, and nothing of what was compiled before.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.kernels.op_table import JIT

ROOT = Path(__file__).parents[2]
NETS_OF_ONE_DTYPE = 10  # as many as there are activations

NETS = """
import hashlib, itertools, numpy as np
from fastmlp import Telemetry, layers, optimizers, regularizers
from tests.engine.nets import data, net, targets

ACTIVATIONS = ["sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus",
               "mish"]
OPTIMIZERS = [
    optimizers.SGD(0.05), optimizers.SGD(0.05, 0.9), optimizers.SGD(0.05, 0.9, nesterov=True),
    optimizers.AdamW(0.01),
]  # fmt: skip


def digests(dtype):
    x, y = data(53)
    for i, (activation, optimizer) in enumerate(zip(ACTIVATIONS, itertools.cycle(OPTIMIZERS))):
        penalty = regularizers.L1L2(1e-4, 1e-6) if i % 2 else None
        loss = "mse" if i % 3 == 2 else "sparse_categorical_crossentropy"
        model = net(
            layers.Rescaling(0.7, 0.1), layers.Dense(33, activation, kernel_regularizer=penalty),
            layers.Dropout(0.2), layers.Dense(17, "softmax"),
            layers.BatchNormalization(gamma_regularizer=penalty), layers.Dense(19, activation),
            last=None if loss == "mse" else "softmax", loss=loss, metrics=(), optimizer=optimizer,
            dtype=dtype, backend="numba",
        )
        telemetry = Telemetry(every=3)
        right = targets(53) if loss == "mse" else y
        model.fit(x, right, batch_size=7, epochs=2, telemetry=telemetry, verbose=0)
        _, gradients = model.loss_and_gradient(x, right)
        parts = [*model.get_weights(), *gradients, np.array(telemetry.records), model.predict(x)]
        yield hashlib.sha256(b"".join(np.ascontiguousarray(p).tobytes() for p in parts)).hexdigest()
"""
RUN = "print(*digests('float32'))"
OTHER_ORDER = """
from fastmlp import Sequential, check_gradients
from fastmlp.kernels import numba as compiled
for real in (np.dtype(dtype).type for dtype in DTYPES):
    w, numbers = np.ones(37, real), np.array([0.9, 1, 0.9, 0.99, 1e-7, 0.1])
    for rule in (0, 1, 2):
        for evenly in (False, True):
            moments = w.copy(), w.copy(), w.copy()
            compiled.optimizer_step(rule, 0.1, 0.1, 0, evenly, 0, w, w.copy(), *moments, numbers)
    compiled.activation_forward(1, real(0), w, w.copy())
    compiled.penalty_update(real(0.1), real(0.1), real(0.1), 0, 0, w)
if "float64" in DTYPES:
    model = Sequential([layers.Input(3), layers.Dense(2, "tanh")], backend="numba")
    model.compile("sgd", "mse", metrics=())
    check_gradients(model, np.ones((2, 3)), np.ones((2, 2)))
found = {dtype: list(digests(dtype)) for dtype in DTYPES}
print(*(digest for dtype in reversed(DTYPES) for digest in found[dtype]))
"""


def start(code, cache):
    """Start a process with a cache of its own, or, with None, that of this one."""
    own = {} if cache is None else {"FASTMLP_CACHE": str(cache)}
    return subprocess.Popen(
        [sys.executable, "-c", NETS + code],
        env=os.environ | own | {"PYTHONPATH": str(ROOT)},
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def digests(process):
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    return output.split()


def compare(dtypes, first_cache, other_cache):
    """Compare float32, compiled first, with all dtypes, the last one float32, in another order."""
    other_order = f"DTYPES = {dtypes!r}" + OTHER_ORDER
    runs = [(RUN, first_cache), (other_order, other_cache)]
    first, other = (digests(process) for process in [start(*run) for run in runs])
    assert len(set(first)) == NETS_OF_ONE_DTYPE
    assert other[:NETS_OF_ONE_DTYPE] == first
    assert len(set(other)) == len(dtypes) * NETS_OF_ONE_DTYPE
    assert any(other_cache.rglob("*.nbc"))
    assert digests(start(other_order, other_cache)) == other


@pytest.mark.skipif(not JIT, reason="plain Python has one copy of each kernel")
def test_a_net_ends_with_the_same_bits(tmp_path):
    compare(("float32",), None, tmp_path)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        compare(("float64", "float32"), Path(folder) / "first", Path(folder) / "other")
    sys.stdout.write("the same bits in both dtypes\n")
