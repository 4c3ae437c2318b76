"""fastmlp: small multilayer perceptrons on a CPU, trained in one compiled call per epoch."""

from pathlib import Path
from typing import TYPE_CHECKING

if not Path(__file__).with_name("kernels").is_dir():
    # In a checkout the kernels lie beside this package, not inside it.
    __path__.append(str(Path(__file__).resolve().parent.parent))

from . import (
    activations,
    backends,
    constraints,
    initializers,
    layers,
    optimizers,
    regularizers,
)
from .history import Divergence, DivergenceWarning, Fits, History
from .layers import Input
from .model import Sequential
from .runtime.later import later as _later
from .runtime.threads import get_num_threads, set_num_threads
from .telemetry import Telemetry
from .version import __version__

if TYPE_CHECKING:
    from . import (
        backend,
        callbacks,
        datasets,
        gradcheck,
        interchange,
        losses,
        metrics,
        models,
        saving,
        schedules,
        sweeps,
        utils,
    )
    from .gradcheck import GradientReport, check_gradients
    from .runtime.parallel import fit_many
    from .saving import load_model
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

# What a net is made without: it is imported when it is first asked for.
_LATER = {
    "GradientReport": "gradcheck",
    "backend": "",
    "callbacks": "",
    "check_gradients": "gradcheck",
    "datasets": "",
    "fit_many": "runtime.parallel",
    "gradcheck": "",
    "interchange": "",
    "load_model": "saving",
    "losses": "",
    "metrics": "",
    "models": "",
    "saving": "",
    "schedules": "",
    "sweep": "sweeps",
    "sweeps": "",
    "utils": "",
}

__getattr__, __dir__ = _later(__name__, _LATER)
