"""Arguments of Keras' compile that say how a net is run: each has its effect, or is refused."""

from typing import Any

from .arguments import is_integer, shown, truth


def check_execution(
    backend: str, loss_weights: Any, run_eagerly: Any, steps_per_execution: Any, jit_compile: Any
) -> None:
    """Raise an error if an argument asks for what a net with this backend does not do.

    Raises
    ------
    TypeError, ValueError
        See :meth:`fastmlp.Sequential.compile`.
    """
    if loss_weights is not None:
        raise ValueError(
            "loss_weights: expected None, for a net has one loss, and its learning rate does what "
            f"a factor would; got {shown(loss_weights)}. Metrics are given by name: metrics=[...]"
        )
    compiles = backend != "numpy"
    if truth("run_eagerly", run_eagerly) and compiles:
        raise ValueError(
            f"run_eagerly: expected False, for the backend {backend!r} runs compiled kernels; "
            'a net made with backend="numpy" runs in Python, step by step'
        )
    one = is_integer(steps_per_execution) and steps_per_execution == 1
    if not one and not (isinstance(steps_per_execution, str) and steps_per_execution == "auto"):
        raise ValueError(
            'steps_per_execution: expected 1 or "auto", for a call of the engine takes as many '
            f"steps as it can, got {shown(steps_per_execution)}"
        )
    if isinstance(jit_compile, str) and jit_compile == "auto":
        return
    if truth("jit_compile", jit_compile) != compiles:
        advice = (
            'a net made with backend="numpy" does without' if compiles else "choose another backend"
        )
        raise ValueError(
            f"jit_compile: expected {compiles} for the backend {backend!r}, got "
            f"{shown(jit_compile)}; {advice}"
        )
