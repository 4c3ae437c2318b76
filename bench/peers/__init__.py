"""The peers: each trains a problem as its own experts would write it, one a file.

A peer is a class with

``name``
``load(problem)``   take the data and the initial weights
``reset()``         back to the initial weights
``steps(order)``    a step for each batch of ``order``; returns the mean of the batches' losses
``epoch(number)``   the same for an epoch of the problem
``weights()``       kernel (inputs, outputs) and bias of each layer, in NumPy
``put(x)``          hold uint8 samples in the form that suits best
``predict()``       the probabilities (samples, classes) of what is held

Those for many nets have ``load(problems)``, ``epoch`` and ``weights``, each for all of them.
"""

FASTMLP = "bench.peers.fastmlp_fit:Fastmlp"
TORCH_EAGER = "bench.peers.torch_eager:TorchEager"
TORCH_COMPILED = "bench.peers.torch_compiled:TorchCompiledModel"
TORCH_COMPILED_STEPS = "bench.peers.torch_compiled_steps:TorchCompiledSteps"
JAX = "bench.peers.jax_scan:JaxScan"
SKLEARN = "bench.peers.sklearn_mlp:SklearnMLP"
FASTMLP_MANY = "bench.peers.fastmlp_many:FastmlpMany"
TORCH_MANY = "bench.peers.torch_many:TorchMany"
JAX_MANY = "bench.peers.jax_vmap:JaxVmap"


def compiled_backends() -> list[str]:
    """fastmlp's backends, the default one first, but for the reference."""
    from fastmlp import backends

    default = backends.resolve("auto")
    names = [name for name in backends.available() if name != "numpy"]
    return sorted(names, key=lambda name: name != default)
