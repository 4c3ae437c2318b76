"""One thread for torch: its nets here are so small that a second one makes them slower."""

import torch

import fastmlp  # noqa: F401  (Numba's runtime wants to be loaded before torch's)

torch.set_num_threads(1)
