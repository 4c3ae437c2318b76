# What Python sees of the C kernels: the functions of kernels.compiled, with the same arguments.
#
# Read twice, like kernels.h: by f32.pyx with REAL float and by f64.pyx with REAL double.  Each
# function checks that shapes fit together, and hands pointers over.  Arrays must be C-contiguous
# unless it says otherwise; what is only read may be read-only.

from libc.stdint cimport int64_t, uint8_t

cdef extern from "dispatch.h" nogil:
    ctypedef struct Job:
        int64_t mode
        const int64_t *table
        int64_t table_rows
        const double *reals
        REAL *params
        int64_t params_size
        REAL *gradient
        REAL *velocity
        const double *hyper
        REAL *values
        REAL *deltas
        int64_t workspace_size
        const uint8_t *samples
        int64_t sample_bytes
        const int64_t *labels
        const REAL *targets
        const int64_t *order
        int64_t order_size
        int64_t batch_size
        int64_t first, last
        int64_t first_step
        int64_t wants_accuracy
        double *totals
        REAL *outputs
        double *telemetry
        int64_t telemetry_every
        int64_t thread, threads
        int64_t *barrier

    ctypedef struct Trial:
        const int64_t *table
        const double *reals
        REAL *params
        const REAL *values
        REAL *moved
        REAL *deltas
        int64_t workspace_size
        const int64_t *labels
        const REAL *targets
        const int64_t *rows
        int64_t n
        const int64_t *indices
        const double *steps
        int64_t count
        int64_t keeps_branches
        double *losses
        uint8_t *crossed

    ctypedef struct Kernels:
        int64_t (*run)(const Job *) noexcept nogil
        void (*probe)(const Trial *) noexcept nogil
        void (*matmul_nn)(const REAL *, int64_t, int64_t, const REAL *, REAL, REAL *, int64_t,
                          int64_t, int64_t) noexcept nogil
        void (*matmul_nt)(const REAL *, const REAL *, REAL, REAL *, int64_t, int64_t,
                          int64_t) noexcept nogil
        void (*dense_forward)(const REAL *, const REAL *, const REAL *, REAL *, int64_t, int64_t,
                              int64_t) noexcept nogil
        void (*dense_forward_rows)(const REAL *, const REAL *, const REAL *, REAL, REAL *, int64_t,
                                   int64_t, int64_t) noexcept nogil
        void (*dense_input_gradient)(const REAL *, const REAL *, REAL *, int64_t, int64_t,
                                     int64_t) noexcept nogil
        void (*dense_weight_update)(const REAL *, const REAL *, REAL, REAL *, int64_t, int64_t,
                                    int64_t) noexcept nogil
        void (*dense_weight_update_rows)(const REAL *, const REAL *, REAL, REAL *, int64_t,
                                         int64_t, int64_t) noexcept nogil
        void (*dense_weight_gradient)(const REAL *, const REAL *, REAL *, int64_t, int64_t,
                                      int64_t) noexcept nogil
        void (*dense_weight_gradient_rows)(const REAL *, const REAL *, REAL, REAL *, int64_t,
                                           int64_t, int64_t) noexcept nogil
        void (*dense_bias_update)(const REAL *, REAL, REAL *, int64_t, int64_t) noexcept nogil
        void (*dense_bias_gradient)(const REAL *, REAL *, int64_t, int64_t) noexcept nogil
        void (*activation_forward)(int64_t, REAL, const REAL *, REAL *, int64_t) noexcept nogil
        void (*activation_backward)(int64_t, REAL, const REAL *, const REAL *, const REAL *,
                                    REAL *, int64_t) noexcept nogil
        void (*softmax_forward)(const REAL *, REAL *, REAL *, int64_t, int64_t) noexcept nogil
        void (*softmax_backward)(const REAL *, const REAL *, REAL *, REAL *, int64_t,
                                 int64_t) noexcept nogil
        double (*softmax_crossentropy_labels)(const REAL *, const int64_t *, const int64_t *,
                                              REAL *, REAL *, int64_t, int64_t) noexcept nogil
        double (*softmax_crossentropy_targets)(const REAL *, const int64_t *, const REAL *,
                                               REAL *, REAL *, int64_t, int64_t) noexcept nogil
        double (*mean_squared_error)(const REAL *, const int64_t *, const REAL *, REAL *, int64_t,
                                     int64_t) noexcept nogil
        int64_t (*count_correct_labels)(const REAL *, const int64_t *, const int64_t *, int64_t,
                                        int64_t) noexcept nogil
        int64_t (*count_correct_targets)(const REAL *, const int64_t *, const REAL *, int64_t,
                                         int64_t) noexcept nogil
        void (*dropout_mask)(int64_t, int64_t, double, REAL *, int64_t) noexcept nogil
        void (*multiply)(const REAL *, const REAL *, REAL *, int64_t) noexcept nogil
        void (*rescale)(REAL, REAL, const REAL *, REAL *, int64_t) noexcept nogil
        void (*transpose)(const REAL *, REAL *, int64_t, int64_t) noexcept nogil
        void (*gather_bytes)(const uint8_t *, const int64_t *, REAL, REAL, REAL *, int64_t,
                             int64_t) noexcept nogil
        void (*gather_reals)(const REAL *, const int64_t *, REAL, REAL, REAL *, int64_t,
                             int64_t) noexcept nogil
        double (*penalty)(double, double, const REAL *, int64_t) noexcept nogil
        void (*penalty_gradient)(REAL, REAL, int64_t, const REAL *, REAL *, int64_t) noexcept nogil
        void (*penalty_update)(REAL, REAL, REAL, int64_t, REAL *, int64_t) noexcept nogil
        void (*sgd_step)(REAL *, const REAL *, REAL *, const double *, int64_t) noexcept nogil
        void (*sgd_step_evenly)(int64_t, int64_t, REAL *, const REAL *, REAL *, const double *,
                                int64_t) noexcept nogil
        void (*record_values)(const REAL *, double *, int64_t) noexcept nogil
        void (*record_slopes)(int64_t, REAL, const REAL *, const REAL *, int64_t, int64_t, REAL *,
                              double *, int64_t) noexcept nogil
        void (*record_step)(const REAL *, const REAL *, const REAL *, const double *, double *,
                            int64_t) noexcept nogil

    ctypedef struct InstructionSet:
        const char *name
        int (*is_supported)() noexcept nogil
        const Kernels *kernels

    const InstructionSet *INSTRUCTION_SETS
    const int INSTRUCTION_SET_COUNT

