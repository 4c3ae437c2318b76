"""The contract with the kernels: what a lowered net means, and the arguments of every call.

A net is a table of ``int64`` with one row per operation and the columns of
:class:`Column`, beside a table of ``float64`` with the same rows and the columns
of :class:`Scalar`; and two such tables with a row for each of its tensors, the columns of
:class:`Tensor` and of :class:`Factor`.  Nothing else about a net reaches a kernel.

Values live in one flat workspace.  A buffer is named by its offset *in features*:
with room for ``capacity`` samples, buffer ``f`` starts at element ``f * capacity``.
A batch of ``n`` samples uses the first ``features * n`` elements of a buffer, as
``(features, n)``: the vector unit runs along the batch.  Buffers marked ``ROWS``,
those up to the first dense layer, are ``(n, features)`` instead, as data sets are.

C's headers and what Cython declares are made from this file when the kernels are built, by
``kernels/c/generate.py``: a new kernel is an entry in :data:`KERNELS` and a function of that name
in each backend, in the file that the entry names.
"""

from enum import IntEnum
from typing import Annotated, Any, NamedTuple


class Op(IntEnum):
    """What a row does."""

    INPUT = 0  # gather the batch's samples, converting and rescaling them
    DENSE = 1
    ACTIVATION = 2
    SOFTMAX = 3
    RESCALE = 4
    TRANSPOSE = 5  # from (n, features) to (features, n)
    DROPOUT = 6  # or another noise, which it keeps as a mask
    CUSTOM = 7  # a layer written in Python: only `walk` can run it
    FORK = 8  # where a branch begins: the gradient of OTHER, where it ends, joins that of X
    ADD = 9  # y = x + OTHER; dx = dy, and the branch's FORK sees to OTHER
    BATCH_NORMALIZATION = 10  # its scratch begins with the batch's means and variances; in the
    # deltas, with the gradients of gamma and beta, whether it has those or not
    LAYER_NORMALIZATION = 11  # its scratch: among the deltas the gradients of gamma and beta; then,
    # for each sample, among the values its mean and its inverse deviation
    # Each feature, of each member, times a number and plus one, or one of both; scratch: their
    # gradients.
    SCALE = 12
    PRELU = 13  # leaky ReLU with a slope for each feature; scratch: the gradient of the slopes
    LOG_SOFTMAX = 14
    EMBEDDING = 15  # whole numbers in the samples become rows of a matrix, its weights
    COLUMNS = 16  # columns of the samples as they are, or as indicators of whole numbers
    ACTIVITY = 17  # a penalty on X, which is Y, too: nothing forward; its slope joins dx
    GROUPED_DENSE = 18  # GROUPS of features, one behind the other, each through a DENSE of its own
    # x + weight (x - activation(x)), with a weight for each feature; scratch: the gradient of the
    # weights, and, behind room for another, the activation's values
    MIXED_ACTIVATION = 19
    LOSS = 20  # compares outputs with the right answers, and sets dx
    METRIC = 21  # adds to totals of its own
    LOSS_VALUE = 22  # a metric too: the value of a loss, of which nothing is learned


# From here on, rows compare outputs with the right answers.
FIRST_LOSS = Op.LOSS


class Scratch(NamedTuple):
    """Memory of a row's own, behind its Y: so many features for each output, and so many more."""

    per_output: int = 0
    more: int = 0


class Form(NamedTuple):
    """What the rows of an operation have, beside an X and a Y."""

    same_width: bool = True  # as many outputs as inputs
    keeps_layout: bool = False  # Y lies as X does; others write (features, n)
    reads_other: bool = False  # a buffer as wide as X
    reads_columns: bool = False  # COLUMNS of X, which is (n, features), from FIRST on
    # Of its own: "matrix" (outputs, inputs) and a bias (outputs,); "vectors" (outputs, members): a
    # scale, a bias, or both; "rows" (categories, outputs / COLUMNS); "blocks", a matrix for each
    # group (groups, outputs / groups, inputs / groups), and a bias (outputs,); and "any".
    weights: str = ""
    running: int = 0  # running statistics: so many for each output
    scratch: Scratch = Scratch()


