"""The plan's alphabet: what the rows and columns of a lowered net mean.

A net is a table of ``int64`` with one row per operation and the columns of
:class:`Column`, beside a table of ``float64`` with the same rows and the columns
of :class:`Scalar`.  Nothing else about a net reaches a kernel.

Values live in one flat workspace.  A buffer is named by its offset *in features*:
with room for ``capacity`` samples, buffer ``f`` starts at element ``f * capacity``.
A batch of ``n`` samples uses the first ``features * n`` elements of a buffer, as
``(features, n)``: the vector unit runs along the batch.  Buffers marked ``ROWS``,
those up to the first dense layer, are ``(n, features)`` instead, as data sets are.
"""

from enum import IntEnum


class Op(IntEnum):
    """What a row does."""

    INPUT = 0  # gather the batch's samples, converting and rescaling them
    DENSE = 1
    ACTIVATION = 2
    SOFTMAX = 3
    RESCALE = 4
    TRANSPOSE = 5  # from (n, features) to (features, n)
    DROPOUT = 6
    PENALTY = 7  # on a tensor of the row before; passes its input through
    CUSTOM = 8  # a layer written in Python: only `walk` can run it
    SOFTMAX_CROSSENTROPY = 9
    MEAN_SQUARED_ERROR = 10


FIRST_LOSS = Op.SOFTMAX_CROSSENTROPY


class Column(IntEnum):
    """The integer columns of a table."""

    OP = 0
    KIND = 1  # which activation
    LAYER = 2  # index in Sequential.layers, for messages and telemetry
    INPUTS = 3  # features in
    OUTPUTS = 4  # features out
    X = 5  # input buffer; INPUT: the end of the last buffer
    Y = 6  # output buffer, DROPOUT: then the mask; a loss: scratch of two features
    WEIGHTS = 7  # offset of the kernel (outputs, inputs), or of the row's tensor, in the parameters
    BIAS = 8  # offset of the bias (outputs,), or -1
    SIZE = 9  # number of parameters, from WEIGHTS on
    ROWS = 10  # 1 if X is (n, features)
    INPUT_GRADIENT = 11  # 1 if something below wants to know dL/dX
    KEY = 12  # DROPOUT: of its random numbers
    X_ROWS = 13  # DENSE: where X is, or is to be put, as (n, features); -1 if that is not wanted


class Scalar(IntEnum):
    """The real columns of a table."""

    ALPHA = 0  # slope or scale of an activation
    SCALE = 1  # INPUT and RESCALE compute x * SCALE + OFFSET, DENSE SCALE * W x + b
    OFFSET = 2
    RATE = 3  # of dropout
    L1 = 4
    L2 = 5


class Activation(IntEnum):
    """The ``KIND`` of an ``ACTIVATION`` row."""

    SIGMOID = 0
    TANH = 1
    RELU = 2
    LEAKY_RELU = 3
    ELU = 4
    SELU = 5
    GELU = 6
    SILU = 7
    SOFTPLUS = 8


class Mode(IntEnum):
    """What an engine's ``run`` does with each batch."""

    PREDICT = 0  # all rows; fills `outputs`
    EVALUATE = 1  # up to the loss; fills `totals`
    GRADIENT = 2  # and back; fills `gradient` with the mean over the batch
    TRAIN = 3  # and steps along it


class Masks(IntEnum):
    """What dropout does in a forward pass."""

    OFF = 0  # nothing: the net predicts
    DRAW = 1  # a mask for the step
    HOLD = 2  # use the mask that the buffer holds


class Hyper(IntEnum):
    """The optimizer's numbers, as ``run`` receives them."""

    LEARNING_RATE = 0
    MOMENTUM = 1
    NESTEROV = 2


class Total(IntEnum):
    """What ``run`` adds up over the samples it sees."""

    LOSS = 0  # of the data, without penalties
    CORRECT = 1
    SAMPLES = 2
    PENALTY = 3  # times the number of samples, so that it has the same mean


class Telemetry(IntEnum):
    """What is recorded of a row at a step, when telemetry is asked for."""

    GRADIENT_NORM = 0  # of the row's parameters
    UPDATE_RATIO = 1  # |step| / |parameters|
    MEAN = 2  # of the activation's outputs
    STD = 3
    SATURATED = 4  # share of outputs with |slope| below 0.01
    DEAD = 5  # share of units that are saturated on the whole batch


# The gradient of a layer's weights reads its inputs as (n, features), turning them round if need
# be.  Up to this many outputs it is faster to leave them, and to sum across the vectors.
FEW_OUTPUTS = 16

SELU_ALPHA = 1.6732632423543772848
SELU_SCALE = 1.0507009873554804934
SATURATED_SLOPE = 0.01

# Where a penalty's step is rounded up depends on (step * STEP_STRIDE + i * ELEMENT_STRIDE) modulo
# 2^32.  The strides are 2^32 / g and 2^32 / g^2 for the root of g^3 = g + 1: so no two of these
# numbers are near each other, for many steps and elements.
STEP_STRIDE = 0xC13FA9A9
ELEMENT_STRIDE = 0x91E10DA5