cdef extern from *:
    const char *FASTMLP_SOURCES

# A digest of what this was built from: see sources.py.
SOURCES = FASTMLP_SOURCES.decode()

cdef const Kernels *kernels = NULL


def instruction_sets():
    """Return what there are kernels for, best first, and whether this CPU has it."""
    return {
        INSTRUCTION_SETS[i].name.decode(): bool(INSTRUCTION_SETS[i].is_supported())
        for i in range(INSTRUCTION_SET_COUNT)
    }


def use(str name):
    """Take the kernels for one instruction set, which this CPU must have."""
    global kernels
    for i in range(INSTRUCTION_SET_COUNT):
        if INSTRUCTION_SETS[i].name.decode() == name:
            kernels = INSTRUCTION_SETS[i].kernels


cdef int fit(bint right) except -1:
    if not right:
        raise ValueError("the shapes of the arrays do not fit together")
    return 0


# An array that does not apply is empty, or None: for C, it is NULL.

cdef const int64_t *integers(const int64_t[::1] x) noexcept nogil:
    return &x[0] if x is not None and x.shape[0] else NULL


cdef const REAL *vector(const REAL[::1] x) noexcept nogil:
    return &x[0] if x is not None and x.shape[0] else NULL


cdef REAL *changed(REAL[::1] x) noexcept nogil:
    return &x[0] if x is not None and x.shape[0] else NULL


