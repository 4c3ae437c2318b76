"""Every public name of Keras exists, or what there is instead is said where it is asked for."""

import importlib

import pytest

import fastmlp
from fastmlp.runtime import elsewhere

from .keras_names import NAMES

MISSING = [
    (module, name)
    for module, names in NAMES.items()
    for name in names
    if name not in dir(importlib.import_module(f"fastmlp.{module}"))
]


def test_most_that_nets_of_dense_layers_need_exist():
    found = {name for module, name in MISSING if module in ("activations", "constraints")}
    assert found == {"deserialize", "glu", "serialize", "sparsemax", "threshold"}
    assert len(MISSING) <= 240  # of convolutional and recurrent nets, images, text, old spellings


@pytest.mark.parametrize(("module", "name"), MISSING, ids=".".join)
def test_a_missing_name_says_what_there_is_instead(module, name):
    with pytest.raises(AttributeError, match=rf"^fastmlp\.{module}\.{name} does not exist: \w"):
        getattr(importlib.import_module(f"fastmlp.{module}"), name)


def test_the_top_level_and_models():
    for name in ("Model", "ops", "applications", "GradientTape"):
        with pytest.raises(AttributeError, match=rf"^fastmlp\.{name} does not exist: fastmlp "):
            getattr(fastmlp, name)
    with pytest.raises(AttributeError, match="of one input and one output"):
        _ = fastmlp.models.Model
    with pytest.raises(ImportError, match="cannot import name 'Conv2D'"):
        from fastmlp.layers import Conv2D  # noqa: F401


def test_other_names_are_nothing_of_keras():
    for module in ("fastmlp", *(f"fastmlp.{name}" for name in NAMES)):
        with pytest.raises(AttributeError, match=rf"^module '{module}' has no attribute 'Nothing'"):
            _ = importlib.import_module(module).Nothing
    for name in ("Additive", "Dotted", "Lambdas", "adding", "inputs"):
        error = elsewhere.refusal("layers", name)
        assert str(error) == f"module 'fastmlp.layers' has no attribute {name!r}"
        assert error.name == name


def test_a_sentence_is_for_something():
    """Each has a name that Keras has, or had."""
    older = {"Convolution", "MeanTensor", "Sequence", "Functional"}
    for module, sentences in elsewhere._PARTS.items():
        if module == "fastmlp":
            continue
        for names in sentences.values():
            known = [n for n in names if any(k.startswith(n) for k in NAMES[module])]
            assert known or set(names) & older, names
