"""Write what C and Cython must know of the contract: ``python kernels/c/generate.py FOLDER``.

From ``kernels/contract.py`` come the enums and the constants, the structs of what a call of the
engine takes, a struct with a pointer to each kernel (``contract.h``, ``contract_typed.h``) and its
contents (``contract_kernels.h``), and the list of the kernels' files (``contract_files.h``); and
for Cython (``contract.pxi``) the same, with a function that fills each of those structs, and a
Python function for each kernel that checks its arguments' shapes and hands their memory over.

A file is written only if it changes, so that nothing is compiled again without need.
"""

import importlib.util
import re
import sys
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

CONTRACT = Path(__file__).parents[1] / "contract.py"

# Its left factor may have any strides, which C is told; binding.pxi has its Python function.
WITH_STRIDES = "matmul_nn"

HEADER = """\
/* Made from kernels/contract.py by kernels/c/generate.py: change those. */
#ifndef FASTMLP_CONTRACT_H
#define FASTMLP_CONTRACT_H

#include <stdint.h>

{enums}

{constants}

/* The arguments of a call of the engine, and the table of kernels, for each dtype. */
#define REAL float
#define TYPED(name) name##_f32
#include "contract_typed.h"
#undef REAL
#undef TYPED
#define REAL double
#define TYPED(name) name##_f64
#include "contract_typed.h"
#undef REAL
#undef TYPED

#endif
"""


class Argument(NamedTuple):
    """An argument of a kernel; a number has no axes."""

    name: str
    kind: str  # "REAL", "double", "int64_t" or "uint8_t"
    axes: tuple[str, ...]
    is_changed: bool
    is_optional: bool

    @property
    def c_type(self) -> str:
        if not self.axes:
            return f"{self.kind} "
        return f"{self.kind} *" if self.is_changed else f"const {self.kind} *"

    @property
    def cython(self) -> str:
        if not self.axes:
            return f"{self.kind} {self.name}"
        const = "" if self.is_changed else "const "
        layout = "::1" if len(self.axes) == 1 else ":, ::1"
        return f"{const}{self.kind}[{layout}] {self.name}"

    @property
    def pointer(self) -> str:
        if not self.axes:
            return self.name
        first = f"&{self.name}[{', '.join('0' * len(self.axes))}]"
        return f"{first} if {self.name}.shape[0] else NULL" if self.is_optional else first


def parse(text: str) -> Argument:
    """Read an argument as ``Kernel`` explains it."""
    match = re.fullmatch(r"(\w+)([!?]*)(?:\[([^]]*)])?(?:: (\w+))?", text)
    if match is None:
        raise ValueError(f"{text!r} is no kernel's argument")
    name, marks, axes, kind = match.groups()
    parts = tuple(axis.strip() for axis in axes.split(",")) if axes else ()
    return Argument(name, kind or "REAL", parts, "!" in marks, "?" in marks)


