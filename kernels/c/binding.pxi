# What Python sees of the C kernels: the functions of kernels.compiled, with the same arguments.
#
# Read twice: by f32.pyx with REAL float and by f64.pyx with REAL double.  What can be made from the
# contract is in contract.pxi; the rest is here.  Each function checks that shapes fit together, and
# hands pointers over.  Arrays must be C-contiguous unless it says otherwise; what is only read may
# be read-only.

include "contract.pxi"

cdef extern from *:
    const char *FASTMLP_SOURCES

# A digest of what this was built from: see sources.py.
SOURCES = FASTMLP_SOURCES.decode()


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
    cdef REAL[::1] params, gradient, moments, values, deltas, running
    cdef const double[::1] numbers

    def __init__(
        self,
        const int64_t[:, ::1] table not None,
        const double[:, ::1] reals not None,
        REAL[::1] params not None,
        REAL[::1] gradient not None,
        REAL[::1] moments not None,
        int64_t rule,
        const double[::1] numbers not None,
        REAL[::1] values not None,
        REAL[::1] deltas not None,
        REAL[::1] running not None,
    ):
        self.table, self.reals, self.numbers = table, reals, numbers
        self.params, self.gradient, self.moments = params, gradient, moments
        self.values, self.deltas, self.running = values, deltas, running
        fit(
            table.shape[0] == reals.shape[0]
            and gradient.shape[0] in (0, params.shape[0])
            and deltas.shape[0] == values.shape[0]
        )
        self.job.table, self.job.table_rows = &table[0, 0], table.shape[0]
        self.job.reals = &reals[0, 0]
        self.job.params, self.job.params_size = changed(params), params.shape[0]
        self.job.gradient = changed(gradient)
        cdef int64_t size = params.shape[0]
        self.job.first_moment = self.job.second_moment = NULL
        if size and moments.shape[0] >= size:
            self.job.first_moment = &moments[0]
        if size and moments.shape[0] >= 2 * size:
            self.job.second_moment = &moments[size]
        self.job.rule, self.job.numbers = rule, &numbers[0]
        self.job.values, self.job.deltas = &values[0], &deltas[0]
        self.job.workspace_size = values.shape[0]
        self.job.running = changed(running)

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
        const double[::1] rates,
        double[::1] totals,
        REAL[:, ::1] outputs,
        double[:, :, ::1] telemetry,
        int64_t telemetry_every,
        REAL[::1] before,
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
        job.rates = &rates[0] if rates is not None and rates.shape[0] else NULL
        job.totals = &totals[0] if totals is not None else NULL
        job.outputs = &outputs[0, 0] if outputs is not None and outputs.shape[0] else NULL
        job.telemetry = NULL
        if telemetry is not None and telemetry.shape[0]:
            job.telemetry = &telemetry[0, 0, 0]
        job.telemetry_every, job.before = telemetry_every, changed(before)
        job.thread, job.threads = thread, threads
        job.barrier = &barrier[0]
        prepared.job = job
        prepared.kept = (
            self, samples, labels, targets, order, rates, totals, outputs, telemetry, before,
            barrier,
        )
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
