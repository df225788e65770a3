/* SPDX-License-Identifier: MIT */
/* The rules of cancelling, one function each. */
#include "lib/watch/policy.h"

#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/watch/allow.h"
#include "lib/watch/judge.h"

uint32_t ib_policy_states_default(void)
{
    uint32_t states = 0;

    for (int s = 0; s < IB_IMAGE_STATUS_COUNT; s++) {
        if (ib_image_status_in_flight((enum ib_image_status)s) && s != IB_IMAGE_DISTRIBUTING) {
            states |= UINT32_C(1) << s;
        }
    }
    return states;
}

/* A rule says in words what it found and whether it holds. */
typedef bool (*rule_fn)(const struct ib_policy *p, const struct ib_policy_facts *f, char *words,
                        size_t cap);

static bool rule_in_flight(const struct ib_policy *p, const struct ib_policy_facts *f, char *words,
                           size_t cap)
{
    (void)p;
    bool holds = ib_image_status_in_flight(f->state);

    if (f->state == IB_IMAGE_UNHEARD_OF) {
        (void)snprintf(words, cap, "state %.*s is not known to this version",
                       IB_STR_ARG(f->status));
    } else {
        (void)snprintf(words, cap, "state is %.*s%s", IB_STR_ARG(f->status),
                       holds ? "" : ", it has ended");
    }
    return holds;
}

static bool rule_age_known(const struct ib_policy *p, const struct ib_policy_facts *f, char *words,
                           size_t cap)
{
    char age[IB_TIME_TEXT_MAX];

    if (f->unread.n > 0 && !p->age_from_creation) {
        (void)snprintf(words, cap,
                       "whether it was put back to work is not known (--age-from-creation lifts "
                       "this): %.*s",
                       IB_STR_ARG(f->unread));
        return false;
    }
    if (!f->age_known) {
        (void)snprintf(words, cap, "its age is not known");
        return false;
    }
    if (f->age_ms < -IB_JUDGE_SKEW_MS) { /* as the check: a clock that is a little off makes it 0 */
        (void)snprintf(words, cap, "it is dated %s in the future: check the clock of this host",
                       ib_duration_fmt(-f->age_ms, age, sizeof age));
        return false;
    }
    (void)snprintf(words, cap, "it is %s old%s", ib_duration_fmt(f->age_ms < 0 ? 0 : f->age_ms, age, sizeof age),
                   f->unread.n > 0 ? " by its creation; what it is doing may not be read" : "");
    return true;
}

static bool rule_stuck(const struct ib_policy *p, const struct ib_policy_facts *f, char *words,
                       size_t cap)
{
    if (p->any_age) {
        (void)snprintf(words, cap, "any age was asked for");
        return true;
    }
    (void)snprintf(words, cap,
                   f->stuck ? "it is older than the critical threshold"
                            : "it is not older than the critical threshold");
    return f->stuck;
}

static bool rule_minimum_age(const struct ib_policy *p, const struct ib_policy_facts *f,
                             char *words, size_t cap)
{
    char min[IB_TIME_TEXT_MAX];

    if (p->minimum_age_ms == 0) {
        (void)snprintf(words, cap, "no minimum age is set");
        return true;
    }
    bool holds = f->age_known && f->age_ms >= p->minimum_age_ms;
    (void)snprintf(words, cap, "it is %s than the minimum age of %s",
                   holds ? "not younger" : "younger",
                   ib_duration_fmt(p->minimum_age_ms, min, sizeof min));
    return holds;
}

static bool rule_state(const struct ib_policy *p, const struct ib_policy_facts *f, char *words,
                       size_t cap)
{
    uint32_t states = p->states == 0 ? ib_policy_states_default() : p->states;
    bool holds = f->state != IB_IMAGE_UNHEARD_OF && (states >> f->state & 1U) != 0;

    (void)snprintf(words, cap, "%s in state %.*s", holds ? "may be cancelled" : "is not cancelled",
                   IB_STR_ARG(f->status));
    return holds;
}

