/* SPDX-License-Identifier: MIT */
/* Deadlines and waiting. */
#include "lib/sys/deadline.h"

#include "lib/base/num.h"
#include "lib/base/time.h"
#include "lib/sys/signals.h"

struct ib_deadline ib_deadline_in(int64_t timeout_ms)
{
    struct ib_deadline d;

    if (__builtin_add_overflow(ib_time_mono_ms(), timeout_ms, &d.end_mono_ms)) {
        d.end_mono_ms = timeout_ms < 0 ? INT64_MIN : INT64_MAX;
    }
    return d;
}

int64_t ib_deadline_left_ms(const struct ib_deadline *d)
{
    int64_t now = ib_time_mono_ms();

    return d->end_mono_ms > now ? d->end_mono_ms - now : 0;
}

bool ib_deadline_passed(const struct ib_deadline *d)
{
    return ib_deadline_left_ms(d) == 0;
}

struct ib_deadline ib_deadline_min(struct ib_deadline a, struct ib_deadline b)
{
    return a.end_mono_ms < b.end_mono_ms ? a : b;
}

int ib_deadline_left_int(const struct ib_deadline *d, int cap_ms)
{
    int64_t left = ib_deadline_left_ms(d);

    return left < cap_ms ? (int)left : cap_ms;
}

enum ib_rc ib_deadline_sleep(const struct ib_deadline *d, int64_t ms, struct ib_error *err)
{
    struct ib_deadline wake = ib_deadline_in(ms);

    if (ms > 0 && wake.end_mono_ms >= d->end_mono_ms) {
        return ib_fail(err, IB_ETIMEOUT,
                       "no time left to wait %" PRId64 " ms: %" PRId64 " ms until the deadline", ms,
                       ib_deadline_left_ms(d));
    }
    for (;;) {
        if (ib_signals_stop_requested()) {
            return ib_fail(err, IB_ETIMEOUT, "stopped by a signal while waiting");
        }
        int left = ib_deadline_left_int(&wake, 60000);
        if (left == 0) {
            return IB_OK;
        }
        (void)ib_signals_wait(left);
    }
}