# Whoever writes rows, or looks at them before a kernel trusts them, goes by this.
FORMS = {
    Op.INPUT: Form(same_width=False),
    Op.DENSE: Form(same_width=False, weights="matrix"),
    Op.ACTIVATION: Form(keeps_layout=True),
    Op.SOFTMAX: Form(scratch=Scratch(more=2)),
    Op.RESCALE: Form(keeps_layout=True),
    Op.TRANSPOSE: Form(),
    Op.DROPOUT: Form(keeps_layout=True, scratch=Scratch(per_output=1)),  # the mask
    Op.CUSTOM: Form(same_width=False, weights="any"),
    Op.FORK: Form(reads_other=True),
    Op.ADD: Form(reads_other=True),
    Op.BATCH_NORMALIZATION: Form(
        weights="vectors",  # gamma, then beta
        running=2,  # the means, then the variances
        scratch=Scratch(per_output=2),
    ),
    Op.LAYER_NORMALIZATION: Form(weights="vectors", scratch=Scratch(per_output=2, more=2)),
    Op.SCALE: Form(weights="vectors", scratch=Scratch(per_output=2)),  # gamma, then beta
    Op.PRELU: Form(weights="vectors", scratch=Scratch(per_output=2)),
    Op.LOG_SOFTMAX: Form(scratch=Scratch(more=2)),
    Op.EMBEDDING: Form(same_width=False, reads_columns=True, weights="rows"),
    Op.COLUMNS: Form(same_width=False, reads_columns=True),
    Op.ACTIVITY: Form(keeps_layout=True),
    Op.GROUPED_DENSE: Form(same_width=False, weights="blocks"),
    Op.MIXED_ACTIVATION: Form(weights="vectors", scratch=Scratch(per_output=3)),
    Op.LOSS: Form(same_width=False, scratch=Scratch(more=2)),
    Op.METRIC: Form(same_width=False),
    Op.LOSS_VALUE: Form(same_width=False, scratch=Scratch(more=2)),
}


class Column(IntEnum):
    """The integer columns of a table."""

    OP = 0
    KIND = 1  # which activation, noise, normalization of a layer, coding, loss or metric
    LAYER = 2  # index in Sequential.layers, for messages and telemetry
    INPUTS = 3  # features in
    OUTPUTS = 4  # features out
    X = 5  # input buffer; INPUT: the end of the last buffer
    Y = 6  # output buffer, then scratch; a loss: scratch alone
    WEIGHTS = 7  # offset of the row's parameters; DENSE: first the kernel (outputs, inputs)
    BIAS = 8  # offset of the bias (outputs,), or -1
    SIZE = 9  # number of parameters, from WEIGHTS on
    ROWS = 10  # 1 if X is (n, features)
    INPUT_GRADIENT = 11  # 1 if something below wants to know dL/dX
    KEY = 12  # DROPOUT: of its random numbers
    # DENSE: where X is as (n, features): at X, or before it, where it was turned round from; or
    # behind it, where it is to be put; -1 if that is not wanted
    X_ROWS = 13
    OTHER = 14  # ADD: the second input buffer; FORK: where its branch ends, the output of that
    RUNNING = 15  # offset in the running statistics
    FIRST_TENSOR = 16  # the row's tensors are those from this one on,
    STOP_TENSOR = 17  # up to this one
    WEIGHTED = 18  # of rows that compare outputs with right answers: 1 if samples have weights
    REDUCTION = 19  # of a loss: which Reduction
    TOTALS = 20  # METRIC: to how many totals it adds
    THRESHOLDS = 21  # METRIC: where its thresholds begin,
    LEVELS = 22  # and how many it has
    FROZEN = 23  # 1 if weights are not trained; BATCH_NORMALIZATION then reads running statistics
    LEARNS = 24  # 1 if the row runs forward as in training also when the net predicts
    FIRST = 25  # EMBEDDING, COLUMNS: which column of X is the first that is read,
    COLUMNS = 26  # and how many are
    # EMBEDDING, COLUMNS, GROUPED_DENSE, ACTIVITY: so many features of Y, which several rows write,
    # come before
    PLACE = 27
    # Of rows with vectors: how many members of an ensemble each feature has numbers for.  The batch
    # has its samples once for each member, a member after the other, so that the (features, n) of
    # a buffer are (features * members, n / members) too.  1, but in SCALE.
    MEMBERS = 28
    GROUPS = 29  # GROUPED_DENSE: how many; else 1