static bool rule_opt_out(const struct ib_policy *p, const struct ib_policy_facts *f, char *words,
                         size_t cap)
{
    (void)p;
    if (!f->tags_known) {
        (void)snprintf(words, cap, "its tags could not be read");
        return false;
    }
    const struct ib_value *tag = ib_value_get_c(f->tags, IB_POLICY_OPT_OUT_TAG);
    bool holds = tag == NULL ||
                 (ib_value_is(tag, IB_VALUE_STRING) && ib_str_ieq_c(ib_value_as_str(tag), "false"));
    (void)snprintf(words, cap, "%s tag " IB_POLICY_OPT_OUT_TAG,
                   holds ? "no forbidding" : "it carries the");
    return holds;
}

static bool rule_enabled(const struct ib_policy *p, const struct ib_policy_facts *f, char *words,
                         size_t cap)
{
    bool holds = f->by_arn || p->enabled;

    (void)snprintf(words, cap, "%s",
                   f->by_arn ? "named by its ARN"
                   : p->enabled
                       ? "cancelling is enabled"
                       : "cancelling is not enabled (cancel.enabled of the target, or --allow)");
    return holds;
}

static bool file_allows(const struct ib_conf_texts *list, struct ib_str arn)
{
    for (size_t i = 0; i < ib_conf_texts_count(list); i++) {
        if (ib_allow_matches(ib_conf_texts_at(list, i), arn)) {
            return true;
        }
    }
    return false;
}

static bool rule_allow_list(const struct ib_policy *p, const struct ib_policy_facts *f, char *words,
                            size_t cap)
{
    if (p->file_allow != NULL && !file_allows(p->file_allow, f->arn)) {
        (void)snprintf(words, cap, "no pattern of cancel.allow covers it");
        return false;
    }
    if (p->allow == NULL) {
        (void)snprintf(words, cap, "%s", p->file_allow == NULL ? "there is no allow list"
                                                               : "allowed by cancel.allow");
        return true;
    }
    for (size_t i = 0; i < p->allow_count; i++) {
        if (ib_allow_matches(p->allow[i], f->arn)) {
            (void)snprintf(words, cap, "allowed by \"%.*s\"",
                           IB_STR_ARG(ib_str_head(p->allow[i], 120)));
            return true;
        }
    }
    (void)snprintf(words, cap, "no pattern of the allow list covers it");
    return false;
}

static bool rule_once(const struct ib_policy *p, const struct ib_policy_facts *f, char *words, size_t cap)
{
    (void)p;
    (void)snprintf(words, cap, "%.*s", IB_STR_ARG(f->once.n > 0 ? f->once : IB_STR("no record says otherwise")));
    return !f->given_up;
}

static bool rule_max_cancel(const struct ib_policy *p, const struct ib_policy_facts *f, char *words,
                            size_t cap)
{
    (void)snprintf(words, cap, "%" PRId64 " of %" PRId64 " cancels of this run used",
                   f->cancelled_this_run, p->max_cancel);
    return f->cancelled_this_run < p->max_cancel;
}

static bool within_budget(const char *whose, int64_t used, int64_t limit, char *words, size_t cap)
{
    if (limit < 0) {
        (void)snprintf(words, cap, "%s has no hourly limit", whose);
        return true;
    }
    (void)snprintf(words, cap, "%" PRId64 " of %" PRId64 " cancels per hour used for %s", used,
                   limit, whose);
    return used < limit;
}

static bool rule_target_budget(const struct ib_policy *p, const struct ib_policy_facts *f,
                               char *words, size_t cap)
{
    return within_budget("this target", f->target_last_hour, p->target_per_hour, words, cap);
}

static bool rule_total_budget(const struct ib_policy *p, const struct ib_policy_facts *f,
                              char *words, size_t cap)
{
    return within_budget("this host", f->total_last_hour, p->total_per_hour, words, cap);
}

