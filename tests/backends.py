"""The backends that tests run on.  Those that are not here are skipped, and say why."""

import pytest

from fastmlp import backends


def parameter(name):
    """Return a backend as a test's parameter."""
    reason = backends.available().missing.get(name)
    return pytest.param(name, marks=pytest.mark.skipif(bool(reason), reason=f"{name}: {reason}"))


COMPILED = [parameter("numba"), parameter("cython")]
ALL = [*COMPILED, parameter("numpy")]
