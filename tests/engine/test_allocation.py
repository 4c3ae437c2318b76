"""No kernel can allocate memory, so neither can the loop of steps that consists of them."""

import re
from pathlib import Path

import numba
import numpy as np
import pytest

from fastmlp.kernels.numba.jit import exact

from ..kernels.op_table import JIT

C_SOURCES = Path(__file__).parents[2] / "kernels" / "c"


@exact
def allocates(size):
    return np.zeros(size).sum()


@pytest.mark.skipif(not JIT, reason="nothing is compiled here")
def test_numba_compiles_none_that_does():
    with pytest.raises(numba.TypingError, match="zeros"):
        allocates(10)


def test_c_has_no_call_that_does():
    found = re.compile(r"\b(malloc|calloc|realloc|aligned_alloc|alloca|posix_memalign)\b")
    sources = [path for path in C_SOURCES.iterdir() if path.suffix in (".c", ".h")]
    assert len(sources) > 20
    assert not [path.name for path in sources if found.search(path.read_text())]
