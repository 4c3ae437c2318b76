"""What C is told of the contract is the contract, and every backend keeps to it."""

import importlib.util
import inspect
import re
from enum import IntEnum
from pathlib import Path

import pytest

from fastmlp.kernels import contract

from .op_table import ALL, kernels

GENERATE = Path(contract.__file__).parent / "c" / "generate.py"


def generator():
    spec = importlib.util.spec_from_file_location("generate", GENERATE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATED = generator().generated()
HEADER = GENERATED["contract.h"]


def members(name):
    (body,) = re.findall(rf"enum {name} {{(.*?)}};", HEADER, re.DOTALL)
    return [member.strip() for member in body.split(",")]


@pytest.mark.parametrize("python", contract.ENUMS, ids=lambda kind: kind.__name__)
def test_enums(python):
    name = python.__name__.lower()
    assert [member.value for member in python] == list(range(len(python)))
    expected = [f"{name.upper()}_{member.name} = {member.value}" for member in python]
    assert members(name) == [*expected, f"{name.upper()}_COUNT = {len(python)}"]


def test_all_enums_are_told():
    here = {
        value
        for value in vars(contract).values()
        if inspect.isclass(value) and issubclass(value, IntEnum) and value is not IntEnum
    }
    assert here == set(contract.ENUMS)


@pytest.mark.parametrize("name", contract.CONSTANTS)
def test_constants(name):
    (value,) = re.findall(rf"#define {name} (\S+)", HEADER)
    assert float(value.removesuffix("u")) == getattr(contract, name)


def test_strides_are_unsigned_in_c():
    assert re.search(r"#define STEP_STRIDE \d+u\b", HEADER)


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("name", contract.KERNELS)
def test_every_backend_has_every_kernel_with_its_arguments(backend, name):
    function = getattr(kernels(backend), name)  # in C, made from the contract as a whole
    if backend != "cython":
        found = inspect.signature(getattr(function, "py_func", function)).parameters
        assert len(found) == len(contract.KERNELS[name].arguments)


@pytest.mark.parametrize("text", ["x[", "x?[n]: real number", ""])
def test_what_is_no_argument_is_refused(text):
    with pytest.raises(ValueError, match="is no kernel's argument"):
        generator().parse(text)


def test_files_are_written_only_if_they_change(tmp_path):
    generator().write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(GENERATED)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    (tmp_path / "contract.h").write_text("stale")
    generator().write(tmp_path)
    assert (tmp_path / "contract.h").read_text() == HEADER
    after = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert [path.name for path in after if after[path] != before[path]] == ["contract.h"]


@pytest.mark.parametrize("group", [*contract.RUN, contract.Trial], ids=lambda group: group.__name__)
def test_groups_are_structs(group):
    """Each field, in its order: a number, or a pointer and the length of each axis."""
    name = group.__name__.lower()
    typed = GENERATED["contract_typed.h"]
    (body,) = re.findall(rf"struct TYPED\({name}\) {{(.*?)}};", typed, re.DOTALL)
    found = re.findall(r"(?:const )?(\w+) (\*?)(\w+)(?:\[(\d)])?;", body)
    expected = []
    for field in contract.fields_of(group):
        kind = field.kind.removeprefix("const ").replace("real", "REAL")
        expected.append((kind, "*" if field.axes else "", field.name, ""))
        if field.axes:
            expected.append(("int64_t", "", f"{field.name}_shape", str(field.axes)))
    assert found == expected
    assert [field.name for field in contract.fields_of(group)] == list(group._fields)
