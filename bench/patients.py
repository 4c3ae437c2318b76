"""Hold q1's three patients against PyTorch: ``python -m bench.patients [--epochs N]``.

From the same initial weights and in the same order of batches, over all samples: every figure
that q1 shows of them, computed by both, and the largest relative difference.

The ReLU net leaves its plateau in the third epoch, at a rate of learning that makes it chaotic
from there on: no two programs agree then, nor does torch with itself after one initial weight
has moved by one unit in the last place.  What comes before that agrees.
"""

import argparse
import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from fastmlp import Telemetry, datasets
from fastmlp.datasets import Dataset
from fastmlp.experiments.lab import OBSERVED_EVERY
from fastmlp.experiments.nets import Net
from fastmlp.experiments.q1 import claims
from fastmlp.experiments.settings import Settings
from fastmlp.runtime.shuffling import epoch_order

FIGURES = ("loss", "accuracy", "val_loss", "val_accuracy")
ACTIVATIONS = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}


@dataclass(frozen=True)
class Course:
    """What q1 tells of a patient.

    Attributes
    ----------
    figures : (epochs, 4)
        In the order of FIGURES.
    gradient_norms : (records, layers)
        Of each layer's weights and biases, each OBSERVED_EVERY steps.
    change : (inputs, width)
        What training added to the first layer's kernel.
    """

    figures: NDArray[np.float64]
    gradient_norms: NDArray[np.float64]
    change: NDArray[np.float64]


def by_fastmlp(net: Net, dataset: Dataset, dtype: str) -> Course:
    model = net.build(dataset, dtype=dtype)
    before = model.get_weights()[0]
    telemetry = Telemetry(OBSERVED_EVERY)
    history = model.fit(
        *dataset.train, net.batch_size, net.epochs, verbose=0, validation_data=dataset.test,
        telemetry=telemetry,
    ).history  # fmt: skip
    dense = [r for r, row in enumerate(telemetry.rows) if "/" not in row]
    return Course(
        np.array([history[name] for name in FIGURES]).T,
        telemetry["gradient_norm"][:, dense],
        model.get_weights()[0] - before,
    )


def by_torch(net: Net, dataset: Dataset, dtype: str) -> Course:
    """Train as fastmlp does, by autograd."""
    initial = net.build(dataset, dtype=dtype).get_weights()
    weights = [torch.tensor(w, requires_grad=True) for w in initial]
    x, x_test = (
        _images(images, dataset.scale, dtype) for images, _ in (dataset.train, dataset.test)
    )
    y, y_test = (
        torch.from_numpy(labels.astype(np.int64)) for _, labels in (dataset.train, dataset.test)
    )

    def logits(h: torch.Tensor) -> torch.Tensor:
        for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            h = ACTIVATIONS[net.activation](h @ kernel + bias)
        return h @ weights[-2] + weights[-1]

    figures, norms = [], []
    for epoch in range(net.epochs):
        order = torch.from_numpy(epoch_order(net.seed, epoch, len(x)))
        total, correct = 0.0, 0
        for batch, rows in enumerate(order.split(net.batch_size)):
            z = logits(x[rows])
            loss = torch.nn.functional.cross_entropy(z, y[rows])
            total += loss.item() * len(rows)
            correct += int((z.argmax(dim=1) == y[rows]).sum())
            gradients = torch.autograd.grad(loss, weights)
            if batch % OBSERVED_EVERY == 0:
                pairs = zip(gradients[::2], gradients[1::2], strict=True)
                norms.append([float(torch.hypot(k.norm(), b.norm())) for k, b in pairs])
            for w, g in zip(weights, gradients, strict=True):
                w.data -= net.learning_rate * g
        with torch.no_grad():
            z = logits(x_test)
            test_loss = torch.nn.functional.cross_entropy(z, y_test).item()
            test_accuracy = float((z.argmax(dim=1) == y_test).double().mean())
        figures.append([total / len(x), correct / len(x), test_loss, test_accuracy])
    change = weights[0].detach().numpy() - initial[0]
    return Course(np.array(figures), np.array(norms), change)


def _images(images: NDArray[np.uint8], scale: float, dtype: str) -> torch.Tensor:
    return torch.from_numpy((images.reshape(len(images), -1) * scale).astype(dtype))


def differences(ours: Course, theirs: Course) -> dict[str, float]:
    """Return the largest relative difference of each kind of figure."""
    largest = np.max(np.abs(ours.figures - theirs.figures) / theirs.figures, axis=0)
    scale = np.maximum(theirs.gradient_norms, np.finfo(np.float64).tiny)  # 0 in a net that died
    norms = np.abs(ours.gradient_norms - theirs.gradient_norms) / scale
    change = np.linalg.norm(ours.change - theirs.change) / np.linalg.norm(theirs.change)
    return {
        **dict(zip(FIGURES, largest.tolist(), strict=True)),
        "gradient_norms": float(norms.max()),
        "first_layer_change": float(change),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=claims.EPOCHS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    dataset = datasets.load("fashion-mnist")
    for dtype in ("float64", "float32"):
        for activation, depth in claims.DEPTHS.items():
            net = replace(claims.net(Settings(), activation, depth), epochs=arguments.epochs)
            started = time.perf_counter()
            ours = by_fastmlp(net, dataset, dtype)
            between = time.perf_counter()
            theirs = by_torch(net, dataset, dtype)
            print(
                f"\n{activation}, {depth} layers, {dtype}, {net.epochs} epochs: "
                f"{between - started:.1f} s, torch {time.perf_counter() - between:.1f} s"
            )
            print("  last epoch, fastmlp  ", *(f"{value:.10f}" for value in ours.figures[-1]))
            print("  last epoch, torch    ", *(f"{value:.10f}" for value in theirs.figures[-1]))
            for name, difference in differences(ours, theirs).items():
                print(f"  {name:20} {difference:.1e}")


if __name__ == "__main__":
    main()
