"""Schedules: their formulas, torch's values, and what is refused."""

import numpy as np
import pytest
import torch

from fastmlp import Sequential, layers, optimizers
from fastmlp.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    CosineLog,
    ExponentialDecay,
    FlatCosine,
    InverseTimeDecay,
    OneCycle,
    PiecewiseConstantDecay,
    PolynomialDecay,
    StepDecay,
)

STEPS = np.arange(130)

ALL = [
    CosineDecay(0.5, 100, alpha=0.2),
    CosineDecay(0.1, 70, warmup_target=0.5, warmup_steps=13),
    CosineDecayRestarts(0.3, 7),
    CosineDecayRestarts(0.3, 11, t_mul=1.0, m_mul=0.8, alpha=0.1),
    CosineLog(0.04, 100),
    ExponentialDecay(0.1, 30, 0.5),
    ExponentialDecay(0.1, 30, 0.5, staircase=True),
    FlatCosine(0.15, 100),
    InverseTimeDecay(0.1, 30, 2.0),
    InverseTimeDecay(0.1, 30, 2.0, staircase=True),
    OneCycle(0.4, 120),
    OneCycle(0.4, 100, anneal_strategy="linear", three_phase=True),
    PiecewiseConstantDecay([20, 50], [0.1, 0.05, 0.01]),
    PolynomialDecay(0.1, 40, 0.01, power=2.0),
    PolynomialDecay(0.1, 40, 0.01, power=0.5, cycle=True),
    StepDecay(0.1, 30, 0.3),
]


@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_where_a_call_is_cut_changes_no_bit(schedule):
    whole = schedule.rates(range(130))
    assert whole.dtype == np.float64
    single = [schedule(step) for step in range(130)]
    assert all(type(rate) is float for rate in single)
    cut = [schedule.rates(range(a, b)) for a, b in [(0, 1), (1, 8), (8, 77), (77, 130)]]
    assert whole.tobytes() == np.array(single).tobytes() == np.concatenate(cut).tobytes()


@pytest.mark.parametrize("staircase", [False, True])
def test_exponential_and_inverse_time(staircase):
    periods = STEPS // 30 if staircase else STEPS / 30
    exponential = ExponentialDecay(0.1, 30, 0.5, staircase)
    np.testing.assert_allclose(exponential(STEPS), 0.1 * 0.5**periods, rtol=1e-14)
    inverse = InverseTimeDecay(0.1, 30, 2.0, staircase)
    np.testing.assert_allclose(inverse(STEPS), 0.1 / (1 + 2 * periods), rtol=1e-14)


def test_waves_on_a_logarithmic_clock():
    schedule = CosineLog(0.4, 150)
    ends = [0, 10, 30, 70, 150, 200]  # each wave is twice as long as the one before
    np.testing.assert_allclose([schedule(step) for step in ends], 0, atol=1e-14)
    middle = 10 * (2**0.5 - 1)
    np.testing.assert_allclose(schedule(middle), 0.4)
    assert CosineLog(0.4, 30, cycles=1)(30 * (2**0.25 - 1)) == pytest.approx(0.2)


def test_a_constant_and_then_a_cosine():
    schedule = FlatCosine(0.2, 100)
    found = [schedule(step) for step in (0, 49, 50, 75, 100, 1000)]
    np.testing.assert_allclose(found, [0.2, 0.2, 0.2, 0.1, 0, 0], atol=1e-15)


def test_a_boundary_belongs_to_the_value_before_it():
    schedule = PiecewiseConstantDecay([20, 50], [0.1, 0.05, 0.01])
    assert [schedule(s) for s in (0, 20, 21, 50, 51, 10**9)] == [0.1, 0.1, 0.05, 0.05, 0.01, 0.01]
    assert PiecewiseConstantDecay([], [0.3])(7) == 0.3


def test_a_list_that_is_changed_later_changes_no_schedule():
    boundaries, values = [20], [0.1, 0.2]
    schedule = PiecewiseConstantDecay(boundaries, values)
    boundaries[0], values[0] = 5, 7.0
    assert (schedule(10), schedule(30)) == (0.1, 0.2)


def test_polynomial():
    plain = PolynomialDecay(0.1, 40, 0.01, power=2.0)
    assert plain(0) == pytest.approx(0.1)
    assert plain(10) == pytest.approx(0.09 * 0.75**2 + 0.01)
    assert plain(40) == plain(100) == 0.01
    again = PolynomialDecay(0.1, 40, 0.01, cycle=True)
    assert again(0) == pytest.approx(0.1)
    assert again(40) == again(80) == 0.01
    assert again(60) == pytest.approx(0.09 * (1 - 60 / 80) + 0.01)


