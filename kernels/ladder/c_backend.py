"""The C backend's kernels, as further steps where they were built."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .step import Step

try:
    from .. import c as kernels
except ImportError:
    kernels = None

FOLDER = Path(__file__).parent.parent / "c"


def c_step(
    call: Callable[..., None], file: str, functions: tuple[str, ...], **limits: float
) -> tuple[Step, ...]:
    """Return one kernel of C as a step, or none.

    Parameters
    ----------
    call : function
        ``call(kernels, *arguments)`` calls it.
    file : str
        Of its source, in ``kernels/c``.
    functions : tuple of str
        Those to show.
    **limits : float
        ``loads``, ``streams`` and ``flops`` of a Step.
    """
    if kernels is None:
        return ()
    text = (FOLDER / file).read_text(encoding="utf-8")
    return (
        Step(
            "shipped_in_c",
            partial(call, kernels),
            "What fastmlp's C backend runs. (A call through Python, which costs it a "
            "microsecond, is not counted: the engine makes none.)",
            c_source="\n\n".join(_function(text, name) for name in functions),
            **limits,
        ),
    )


def _function(text: str, name: str) -> str:
    found = re.search(
        rf"^\w[^\n;]*\b{name}\((?:[^\n]*\}}$|.*?^\}})", text, re.MULTILINE | re.DOTALL
    )
    assert found, name
    return found[0]
