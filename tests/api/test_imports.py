"""``import fastmlp`` is light: it takes NumPy, and what else is there may be missing."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import fastmlp

ROOT = Path(__file__).parents[2]
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

# What a net can be made without; and what takes long to import, of the standard library and NumPy.
LATE = (
    "fastmlp.callbacks.early_stopping", "fastmlp.datasets", "fastmlp.gradcheck",
    "fastmlp.interchange", "fastmlp.losses", "fastmlp.metrics", "fastmlp.runtime.notebook",
    "fastmlp.runtime.parallel", "fastmlp.saving", "fastmlp.schedules.cosine", "fastmlp.sklearn",
    "fastmlp.sweeps", "fastmlp.utils", "csv", "difflib", "html", "json", "importlib.metadata",
    "numpy.random", "shutil", *HEAVY,
)  # fmt: skip
MOST_MODULES = 115  # of our own

BARE = f"""
import sys
import numpy
before = set(sys.modules)
import fastmlp
added = set(sys.modules) - before
assert not added & set({LATE}), added & set({LATE})
own = sorted(name for name in added if name.startswith("fastmlp"))
assert len(own) <= {MOST_MODULES}, (len(own), own)
"""


def run(program):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_reference_needs_nothing_else():
    assert "total" in run(PROGRAM)


def test_what_a_net_can_be_made_without_is_imported_later():
    run(BARE)


@pytest.mark.parametrize("package", ["fastmlp", "fastmlp.callbacks", "fastmlp.schedules"])
def test_what_is_imported_later_is_there_all_the_same(package):
    module = importlib.import_module(package)
    tree = ast.parse(Path(module.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and "TYPE" in ast.dump(node)]
    for_tools = {
        alias.name: node.module or "" for node in block.body for alias in node.names
    }  # fmt: skip
    assert for_tools == module._LATER
    assert set(module.__all__) <= set(dir(module))
    assert set(module._LATER) <= set(module.__all__)
    names = {}
    exec(f"from {package} import *", names)
    assert all(names[name] is getattr(module, name) for name in module.__all__)


def test_what_nobody_has_is_refused():
    with pytest.raises(AttributeError, match="module 'fastmlp' has no attribute 'optimisers'"):
        fastmlp.optimisers  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Adam'"):
        exec("from fastmlp import Adam")
