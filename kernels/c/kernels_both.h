/* The tables of functions for both dtypes, and the instruction sets that they are made for. */
#ifndef FASTMLP_KERNELS_BOTH_H
#define FASTMLP_KERNELS_BOTH_H

#include <stdint.h>

#define REAL float
#define TYPED(name) name##_f32
#include "kernels.h"
#undef REAL
#undef TYPED
#define REAL double
#define TYPED(name) name##_f64
#include "kernels.h"
#undef REAL
#undef TYPED

extern const struct kernels_f32 kernels_native_f32; /* exists if built for one machine alone */
extern const struct kernels_f64 kernels_native_f64;
extern const struct kernels_f32 kernels_baseline_f32;
extern const struct kernels_f64 kernels_baseline_f64;
#if defined(__x86_64__) || defined(_M_X64)
extern const struct kernels_f32 kernels_avx2_f32;
extern const struct kernels_f64 kernels_avx2_f64;
extern const struct kernels_f32 kernels_avx512_f32;
extern const struct kernels_f64 kernels_avx512_f64;
#endif

#endif
