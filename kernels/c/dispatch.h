/* The kernels of one dtype for each instruction set; of those, the ones this CPU can run.

   The dtype is chosen when this is compiled, by REAL_IS_FLOAT. */
#ifndef FASTMLP_DISPATCH_H
#define FASTMLP_DISPATCH_H

#include "contract.h"

#define DECLARE(instruction_set)                                                                   \
    extern const struct kernels_f32 kernels_##instruction_set##_f32;                               \
    extern const struct kernels_f64 kernels_##instruction_set##_f64;
DECLARE(native) /* exists if built for one machine alone */
DECLARE(baseline)
#if defined(__x86_64__)
DECLARE(avx2)
DECLARE(avx512)
#endif

#if REAL_IS_FLOAT
#define TYPED(name) name##_f32
#else
#define TYPED(name) name##_f64
#endif

typedef struct TYPED(net) NetGroup;
typedef struct TYPED(memory) MemoryGroup;
typedef struct TYPED(batches) BatchesGroup;
typedef struct TYPED(course) CourseGroup;
typedef struct TYPED(team) TeamGroup;
typedef struct TYPED(trial) TrialGroup;
typedef struct TYPED(job) Job;
typedef struct TYPED(probe_job) ProbeJob;
typedef struct TYPED(kernels) Kernels;

static int always(void) { return 1; }

#if defined(__x86_64__)
static inline int has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static inline int has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

#define KERNELS(instruction_set) &TYPED(kernels_##instruction_set)

typedef struct {
    const char *name;
    int (*is_supported)(void);
    const Kernels *kernels;
} InstructionSet;

/* Best first. */
static const InstructionSet INSTRUCTION_SETS[] = {
#if defined(FASTMLP_NATIVE)
    {"native", always, KERNELS(native)},
#else
#if defined(__x86_64__)
    {"avx512", has_avx512, KERNELS(avx512)},
    {"avx2", has_avx2, KERNELS(avx2)},
#endif
    {"baseline", always, KERNELS(baseline)},
#endif
};

enum { INSTRUCTION_SET_COUNT = sizeof INSTRUCTION_SETS / sizeof *INSTRUCTION_SETS };

#endif
