# What Python sees of the C kernels: the functions of kernels.numba, with the same arguments.
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


cdef class Bound:
    """A net and its memory, looked at once; see :func:`fastmlp.kernels.c.epoch.bind`."""

    cdef Job job
    cdef tuple kept  # alive, for the job to point to

    def __init__(self, net, memory):
        fill_net(&self.job.net, net)
        fill_memory(&self.job.memory, memory)
        self.kept = (net, memory)

    def prepare(self, batches, course, team):
        """Return a function that does what ``kernels.numba.epoch.run`` does."""
        cdef Prepared prepared = Prepared()
        prepared.job = self.job
        fill_batches(&prepared.job.batches, batches)
        fill_course(&prepared.job.course, course)
        fill_team(&prepared.job.team, team)
        prepared.kept = (self, batches, course, team)
        return prepared


cdef class Prepared:
    """A call of the engine, with all that it needs."""

    cdef Job job
    cdef tuple kept

    def __call__(self, first_step=None):
        """Run; from another first step than when it was prepared, if one is given."""
        cdef int64_t reached
        if first_step is not None:
            self.job.course.first_step = first_step
        with nogil:
            reached = kernels.run(&self.job)
        return reached

    def is_sound(self, int64_t classes):
        """Whether it can run on its samples and labels; see :class:`fastmlp.kernels.prepare.Call`."""
        return kernels.is_sound(&self.job, classes)

    def epochs(self, const int64_t[:, ::1] orders, const double[:, ::1] rates,
               double[:, ::1] totals, int64_t first_step):
        """Run an epoch after the other; see :class:`fastmlp.kernels.prepare.Call`."""
        cdef Job job = self.job
        cdef int64_t count = orders.shape[0], stop = job.batches.stop, epoch, reached = 0
        fit(count > 0 and orders.shape[1] == job.batches.order_shape[0])
        fit(rates.shape[0] == count and rates.shape[1] == job.course.rates_shape[0])
        fit(totals.shape[0] == count and totals.shape[1] == job.course.totals_shape[0])
        with nogil:
            for epoch in range(count):
                job.batches.order = &orders[epoch, 0]
                job.course.rates = &rates[epoch, 0]
                job.course.totals = &totals[epoch, 0]
                job.course.first_step = first_step + epoch * stop
                reached = kernels.run(&job)
                if reached < stop or not (
                    kernels.all_finite(job.net.params, job.net.params_shape[0])
                    and kernels.all_finite(job.net.running, job.net.running_shape[0])
                ):
                    break
        return reached


def shuffle(const uint64_t[:, ::1] words, int64_t[:, ::1] orders):
    """Do what ``kernels.reference.shuffling.shuffle`` does."""
    cdef int64_t epoch
    fit(words.shape[0] == orders.shape[0] and words.shape[1] == 4)
    with nogil:
        for epoch in range(orders.shape[0] if orders.shape[1] else 0):
            kernels.shuffle(&words[epoch, 0], &orders[epoch, 0], orders.shape[1])


def probe(net, memory, batches, trial):
    """Do what ``kernels.numba.probe.probe`` does."""
    cdef ProbeJob job
    fill_net(&job.net, net)
    fill_memory(&job.memory, memory)
    fill_batches(&job.batches, batches)
    fill_trial(&job.trial, trial)
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
