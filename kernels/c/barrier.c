/* Where the threads that share a net's step wait for each other. */

#include <sched.h>

/* Places in the array that they share, a cache line apart. */
enum barrier { BARRIER_ARRIVED = 0, BARRIER_GENERATION = 8, BARRIER_STOP = 16 };

#define SPINS 2000

/* Return when all threads have called this; a few hundred nanoseconds if all are running. */
static void wait_for_all(int64_t *barrier, int64_t threads) {
    if (threads == 1) return;
    int64_t *generation = barrier + BARRIER_GENERATION;
    int64_t now = __atomic_load_n(generation, __ATOMIC_ACQUIRE);
    if (__atomic_add_fetch(barrier + BARRIER_ARRIVED, 1, __ATOMIC_ACQ_REL) == threads) {
        __atomic_store_n(barrier + BARRIER_ARRIVED, 0, __ATOMIC_RELAXED);
        __atomic_store_n(generation, now + 1, __ATOMIC_RELEASE);
        return;
    }
    for (int spins = 0; __atomic_load_n(generation, __ATOMIC_ACQUIRE) == now; spins++) {
        if (spins >= SPINS) sched_yield(); /* there may be fewer cores than threads */
#if defined(__x86_64__)
        _mm_pause();
#endif
    }
}