cdef const REAL *matrix(const REAL[:, ::1] x) noexcept nogil:
    return &x[0, 0] if x is not None and x.shape[0] else NULL


cdef class Net:
    """A plan with its memory, looked at once."""

    cdef Job job
    # Kept alive, for the job to point to.
    cdef const int64_t[:, ::1] table
    cdef const double[:, ::1] reals
    cdef REAL[::1] params, gradient, velocity, values, deltas
    cdef const double[::1] hyper

    def __init__(
        self,
        const int64_t[:, ::1] table not None,
        const double[:, ::1] reals not None,
        REAL[::1] params not None,
        REAL[::1] gradient not None,
        REAL[::1] velocity,
        const double[::1] hyper not None,
        REAL[::1] values not None,
        REAL[::1] deltas not None,
    ):
        self.table, self.reals, self.hyper = table, reals, hyper
        self.params, self.gradient, self.velocity = params, gradient, velocity
        self.values, self.deltas = values, deltas
        fit(
            table.shape[0] == reals.shape[0]
            and gradient.shape[0] in (0, params.shape[0])
            and deltas.shape[0] == values.shape[0]
        )
        self.job.table, self.job.table_rows = &table[0, 0], table.shape[0]
        self.job.reals = &reals[0, 0]
        self.job.params, self.job.params_size = changed(params), params.shape[0]
        self.job.gradient = changed(gradient)
        self.job.velocity = changed(velocity)
        self.job.hyper = &hyper[0]
        self.job.values, self.job.deltas = &values[0], &deltas[0]
        self.job.workspace_size = values.shape[0]

    def prepare(
        self,
        int64_t mode,
        const uint8_t[:, ::1] samples not None,
        const int64_t[::1] labels,
        const REAL[:, ::1] targets,
        const int64_t[::1] order not None,
        int64_t batch_size,
        int64_t first,
        int64_t last,
        int64_t first_step,
        bint wants_accuracy,
        double[::1] totals,
        REAL[:, ::1] outputs,
        double[:, :, ::1] telemetry,
        int64_t telemetry_every,
        int64_t thread,
        int64_t threads,
        int64_t[::1] barrier not None,
    ):
        """Return a function that does what ``kernels.compiled.engine.run`` does."""
        cdef Prepared prepared = Prepared()
        cdef Job job = self.job
        job.mode = mode
        job.samples, job.sample_bytes = &samples[0, 0], samples.shape[1]
        job.labels, job.targets = integers(labels), matrix(targets)
        job.order, job.order_size = &order[0], order.shape[0]
        job.batch_size, job.first, job.last = batch_size, first, last
        job.first_step = first_step
        job.wants_accuracy = wants_accuracy
        job.totals = &totals[0] if totals is not None else NULL
        job.outputs = &outputs[0, 0] if outputs is not None and outputs.shape[0] else NULL
        job.telemetry = NULL
        if telemetry is not None and telemetry.shape[0]:
            job.telemetry = &telemetry[0, 0, 0]
        job.telemetry_every = telemetry_every
        job.thread, job.threads = thread, threads
        job.barrier = &barrier[0]
        prepared.job = job
        prepared.kept = (self, samples, labels, targets, order, totals, outputs, telemetry, barrier)
        return prepared


cdef class Prepared:
    """A call of the engine, with all that it needs."""

    cdef Job job
    cdef tuple kept  # alive, for the job to point to

    def __call__(self):
        cdef int64_t end
        with nogil:
            end = kernels.run(&self.job)
        return end


