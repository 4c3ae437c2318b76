/* All kernels for one dtype and one instruction set: compiled once for each, with REAL_IS_FLOAT
   and FASTMLP_ISA defined, into one table of functions. */

#include "contract.h"
#include "vector.h"

#if REAL_IS_FLOAT
#define job job_f32
#define trial trial_f32
#define kernels kernels_f32
#define SUFFIX _f32
#else
#define job job_f64
#define trial trial_f64
#define kernels kernels_f64
#define SUFFIX _f64
#endif

#include "prefetch.c"
#include "elementwise.c"
#include "gather.c"
#include "matmul.c"
#include "dense.c"
#include "elementary.c"
#include "activations.c"
#include "softmax.c"
#include "losses.c"
#include "dropout.c"
#include "rounding.c"
#include "penalties.c"
#include "optimizers.c"
#include "telemetry.c"
#include "barrier.c"
#include "engine.c"
#include "probe.c"

#define PASTE(isa, suffix) kernels_##isa##suffix
#define NAME(isa, suffix) PASTE(isa, suffix)

const struct kernels NAME(FASTMLP_ISA, SUFFIX) = {
    .run = run,
    .probe = probe,
#include "contract_kernels.h"
};
