/* SPDX-License-Identifier: MIT */
/*
 * Cancelling one build, through the branch of the workflow document.
 *
 * The slice getImage -> cancelCreation -> confirmCancellation of the document runs with the build's
 * ARN as what createImage gave. Between the fresh GetImage and the request stands ours: judged
 * by the check's own code, looked at closer, and decided by policy. A request leaves only when
 * document, judgement and policy all say so, and about this build alone.
 *
 * Every end is told apart, also those that AWS's model does not know: refused because the build had
 * ended, gone, in use, no permission, a token that was used for something else.
 */
#ifndef IB_WATCH_CANCEL_H
#define IB_WATCH_CANCEL_H

#include "lib/arazzo/document.h"
#include "lib/watch/policy.h"
#include "lib/watch/survey.h"

#define IB_CANCEL_TOKEN_MAX 65 /* bytes with NUL; the API takes 64 */

enum ib_outcome {
    IB_OUTCOME_CANCELLED, /* asked for and seen */
    IB_OUTCOME_FINISHED,  /* asked for, but the build ended by itself before */
    IB_OUTCOME_NOTHING,   /* nothing to do: it has ended, or it is not stuck */
    IB_OUTCOME_GONE,      /* nothing to do: there is no such build (any more) */
    IB_OUTCOME_DRY_RUN,   /* would be asked for */
    IB_OUTCOME_REQUESTED, /* asked for and accepted, the end not seen in time */
    IB_OUTCOME_UNKNOWN,   /* the request may have arrived: no answer came */
    IB_OUTCOME_REFUSED,   /* a rule of policy, or Image Builder, said no */
    IB_OUTCOME_UNTRIED,   /* could not be tried: not readable, no credentials, no time */
};
#define IB_OUTCOME_COUNT 9

/* "cancelled", "finished", "nothing", "gone", "dry-run", "requested", "unknown", "refused", "untried". */
const char *ib_outcome_name(enum ib_outcome outcome);
/* OK 0: cancelled, finished, nothing, gone, dry-run. WARNING 1: requested, unknown. CRITICAL 2: refused. UNKNOWN 3: untried. */
enum ib_state ib_outcome_state(enum ib_outcome outcome);

/* What happens between decision and request, and after: for the journal. Any may be NULL. */
struct ib_cancel_hooks {
    void *ctx;
    /*
     * The request is about to leave; token may be replaced (one that was stored before). IB_OK: send.
     * Any error: do not send; IB_EREFUSED is a refusal, others mean that it could not be tried.
     */
    enum ib_rc (*before_send)(void *ctx, const struct ib_survey_build *build,
                              const struct ib_policy_decision *decision,
                              char token[IB_CANCEL_TOKEN_MAX], struct ib_error *err);
    /* May it be asked for, by what is on record of it? Words for either. Before policy, in dry runs too. */
    bool (*once)(void *ctx, const struct ib_survey_build *build, char *ret_words, size_t cap);
    /*
     * Its answer: err->rc IB_OK for success; http_status 0 when none came. refused: no try can have done anything.
     */
    void (*after_send)(void *ctx, const struct ib_error *err, bool refused, const char *request_id);
    /* A state was read. */
    void (*seen)(void *ctx, const struct ib_image *image);
    /* For the watchdog's line; sent: the request may have left. */
    void (*phase)(void *ctx, bool sent, const char *what);
};

struct ib_cancel_job {
    struct ib_str arn;                 /* full build ARN */
    const struct ib_target *target;    /* how to reach it and what is stuck */
    const struct ib_policy *policy;
    bool by_arn;                       /* named by -a */
    int64_t cancelled_this_run, target_last_hour, total_last_hour;
    int64_t begun_after_ms;            /* as ib_statedb_begun_after(), by this host's clock; 0 = not known */
    const struct ib_arazzo_doc *doc;
    struct ib_clients *clients;
    char token[IB_CANCEL_TOKEN_MAX];
    bool dry_run;
    /*
     * It was decided before: it need not be judged stuck again (policy->any_age is to be set), but it is
     * always looked at closer, and nothing is sent when that cannot be read.
     */
    bool resume;
    struct ib_deadline deadline;       /* of this build; the clients are bound by it meanwhile */
    int64_t ask_ms;                    /* what gives no answer within this is not asked for any more; 0 = deadline */
    int64_t confirm_ms;                /* after the request was accepted; the deadline counts too */
    struct ib_cancel_hooks hooks;
};

struct ib_cancel_report {
    enum ib_outcome outcome;
    char text[IB_ERROR_TEXT_MAX];      /* one sentence, without the build's name */
    struct ib_error error;             /* of REFUSED by AWS, UNKNOWN and UNTRIED; else rc IB_OK */
    char arn[1025];
    char token[IB_CANCEL_TOKEN_MAX];   /* that was used; "" when nothing was sent */
    bool sent;
    bool may_pass;                     /* of REFUSED: for now, asking later may help */
    int64_t sent_ms, ended_ms;         /* wall clock; 0 = not */
    char request_id[64];               /* of the cancel */
    char status_before[32], status_after[32]; /* "" = not read */
    bool decided;                      /* decision is filled */
    struct ib_policy_decision decision;
    struct ib_survey_build build;      /* as last read; image.value NULL when it never was */
    int reads;                         /* GetImage answers */
};

void ib_cancel_report_fini(struct ib_cancel_report *report);

/* Do it. Nothing fails: the report says what came of it. ret must be zeroed. */
void ib_cancel_run(const struct ib_cancel_job *job, struct ib_cancel_report *ret);

/*
 * Go on with one that ended as IB_OUTCOME_REQUESTED: wait for its end again, by the document's
 * confirmCancellation. Any other outcome is left as it is.
 */
void ib_cancel_confirm(const struct ib_cancel_job *job, struct ib_cancel_report *report);

#endif
