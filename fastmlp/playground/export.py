"""A configuration as Python code."""

from typing import TYPE_CHECKING

from .data import OWN, Problem

if TYPE_CHECKING:
    from .configuration import Configuration, Hidden


def code(it: "Configuration", problem: Problem) -> str:
    """Return Python code that makes and trains the same net on the same data."""
    body = ",\n        ".join(_layers(it, problem))
    metrics = ", ".join(f'"{name}"' for name in problem.metrics)
    return f"""{_imports(it)}

problem = {_load(it)}
model = Sequential(
    [
        {body},
    ],
    seed={it.seed},
)
model.compile(
    {_optimizer(it)},
    loss="{problem.loss}",
    metrics=[{metrics}],
)
history = model.fit(
    *problem.train, batch_size={it.batch}, epochs={it.epochs}, validation_data=problem.test
)
print(model.evaluate(*problem.test, return_dict=True))
"""


def _imports(it: "Configuration") -> str:
    names = ["Sequential", "layers", "optimizers"]
    if it.l1 or it.l2:
        names.append("regularizers")
    if it.schedule != "constant":
        names.append("schedules")
    before = "from pathlib import Path\n\n" if it.data == OWN else ""
    return f"{before}from fastmlp import {', '.join(names)}\nfrom fastmlp.playground import data"


def _load(it: "Configuration") -> str:
    if it.data == OWN:
        return 'data.read_csv(Path("data.csv").read_text(encoding="utf-8"))  # your file'
    noise = f", noise={it.noise:g}" if it.noise != 0.1 else ""
    return f'data.load("{it.data}"{noise})'


def _layers(it: "Configuration", problem: Problem) -> list[str]:
    """Return the layers, an expression each."""
    found = ["layers.Input(problem.shape)"]
    if len(problem.shape) > 1:
        found.append("layers.Flatten()")
    if problem.scale != 1:
        found.append("layers.Rescaling(problem.scale)")
    before = 0
    for one in it.hidden:
        made = _hidden(it, one)
        if it.residual and one.units == before:
            found.append(f"layers.Residual([{', '.join(made)}])")
        else:
            found += made
        before = one.units
    last = ', activation="softmax"' if problem.classes else ""
    found.append(f"layers.Dense({problem.outputs}{last}{_weights(it)})")
    return found


def _hidden(it: "Configuration", one: "Hidden") -> list[str]:
    if it.normalized:
        made = [
            f"layers.Dense({one.units}{_weights(it)})",
            "layers.BatchNormalization()",
            f'layers.Activation("{one.activation}")',
        ]
    else:
        made = [f'layers.Dense({one.units}, activation="{one.activation}"{_weights(it)})']
    if it.dropout:
        made.append(f"layers.Dropout({it.dropout:g})")
    return made


def _weights(it: "Configuration") -> str:
    penalty = f"regularizers.L1L2({it.l1:g}, {it.l2:g})"
    own = f', kernel_initializer="{it.init}"' if it.init != "glorot_uniform" else ""
    return own + (f", kernel_regularizer={penalty}" if it.l1 or it.l2 else "")


def _optimizer(it: "Configuration") -> str:
    from .configuration import OPTIMIZERS

    name = OPTIMIZERS[it.optimizer].__name__
    steps = f"{it.epochs} * -(-len(problem.train[0]) // {it.batch})"
    rate = {
        "constant": f"{it.rate:g}",
        "cosine": f"schedules.CosineDecay({it.rate:g}, {steps})",
        "exponential": f"schedules.ExponentialDecay({it.rate:g}, max(1, {steps} // 4), 0.5)",
        "one_cycle": f"schedules.OneCycle({it.rate:g}, max(2, {steps}))",
    }[it.schedule]
    momentum = f", momentum={it.momentum:g}" if it.optimizer == "sgd" and it.momentum else ""
    return f"optimizers.{name}({rate}{momentum})"
