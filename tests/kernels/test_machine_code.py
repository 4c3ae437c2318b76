"""Reading machine code: on snippets whose content is known, and on what ships."""

import numpy as np
import pytest
from llvmlite import binding

from fastmlp.kernels.ladder.cli import LADDERS
from fastmlp.kernels.ladder.machine_code import compile_anew, count, functions, inner_loop
from fastmlp.kernels.ladder.measure import arguments_for

from .op_table import JIT

pytestmark = pytest.mark.skipif(not JIT, reason="plain Python has no machine code")

AVX512 = binding.get_host_cpu_features().get("avx512f", False)

ASSEMBLY = """\
\t.text
_ZN7example:
\tpushq\t%rbp
\tvmovss\t%xmm0, -16(%rsp)
.LBB0_1:
\tvmovups\t(%rsi,%rax,4), %zmm1
\tvfmadd231ps\t64(%rdi,%rax,4), %zmm1, %zmm0
\tvmovups\t%zmm2, 128(%rsp)
\tvfmadd213ps\t%ymm3, %ymm4, %ymm5
\tvmulss\t%xmm1, %xmm2, %xmm3
\tvmovups\t%zmm0, (%rdx)
\tleaq\t4(%rax), %rcx
\tcallq\t*%rbx
\tcmpq\t%rax, %r12
\tjne\t.LBB0_1
\t.p2align\t4
.LBB0_2:
\tvmulss\t%xmm1, %xmm2, %xmm3
\taddq\t$1, %rax
\taddq\t$1, %rbx
\taddq\t$1, %rcx
\taddq\t$1, %rdx
\taddq\t$1, %rsi
\taddq\t$1, %rdi
\taddq\t$1, %r8
\taddq\t$1, %r9
\tjne\t.LBB0_2
\tcmpq\t$7, %rax
\tjne\t.LBB0_1
\tretq
.Lfunc_end0:
_ZN7cpython7example:
.LBB1_1:
\tvfmadd231ps\t(%rdi), %zmm1, %zmm0
\tjmp\t.LBB1_1
.Lfunc_end1:
"""

LLVM = """\
define i32 @_ZN7example(ptr %x) {
entry:
  br label %outer
outer:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  br label %body
body:
  %a = fmul reassoc <16 x float> %p, %q
  %b = fadd reassoc <16 x float> %a, %r
  br i1 %c, label %body, label %outer
}

define ptr @_ZN7cpython7example(ptr %x) {
entry:
  br label %entry
}
"""


def test_wrappers_are_left_out():
    (function,) = functions(ASSEMBLY, "asm")
    assert function.startswith("_ZN7example:")
    assert function.endswith(".Lfunc_end")
    (function,) = functions(LLVM, "llvm")
    assert "fmul" in function


def test_the_inner_loop_is_the_one_that_multiplies_and_adds():
    loop = inner_loop(functions(ASSEMBLY, "asm"), "asm")
    assert loop[0] == ".LBB0_1:"
    assert loop[-1] == "\tjne\t.LBB0_1"
    assert len(loop) == 11
    assert [line.split()[0] for line in inner_loop(functions(LLVM, "llvm"), "llvm")] == [
        "body:", "%a", "%b", "br"
    ]  # fmt: skip


def test_code_without_a_loop_has_no_inner_loop():
    assert inner_loop(["_ZN7example:\n\tretq\n"], "asm") == []


def test_instructions_are_counted():
    assert count(inner_loop(functions(ASSEMBLY, "asm"), "asm")) == {
        "instructions": 10,
        "zmm": 4,
        "ymm": 1,
        "xmm": 0,
        "scalars": 1,
        "multiply-adds": 2,
        "loads": 2,
        "stores": 1,
        "spills": 1,
        "calls": 1,
    }


def counts_of(ladder, name):
    (step,) = (step for step in LADDERS[ladder].steps if step.name == name)
    arguments = arguments_for(LADDERS[ladder], np.float32, LADDERS[ladder].sizes)
    return count(inner_loop(compile_anew(step.kernel, arguments)["asm"], "asm"))


avx512_only = pytest.mark.skipif(not AVX512, reason="looks for the registers of AVX-512")


@avx512_only
@pytest.mark.parametrize("ladder", ["forward", "update"])
def test_shipped_products_keep_their_sums_in_vector_registers(ladder):
    found = counts_of(ladder, "shipped")
    # More multiply-adds for each load than the two that a lone dot product needs.
    assert found["multiply-adds"] >= 16
    assert found["loads"] < found["multiply-adds"]
    assert found["zmm"] >= found["multiply-adds"]
    assert found["ymm"] == found["xmm"] == found["scalars"] == 0
    assert found["spills"] == found["calls"] == 0


@avx512_only
def test_too_large_a_block_is_seen_to_spill():
    assert counts_of("forward", "block_5x8")["spills"] > 10


@avx512_only
def test_flags_decide_about_vectors():
    strict, reordered = counts_of("forward", "textbook"), counts_of("forward", "vectors")
    assert strict["zmm"] == 0
    assert strict["scalars"] >= strict["multiply-adds"] > 0
    assert reordered["zmm"] >= reordered["multiply-adds"] > 0
    assert reordered["scalars"] == 0


@avx512_only
def test_the_shipped_sigmoid_is_one_loop_of_vectors_without_a_call():
    found = counts_of("sigmoid", "shipped")
    assert found["zmm"] >= 20
    assert found["calls"] == found["spills"] == found["scalars"] == 0
    assert counts_of("sigmoid", "textbook")["calls"] > 0
