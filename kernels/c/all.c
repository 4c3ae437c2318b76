/* All kernels for one dtype and one instruction set: compiled once for each, with REAL_IS_FLOAT
   and FASTMLP_ISA defined, into one table of functions. */

#include "contract.h"
#include "vector.h"

#if REAL_IS_FLOAT
typedef struct net_f32 Net;
typedef struct batches_f32 Batches;
typedef struct trial_f32 Trial;
typedef struct job_f32 Job;
typedef struct probe_job_f32 ProbeJob;
#define kernels kernels_f32
#define SUFFIX _f32
#else
typedef struct net_f64 Net;
typedef struct batches_f64 Batches;
typedef struct trial_f64 Trial;
typedef struct job_f64 Job;
typedef struct probe_job_f64 ProbeJob;
#define kernels kernels_f64
#define SUFFIX _f64
#endif

#include "prefetch.c"
#include "elementary.c"
#include "rounding.c"
#include "sums.c"
#include "contract_files.h" /* a file may use those before it */
#include "barrier.c"
#include "rows.c"
#include "epoch.c"
#include "probe.c"
#include "finite.c"
#include "shuffling.c"

#define PASTE(isa, suffix) kernels_##isa##suffix
#define NAME(isa, suffix) PASTE(isa, suffix)

const struct kernels NAME(FASTMLP_ISA, SUFFIX) = {
    .run = run,
    .probe = probe,
    .all_finite = all_finite,
    .is_sound = is_sound,
    .shuffle = shuffle,
#include "contract_kernels.h"
};
