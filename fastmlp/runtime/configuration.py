"""Configurations: what an object was made with, as plain data, and the way back.

A configuration holds nothing but what JSON has.  An object in it is a dict with its class's name
and its own configuration, as in Keras; a function is its name.  Code is never part of one: what is
not of fastmlp itself is looked up among the ``custom_objects`` that the reader brings along.
"""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from types import FunctionType
from typing import Any, ClassVar, Self

import numpy as np

from .arguments import shown

# The modules whose classes a configuration may name.
_MODULES = (
    "activations", "constraints", "initializers", "layers", "losses", "metrics", "model",
    "optimizers", "regularizers", "schedules",
)  # fmt: skip
_PACKAGE = __name__.partition(".")[0]

_custom: ContextVar[Mapping[str, Any] | None] = ContextVar("custom_objects", default=None)
_registered: dict[str, Any] = {}
# What a copy refers to under made-up names, while one is made: see clone.
_borrowed: ContextVar[dict[str, Any] | None] = ContextVar("borrowed", default=None)


class Configurable:
    """What can be described by the arguments that it was made with."""

    # Arguments that are no attributes: what they say is said in another way.
    _not_attributes: ClassVar[tuple[str, ...]] = ()

    @property
    def known_as(self) -> str | None:
        """A name that stands for this object wherever it is an argument, if it has one."""
        return None

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal object, as plain data.

        The values are those of the attributes that are named as the arguments of ``__init__``, and
        with ``**kwargs`` also of those of the class above.  A class that keeps an argument under
        another name needs a ``get_config`` of its own.

        Raises
        ------
        TypeError
            If a value can't be written as plain data.
        NotImplementedError
            If an argument has no such attribute.
        """
        config = {}
        for name in _arguments(type(self)):
            if name in self._not_attributes:
                continue
            if not hasattr(self, name):
                raise NotImplementedError(
                    f"{type(self).__name__}.get_config is missing: it has an argument {name!r}, "
                    "and no attribute of that name"
                )
            config[name] = serialize(getattr(self, name), f"{type(self).__name__}.{name}")
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return an object that is made as the configuration says.

        Raises
        ------
        TypeError, ValueError
            If the configuration is not one of this class.
        """
        arguments = {name: deserialize(value) for name, value in config.items()}
        known = _arguments(cls)
        for name in arguments:
            if name not in known:
                raise ValueError(f"config: {cls.__name__} has no argument {name!r}")
        return cls(**arguments)


