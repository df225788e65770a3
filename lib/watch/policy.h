/* SPDX-License-Identifier: MIT */
/*
 * May this build be cancelled? Pure: facts and settings in, a decision with its rule and its
 * reason out. Nothing is read, sent or remembered here.
 *
 * All rules are looked at, in the order of the enum, so that --explain can show the whole
 * decision; the first broken one decides. A fact that is not known breaks its rule: uncertain
 * means do not cancel.
 */
#ifndef IB_WATCH_POLICY_H
#define IB_WATCH_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/str.h"
#include "lib/data/conf.h"
#include "lib/data/value.h"
#include "lib/imagebuilder/status.h"

/* A build that carries this tag (any value but "false") is never cancelled. */
#define IB_POLICY_OPT_OUT_TAG "ib-plugins:no-cancel"

enum ib_policy_rule {
    IB_RULE_NONE = 0,
    IB_RULE_IN_FLIGHT,     /* its state is one of those that can be cancelled at all */
    IB_RULE_AGE_KNOWN,     /* its age could be told: a date, not in the future; not put back to work unseen */
    IB_RULE_STUCK,         /* the check with these thresholds calls it CRITICAL for its age */
    IB_RULE_MINIMUM_AGE,   /* policy's floor, which --any-age does not lift */
    IB_RULE_STATE,         /* policy allows cancelling in this state */
    IB_RULE_OPT_OUT,       /* its tags are known and do not forbid it */
    IB_RULE_ENABLED,       /* named by ARN, or found for a target with cancel.enabled, or under --allow */
    IB_RULE_ALLOW_LIST,    /* covered by each allow list that there is */
    IB_RULE_ONCE,          /* no cancel of this run of the build was given up lately, or for good */
    IB_RULE_MAX_CANCEL,    /* --max-cancel of this run is not used up */
    IB_RULE_TARGET_BUDGET, /* the target's max_per_hour is not used up */
    IB_RULE_TOTAL_BUDGET,  /* the overall max_per_hour is not used up */
    IB_RULE_COUNT
};

/* What a broken rule means for the caller. */
enum ib_policy_verdict {
    IB_POLICY_CANCEL,  /* every rule holds */
    IB_POLICY_NOTHING, /* there is nothing to do: ended by itself, or not stuck (exit 0) */
    IB_POLICY_REFUSE,  /* it should perhaps be cancelled, but a rule forbids it (exit 2) */
};

/* Settings of one target or of the command line. Zeroed: nothing but -a may be cancelled. */
struct ib_policy {
    bool any_age;                /* --any-age: IB_RULE_STUCK does not apply */
    bool age_from_creation;      /* what it is doing may not be read: age it from its creation all the same */
    int64_t minimum_age_ms;      /* 0 = none */
    uint32_t states;             /* bits 1u << enum ib_image_status; 0 = IB_POLICY_STATES_DEFAULT */
    bool enabled;                /* cancel.enabled of the target; without one: --allow given */
    const struct ib_conf_texts *file_allow; /* cancel.allow; NULL = no list */
    const struct ib_str *allow;  /* patterns of --allow; NULL = no list. Where there are both, both must cover it */
    size_t allow_count;
    int64_t max_cancel;          /* of one run; 0 = none allowed */
    int64_t target_per_hour;     /* -1 = no limit */
    int64_t total_per_hour;      /* -1 = no limit */
};

/* Every state in flight but DISTRIBUTING: there AMIs are being copied, and half of them stay. */
uint32_t ib_policy_states_default(void);

struct ib_policy_facts {
    struct ib_str arn;              /* full build version ARN */
    enum ib_image_status state;     /* freshly read */
    struct ib_str status;           /* as AWS wrote it, for the sentence */
    bool age_known;
    int64_t age_ms;                 /* negative: dated in the future */
    struct ib_str unread;           /* why it may not be read whether it was put back to work, or waits for
                                       a person; n == 0: it was read, or nothing hangs on it */
    bool stuck;                     /* judged by the same code as the check */
    bool tags_known;                /* GetImage answered with a readable image */
    const struct ib_value *tags;    /* object or NULL (no tags) */
    bool by_arn;                    /* named by -a/--arn, not found by a selection */
    bool given_up;                  /* by what is on record of it; once: in words, "" when nothing is known */
    struct ib_str once;
    int64_t cancelled_this_run;
    int64_t target_last_hour;       /* cancels sent for this target in the last hour */
    int64_t total_last_hour;
};

struct ib_policy_decision {
    enum ib_policy_verdict verdict;
    enum ib_policy_rule rule;                /* the broken one that decides; NONE for CANCEL */
    char reason[256];                        /* for people; "" for CANCEL */
    bool holds[IB_RULE_COUNT];               /* per rule, for --explain */
    char words[IB_RULE_COUNT][256];          /* per rule: what was found */
};

/* Name of a rule for output and journal: "in-flight", "minimum-age", "allow-list" ... */
const char *ib_policy_rule_name(enum ib_policy_rule rule);

void ib_policy_decide(const struct ib_policy *policy, const struct ib_policy_facts *facts,
                      struct ib_policy_decision *ret);

/* Do those rules hold that need nothing but its ARN (enabled, allow-list)? facts: arn and by_arn. */
bool ib_policy_allows(const struct ib_policy *policy, const struct ib_policy_facts *facts);

/*
 * The two budgets once more, with counts of the transaction that would use them up. decision must say
 * IB_POLICY_CANCEL; it becomes IB_POLICY_REFUSE when a budget is used up.
 */
void ib_policy_decide_budgets(const struct ib_policy *policy, int64_t target_last_hour,
                              int64_t total_last_hour, struct ib_policy_decision *decision);

#endif
