"""Time gradient checks: ``python -m bench.gradcheck [--rounds N]``.

Every one of the 10,709 parameters of 784-13-13-13-10, on a batch of 32, in float64: by
``fastmlp.check_gradients`` and by ``torch.autograd.gradcheck``, which gets the same weights,
samples and number of threads: on all cores, then pinned to one.  Loss and gradient are compared
before anything is timed.  Rounds are interleaved (A B A B ...), and what is reported are ratios
within a round.  fastmlp evaluates the loss four times a parameter (two steps, to extrapolate),
torch twice.

Cost does not depend on what the images show, so these are random, half of their pixels 0.
"""

import argparse
import os
import statistics
import time

import numpy as np

from fastmlp import Sequential, check_gradients, layers
from fastmlp.runtime.threads import available_cores

SEED = 0
WIDTHS = (784, 13, 13, 13, 10)
BATCH_SIZE = 32
PARAMETERS = 10_709
LOSS_TOLERANCE = 1e-12  # relative: float64, and no trajectory in which rounding could grow


def images() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(SEED)
    pixels = rng.integers(1, 256, (BATCH_SIZE, 28, 28), np.uint8)
    pixels[rng.random(pixels.shape) < 0.5] = 0
    return pixels, rng.integers(0, WIDTHS[-1], BATCH_SIZE)


def net() -> Sequential:
    hidden = [
        layers.Dense(units, "tanh", kernel_initializer="torch_default") for units in WIDTHS[1:-1]
    ]
    model = Sequential(
        [
            layers.Input((28, 28)),
            layers.Flatten(),
            layers.Rescaling(1 / 255),
            *hidden,
            layers.Dense(WIDTHS[-1], "softmax", kernel_initializer="torch_default"),
        ],
        seed=SEED,
        dtype="float64",
        backend="numba",
    )
    model.compile("sgd", loss="sparse_categorical_crossentropy")
    assert model.count_params() == PARAMETERS
    return model


class FastmlpCheck:
    name = "fastmlp"

    def __init__(self) -> None:
        self.model = net()
        self.x, self.y = images()

    def gradient(self) -> tuple[float, list[np.ndarray]]:
        return self.model.loss_and_gradient(self.x, self.y)

    def check(self) -> bool:
        return check_gradients(self.model, self.x, self.y).passed


class TorchCheck:
    name = "torch gradcheck"

    def __init__(self) -> None:
        import torch

        self.torch = torch
        torch.set_num_threads(available_cores())
        x, y = images()
        self.x = torch.from_numpy(x.reshape(len(x), -1)).double() * (1 / 255)
        self.y = torch.from_numpy(y)
        self.weights = [torch.tensor(w, requires_grad=True) for w in net().get_weights()]

    def loss(self, *weights):
        h = self.x
        for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            h = self.torch.tanh(h @ kernel + bias)
        return self.torch.nn.functional.cross_entropy(h @ weights[-2] + weights[-1], self.y)

    def gradient(self) -> tuple[float, list[np.ndarray]]:
        loss = self.loss(*self.weights)
        return loss.item(), [g.numpy() for g in self.torch.autograd.grad(loss, self.weights)]

    def check(self) -> bool:
        return self.torch.autograd.gradcheck(self.loss, self.weights)


def compare(peers: list) -> None:
    """Stop unless all peers compute the same loss and the same gradient."""
    expected_loss, expected = peers[0].gradient()
    for peer in peers[1:]:
        loss, gradient = peer.gradient()
        apart = max(np.abs(a - b).max() for a, b in zip(expected, gradient, strict=True))
        largest = max(np.abs(a).max() for a in expected)
        if abs(loss - expected_loss) > LOSS_TOLERANCE * loss or apart > LOSS_TOLERANCE * largest:
            raise SystemExit(f"{peer.name} computes another loss or gradient: {loss}, {apart}")


def measure(rounds: int) -> None:
    """Print a line per peer: seconds a check, and its time over fastmlp's."""
    peers = [FastmlpCheck()]
    try:
        peers.append(TorchCheck())
    except ImportError as reason:
        print(f"left out: torch gradcheck ({reason})")
    compare(peers)
    for peer in peers:
        if not peer.check():
            raise SystemExit(f"{peer.name} finds the gradient wrong")
    seconds: list[list[float]] = [[] for _ in peers]
    for _ in range(rounds):
        for times, peer in zip(seconds, peers, strict=True):
            started = time.perf_counter()
            peer.check()
            times.append(time.perf_counter() - started)
    print(f"\n{'-'.join(map(str, WIDTHS))}, batch {BATCH_SIZE}, cores: {available_cores()}")
    for peer, times in zip(peers, seconds, strict=True):
        ratios = sorted(t / t0 for t, t0 in zip(times, seconds[0], strict=True))
        print(
            f"  {peer.name:16} {statistics.median(times):7.3f} s a check "
            f"({min(times):.3f} to {max(times):.3f})   "
            f"{statistics.median(ratios):6.2f} x fastmlp's time "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    measure(arguments.rounds)
    if available_cores() > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        measure(arguments.rounds)


if __name__ == "__main__":
    main()
