"""Optimizers and schedules: their arguments, and what a fit makes of them."""

import copy
import pickle
import tempfile

import numpy as np
import pytest

from fastmlp import Sequential, get_num_threads, layers, load_model, optimizers, set_num_threads
from fastmlp.kernels.contract import MOMENTS, Number, Rule
from fastmlp.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    Nadam,
    RMSprop,
)
from fastmlp.schedules import CosineDecay, LearningRateSchedule
from tests.backends import ALL
from tests.kernels.inputs import NUMBERS
from tests.kernels.op_table import kernels

X = np.random.default_rng(0).standard_normal((40, 3))
Y = X.sum(axis=1, keepdims=True)


def net(optimizer, **options):
    model = Sequential([layers.Input(3), layers.Dense(1)], seed=0, **options)
    model.compile(optimizer, "mse")
    return model


def saved(model):
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/net.safetensors")
        return load_model(f"{folder}/net.safetensors")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adam(-1), "^learning_rate: expected a finite number that is not negative"),
        (lambda: Adam("fast"), "^learning_rate: expected"),
        (lambda: Adam(beta_1=1), r"^beta_1: expected a number in \[0, 1\), got 1"),
        (lambda: Adam(beta_2=-0.1), "^beta_2: expected"),
        (lambda: Adam(epsilon=0), "^epsilon: expected a number of at least 1e-30, got 0"),
        (lambda: AdamW(weight_decay=np.nan), "^weight_decay: expected"),
        (lambda: SGD(weight_decay=-1), "^weight_decay: expected"),
        (lambda: SGD(clipnorm=0), "^clipnorm: expected a number of at least 1e-30, or None, got 0"),
        (lambda: Adam(clipvalue=np.nan), "^clipvalue: expected"),
        (lambda: AdamW(global_clipnorm="1"), "^global_clipnorm: expected"),
        (lambda: Lion(clipnorm=1, clipvalue=2), "^clipvalue: expected None beside clipnorm, got 2"),
        (lambda: RMSprop(rho=1), r"^rho: expected a number in \[0, 1\), got 1"),
        (lambda: RMSprop(momentum=-1), "^momentum: expected"),
        (lambda: RMSprop(epsilon=0), "^epsilon: expected"),
        (lambda: Adagrad(initial_accumulator_value=-1), "^initial_accumulator_value: expected"),
        (lambda: Adadelta(rho=-1), "^rho: expected"),
        (lambda: Adamax(beta_2=1), "^beta_2: expected"),
        (lambda: Nadam(beta_1=1), "^beta_1: expected"),
        (lambda: Lion(beta_2=2), "^beta_2: expected"),
        (lambda: CosineDecay(-1, 10), "^initial_learning_rate: expected"),
        (lambda: CosineDecay(1, 0), "^decay_steps: expected"),
        (lambda: CosineDecay(1, 10, alpha=2), "^alpha: expected"),
        (lambda: CosineDecay(1, 10, warmup_steps=3), "^warmup_steps: needs a warmup_target"),
        (lambda: CosineDecay(1, 10, warmup_target=1), "^warmup_steps: expected"),
    ],
)
def test_numbers_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("make", [lambda v: RMSprop(centered=v), lambda v: Adam(amsgrad=v)])
def test_what_is_no_truth_is_refused(make):
    with pytest.raises(TypeError, match="^(centered|amsgrad): expected True or False, got 1"):
        make(1)


def test_names():
    kinds = (SGD, RMSprop, Adagrad, Adadelta, Adam, AdamW, Adamax, Nadam, Lion)
    for name, kind in {kind.__name__.lower(): kind for kind in kinds}.items():
        assert type(optimizers.get(name)) is kind
    with pytest.raises(ValueError, match="^optimizer: 'adan' is unknown; .*'adam'"):
        net("adan")


def test_an_unknown_attribute_is_refused():
    with pytest.raises(AttributeError, match="momentum"):
        Adam().momentum = 0.9


@pytest.mark.parametrize(
    "optimizer",
    ["adam", Adam(0.05), AdamW(CosineDecay(0.1, 400)), RMSprop(0.01), Adagrad(0.5), Adadelta(100),
     Adamax(0.05), Nadam(0.05), Lion(0.01)],
)  # fmt: skip
def test_they_learn(optimizer):
    model = net(optimizer)
    losses = model.fit(X, Y, batch_size=8, epochs=80, verbose=0).history["loss"]
    assert losses[-1] < (0.9 if optimizer == "adam" else 0.05) * losses[0]


