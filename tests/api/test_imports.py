"""``import fastmlp`` is light: it takes NumPy and rich, and what else is there may be missing."""

import subprocess
import sys
from pathlib import Path

HEAVY = ("matplotlib", "numba", "pooch", "safetensors", "sklearn", "tabulate", "torch", "tqdm")

# A module that is None in sys.modules cannot be imported.
PROGRAM = f"""
import sys
sys.modules.update(dict.fromkeys({HEAVY}))
import fastmlp
from fastmlp import Sequential, check_gradients, layers
model = Sequential([layers.Input((3,)), layers.Dense(2, "softmax")], seed=0, backend="numpy")
model.compile("sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
x, y = [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]], [0, 1]
model.fit(x, y, epochs=2)
model.evaluate(x, y)
model.predict(x)
model.summary()
assert check_gradients(model, x, y).passed
"""


def test_the_reference_needs_nothing_else():
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "total" in done.stdout
