/* SPDX-License-Identifier: MIT */
/* lib/watch/policy.c: the decision table of cancelling. Every row changes one thing of a build that
 * may be cancelled. */
#include "ib_test.h"

#include "lib/base/time.h"
#include "lib/watch/judge.h"
#include "lib/watch/policy.h"

#define WEB "arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.2/7"

static const struct ib_str allow_web[] = {
    {"arn:aws:imagebuilder:*:210987654321:image/*", 43},
    {"arn:aws:imagebuilder:*:123456789012:image/web-*", 47},
};
static const struct ib_str allow_other[] = {{"arn:aws:imagebuilder:*:123456789012:image/db-*", 46}};

/* A stuck build of a target, with all limits set and none reached. */
static struct ib_policy policy_ok(void)
{
    return (struct ib_policy){.minimum_age_ms = 10 * IB_MINUTE_MS,
                              .enabled = true,
                              .allow = allow_web,
                              .allow_count = 2,
                              .max_cancel = 1,
                              .target_per_hour = 2,
                              .total_per_hour = 5};
}

static struct ib_policy_facts facts_ok(void)
{
    return (struct ib_policy_facts){.arn = IB_STR(WEB),
                                    .state = IB_IMAGE_BUILDING,
                                    .status = IB_STR("BUILDING"),
                                    .age_known = true,
                                    .age_ms = 2 * IB_HOUR_MS,
                                    .stuck = true,
                                    .tags_known = true};
}

struct row {
    const char *name;
    void (*change)(struct ib_policy *p, struct ib_policy_facts *f);
    enum ib_policy_verdict verdict;
    enum ib_policy_rule rule;
    const char *words;
};

#define CHANGE(fn) \
    static void fn(struct ib_policy *p IB_UNUSED, struct ib_policy_facts *f IB_UNUSED)
CHANGE(nothing)
{
}
CHANGE(pending)
{
    f->state = IB_IMAGE_PENDING;
    f->status = IB_STR("PENDING");
}
CHANGE(creating)
{
    f->state = IB_IMAGE_CREATING;
    f->status = IB_STR("CREATING");
}
CHANGE(testing)
{
    f->state = IB_IMAGE_TESTING;
    f->status = IB_STR("TESTING");
}
CHANGE(integrating)
{
    f->state = IB_IMAGE_INTEGRATING;
    f->status = IB_STR("INTEGRATING");
}
CHANGE(distributing)
{
    f->state = IB_IMAGE_DISTRIBUTING;
    f->status = IB_STR("DISTRIBUTING");
}
CHANGE(distributing_told)
{
    distributing(p, f);
    p->states = UINT32_C(1) << IB_IMAGE_DISTRIBUTING;
}
CHANGE(building_not_listed)
{
    p->states = UINT32_C(1) << IB_IMAGE_TESTING;
}
CHANGE(available)
{
    f->state = IB_IMAGE_AVAILABLE;
    f->status = IB_STR("AVAILABLE");
}
CHANGE(failed)
{
    f->state = IB_IMAGE_FAILED;
    f->status = IB_STR("FAILED");
}
CHANGE(cancelled)
{
    f->state = IB_IMAGE_CANCELLED;
    f->status = IB_STR("CANCELLED");
}
CHANGE(deprecated)
{
    f->state = IB_IMAGE_DEPRECATED;
    f->status = IB_STR("DEPRECATED");
}
CHANGE(deleted)
{
    f->state = IB_IMAGE_DELETED;
    f->status = IB_STR("DELETED");
}
CHANGE(disabled)
{
    f->state = IB_IMAGE_DISABLED;
    f->status = IB_STR("DISABLED");
}
CHANGE(unheard_of)
{
    f->state = IB_IMAGE_UNHEARD_OF;
    f->status = IB_STR("REHYDRATING");
}
CHANGE(available_any_age)
{
    available(p, f);
    p->any_age = true;
    f->by_arn = true;
}
CHANGE(no_age)
{
    f->age_known = false;
    f->stuck = false;
}
CHANGE(no_age_any_age)
{
    no_age(p, f);
    p->any_age = true;
    p->minimum_age_ms = 0;
}
CHANGE(no_age_any_age_minimum)
{
    no_age(p, f);
    p->any_age = true;
}
CHANGE(clock_a_little_off)
{
    p->any_age = true;
    p->minimum_age_ms = 0;
    f->by_arn = true;
    f->age_ms = -IB_JUDGE_SKEW_MS;
}
CHANGE(given_up)
{
    (void)p;
    f->given_up = true;
    f->once = IB_STR("it failed 5m 0s ago");
}
CHANGE(under_way)
{
    (void)p;
    f->once = IB_STR("one is under way");
}
CHANGE(given_up_and_run_used_up)
{
    given_up(p, f);
    f->cancelled_this_run = p->max_cancel;
}
CHANGE(future)
{
    f->age_ms = -IB_HOUR_MS;
    f->stuck = false;
}
CHANGE(young)
{
    f->stuck = false;
}
CHANGE(young_any_age)
{
    f->stuck = false;
    p->any_age = true;
}
CHANGE(below_minimum)
{
    f->age_ms = 10 * IB_MINUTE_MS - 1;
}
CHANGE(below_minimum_any_age)
{
    below_minimum(p, f);
    p->any_age = true;
}
CHANGE(at_minimum)
{
    f->age_ms = 10 * IB_MINUTE_MS;
}
CHANGE(not_enabled)
{
    p->enabled = false;
}
CHANGE(not_enabled_by_arn)
{
    p->enabled = false;
    f->by_arn = true;
}
CHANGE(allow_list_misses)
{
    p->allow = allow_other;
    p->allow_count = 1;
}
CHANGE(allow_list_misses_by_arn)
{
    allow_list_misses(p, f);
    f->by_arn = true;
}
CHANGE(allow_list_empty)
{
    p->allow_count = 0;
}
CHANGE(no_allow_list)
{
    p->allow = NULL;
    p->allow_count = 0;
}
CHANGE(run_used_up)
{
    f->cancelled_this_run = 1;
}
CHANGE(max_cancel_zero)
{
    p->max_cancel = 0;
}
CHANGE(target_used_up)
{
    f->target_last_hour = 2;
}
CHANGE(target_zero)
{
    p->target_per_hour = 0;
}
CHANGE(target_unlimited)
{
    p->target_per_hour = -1;
    f->target_last_hour = 1000;
}
CHANGE(total_used_up)
{
    f->total_last_hour = 5;
}
CHANGE(total_unlimited)
{
    p->total_per_hour = -1;
    f->total_last_hour = 1000;
}
CHANGE(tags_unknown)
{
    f->tags_known = false;
}