class Scalar(IntEnum):
    """The real columns of a table."""

    # The number of an activation, a loss or a metric; ALPHA_DROPOUT: what is dropped; ACTIVITY: the
    # factor of absolute values
    ALPHA = 0
    SCALE = 1  # INPUT, RESCALE, ALPHA_DROPOUT: x * SCALE + OFFSET; DENSE: SCALE * W x + b
    OFFSET = 2
    RATE = 3  # of dropout; of Gaussian noise, its standard deviation
    EPSILON = 4  # of a normalization: what is added to a variance
    MOMENTUM = 5  # BATCH_NORMALIZATION: the share of running statistics that a step leaves
    BETA = 6  # another number of a loss; ACTIVITY: the factor of squares
    GAMMA = 7  # of a focal loss: the power
    SMOOTHING = 8  # of a cross-entropy: the share of a target that all classes have alike


class Tensor(IntEnum):
    """The integer columns of the table of tensors, which are in the order of the parameters."""

    START = 0  # offset in the parameters
    SIZE = 1
    CONSTRAINT = 2  # what it is brought to after each step
    GROUP = 3  # NORM: so many numbers have a norm together,
    STRIDE = 4  # and lie so far apart


class Factor(IntEnum):
    """The real columns of the table of tensors."""

    L1 = 0  # of a penalty
    L2 = 1
    RATE = 2  # of the learning rate; 0: the tensor is not trained
    DECAY = 3  # of the decay of weights
    LOWEST = 4  # NORM: what norms are brought to,
    HIGHEST = 5  # by which
    SHARE = 6  # share of the distance


class Constraint(IntEnum):
    """What a tensor is brought to after each step; see :mod:`fastmlp.constraints`."""

    NONE = 0
    NON_NEGATIVE = 1
    NORM = 2


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
    MISH = 9
    CELU = 10
    EXPONENTIAL = 11
    HARD_SIGMOID = 12
    HARD_SILU = 13
    HARD_TANH = 14
    HARD_SHRINK = 15
    SOFT_SHRINK = 16
    TANH_SHRINK = 17
    SOFTSIGN = 18
    LOG_SIGMOID = 19
    CLIPPED_RELU = 20  # ALPHA: the largest value
    SQUAREPLUS = 21
    SPARSE_PLUS = 22
    SPARSE_SIGMOID = 23
    THRESHOLD = 24  # x above ALPHA, else 0
    MINIMUM = 25  # x, but at most ALPHA
    JUMP = 26  # x + ALPHA above 0, else x
    COSINE = 27


class Noise(IntEnum):
    """The ``KIND`` of a ``DROPOUT`` row."""

    DROPOUT = 0  # x times a mask of 0 and 1 / (1 - RATE)
    GAUSSIAN_DROPOUT = 1  # x times normal numbers about 1
    GAUSSIAN_NOISE = 2  # x plus normal numbers about 0
    ALPHA_DROPOUT = 3  # x * SCALE + OFFSET, or ALPHA where the mask is 0


class Spread(IntEnum):
    """The ``KIND`` of a ``LAYER_NORMALIZATION`` row: what a sample is divided by the root of."""

    VARIANCE = 0
    MEAN_SQUARE = 1  # the square of the distance from 0 instead of the mean


class Coding(IntEnum):
    """The ``KIND`` of a ``COLUMNS`` row: what becomes of the COLUMNS that it reads."""

    PASS = 0  # what they are, each OUTPUTS / COLUMNS times
    ONE_HOT = 1  # for each column, and each of OUTPUTS / COLUMNS numbers, whether it is that
    MULTI_HOT = 2  # for each of OUTPUTS numbers, whether a column is that,
    NUMBER = 3  # or how many are


class Loss(IntEnum):
    """The ``KIND`` of a ``LOSS`` or ``LOSS_VALUE`` row."""

    SOFTMAX_CROSSENTROPY = 0
    MEAN_SQUARED_ERROR = 1
    HUBER = 2  # ALPHA: up to which error it is a square
    MEAN_ABSOLUTE_ERROR = 3
    SIGMOID_CROSSENTROPY = 4
    MEAN_ABSOLUTE_PERCENTAGE_ERROR = 5
    MEAN_SQUARED_LOGARITHMIC_ERROR = 6
    LOG_COSH = 7
    POISSON = 8
    HINGE = 9
    SQUARED_HINGE = 10
    CATEGORICAL_HINGE = 11
    KL_DIVERGENCE = 12
    COSINE_SIMILARITY = 13
    QUANTILE = 14  # ALPHA: which
    SIGMOID_FOCAL = 15  # ALPHA, BETA: the factors of a target of 1, and of one of 0
    SOFTMAX_FOCAL = 16  # ALPHA: a factor
    PYTHON = 17  # written in Python: only `walk` can run it


