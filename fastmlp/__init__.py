"""fastmlp: small multilayer perceptrons on a CPU, trained in one compiled call per epoch."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if not Path(__file__).with_name("kernels").is_dir():
    # In a checkout the kernels lie beside this package, not inside it.
    __path__.append(str(Path(__file__).resolve().parent.parent))

from . import (
    activations,
    backend,
    backends,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    saving,
    schedules,
    utils,
)
from .history import Divergence, DivergenceWarning, Fits, History
from .layers import Input
from .model import Sequential
from .runtime.elsewhere import refusal as _refusal
from .runtime.parallel import fit_many
from .runtime.threads import get_num_threads, set_num_threads
from .saving import load_model
from .telemetry import Telemetry
from .version import __version__

if TYPE_CHECKING:
    from . import datasets, gradcheck, interchange, sweeps
    from .gradcheck import GradientReport, check_gradients
    from .sweeps import sweep

__all__ = [
    "Divergence",
    "DivergenceWarning",
    "Fits",
    "GradientReport",
    "History",
    "Input",
    "Sequential",
    "Telemetry",
    "__version__",
    "activations",
    "backend",
    "backends",
    "callbacks",
    "check_gradients",
    "constraints",
    "datasets",
    "fit_many",
    "get_num_threads",
    "gradcheck",
    "initializers",
    "interchange",
    "layers",
    "load_model",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "regularizers",
    "saving",
    "schedules",
    "set_num_threads",
    "sweep",
    "sweeps",
    "utils",
]


# What is imported when it is first asked for, so that training starts sooner: in which module.
_LATER = {
    "GradientReport": "gradcheck",
    "check_gradients": "gradcheck",
    "datasets": "",
    "gradcheck": "",
    "interchange": "",
    "sweep": "sweeps",
    "sweeps": "",
}


def __getattr__(name: str) -> object:
    """Import what is imported late; refuse what Keras has and fastmlp has not, and say why."""
    if name not in _LATER:
        raise _refusal("fastmlp", name)
    module = import_module(f".{_LATER[name] or name}", __name__)
    found = getattr(module, name) if _LATER[name] else module
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
