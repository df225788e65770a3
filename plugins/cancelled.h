/* SPDX-License-Identifier: MIT */
/* What a run of ib_cancel_action did, as it shows it: one result per build. */
#ifndef IB_PLUGINS_CANCELLED_H
#define IB_PLUGINS_CANCELLED_H

#include "lib/data/members.h"
#include "lib/plugin/output.h"
#include "lib/watch/behind.h"
#include "lib/watch/cancel.h"
#include "lib/watch/journal.h"

struct ib_cancelled_item {
    const struct ib_target *target;
    struct ib_cancel_report report;
    struct ib_journal_cancel *record; /* heap; NULL = not on record */
    struct ib_follow_report follow;   /* what after_cancel came to */
    struct ib_leftover left;          /* what the build's steps made and did not end */
    bool outdone;                     /* another target's result for the same build is what counts */
    bool looked_behind;               /* it was cancelled, by this call or one before: left was looked for */
};

/* What the journal has open, for JSON. */
struct ib_cancelled_sums {
    bool are_set; /* of --resume and --sweep */
    size_t taken, open, failed, starts_open, starts_failed;
    int64_t oldest_ms;
};

struct ib_cancelled {
    struct ib_cancelled_item *items;
    size_t count;
    const struct ib_survey *survey; /* that the builds were found by; NULL for -a */
    size_t left_out;                /* stuck builds that were not even looked at */
    const char *no_action;          /* the gate was closed: why */
    bool explain;
    bool sweep;                     /* what policy keeps from being cancelled is no failure of the sweep */
    struct ib_error unrecordable;   /* of a dry run: rc != IB_OK: the real one would send nothing */
    struct ib_error journal_trouble; /* rc != IB_OK: something was done and could not be recorded in full */
    struct ib_cancelled_sums sums;
    char told[IB_ERROR_TEXT_MAX];   /* what the scheduler was asked for, or why not; "" = nothing */
    int64_t begin_mono_ms;
    struct ib_aws_stats stats;
};
void ib_cancelled_fini(struct ib_cancelled *done);

/* A zeroed report to be filled; valid until the next one is added. */
IB_NODISCARD enum ib_rc ib_cancelled_add(struct ib_cancelled *done, const struct ib_target *target,
                                         struct ib_cancel_report **ret, struct ib_error *err);
/* Forget one: a later result is in its place. */
void ib_cancelled_drop(struct ib_cancelled *done, size_t at);
/* Requests sent so far. */
size_t ib_cancelled_sent(const struct ib_cancelled *done);
/*
 * Of these the ones that count for --max-cancel: not what an earlier run had decided and sent already,
 * or a cancel that hangs would keep every other stuck build from its own.
 */
size_t ib_cancelled_new(const struct ib_cancelled *done);

/* What is, or may be, left behind: "amis", "maybeInstances", "maybeAmis". */
void ib_cancelled_left_members(const struct ib_cancelled_item *item, struct ib_members *m);

/* In a dry run: a cancel that could not be recorded would not be asked for. */
void ib_cancelled_foretell(const struct ib_cancelled *done, struct ib_cancelled_item *item);

/* Append what after_cancel came to to the words of the cancel. */
void ib_cancelled_note_follow(struct ib_cancelled_item *item);

/*
 * What one result means for the exit code. In a sweep, a build that policy protects (its tag, the allow
 * list, its state, the minimum age) is left to the check, which calls it stuck; one that waits for the
 * next run (--max-cancel) is a WARNING.
 */
enum ib_state ib_cancelled_item_state(const struct ib_cancelled *done,
                                      const struct ib_cancelled_item *item);

/* The first line says what could not be read; false when there is nothing of the kind. */
bool ib_cancelled_unread(const struct ib_cancelled *done, struct ib_output *out);

/* The worst of all outcomes, and of what could not be read while looking for builds. */
enum ib_state ib_cancelled_state(const struct ib_cancelled *done);
void ib_cancelled_text(const struct ib_cancelled *done, struct ib_output *out);
IB_NODISCARD enum ib_rc ib_cancelled_json(const struct ib_cancelled *done, const char *program,
                                          enum ib_state state, struct ib_output *out,
                                          struct ib_error *err);

#endif
