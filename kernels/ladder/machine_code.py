"""What the compiler made of a kernel: LLVM's code or assembly, its inner loop, and what is in it.

A processor spends its time in inner loops, so those are what is worth reading: a stretch of
instructions that ends with a jump back to its beginning, and has no other such stretch inside.
"""

import re
from typing import Any

import numba

from ..numba.jit import anew

FUNCTIONS = {
    "asm": re.compile(r'^"?(_ZN?\w+)"?:.*?^\.Lfunc_end', re.MULTILINE | re.DOTALL),
    "llvm": re.compile(r'^define [^\n]*@"?(_ZN?\w+)"?\(.*?^\}', re.MULTILINE | re.DOTALL),
}
LABELS = {"asm": re.compile(r"(\.\w+):"), "llvm": re.compile(r'([-.\w$]+|"[^"]+"):')}
JUMPS = {
    "asm": re.compile(r"\s+(?:j\w+|b(?:\.\w+)?|[ct]bn?z)\s.*?(\.L\w+)$"),
    "llvm": re.compile(r'label %([-.\w$]+|"[^"]+")'),
}
WRAPPER = "_ZN7cpython"  # what Python calls: it unpacks arrays, and calls the kernel

MULTIPLY_ADD = re.compile(r"vfn?m(?:add|sub)\w+|.*(?:\bfmul\b|\bfadd\b|@llvm\.fma)")
ACCESS = re.compile(r"\(%|\(,%|\bload\b|\bstore\b")
VECTOR = re.compile(r"<(\d+) x (?:float|double)>")
REGISTERS = {"zmm": 64, "ymm": 32, "xmm": 16}


def compile_anew(kernel: Any, arguments: tuple[Any, ...]) -> dict[str, list[str]]:
    """Return the "asm" and the "llvm" of a kernel's functions: cached kernels have none to show."""
    fresh = anew(kernel)
    fresh.compile(tuple(numba.typeof(argument) for argument in arguments))
    (signature,) = fresh.signatures
    return {
        "asm": functions(fresh.inspect_asm(signature), "asm"),
        "llvm": functions(fresh.inspect_llvm(signature), "llvm"),
    }


def functions(code: str, language: str) -> list[str]:
    """Cut a module into its functions, without Python's wrappers."""
    found = FUNCTIONS[language].finditer(code)
    return [match[0] for match in found if not match[1].startswith(WRAPPER)]


def inner_loop(code: list[str], language: str) -> list[str]:
    """Return the lines of the loop that matters.

    It is the one that multiplies and adds most for each access to memory: loops over what blocks
    and vectors leave over do less.  Without any, it is the longest.
    """
    loops = [loop for function in code for loop in innermost_loops(function, language)]
    return max(loops, key=lambda loop: (_intensity(loop), len(loop)), default=[])


def _intensity(loop: list[str]) -> float:
    accesses = sum(bool(ACCESS.search(line)) for line in loop)
    return sum(map(_arithmetic, loop)) / max(1, accesses)


def innermost_loops(function: str, language: str) -> list[list[str]]:
    lines = [line for line in function.splitlines() if line.strip()]
    places: dict[str, int] = {}
    loops: set[tuple[int, int]] = set()
    for i, line in enumerate(lines):
        if label := LABELS[language].match(line):
            places[label[1]] = i
        loops |= {(places[name], i) for name in JUMPS[language].findall(line) if name in places}
    return [
        lines[start : end + 1]
        for start, end in sorted(loops)
        if not any(start <= s and e <= end and (s, e) != (start, end) for s, e in loops)
    ]


def count(lines: list[str]) -> dict[str, int]:
    """Count instructions of x86-64 by what they do; vectors by the widest register they name.

    ``spills`` are moves of vectors to and from the stack; ``loads`` and ``stores`` are others.
    """
    found = dict.fromkeys(
        ("instructions", "zmm", "ymm", "xmm", "scalars", "multiply-adds", "loads", "stores",
         "spills", "calls"), 0
    )  # fmt: skip
    for line in lines:
        mnemonic, _, operands = line.strip().partition("\t")
        if not line.startswith("\t") or mnemonic.startswith("."):
            continue
        found["instructions"] += 1
        register = next((name for name in REGISTERS if name in operands), None)
        if register:
            found["scalars" if _is_scalar(line) else register] += 1
        found["multiply-adds"] += bool(MULTIPLY_ADD.match(mnemonic))
        found["calls"] += mnemonic.startswith("call")
        if "(" in operands and not mnemonic.startswith(("lea", "j", "call", "nop")):
            if register and "(%rsp" in operands:
                found["spills"] += 1
            elif operands.endswith(")") and not mnemonic.startswith(("cmp", "test")):
                found["stores"] += 1
            else:
                found["loads"] += 1
    return found


def accumulators(lines: list[str]) -> set[str]:
    """Return the registers that a loop's multiply-adds (x86-64) write.

    Multiply-adds that write the same register wait for one another.
    """
    found = set()
    for line in lines:
        mnemonic, _, operands = line.strip().partition("\t")
        if MULTIPLY_ADD.match(mnemonic):
            found.add(operands.rpartition(", ")[2])
    return found


def _is_scalar(line: str) -> bool:
    return line.split()[0].endswith(("ss", "sd")) and "zmm" not in line and "ymm" not in line


def _arithmetic(line: str) -> int:
    """Return the bytes that a line multiplies or adds: the width of its vectors, if it does."""
    line = line.strip()
    if not MULTIPLY_ADD.match(line):
        return 0
    if vector := VECTOR.search(line):
        return 4 * int(vector[1])
    widths = [width for name, width in REGISTERS.items() if name in line]
    return max(widths, default=4) if not _is_scalar(line) else 4
