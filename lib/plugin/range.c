/* SPDX-License-Identifier: MIT */
/* Threshold ranges: parsing, testing, writing back. */
#include "lib/plugin/range.h"

#include "lib/base/num.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

static enum ib_rc bad_range(struct ib_str text, const char *what, const char *rule,
                            struct ib_error *err)
{
    struct ib_str shown = ib_str_head(text, IB_RANGE_TEXT_MAX);

    return ib_fail(err, IB_EPARSE, "%s: \"%.*s\" is not a range: %s", what, IB_STR_ARG(shown), rule);
}

/* One end of a range; whole and what are for the error. */
static enum ib_rc parse_end(struct ib_str end, enum ib_range_unit unit, struct ib_str whole,
                            const char *what, double *ret, struct ib_error *err)
{
    struct ib_error why = IB_ERROR_INIT;
    enum ib_rc rc = ib_num_double(end, -IB_RANGE_LIMIT, IB_RANGE_LIMIT, what, ret, &why);

    if (rc == IB_OK) {
        return IB_OK;
    }
    if (rc == IB_ELIMIT) {
        return bad_range(whole, what, "its numbers stay within 15 digits", err);
    }
    if (unit == IB_RANGE_NUMBER) {
        return bad_range(whole, what, "[@][start:]end, where start and end are numbers", err);
    }
    int64_t ms;
    rc = ib_duration_parse(end, what, &ms, &why);
    if (rc == IB_ELIMIT) {
        return bad_range(whole, what, "its durations are at most 3650d", err);
    }
    if (rc != IB_OK) {
        return bad_range(whole, what,
                         "[@][start:]end, where start and end are seconds or durations such as 45m",
                         err);
    }
    *ret = (double)ms / 1000.0;
    return IB_OK;
}

enum ib_rc ib_range_parse(struct ib_str text, enum ib_range_unit unit, const char *what,
                          struct ib_range *ret, struct ib_error *err)
{
    struct ib_range r = { .is_set = true, .unit = unit, .end_inf = true };
    struct ib_str rest = text;

    if (text.n == 0) {
        return bad_range(text, what, "it is empty", err);
    }
    if (!ib_text_copy(r.text, sizeof r.text, text)) {
        return bad_range(text, what, "it is too long", err);
    }
    if (rest.p[0] == '@') {
        r.inside = true;
        rest = ib_str_skip(rest, 1);
    }
    size_t colon = ib_str_find(rest, ':');
    struct ib_str start = { NULL, 0 };
    struct ib_str end = rest;
    if (colon < rest.n) {
        start = ib_str_head(rest, colon);
        end = ib_str_skip(rest, colon + 1);
        if (start.n == 0) {
            return bad_range(text, what, "a start is missing before \":\" (0 or ~)", err);
        }
        if (ib_str_find(end, ':') < end.n) {
            return bad_range(text, what, "it has more than one \":\"", err);
        }
    }
    if (ib_str_eq_c(start, "~")) {
        r.start_inf = true;
    } else if (start.n > 0) {
        enum ib_rc rc = parse_end(start, unit, text, what, &r.start, err);
        if (rc != IB_OK) {
            return rc;
        }
    }
    if (end.n > 0 || colon == rest.n) {
        enum ib_rc rc = parse_end(end, unit, text, what, &r.end, err);
        if (rc != IB_OK) {
            return rc;
        }
        r.end_inf = false;
    }
    if (!r.start_inf && !r.end_inf && r.start > r.end) {
        return bad_range(text, what, "its start is above its end", err);
    }
    *ret = r;
    return IB_OK;
}

bool ib_range_alerts(const struct ib_range *range, double value)
{
    if (!range->is_set) {
        return false;
    }
    bool is_inside = (range->start_inf || value >= range->start) &&
                     (range->end_inf || value <= range->end);
    return is_inside == range->inside;
}

const char *ib_range_fmt(const struct ib_range *range, char *buf, size_t cap)
{
    char start[IB_NUM_TEXT_MAX] = "~", end[IB_NUM_TEXT_MAX] = "";
    bool has_start = range->start_inf || range->start < 0.0 || range->start > 0.0 || range->end_inf;

    if (!range->is_set) {
        return "";
    }
    if (!range->start_inf) {
        (void)ib_num_fmt_fixed(range->start, 3, start, sizeof start);
    }
    if (!range->end_inf) {
        (void)ib_num_fmt_fixed(range->end, 3, end, sizeof end);
    }
    (void)snprintf(buf, cap, "%s%s%s%s", range->inside ? "@" : "", has_start ? start : "",
                   has_start ? ":" : "", end);
    return buf;
}

const char *ib_range_fmt_people(const struct ib_range *range, char *buf, size_t cap)
{
    bool is_upper_limit = !range->inside && !range->end_inf && !range->start_inf &&
                          !(range->start > 0.0) && !(range->start < 0.0) && range->end >= 1.0;

    if (!range->is_set || range->unit != IB_RANGE_SECONDS || !is_upper_limit) {
        return range->is_set ? range->text : "";
    }
    (void)ib_duration_fmt((int64_t)(range->end * 1000.0), buf, cap);
    /* "45m 0s" says no more than "45m". */
    char *second = strchr(buf, ' ');
    if (second != NULL && second[1] == '0') {
        *second = '\0';
    }
    return buf;
}
