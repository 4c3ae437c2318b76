"""What a net does with a single batch: trains, tests, predicts, or draws outputs as in training."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..kernels.contract import Mode
from .claims import Claim
from .data import check_samples
from .figures import figures_of
from .inference import evaluate
from .tensors import Array
from .training import train_step
from .weights import Weights

if TYPE_CHECKING:
    from .compiled import Compiled


def train(
    model: "Compiled", x: ArrayLike, y: ArrayLike, weights: Weights
) -> tuple[dict[str, float], bool]:
    """Take a step; returns the batch's figures, and whether it was taken."""
    model._compiled_loss()
    claim = Claim()
    try:
        claim.take(model._claimed if model._state.is_shared else [model])
        if (found := _judge_as_before(model, Mode.TRAIN, x, y, weights)) is not None:
            model._state.steps += found[1]
            return found
        with model._built_for(x):
            engine = model._ready_engine()
            if model._state.is_shared:
                model._become_home()
            data = model._weighed_data(x, y, weights)
            model._check_workspace("x", data.count)
            model._warn_of_changes()
            model._follow_optimizer(engine)
            figures, taken = train_step(engine, data, model._state.steps, model.shown_metrics)
            model._state.steps += taken
            engine.shortcuts.expect_totals(Mode.TRAIN, data)
            return figures, bool(taken)
    finally:
        claim.active = False


def test(model: "Compiled", x: ArrayLike, y: ArrayLike, weights: Weights) -> dict[str, float]:
    """Return the figures of a batch."""
    model._compiled_loss()
    if (found := _judge_as_before(model, Mode.EVALUATE, x, y, weights)) is not None:
        return found[0]
    with model._built_for(x):
        engine = model._ready_engine()
        data = model._weighed_data(x, y, weights)
        model._check_workspace("x", data.count)
        figures = evaluate(engine, data, data.count, model.shown_metrics)
        engine.shortcuts.expect_totals(Mode.EVALUATE, data)
        return figures


def predict(model: "Compiled", x: ArrayLike) -> Array:
    """Return the outputs of a batch."""
    if (found := predict_as_before(model, x)) is not None:
        return found
    return _forward(model, x, training=False)


def sample(model: "Compiled", x: ArrayLike) -> Array:
    """Return the outputs of a batch as in training."""
    return _forward(model, x, training=True)


def predict_as_before(model: "Compiled", x: ArrayLike) -> Array | None:
    """Return the outputs of samples such as were predicted before, by the shortest way."""
    # A masked array is one of NumPy's, too.
    if model._engine is None or type(x) is not np.ndarray or model._state.is_shared:
        return None
    return model._engine.shortcuts.forward(x)


def _forward(model: "Compiled", x: ArrayLike, training: bool) -> Array:
    with model._built_for(x):
        engine = model._ready_engine()
        plan = engine.plan
        data = check_samples("x", x, plan.input_shape, model.dtype, plan.codes)
        model._check_workspace("x", data.count)
        outputs = engine.forward(data, data.count, training=training)
        if not training:
            engine.shortcuts.expect_outputs(data.count)
        return outputs.reshape(-1, *plan.output_shape)


def _judge_as_before(
    model: "Compiled", mode: Mode, x: ArrayLike, y: ArrayLike, weights: Weights
) -> tuple[dict[str, float], bool] | None:
    """Train or test on a batch such as there was before, by the shortest way."""
    engine = model._engine
    if engine is None or model._state.is_shared:
        return None
    if weights.are_given or type(x) is not np.ndarray or type(y) is not np.ndarray:
        return None
    if mode == Mode.TRAIN:
        model._follow_optimizer(engine)
        engine.plan.refresh()
    found = engine.shortcuts.judge(mode, x, y, model._state.steps)
    if found is None:
        return None
    totals, taken = found
    return figures_of(engine, totals, model.shown_metrics), taken
