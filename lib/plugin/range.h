/* SPDX-License-Identifier: MIT */
/*
 * Threshold ranges of the monitoring plugin guidelines: [@][start:]end.
 *
 *     10      alert outside 0..10          10:     alert below 10
 *     ~:10    alert above 10               10:20   alert outside 10..20
 *     @10:20  alert inside 10..20          both ends belong to the range
 *
 * Source: monitoring-plugins.org/doc/guidelines.html, "Threshold and Ranges".
 */
#ifndef IB_PLUGIN_RANGE_H
#define IB_PLUGIN_RANGE_H

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

#define IB_RANGE_TEXT_MAX 64  /* bytes with NUL of a range as it was written */
#define IB_RANGE_LIMIT    1e15 /* ends stay inside +-this: integers are exact in a double */

enum ib_range_unit {
    IB_RANGE_NUMBER,  /* ends are plain numbers */
    IB_RANGE_SECONDS, /* ends are numbers of seconds, or durations such as 45m or 1h30m */
};

struct ib_range {
    bool is_set;           /* a zeroed range alerts on nothing */
    bool inside;           /* '@': alert inside instead of outside */
    bool start_inf, end_inf;
    enum ib_range_unit unit;
    double start, end;     /* 0 when the _inf flag is set */
    char text[IB_RANGE_TEXT_MAX]; /* as written, clean */
};

/*
 * Parse one range. what names it in the error ("--warning").
 * Errors: IB_EPARSE with the text and the rule that it breaks: empty, blanks, other characters,
 * more than one ':', no start before ':', start above end, nan, inf, hexadecimal, out of +-1e15.
 */
IB_NODISCARD enum ib_rc ib_range_parse(struct ib_str text, enum ib_range_unit unit, const char *what,
                                       struct ib_range *ret, struct ib_error *err);

/* Does value raise the alert? False for a range that is not set. */
bool ib_range_alerts(const struct ib_range *range, double value);

#define IB_RANGE_FMT_MAX 80 /* bytes with NUL */
/* Shortest form for perfdata, numbers only: "5400", "10:", "~:10", "@10:20"; "" when not set. */
const char *ib_range_fmt(const struct ib_range *range, char *buf, size_t cap);
/* For people: "1h 30m" for a plain upper limit in seconds, else the text as written; "" when not set. */
const char *ib_range_fmt_people(const struct ib_range *range, char *buf, size_t cap);

#endif
