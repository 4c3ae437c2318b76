"""What the binding accepts and refuses, and the instruction sets that it can choose from."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastmlp import backends
from fastmlp.kernels import reference
from fastmlp.kernels.contract import Activation

from . import test_activations, test_ops
from .op_table import JIT, OPERATIONS, kernels

pytestmark = [
    pytest.mark.skipif(
        "cython" not in backends.available(), reason=backends.available().missing.get("cython", "")
    ),
    pytest.mark.skipif(not JIT, reason="nothing here depends on Numba"),
]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def c():
    return kernels("cython")


class TestArguments:
    def test_inputs_may_be_read_only(self, c):
        x = np.arange(6.0)
        x.flags.writeable = False
        y = np.empty(6)
        c.rescale(2.0, 1.0, x, y)
        np.testing.assert_array_equal(y, 2 * x + 1)

    def test_outputs_may_not(self, c):
        x, y = np.ones(6), np.empty(6)
        y.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            c.rescale(2.0, 1.0, x, y)

    def test_dtypes_do_not_mix(self, c):
        with pytest.raises(ValueError, match="expected 'REAL' but got 'float'"):
            c.rescale(2.0, 1.0, np.ones(3), np.ones(3, np.float32))

    def test_there_must_be_reals(self, c):
        with pytest.raises(TypeError, match="rescale: expected an array of float32 or float64"):
            c.rescale(2.0, 1.0, np.arange(3), np.arange(3))

    def test_shapes_must_fit(self, c):
        with pytest.raises(ValueError, match="shapes of the arrays do not fit"):
            c.rescale(2.0, 1.0, np.ones(3), np.ones(4))

    def test_rows_must_be_contiguous(self, c):
        with pytest.raises(ValueError, match="not C-contiguous"):
            c.transpose(np.ones((4, 3)).T, np.ones((4, 3)))

    @pytest.mark.parametrize("view", [np.flipud, np.fliplr, lambda a: a[::2, 1::3], np.transpose])
    def test_the_left_factor_may_have_any_strides(self, c, view):
        rng = np.random.default_rng(0)
        a = view(rng.standard_normal((12, 12)))
        b, out = rng.standard_normal((a.shape[1], 7)), np.zeros((a.shape[0], 7))
        c.matmul_nn(a, b, 1.0, out)
        np.testing.assert_allclose(out, a @ b, rtol=1e-13, atol=1e-13)


def run_with(instruction_set, code):
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"FASTMLP_ISA": instruction_set, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def supported():
    from fastmlp.kernels.c import f32

    return f32.instruction_sets()


@pytest.fixture(params=["baseline", "avx2", "avx512"])
def instruction_set(request):
    """Use each for a while, whatever this processor would choose."""
    from fastmlp.kernels.c import dispatch

    if not supported().get(request.param):
        pytest.skip(f"this machine's processor, or this build, has no {request.param}")
    for module in (dispatch.f32, dispatch.f64):
        module.use(request.param)
    yield request.param
    for module in (dispatch.f32, dispatch.f64):
        module.use(dispatch.instruction_set())


class TestEachInstructionSet:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("operation", OPERATIONS, ids=str)
    def test_operations(self, instruction_set, operation, dtype):
        test_ops.TestOperation().test_is_exact_but_for_rounding(operation, dtype, "cython")
        test_ops.TestOperation().test_writes_only_where_it_should(operation, dtype, "cython")

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("kind", Activation, ids=lambda kind: kind.name)
    def test_activations(self, instruction_set, kind, dtype):
        test_activations.TestAccuracy().test_values("cython", dtype, kind)
        test_activations.TestAccuracy().test_slopes("cython", dtype, kind)
        test_activations.TestExtremes().test_far_from_0("cython", dtype, kind)

    def test_masks_are_the_same_bits(self, instruction_set):
        for size in range(1, 70):
            ours, theirs = np.empty(size), np.empty(size)
            kernels("cython").dropout_mask(-7, 2**40 + 1, 0.3, ours)
            reference.dropout_mask(-7, 2**40 + 1, 0.3, theirs)
            assert ours.tobytes() == theirs.tobytes()


class TestChoice:
    def test_both_dtypes_have_the_same(self):
        from fastmlp.kernels.c import f64

        assert f64.instruction_sets() == supported()

    def test_the_last_one_runs_everywhere(self):
        assert [*supported().values()][-1]

    def test_the_one_asked_for_is_used(self):
        show = (
            "import fastmlp; from fastmlp.kernels.c.dispatch import instruction_set;"
            "print(instruction_set())"
        )
        for name, here in supported().items():
            done = run_with(name, show)
            if here:
                assert done.stdout.split() == [name]
            else:
                assert f"FASTMLP_ISA: this machine's processor has no {name}" in done.stderr

    def test_an_unknown_one_is_refused(self):
        done = run_with("avx1024", "import fastmlp; fastmlp.Sequential([])")
        assert "ValueError: FASTMLP_ISA: 'avx1024' is unknown; expected one of" in done.stderr
