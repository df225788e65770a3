/* SPDX-License-Identifier: MIT */
/*
 * after_cancel: the start that follows a confirmed cancel, RetryImage of the build or a new run of its
 * pipeline.
 *
 * It is claimed in the transaction that ends the cancel (lib/watch/journal.c), so it is on record with
 * its token before it is asked for, and whoever dies in between leaves it to --resume. Bounds:
 *   - one per build, for ever: a unique index of the journal, and starts are never pruned;
 *   - a build that was itself started so is not followed by another, so a pipeline that gets stuck
 *     each time is started once and then left to a person;
 *   - the hourly budgets of cancels count starts too;
 *   - what was not answered within retry_for is given up: AWS remembers a token for a limited time, and
 *     with a forgotten one a second request would be a second start.
 * Nothing follows a build that ended by itself, a cancel without a journal, or a dry run.
 */
#ifndef IB_WATCH_FOLLOW_H
#define IB_WATCH_FOLLOW_H

#include "lib/data/statedb.h"
#include "lib/imagebuilder/image.h"
#include "lib/plugin/state.h"
#include "lib/watch/clients.h"
#include "lib/watch/targets.h"

enum ib_follow_outcome {
    IB_FOLLOW_NONE,     /* nothing was to follow */
    IB_FOLLOW_WOULD,    /* dry run: it would be started */
    IB_FOLLOW_WITHHELD, /* not started: there is no journal */
    IB_FOLLOW_STARTED,
    IB_FOLLOW_OPEN,     /* not asked for yet, or the answer is not known: --resume goes on with it */
    IB_FOLLOW_REFUSED,  /* not asked for: a rule */
    IB_FOLLOW_FAILED,   /* asked for, and refused by Image Builder or given up */
};
#define IB_FOLLOW_OUTCOME_COUNT 7
/* "none", "would-start", "withheld", "started", "open", "refused", "failed". */
const char *ib_follow_outcome_name(enum ib_follow_outcome outcome);
/* What it adds to the state of its cancel: WARNING for open, refused and failed, else OK. */
enum ib_state ib_follow_state(enum ib_follow_outcome outcome);

/* "nothing", "retry", "start-pipeline". */
const char *ib_follow_kind_name(enum ib_after_cancel kind);
/* IB_AFTER_NOTHING for any other text. */
enum ib_after_cancel ib_follow_kind(const char *name);

/* What may follow the cancel of one build. Zeroed: nothing. */
struct ib_follow_rules {
    enum ib_after_cancel kind;
    int64_t target_per_hour, total_per_hour; /* -1 = no limit */
    int64_t within_ms;                       /* retry_for; a minute at least */
};

#define IB_FOLLOW_WHAT_MAX 512 /* bytes with NUL; as a row of the journal has it */

/* What is started: the build, or the pipeline that made it ("" when none did). */
void ib_follow_what(enum ib_after_cancel kind, const struct ib_image *image, struct ib_str arn,
                    char *ret, size_t cap);

/*
 * May it be started? Pure. late_ms: since the cancel was decided. False with the reason in ret_why.
 */
bool ib_follow_decide(const struct ib_follow_rules *rules, const char *what,
                      const struct ib_follow_counts *counts, int64_t late_ms, char *ret_why,
                      size_t cap);

struct ib_follow_report {
    enum ib_follow_outcome outcome;
    enum ib_after_cancel kind;
    char text[IB_ERROR_TEXT_MAX]; /* "started again as web-server/1.0.0/8", "not started again: ..." */
    char started[256];            /* ARN of the build that runs now; "" = none, or not known */
    char token[65];
    bool sent;
    char request_id[64];
    struct ib_error error;        /* of OPEN and FAILED, where a call met one */
};

/* Fill a report of something that was not asked for. */
void ib_follow_say(struct ib_follow_report *report, enum ib_follow_outcome outcome,
                   enum ib_after_cancel kind, const char *why);

struct ib_follow_job {
    struct ib_statedb *db;
    const struct ib_process *self;
    const struct ib_cancel_row *row;   /* the start: owned by self */
    const struct ib_target *target;
    struct ib_clients *clients;
    struct ib_deadline deadline;
    int64_t within_ms;
    bool withdrawn;                    /* the configuration asks for it no more */
    void (*phase)(void *ctx, bool sent, const char *what); /* may be NULL */
    void *ctx;
};

/*
 * Ask for it and write what came of it. Errors: of the journal; nothing is sent that could not be
 * recorded, and what was sent is told by the report whatever the journal says.
 */
IB_NODISCARD enum ib_rc ib_follow_run(const struct ib_follow_job *job,
                                      struct ib_follow_report *ret, struct ib_error *err);

#endif
