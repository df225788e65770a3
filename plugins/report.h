/* SPDX-License-Identifier: MIT */
/* A survey as a check shows it: first line, lines, perfdata, JSON. */
#ifndef IB_PLUGINS_REPORT_H
#define IB_PLUGINS_REPORT_H

#include "lib/plugin/output.h"
#include "lib/watch/journal.h"
#include "lib/watch/survey.h"

struct ib_report {
    const struct ib_survey *survey;
    enum ib_state timeout_state; /* for what the deadline cut off */
    size_t limit;                /* lines of builds */
    int verbose;
    struct ib_aws_stats stats;
    int64_t elapsed_ms;
    struct ib_statedb *journal;  /* what ib_cancel_action did; NULL = not known */
};

enum ib_state ib_report_state(const struct ib_report *report);
/* First line, long lines and perfdata. */
void ib_report_text(const struct ib_report *report, enum ib_state state, struct ib_output *out);
/* All facts as one object in out->json. */
IB_NODISCARD enum ib_rc ib_report_json(const struct ib_report *report, const char *program,
                                       enum ib_state state, struct ib_output *out,
                                       struct ib_error *err);

/* "BUILD words", with step, restart and reason: the part of a line behind the state. */
void ib_report_add_build(const struct ib_survey_build *build, int64_t now_ms, bool with_reason,
                         struct ib_buf *out);
/* A build as JSON. */
struct ib_members;
void ib_report_build_members(const struct ib_survey_build *build, int64_t now_ms,
                             struct ib_members *ret);

#endif
