/* SPDX-License-Identifier: MIT */
/*
 * The journal: one SQLite database in the state directory that remembers every cancel.
 *
 * Two tables. `cancels` has a row per logical cancel (one build, one client token) and says where
 * it stands; at most one row per build is open. The start that follows a cancel (after_cancel) has a
 * row of its own there, at most one per build for ever, made in the transaction that ends the
 * cancel. `audit` is append-only and says who did what, why and with which outcome. What a row means and when it may be written is lib/watch's business;
 * here are the transactions that make it hold whoever calls, however often, and wherever a process
 * dies: a claim, the check of the budgets and the audit line are one transaction, on disk before
 * any request is sent.
 *
 * Several users (nagios, icinga, root) share a database when the directory belongs to a group of
 * theirs and has the setgid bit; the file then is 0660, else 0600.
 */
#ifndef IB_DATA_STATEDB_H
#define IB_DATA_STATEDB_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/data/value.h"
#include "lib/sys/deadline.h"
#include "lib/sys/process.h"

#define IB_STATEDB_FILE      "journal.db"
#define IB_STATEDB_VERSION   2
#define IB_STATEDB_MAX_BYTES (INT64_C(64) * 1024 * 1024) /* 100,000 cancels and their audit */

struct ib_statedb;

struct ib_statedb_options {
    const char *dir;       /* state directory; created (0700) when create is set and it is missing */
    bool create;           /* false: IB_ENOENT when there is no database */
    bool read_only;        /* nothing is written, no directory or file made */
    int64_t busy_ms;       /* wait at most so long for another process's transaction */
};

/*
 * Errors, each one line that names the file: IB_ENOENT (no database, create not set), IB_ESYS
 * (directory or file cannot be opened or written, disk full), IB_ECONFIG (a symlink, writable by
 * everybody, owned by a stranger, from a newer version), IB_EPARSE (not a database, damaged,
 * cut off), IB_ELIMIT (larger than IB_STATEDB_MAX_BYTES), IB_ETIMEOUT (locked for busy_ms).
 */
IB_NODISCARD enum ib_rc ib_statedb_open(const struct ib_statedb_options *options,
                                        struct ib_statedb **ret, struct ib_error *err);
void ib_statedb_close(struct ib_statedb *db);

/*
 * By its permissions alone: may this user write it, or make it? Nothing is changed. Errors: IB_ESYS (no);
 * IB_ENOENT (not even the directory is there that it would be made in), IB_ECONFIG.
 */
IB_NODISCARD enum ib_rc ib_statedb_may_write(const char *dir, struct ib_error *err);
void ib_statedb_cleanup(struct ib_statedb **db); /* for IB_CLEANUP */

/* Where one cancel stands. */
enum ib_cancel_phase {
    IB_CANCEL_CLAIMED, /* recorded, the request has not been sent yet */
    IB_CANCEL_SENT,    /* the request is about to leave or has left; its answer is not known */
    IB_CANCEL_ACCEPTED,/* AWS said yes; the end has not been seen */
    IB_CANCEL_ENDED,   /* closed: outcome says how */
};
#define IB_CANCEL_PHASE_COUNT 4
const char *ib_cancel_phase_name(enum ib_cancel_phase phase); /* "claimed", "sent", "accepted", "ended" */

#define IB_CANCEL_TEXT_MAX 512
#define IB_CANCEL_KIND     "cancel" /* of a row; any other kind is a start that follows one */

/* One row of `cancels`. Texts are "" when not known. */
struct ib_cancel_row {
    int64_t id;
    char kind[16];          /* IB_CANCEL_KIND, "retry", "start-pipeline" */
    char arn[256];          /* of the build that is, or was, cancelled */
    char what[512];         /* of a start: what is started, a build or a pipeline */
    char started[256];      /* of a start: the build that came of it */
    char target[128];       /* name of the configuration's target; "" for -a */
    char token[65];         /* client token, stored before use */
    char problem[128];      /* the scheduler's problem id */
    enum ib_cancel_phase phase;
    char outcome[32];       /* of ENDED: "cancelled", "finished", "failed", "expired", "gone", ...; of
                               starts: "started", "failed", "expired", "refused" (never sent) */
    char text[IB_CANCEL_TEXT_MAX]; /* last sentence about it */
    char status[32];        /* last state seen */
    char context[4096];     /* JSON: how to reach it again (region, profile, role, endpoint), and what was asked for */
    struct ib_process owner;/* the process that works on it */
    int64_t created_ms, updated_ms;
    int64_t sent_ms;        /* first time that a request was about to leave that may have arrived; 0 = never */
    int64_t ended_ms;       /* 0 = open */
    int64_t attempts;       /* how often a process took it up */
};

