/* SPDX-License-Identifier: MIT */
/*
 * Performance data that Icinga, Nagios and the writers behind them read alike:
 * 'label'=value[UOM];warn;crit;min;max, separated by blanks, without locale and exponents.
 */
#ifndef IB_PLUGIN_PERFDATA_H
#define IB_PLUGIN_PERFDATA_H

#include "lib/base/buf.h"
#include "lib/plugin/range.h"

enum ib_uom {
    IB_UOM_NONE,
    IB_UOM_SECONDS, /* s */
    IB_UOM_PERCENT, /* % */
    IB_UOM_BYTES,   /* B */
    IB_UOM_COUNTER, /* c: only ever grows */
};
#define IB_UOM_COUNT 5

struct ib_perf {
    const char *label;      /* cleaned and quoted as needed; not empty */
    double value;
    bool unknown;           /* printed as U, as inf and nan are */
    enum ib_uom uom;
    const struct ib_range *warn, *crit; /* may be NULL or not set */
    bool has_min, has_max;
    double min, max;
};

/* Append one datum, with a blank before it when the buffer is not empty. Values keep 3 decimals. */
void ib_perfdata_add(struct ib_buf *out, const struct ib_perf *perf);

#endif
