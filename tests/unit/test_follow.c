/* SPDX-License-Identifier: MIT */
/* lib/watch/follow.c: may a build be started again after its cancel? Every row changes one thing of one that may. */
#include "ib_test.h"

#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/watch/follow.h"

#define WEB      "arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.2/7"
#define PIPELINE "arn:aws:imagebuilder:eu-central-1:123456789012:image-pipeline/web-server"

struct facts {
    struct ib_follow_rules rules;
    struct ib_follow_counts counts;
    const char *what;
    int64_t late_ms;
};

struct row {
    const char *name;
    void (*change)(struct facts *f);
    const char *why; /* NULL: it may */
};

#define CHANGE(fn) static void fn(struct facts *f IB_UNUSED)
CHANGE(nothing)
{
}
CHANGE(no_pipeline)
{
    f->what = "";
}
CHANGE(again)
{
    f->counts.again = true;
}
CHANGE(of_a_start)
{
    (void)snprintf(f->counts.origin, sizeof f->counts.origin, "%s", WEB);
}
CHANGE(lost)
{
    f->counts.lost = true;
}
CHANGE(late)
{
    f->late_ms = 31 * IB_MINUTE_MS;
}
CHANGE(just_in_time)
{
    f->late_ms = 30 * IB_MINUTE_MS;
}
CHANGE(clock_back)
{
    f->late_ms = -2 * IB_MINUTE_MS;
}
CHANGE(clock_back_a_little)
{
    f->late_ms = -IB_SECOND_MS;
}
CHANGE(no_retry_time)
{
    f->rules.within_ms = 0;
    f->late_ms = 20 * IB_SECOND_MS;
}
CHANGE(target_full)
{
    f->counts.target_last_hour = 3;
}
CHANGE(total_full)
{
    f->counts.total_last_hour = 5;
}
CHANGE(no_limits)
{
    f->rules.target_per_hour = f->rules.total_per_hour = -1;
    f->counts.target_last_hour = f->counts.total_last_hour = 1000;
}

static const struct row rows[] = {
    {"a_cancelled_build_may_be_started_again", nothing, NULL},
    {"a_build_of_no_pipeline_may_not", no_pipeline, "the build is of no pipeline"},
    {"nor_one_that_was_started_again_before", again, "it was started again once already"},
    {"nor_one_that_was_itself_started_so", of_a_start,
     "it was itself started after the cancel of web-server/1.4.2/7"},
    {"nor_while_an_earlier_start_is_not_known", lost, "earlier start of this pipeline is not known"},
    {"nor_too_late", late, "the cancel was decided 31m 0s ago, which is not within 30m 0s"},
    {"at_the_last_moment_it_may", just_in_time, NULL},
    {"a_clock_that_went_back_counts_as_late", clock_back, "not within 30m 0s"},
    {"a_clock_that_was_set_by_a_second_does_not", clock_back_a_little, NULL},
    {"a_minute_is_given_at_least", no_retry_time, NULL},
    {"the_budget_of_the_target_counts", target_full,
     "refused by rule target-budget: 3 of 3 cancels per hour used for this target, and a start"},
    {"the_overall_budget_counts", total_full, "refused by rule total-budget: 5 of 5"},
    {"no_limits_no_refusal", no_limits, NULL},
};

static void row(void **state)
{
    const struct row *r = *state;
    struct facts f = {.rules = {.kind = IB_AFTER_RETRY,
                                .target_per_hour = 3,
                                .total_per_hour = 5,
                                .within_ms = 30 * IB_MINUTE_MS},
                      .counts = {.target_last_hour = 2, .total_last_hour = 4},
                      .what = WEB,
                      .late_ms = 15 * IB_SECOND_MS};
    char why[512] = "";

    r->change(&f);
    bool may = ib_follow_decide(&f.rules, f.what, &f.counts, f.late_ms, why, sizeof why);
    assert_int_equal(may, r->why == NULL);
    assert_contains(why, r->why == NULL ? "" : r->why);
}

static void kinds_have_names(void **state)
{
    (void)state;
    static const enum ib_after_cancel all[] = {IB_AFTER_NOTHING, IB_AFTER_RETRY,
                                               IB_AFTER_START_PIPELINE};

    for (size_t i = 0; i < IB_ARRAY_LEN(all); i++) {
        assert_int_equal(ib_follow_kind(ib_follow_kind_name(all[i])), all[i]);
    }
    assert_int_equal(ib_follow_kind("reboot"), IB_AFTER_NOTHING);
    assert_int_equal(ib_follow_kind(IB_CANCEL_KIND), IB_AFTER_NOTHING);
}

static void what_is_started_is_the_build_or_its_own_pipeline(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    struct ib_image image = {0};
    char what[IB_FOLLOW_WHAT_MAX];

    assert_ok(ib_json_parse(IB_STR("{\"state\":{\"status\":\"CANCELLED\"},"
                                   "\"sourcePipelineArn\":\"" PIPELINE "\"}"),
                            "test", NULL, &v, &err), &err);
    assert_ok(ib_image_decode(v, IB_STR(WEB), &image, &err), &err);
    ib_follow_what(IB_AFTER_RETRY, &image, IB_STR(WEB), what, sizeof what);
    assert_string_equal(what, WEB);
    ib_follow_what(IB_AFTER_START_PIPELINE, &image, IB_STR(WEB), what, sizeof what);
    assert_string_equal(what, PIPELINE);
    ib_follow_what(IB_AFTER_START_PIPELINE, &image, IB_STR(WEB), what, sizeof PIPELINE - 1);
    assert_string_equal(what, "");
    ib_image_fini(&image);
}

static void outcomes_add_a_warning_when_nothing_was_started(void **state)
{
    (void)state;
    for (int i = 0; i < IB_FOLLOW_OUTCOME_COUNT; i++) {
        bool fine = i == IB_FOLLOW_NONE || i == IB_FOLLOW_WOULD || i == IB_FOLLOW_STARTED;
        assert_int_equal(ib_follow_state((enum ib_follow_outcome)i),
                         fine ? IB_STATE_OK : IB_STATE_WARNING);
        assert_true(ib_follow_outcome_name((enum ib_follow_outcome)i)[0] != '\0');
    }
}

static void long_reasons_are_cut_and_clean(void **state)
{
    (void)state;
    struct ib_follow_report report = {.outcome = IB_FOLLOW_NONE};
    char why[2000];

    memset(why, '|', sizeof why - 1);
    why[sizeof why - 1] = '\0';
    ib_follow_say(&report, IB_FOLLOW_FAILED, IB_AFTER_RETRY, why);
    assert_contains(report.text, "not started again: ");
    assert_null(strchr(report.text, '|'));
}

int main(void)
{
    IB_TEST_ROWS(rows, row);
    IB_TEST_CASE(kinds_have_names);
    IB_TEST_CASE(what_is_started_is_the_build_or_its_own_pipeline);
    IB_TEST_CASE(outcomes_add_a_warning_when_nothing_was_started);
    IB_TEST_CASE(long_reasons_are_cut_and_clean);
    return IB_TEST_RUN();
}