def probe(
    const int64_t[:, ::1] table not None,
    const double[:, ::1] reals not None,
    REAL[::1] params not None,
    const REAL[::1] values not None,
    REAL[::1] trial not None,
    REAL[::1] deltas not None,
    const int64_t[::1] labels,
    const REAL[:, ::1] targets,
    const int64_t[::1] rows not None,
    const int64_t[::1] indices not None,
    const double[::1] steps not None,
    bint keeps_branches,
    double[:, ::1] losses not None,
    crossed,
):
    """Do what ``kernels.compiled.probe.probe`` does."""
    cdef uint8_t[::1] flags = crossed.view("u1")
    cdef Trial job
    cdef int64_t count = indices.shape[0]
    fit(
        trial.shape[0] == values.shape[0] and deltas.shape[0] == values.shape[0]
        and steps.shape[0] == count and flags.shape[0] == count
        and losses.shape[0] == count and losses.shape[1] == 2
    )
    job.table, job.reals = &table[0, 0], &reals[0, 0]
    job.params = &params[0]
    job.values, job.moved, job.deltas = &values[0], &trial[0], &deltas[0]
    job.workspace_size = values.shape[0]
    job.labels, job.targets = integers(labels), matrix(targets)
    job.rows, job.n = &rows[0], rows.shape[0]
    job.indices, job.steps, job.count = &indices[0], &steps[0], count
    job.keeps_branches = keeps_branches
    job.losses, job.crossed = &losses[0, 0], &flags[0]
    with nogil:
        kernels.probe(&job)


def matmul_nn(const REAL[:, :] a, const REAL[:, ::1] b, REAL scale, REAL[:, ::1] out):
    """``a`` may have any strides."""
    cdef int64_t m = a.shape[0], k = a.shape[1], n = b.shape[1]
    cdef int64_t size = sizeof(REAL)
    fit(b.shape[0] == k and out.shape[0] == m and out.shape[1] == n)
    with nogil:
        kernels.matmul_nn(&a[0, 0], a.strides[0] // size, a.strides[1] // size, &b[0, 0], scale,
                          &out[0, 0], m, k, n)


def matmul_nt(const REAL[:, ::1] a, const REAL[:, ::1] b, REAL scale, REAL[:, ::1] out):
    cdef int64_t m = a.shape[0], k = a.shape[1], n = b.shape[0]
    fit(b.shape[1] == k and out.shape[0] == m and out.shape[1] == n)
    with nogil:
        kernels.matmul_nt(&a[0, 0], &b[0, 0], scale, &out[0, 0], m, k, n)


def dense_forward(const REAL[:, ::1] x, const REAL[:, ::1] weights, const REAL[::1] bias,
                  REAL[:, ::1] y):
    cdef int64_t outputs = weights.shape[0], inputs = weights.shape[1], n = x.shape[1]
    fit(x.shape[0] == inputs and bias.shape[0] in (0, outputs)
        and y.shape[0] == outputs and y.shape[1] == n)
    with nogil:
        kernels.dense_forward(&x[0, 0], &weights[0, 0], vector(bias), &y[0, 0], outputs, inputs, n)


def dense_forward_rows(const REAL[:, ::1] x, const REAL[:, ::1] weights, const REAL[::1] bias,
                       REAL scale, REAL[:, ::1] y):
    cdef int64_t outputs = weights.shape[0], inputs = weights.shape[1], n = x.shape[0]
    fit(x.shape[1] == inputs and bias.shape[0] in (0, outputs)
        and y.shape[0] == outputs and y.shape[1] == n)
    with nogil:
        kernels.dense_forward_rows(&x[0, 0], &weights[0, 0], vector(bias), scale, &y[0, 0],
                                   outputs, inputs, n)


def dense_input_gradient(const REAL[:, ::1] weights, const REAL[:, ::1] dy, REAL[:, ::1] dx):
    cdef int64_t outputs = weights.shape[0], inputs = weights.shape[1], n = dy.shape[1]
    fit(dy.shape[0] == outputs and dx.shape[0] == inputs and dx.shape[1] == n)
    with nogil:
        kernels.dense_input_gradient(&weights[0, 0], &dy[0, 0], &dx[0, 0], outputs, inputs, n)


