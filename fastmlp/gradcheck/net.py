"""A net on a batch, in float64, as what is to be checked."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
from numpy.typing import ArrayLike

from .. import backends
from ..kernels.contract import Batches, Memory, Trial
from ..model import Sequential
from ..runtime.data import Data, check_data
from ..runtime.engine import Engine
from ..runtime.members import columns_of
from ..runtime.plan import Plan
from ..runtime.threads import available_cores
from ..runtime.weights import Weights
from .diagnosis import Context
from .slopes import STEP, Flags, Indices, Question, Vector
from .subject import Subject, Tensor

# The cross-entropy of confident outputs is a small difference of larger numbers.
_SMALLEST_LOSS = 1e-3
_NEARBY = 4 * float(np.finfo(np.float64).eps)


@contextmanager
def subject_of(
    model: Sequential, x: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, step: int
) -> Iterator[Subject]:
    """Copy a net to float64 for a while; a net that was not built is not after an error.

    Raises
    ------
    RuntimeError
        If the net is not compiled.
    TypeError, ValueError
        If the data do not fit the net, or the loss is not finite.
    """
    with model._built_for(x):
        plan, loss = model.checked_plan(x)
        dtype = np.dtype(np.float64)
        data = check_data("{}", x, y, plan.input_shape, plan.outputs, loss, dtype, plan.codes)
        data = Weights(sample_weight).of(data, plan.outputs)
        engine = Engine(
            plan,
            backends.bind_of(model.backend, plan.python_layers),
            model.params.astype(np.float64),
            model._state.running.astype(np.float64),
            backends.runs_python(model.backend, plan.python_layers),
        )
        with _weights_in(engine):
            yield _subject(engine, data, step, model.backend)


def _subject(engine: Engine, data: Data, step: int, backend: str) -> Subject:
    plan, params = engine.plan, engine.params

    def call() -> tuple[float, Vector]:
        value, gradient = engine.loss_and_gradient(data, step)
        if not np.isfinite(value):
            raise ValueError(f"model: the loss is {value} on this batch, with nothing to check")
        return value, gradient

    def call_nearby(seed: int) -> Vector:
        kept = params.copy()
        try:
            signs = np.random.default_rng(seed).choice([-1.0, 1.0], params.size)
            params[:] *= 1 + _NEARBY * signs
            return engine.loss_and_gradient(data, step)[1]
        finally:
            params[:] = kept

    def question(value: float) -> Question:
        engine.loss_and_gradient(data, step)  # leaves the batch's values in the workspace
        return _question(engine, data, value, backend)

    tensors = _tensors_of(plan, params, data.count)
    return Subject(
        tensors, plan.size, call, call_nearby, question,
        lambda: float(np.finfo(np.float64).eps), plan.labels_above,
    )  # fmt: skip


@contextmanager
def _weights_in(engine: Engine) -> Iterator[None]:
    """Let layers written in Python find their weights in this engine's vectors for a while."""
    slots = engine.plan.all_slots
    originals = [(slot.layer._weights, slot.weight.name) for slot in slots]
    kept = [weights[name] for weights, name in originals]
    try:
        for slot in slots:
            slot.layer._weights[slot.weight.name] = slot.of(engine)
        yield
    finally:
        for (weights, name), array in zip(originals, kept, strict=True):
            weights[name] = array


def _question(engine: Engine, data: Data, value: float, backend: str) -> Question:
    """Ask for the loss's slope by every parameter; the workspace holds the batch's values."""
    plan, params = engine.plan, engine.params
    probe = backends.probe_of(backend, plan.python_layers)
    memory = engine.workspace(data.count).memory
    batches = Batches(
        data.samples,
        data.labels,
        data.targets,
        data.weights,
        columns_of(np.arange(data.count), data.count, plan.members),
        data.count * plan.members,
        0,
        1,
    )
    l1 = _penalty_factors(plan, "l1")
    threads = 1 if plan.python_layers or backend == "numpy" else available_cores()

    def losses(indices: Indices, steps: Vector, keeps_branches: bool) -> tuple[Vector, Flags]:
        found, crossed = np.empty((indices.size, 2)), np.zeros(indices.size, np.uint8)

        def fill(part: slice) -> None:
            # A copy for each thread; but layers in Python look at the parameters themselves.
            own = params if threads == 1 else params.copy()
            moved, deltas = (np.empty_like(memory.values) for _ in range(2))
            trial = Trial(
                moved, indices[part], steps[part], keeps_branches, found[part], crossed[part]
            )
            with np.errstate(all="ignore"):
                probe(
                    engine.net._replace(params=own), Memory(memory.values, deltas), batches, trial
                )

        bounds = np.linspace(0, indices.size, threads + 1).astype(int).tolist()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, map(slice, bounds[:-1], bounds[1:])))
        # |w| has its kink at 0 alone, where its slope is defined to be 0; elsewhere the slope is
        # that of the side where w is, even if a step leads across.
        w = params[indices, None]
        moved = w + steps[:, None] * np.array([1.0, -1.0])
        found += l1[indices, None] * (np.sign(w) * moved - np.abs(moved))
        return found, crossed.view(np.bool_)

    steps = _first_steps(plan, memory.values, data.count * plan.members)
    return Question(losses, params, steps, value, _SMALLEST_LOSS, plan.has_hidden_kinks)


def _first_steps(plan: Plan, values: Vector, n: int) -> Vector:
    """Return a step for each parameter that moves what it feeds by the same small amount.

    A weight's step is divided by the largest value that the weight is multiplied with.  Half of
    the usual step: through 14 layers of tanh even a small move bends.
    """
    steps: Vector = STEP / 2 / plan.largest_factors(values, n)
    return steps


def _penalty_factors(plan: Plan, name: str) -> Vector:
    """Return ``l1`` or ``l2`` of every parameter."""
    factors = np.zeros(plan.size)
    for slot in plan.slots:
        if slot.weight.regularizer is not None:
            slot.view(factors)[...] = getattr(slot.weight.regularizer, name)
    return factors


def _tensors_of(plan: Plan, params: Vector, batch_size: int) -> list[Tensor]:
    tensors = []
    positions = np.arange(plan.size)
    l1 = _penalty_factors(plan, "l1")
    gradients = {
        "L1": l1 * np.sign(params),
        "L2": 2 * _penalty_factors(plan, "l2") * params,
    }
    for slot in plan.slots:
        entries = slot.view(positions)
        context = Context(batch_size, {name: g[entries] for name, g in gradients.items()})
        name = f"{slot.layer.name}/{slot.weight.name}"
        at_zero = np.where(params == 0, l1, 0.0)[entries]
        tensors.append(Tensor(slot.layer.name, name, entries, context, at_zero))
    return tensors
