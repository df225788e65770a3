/* SPDX-License-Identifier: MIT */
/*
 * The four states of a plugin; their numbers are the exit codes (monitoring plugin guidelines).
 *
 * Which of two is worse: OK < UNKNOWN < WARNING < CRITICAL, so a problem that was seen is never
 * hidden by something that could not be read.
 */
#ifndef IB_PLUGIN_STATE_H
#define IB_PLUGIN_STATE_H

#include <stdbool.h>

#include "lib/base/str.h"

enum ib_state {
    IB_STATE_OK = 0,
    IB_STATE_WARNING = 1,
    IB_STATE_CRITICAL = 2,
    IB_STATE_UNKNOWN = 3,
};
#define IB_STATE_COUNT 4

/* "OK", "WARNING", "CRITICAL", "UNKNOWN". */
const char *ib_state_name(enum ib_state state);
/* A name in any case of letters. False when it is none of the four. */
bool ib_state_from(struct ib_str name, enum ib_state *ret);
/* The worse of the two. */
enum ib_state ib_state_worst(enum ib_state a, enum ib_state b);
/* <0, 0, >0 as a is better than, as bad as, worse than b: for sorting. */
int ib_state_cmp(enum ib_state a, enum ib_state b);

#endif