def dense_weight_update(const REAL[:, ::1] x, const REAL[:, ::1] dy, REAL scale,
                        REAL[:, ::1] weights):
    cdef int64_t outputs = weights.shape[0], inputs = weights.shape[1], n = dy.shape[1]
    fit(x.shape[0] == inputs and x.shape[1] == n and dy.shape[0] == outputs)
    with nogil:
        kernels.dense_weight_update(&x[0, 0], &dy[0, 0], scale, &weights[0, 0], outputs, inputs, n)


def dense_weight_update_rows(const REAL[:, ::1] x, const REAL[:, ::1] dy, REAL scale,
                             REAL[:, ::1] weights):
    cdef int64_t outputs = weights.shape[0], inputs = weights.shape[1], n = dy.shape[1]
    fit(x.shape[0] == n and x.shape[1] == inputs and dy.shape[0] == outputs)
    with nogil:
        kernels.dense_weight_update_rows(&x[0, 0], &dy[0, 0], scale, &weights[0, 0], outputs,
                                         inputs, n)


def dense_weight_gradient(const REAL[:, ::1] x, const REAL[:, ::1] dy, REAL[:, ::1] dweights):
    cdef int64_t outputs = dweights.shape[0], inputs = dweights.shape[1], n = dy.shape[1]
    fit(x.shape[0] == inputs and x.shape[1] == n and dy.shape[0] == outputs)
    with nogil:
        kernels.dense_weight_gradient(&x[0, 0], &dy[0, 0], &dweights[0, 0], outputs, inputs, n)


def dense_weight_gradient_rows(const REAL[:, ::1] x, const REAL[:, ::1] dy, REAL scale,
                               REAL[:, ::1] dweights):
    cdef int64_t outputs = dweights.shape[0], inputs = dweights.shape[1], n = dy.shape[1]
    fit(x.shape[0] == n and x.shape[1] == inputs and dy.shape[0] == outputs)
    with nogil:
        kernels.dense_weight_gradient_rows(&x[0, 0], &dy[0, 0], scale, &dweights[0, 0], outputs,
                                           inputs, n)


def dense_bias_update(const REAL[:, ::1] dy, REAL scale, REAL[::1] bias):
    cdef int64_t outputs = dy.shape[0], n = dy.shape[1]
    fit(bias.shape[0] in (0, outputs))
    with nogil:
        kernels.dense_bias_update(&dy[0, 0], scale, changed(bias), outputs, n)


def dense_bias_gradient(const REAL[:, ::1] dy, REAL[::1] dbias):
    cdef int64_t outputs = dy.shape[0], n = dy.shape[1]
    fit(dbias.shape[0] in (0, outputs))
    with nogil:
        kernels.dense_bias_gradient(&dy[0, 0], changed(dbias), outputs, n)


def activation_forward(int64_t kind, REAL alpha, const REAL[::1] x, REAL[::1] y):
    fit(y.shape[0] == x.shape[0])
    with nogil:
        kernels.activation_forward(kind, alpha, &x[0], &y[0], x.shape[0])


def activation_backward(int64_t kind, REAL alpha, const REAL[::1] x, const REAL[::1] y,
                        const REAL[::1] dy, REAL[::1] dx):
    """``dx`` may be ``dy``."""
    cdef int64_t size = x.shape[0]
    fit(y.shape[0] == size and dy.shape[0] == size and dx.shape[0] == size)
    with nogil:
        kernels.activation_backward(kind, alpha, &x[0], &y[0], &dy[0], &dx[0], size)


def softmax_forward(const REAL[:, ::1] x, REAL[:, ::1] scratch, REAL[:, ::1] y):
    cdef int64_t features = x.shape[0], n = x.shape[1]
    fit(scratch.shape[0] == 2 and scratch.shape[1] == n
        and y.shape[0] == features and y.shape[1] == n)
    with nogil:
        kernels.softmax_forward(&x[0, 0], &scratch[0, 0], &y[0, 0], features, n)