class Reduction(IntEnum):
    """What the losses of a batch's samples, each times the sample's weight, become."""

    MEAN = 0  # their sum over the number of samples
    SUM = 1
    WEIGHTED_MEAN = 2  # their sum over that of the weights


class Metric(IntEnum):
    """The ``KIND`` of a ``METRIC`` row."""

    FIRST_MAXIMUM = 0  # whether the largest output is the right one
    BINARY = 1  # the share of outputs that are above ALPHA where their target is 1, and not where 0
    IN_TOP_K = 2  # whether fewer than ALPHA outputs are larger than the right one
    EQUAL = 3  # the share of outputs that are their targets
    # How many outputs with a target of 0, and with another, are above how many of the thresholds:
    # totals[0, k] and totals[1, k] for k of them.  Only those among the ALPHA largest of their
    # sample count, others as -1e10, unless that is 0; only those of the class BETA, unless that is
    # below 0; and if GAMMA is 1, each output has totals of its own, the first's first.
    CONFUSION = 4
    # For each output, how often it says yes and is right, says yes and is wrong, and says no and is
    # wrong.  Above ALPHA it says yes; or, if BETA is 1, where it is the largest and not 0.
    YES = 5
    SQUARES = 6  # for each output, the sums of targets, of their squares, and of squared errors
    PYTHON = 7  # written in Python: only `walk` can run it


# What can compare outputs with integer labels; everything can with targets.
TAKE_LABELS = {
    Op.LOSS: (Loss.SOFTMAX_CROSSENTROPY, Loss.PYTHON),
    Op.METRIC: (Metric.FIRST_MAXIMUM, Metric.IN_TOP_K, Metric.PYTHON),
    Op.LOSS_VALUE: (Loss.SOFTMAX_CROSSENTROPY,),
}


class Mode(IntEnum):
    """What an engine's ``run`` does with each batch."""

    PREDICT = 0  # all rows; fills `outputs`
    EVALUATE = 1  # up to the loss; fills `totals`
    GRADIENT = 2  # and back; fills `gradient` with the mean over the batch
    TRAIN = 3  # and steps along it
    SAMPLE = 4  # as PREDICT, with rows run as in training


class Phase(IntEnum):
    """How a row that behaves differently in training is run forward."""

    PREDICT = 0  # no mask, and running statistics
    LEARN = 1  # a mask drawn for the step, and the batch's statistics
    REPLAY = 2  # the mask that the buffer holds, and the batch's statistics

    # Running statistics change with the weights: in a step, and not if its loss is not finite.


class Rule(IntEnum):
    """How an optimizer turns a gradient into a step; see :mod:`fastmlp.optimizers`."""

    DESCENT = 0  # no moments: each layer steps as soon as its part of the gradient is known
    MOMENTUM = 1  # one moment, the velocity
    ADAM = 2  # two moments, the means of the gradient and of its square
    WHOLE_DESCENT = 3  # no moments, and a step once the whole gradient is known
    RMSPROP = 4  # one moment, the mean of the square
    RMSPROP_MOMENTUM = 5  # and the velocity
    RMSPROP_CENTERED = 6  # and the mean of the gradient
    ADAGRAD = 7  # one moment, the sum of the squares
    ADADELTA = 8  # two moments, the means of the squares of the gradient and of the change
    AMSGRAD = 9  # those of ADAM, and the largest mean of the square so far
    ADAMAX = 10  # two moments, the mean of the gradient and its decaying maximum
    NADAM = 11  # those of ADAM
    LION = 12  # one moment, the mean of the gradient


MOMENTS = {
    Rule.DESCENT: 0,
    Rule.MOMENTUM: 1,
    Rule.ADAM: 2,
    Rule.WHOLE_DESCENT: 0,
    Rule.RMSPROP: 1,
    Rule.RMSPROP_MOMENTUM: 2,
    Rule.RMSPROP_CENTERED: 3,
    Rule.ADAGRAD: 1,
    Rule.ADADELTA: 2,
    Rule.AMSGRAD: 3,
    Rule.ADAMAX: 2,
    Rule.NADAM: 2,
    Rule.LION: 1,
}