def _arguments(cls: type) -> list[str]:
    """Return the names of the arguments of a class, with those that it hands on as ``**kwargs``."""
    found: list[str] = []
    for kind in cls.__mro__:
        if "__init__" not in vars(kind) or kind is object:
            continue
        parameters = list(inspect.signature(vars(kind)["__init__"]).parameters.values())[1:]
        found += [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        if all(p.kind is not p.VAR_KEYWORD for p in parameters):
            break
    return list(dict.fromkeys(found))


def serialize(value: Any, what: str = "value") -> Any:
    """Return a value as plain data; ``what`` is how messages call it.

    Raises
    ------
    TypeError
        If it can't be written so.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        return value.item()
    if isinstance(value, (list, tuple)):
        return [serialize(item, f"{what}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: serialize(item, f"{what}[{key!r}]") for key, item in value.items()}
    if isinstance(value, Configurable) and value.known_as is not None:
        return value.known_as
    is_object = not isinstance(value, type) and hasattr(value, "get_config")
    if not is_object and (borrowed := _borrowed.get()) is not None:
        key = f"{len(borrowed)}"
        borrowed[key] = value
        return {"class_name": "function", "config": key}
    if isinstance(value, FunctionType):
        if value.__name__ == "<lambda>":
            raise TypeError(f"{what}: a lambda can't be saved; give a function with a name")
        return {"module": None, "class_name": "function", "config": value.__name__,
                "registered_name": _registered_name(value)}  # fmt: skip
    if is_object:
        return _serialized_object(value)
    raise TypeError(f"{what}: {shown(value)} can't be saved; it has no get_config")


def _serialized_object(value: Any) -> dict[str, Any]:
    """Return an object as plain data."""
    kind = type(value)
    module, name, registered = _public_module(kind), kind.__name__, None
    if module is None:
        registered = _registered_name(kind)
        if (borrowed := _borrowed.get()) is not None:
            name, registered = f"{len(borrowed)}", None
            borrowed[name] = kind
    config = serialize(value.get_config(), f"the config of {shown(value)}")
    return {
        "module": module, "class_name": name, "config": config, "registered_name": registered,
    }  # fmt: skip


def clone(value: Any) -> Any:
    """Return a new object that is made like one that there is.

    Functions, and whatever else has no configuration, are the same in both.
    """
    borrowed: dict[str, Any] = {}
    token = _borrowed.set(borrowed)
    try:
        config = serialize(value)
    finally:
        _borrowed.reset(token)
    own = _custom.set(borrowed)
    try:
        return deserialize(config)
    finally:
        _custom.reset(own)


def deserialize(value: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return what plain data stand for; the inverse of :func:`serialize`.

    Raises
    ------
    ValueError
        If it names a class or a function that is neither part of fastmlp nor among the custom
        objects.
    """
    if custom_objects is not None:
        with custom_object_scope(custom_objects):
            return deserialize(value)
    if isinstance(value, list):
        return [deserialize(item) for item in value]
    if not isinstance(value, dict):
        return value
    if not {"class_name", "config"} <= set(value):
        return {key: deserialize(item) for key, item in value.items()}
    if value["class_name"] == "function":
        return _custom_object(value.get("registered_name"), value["config"])
    kind = _class_of(value)
    if not isinstance(value["config"], dict):
        raise ValueError(f"config: expected a dict for {kind.__name__}, got {value['config']!r}")
    return kind.from_config(value["config"])


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any]) -> Iterator[None]:
    """Let configurations name these classes and functions as long as the block runs.

    Raises
    ------
    TypeError
        If they are no dict from names to classes and functions.
    """
    if not isinstance(custom_objects, Mapping) or not all(
        isinstance(name, str) and callable(thing) for name, thing in custom_objects.items()
    ):
        raise TypeError(
            "custom_objects: expected a dict from names to classes and functions, "
            f"got {shown(custom_objects)}"
        )
    token = _custom.set({**(_custom.get() or {}), **custom_objects})
    try:
        yield
    finally:
        _custom.reset(token)


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Any:
    """Return a decorator that makes a class or a function known to configurations, as in Keras.

    Raises
    ------
    ValueError
        If another one is known by that name.
    """

    def register(thing: Any) -> Any:
        key = f"{package}>{name or thing.__name__}"
        known = _registered.get(key, thing)
        # The same source run again, as in a notebook, makes another class of the same name.
        if known is not thing and (known.__module__, known.__qualname__) != (
            thing.__module__, thing.__qualname__
        ):  # fmt: skip
            raise ValueError(f"name: {key!r} is registered already, for {shown(known)}")
        _registered[key] = thing
        return thing

    return register


def _registered_name(thing: Any) -> str | None:
    return next((key for key, known in _registered.items() if known is thing), None)


def _public_module(cls: type) -> str | None:
    """Return the module of fastmlp that has a class under its name, if one has."""
    package, *inner = cls.__module__.split(".")
    if package != _PACKAGE or not inner or inner[0] not in _MODULES:
        return None
    module = f"{_PACKAGE}.{inner[0]}"
    return module if getattr(import_module(module), cls.__name__, None) is cls else None


def _class_of(value: Mapping[str, Any]) -> Any:
    """Return the class that a configuration names."""
    module, name = value.get("module"), value["class_name"]
    if module is None:
        return _custom_object(value.get("registered_name"), name)
    package, _, inner = str(module).partition(".")
    if package == _PACKAGE and inner in _MODULES:
        found = getattr(import_module(module), str(name), None)
        if isinstance(found, type) and issubclass(found, Configurable):
            return found
    raise ValueError(f"class_name: fastmlp has no {name!r} in {module!r}")


def _custom_object(registered: str | None, name: Any) -> Any:
    """Return a class or a function that is not part of fastmlp."""
    custom = _custom.get() or {}
    for known, key in ((custom, registered), (custom, name), (_registered, registered)):
        if isinstance(key, str) and key in known:
            return known[key]
    raise ValueError(
        f"custom_objects: {name!r} is not part of fastmlp; pass custom_objects={{{name!r}: ...}}"
    )
