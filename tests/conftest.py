"""One thread for torch; and an order of files in which workers wait and compile the least."""

import pytest
import torch

import fastmlp  # noqa: F401  (Numba's runtime wants to be loaded before torch's)

# The nets here are so small that a second one makes them slower.
torch.set_num_threads(1)

# The longest files come first, so that no worker ends with one alone: they build and install, or
# compile.  Before them comes what compiles Numba's engine for both dtypes, which takes a minute for
# each: later on, both workers would need it at the same time, and both compile it.
FIRST = (
    "api/test_as_in_training",
    "packaging/test_build",
    "engine/test_compile_orders",
    "packaging/test_installs",
)


def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-xdist take files in our order, and not those with the most tests first."""
    config.option.loadscopereorder = False


def place(item: pytest.Item) -> int:
    return next((i for i, name in enumerate(FIRST) if name in item.nodeid), len(FIRST))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of those files first, and those of the others as they come."""
    items.sort(key=place)
