/* SPDX-License-Identifier: MIT */
/*
 * What is one build's state worth to the monitoring? Pure: facts and thresholds in, a plugin state
 * with its reason out. The check shows it; the cancel action acts on nothing else.
 *
 * A build in flight is judged by its age, by the time in its present status, and by whether it
 * waits for a person. One that has ended is judged by a table. What is not known never counts as
 * well: an age without a date is UNKNOWN as soon as a threshold asks for it.
 */
#ifndef IB_WATCH_JUDGE_H
#define IB_WATCH_JUDGE_H

#include <stdint.h>

#include "lib/base/error.h"
#include "lib/imagebuilder/status.h"
#include "lib/plugin/range.h"
#include "lib/plugin/state.h"

/* A creation date so far ahead of this host's clock still counts as now (SigV4 takes as much). */
#define IB_JUDGE_SKEW_MS INT64_C(300000)

struct ib_judge_limits {
    struct ib_range warn, crit; /* seconds */
};

struct ib_judge_rules {
    struct ib_judge_limits age;                          /* -w, -c */
    struct ib_judge_limits phase[IB_IMAGE_STATUS_COUNT]; /* --phase; of statuses in flight only */
    enum ib_state map[IB_IMAGE_STATUS_COUNT + 1]; /* --map; of statuses not in flight and unheard-of */
    enum ib_state waiting;  /* --waiting: in place of the state that a limit would give */
    bool stuck_only;        /* judge builds in flight alone */
};

/* No thresholds; the defaults of --map and --waiting. */
void ib_judge_rules_init(struct ib_judge_rules *rules);

/*
 * "STATUS=STATE" (--map): a status that is not in flight, or "other" for those that this version does
 * not know. Errors: IB_EUSAGE.
 */
IB_NODISCARD enum ib_rc ib_judge_map_parse(const char *text, struct ib_judge_rules *rules,
                                           struct ib_error *err);
/* "STATUS=WARN,CRIT" (--phase), both ranges; one may be empty. A status in flight. Errors: IB_EUSAGE. */
IB_NODISCARD enum ib_rc ib_judge_phase_parse(const char *text, struct ib_judge_rules *rules,
                                             struct ib_error *err);

/*
 * Can this range ever say that a build is too old? "10m:" cannot: it alerts below 10 minutes.
 * A limit that a cancel hangs on must.
 */
bool ib_judge_can_be_too_old(const struct ib_range *range);

/*
 * Where CRITICAL must mean stuck (--stuck-only, every cancel) no critical range, of the age or of a
 * phase, may be one that never says too old, or says it of every build ("0"). Errors: IB_EUSAGE.
 */
IB_NODISCARD enum ib_rc ib_judge_check_critical(const struct ib_judge_rules *rules,
                                                struct ib_error *err);

/* Is there any limit, critical or warning, of the age or of a phase? */
bool ib_judge_has_limits(const struct ib_judge_rules *rules);

struct ib_judge_facts {
    enum ib_image_status status;
    struct ib_str status_text; /* as AWS wrote it */
    bool age_known;
    int64_t age_ms;            /* now - start; negative: dated in the future */
    bool phase_known;          /* the time in this status is known; else the age stands in for it */
    int64_t phase_ms;
    bool restarting;           /* put back to work, and its new start is not known yet: no age */
    bool waiting;              /* a step waits for a person's answer (WaitForAction) */
    struct ib_str waiting_step;
};

/*
 * A build that was put back to work, and no workflow has begun that would show it: its age by AWS's dates is too
 * high. most_ms: what it can be at the most, by what this host knows of it; negative: that is dated in the future, and
 * so is the build then, unless a workflow tells since when it works. Pure.
 */
void ib_judge_not_older(struct ib_judge_facts *facts, int64_t most_ms);

enum ib_judge_reason {
    IB_JUDGED_FINE,        /* in flight, below all limits */
    IB_JUDGED_AGE,         /* a limit on the age */
    IB_JUDGED_PHASE,       /* a limit on the time in one status */
    IB_JUDGED_WAITING,     /* over a limit, and it waits for a person */
    IB_JUDGED_AGE_UNKNOWN, /* a limit is set and the age cannot be told */
    IB_JUDGED_ENDED,       /* not in flight: by --map */
    IB_JUDGED_UNHEARD_OF,  /* a status that this version does not know: by --map other= */
    IB_JUDGED_SKIPPED,     /* not in flight, and only those in flight are judged */
};
/* "fine", "age", "phase", "waiting", "age-unknown", "ended", "unheard-of", "skipped". */
const char *ib_judge_reason_name(enum ib_judge_reason reason);

struct ib_judgement {
    enum ib_state state;
    enum ib_judge_reason reason;
    bool in_flight;
    bool stuck;      /* CRITICAL because it is too old: what may be cancelled */
    char words[200]; /* "BUILDING for 2h 13m (critical 1h 30m)" */
};

void ib_judge(const struct ib_judge_rules *rules, const struct ib_judge_facts *facts,
              struct ib_judgement *ret);

#endif