CHANGE(unread)
{
    f->unread = IB_STR("ListWorkflowExecutions: access denied, the permission "
                       "imagebuilder:ListWorkflowExecutions is needed");
}
CHANGE(unread_lifted)
{
    unread(p, f);
    p->age_from_creation = true;
}
CHANGE(unread_any_age)
{
    unread(p, f);
    p->any_age = true;
    p->minimum_age_ms = 0;
}
CHANGE(unread_any_age_minimum)
{
    unread(p, f);
    p->any_age = true;
}

static const struct row rows[] = {
    {"stuck_build_of_an_enabled_target_is_cancelled", nothing, IB_POLICY_CANCEL, IB_RULE_NONE, ""},
    {"pending_is_cancelled", pending, IB_POLICY_CANCEL, IB_RULE_NONE, ""},
    {"creating_is_cancelled", creating, IB_POLICY_CANCEL, IB_RULE_NONE, ""},
    {"testing_is_cancelled", testing, IB_POLICY_CANCEL, IB_RULE_NONE, ""},
    {"integrating_is_cancelled", integrating, IB_POLICY_CANCEL, IB_RULE_NONE, ""},
    {"distributing_is_left_alone", distributing, IB_POLICY_REFUSE, IB_RULE_STATE, "DISTRIBUTING"},
    {"distributing_is_cancelled_when_told", distributing_told, IB_POLICY_CANCEL, IB_RULE_NONE, ""},
    {"state_outside_the_list_is_left_alone", building_not_listed, IB_POLICY_REFUSE, IB_RULE_STATE,
     "BUILDING"},
    {"available_needs_nothing", available, IB_POLICY_NOTHING, IB_RULE_IN_FLIGHT,
     "AVAILABLE, it has ended"},
    {"failed_needs_nothing", failed, IB_POLICY_NOTHING, IB_RULE_IN_FLIGHT, "FAILED"},
    {"cancelled_needs_nothing", cancelled, IB_POLICY_NOTHING, IB_RULE_IN_FLIGHT, "CANCELLED"},
    {"deprecated_needs_nothing", deprecated, IB_POLICY_NOTHING, IB_RULE_IN_FLIGHT, "DEPRECATED"},
    {"deleted_needs_nothing", deleted, IB_POLICY_NOTHING, IB_RULE_IN_FLIGHT, "DELETED"},
    {"disabled_needs_nothing", disabled, IB_POLICY_NOTHING, IB_RULE_IN_FLIGHT, "DISABLED"},
    {"ended_build_needs_nothing_at_any_age", available_any_age, IB_POLICY_NOTHING,
     IB_RULE_IN_FLIGHT, "AVAILABLE"},
    {"unheard_of_state_is_refused", unheard_of, IB_POLICY_REFUSE, IB_RULE_IN_FLIGHT,
     "REHYDRATING is not known"},
    {"unknown_age_is_refused", no_age, IB_POLICY_REFUSE, IB_RULE_AGE_KNOWN, "not known"},
    {"unknown_age_at_any_age_is_cancelled", no_age_any_age, IB_POLICY_CANCEL, IB_RULE_NONE, ""},
    {"unknown_age_breaks_a_minimum", no_age_any_age_minimum, IB_POLICY_REFUSE, IB_RULE_AGE_KNOWN,
     "not known"},
    {"put_back_to_work_unseen_is_refused", unread, IB_POLICY_REFUSE, IB_RULE_AGE_KNOWN,
     "(--age-from-creation lifts this): ListWorkflowExecutions: access denied, the permission "
     "imagebuilder:ListWorkflowExecutions is needed"},
    {"put_back_to_work_unseen_may_be_lifted", unread_lifted, IB_POLICY_CANCEL, IB_RULE_NONE, ""},
    {"put_back_to_work_unseen_does_not_matter_at_any_age", unread_any_age, IB_POLICY_CANCEL,
     IB_RULE_NONE, ""},
    {"put_back_to_work_unseen_breaks_a_minimum", unread_any_age_minimum, IB_POLICY_REFUSE,
     IB_RULE_AGE_KNOWN, "put back to work"},
    {"date_in_the_future_is_refused", future, IB_POLICY_REFUSE, IB_RULE_AGE_KNOWN,
     "1h 0m in the future"},
    {"young_build_needs_nothing", young, IB_POLICY_NOTHING, IB_RULE_STUCK, "not older"},
    {"young_build_at_any_age_is_cancelled", young_any_age, IB_POLICY_CANCEL, IB_RULE_NONE, ""},
    {"below_the_minimum_age_is_refused", below_minimum, IB_POLICY_REFUSE, IB_RULE_MINIMUM_AGE,
     "younger than the minimum age of 10m 0s"},
    {"any_age_does_not_lift_the_minimum", below_minimum_any_age, IB_POLICY_REFUSE,
     IB_RULE_MINIMUM_AGE, "minimum"},
    {"the_minimum_age_itself_is_enough", at_minimum, IB_POLICY_CANCEL, IB_RULE_NONE, ""},
    {"selection_without_enabling_is_refused", not_enabled, IB_POLICY_REFUSE, IB_RULE_ENABLED,
     "not enabled"},
    {"naming_the_arn_enables", not_enabled_by_arn, IB_POLICY_CANCEL, IB_RULE_NONE, ""},
    {"outside_the_allow_list_is_refused", allow_list_misses, IB_POLICY_REFUSE, IB_RULE_ALLOW_LIST,
     "allow list"},
    {"allow_list_binds_a_named_arn_too", allow_list_misses_by_arn, IB_POLICY_REFUSE,
     IB_RULE_ALLOW_LIST, "allow list"},
    {"empty_allow_list_allows_nothing", allow_list_empty, IB_POLICY_REFUSE, IB_RULE_ALLOW_LIST,
     "allow list"},
    {"no_allow_list_allows_all", no_allow_list, IB_POLICY_CANCEL, IB_RULE_NONE, ""},
    {"date_a_little_ahead_counts_as_now", clock_a_little_off, IB_POLICY_CANCEL, IB_RULE_NONE, ""},
    {"given_up_is_refused", given_up, IB_POLICY_REFUSE, IB_RULE_ONCE, "it failed 5m 0s ago"},
    {"one_under_way_is_no_refusal", under_way, IB_POLICY_CANCEL, IB_RULE_NONE, ""},
    {"given_up_is_told_before_the_limits", given_up_and_run_used_up, IB_POLICY_REFUSE, IB_RULE_ONCE, "it failed"},
    {"run_limit_is_refused", run_used_up, IB_POLICY_REFUSE, IB_RULE_MAX_CANCEL, "1 of 1"},
    {"run_limit_zero_cancels_nothing", max_cancel_zero, IB_POLICY_REFUSE, IB_RULE_MAX_CANCEL,
     "0 of 0"},
    {"target_budget_is_refused", target_used_up, IB_POLICY_REFUSE, IB_RULE_TARGET_BUDGET, "2 of 2"},
    {"target_budget_zero_cancels_nothing", target_zero, IB_POLICY_REFUSE, IB_RULE_TARGET_BUDGET,
     "0 of 0"},
    {"target_without_limit", target_unlimited, IB_POLICY_CANCEL, IB_RULE_NONE, ""},
    {"total_budget_is_refused", total_used_up, IB_POLICY_REFUSE, IB_RULE_TOTAL_BUDGET, "5 of 5"},
    {"total_without_limit", total_unlimited, IB_POLICY_CANCEL, IB_RULE_NONE, ""},
    {"unreadable_tags_are_refused", tags_unknown, IB_POLICY_REFUSE, IB_RULE_OPT_OUT,
     "could not be read"},
};