class Number(IntEnum):
    """The numbers of a rule, apart from the learning rate; those of other rules are 0."""

    MOMENTUM = 0
    NESTEROV = 1
    BETA_1 = 2
    BETA_2 = 3
    EPSILON = 4
    WEIGHT_DECAY = 5
    RHO = 6
    INITIAL_ACCUMULATOR_VALUE = 7
    # What a step's gradient is clipped to, with its penalties; 0: nothing.
    CLIPVALUE = 8
    CLIPNORM = 9
    GLOBAL_CLIPNORM = 10
    USE_EMA = 11  # 1: the last moment is a running mean of the parameters, at first NaN
    EMA_MOMENTUM = 12
    EMA_OVERWRITE_FREQUENCY = 13  # after so many steps, they become that mean; 0: never
    STEPS_BEFORE = 14  # of the net, before the moments began: a rule counts from there


class Total(IntEnum):
    """What ``run`` adds up over the samples it sees; the totals of each metric's row follow."""

    LOSS = 0  # of the data, without penalties
    SAMPLES = 1
    PENALTY = 2  # times the number of samples, so that it has the same mean
    WEIGHTS = 3  # of the samples, each 1 where there are none


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

# The product of a first layer sums along the samples as they lie.  Up to this many inputs, and for
# more than a few outputs, it is faster to turn the samples round first, so that no sum ends across
# a vector.
FEW_INPUTS = 64

LOSS_EPSILON = 1e-7  # Keras': keeps losses from dividing by 0, and from its logarithm
OUT_OF_TOP_K = -1e10  # Keras': what an output counts as that is not among the largest

SELU_ALPHA = 1.6732632423543772848
SELU_SCALE = 1.0507009873554804934
SATURATED_SLOPE = 0.01

# Added to a norm before a division by it, in a constraint: Keras' epsilon.
NORM_EPSILON = 1e-7

# Where a penalty's step is rounded up depends on (step * STEP_STRIDE + i * ELEMENT_STRIDE) modulo
# 2^32.  The strides are 2^32 / g and 2^32 / g^2 for the root of g^3 = g + 1: so no two of these
# numbers are near each other, for many steps and elements.
STEP_STRIDE = 0xC13FA9A9
ELEMENT_STRIDE = 0x91E10DA5

ENUMS = (
    Op,
    Column,
    Scalar,
    Tensor,
    Factor,
    Constraint,
    Activation,
    Noise,
    Spread,
    Coding,
    Loss,
    Reduction,
    Metric,
    Mode,
    Phase,
    Rule,
    Number,
    Total,
    Telemetry,
)
CONSTANTS = ("FIRST_LOSS", "LOSS_EPSILON", "OUT_OF_TOP_K", "SELU_ALPHA", "SELU_SCALE",
             "SATURATED_SLOPE", "NORM_EPSILON", "STEP_STRIDE", "ELEMENT_STRIDE")  # fmt: skip


# A call of the engine takes these groups.  Beside its type, each array says what it holds in C, and
# its axes; in C it is a pointer, NULL if it is empty, beside its shape.  An array that does not
# apply is empty.


class Net(NamedTuple):
    """A lowered net, with what training changes."""

    table: Annotated[Any, "const int64_t", "rows columns"]
    reals: Annotated[Any, "const double", "rows scalars"]
    tensors: Annotated[Any, "const int64_t", "tensors columns"]
    factors: Annotated[Any, "const double", "tensors factors"]
    thresholds: Annotated[Any, "const double", "levels"]  # of metrics, each one's in rising order
    params: Annotated[Any, "real", "size"]
    gradient: Annotated[Any, "real", "size"]
    moments: Annotated[Any, "real", "moments*size"]
    running: Annotated[Any, "real", "statistics"]
    rule: int
    numbers: Annotated[Any, "const double", "numbers"]


class Memory(NamedTuple):
    """The workspace: all buffers of a net for a batch, and their gradients."""

    values: Annotated[Any, "real", "features*capacity"]
    deltas: Annotated[Any, "real", "features*capacity"]


class Batches(NamedTuple):
    """Batches from ``first`` up to ``stop``: batch b is ``order[b * size : (b + 1) * size]``."""

    samples: Annotated[Any, "const uint8_t", "count bytes"]  # bytes, or reals seen as bytes
    labels: Annotated[Any, "const int64_t", "count"]
    targets: Annotated[Any, "const real", "count features"]
    weights: Annotated[Any, "const real", "count"]  # of samples; empty if all weigh the same
    order: Annotated[Any, "const int64_t", "samples"]
    size: int
    first: int
    stop: int


