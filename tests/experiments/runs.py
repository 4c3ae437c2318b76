"""Runs of the experiments' command that several tests look at: each is made once a process."""

import atexit
import contextlib
import functools
import io
import shutil
import tempfile
from pathlib import Path

from fastmlp.experiments import cli

FEW = ["--dataset", "digits", "--epochs", "1", "--seeds", "1"]


@functools.cache
def quick_run(question: str) -> tuple[Path, str]:
    """Return the folder of a small run, and what it printed."""
    folder = Path(tempfile.mkdtemp(prefix=f"fastmlp-{question}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert cli.main([question, *FEW, "--quick", "--out", str(folder)]) == 0
    return folder, printed.getvalue()