def softmax_backward(const REAL[:, ::1] y, const REAL[:, ::1] dy, REAL[:, ::1] scratch,
                     REAL[:, ::1] dx):
    cdef int64_t features = y.shape[0], n = y.shape[1]
    fit(dy.shape[0] == features and dy.shape[1] == n
        and scratch.shape[0] == 2 and scratch.shape[1] == n
        and dx.shape[0] == features and dx.shape[1] == n)
    with nogil:
        kernels.softmax_backward(&y[0, 0], &dy[0, 0], &scratch[0, 0], &dx[0, 0], features, n)


def softmax_crossentropy_labels(const REAL[:, ::1] logits, const int64_t[::1] rows,
                                const int64_t[::1] labels, REAL[:, ::1] scratch,
                                REAL[:, ::1] dlogits):
    cdef int64_t features = logits.shape[0], n = logits.shape[1]
    cdef double loss
    fit(rows.shape[0] == n and scratch.shape[0] == 2 and scratch.shape[1] == n
        and dlogits.shape[0] == features and dlogits.shape[1] == n)
    with nogil:
        loss = kernels.softmax_crossentropy_labels(&logits[0, 0], &rows[0], &labels[0],
                                                   &scratch[0, 0], &dlogits[0, 0], features, n)
    return loss


def softmax_crossentropy_targets(const REAL[:, ::1] logits, const int64_t[::1] rows,
                                 const REAL[:, ::1] targets, REAL[:, ::1] scratch,
                                 REAL[:, ::1] dlogits):
    cdef int64_t features = logits.shape[0], n = logits.shape[1]
    cdef double loss
    fit(rows.shape[0] == n and targets.shape[1] == features
        and scratch.shape[0] == 2 and scratch.shape[1] == n
        and dlogits.shape[0] == features and dlogits.shape[1] == n)
    with nogil:
        loss = kernels.softmax_crossentropy_targets(&logits[0, 0], &rows[0], &targets[0, 0],
                                                    &scratch[0, 0], &dlogits[0, 0], features, n)
    return loss


def mean_squared_error(const REAL[:, ::1] outputs, const int64_t[::1] rows,
                       const REAL[:, ::1] targets, REAL[:, ::1] doutputs):
    cdef int64_t features = outputs.shape[0], n = outputs.shape[1]
    cdef double loss
    fit(rows.shape[0] == n and targets.shape[1] == features
        and doutputs.shape[0] == features and doutputs.shape[1] == n)
    with nogil:
        loss = kernels.mean_squared_error(&outputs[0, 0], &rows[0], &targets[0, 0],
                                          &doutputs[0, 0], features, n)
    return loss


def count_correct_labels(const REAL[:, ::1] outputs, const int64_t[::1] rows,
                         const int64_t[::1] labels):
    cdef int64_t features = outputs.shape[0], n = outputs.shape[1], correct
    fit(rows.shape[0] == n)
    with nogil:
        correct = kernels.count_correct_labels(&outputs[0, 0], &rows[0], &labels[0], features, n)
    return correct


def count_correct_targets(const REAL[:, ::1] outputs, const int64_t[::1] rows,
                          const REAL[:, ::1] targets):
    cdef int64_t features = outputs.shape[0], n = outputs.shape[1], correct
    fit(rows.shape[0] == n and targets.shape[1] == features)
    with nogil:
        correct = kernels.count_correct_targets(&outputs[0, 0], &rows[0], &targets[0, 0],
                                                features, n)
    return correct


def dropout_mask(int64_t key, int64_t step, double rate, REAL[::1] mask):
    with nogil:
        kernels.dropout_mask(key, step, rate, &mask[0], mask.shape[0])


def multiply(const REAL[::1] x, const REAL[::1] mask, REAL[::1] y):
    cdef int64_t size = x.shape[0]
    fit(mask.shape[0] == size and y.shape[0] == size)
    with nogil:
        kernels.multiply(&x[0], &mask[0], &y[0], size)


