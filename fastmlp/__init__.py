"""fastmlp: small multilayer perceptrons on a CPU, trained in one compiled call per epoch."""

from pathlib import Path

if not Path(__file__).with_name("kernels").is_dir():
    # In a checkout the kernels lie beside this package, not inside it.
    __path__.append(str(Path(__file__).resolve().parent.parent))

from . import (
    activations,
    backends,
    callbacks,
    constraints,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    saving,
    schedules,
    sweeps,
    utils,
)
from .gradcheck import GradientReport, check_gradients
from .history import Divergence, DivergenceWarning, Fits, History
from .layers import Input
from .model import Sequential
from .runtime.parallel import fit_many
from .runtime.threads import get_num_threads, set_num_threads
from .saving import load_model
from .sweeps import sweep
from .telemetry import Telemetry
from .version import __version__

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
    "backends",
    "callbacks",
    "check_gradients",
    "constraints",
    "datasets",
    "fit_many",
    "get_num_threads",
    "initializers",
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
