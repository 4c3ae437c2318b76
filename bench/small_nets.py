"""Many small tabular nets: ``python -m bench.small_nets [--nets N] [--rounds N]``.

Nets 8-32-32-1 with ReLU, trained by Adam, each with its own order of the samples: some epochs of
all, by ``fit_many`` on one thread and on all cores, and by JAX's ``vmap`` in a ``scan``, the orders
drawn meanwhile.  They take turns, and their losses are compared first.  Prints microseconds a step
of a net, and the time of all cores together, which says more on a machine where others work, too.
"""

import argparse
import time
from statistics import median

import numpy as np

from bench import machine
from fastmlp import Sequential, fit_many, layers, optimizers
from fastmlp.runtime.shuffling import epoch_order
from fastmlp.runtime.threads import available_cores

WIDTHS = (8, 32, 32, 1)
BATCH = 32
RATE = 1e-3
TOLERANCE = 0.01


def net(seed: int) -> Sequential:
    hidden = [layers.Dense(width, "relu") for width in WIDTHS[1:-1]]
    model = Sequential([layers.Input((WIDTHS[0],)), *hidden, layers.Dense(1)], seed=seed)
    model.compile(optimizers.Adam(RATE), "mse")
    return model


def data(samples: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((samples, WIDTHS[0])).astype(np.float32)
    return x, np.sin(x.sum(axis=1, keepdims=True)).astype(np.float32)


class Fastmlp:
    def __init__(self, nets: int, samples: int, epochs: int, jobs: int) -> None:
        self.epochs = epochs
        self.name, self.jobs = f"fastmlp, {jobs} thread{'s' if jobs > 1 else ''}", jobs
        self.x, self.y = data(samples)
        self.models = [net(seed) for seed in range(nets)]

    def train(self, number: int) -> np.ndarray:
        assert number * self.epochs == self.models[0].epochs_trained
        fits = fit_many(self.models, self.x, self.y, BATCH, self.epochs, verbose=0, jobs=self.jobs)
        return np.array([np.mean(history.history["loss"]) for history in fits])


class JaxVmap:
    name = "JAX vmap"

    def __init__(self, nets: int, samples: int, epochs: int) -> None:
        import jax
        import jax.numpy as jnp

        self.nets, self.samples, self.epochs = nets, samples, epochs
        x, y = map(jnp.array, data(samples))
        weights = [np.stack(w) for w in zip(*(net(s).get_weights() for s in range(nets)))]  # noqa: B905
        self.state = [jnp.array(w) for w in weights]
        zeros = [jnp.zeros_like(w) for w in self.state]
        self.carry = self.state, zeros, [jnp.zeros_like(w) for w in self.state], 0.0

        def loss_of(params, rows):
            out = x[rows]
            for layer in range(len(params) // 2):
                out = out @ params[2 * layer] + params[2 * layer + 1]
                out = jax.nn.relu(out) if layer < len(params) // 2 - 1 else out
            return jnp.mean((out - y[rows]) ** 2)

        gradients = jax.vmap(jax.value_and_grad(loss_of))

        def step(carry, rows):
            params, first, second, t = carry
            losses, slopes = gradients(params, rows)
            t = t + 1.0
            first = [0.9 * m + 0.1 * g for m, g in zip(first, slopes, strict=True)]
            second = [0.999 * v + 0.001 * g * g for v, g in zip(second, slopes, strict=True)]
            scale = jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            params = [
                w - RATE * scale * m / (jnp.sqrt(v) + 1e-7)
                for w, m, v in zip(params, first, second, strict=True)
            ]
            return (params, first, second, t), losses

        @jax.jit
        def train(carry, batches):
            carry, losses = jax.lax.scan(step, carry, batches)
            return carry, losses.mean(0)

        self.run = train

    def train(self, number: int) -> np.ndarray:
        epochs = range(number * self.epochs, (number + 1) * self.epochs)
        orders = np.stack(
            [[epoch_order(s, epoch, self.samples) for epoch in epochs] for s in range(self.nets)]
        )
        batches = orders.reshape(self.nets, -1, BATCH).swapaxes(0, 1).astype(np.int32)
        self.carry, losses = self.run(self.carry, batches)
        return np.asarray(losses)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nets", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=1024)
    parser.add_argument("--epochs", type=int, default=4, help="in one call")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    given = arguments.nets, arguments.samples, arguments.epochs
    contestants = [Fastmlp(*given, jobs) for jobs in sorted({1, available_cores()})]
    contestants.append(JaxVmap(*given))
    steps = arguments.nets * arguments.samples // BATCH * arguments.epochs
    first = [contestant.train(0) for contestant in contestants]
    for contestant, losses in zip(contestants, first, strict=True):
        if not np.allclose(losses, first[0], rtol=TOLERANCE):
            raise SystemExit(f"{contestant.name} has other losses: {losses} against {first[0]}")
    times: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    of_cores: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for number in range(1, arguments.rounds + 1):
        for contestant in contestants:
            started, busy = time.perf_counter(), time.process_time()
            contestant.train(number)
            seconds, busy = time.perf_counter() - started, time.process_time() - busy
            times[contestant.name].append(seconds / steps * 1e6)
            of_cores[contestant.name].append(busy / steps * 1e6)
    net_of = "-".join(map(str, WIDTHS))
    print(f"{arguments.nets} nets {net_of}, Adam, batch {BATCH}: µs a step of a net")
    print(machine.describe())
    base = median(times[contestants[-2].name])
    for name, found in times.items():
        print(f"{name}: {median(found):.2f} ({min(found):.2f}-{max(found):.2f}), "
              f"{median(found) / base:.2f} times; "
              f"of all cores {median(of_cores[name]):.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
