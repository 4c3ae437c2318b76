"""The plan's alphabet in C is that in Python, letter by letter."""

import re
from pathlib import Path

import pytest

from fastmlp.kernels import table

HEADER = (Path(table.__file__).parent / "c" / "table.h").read_text()

# Which counts a C enum has as its last member, beside Python's.
COUNTS = {"column": "COLUMNS", "scalar": "SCALARS", "telemetry": "TELEMETRY_FIELDS"}
NAMES = ["op", "column", "scalar", "activation", "mode", "masks", "hyper", "total", "telemetry"]


def members(name):
    (body,) = re.findall(rf"enum {name} {{(.*?)}};", HEADER, re.DOTALL)
    return [member.strip() for member in body.split(",")]


@pytest.mark.parametrize("name", NAMES)
def test_enums(name):
    python = getattr(table, name.capitalize())
    assert [member.value for member in python] == list(range(len(python)))
    expected = [f"{name.upper()}_{member.name}" for member in python]
    assert members(name) == expected + ([COUNTS[name]] if name in COUNTS else [])


def test_all_enums_are_compared():
    assert set(re.findall(r"enum (\w+) {", HEADER)) == set(NAMES)


@pytest.mark.parametrize("name", ["SELU_ALPHA", "SELU_SCALE", "SATURATED_SLOPE"])
def test_constants(name):
    (value,) = re.findall(rf"#define {name} (\S+)", HEADER)
    assert float(value) == getattr(table, name)


def test_the_first_loss():
    assert f"FIRST_LOSS = OP_{table.FIRST_LOSS.name}" in HEADER


@pytest.mark.parametrize("name", ["STEP_STRIDE", "ELEMENT_STRIDE"])
def test_strides(name):
    (value,) = re.findall(rf"#define {name} (\w+)u", HEADER)
    assert int(value, 16) == getattr(table, name)
