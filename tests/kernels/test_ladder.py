"""Every step of the kernel ladder computes the same; what is said against the rejected is true."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from fastmlp.kernels.ladder import forward, sigmoid, update
from fastmlp.kernels.ladder.cli import LADDERS
from fastmlp.kernels.ladder.measure import Limits, arguments_for, error

from .op_table import JIT

STEPS = [
    pytest.param(ladder, step, id=f"{name}/{step.name}")
    for name, ladder in LADDERS.items()
    for step in ladder.steps
]
every_step = pytest.mark.parametrize(("ladder", "step"), STEPS)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])

# Below, at and beyond the sizes of blocks and vectors.
PRODUCTS = [(1, 1, 1), (2, 3, 4), (5, 4, 8), (7, 17, 9), (11, 34, 13), (5, 129, 33)]
SIZES = {
    "forward": PRODUCTS,
    "update": PRODUCTS,
    "sigmoid": [(1,), (15,), (16,), (67,), (1001,)],
}


@every_step
@both_dtypes
def test_step_equals_the_reference(ladder, step, dtype):
    (name,) = (name for name, other in LADDERS.items() if other is ladder)
    for sizes in SIZES[name]:
        assert 0 <= error(ladder, step, dtype, sizes) <= 1


@pytest.mark.skipif(not JIT, reason="as plain Python, what is measured takes minutes")
@every_step
def test_step_is_right_where_it_is_measured(ladder, step):
    assert error(ladder, step, np.float32, ladder.sizes) <= 1


@pytest.mark.parametrize("ladder", LADDERS.values(), ids=LADDERS)
@both_dtypes
def test_the_check_notices_what_is_wrong(ladder, dtype):
    def forgets_the_last(*arguments):
        before = arguments[-1].flat[-1]
        ladder.steps[-1].kernel(*arguments)
        arguments[-1].flat[-1] = before

    def spoils_one(*arguments):
        ladder.steps[-1].kernel(*arguments)
        arguments[-1].flat[0] = np.nan

    for wrong in (forgets_the_last, spoils_one):
        step = dataclasses.replace(ladder.steps[0], kernel=wrong)
        with pytest.raises(ArithmeticError, match="textbook is off"):
            error(ladder, step, dtype, tuple(min(size, 16) for size in ladder.sizes))


def test_straight_lines_between_powers_of_two_are_off_by_percents():
    x = np.linspace(-10, 10, 3001).astype(np.float32)
    e = np.array([sigmoid.exp_by_bits(value) for value in x])
    relative = np.abs(e / np.exp(x.astype(np.float64)) - 1)
    assert 0.02 < relative.max() < 0.045


def test_a_quotient_for_tanh_loses_small_sigmoids():
    x = np.array([-17.0], np.float32)
    y, right = np.zeros_like(x), 1 / (1 + np.exp(17.0))
    sigmoid.rational(x, y)
    assert abs(y[0] / right - 1) > 0.3
    sigmoid.shipped(x, y)
    assert abs(y[0] / right - 1) < 1e-6


def test_what_ships_is_what_is_shown():
    from fastmlp.kernels import numba as compiled

    steps = {(name, step.name): step for name, ladder in LADDERS.items() for step in ladder.steps}
    assert steps["forward", "shipped"].kernel is compiled.matmul_nt
    assert steps["update", "shipped"].kernel is compiled.matmul_nn
    x = np.linspace(-20, 20, 101).astype(np.float32)
    y, of_the_engine = np.zeros_like(x), np.zeros_like(x)
    steps["sigmoid", "shipped"].kernel(x, y)
    compiled.activation_forward(sigmoid.Activation.SIGMOID, np.float32(0), x, of_the_engine)
    np.testing.assert_array_equal(y, of_the_engine)


@every_step
def test_a_step_has_a_source_and_an_idea(ladder, step):
    assert "def " in step.source or "INLINE" in step.source
    assert step.idea.endswith((".", ".)"))
    assert not step.rejected or step.rejected.endswith(".")


def test_names_are_the_functions_names():
    for module, ladder in ((forward, forward.FORWARD), (update, update.UPDATE)):
        for step in ladder.steps:
            if not step.name.startswith("shipped"):
                assert getattr(module, step.name) is step.kernel


def test_arguments_begin_with_cache_lines():
    for ladder in LADDERS.values():
        for argument in arguments_for(ladder, np.float32, ladder.sizes):
            if isinstance(argument, np.ndarray):
                assert argument.ctypes.data % 64 == 0
                assert argument.flags.c_contiguous


def test_the_roof_is_the_lowest_of_three():
    step = dataclasses.replace(forward.FORWARD.steps[0], loads=4.0, streams=2.0, flops=1.0)
    assert Limits(peak=100, cache=200, home=80).roof(step) == 40
    assert Limits(peak=100, cache=120, home=80).roof(step) == 30
    assert Limits(peak=20, cache=200, home=80).roof(step) == 20
    assert Limits(peak=20, cache=200, home=80).roof(dataclasses.replace(step, flops=8)) == 2.5


def test_a_verdict_follows_from_rate_and_roofs():
    step = dataclasses.replace(forward.FORWARD.steps[0], loads=4.0, streams=2.0, flops=1.0)
    by_loads = Limits(peak=100, cache=200, home=1000)
    assert by_loads.verdict(step, 49) == "98% of its roof: the limit is loads."
    assert "something else is in the way" in by_loads.verdict(step, 30)
    for rate in (52, 65, 1000):
        assert "the roof was measured too low" in by_loads.verdict(step, rate)
        assert "the limit is" not in by_loads.verdict(step, rate)
    by_arithmetic = Limits(peak=20, cache=200, home=1000)
    assert by_arithmetic.verdict(step, 19) == "95% of its roof: the limit is arithmetic."
    by_streams = Limits(peak=100, cache=200, home=80)
    assert by_streams.verdict(step, 39).endswith("the limit is loads from beyond the first cache.")


def test_limits_of_two_measurements_are_the_higher_ones():
    both = Limits(peak=1, cache=5, home=3).or_higher(Limits(peak=2, cache=4, home=3))
    assert both == Limits(peak=2, cache=5, home=3)


def test_nothing_that_trains_imports_the_ladder():
    program = """
import sys
import numpy as np
from fastmlp import Sequential, layers
model = Sequential([layers.Dense(2, activation="softmax")], backend="numpy")
model.compile("sgd", loss="sparse_categorical_crossentropy")
model.fit(np.zeros((2, 3), np.float32), np.arange(2), verbose=0)
import fastmlp.kernels.numba.epoch
assert not [name for name in sys.modules if "ladder" in name]
"""
    subprocess.run([sys.executable, "-c", program], check=True)