static void row(void **state)
{
    const struct row *r = *state;
    struct ib_policy p = policy_ok();
    struct ib_policy_facts f = facts_ok();
    struct ib_policy_decision d;

    r->change(&p, &f);
    ib_policy_decide(&p, &f, &d);
    assert_string_equal(ib_policy_rule_name(d.rule), ib_policy_rule_name(r->rule));
    assert_int_equal(d.verdict, r->verdict);
    assert_contains(d.reason, r->words);
    for (int i = IB_RULE_NONE + 1; i < IB_RULE_COUNT; i++) {
        assert_true(d.words[i][0] != '\0');
        if (d.verdict == IB_POLICY_CANCEL) {
            assert_true(d.holds[i]);
        }
    }
}

struct tag_row {
    const char *name, *key, *value;
    bool cancelled;
};
static const struct tag_row tag_rows[] = {
    {"tag_true_opts_out", "ib-plugins:no-cancel", "true", false},
    {"tag_without_value_opts_out", "ib-plugins:no-cancel", "", false},
    {"tag_with_any_word_opts_out", "ib-plugins:no-cancel", "because", false},
    {"tag_false_does_not", "ib-plugins:no-cancel", "False", true},
    {"another_tag_does_not", "team", "web", true},
};

static void tag_row(void **state)
{
    const struct tag_row *r = *state;
    struct ib_policy p = policy_ok();
    struct ib_policy_facts f = facts_ok();
    struct ib_policy_decision d;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *tags = ib_value_object();

    assert_int_equal(
        ib_value_set(tags, ib_str_from(r->key), ib_value_string(ib_str_from(r->value)), NULL),
        IB_OK);
    f.tags = tags;
    ib_policy_decide(&p, &f, &d);
    assert_int_equal(d.verdict == IB_POLICY_CANCEL, r->cancelled);
    if (!r->cancelled) {
        assert_int_equal(d.rule, IB_RULE_OPT_OUT);
    }
}

