/* SPDX-License-Identifier: MIT */
/*
 * The memory of ib_cancel_action: what a cancel writes before and after its request, and what later
 * calls make of a row that was left open. The transactions are lib/data/statedb.c's.
 *
 * No request leaves before its claim, its budgets and its token are on disk; what cannot be
 * recorded is not sent. A row stays open until the end of its build was seen, a refusal came that no
 * repetition changes, or its time is up.
 */
#ifndef IB_WATCH_JOURNAL_H
#define IB_WATCH_JOURNAL_H

#include "lib/data/statedb.h"
#include "lib/watch/cancel.h"
#include "lib/watch/follow.h"

struct ib_journal {
    struct ib_statedb *db;  /* NULL = --no-journal: nothing is remembered */
    struct ib_process self;
    bool is_deaf;           /* it was locked once: who asks of each build does not wait each time */
};

/*
 * Open for writing, or for reading alone. Errors as ib_statedb_open(), and IB_ESYS without /proc.
 * ret must be zeroed.
 */
IB_NODISCARD enum ib_rc ib_journal_open(const char *state_dir, bool read_only, int64_t busy_ms,
                                        struct ib_journal *ret, struct ib_error *err);
void ib_journal_fini(struct ib_journal *journal);

/* Who calls and why, for every audit line of this run. Owned by the caller. */
struct ib_journal_caller {
    const char *program;            /* "ib_cancel_action" */
    int argc;
    char *const *argv;              /* cleaned and cut, and without secrets, before they are kept */
    const char *problem;            /* the scheduler's problem id; NULL = none */
};
/* Object for the audit: user, pid, parent, program, arguments, problem. NULL when out of memory. */
struct ib_value *ib_journal_caller_value(const struct ib_journal_caller *caller);

/* How a claim went when it was not this call's to send. */
enum ib_journal_standing {
    IB_STANDING_NONE,      /* nothing was claimed */
    IB_STANDING_OWNED,     /* this call holds the row */
    IB_STANDING_JOINED,    /* another living call works on it */
    IB_STANDING_OVERTAKEN, /* another call's cancel ended after this one had begun to read: row is that one's */
    IB_STANDING_SUPERSEDED,/* the build was put back to work after the cancel was decided: row ended, nothing sent */
};

/* One cancel in the journal. Zero it, fill the first part, hand its hooks to ib_cancel_run(). */
struct ib_journal_cancel {
    struct ib_journal *journal;
    const struct ib_policy *policy;    /* budgets */
    const struct ib_target *target;
    char arn[256];                     /* as long as a row holds; "" when it is longer: then nothing is sent */
    const char *problem;
    const struct ib_value *caller;     /* of ib_journal_caller_value() */
    int64_t begun_ms;                  /* wall clock before the build was read; 0 = not known */
    struct ib_follow_rules follow;     /* what is to be started when it is cancelled and confirmed */
    bool follow_said;                  /* its kind is the command line's: kept for --resume */
    bool distributing_said;            /* --also-distributing, the same */
    bool unattended;                   /* asked for by an event or a sweep, not by a person */
    int64_t retry_for_ms;              /* what AWS refused is not asked for again sooner, unattended */

    enum ib_journal_standing standing;
    struct ib_cancel_row row;          /* of OWNED, JOINED and OVERTAKEN */
    char status[IB_IMAGE_STATUS_MAX];  /* last state on record */
    struct ib_error trouble;           /* of the last write that failed after the request had left */
    bool followed;                     /* ib_journal_finish() claimed a start, or wrote why there is none: */
    struct ib_cancel_row start;        /* owned by this call, or ended as "refused" */
};

/* The hooks that keep the record; phase is left to the caller. */
struct ib_cancel_hooks ib_journal_hooks(struct ib_journal_cancel *cancel);

/*
 * After ib_cancel_run(): end the row, or leave it open for --resume, and write the audit line of a
 * refusal or of nothing to do. A row that ends as cancelled claims what is to follow in the same transaction. Also turns the report of a joined cancel into IB_OUTCOME_REQUESTED.
 * Errors: those of the journal; the report stays true.
 */
IB_NODISCARD enum ib_rc ib_journal_finish(struct ib_journal_cancel *cancel,
                                          struct ib_cancel_report *report, struct ib_error *err);

/* End a row whose time is up without a confirmed end. */
IB_NODISCARD enum ib_rc ib_journal_expire(struct ib_journal_cancel *cancel,
                                          const struct ib_cancel_report *report,
                                          struct ib_error *err);

/*
 * RetryImage keeps a build's ARN: was it put back to work after its cancel was decided? By the starts
 * of its workflow executions then (in row->context) and now. False when it was not looked at. Pure.
 */
bool ib_journal_superseded(const struct ib_cancel_row *row, const struct ib_survey_detail *now);

/* A cancel that ended without one: refused, failed or given up. Pure. */
bool ib_journal_failed(const struct ib_cancel_row *row);

/*
 * May this build be asked to cancel, by what is on record of it? A volatile service calls every minute, a sweep
 * every few: what was given up is left to a person when AWS had accepted it, and else tried again after
 * retry_for_ms. Not so when the build was put back to work since. *ret_words: what was found. Pure.
 */
bool ib_journal_may_again(const struct ib_cancel_standing *standing,
                          const struct ib_survey_detail *now,
                          const struct ib_journal_cancel *cancel, int64_t now_ms, char *ret_words,
                          size_t cap);

/* What to do with an open row that was taken up. Pure. */
enum ib_journal_next {
    IB_NEXT_SEND,   /* send again with its token, or for the first time */
    IB_NEXT_READ,   /* its time is up: only look how it ended */
    IB_NEXT_WAIT,   /* the clock went back: how much time passed is not known, nothing is sent or given up on a guess */
};
enum ib_journal_next ib_journal_next(const struct ib_cancel_row *row, int64_t now_ms,
                                     int64_t retry_for_ms);

/*
 * How to reach the build of a row again: the target of its name when the configuration still has it,
 * else the region, profile, role and endpoint that were recorded. ret->what and texts point into row_context,
 * which the caller keeps and ends. *ret_judged: its rules say whether it is stuck (else any age was asked for, or the
 * limits are not known any more). Errors: IB_EPARSE for a context that is damaged.
 */
IB_NODISCARD enum ib_rc ib_journal_target(const struct ib_cancel_row *row,
                                          const struct ib_watch_config *config,
                                          struct ib_value **row_context, struct ib_target *ret,
                                          bool *ret_judged, struct ib_error *err);

/* For surveys: ib_statedb_begun_after(); 0 when the journal (ctx, a struct ib_journal) is not there or cannot be read. */
int64_t ib_journal_begun_after(void *ctx, struct ib_str arn);

/*
 * What the check shows about a build: "cancel requested 3m 0s ago, not confirmed", "cancel failed: ...",
 * "cancelled by ib_cancel_action". "" when the journal knows nothing that matters now.
 */
const char *ib_journal_words(const struct ib_cancel_row *row, int64_t now_ms, char *buf, size_t cap);

#endif
