/* Where the threads that share a net's step wait for each other.

   A thread that has to wait spins first, since the others usually come within microseconds; then it
   offers its core to others, which helps at once if the thread that it waits for is among them; and
   then it sleeps until it is woken.  Without the sleep, threads that wait keep the cores from those
   that work wherever there are more threads than free cores.  With it, a thread that has slept comes
   back tens of microseconds late, often on the core of the thread that woke it: on two free cores a
   step of 784-512-512-10 then takes a quarter longer.  So how long the threads spin follows what
   they find: half as long after each wait that did not end while they spun, and in full after one
   that did; every sixteenth wait looks whether times have changed.

   A wait can be given up: whoever finds that some thread will never come sets BARRIER_ABORT.  That
   is only done while that thread is outside of `run`, hence only before the first of run's waits
   has ended: see fastmlp/runtime/team.py.  A sleep ends by itself after a millisecond, to look at
   BARRIER_ABORT, which Python sets without waking anybody. */

#include <sched.h>

#if defined(__linux__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
long syscall(long number, ...); /* which <unistd.h> hides from standard C */
#define HAS_FUTEX 1
#else
#define HAS_FUTEX 0
#endif

/* Places in the array that the threads share.  Those that are looked at together share a cache
   line. */
enum barrier {
    BARRIER_ARRIVED = 0,
    BARRIER_GENERATION = 8,
    BARRIER_ABORT = 9,
    BARRIER_SLEEPERS = 10,
    BARRIER_HALVINGS = 11, /* of the longest spin; whose count comes last does not matter */
    BARRIER_STOP = 16
};

#define LONGEST_SPIN 8192 /* 150 to 300 microseconds */
#define MOST_HALVINGS 6
#define YIELDS 20
#define LONGEST_SLEEP 1000000 /* nanoseconds */

/* Sleep for a millisecond at most, unless the generation is no longer `now`. */
static void sleep_at_barrier(int64_t *barrier, int64_t now) {
#if HAS_FUTEX
    struct timespec limit = {0, LONGEST_SLEEP};
    __atomic_add_fetch(barrier + BARRIER_SLEEPERS, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, barrier + BARRIER_GENERATION, FUTEX_WAIT_PRIVATE, (int)now, &limit, NULL, 0);
    __atomic_sub_fetch(barrier + BARRIER_SLEEPERS, 1, __ATOMIC_SEQ_CST);
#else
    sched_yield();
#endif
}

static void wake_sleepers(int64_t *barrier) {
#if HAS_FUTEX
    if (__atomic_load_n(barrier + BARRIER_SLEEPERS, __ATOMIC_SEQ_CST))
        syscall(SYS_futex, barrier + BARRIER_GENERATION, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL,
                0);
#endif
}

/* Return 1 when all threads have called this, or 0 if that was given up. */
static int wait_for_all(int64_t *barrier, int64_t threads) {
    if (threads == 1) return 1;
    int64_t *generation = barrier + BARRIER_GENERATION;
    int64_t now = __atomic_load_n(generation, __ATOMIC_ACQUIRE);
    if (__atomic_add_fetch(barrier + BARRIER_ARRIVED, 1, __ATOMIC_ACQ_REL) == threads) {
        __atomic_store_n(barrier + BARRIER_ARRIVED, 0, __ATOMIC_RELAXED);
        __atomic_store_n(generation, now + 1, __ATOMIC_SEQ_CST);
        wake_sleepers(barrier);
        return 1;
    }
    int64_t halvings = __atomic_load_n(barrier + BARRIER_HALVINGS, __ATOMIC_RELAXED);
    int spins = 0, longest = LONGEST_SPIN >> (now % 16 ? halvings : 0);
    for (; __atomic_load_n(generation, __ATOMIC_ACQUIRE) == now; spins++) {
        if (__atomic_load_n(barrier + BARRIER_ABORT, __ATOMIC_ACQUIRE)) return 0;
        if (spins >= longest + YIELDS) {
            sleep_at_barrier(barrier, now);
            spins--; /* which would overflow one day */
        } else if (spins >= longest) {
            sched_yield();
        }
#if defined(__x86_64__)
        else
            _mm_pause();
#endif
    }
    int64_t next = spins < longest ? 0 : halvings + (halvings < MOST_HALVINGS);
    if (next != halvings) __atomic_store_n(barrier + BARRIER_HALVINGS, next, __ATOMIC_RELAXED);
    return 1;
}
