"""The long form: ``python -m tests.interchange 50``, so many random nets for each library."""

import sys

from . import test_keras, test_onnx, test_torch

if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    for seed in range(count):
        for module in (test_torch, test_onnx, test_keras):
            module.check(seed)
    sys.stdout.write(f"{count} nets: the outputs of each library are equal to 1e-6\n")