/* What is on record of the cancels of one build. */
struct ib_cancel_standing {
    bool has_open, has_last;
    struct ib_cancel_row open; /* at most one */
    struct ib_cancel_row last; /* the newest that has ended */
    bool last_accepted;        /* AWS had said yes to it */
};

enum ib_claim_result {
    IB_CLAIM_GRANTED,  /* a new row, the caller owns it: send with its token */
    IB_CLAIM_TAKEN_OVER, /* the open row of a dead process: go on with its token and phase */
    IB_CLAIM_BUSY,     /* a living process works on it */
    IB_CLAIM_REFUSED,  /* decide() said no; nothing but its audit line was written */
};

/* What the transaction counted; passed to decide(). */
struct ib_claim_counts {
    int64_t target_last_hour; /* as ib_statedb_count() */
    int64_t total_last_hour;
    struct ib_cancel_standing build; /* nothing is open then */
};

/* Called inside the transaction: true to grant. May set *ret_audit (owned by the claim) to add to the audit line. */
typedef bool (*ib_claim_decide_fn)(void *ctx, const struct ib_claim_counts *counts,
                                   struct ib_value **ret_audit);

struct ib_claim_request {
    const char *arn, *target, *token, *problem, *context; /* token: a fresh one, used if granted */
    int64_t now_ms;
    const struct ib_process *self;
    const struct ib_value *audit;  /* object put into the audit line: caller, arguments ... */
    ib_claim_decide_fn decide;
    void *ctx;
};

/*
 * Claim a build. An open row of a process that is gone is taken over without asking decide(): what was
 * begun is finished. An owner of which nothing is known (IB_PROCESS_UNKNOWN) counts as alive for
 * `IB_STATEDB_OWNER_MAX_MS`, for no call lives longer.
 */
#define IB_STATEDB_OWNER_MAX_MS (INT64_C(15) * 60 * 1000)
IB_NODISCARD enum ib_rc ib_statedb_claim(struct ib_statedb *db,
                                         const struct ib_claim_request *request,
                                         enum ib_claim_result *ret, struct ib_cancel_row *ret_row,
                                         struct ib_error *err);

/* Take up an open row by id for --resume: the same rules; IB_CLAIM_GRANTED is never given. audit: who; may be NULL. */
IB_NODISCARD enum ib_rc ib_statedb_take(struct ib_statedb *db, int64_t id,
                                        const struct ib_process *self, int64_t now_ms,
                                        const struct ib_value *audit, enum ib_claim_result *ret,
                                        struct ib_cancel_row *ret_row, struct ib_error *err);

/*
 * Move a row on and write its audit line, in one transaction: the row must be open and owned by self
 * (IB_EREFUSED otherwise: another process took it over, stop). phase never goes back, but by unsent. status and
 * text may be NULL (unchanged); outcome is for ENDED only. audit: members of the line, may be NULL.
 */
struct ib_cancel_update {
    int64_t id, now_ms;
    const struct ib_process *self;
    enum ib_cancel_phase phase;
    bool unsent;                  /* it was answered by a plain no: as if it had never left, sent_ms 0 */
    const char *outcome, *status, *text, *started;
    const char *event;            /* of the audit line: "send", "answer", "read", "end" ... */
    const struct ib_value *audit;
};
IB_NODISCARD enum ib_rc ib_statedb_update(struct ib_statedb *db, const struct ib_cancel_update *update,
                                          struct ib_error *err);

/* What a start is decided by. */
struct ib_follow_counts {
    int64_t target_last_hour, total_last_hour; /* as ib_statedb_count() */
    bool again;       /* a start of this build is on record */
    char origin[256]; /* the build after whose cancel this one was started; "" = none */
    bool lost;        /* a start of the same `what` within a day, of which it is not known what became */
};
IB_NODISCARD enum ib_rc ib_statedb_follow_look(struct ib_statedb *db, const char *arn,
                                               const char *what, const char *target, int64_t now_ms,
                                               struct ib_follow_counts *ret, struct ib_error *err);

/* Inside the transaction: true to start. Else *ret_why (cap bytes) says why not. */
typedef bool (*ib_follow_decide_fn)(void *ctx, const struct ib_follow_counts *counts, char *ret_why,
                                    size_t cap);

struct ib_follow_request {
    const char *kind, *what, *token;
    ib_follow_decide_fn decide;
    void *ctx;
};

