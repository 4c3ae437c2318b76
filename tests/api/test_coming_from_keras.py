"""The page on what is different from Keras: its example runs, and its list is complete."""

import inspect
import re
from pathlib import Path

import pytest

import fastmlp
from fastmlp.runtime.configuration import _arguments

from .keras_arguments import KERAS

PAGE = (Path(__file__).parents[2] / "docs" / "coming_from_keras.md").read_text(encoding="utf-8")


def listed():
    """Return the arguments that the page says are missing."""
    section = PAGE.split("## Arguments that are missing")[1]
    entries = re.findall(r"^- `([^`]+)`: (.*?)(?=^- |\Z)", section, re.MULTILINE | re.DOTALL)
    return {name: re.findall(r"\w+", arguments) for name, arguments in entries}


def ours(name):
    module, _, last = name.rpartition(".")
    return getattr(getattr(fastmlp, module) if module else fastmlp, last)


def arguments_of(name):
    thing = ours(name)
    if inspect.isclass(thing):
        return _arguments(thing) or list(inspect.signature(thing).parameters)
    return list(inspect.signature(thing).parameters)


@pytest.mark.parametrize("name", KERAS)
def test_every_argument_of_keras_exists_or_is_listed(name):
    missing = [argument for argument in KERAS[name] if argument not in arguments_of(name)]
    assert listed().get(name, []) == missing


def test_nothing_else_is_listed():
    assert set(listed()) <= set(KERAS)
    assert len(listed()) > 10


@pytest.mark.parametrize("name", KERAS)
def test_arguments_come_in_keras_order(name):
    """Of those that exist in both: a call with positional arguments means the same."""
    parameters = inspect.signature(ours(name)).parameters.values()
    positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    shared = [argument for argument in positional if argument in KERAS[name]]
    assert shared == [argument for argument in KERAS[name] if argument in shared]


def test_the_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(example, names)  # of our own page
    assert names["loaded"].params.tobytes() == names["model"].params.tobytes()
