"""The kernels of a narrow net's first layer beside a large BLAS product on the same core."""

from bench import peers
from bench.kernels import FIRST_LAYER
from bench.rounds import take_turns
from bench.rows import make_row
from bench.stage import Stage

BLAS = "bench.blas:Blas"
KERNELS = "bench.kernels:FirstLayer"


def first_layer_row(stage: Stage) -> dict:
    blas = stage.worker(BLAS, 1)
    runs = {blas.name: lambda _: blas.call("rate")[0]}
    for backend in peers.compiled_backends():
        worker = stage.worker(KERNELS, 1, backend=backend)
        for case in FIRST_LAYER:
            runs[f"{case.kernel} ({backend})"] = lambda _, worker=worker, case=case: worker.call(
                "rate", case.kernel
            )[0]
    values = take_turns(runs, stage.rounds)
    return make_row(f"first layer {FIRST_LAYER[0].sizes}", "GFLOP/s", 1, values)