/*
 * End a cancel as ib_statedb_update() does, and claim the start that follows it in the same transaction:
 * whoever dies in between leaves a row that --resume takes up. *ret: IB_CLAIM_GRANTED with the row of
 * the start, owned by the caller; IB_CLAIM_REFUSED with a row that has ended as "refused" and says why.
 */
IB_NODISCARD enum ib_rc ib_statedb_end_and_follow(struct ib_statedb *db,
                                                  const struct ib_cancel_update *update,
                                                  const struct ib_follow_request *follow,
                                                  enum ib_claim_result *ret,
                                                  struct ib_cancel_row *ret_row,
                                                  struct ib_error *err);

/* Let go of an open row without ending it, so that --resume may take it at once. */
IB_NODISCARD enum ib_rc ib_statedb_release(struct ib_statedb *db, int64_t id,
                                           const struct ib_process *self, int64_t now_ms,
                                           struct ib_error *err);

/*
 * Cancels and starts that may have arrived in the last hour, and open ones, for this target and in all: what
 * decide() gets. Not an open cancel of this build (arn; "" = of all), which would be gone on with.
 */
IB_NODISCARD enum ib_rc ib_statedb_count(struct ib_statedb *db, const char *target, const char *arn,
                                         int64_t now_ms, int64_t *ret_target, int64_t *ret_total,
                                         struct ib_error *err);
IB_NODISCARD enum ib_rc ib_statedb_standing(struct ib_statedb *db, const char *arn,
                                            struct ib_cancel_standing *ret, struct ib_error *err);

/* An audit line that belongs to no row (a refusal, a dry run). arn may be "". */
IB_NODISCARD enum ib_rc ib_statedb_audit(struct ib_statedb *db, int64_t now_ms, const char *arn,
                                         const char *event, const struct ib_value *members,
                                         struct ib_error *err);
/*
 * The same, unless the newest line of this build says the same (event, rule, AWS's code, problem, user and arguments)
 * and is not older than quiet_ms: what calls every minute must not fill the journal.
 */
IB_NODISCARD enum ib_rc ib_statedb_audit_change(struct ib_statedb *db, int64_t now_ms,
                                                int64_t quiet_ms, const char *arn,
                                                const char *event, const struct ib_value *members,
                                                struct ib_error *err);

/* fn returns false to stop. */
typedef bool (*ib_cancel_row_fn)(void *ctx, const struct ib_cancel_row *row);
/*
 * What is open, at most max: cancels before starts, and of each the one first that was left alone longest, so
 * that each gets its turn.
 */
IB_NODISCARD enum ib_rc ib_statedb_open_rows(struct ib_statedb *db, int64_t max, ib_cancel_row_fn fn,
                                             void *ctx, struct ib_error *err);
/* What is open or has ended after since_ms, of both kinds, newest first. */
IB_NODISCARD enum ib_rc ib_statedb_recent_rows(struct ib_statedb *db, int64_t since_ms,
                                               ib_cancel_row_fn fn, void *ctx, struct ib_error *err);
/* The newest row of a build, of either kind. IB_ENOENT when there is none. */
IB_NODISCARD enum ib_rc ib_statedb_last(struct ib_statedb *db, const char *arn,
                                        struct ib_cancel_row *ret, struct ib_error *err);

/*
 * A build in flight can have begun its present work no earlier than this: it was put back to work by a start on
 * record (its request left then), or a cancel on record saw that it had ended. 0 = nothing of the kind.
 */
IB_NODISCARD enum ib_rc ib_statedb_begun_after(struct ib_statedb *db, const char *arn, int64_t *ret_ms,
                                               struct ib_error *err);

/* Audit lines, newest first, as objects {"id","time","arn","cancel","event",...members}. arn may be NULL (all). */
typedef bool (*ib_audit_fn)(void *ctx, const struct ib_value *line);
IB_NODISCARD enum ib_rc ib_statedb_history(struct ib_statedb *db, const char *arn, int64_t max,
                                           ib_audit_fn fn, void *ctx, struct ib_error *err);

/* From now on wait at most so long for another process's transaction. */
void ib_statedb_patience(struct ib_statedb *db, int64_t busy_ms);
/* And never longer than half of what is left until then: a lock that stays must not use up the run. */
void ib_statedb_until(struct ib_statedb *db, struct ib_deadline until);

/*
 * Remove audit lines and ended rows older than before_ms; of a journal that is half full also the oldest 10,000 lines. Open rows stay, and so do starts that were sent, without
 * their texts: a build is not started twice however old its first start is.
 */
IB_NODISCARD enum ib_rc ib_statedb_prune(struct ib_statedb *db, int64_t before_ms,
                                         struct ib_error *err);

#endif