class Course(NamedTuple):
    """What is done with each batch, and what is kept of it."""

    mode: int
    first_step: int  # the number of the step of batch 0
    rates: Annotated[Any, "const double", "batches"]  # the learning rate of each batch
    totals: Annotated[Any, "double", "totals"]
    outputs: Annotated[Any, "real", "samples features"]
    telemetry: Annotated[Any, "double", "records rows fields"]
    telemetry_every: int  # record each batch whose number is a multiple of it; 0: none
    before: Annotated[Any, "real", "size"]  # the parameters before a step that is recorded


class Team(NamedTuple):
    """A thread's number, how many there are, and the memory of their barrier, 0 at first."""

    thread: int
    threads: int
    barrier: Annotated[Any, "int64_t", "places"]


class Trial(NamedTuple):
    """What a numeric gradient asks for: the loss with one parameter at a time moved up and down."""

    moved: Annotated[Any, "real", "features*capacity"]  # a workspace, changed
    indices: Annotated[Any, "const int64_t", "count"]  # of parameters
    steps: Annotated[Any, "const double", "count"]
    keeps_branches: int  # 1: an activation goes on as on the side of its kink where it began
    losses: Annotated[Any, "double", "count sides"]  # at +step and -step
    crossed: Annotated[Any, "uint8_t", "count"]  # 1: an activation's input crossed its kink


RUN = (Net, Memory, Batches, Course, Team)  # what an engine's ``run`` takes
PROBE = (Net, Memory, Batches, Trial)


class Field(NamedTuple):
    """A field of a group: its C type, and how many axes it has; a number has none."""

    name: str
    kind: str
    axes: int


def fields_of(group: Any) -> list[Field]:
    """Return the fields of a group."""

    def field(name: str, kind: Any) -> Field:
        if kind is int:
            return Field(name, "int64_t", 0)
        in_c, axes = kind.__metadata__
        return Field(name, in_c, len(axes.split()))

    return [field(name, kind) for name, kind in group.__annotations__.items()]


class Kernel(NamedTuple):
    """A kernel: the same name and arguments in every backend.

    An argument is ``"name"`` for a real number, ``"name: int64_t"`` for another, or an array:
    ``"name[axis, axis]"`` of reals, ``"name[axis]: int64_t"`` of others.  Behind the name, ``!``
    marks what the kernel changes and ``?`` an array that may be empty.  In C, arrays are pointers,
    and the ``sizes`` follow as further arguments.
    """

    file: str
    arguments: tuple[str, ...]
    sizes: tuple[str, ...]
    returns: str = "void"


def _kernel(file: str, arguments: str, sizes: str, returns: str = "void") -> Kernel:
    return Kernel(file, tuple(arguments.split("; ")), tuple(sizes.split()), returns)


