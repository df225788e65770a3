/* SPDX-License-Identifier: MIT */
/*
 * One deadline bounds a run: made from -t in main, handed to everything that may wait.
 * By CLOCK_MONOTONIC, so a step of the wall clock does not move it.
 */
#ifndef IB_SYS_DEADLINE_H
#define IB_SYS_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"

struct ib_deadline {
    int64_t end_mono_ms; /* in the time of ib_time_mono_ms() */
};

/* Ends timeout_ms from now; 0 or less has passed already; never overflows. */
struct ib_deadline ib_deadline_in(int64_t timeout_ms);
/* What is left, 0 when it has passed. */
int64_t ib_deadline_left_ms(const struct ib_deadline *d);
bool ib_deadline_passed(const struct ib_deadline *d);
/* The earlier of two. */
struct ib_deadline ib_deadline_min(struct ib_deadline a, struct ib_deadline b);
/* What is left, at most cap_ms: for APIs that take an int or a long of milliseconds. */
int ib_deadline_left_int(const struct ib_deadline *d, int cap_ms);

/*
 * Wait ms milliseconds. Errors: IB_ETIMEOUT at once when it would not end before the deadline (what
 * cannot finish is not begun), and as soon as a stop is requested (lib/sys/signals.h).
 */
IB_NODISCARD enum ib_rc ib_deadline_sleep(const struct ib_deadline *d, int64_t ms,
                                          struct ib_error *err);

#endif
