"""The kernels as the plain Python that they are: this folder's tests once more."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .op_table import JIT


@pytest.mark.skipif(not JIT, reason="this is the run without a compiler")
def test_the_kernels_run_as_plain_python():
    here = Path(__file__).parent
    done = subprocess.run(
        # The reference in NumPy is the same in either run.
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not numpy", here],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        cwd=here.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    # A skip marker too many once turned a suite like this off without anyone noticing.
    (passed,) = re.findall(r"(\d+) passed", done.stdout)
    assert int(passed) > 900
    skipping = set(re.findall(r"^SKIPPED \[\d+\] tests/kernels/(\w+)", done.stdout, re.MULTILINE))
    assert skipping == {
        "test_c_binding",
        "test_cache",
        "test_ladder",
        "test_ladder_command",
        "test_machine_code",
        "test_roofline",
        "test_without_jit",
    }
