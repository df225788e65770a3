/* SPDX-License-Identifier: MIT */
/*
 * Is this call of the event handler one to act on? Pure. Schedulers call a handler for every SOFT
 * result, on entering a HARD state, on recovery, in downtime, and from a parent and a child zone both;
 * the gate lets through the call that means "this has been CRITICAL long enough".
 *
 * A call without --state and --state-type comes from no scheduler (a person, a timer): it passes.
 */
#ifndef IB_WATCH_GATE_H
#define IB_WATCH_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/plugin/state.h"

enum ib_gate_on {
    IB_GATE_HARD,   /* CRITICAL and HARD */
    IB_GATE_SOFT,   /* CRITICAL and HARD, or CRITICAL and SOFT from attempt N on */
    IB_GATE_ALWAYS, /* every call, whatever the state */
};

enum ib_gate_type { IB_GATE_TYPE_NONE, IB_GATE_TYPE_SOFT, IB_GATE_TYPE_HARD };

struct ib_gate_rules {
    enum ib_gate_on on;
    int64_t soft_attempt; /* N of soft:N, at least 1 */
    bool skip_in_downtime;
};

/* What the scheduler said. Zeroed: nothing. */
struct ib_gate_event {
    bool has_state;
    enum ib_state state;
    enum ib_gate_type type;
    int64_t attempt;        /* 0 = not given */
    bool has_downtime;
    int64_t downtime_depth;
    const char *check_source, *node; /* NULL = not given */
};

/* "hard", "soft:N" (N 1..100), "always". Errors: IB_EUSAGE. */
IB_NODISCARD enum ib_rc ib_gate_on_parse(const char *text, struct ib_gate_rules *rules,
                                         struct ib_error *err);

/*
 * Does the event hold what the rules need? Errors: IB_EUSAGE, for a handler that is wired up wrongly
 * must say so and not stay silent: state without type or type without state (except with
 * "always"), soft:N without attempt, check source without node or the reverse, skip without depth.
 */
IB_NODISCARD enum ib_rc ib_gate_check(const struct ib_gate_rules *rules,
                                      const struct ib_gate_event *event, struct ib_error *err);

struct ib_gate_decision {
    bool act;
    char words[200]; /* why: "CRITICAL HARD", "no action: WARNING HARD, acts on CRITICAL HARD" */
};
void ib_gate_decide(const struct ib_gate_rules *rules, const struct ib_gate_event *event,
                    struct ib_gate_decision *ret);

#endif