def test_cosine():
    plain = CosineDecay(0.5, 100, alpha=0.2)
    assert plain(0) == 0.5
    assert plain(50) == pytest.approx(0.5 * 0.6)
    assert plain(100) == plain(1000) == pytest.approx(0.1)
    warm = CosineDecay(0.1, 100, warmup_target=0.5, warmup_steps=10)
    assert warm(0) == pytest.approx(0.1)
    assert warm(5) == pytest.approx(0.3)
    assert warm(10) == pytest.approx(0.5)
    assert warm(110) == pytest.approx(0, abs=1e-16)
    steps = np.arange(130)
    np.testing.assert_allclose(warm(steps), [warm(int(step)) for step in steps])


@pytest.mark.parametrize(
    ("rate", "error", "message"),
    [
        (lambda step: 0.1 if step < 7 else -1, ValueError, "got -1.0 for step 7"),
        (lambda step: np.nan, ValueError, "got nan for step 0"),
        (lambda step: "0.1", TypeError, "got '0.1' for step 0"),
        (lambda step: None, TypeError, "got None for step 0"),
    ],
)
def test_a_schedule_that_returns_no_rate_is_refused(rate, error, message):
    model = net(SGD(rate))
    with pytest.raises(error, match=f"^learning_rate: expected .* from the schedule, {message}"):
        model.fit(X, Y, batch_size=8, epochs=3, verbose=0)
    assert np.isfinite(model.predict(X)).all()


def test_a_schedule_of_ones_own_is_asked_for_one_step_at_a_time():
    class Halved(LearningRateSchedule):
        def __call__(self, step):
            return 0.1 if step < 3 else 0.05

    mine, plain = net(SGD(Halved())), net(SGD(lambda step: 0.1 if step < 3 else 0.05))
    for model in (mine, plain):
        model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    assert mine.params.tobytes() == plain.params.tobytes()


def test_any_function_of_the_step_is_a_schedule():
    seen = []

    def rate(step):
        seen.append(step)
        return 0.01

    constant, varied = net(SGD(0.01)), net(SGD(rate))
    for model in (constant, varied):
        for batch_size in (8, 16):
            model.fit(X, Y, batch_size=batch_size, epochs=2, verbose=0)
    assert seen == list(range(2 * 5 + 2 * 3))
    assert constant.params.tobytes() == varied.params.tobytes()


def test_momentum_that_is_switched_on_and_off_between_fits():
    model = net(SGD(0.01))
    for momentum in (0.0, 0.9, 0.0, 0.5):
        model.optimizer.momentum = momentum
        model.fit(X, Y, epochs=1, verbose=0)
    assert np.isfinite(model.params).all()


def test_a_mean_that_is_wanted_later_does_not_begin_with_a_velocity():
    """Both are one vector as long as the parameters."""
    model, other = net(SGD(0.01, momentum=0.9)), net(SGD(0.01, use_ema=True))
    model.fit(X, Y, epochs=3, verbose=0)
    other.set_weights(model.get_weights())
    model.optimizer.momentum, model.optimizer.use_ema = 0.0, True
    for one in (model, other):
        one.fit(X, Y, shuffle=False, verbose=0)
    assert model.params.tobytes() == other.params.tobytes()


@pytest.mark.parametrize("way", [lambda net: net, copy.deepcopy, saved])
@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("make", [Adam, Adamax, Nadam])
def test_moments_that_begin_anew_are_corrected_as_those_of_a_new_net(make, backend, way):
    options = {"use_ema": True, "ema_overwrite_frequency": 7}
    model, other = (net(make(0.01), backend=backend, dtype="float64") for _ in "12")
    model.fit(X, Y, epochs=5, batch_size=8, verbose=0)
    other.set_weights(model.get_weights())
    for one in (model, other):
        one.compile(make(0.02, **options), "mse")
        one.fit(X, Y, epochs=2, batch_size=16, shuffle=False, verbose=0)
    model = way(model)
    for one in (model, other):
        one.fit(X, Y, epochs=2, batch_size=8, shuffle=False, verbose=0)
    assert model.params.tobytes() == other.params.tobytes()
    assert model.steps_trained == other.steps_trained + 25


def test_an_optimizer_that_was_changed_does_not_disturb_an_evaluation():
    model, other = net(SGD(0.01)), net(SGD(0.01))
    for one in (model, other):
        one.fit(X, Y, batch_size=4, verbose=0)
    model.optimizer.momentum = 0.9
    assert model.evaluate(X, Y, batch_size=40) == other.evaluate(X, Y, batch_size=40)


