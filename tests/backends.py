"""The backends that tests run on.  Those that are not here are skipped, and say why."""

import pytest

from fastmlp import backends


def _parameter(name):
    reason = backends.available().missing.get(name)
    return pytest.param(name, marks=pytest.mark.skipif(bool(reason), reason=f"{name}: {reason}"))


COMPILED = [_parameter("numba"), _parameter("cython")]
ALL = [*COMPILED, _parameter("numpy")]
