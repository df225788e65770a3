/* SPDX-License-Identifier: MIT */
/*
 * ib_cancel_action --resume: finish or retry what earlier calls left open. A daemon calls its handler
 * once when a service turns HARD and never again; this is what comes back.
 */
#ifndef IB_PLUGINS_RESUME_H
#define IB_PLUGINS_RESUME_H

#include "lib/plugin/output.h"
#include "lib/watch/journal.h"
#include "plugins/cancelled.h"

#define IB_RESUME_ROWS_MAX  100            /* open cancels taken up in one run */
#define IB_RESUME_RECENT_MS INT64_C(3600000) /* a cancel that failed is shown so long */

struct ib_resume {
    struct ib_journal *journal;
    const struct ib_watch_config *config;
    const struct ib_arazzo_doc *doc;
    struct ib_clients *clients;
    const struct ib_value *caller;
    struct ib_deadline deadline;
    int64_t confirm_ms;
    const char *external_id, *proxy; /* of this command line: not kept in the journal */
    bool dry_run;     /* look at the journal alone; without one nothing is open */

    /* What came of it. */
    size_t taken;     /* rows worked on by this run */
    size_t settled;   /* of those: ended */
    size_t open;      /* still open at the end, whoever works on them */
    size_t failed;    /* ended as failed or expired within IB_RESUME_RECENT_MS */
    int64_t oldest_ms;/* age of the oldest open one; 0 = none */
    char worst[512];  /* sentence about the newest failure, else about the oldest open one */
    size_t starts_open;   /* of starts that follow a cancel: the same */
    size_t starts_failed; /* and those that a rule refused */
    char worst_start[512];
};

/*
 * Reports are added to done. Errors: of the journal, as long as nothing was done; else they are done's
 * journal_trouble. What goes wrong with one row is that row's.
 */
IB_NODISCARD enum ib_rc ib_resume_run(struct ib_resume *resume, struct ib_cancelled *done,
                                      struct ib_error *err);

/*
 * CRITICAL: a cancel failed lately; WARNING: something is open, or what after_cancel asks for was not started;
 * UNKNOWN: a row could not be tried; else OK.
 */
enum ib_state ib_resume_state(const struct ib_resume *resume, const struct ib_cancelled *done);

/* A sentence for the first line: the worst of what is open or has failed. */
#define IB_RESUME_WORDS_MAX 700
const char *ib_resume_words(const struct ib_resume *resume, char *buf, size_t cap);
/* Perfdata: open, failed, oldest, starts_open, starts_failed. And the same for JSON. */
void ib_resume_perf(const struct ib_resume *resume, struct ib_output *out);
struct ib_cancelled_sums ib_resume_sums(const struct ib_resume *resume);

#endif
