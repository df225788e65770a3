/* SPDX-License-Identifier: MIT */
/*
 * The state of everything that targets select: builds found, read, judged and sorted. The check prints
 * it, the cancel action picks from it: one code for both.
 *
 * A build counts when it is in flight, or when it is the newest that has ended: of its pipeline or image,
 * or, for a whole account, of each image within the lookback. Builds that a limit hits are looked at
 * closer (read again, running workflow and step, put back to work or not) and judged again.
 */
#ifndef IB_WATCH_SURVEY_H
#define IB_WATCH_SURVEY_H

#include "lib/imagebuilder/image.h"
#include "lib/imagebuilder/workflow.h"
#include "lib/watch/clients.h"
#include "lib/watch/judge.h"
#include "lib/watch/targets.h"

#define IB_SURVEY_DETAIL_MAX   200                 /* builds of a target looked at closer; the oldest first */
#define IB_SURVEY_LOOKBACK_MS  INT64_C(86400000)   /* of -A when nothing else is said */

/* What a closer look found. */
struct ib_survey_detail {
    bool looked;               /* the calls were made */
    struct ib_error trouble;   /* rc != IB_OK: one of them failed; the rest is what is known */
    bool denied;               /* it failed for lack of permission alone */
    bool unsupported;          /* or because the service there has no such operation */
    bool retried;              /* put back to work by RetryImage */
    bool begun_late;           /* or its first workflow began late; restart_ms is when */
    bool restart_known;        /* and since: */
    int64_t restart_ms;
    bool has_first_start;      /* start of the earliest execution that is listed */
    int64_t first_start_ms;
    char workflow[IB_WORKFLOW_NAME_MAX]; /* that runs; "" = none known */
    char workflow_type[16];
    bool has_workflow_start;
    int64_t workflow_start_ms;
    struct ib_workflow_step step;        /* name "" = none known */
};

struct ib_survey_build {
    struct ib_image image;
    size_t target;             /* index in the plan */
    bool from_list;            /* found by a list, which is up to two minutes behind */
    bool repeated;             /* selected by another target too, which judges it as bad or worse */
    bool vanished, superseded; /* of survey.c: about to be dropped */
    uint64_t group;            /* of survey.c: the newest ended build of a group counts */
    struct ib_judge_facts facts;
    struct ib_judgement judgement;
    struct ib_survey_detail detail;
};

/* Something that could not be read: UNKNOWN, and named. */
struct ib_survey_trouble {
    size_t target;
    char what[512];
    struct ib_error err;
};

/* A pipeline, as it was when it was read. */
struct ib_survey_pipeline {
    size_t target, source;
    char name[160], arn[512];
    bool enabled, scheduled;
    int64_t consecutive_failures, failure_limit;
    size_t builds;             /* found of it, of any age */
    bool disabled_by_failures; /* AWS switched it off */
    enum ib_state state;
    char words[200];
};

/* What one target came to. */
struct ib_survey_target {
    size_t builds;   /* that count */
    bool troubled;
    bool none;       /* nothing matched, and nothing went wrong */
    enum ib_state none_state;
};

struct ib_survey {
    const struct ib_target *plan;
    size_t plan_count;
    struct ib_survey_target *targets;     /* plan_count */
    struct ib_survey_build *builds;       /* worst first */
    size_t build_count, build_cap;
    struct ib_survey_trouble *troubles;
    size_t trouble_count;
    struct ib_survey_pipeline *pipelines;
    size_t pipeline_count;
    size_t seen;                          /* builds that lists named, with those that do not count */
    size_t vanished;                      /* named by a list and gone when read */
    bool has_duration;                    /* of the newest build that has ended, in all the plan */
    int64_t duration_ms;
    int64_t now_ms;
    struct ib_survey_index *index;        /* of survey.c */
    int64_t (*begun_after)(void *ctx, struct ib_str arn); /* of the options */
    void *begun_ctx;
};

struct ib_survey_options {
    struct ib_clients *clients;
    size_t parallel;
    int64_t now_ms;
    const struct ib_deadline *until;      /* what has no answer by then is trouble; NULL = the deadline */
    bool no_details;                      /* judge by what the lists and GetImage say */
    /*
     * By this host's clock, a build in flight has begun its present work no earlier than this; 0 = not known. For what
     * AWS does not tell of builds that were put back to work. May be NULL.
     */
    int64_t (*begun_after)(void *ctx, struct ib_str arn);
    void *begun_ctx;
    void (*phase)(void *ctx, const char *what); /* may be NULL: what is under way, for the watchdog */
    void *ctx;
};

void ib_survey_fini(struct ib_survey *survey);

/*
 * Read and judge all. ret must be zeroed; plan must outlive it. Errors: IB_ENOMEM, IB_EBUG; whatever
 * else goes wrong is trouble of a target.
 */
IB_NODISCARD enum ib_rc ib_survey_run(const struct ib_target *plan, size_t plan_count,
                                      const struct ib_survey_options *options,
                                      struct ib_survey *ret, struct ib_error *err);

/*
 * The worst of builds, pipelines, troubles and targets where nothing matched. Trouble is UNKNOWN; what
 * the deadline cut off is timeout_state.
 */
enum ib_state ib_survey_state(const struct ib_survey *survey, enum ib_state timeout_state);

/*
 * A closer look at one build of a target, if its judgement so far asks for one, and its judgement
 * again: what the survey does, for a single build that was read by other means. build->target is set to 0.
 * Errors: IB_ENOMEM; what the calls meet goes to build->detail.trouble.
 */
IB_NODISCARD enum ib_rc ib_survey_look(const struct ib_target *target,
                                       struct ib_clients *clients, int64_t now_ms,
                                       struct ib_survey_build *build, struct ib_error *err);

/*
 * The same whatever its judgement is; what is not there after within_ms (0 = the client's own deadline) is
 * trouble.
 */
IB_NODISCARD enum ib_rc ib_survey_look_always(const struct ib_target *target,
                                              struct ib_clients *clients, int64_t now_ms,
                                              int64_t within_ms, struct ib_survey_build *build,
                                              struct ib_error *err);

/* How AWS is reached for a target. */
struct ib_aws_options ib_survey_aws_options(const struct ib_target *target);

/* Facts for the judgement from what is known of a build. Pure. */
void ib_survey_facts(const struct ib_survey_build *build, int64_t now_ms,
                     struct ib_judge_facts *ret);

/* What --none means by default: ok for a whole account, else unknown. */
enum ib_state ib_survey_none_state(const struct ib_target *target);

#endif