@pytest.mark.parametrize("limit", ["clipvalue", "clipnorm", "global_clipnorm"])
@pytest.mark.parametrize("backend", ["numba", "cython"])
def test_clipped_steps_do_not_depend_on_threads(backend, limit):
    """And what is clipped is far from what is not."""

    def trained(threads, **limits):
        model = Sequential(
            [layers.Input(3), layers.Dense(70, "tanh"), layers.Dense(70, "tanh"), layers.Dense(1)],
            seed=0, backend=backend,
        )  # fmt: skip
        model.compile(SGD(0.1, **limits), "mse")
        before = get_num_threads()
        set_num_threads(threads)
        try:
            model.fit(np.tile(X, (8, 1)), np.tile(Y, (8, 1)), batch_size=320, epochs=3, verbose=0)
        finally:
            set_num_threads(before)
        return model.params.tobytes()

    one = trained(1, **{limit: 0.05})
    assert trained(2, **{limit: 0.05}) == trained(3, **{limit: 0.05}) == one
    assert trained(1) != one


def kernel_arguments(rule, size, dtype=np.float64):
    numbers = np.zeros(len(Number))
    for name, value in NUMBERS.items():
        numbers[Number[name]] = value
    has = MOMENTS[rule]
    moments = [np.ones(size if i < has else 0, dtype) for i in range(3)]
    return np.ones(size, dtype), np.ones(size, dtype), moments, numbers


@pytest.mark.parametrize("rule", Rule)
@pytest.mark.parametrize("backend", ALL)
def test_a_gradient_that_is_no_number_shows(backend, rule):
    """Moments that are too small become 0, but not those that are NaN."""
    params, gradient, moments, numbers = kernel_arguments(rule, 37)
    gradient[1] = np.nan
    step = kernels(backend).optimizer_step
    step(int(rule), 0.1, 0.0, 0, False, 0, params, gradient, *moments, numbers)
    gradient[1] = 1
    step(int(rule), 0.1, 0.0, 1, False, 0, params, gradient, *moments, numbers)
    for vector in (params, *moments):
        np.testing.assert_array_equal(np.isnan(vector), (np.arange(37) == 1)[: vector.size])


@pytest.mark.parametrize("rule", [rule for rule in Rule if MOMENTS[rule]])
@pytest.mark.parametrize("backend", ALL)
def test_moments_that_are_no_number_stay_so(backend, rule):
    for place in range(MOMENTS[rule]):
        params, gradient, moments, numbers = kernel_arguments(rule, 37)
        moments[place][5] = np.nan
        kernels(backend).optimizer_step(
            int(rule), 0.1, 0.0, 0, False, 0, params, gradient, *moments, numbers
        )
        assert np.isnan(params[5])
        assert np.isnan(moments[place][5])
        assert np.isnan(params).sum() == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rule", [rule for rule in Rule if MOMENTS[rule]])
@pytest.mark.parametrize("backend", ALL)
def test_moments_that_are_too_small_become_0(backend, rule, dtype):
    params, gradient, moments, numbers = kernel_arguments(rule, 37, dtype)
    gradient[:] = 0
    for moment in moments:
        moment[:] = np.finfo(dtype).tiny / 2
    kernels(backend).optimizer_step(
        int(rule), 0.1, 0.0, 0, False, 0, params, gradient, *moments, numbers
    )
    for moment in moments:
        assert (moment == 0).all()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_train_on_bit_for_bit(copied):
    model = net(AdamW(CosineDecay(0.1, 50)))
    model.fit(X, Y, epochs=3, verbose=0)
    other = copied(model)
    for one in (model, other):
        one.fit(X, Y, epochs=3, verbose=0)
    assert model.params.tobytes() == other.params.tobytes()


def test_gradients_that_vanish_leave_no_denormal_moments():
    x, y = np.zeros((8, 3)), np.zeros((8, 1))
    for backend in ("cython", "numba", "numpy"):
        model = net("adam", backend=backend)
        model.fit(X, Y, epochs=1, verbose=0)
        model.set_weights([np.zeros((3, 1)), np.zeros(1)])
        model.fit(x, y, batch_size=8, epochs=1000, verbose=0)
        assert (model._state.moments[:3] == 0).all()  # of the kernel, whose inputs are 0