static const struct rule {
    const char *name;
    rule_fn holds;
    enum ib_policy_verdict broken;
} rules[IB_RULE_COUNT] = {
    [IB_RULE_NONE] = {"none", NULL, IB_POLICY_CANCEL},
    [IB_RULE_IN_FLIGHT] = {"in-flight", rule_in_flight, IB_POLICY_NOTHING},
    [IB_RULE_AGE_KNOWN] = {"age-known", rule_age_known, IB_POLICY_REFUSE},
    [IB_RULE_STUCK] = {"stuck", rule_stuck, IB_POLICY_NOTHING},
    [IB_RULE_MINIMUM_AGE] = {"minimum-age", rule_minimum_age, IB_POLICY_REFUSE},
    [IB_RULE_STATE] = {"state", rule_state, IB_POLICY_REFUSE},
    [IB_RULE_OPT_OUT] = {"opt-out", rule_opt_out, IB_POLICY_REFUSE},
    [IB_RULE_ENABLED] = {"enabled", rule_enabled, IB_POLICY_REFUSE},
    [IB_RULE_ALLOW_LIST] = {"allow-list", rule_allow_list, IB_POLICY_REFUSE},
    [IB_RULE_ONCE] = {"once", rule_once, IB_POLICY_REFUSE},
    [IB_RULE_MAX_CANCEL] = {"max-cancel", rule_max_cancel, IB_POLICY_REFUSE},
    [IB_RULE_TARGET_BUDGET] = {"target-budget", rule_target_budget, IB_POLICY_REFUSE},
    [IB_RULE_TOTAL_BUDGET] = {"total-budget", rule_total_budget, IB_POLICY_REFUSE},
};

bool ib_policy_allows(const struct ib_policy *policy, const struct ib_policy_facts *facts)
{
    char words[256];

    return rule_enabled(policy, facts, words, sizeof words) &&
           rule_allow_list(policy, facts, words, sizeof words);
}

const char *ib_policy_rule_name(enum ib_policy_rule rule)
{
    return (unsigned)rule < IB_RULE_COUNT ? rules[rule].name : "unknown";
}

/* An age that --any-age lifts need not be known either: nothing is judged by it then. */
static bool applies(enum ib_policy_rule rule, const struct ib_policy *p)
{
    return rule != IB_RULE_AGE_KNOWN || !p->any_age || p->minimum_age_ms > 0;
}

/* Looks at one rule; the first broken one decides. */
static void look_at(enum ib_policy_rule rule, const struct ib_policy *policy,
                    const struct ib_policy_facts *facts, struct ib_policy_decision *d)
{
    bool holds = rules[rule].holds(policy, facts, d->words[rule], sizeof d->words[rule]);

    d->holds[rule] = holds || !applies(rule, policy);
    if (!d->holds[rule] && d->rule == IB_RULE_NONE) {
        d->rule = rule;
        d->verdict = rules[rule].broken;
        (void)ib_text_plugin(d->words[rule], strlen(d->words[rule]), d->reason, sizeof d->reason);
    }
}

void ib_policy_decide(const struct ib_policy *policy, const struct ib_policy_facts *facts,
                      struct ib_policy_decision *ret)
{
    *ret = (struct ib_policy_decision){ .verdict = IB_POLICY_CANCEL, .rule = IB_RULE_NONE };
    for (int i = IB_RULE_NONE + 1; i < IB_RULE_COUNT; i++) {
        look_at((enum ib_policy_rule)i, policy, facts, ret);
    }
    /* A state that nobody knows is no end: do not tell the caller that all is well. */
    if (ret->rule == IB_RULE_IN_FLIGHT && facts->state == IB_IMAGE_UNHEARD_OF) {
        ret->verdict = IB_POLICY_REFUSE;
    }
}

void ib_policy_decide_budgets(const struct ib_policy *policy, int64_t target_last_hour,
                              int64_t total_last_hour, struct ib_policy_decision *decision)
{
    struct ib_policy_facts counts = { .target_last_hour = target_last_hour,
                                      .total_last_hour = total_last_hour };

    IB_ASSERT(decision->verdict == IB_POLICY_CANCEL);
    look_at(IB_RULE_TARGET_BUDGET, policy, &counts, decision);
    look_at(IB_RULE_TOTAL_BUDGET, policy, &counts, decision);
}
