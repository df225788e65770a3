/* SPDX-License-Identifier: MIT */
/* The record of one run of ib_cancel_action: journal, syslog, and a word to the scheduler. */
#ifndef IB_PLUGINS_RECORDED_H
#define IB_PLUGINS_RECORDED_H

#include "lib/watch/feedback.h"
#include "lib/watch/journal.h"
#include "plugins/cancelled.h"

struct ib_recorded_options {
    const char *state_dir;
    bool no_journal;   /* --no-journal: nothing is remembered, nothing stops for it */
    bool read_only;    /* a dry run: counts are read, nothing is written */
    int64_t busy_ms;   /* patience with another call's transaction, */
    struct ib_deadline deadline; /* and in all */
    bool unattended;   /* by an event or a sweep: what was given up is not asked for again */
    bool distributing; /* --also-distributing */
    bool detach;       /* a background process goes on with what is left open */
    int after_cancel;  /* enum ib_after_cancel in place of the target's; -1 = the target's */
    int64_t retry_for_ms; /* a start that follows a cancel is not made later than this */
    struct ib_journal_caller caller;
    int facility;      /* of lib/plugin/record.h */
    const char *tag;
};

struct ib_recorded {
    struct ib_recorded_options options;
    struct ib_journal journal;
    struct ib_value *caller;
    struct ib_error unrecordable; /* of a dry run: why the same call without --dry-run could not record its cancels */
};

/*
 * Errors: of the journal. Without one nothing may be cancelled, unless no_journal is set; a dry run goes on and tells,
 * by `unrecordable`, that nothing would be (IB_ENOENT: there cannot be one at this place).
 */
IB_NODISCARD enum ib_rc ib_recorded_open(const struct ib_recorded_options *options,
                                         struct ib_recorded *ret, struct ib_error *err);
void ib_recorded_fini(struct ib_recorded *recorded);

/*
 * Put the last cancel of done on record: fills job's hooks and the counts of the last hour. job->arn, target
 * and policy must be set. Errors: IB_ENOMEM, of the journal.
 */
IB_NODISCARD enum ib_rc ib_recorded_attach(struct ib_recorded *recorded, struct ib_cancelled *done,
                                           struct ib_cancel_job *job, struct ib_error *err);
/* The same hooks again, to confirm it later. */
void ib_recorded_rejoin(const struct ib_cancelled_item *item, struct ib_cancel_job *job);

/*
 * Write what came of all of them, and start what after_cancel asks for (in a dry run: say what would be
 * started); what cannot be written is kept in done->journal_trouble.
 */
void ib_recorded_finish(struct ib_recorded *recorded, struct ib_clients *clients,
                        struct ib_deadline deadline, struct ib_cancelled *done);

/*
 * What a build that was cancelled left behind: kept in item, and in the journal (db may be NULL), for schedulers
 * drop what handlers print. Before the start that follows, which begins its workflows anew. A third of the
 * time that is left, at most 3 s.
 */
void ib_recorded_look_behind(struct ib_statedb *db, const struct ib_target *target,
                             struct ib_clients *clients, struct ib_deadline deadline,
                             struct ib_cancelled_item *item);

/*
 * The start that ib_journal_finish() claimed. job: db, self, row and phase are filled here. Errors: of the
 * journal.
 */
IB_NODISCARD enum ib_rc ib_recorded_follow(struct ib_journal_cancel *record,
                                           struct ib_follow_job *job,
                                           struct ib_cancelled_item *item, struct ib_error *err);

/* Old rows go, at most once per run and only when it costs nobody. */
void ib_recorded_prune(struct ib_recorded *recorded, int64_t keep_ms);

enum ib_scheduler { IB_SCHEDULER_NONE, IB_SCHEDULER_ICINGA, IB_SCHEDULER_NAGIOS };

struct ib_told {
    enum ib_scheduler recheck;
    bool comment;
    const char *host, *service;
};

/* When something was asked for or found out: recheck and comment. Adds a line to out and done->told; changes no state. */
void ib_recorded_tell(const struct ib_told *told, const struct ib_feedback *where,
                      struct ib_cancelled *done, const struct ib_deadline *deadline,
                      struct ib_output *out);

#endif