# C reads the files in this order: a file may use those before it.
KERNELS = {
    "rescale": _kernel("elementwise", "scale; offset; x[size]; y![size]", "size"),
    "multiply": _kernel("elementwise", "x[size]; mask[size]; y![size]", "size"),
    "add": _kernel("elementwise", "x[size]; other[size]; y![size]", "size"),
    "transpose": _kernel("elementwise", "x[n, features]; y![features, n]", "features n"),
    "gather_bytes": _kernel(
        "gather",
        "data[count, features]: uint8_t; rows[n]: int64_t; scale; offset; out![n, features]",
        "features n",
    ),
    "gather_reals": _kernel(
        "gather", "data[count, features]; rows[n]: int64_t; scale; offset; out![n, features]",
        "features n",
    ),
    # The left factor may have any strides, counted in elements: C's arguments are more.
    "matmul_nn": _kernel("matmul", "a[m, k]; b[k, n]; scale; out![m, n]", "m k n"),
    "matmul_nt": _kernel("matmul", "a[m, k]; b[n, k]; scale; out![m, n]", "m k n"),
    "dense_forward": _kernel(
        "dense", "x[inputs, n]; weights[outputs, inputs]; bias?[outputs]; y![outputs, n]",
        "outputs inputs n",
    ),
    "dense_forward_rows": _kernel(
        "dense", "x[n, inputs]; weights[outputs, inputs]; bias?[outputs]; scale; y![outputs, n]",
        "outputs inputs n",
    ),
    "dense_input_gradient": _kernel(
        "dense", "weights[outputs, inputs]; dy[outputs, n]; dx![inputs, n]", "outputs inputs n"
    ),
    "dense_weight_update": _kernel(
        "dense", "x[inputs, n]; dy[outputs, n]; scale; weights![outputs, inputs]",
        "outputs inputs n",
    ),
    "dense_weight_update_rows": _kernel(
        "dense", "x[n, inputs]; dy[outputs, n]; scale; weights![outputs, inputs]",
        "outputs inputs n",
    ),
    "dense_weight_gradient": _kernel(
        "dense", "x[inputs, n]; dy[outputs, n]; dweights![outputs, inputs]", "outputs inputs n"
    ),
    "dense_weight_gradient_rows": _kernel(
        "dense", "x[n, inputs]; dy[outputs, n]; scale; dweights![outputs, inputs]",
        "outputs inputs n",
    ),
    "dense_bias_update": _kernel("dense", "dy[outputs, n]; scale; bias!?[outputs]", "outputs n"),
    "dense_bias_gradient": _kernel("dense", "dy[outputs, n]; dbias!?[outputs]", "outputs n"),
    "activation_forward": _kernel(
        "activations", "kind: int64_t; alpha; x[size]; y![size]", "size"
    ),
    "activation_backward": _kernel(
        "activations", "kind: int64_t; alpha; x[size]; y[size]; dy[size]; dx![size]", "size"
    ),
    "softmax_forward": _kernel(
        "softmax", "x[features, n]; scratch![2, n]; y![features, n]", "features n"
    ),
    "softmax_backward": _kernel(
        "softmax", "y[features, n]; dy[features, n]; scratch![2, n]; dx![features, n]", "features n"
    ),
    "log_softmax_forward": _kernel(
        "softmax", "x[features, n]; scratch![2, n]; y![features, n]", "features n"
    ),
    "log_softmax_backward": _kernel(
        "softmax", "y[features, n]; dy[features, n]; scratch![2, n]; dx![features, n]", "features n"
    ),
    "batch_statistics": _kernel(
        "normalization", "x[features, n]; mean![features]; variance![features]", "features n"
    ),
    "running_update": _kernel(
        "normalization", "momentum: double; batch[size]; running![size]", "size"
    ),
    "batchnorm_forward": _kernel(
        "normalization",
        "epsilon: double; x[features, n]; mean[features]; variance[features]; gamma?[features]; "
        "beta?[features]; y![features, n]",
        "features n",
    ),
    "batchnorm_weight_gradient": _kernel(
        "normalization",
        "epsilon: double; x[features, n]; mean[features]; variance[features]; dy[features, n]; "
        "dgamma![features]; dbeta![features]",
        "features n",
    ),
    "batchnorm_input_gradient": _kernel(
        "normalization",
        "epsilon: double; x[features, n]; mean[features]; variance[features]; gamma?[features]; "
        "dgamma[features]; dbeta[features]; dy[features, n]; dx![features, n]",
        "features n",
    ),
    "layernorm_forward": _kernel(
        "normalization",
        "kind: int64_t; epsilon: double; x[features, n]; gamma?[features]; beta?[features]; "
        "scratch![2, n]; y![features, n]",
        "features n",
    ),
    "layernorm_weight_gradient": _kernel(
        "normalization",
        "x[features, n]; statistics[2, n]; dy[features, n]; dgamma![features]; dbeta![features]",
        "features n",
    ),
    "layernorm_input_gradient": _kernel(
        "normalization",
        "kind: int64_t; x[features, n]; statistics[2, n]; gamma?[features]; dy[features, n]; "
        "scratch![2, n]; dx![features, n]",
        "features n",
    ),
    "scale_forward": _kernel(
        "scaling", "x[features, n]; gamma?[features]; beta?[features]; y![features, n]",
        "features n",
    ),
    "scale_weight_gradient": _kernel(
        "scaling", "x[features, n]; dy[features, n]; dgamma![features]; dbeta![features]",
        "features n",
    ),
    "mix_forward": _kernel(
        "scaling", "x[features, n]; other[features, n]; weights[features]; y![features, n]",
        "features n",
    ),
    "mix_weight_gradient": _kernel(
        "scaling", "x[features, n]; other[features, n]; dy[features, n]; dweights![features]",
        "features n",
    ),
    "prelu_forward": _kernel(
        "scaling", "x[features, n]; slopes[features]; y![features, n]", "features n"
    ),
    "prelu_weight_gradient": _kernel(
        "scaling", "x[features, n]; dy[features, n]; dslopes![features]", "features n"
    ),
    "prelu_input_gradient": _kernel(
        "scaling", "x[features, n]; slopes[features]; dy[features, n]; dx![features, n]",
        "features n",
    ),
    # y and dy may be a part of the outputs, from the number `output` on; the table a part of its
    # rows, from `category` on.
    "embedding_forward": _kernel(
        "columns",
        "first: int64_t; output: int64_t; x[n, inputs]; rows[categories, width]; y![outputs, n]",
        "inputs n categories width outputs",
    ),
    "embedding_gradient": _kernel(
        "columns",
        "first: int64_t; category: int64_t; x[n, inputs]; dy[outputs, n]; "
        "drows![categories, width]",
        "inputs n categories width outputs",
    ),
    "embedding_update": _kernel(
        "columns",
        "first: int64_t; category: int64_t; scale; x[n, inputs]; dy[outputs, n]; "
        "rows![categories, width]",
        "inputs n categories width outputs",
    ),
    "columns_forward": _kernel(
        "columns",
        "kind: int64_t; first: int64_t; columns: int64_t; categories: int64_t; output: int64_t; "
        "x[n, inputs]; y![outputs, n]",
        "inputs n outputs",
    ),
    # Of labels and targets one is empty.
    "loss": _kernel(
        "losses",
        "kind: int64_t; reduction: int64_t; x[features, n]; rows[n]: int64_t; "
        "labels?[labels]: int64_t; targets?[count, features]; weights?[weights]; "
        "reals[scalars]: double; scratch![2, n]; dx![features, n]",
        "features n", "double",
    ),
    "metric": _kernel(
        "metrics",
        "kind: int64_t; x[features, n]; rows[n]: int64_t; labels?[labels]: int64_t; "
        "targets?[count, features]; weights?[weights]; reals[scalars]: double; "
        "thresholds?[levels]: double; totals![totals]: double",
        "features n levels",
    ),
    "dropout_mask": _kernel(
        "dropout", "key: int64_t; step: int64_t; rate: double; mask![size]", "size"
    ),
    "normal_mask": _kernel(
        "dropout",
        "key: int64_t; step: int64_t; mean: double; deviation: double; mask![size]", "size"
    ),
    "alpha_dropout": _kernel(
        "dropout", "scale; offset; dropped; x[size]; mask[size]; y![size]", "size"
    ),
    "penalty": _kernel("penalties", "l1: double; l2: double; weights[size]", "size", "double"),
    "penalty_gradient": _kernel(
        "penalties", "l1; l2; step: int64_t; first: int64_t; weights[size]; gradient![size]", "size"
    ),
    "penalty_update": _kernel(
        "penalties", "l1; l2; rate; step: int64_t; first: int64_t; weights![size]", "size"
    ),
    "activity_gradient": _kernel("penalties", "l1; l2; y[size]; dy![size]", "size"),
    "optimizer_step": _kernel(
        "optimizers",
        "rule: int64_t; rate: double; decay: double; step: int64_t; evenly: int64_t; "
        "first: int64_t; params![size]; gradient[size]; first_moment!?[size]; "
        "second_moment!?[size]; third_moment!?[size]; numbers[numbers]: double",
        "size",
    ),
    "square_sum": _kernel("optimizers", "values[size]", "size", "double"),
    "average_step": _kernel(
        "optimizers", "momentum: double; params[size]; average![size]", "size"
    ),
    "constrain": _kernel(
        "constraints",
        "kind: int64_t; lowest: double; highest: double; share: double; group: int64_t; "
        "stride: int64_t; first: int64_t; stop: int64_t; weights![size]",
        "size",
    ),
    "clip_values": _kernel("optimizers", "limit; values![size]", "size"),
    "record_values": _kernel("telemetry", "y[size]; out![fields]: double", "size"),
    "record_slopes": _kernel(
        "telemetry",
        "kind: int64_t; alpha; x[size]; y[size]; n: int64_t; rows: int64_t; scratch![size]; "
        "out![fields]: double",
        "size",
    ),
    "record_step": _kernel(
        "telemetry", "before[size]; after[size]; gradient[size]; out![fields]: double", "size"
    ),
}  # fmt: skip