@pytest.mark.parametrize("t_mul", [1, 2])
def test_cosine_with_restarts_is_torchs(t_mul):
    optimizer = torch.optim.SGD([torch.zeros(1)], 0.3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(
        optimizer, 7, t_mul, eta_min=0.3 * 0.1
    )
    schedule = CosineDecayRestarts(0.3, 7, float(t_mul), alpha=0.1)
    np.testing.assert_allclose(schedule(STEPS), _torchs(optimizer, scheduler, 130), rtol=1e-12)


@pytest.mark.parametrize("t_mul", [1.0, 1.1, 1.5, 2.0, 3.0])
def test_each_restart_comes_at_its_step(t_mul):
    """Also where the logarithm of its number would be rounded to the wrong side."""
    schedule = CosineDecayRestarts(1.0, 10**6, t_mul, m_mul=0.5)
    for i in range(12):
        start = sum(10**6 * t_mul**k for k in range(i))
        assert schedule(np.ceil(start) + 1) == pytest.approx(0.5**i, rel=1e-9)
        if i:
            assert schedule(np.floor(start) - 1) == pytest.approx(0, abs=1e-9)


def test_step_decay_is_torchs():
    optimizer = torch.optim.SGD([torch.zeros(1)], 0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 30, 0.3)
    np.testing.assert_allclose(
        StepDecay(0.1, 30, 0.3)(STEPS), _torchs(optimizer, scheduler, 130), rtol=1e-12
    )


@pytest.mark.parametrize("steps", [2, 5, 40, 101])
@pytest.mark.parametrize("pct_start", [0.0, 0.1, 0.3, 0.45])
@pytest.mark.parametrize("anneal_strategy", ["cos", "linear"])
@pytest.mark.parametrize("three_phase", [False, True])
def test_one_cycle_is_torchs(steps, pct_start, anneal_strategy, three_phase):
    how = {
        "pct_start": pct_start, "anneal_strategy": anneal_strategy, "three_phase": three_phase,
        "div_factor": 20.0, "final_div_factor": 1e3,
    }  # fmt: skip
    optimizer = torch.optim.SGD([torch.zeros(1)], 0.1)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.4, steps, cycle_momentum=False, **how
    )
    mine = OneCycle(0.4, steps, **how)
    np.testing.assert_allclose(
        mine(np.arange(steps)), _torchs(optimizer, scheduler, steps), rtol=1e-9
    )
    assert mine(10 * steps) == mine(steps - 1)


def _torchs(optimizer, scheduler, steps):
    rates = []
    for step in range(steps):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        if step < steps - 1:
            scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ExponentialDecay(-1, 10, 0.5), "^initial_learning_rate: expected"),
        (lambda: ExponentialDecay(1, 0, 0.5), "^decay_steps: expected a positive number"),
        (lambda: ExponentialDecay(1, 10, -0.5), "^decay_rate: expected"),
        (lambda: InverseTimeDecay(1, np.inf, 0.5), "^decay_steps: expected"),
        (lambda: PiecewiseConstantDecay([1], [0.1]), "^values: expected 2, one more"),
        (lambda: PiecewiseConstantDecay([2, 2], [1, 2, 3]), "^boundaries: expected a rising"),
        (lambda: PiecewiseConstantDecay([2], [1, -3]), r"^values\[1\]: expected"),
        (lambda: PolynomialDecay(1, 10, power=-1), "^power: expected"),
        (lambda: PolynomialDecay(1, 10, -1), "^end_learning_rate: expected"),
        (lambda: CosineDecayRestarts(1, 10, 0.5), "^t_mul: expected a number of at least 1"),
        (lambda: CosineDecayRestarts(1, 10, m_mul=-1), "^m_mul: expected"),
        (lambda: OneCycle(1, 2.5), "^total_steps: expected a positive integer"),
        (lambda: OneCycle(1, 10, pct_start=2), r"^pct_start: expected a number in \[0, 1\]"),
        (lambda: OneCycle(1, 10, 0.7, three_phase=True), r"^pct_start: .* \[0, 0.5\], got 0.7"),
        (lambda: OneCycle(1, 10, anneal_strategy="cosine"), "^anneal_strategy: 'cosine' is unk"),
        (lambda: StepDecay(1, -3), "^step_size: expected"),
    ],
)
def test_numbers_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("make", [
    lambda: ExponentialDecay(1, 10, 0.5, staircase=1),
    lambda: PolynomialDecay(1, 10, cycle="no"),
    lambda: PiecewiseConstantDecay(5, [1, 2]),
])  # fmt: skip
def test_other_types_are_refused(make):
    with pytest.raises(TypeError, match="^(staircase|cycle|boundaries): expected"):
        make()


def test_a_rate_that_grows_beyond_all_numbers_is_refused_when_it_comes_up():
    model = Sequential([layers.Input(2), layers.Dense(1)], backend="numpy")
    model.compile(optimizers.SGD(ExponentialDecay(1e-9, 1, 1e200)), "mse")
    x = np.zeros((8, 2))
    with pytest.raises(ValueError, match="^learning_rate: .* got inf for step 2$"):
        model.fit(x, x[:, :1], batch_size=1, verbose=0)
