"""One thread for torch; and the longest files first, so that no worker ends with one alone."""

import pytest
import torch

import fastmlp  # noqa: F401  (Numba's runtime wants to be loaded before torch's)

# The nets here are so small that a second one makes them slower.
torch.set_num_threads(1)

# Of few tests that take minutes: they build and install, or compile again and again.
LONG = ("packaging/test_build", "packaging/test_installs", "engine/test_compile_orders")


def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-xdist take files in our order, and not those with the most tests first."""
    config.option.loadscopereorder = False


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the long files first, and those of the others as they come."""
    items.sort(key=lambda item: not any(name in item.nodeid for name in LONG))
