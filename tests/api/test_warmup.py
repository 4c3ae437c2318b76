"""``python -m fastmlp.warmup``: kernels ahead of time, and with help where there are none yet."""

import io
import subprocess
import sys

import pytest
from rich.console import Console

from fastmlp import warmup
from fastmlp.kernels.numba import disk_cache

QUIET = Console(file=io.StringIO())


@pytest.fixture
def helpers(monkeypatch):
    """Return the processes that are started."""
    started = []
    start = subprocess.Popen

    def popen(*args, **options):
        started.append(start(*args, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    monkeypatch.setattr(warmup, "available_cores", lambda: 2)
    return started


@pytest.mark.parametrize("dtypes", [("float32",), ("float64",), ("float32", "float64")])
def test_the_reference_needs_no_help(helpers, dtypes):
    assert warmup.warm_up("numpy", dtypes, console=QUIET) > 0
    assert not helpers


def test_what_is_there_needs_no_help(helpers, monkeypatch):
    monkeypatch.setattr(disk_cache, "cache_is_empty", lambda: False)
    warmup.warm_up("numba", warmup.DTYPES, console=QUIET)
    assert not helpers


def test_of_two_dtypes_one_is_compiled_elsewhere(helpers, monkeypatch):
    monkeypatch.setattr(disk_cache, "cache_is_empty", lambda: True)
    warmup.warm_up("numba", warmup.DTYPES, console=QUIET)
    assert [helper.returncode for helper in helpers] == [0]
    assert helpers[0].args[-1] == "float64"


def test_a_helper_does_not_outlive_an_interruption(helpers, monkeypatch):
    def interrupted(backend, dtype):
        raise KeyboardInterrupt

    monkeypatch.setattr(disk_cache, "cache_is_empty", lambda: True)
    monkeypatch.setattr(warmup, "_run_everything", interrupted)
    with pytest.raises(KeyboardInterrupt):
        warmup.warm_up("numba", warmup.DTYPES, console=QUIET)
    assert helpers[0].wait() != 0


def test_the_command_says_what_it_did(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["warmup", "--backend", "numpy"])
    warmup.main()
    assert "numpy, float32 and float64: ready after" in capsys.readouterr().out