def rescale(REAL scale, REAL offset, const REAL[::1] x, REAL[::1] y):
    fit(y.shape[0] == x.shape[0])
    with nogil:
        kernels.rescale(scale, offset, &x[0], &y[0], x.shape[0])


def transpose(const REAL[:, ::1] x, REAL[:, ::1] y):
    cdef int64_t features = y.shape[0], n = y.shape[1]
    fit(x.shape[0] == n and x.shape[1] == features)
    with nogil:
        kernels.transpose(&x[0, 0], &y[0, 0], features, n)


def gather_bytes(const uint8_t[:, ::1] data, const int64_t[::1] rows, REAL scale, REAL offset,
                 REAL[:, ::1] out):
    cdef int64_t features = out.shape[1], n = rows.shape[0]
    fit(data.shape[1] == features and out.shape[0] == n)
    with nogil:
        kernels.gather_bytes(&data[0, 0], &rows[0], scale, offset, &out[0, 0], features, n)


def gather_reals(const REAL[:, ::1] data, const int64_t[::1] rows, REAL scale, REAL offset,
                 REAL[:, ::1] out):
    cdef int64_t features = out.shape[1], n = rows.shape[0]
    fit(data.shape[1] == features and out.shape[0] == n)
    with nogil:
        kernels.gather_reals(&data[0, 0], &rows[0], scale, offset, &out[0, 0], features, n)


def penalty(double l1, double l2, const REAL[::1] weights):
    cdef double value
    with nogil:
        value = kernels.penalty(l1, l2, &weights[0], weights.shape[0])
    return value


def penalty_gradient(REAL l1, REAL l2, int64_t step, const REAL[::1] weights,
                     REAL[::1] gradient):
    fit(gradient.shape[0] == weights.shape[0])
    with nogil:
        kernels.penalty_gradient(l1, l2, step, &weights[0], &gradient[0], weights.shape[0])


def penalty_update(REAL l1, REAL l2, REAL rate, int64_t step, REAL[::1] weights):
    with nogil:
        kernels.penalty_update(l1, l2, rate, step, &weights[0], weights.shape[0])


def sgd_step(REAL[::1] params, const REAL[::1] gradient, REAL[::1] velocity,
             const double[::1] hyper):
    cdef int64_t size = params.shape[0]
    fit(gradient.shape[0] == size and velocity.shape[0] in (0, size))
    with nogil:
        kernels.sgd_step(&params[0], &gradient[0], changed(velocity), &hyper[0], size)


def sgd_step_evenly(int64_t step, int64_t first, REAL[::1] params, const REAL[::1] gradient,
                    REAL[::1] velocity, const double[::1] hyper):
    cdef int64_t size = params.shape[0]
    fit(gradient.shape[0] == size and velocity.shape[0] == size)
    with nogil:
        kernels.sgd_step_evenly(step, first, &params[0], &gradient[0], &velocity[0], &hyper[0],
                                size)


def record_values(const REAL[::1] y, double[::1] out):
    with nogil:
        kernels.record_values(&y[0], &out[0], y.shape[0])


def record_slopes(int64_t kind, REAL alpha, const REAL[::1] x, const REAL[::1] y, int64_t n,
                  bint rows, REAL[::1] scratch, double[::1] out):
    cdef int64_t size = x.shape[0]
    fit(y.shape[0] == size and scratch.shape[0] == size)
    with nogil:
        kernels.record_slopes(kind, alpha, &x[0], &y[0], n, rows, &scratch[0], &out[0], size)


def record_step(const REAL[::1] params, const REAL[::1] gradient, const REAL[::1] velocity,
                const double[::1] hyper, double[::1] out):
    cdef int64_t size = params.shape[0]
    fit(gradient.shape[0] == size and velocity.shape[0] in (0, size))
    with nogil:
        kernels.record_step(&params[0], &gradient[0], vector(velocity), &hyper[0], &out[0], size)
