"""What is compared with PyTorch."""

from .nets import Case

ACTIVATIONS = (
    "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus",
    "mish",
)  # fmt: skip

# Where an activation or a penalty has a kink, a value that lies within rounding of it may fall
# to either side, and two float32 runs part for good.  With these seeds none comes near.
SEEDS = {"relu": 10, "leaky_relu": 3}

CASES = [
    *[Case(activation, seed=SEEDS.get(activation, 0)) for activation in ACTIVATIONS],
    Case("sigmoid", (12, 10, 10, 10, 10, 4), rate=0.5),
    Case("silu", (33, 65, 31, 5), batch_size=33),
    Case("tanh", (1, 3, 2), bias=False),
    Case("linear", (9, 3)),
    Case("gelu", samples=32, batch_size=32),  # an epoch is a step: weights at every one
    Case("tanh", samples=20, batch_size=32),  # and the batch is larger than the data
    Case("silu", batch_size=1, samples=5),
    Case("relu", rate=0.05, momentum=0.9, seed=11),
    Case("tanh", rate=0.05, momentum=0.9, nesterov=True),
    Case("elu", rate=0.05, momentum=0.5, samples=32, batch_size=32),
    Case("sigmoid", loss="categorical_crossentropy", rate=0.5),
    Case("tanh", loss="mean_squared_error"),
    Case("selu", (6, 8, 1), loss="mean_squared_error", last="sigmoid", seed=4),
    Case("tanh", loss="mean_squared_error", last="softmax", rate=0.5),
    Case("softplus", loss="mean_squared_error", rate=0.02, momentum=0.9, nesterov=True),
    Case("tanh", loss="binary_crossentropy", rate=0.5),
    Case("silu", (7, 9, 1), loss="binary_crossentropy", rate=0.5),
    Case("tanh", loss="huber", rate=0.5, target_scale=3.0),
    Case("tanh", loss="mean_absolute_error", rate=0.01, target_scale=9.0),
    Case("tanh", l1=0.001, l2=0.01, seed=9),
    Case("relu", l1=0.002, rate=0.05, momentum=0.9, seed=1),
]
