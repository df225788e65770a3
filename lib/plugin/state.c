/* SPDX-License-Identifier: MIT */
/* The four states of a plugin. */
#include "lib/plugin/state.h"

#include "lib/base/error.h"

static const struct {
    const char *name;
    int rank; /* higher is worse */
} states[IB_STATE_COUNT] = {
    [IB_STATE_OK] = { "OK", 0 },
    [IB_STATE_WARNING] = { "WARNING", 2 },
    [IB_STATE_CRITICAL] = { "CRITICAL", 3 },
    [IB_STATE_UNKNOWN] = { "UNKNOWN", 1 },
};

const char *ib_state_name(enum ib_state state)
{
    IB_ASSERT((unsigned)state < IB_STATE_COUNT);
    return states[state].name;
}

bool ib_state_from(struct ib_str name, enum ib_state *ret)
{
    for (size_t i = 0; i < IB_STATE_COUNT; i++) {
        if (ib_str_ieq_c(name, states[i].name)) {
            *ret = (enum ib_state)i;
            return true;
        }
    }
    return false;
}

int ib_state_cmp(enum ib_state a, enum ib_state b)
{
    IB_ASSERT((unsigned)a < IB_STATE_COUNT && (unsigned)b < IB_STATE_COUNT);
    return states[a].rank - states[b].rank;
}

enum ib_state ib_state_worst(enum ib_state a, enum ib_state b)
{
    return ib_state_cmp(a, b) < 0 ? b : a;
}