def load_contract(path: Path = CONTRACT) -> Any:
    """Return the contract as a module, whether or not fastmlp is installed."""
    spec = importlib.util.spec_from_file_location("fastmlp_contract", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def enum(kind: Any) -> str:
    """Return an enum, with the number of its members as a last one."""
    prefix = snake(kind.__name__).upper()
    members = [f"    {prefix}_{member.name} = {member.value}," for member in kind]
    count = f"    {prefix}_COUNT = {len(kind)}"
    return "\n".join([f"enum {snake(kind.__name__)} {{", *members, count, "};"])


def constant(name: str, value: float) -> str:
    """Return a constant: an enum's member by its number, another integer as unsigned."""
    if isinstance(value, IntEnum):
        return f"#define {name} {value.value}"
    return f"#define {name} {value}u" if isinstance(value, int) else f"#define {name} {value!r}"


def typed(kind: str) -> str:
    return kind.replace("real", "REAL")


def struct(fields: list[Any]) -> list[str]:
    """Return the lines between a struct's braces."""
    lines = []
    for field in fields:
        if not field.axes:
            lines.append(f"{field.kind} {field.name};")
        else:
            lines.append(f"{typed(field.kind)} *{field.name};")
            lines.append(f"int64_t {field.name}_shape[{field.axes}];")
    return lines


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def groups_of(contract: Any) -> list[Any]:
    """Return the groups of arguments, each once."""
    return list(dict.fromkeys([*contract.RUN, *contract.PROBE]))


def calls_of(contract: Any) -> dict[str, list[str]]:
    """Return the structs of what a call takes, each with the names of its groups."""
    calls = {"Job": contract.RUN, "ProbeJob": contract.PROBE}
    return {name: [snake(group.__name__) for group in groups] for name, groups in calls.items()}


def pointer(name: str, kernel: Any) -> str:
    """Return the declaration of a pointer to a kernel."""
    arguments = [parse(text) for text in kernel.arguments]
    listed = [f"{argument.c_type}{argument.name}" for argument in arguments]
    if name == WITH_STRIDES:
        listed[1:1] = ["int64_t a_row", "int64_t a_column"]
    listed += [f"int64_t {size}" for size in kernel.sizes]
    return f"{kernel.returns.replace('real', 'REAL')} (*{name})({', '.join(listed)})"


def typed_header(contract: Any) -> str:
    """Return what is read once for each dtype."""
    parts = ["/* Made from kernels/contract.py; read by contract.h, once for each dtype. */"]
    structs = {
        snake(group.__name__): struct(contract.fields_of(group)) for group in groups_of(contract)
    }
    for name, groups in calls_of(contract).items():
        structs[snake(name)] = [f"struct TYPED({group}) {group};" for group in groups]
    for name, fields in structs.items():
        lines = "\n".join(f"    {line}" for line in fields)
        parts.append(f"struct TYPED({name}) {{\n{lines}\n}};")
    pointers = [
        "int64_t (*run)(const struct TYPED(job) *job);",
        "void (*probe)(const struct TYPED(probe_job) *job);",
        "int (*all_finite)(const REAL *values, int64_t size);",
        "int (*is_sound)(const struct TYPED(job) *job, int64_t classes);",
        "void (*shuffle)(const uint64_t *words, int64_t *order, int64_t n);",
        *(f"{pointer(name, kernel)};" for name, kernel in contract.KERNELS.items()),
    ]
    lines = "\n".join(f"    {line}" for line in pointers)
    parts.append(f"struct TYPED(kernels) {{\n{lines}\n}};")
    return "\n\n".join(parts) + "\n"


def kernel_list(contract: Any) -> str:
    """Return the initializers of the struct of kernels."""
    return "".join(f"    .{name} = {name},\n" for name in contract.KERNELS)


def file_list(contract: Any) -> str:
    """Return the directives that include the kernels' files, in the order of the kernels."""
    files = dict.fromkeys(kernel.file for kernel in contract.KERNELS.values())
    return "".join(f'#include "{file}.c"\n' for file in files)


def declarations(contract: Any) -> list[str]:
    """Return what Cython must know of contract.h."""
    lines = ['cdef extern from "dispatch.h" nogil:']
    structs = {
        f"{group.__name__}Group": struct(contract.fields_of(group)) for group in groups_of(contract)
    }
    names = {snake(group.__name__): group.__name__ for group in groups_of(contract)}
    for name, groups in calls_of(contract).items():
        structs[name] = [f"{names[group]}Group {group}" for group in groups]
    for name, fields in structs.items():
        lines.append(f"    ctypedef struct {name}:")
        lines += [f"        {line.rstrip(';')}" for line in fields]
    lines.append("    ctypedef struct Kernels:")
    pointers = [
        "int64_t (*run)(const Job *)",
        "void (*probe)(const ProbeJob *)",
        "bint (*all_finite)(const REAL *, int64_t)",
        "bint (*is_sound)(const Job *, int64_t)",
        "void (*shuffle)(const uint64_t *, int64_t *, int64_t)",
    ]
    pointers += [pointer(name, kernel) for name, kernel in contract.KERNELS.items()]
    return [*lines, *(f"        {line} noexcept nogil" for line in pointers)]


def filler(contract: Any, group: Any) -> list[str]:
    """Return a function that fills a group's struct from its arrays, which must stay alive."""
    name = group.__name__
    lines = [f"cdef int fill_{snake(name)}({name}Group *out, object group) except -1:"]
    fields = contract.fields_of(group)
    for field in fields:
        if field.axes:
            layout = "::1" if field.axes == 1 else ":, " * (field.axes - 1) + "::1"
            lines.append(
                f"    cdef {typed(field.kind)}[{layout}] {field.name} = group.{field.name}"
            )
    for field in fields:
        if not field.axes:
            lines.append(f"    out.{field.name} = group.{field.name}")
            continue
        zeros = ", ".join("0" * field.axes)
        some = " and ".join(f"{field.name}.shape[{axis}]" for axis in range(field.axes))
        lines.append(f"    out.{field.name} = &{field.name}[{zeros}] if {some} else NULL")
        lines += [
            f"    out.{field.name}_shape[{axis}] = {field.name}.shape[{axis}]"
            for axis in range(field.axes)
        ]
    return [*lines, "    return 0"]


def wrapper(name: str, kernel: Any) -> list[str]:
    """Return a Python function that checks shapes and calls a kernel."""
    arguments = [parse(text) for text in kernel.arguments]
    lines = [f"def {name}({', '.join(argument.cython for argument in arguments)}):"]
    known: dict[str, str] = {}
    checks = []
    for argument in sorted(arguments, key=lambda argument: argument.is_optional):
        for axis, length in enumerate(argument.axes):
            found = f"{argument.name}.shape[{axis}]"
            if length.isdecimal():
                checks.append(f"{found} == {length}")
            elif length not in known:
                known[length] = found
            elif argument.is_optional:
                checks.append(f"({argument.name}.shape[0] == 0 or {found} == {known[length]})")
            else:
                checks.append(f"{found} == {known[length]}")
    lines += [f"    cdef int64_t {size} = {known[size]}" for size in kernel.sizes]
    if checks:
        lines.append(f"    fit({' and '.join(checks)})")
    # An array that may be empty has sizes of its own that may be 0.
    needed = {axis for a in arguments if not a.is_optional for axis in a.axes}
    empty = [f"{known[size]} == 0" for size in kernel.sizes if size in needed]
    call = ", ".join([argument.pointer for argument in arguments] + list(kernel.sizes))
    if kernel.returns != "void":
        lines.append(f"    cdef {kernel.returns} result = 0")
    lines.append(f"    if {' or '.join(empty)}:")
    lines.append("        return" + (" result" if kernel.returns != "void" else ""))
    lines.append("    with nogil:")
    if kernel.returns == "void":
        lines.append(f"        kernels.{name}({call})")
    else:
        lines += [f"        result = kernels.{name}({call})", "    return result"]
    return lines


def cython(contract: Any) -> str:
    """Return ``contract.pxi``."""
    parts = [["# Made from kernels/contract.py by kernels/c/generate.py: change those."]]
    parts.append(["from libc.stdint cimport int64_t, uint8_t, uint64_t"])
    parts.append(declarations(contract))
    parts.append(
        [
            "    ctypedef struct InstructionSet:",
            "        const char *name",
            "        int (*is_supported)() noexcept nogil",
            "        const Kernels *kernels",
            "    const InstructionSet *INSTRUCTION_SETS",
            "    const int INSTRUCTION_SET_COUNT",
        ]
    )
    parts.append(["cdef const Kernels *kernels = NULL"])
    parts.append(
        [
            "cdef int fit(bint right) except -1:",
            "    if not right:",
            '        raise ValueError("the shapes of the arrays do not fit together")',
            "    return 0",
        ]
    )
    parts += [filler(contract, group) for group in groups_of(contract)]
    parts += [
        wrapper(name, kernel) for name, kernel in contract.KERNELS.items() if name != WITH_STRIDES
    ]
    return "\n\n\n".join("\n".join(lines) for lines in parts) + "\n"


def generated(path: Path = CONTRACT) -> dict[str, str]:
    """Return the texts of all files, by name."""
    contract = load_contract(path)
    header = HEADER.format(
        enums="\n\n".join(enum(kind) for kind in contract.ENUMS),
        constants="\n".join(constant(name, getattr(contract, name)) for name in contract.CONSTANTS),
    )
    return {
        "contract.h": header,
        "contract_typed.h": typed_header(contract),
        "contract_files.h": file_list(contract),
        "contract_kernels.h": kernel_list(contract),
        "contract.pxi": cython(contract),
    }


def write(folder: Path, path: Path = CONTRACT) -> None:
    """Write the files into a folder, those that change."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in generated(path).items():
        target = folder / name
        if not target.exists() or target.read_text() != text:
            target.write_text(text)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
