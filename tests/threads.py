"""Steps that several threads share, however short they are."""

from collections.abc import Iterator

import pytest


def each_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Return 1, 2 and 3 one after the other: as many threads share each step meanwhile."""
    monkeypatch.setattr("fastmlp.runtime.engine._WORTH_SHARING", 0)
    for count in (1, 2, 3):
        monkeypatch.setattr("fastmlp.runtime.threads._chosen", count)
        yield count
