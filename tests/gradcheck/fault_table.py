"""Which faults are planted, by name."""

from fastmlp.kernels.contract import Activation
from tests.gradcheck.faults import (
    BATCH,
    BESIDE,
    BIASES,
    KERNELS,
    LOSS,
    PENALIZED,
    TENSORS,
    UNITS,
    Fault,
    after,
    all_kernels_twice,
    diagonal_only,
    down_from,
    everywhere,
    forget_the_mask,
    forget_the_one_hot,
    halve_the_penalty,
    instead,
    leave_as_in_an_earlier_batch,
    leave_out_l1,
    lose_a_unit,
    multiply_last,
    no_batch_mean,
    of_activation,
    of_bias,
    of_kernel,
    own,
    penalty_over_batch,
    put_nan,
    regressor,
    roll_units,
    subtract_the_penalty,
    transpose,
    use_first_sample_only,
    zero_last,
)

FIRST, SECOND = TENSORS[:2], TENSORS[:4]
THIRD = TENSORS[:6]
ABOVE_SECOND = "what third hands down, the backward pass of dropout"


def one_kernel(layer, change, finding):
    name = f"{layer}/kernel"
    return Fault(of_kernel(layer, change), [name], own(name), {name: finding})


def penalty(kernel, finding, wrong=PENALIZED):
    return Fault(
        instead("penalty_gradient", kernel), wrong, own(*wrong), dict.fromkeys(wrong, finding)
    )


FAULTS = {
    "zero": one_kernel("third", zero_last, "^zero: the analytic gradient is 0 where"),
    "zero but for the penalty": one_kernel("second", zero_last, "^zero: all but .* penalty"),
    "sign": one_kernel("third", multiply_last(-1), "^sign: the analytic gradient is the negative"),
    "twice": one_kernel("first", multiply_last(2), "^scale: 2 times"),
    "twice beside a penalty": one_kernel("output", multiply_last(2), f"^scale: 2 times .*{BESIDE}"),
    "a ten-trillionth": one_kernel("third", multiply_last(1e-13), "^scale: 1e-13 times"),
    "divided by the batch twice": one_kernel(
        "third", multiply_last(1 / BATCH), f"^scale: {BATCH} times too small.*twice"
    ),
    "transposed": one_kernel("third", transpose, "^transposed$"),
    "transposed beside a penalty": one_kernel("output", transpose, f"^transposed{BESIDE}"),
    "units off by one": one_kernel("third", roll_units, "^shifted: its units are off by one$"),
    "a unit lost": one_kernel("third", lose_a_unit, "^partly zero: the gradient of 1 of 4 units"),
    "only the first sample": one_kernel("third", use_first_sample_only, "^no simple pattern"),
    "an earlier batch": Fault(
        leave_as_in_an_earlier_batch,
        ["first/kernel"],
        own("first/kernel"),
        {"first/kernel": "^no simple pattern"},
    ),
    "no bias": Fault(
        instead("dense_bias_gradient", lambda dy, dbias: None),
        BIASES,
        own(*BIASES),
        dict.fromkeys(BIASES, "^zero: the analytic"),
    ),
    "bias off by one": Fault(
        of_bias("output", roll_units),
        ["output/bias"],
        own("output/bias"),
        {"output/bias": "^shifted: its units are off by one$"},
    ),
    "not a number": Fault(
        of_bias("output", put_nan),
        ["output/bias"],
        own("output/bias"),
        {"output/bias": "^not finite: the analytic gradient"},
    ),
    "all kernels twice": Fault(
        all_kernels_twice,
        KERNELS,
        own(*KERNELS),
        dict.fromkeys(KERNELS, "^scale: 2 times"),
    ),
    "no penalty": penalty(lambda *arrays: None, "^missing term: the gradient of the penalty$"),
    "half the penalty": penalty(halve_the_penalty, "^scale: the gradient of the penalty .* half$"),
    "penalty over batch": penalty(penalty_over_batch, "^scale: .* penalty is divided by the batch"),
    "penalty subtracted": penalty(subtract_the_penalty, "^sign: .* the penalty is subtracted$"),
    "no L1": penalty(leave_out_l1, "^missing term: the gradient of the L1$", ["output/kernel"]),
    "no batch mean": Fault(
        after("loss", no_batch_mean),
        TENSORS,
        down_from("output", LOSS),
        everywhere(f"missing batch mean: {BATCH} times too large, the batch's sum"),
    ),
    "no one-hot": Fault(after("loss", forget_the_one_hot), TENSORS, down_from("output", LOSS)),
    "softplus has no derivative": Fault(
        of_activation(Activation.SOFTPLUS, lambda x, y: 1),
        THIRD,
        down_from("third", "what output hands down", "the backward pass of third/softplus"),
    ),
    "tanh has no derivative": Fault(
        of_activation(Activation.TANH, lambda x, y: 1),
        SECOND,
        down_from("second", ABOVE_SECOND, "the backward pass of second/tanh"),
    ),
    "derivative at the output for one at the input": Fault(
        of_activation(Activation.TANH, lambda x, y: 1 - x**2),
        SECOND,
        down_from("second", ABOVE_SECOND, "the backward pass of second/tanh"),
    ),
    "tanh's derivative for sigmoid's": Fault(
        of_activation(Activation.SIGMOID, lambda x, y: 1 - y**2),
        FIRST,
        "^in kernel and bias of first, while the gradient that arrives at second is right: look "
        "at what second hands down, the backward pass of first/sigmoid and how first computes its "
        "own gradient$",
    ),
    "mask forgotten on the way back": Fault(
        forget_the_mask, SECOND, down_from("second", ABOVE_SECOND, "the backward pass of .*tanh")
    ),
    "twice handed down": Fault(
        after("dense_input_gradient", multiply_last(2), units=UNITS["second"]),
        SECOND,
        down_from("second", "what third hands down.*"),
        {"first/kernel": "^scale: 2 times", "second/kernel": f"^scale: 2 times .*{BESIDE}"},
    ),
    "nothing handed down": Fault(
        after("dense_input_gradient", zero_last, units=UNITS["second"]),
        SECOND,
        down_from("second", "what third hands down.*"),
        {
            "first/bias": "^zero: the",
            "second/kernel": "^zero: all but",
            "second/bias": "^zero: the",
        },
    ),
    "squared error without its 2": Fault(
        after("loss", multiply_last(0.5)),
        TENSORS,
        down_from(
            "output",
            "the backward pass of mean_squared_error",
            "the backward pass of output/softmax",
        ),
        dict.fromkeys(TENSORS, "^scale: 0.5 times"),
        regressor,
    ),
    "softmax's Jacobian without what is off its diagonal": Fault(
        after("softmax_backward", diagonal_only),
        TENSORS,
        down_from(
            "output",
            "the backward pass of mean_squared_error",
            "the backward pass of output/softmax",
        ),
        {},
        regressor,
    ),
}
