"""Packages whose parts are imported when they are first asked for, so that training starts sooner.

The package's ``__init__.py`` imports the same names below ``if TYPE_CHECKING``, for tools that read
it; a test holds both lists together.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

from .elsewhere import refusal


def later(
    package: str, where: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for a package.

    A name that the package does not have is refused, and what Keras has under it with a reason.

    Parameters
    ----------
    package : str
        Its full name.
    where : dict
        For each name that is imported later, the module in the package that has it; empty, if the
        name is that of a module.
    """
    module = sys.modules[package]

    def get(name: str) -> object:
        if name not in where:
            raise refusal(package.rpartition(".")[2], name)
        home = import_module(f"{package}.{where[name] or name}")
        found: object = getattr(home, name) if where[name] else home
        setattr(module, name, found)
        return found

    def names() -> list[str]:
        return sorted({*vars(module), *where})

    return get, names