static void zeroed_settings_cancel_nothing(void **state)
{
    (void)state;
    struct ib_policy p = {0};
    struct ib_policy_facts f = facts_ok();
    struct ib_policy_decision d;

    ib_policy_decide(&p, &f, &d);
    assert_int_equal(d.verdict, IB_POLICY_REFUSE);
}

static void budgets_are_looked_at_once_more(void **state)
{
    (void)state;
    struct ib_policy p = policy_ok();
    struct ib_policy_facts f = facts_ok();
    struct ib_policy_decision d;

    ib_policy_decide(&p, &f, &d);
    ib_policy_decide_budgets(&p, 1, 4, &d);
    assert_int_equal(d.verdict, IB_POLICY_CANCEL);
    ib_policy_decide_budgets(&p, 1, 5, &d);
    assert_int_equal(d.verdict, IB_POLICY_REFUSE);
    assert_int_equal(d.rule, IB_RULE_TOTAL_BUDGET);
    assert_contains(d.reason, "5 of 5");
}

int main(void)
{
    IB_TEST_CASE(budgets_are_looked_at_once_more);
    IB_TEST_ROWS(rows, row);
    IB_TEST_ROWS(tag_rows, tag_row);
    IB_TEST_CASE(zeroed_settings_cancel_nothing);
    return IB_TEST_RUN();
}
