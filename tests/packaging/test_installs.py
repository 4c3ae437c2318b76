"""Every way to install the project, or not to: all modules are there, and from one place."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Imports every module, or only finds it, trains a net, and prints where each module comes from.
PROBE = """
import importlib, sys
from importlib.machinery import PathFinder
import numpy as np
from fastmlp import Sequential, kernels, layers
how, *names = sys.argv[1:]

def find(name):  # importlib.util.find_spec would run the packages that the module is in
    if name in sys.modules:
        return sys.modules[name].__spec__
    package = find(name.rpartition(".")[0])
    return PathFinder.find_spec(name, package.submodule_search_locations)

if how == "import":
    files = [importlib.import_module(name).__file__ for name in names]
else:
    files = [find(name).origin for name in names]
model = Sequential([layers.Dense(2, activation="softmax")], backend="numpy")
model.compile("sgd", loss="sparse_categorical_crossentropy")
model.fit(np.zeros((2, 2)), np.arange(2), verbose=0)
assert "kernels" not in sys.modules, "a kernel has two names"
print(*files, sep="\\n")
"""


def _names(folder: Path, package: str) -> list[str]:
    paths = (path.relative_to(folder).with_suffix("") for path in sorted(folder.rglob("*.py")))
    names = (".".join((package, *path.parts)).removesuffix(".__init__") for path in paths)
    return [name for name in names if not name.endswith("__main__")]


# All but the C kernels, which test_build.py builds.
MODULES = [
    name
    for name in _names(ROOT / "fastmlp", "fastmlp") + _names(ROOT / "kernels", "fastmlp.kernels")
    if not name.startswith("fastmlp.kernels.c.") and name != "fastmlp.kernels.c"
]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy, for building leaves traces."""
    copy = tmp_path_factory.mktemp("packaging") / "checkout"
    leave = shutil.ignore_patterns(".*", "__pycache__", "*.so", "runs", "build", "*.egg-info")
    return shutil.copytree(ROOT, copy, ignore=leave)


class Environment:
    """A virtual environment that sees the packages of this one, but not the project."""

    def __init__(self, path: Path) -> None:
        venv.create(path, symlinks=True)
        self.python = path / "bin" / "python"
        variables = {"base": str(path), "platbase": str(path)}
        self.packages = Path(sysconfig.get_path("purelib", "venv", variables))
        # The project is not seen, as the .pth file of an editable install counts only in its own
        # environment; and what is installed here comes before what is linked.
        (self.packages / "linked.pth").write_text(f"{sysconfig.get_path('purelib')}\n")

    def install(self, *what: str | Path) -> None:
        run(
            [sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet",
             "--no-index", "--no-deps", "--no-build-isolation", *what],
            self.packages,
        )  # fmt: skip

    def homes(self, directory: Path, how: str = "find") -> set[Path]:
        """Return where the modules come from for somebody who is in that directory.

        To ``"import"`` them all takes ten seconds, so each kind of install does it once.
        """
        found = run([self.python, "-c", PROBE, how, *MODULES], directory).splitlines()
        assert len(found) == len(MODULES)
        return {Path(file) for file in found}


def run(command: list[str | Path], directory: Path) -> str:
    variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    variables["FASTMLP_BUILD_C"] = "0"
    done = subprocess.run(
        [*command], cwd=directory, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def files_in(fastmlp: Path, kernels: Path) -> set[Path]:
    return {
        path
        for path in (*fastmlp.rglob("*.py"), *kernels.rglob("*.py"))
        if path.name != "__main__.py" and path.parent != kernels / "c"
    }


def from_checkout(checkout: Path) -> set[Path]:
    return files_in(checkout / "fastmlp", checkout / "kernels")


def installed(environment: Environment) -> set[Path]:
    return files_in(environment.packages / "fastmlp", environment.packages / "fastmlp" / "kernels")


# What a first user writes; mypy --strict must find nothing in it.
SCRIPT = """
import numpy as np
from fastmlp import History, Sequential, activations, check_gradients, datasets, fit_many
from fastmlp import layers, losses, optimizers, regularizers

x = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
y = np.arange(40) % 2
model = Sequential(
    [
        layers.Input((3,)),
        layers.Rescaling(1 / 255),
        layers.Dense(4, activation="relu", kernel_regularizer=regularizers.L2(1e-4)),
        layers.Dense(4, activations.LeakyReLU(0.1)),
        layers.Dropout(0.1, seed=1),
        layers.Dense(2, "softmax"),
    ],
    seed=0,
)
loss = losses.SparseCategoricalCrossentropy()
model.compile(optimizers.SGD(0.1, momentum=0.9), loss=loss, metrics=["accuracy"])
history: History = model.fit(x, y, 8, epochs=2, validation_data=(x.tolist(), y.tolist()), verbose=0)
losses_of_epochs: list[float] = history.history["loss"]
figures: dict[str, float] = model.evaluate(x, y, 16, 0, return_dict=True)
values: float | list[float] = model.evaluate(x, y)
outputs = model.predict(x, batch_size=7, verbose=0).argmax(axis=1)
histories: list[History] = fit_many([model], x, y)
print(check_gradients(model, x, y).passed, figures["loss"], outputs.sum(), activations.relu(x))
name: str = datasets.load("digits").name
"""


@pytest.fixture(scope="module")
def mypy_cache(tmp_path_factory):
    """What mypy keeps of the packages that the environments have in common."""
    return tmp_path_factory.mktemp("mypy")


def check_types(environment: Environment, directory: Path, cache: Path) -> None:
    (directory / "script.py").write_text(SCRIPT)
    run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, "--python-executable",
         environment.python, "script.py"],
        directory,
    )  # fmt: skip


def test_not_installed(checkout, tmp_path):
    assert Environment(tmp_path / "venv").homes(checkout) == from_checkout(checkout)


def test_editable(checkout, tmp_path, mypy_cache):
    environment = Environment(tmp_path / "venv")
    environment.install("--editable", checkout)
    assert environment.homes(tmp_path, "import") == from_checkout(checkout)
    assert environment.homes(checkout) == from_checkout(checkout)
    check_types(environment, tmp_path, mypy_cache)


def test_plain(checkout, tmp_path, mypy_cache):
    environment = Environment(tmp_path / "venv")
    environment.install(checkout)
    assert environment.homes(tmp_path, "import") == installed(environment)
    # The checkout shadows what is installed: then it has to do so in all its parts.
    assert environment.homes(checkout) == from_checkout(checkout)
    check_types(environment, tmp_path, mypy_cache)
    show = "from fastmlp import backends; print(backends.available().missing['cython'])"
    assert "hides the fastmlp that is installed" in run([environment.python, "-c", show], checkout)
    assert "were not built" in run([environment.python, "-c", show], tmp_path)


def test_from_a_source_distribution(checkout, tmp_path):
    build = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    run([sys.executable, "-c", build, tmp_path], checkout)
    (archive,) = tmp_path.glob("*.tar.gz")
    environment = Environment(tmp_path / "venv")
    environment.install(archive)
    assert environment.homes(tmp_path) == installed(environment)
    with tarfile.open(archive) as file:
        packed = set(file.getnames())
    for folder in ("bench", "examples", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            assert f"{archive.name.removesuffix('.tar.gz')}/{path.relative_to(ROOT)}" in packed
