/* SPDX-License-Identifier: MIT */
/* ib_cancel_action --history: the audit as lines and as JSON. */
#ifndef IB_PLUGINS_HISTORY_H
#define IB_PLUGINS_HISTORY_H

#include "lib/plugin/output.h"
#include "lib/watch/journal.h"

#define IB_HISTORY_DEFAULT 100 /* newest lines shown */

struct ib_history_options {
    const char *state_dir;
    const char *arn; /* NULL = all builds */
    int64_t limit;
    int64_t busy_ms;
    bool json;
};

/* Reads only. No journal is no error: an empty history. */
IB_NODISCARD enum ib_rc ib_history_show(const struct ib_history_options *options,
                                        struct ib_output *out, struct ib_error *err);

#endif
