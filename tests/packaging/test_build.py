"""The C kernels are built when there is a compiler, and not missed when there is none."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMPILER = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]

USE = """
import sys
import numpy as np
from fastmlp import Sequential, backends, check_gradients, layers
assert "site-packages" in backends.__file__
model = Sequential([layers.Input(3), layers.Dense(4, "tanh"), layers.Dense(2, "softmax")], seed=0)
model.compile("sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
x, y = np.random.default_rng(0).standard_normal((40, 3)), np.arange(40) % 2
model.fit(x, y, epochs=2, verbose=0)
model.evaluate(x, y), model.predict(x)
assert check_gradients(model, x, y).passed
assert "numba" not in sys.modules
print(model.backend)
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the sources alone."""
    copy = tmp_path_factory.mktemp("build") / "checkout"
    leave = shutil.ignore_patterns(
        ".*", "__pycache__", "*.so", "*.egg-info", "build", "dist", "runs"
    )
    return shutil.copytree(ROOT, copy, ignore=leave)


@pytest.fixture
def python(tmp_path):
    """A virtual environment with the packages of this one, but Numba and the project."""
    path = tmp_path / "venv"
    venv.create(path, symlinks=True)
    variables = {"base": str(path), "platbase": str(path)}
    packages = Path(sysconfig.get_path("purelib", "venv", variables))
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        left = ("numba", "llvmlite", "fastmlp", "__editable__", "__pycache__")
        if not package.name.startswith(left) and package.suffix != ".pth":
            (packages / package.name).symlink_to(package)
    return path / "bin" / "python"


def run(command, directory, **variables):
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "FASTMLP_"))
    }
    return subprocess.run(
        command, cwd=directory, env=inherited | variables, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def install(python, what, directory, **variables):
    return run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--verbose", "--no-index",
         "--no-deps", "--no-build-isolation", what], directory, **variables,
    )  # fmt: skip


def missing(python, directory):
    """Return why the installed project has no C kernels."""
    show = "from fastmlp import backends; print(backends.available().missing['cython'])"
    done = run([python, "-c", show], directory)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"CC": "false"}, "fastmlp: the C kernels cannot be built"),
        ({"FASTMLP_BUILD_C": "0"}, "fastmlp: FASTMLP_BUILD_C=0"),
    ],
    ids=["no compiler", "not wanted"],
)
def test_an_install_does_without_and_says_so(checkout, python, tmp_path, variables, message):
    done = install(python, checkout, tmp_path, **variables)
    assert done.returncode == 0, done.stderr
    assert message in done.stdout + done.stderr
    assert "were not built" in missing(python, tmp_path)
    done = run([python, "-c", USE], tmp_path)
    assert "backend: there is no fast one here" in done.stderr
    assert run([python, "-c", USE], tmp_path, FASTMLP_BACKEND="numpy").stdout == "numpy\n"


def test_whoever_requires_them_gets_the_error(checkout, python, tmp_path):
    done = install(python, checkout, tmp_path, CC="false", FASTMLP_REQUIRE_C="1")
    assert done.returncode != 0
    assert "kernels/c/all.c" in done.stdout + done.stderr


def test_a_build_that_fails_leaves_no_module_of_other_sources(checkout, tmp_path):
    copy = shutil.copytree(checkout, tmp_path / "checkout")
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    stale = [copy / "kernels" / "c" / f"{dtype}{suffix}" for dtype in ("f32", "f64")]
    for module in stale:
        module.write_bytes(b"built from something else")
    done = run([sys.executable, "setup.py", "build_ext", "--inplace"], copy, CC="false")
    assert done.returncode == 0, done.stderr
    assert "the C kernels cannot be built" in done.stdout
    assert not any(module.exists() for module in stale)


needs_modules = pytest.mark.skipif(
    not list((ROOT / "kernels" / "c").glob("f32*.so")), reason="this checkout has no C modules"
)


@needs_modules
@pytest.mark.parametrize("edited", ["kernels/c/softmax.c", "kernels/contract.py"])
def test_modules_of_other_sources_are_not_used(checkout, tmp_path, edited):
    copy = shutil.copytree(checkout, tmp_path / "checkout")
    for module in (ROOT / "kernels" / "c").glob("*.so"):
        shutil.copy(module, copy / "kernels" / "c")
    show = "from fastmlp import backends; print(backends.available())"
    before = run([sys.executable, "-c", show], copy)
    assert "\ncython: not here" not in f"\n{before.stdout}", before.stderr
    with (copy / edited).open("a") as file:
        file.write("\n")
    after = run([sys.executable, "-c", show], copy)
    assert "they were built from other sources than those in kernels/c" in after.stdout


@pytest.mark.skipif(not shutil.which(COMPILER), reason="needs a C compiler")
def test_from_a_source_distribution_to_training_without_numba(checkout, python, tmp_path):
    def build(kind):
        return f"from setuptools import build_meta; build_meta.build_{kind}({str(tmp_path)!r})"

    done = run([python, "-c", build("sdist")], checkout)
    assert done.returncode == 0, done.stderr
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        # Python before 3.11.4 has no filters; the archive is our own.
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        file.extractall(tmp_path / "unpacked", **safely)
    (sources,) = (tmp_path / "unpacked").iterdir()

    # For this machine alone and without optimizing, which takes a sixth of the time.
    compiler = f"sh {shlex.quote(str(ROOT / 'tests' / 'unoptimized.sh'))} {COMPILER}"
    wanted = {"FASTMLP_REQUIRE_C": "1", "FASTMLP_NATIVE": "1", "CC": compiler}
    done = run([python, "-c", build("wheel")], sources, **wanted)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert not wheel.name.endswith("none-any.whl")
    packed = zipfile.ZipFile(wheel).namelist()
    assert {Path(name).name.split(".")[0] for name in packed if ".so" in name} == {"f32", "f64"}

    assert install(python, wheel, tmp_path).returncode == 0
    done = run([python, "-c", USE], tmp_path)
    assert done.stdout == "cython\n", done.stderr
    show = "from fastmlp.kernels.c import dispatch; print(dispatch.instruction_set())"
    assert run([python, "-c", show], tmp_path).stdout == "native\n"
    warm = run([python, "-m", "fastmlp.warmup"], tmp_path)
    assert "cython" in warm.stdout, warm.stderr
