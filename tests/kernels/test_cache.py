"""The cache of machine code: where it is, and that a bad one costs time but never the run."""

import contextlib
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from numba.core.caching import FunctionCache, IndexDataCacheFile

from fastmlp.kernels.numba import disk_cache, jit

from .op_table import JIT

needs_jit = pytest.mark.skipif(not JIT, reason="nothing is compiled, nothing cached")


def double(x):
    for i in range(x.size):
        x[i] *= 2


def doubles(kernel, dtype=np.float64):
    x = np.arange(3, dtype=dtype)
    kernel(x)
    return x.tolist() == [0, 2, 4]


@pytest.fixture
def environment(monkeypatch):
    for name in ("FASTMLP_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Let kernels be cached in a directory of the test's own."""
    monkeypatch.setattr(disk_cache, "CACHE_DIRECTORY", str(tmp_path))
    return tmp_path


class TestDirectory:
    def test_is_the_one_asked_for(self, environment, tmp_path):
        environment.setenv("FASTMLP_CACHE", str(tmp_path / "mine"))
        directory = Path(disk_cache._cache_directory())
        assert directory.is_dir()
        assert directory.parent == tmp_path / "mine" / "kernels"

    def test_is_the_systems(self, environment, tmp_path):
        environment.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert tmp_path / "fastmlp" / "kernels" in Path(disk_cache._cache_directory()).parents

    def test_is_the_users(self, environment, tmp_path):
        environment.setattr(Path, "home", lambda: tmp_path)
        assert tmp_path / ".cache" / "fastmlp" in Path(disk_cache._cache_directory()).parents

    def test_may_be_none_on_purpose(self, environment):
        environment.setenv("FASTMLP_CACHE", "0")
        assert disk_cache._cache_directory() is None

    def test_below_a_file_is_none_with_a_warning(self, environment, tmp_path):
        (tmp_path / "file").touch()
        environment.setenv("FASTMLP_CACHE", str(tmp_path / "file" / "cache"))
        self.assert_one_warning()

    def test_that_is_read_only_is_none_with_a_warning(self, environment, tmp_path):
        environment.setenv("FASTMLP_CACHE", str(tmp_path))
        # Permissions do not bind root, which tests may run as.
        environment.setattr(disk_cache.os, "access", lambda path, mode: False)
        self.assert_one_warning()

    def test_of_nobody_is_none_with_a_warning(self, environment):
        def homeless():
            raise RuntimeError("Could not determine home directory.")

        environment.setattr(Path, "home", homeless)
        self.assert_one_warning()

    @staticmethod
    def assert_one_warning():
        with pytest.warns(RuntimeWarning, match="Set FASTMLP_CACHE to a writable") as found:
            assert disk_cache._cache_directory() is None
        assert len(found) == 1

    def test_is_another_one_after_an_edit(self, environment, tmp_path):
        source = Path(disk_cache.__file__).parent.parent
        shutil.copytree(source, tmp_path / "kernels", ignore=shutil.ignore_patterns("*.pyc"))
        environment.setattr(
            disk_cache, "__file__", str(tmp_path / "kernels" / "numba" / "disk_cache.py")
        )
        before = disk_cache._source_digest()
        assert disk_cache._source_digest() == before
        with (tmp_path / "kernels" / "table.py").open("a") as file:
            file.write("\n")
        assert disk_cache._source_digest() != before


@needs_jit
class TestFiles:
    # Also what is inlined into the engine: nets with layers written in Python call it by itself.
    @pytest.mark.parametrize("decorate", [jit.fast, jit.exact, jit.view])
    def test_are_written_and_read(self, cache, decorate):
        first = decorate(double)
        assert doubles(first)
        assert len(list(cache.rglob("*.nbc"))) == 1
        again = decorate(double)
        assert doubles(again)
        assert sum(again.stats.cache_hits.values()) == 1
        assert sum(first.stats.cache_hits.values()) == 0

    def test_are_not_wanted(self, monkeypatch, tmp_path):
        monkeypatch.setattr(disk_cache, "CACHE_DIRECTORY", None)
        kernel = jit.fast(double)
        assert doubles(kernel)
        assert kernel.stats.cache_path is None

    @pytest.mark.parametrize("content", [b"", b"\x80\x04nonsense", b"text"])
    def test_that_are_damaged_are_replaced(self, cache, content):
        assert doubles(jit.fast(double))
        (damaged,) = cache.rglob("*.nbc")
        damaged.write_bytes(content)
        with pytest.warns(RuntimeWarning, match="compiles its kernels anew"):
            assert doubles(jit.fast(double))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            again = jit.fast(double)
            assert doubles(again)
        assert sum(again.stats.cache_hits.values()) == 1

    def test_of_two_processes_that_save_at_once_are_not_mixed_up(self, cache, monkeypatch):
        one, other = jit.fast(double), jit.fast(double)
        open_for_write = IndexDataCacheFile._open_for_write

        @contextlib.contextmanager
        def slowly(self, path):
            with open_for_write(self, path) as file:
                monkeypatch.setattr(IndexDataCacheFile, "_open_for_write", open_for_write)
                assert doubles(other, np.float32)
                yield file

        monkeypatch.setattr(IndexDataCacheFile, "_open_for_write", slowly)
        assert doubles(one)
        again = jit.fast(double)
        assert doubles(again)
        assert doubles(again, np.float32)
        assert sum(again.stats.cache_hits.values()) == 2

    def test_that_find_no_room_are_done_without(self, cache, monkeypatch):
        def full(self, sig, data):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(FunctionCache, "save_overload", full)
        with pytest.warns(RuntimeWarning, match="No space left on device"):
            assert doubles(jit.fast(double))

    def test_that_have_disappeared_are_done_without(self, cache):
        kernel = jit.fast(double)
        shutil.rmtree(cache)
        assert doubles(kernel)


@needs_jit
def test_a_process_without_a_cache_warns_once_and_computes(tmp_path):
    (tmp_path / "file").touch()
    program = (
        "import numpy as np\n"
        "from fastmlp.kernels import numba as compiled\n"
        "for dtype in (np.float32, np.float64):\n"
        "    y = np.empty(2, dtype)\n"
        "    compiled.multiply(np.ones(2, dtype), np.full(2, 3, dtype), y)\n"
        "    print(y.tolist())\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"FASTMLP_CACHE": str(tmp_path / "file"), "PYTHONPATH": str(root)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n") == ["[3.0, 3.0]", "[3.0, 3.0]", ""]
    assert done.stderr.count("RuntimeWarning") == 1
