/* SPDX-License-Identifier: MIT */
/* The judgement: age, phases, waiting, the map, and what is not known. */
#include "ib_test.h"

#include "lib/base/time.h"
#include "lib/watch/judge.h"

#define MIN IB_MINUTE_MS

struct row {
    const char *name;
    const char *status;
    int64_t age_ms;         /* of a known age */
    const char *warn, *crit, *phase, *map, *waiting;
    bool no_age, stuck_only, is_waiting, has_phase, restarting;
    int64_t phase_ms;
    enum ib_state state;
    enum ib_judge_reason reason;
    bool stuck;
    const char *words;
};

static const struct row rows[] = {
    { .name = "below_the_warning_age_is_ok", .status = "BUILDING", .age_ms = 10 * MIN, .warn = "45m",
      .crit = "90m", .state = IB_STATE_OK, .reason = IB_JUDGED_FINE, .words = "BUILDING for 10m 0s" },
    { .name = "at_the_warning_age_is_still_ok", .status = "BUILDING", .age_ms = 45 * MIN,
      .warn = "45m", .crit = "90m", .state = IB_STATE_OK, .words = "BUILDING for 45m 0s" },
    { .name = "above_the_warning_age_is_warning", .status = "BUILDING", .age_ms = 46 * MIN,
      .warn = "45m", .crit = "90m", .state = IB_STATE_WARNING, .reason = IB_JUDGED_AGE,
      .words = "BUILDING for 46m 0s (warning 45m)" },
    { .name = "above_the_critical_age_is_critical_and_stuck", .status = "BUILDING",
      .age_ms = 133 * MIN, .warn = "45m", .crit = "90m", .state = IB_STATE_CRITICAL,
      .reason = IB_JUDGED_AGE, .stuck = true, .words = "BUILDING for 2h 13m (critical 1h 30m)" },
    { .name = "one_millisecond_above_counts", .status = "BUILDING", .age_ms = 90 * MIN + 1,
      .crit = "90m", .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_AGE, .stuck = true,
      .words = "BUILDING for 1h 30m (critical 1h 30m)" },
    { .name = "only_a_critical_range_is_legal", .status = "TESTING", .age_ms = 91 * MIN,
      .crit = "~:90m", .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_AGE, .stuck = true,
      .words = "TESTING for 1h 31m (critical ~:90m)" },
    { .name = "only_a_warning_range_never_makes_it_stuck", .status = "TESTING", .age_ms = 900 * MIN,
      .warn = "1m", .state = IB_STATE_WARNING, .reason = IB_JUDGED_AGE,
      .words = "TESTING for 15h 0m (warning 1m)" },
    { .name = "without_thresholds_any_age_is_ok", .status = "BUILDING", .age_ms = 9000 * MIN,
      .state = IB_STATE_OK, .words = "BUILDING for 6d 6h" },
    { .name = "an_inside_range_calls_an_old_build_stuck", .status = "BUILDING", .age_ms = 20 * MIN,
      .crit = "@10m:30m", .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_AGE, .stuck = true,
      .words = "BUILDING for 20m 0s (critical @10m:30m)" },
    { .name = "an_inside_range_lets_an_older_build_go", .status = "BUILDING", .age_ms = 40 * MIN,
      .crit = "@10m:30m", .state = IB_STATE_OK, .words = "BUILDING for 40m 0s" },
    { .name = "a_young_build_below_a_lower_limit_is_critical_but_never_stuck", .status = "BUILDING",
      .age_ms = 1 * MIN, .crit = "10m:", .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_AGE,
      .words = "BUILDING for 1m 0s (critical 10m:)" },
    { .name = "below_a_two_sided_range_is_critical_but_not_stuck", .status = "BUILDING",
      .age_ms = 1 * MIN, .crit = "10m:90m", .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_AGE,
      .words = "BUILDING for 1m 0s (critical 10m:90m)" },
    { .name = "above_a_two_sided_range_is_stuck", .status = "BUILDING", .age_ms = 91 * MIN,
      .crit = "10m:90m", .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_AGE, .stuck = true,
      .words = "BUILDING for 1h 31m (critical 10m:90m)" },
    { .name = "an_inside_range_from_zero_makes_young_builds_critical_but_not_stuck",
      .status = "BUILDING", .age_ms = 1 * MIN, .crit = "@0:10m", .state = IB_STATE_CRITICAL,
      .reason = IB_JUDGED_AGE, .words = "BUILDING for 1m 0s (critical @0:10m)" },
    /* every status in flight is judged by age */
    { .name = "pending_can_be_stuck", .status = "PENDING", .age_ms = 91 * MIN, .crit = "90m",
      .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_AGE, .stuck = true,
      .words = "PENDING for 1h 31m (critical 1h 30m)" },
    { .name = "creating_can_be_stuck", .status = "CREATING", .age_ms = 91 * MIN, .crit = "90m",
      .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_AGE, .stuck = true,
      .words = "CREATING for 1h 31m (critical 1h 30m)" },
    { .name = "distributing_can_be_stuck", .status = "DISTRIBUTING", .age_ms = 91 * MIN,
      .crit = "90m", .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_AGE, .stuck = true,
      .words = "DISTRIBUTING for 1h 31m (critical 1h 30m)" },
    { .name = "integrating_can_be_stuck", .status = "INTEGRATING", .age_ms = 91 * MIN,
      .crit = "90m", .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_AGE, .stuck = true,
      .words = "INTEGRATING for 1h 31m (critical 1h 30m)" },
    /* ended */
    { .name = "available_is_ok", .status = "AVAILABLE", .age_ms = 9000 * MIN, .crit = "90m",
      .state = IB_STATE_OK, .reason = IB_JUDGED_ENDED, .words = "AVAILABLE" },
    { .name = "failed_is_critical_but_not_stuck", .status = "FAILED", .age_ms = 9000 * MIN,
      .crit = "90m", .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_ENDED, .words = "FAILED" },
    { .name = "cancelled_is_warning", .status = "CANCELLED", .age_ms = 9000 * MIN, .crit = "90m",
      .state = IB_STATE_WARNING, .reason = IB_JUDGED_ENDED, .words = "CANCELLED" },
    { .name = "deprecated_is_ok", .status = "DEPRECATED", .state = IB_STATE_OK,
      .reason = IB_JUDGED_ENDED, .words = "DEPRECATED" },
    { .name = "disabled_is_warning", .status = "DISABLED", .state = IB_STATE_WARNING,
      .reason = IB_JUDGED_ENDED, .words = "DISABLED" },
    { .name = "deleted_is_warning", .status = "DELETED", .state = IB_STATE_WARNING,
      .reason = IB_JUDGED_ENDED, .words = "DELETED" },
    { .name = "the_map_changes_one_status", .status = "FAILED", .map = "FAILED=warning",
      .state = IB_STATE_WARNING, .reason = IB_JUDGED_ENDED, .words = "FAILED" },
    { .name = "a_state_that_aws_adds_is_unknown", .status = "QUARANTINED", .age_ms = 91 * MIN,
      .crit = "90m", .state = IB_STATE_UNKNOWN, .reason = IB_JUDGED_UNHEARD_OF,
      .words = "QUARANTINED, a state unknown to this version" },
    { .name = "other_maps_states_that_aws_adds", .status = "QUARANTINED", .map = "other=critical",
      .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_UNHEARD_OF,
      .words = "QUARANTINED, a state unknown to this version" },
    { .name = "an_ended_build_of_unknown_age_is_judged_by_the_map", .status = "AVAILABLE",
      .no_age = true, .crit = "90m", .state = IB_STATE_OK, .reason = IB_JUDGED_ENDED,
      .words = "AVAILABLE" },
    /* stuck_only */
    { .name = "stuck_only_passes_over_a_failed_build", .status = "FAILED", .stuck_only = true,
      .state = IB_STATE_OK, .reason = IB_JUDGED_SKIPPED, .words = "FAILED" },
    { .name = "stuck_only_passes_over_a_cancelled_build", .status = "CANCELLED", .stuck_only = true,
      .state = IB_STATE_OK, .reason = IB_JUDGED_SKIPPED, .words = "CANCELLED" },
    { .name = "stuck_only_still_finds_a_stuck_build", .status = "BUILDING", .age_ms = 91 * MIN,
      .crit = "90m", .stuck_only = true, .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_AGE,
      .stuck = true, .words = "BUILDING for 1h 31m (critical 1h 30m)" },
    { .name = "stuck_only_never_calls_an_unheard_of_state_critical", .status = "QUARANTINED",
      .map = "other=critical", .stuck_only = true, .state = IB_STATE_UNKNOWN,
      .reason = IB_JUDGED_UNHEARD_OF, .words = "QUARANTINED, a state unknown to this version" },
    /* not known */
    { .name = "no_date_with_a_threshold_is_unknown", .status = "BUILDING", .no_age = true,
      .crit = "90m", .state = IB_STATE_UNKNOWN, .reason = IB_JUDGED_AGE_UNKNOWN,
      .words = "BUILDING, age not known: no readable creation date" },
    { .name = "no_date_without_a_threshold_is_ok", .status = "BUILDING", .no_age = true,
      .state = IB_STATE_OK, .reason = IB_JUDGED_FINE, .words = "BUILDING, age not known" },
    { .name = "a_build_that_is_being_put_back_to_work_is_unknown_and_not_stuck", .status = "PENDING",
      .no_age = true, .restarting = true, .crit = "90m", .state = IB_STATE_UNKNOWN,
      .reason = IB_JUDGED_AGE_UNKNOWN,
      .words = "PENDING, age not known: a workflow failed and none runs: put back to work, or hung" },
    { .name = "a_date_far_in_the_future_is_unknown", .status = "BUILDING", .age_ms = -6 * MIN,
      .crit = "90m", .state = IB_STATE_UNKNOWN, .reason = IB_JUDGED_AGE_UNKNOWN,
      .words = "BUILDING, age not known: it is dated in the future, check this host's clock" },
    { .name = "a_date_slightly_in_the_future_is_now", .status = "BUILDING", .age_ms = -4 * MIN,
      .warn = "45m", .crit = "90m", .state = IB_STATE_OK, .words = "BUILDING for 0s" },
    /* phases */
    { .name = "a_phase_limit_counts_from_the_start_of_the_phase", .status = "TESTING",
      .age_ms = 60 * MIN, .has_phase = true, .phase_ms = 25 * MIN, .phase = "TESTING=20m,40m",
      .state = IB_STATE_WARNING, .reason = IB_JUDGED_PHASE,
      .words = "TESTING for 25m 0s (warning in this state 20m)" },
    { .name = "a_critical_phase_makes_it_stuck", .status = "TESTING", .age_ms = 60 * MIN,
      .has_phase = true, .phase_ms = 41 * MIN, .phase = "TESTING=20m,40m",
      .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_PHASE, .stuck = true,
      .words = "TESTING for 41m 0s (critical in this state 40m)" },
    { .name = "without_a_phase_start_the_age_stands_in", .status = "TESTING", .age_ms = 41 * MIN,
      .phase = "TESTING=20m,40m", .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_PHASE,
      .stuck = true, .words = "TESTING for 41m 0s (critical in this state 40m)" },
    { .name = "a_phase_limit_of_another_status_does_not_count", .status = "BUILDING",
      .age_ms = 41 * MIN, .phase = "TESTING=20m,40m", .state = IB_STATE_OK,
      .words = "BUILDING for 41m 0s" },
    { .name = "the_worse_of_age_and_phase_counts", .status = "TESTING", .age_ms = 50 * MIN,
      .has_phase = true, .phase_ms = 45 * MIN, .warn = "45m", .crit = "90m",
      .phase = "TESTING=20m,40m", .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_PHASE,
      .stuck = true, .words = "TESTING for 45m 0s (critical in this state 40m)" },
    { .name = "age_counts_when_it_is_worse_than_the_phase", .status = "TESTING", .age_ms = 91 * MIN,
      .has_phase = true, .phase_ms = 25 * MIN, .crit = "90m", .phase = "TESTING=20m,40m",
      .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_AGE, .stuck = true,
      .words = "TESTING for 1h 31m (critical 1h 30m)" },
    { .name = "a_known_phase_is_judged_although_the_age_is_not_known", .status = "TESTING",
      .no_age = true, .has_phase = true, .phase_ms = 41 * MIN, .crit = "90m",
      .phase = "TESTING=20m,40m", .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_PHASE,
      .stuck = true, .words = "TESTING for 41m 0s (critical in this state 40m)" },
    { .name = "a_quiet_phase_does_not_hide_an_unknown_age", .status = "TESTING", .no_age = true,
      .has_phase = true, .phase_ms = 1 * MIN, .crit = "90m", .phase = "TESTING=20m,40m",
      .state = IB_STATE_UNKNOWN, .reason = IB_JUDGED_AGE_UNKNOWN,
      .words = "TESTING, age not known: no readable creation date" },
    /* waiting */
    { .name = "a_build_that_waits_for_a_person_is_warning_and_not_stuck", .status = "BUILDING",
      .age_ms = 91 * MIN, .crit = "90m", .is_waiting = true, .state = IB_STATE_WARNING,
      .reason = IB_JUDGED_WAITING,
      .words = "BUILDING for 1h 31m, waits for an answer in step Approve" },
    { .name = "waiting_may_be_mapped_to_ok", .status = "BUILDING", .age_ms = 91 * MIN, .crit = "90m",
      .is_waiting = true, .waiting = "ok", .state = IB_STATE_OK, .reason = IB_JUDGED_WAITING,
      .words = "BUILDING for 1h 31m, waits for an answer in step Approve" },
    { .name = "waiting_mapped_to_critical_is_stuck", .status = "BUILDING", .age_ms = 91 * MIN,
      .crit = "90m", .is_waiting = true, .waiting = "critical", .state = IB_STATE_CRITICAL,
      .reason = IB_JUDGED_WAITING, .stuck = true,
      .words = "BUILDING for 1h 31m, waits for an answer in step Approve" },
    { .name = "waiting_below_the_limits_is_ok", .status = "BUILDING", .age_ms = 10 * MIN,
      .crit = "90m", .is_waiting = true, .state = IB_STATE_OK, .words = "BUILDING for 10m 0s" },
    { .name = "waiting_over_the_warning_only_is_never_stuck", .status = "BUILDING",
      .age_ms = 50 * MIN, .warn = "45m", .crit = "90m", .is_waiting = true, .waiting = "critical",
      .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_WAITING,
      .words = "BUILDING for 50m 0s, waits for an answer in step Approve" },
    /* with stuck_only CRITICAL means too old, and nothing else */
    { .name = "stuck_only_leaves_critical_to_what_is_stuck", .status = "BUILDING", .stuck_only = true,
      .age_ms = 91 * MIN, .crit = "10m:90m", .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_AGE,
      .stuck = true, .words = "BUILDING for 1h 31m (critical 10m:90m)" },
    { .name = "stuck_only_warns_of_a_build_that_is_too_young", .status = "BUILDING",
      .stuck_only = true, .age_ms = 5 * MIN, .crit = "10m:90m", .state = IB_STATE_WARNING,
      .reason = IB_JUDGED_AGE, .words = "BUILDING for 5m 0s (critical 10m:90m)" },
    { .name = "without_stuck_only_a_build_may_be_too_young", .status = "BUILDING",
      .age_ms = 5 * MIN, .crit = "10m:90m", .state = IB_STATE_CRITICAL, .reason = IB_JUDGED_AGE,
      .words = "BUILDING for 5m 0s (critical 10m:90m)" },
    { .name = "stuck_only_waiting_over_the_warning_only_is_warning", .status = "BUILDING",
      .stuck_only = true, .age_ms = 50 * MIN, .warn = "45m", .crit = "90m", .is_waiting = true,
      .waiting = "critical", .state = IB_STATE_WARNING, .reason = IB_JUDGED_WAITING,
      .words = "BUILDING for 50m 0s, waits for an answer in step Approve" },
    { .name = "foreign_bytes_in_a_status_are_cleaned", .status = "BAD|\nSTATE",
      .state = IB_STATE_UNKNOWN, .reason = IB_JUDGED_UNHEARD_OF,
      .words = "BAD/ STATE, a state unknown to this version" },
};

static void set_range(const char *text, struct ib_range *range)
{
    struct ib_error err = IB_ERROR_INIT;

    if (text != NULL) {
        assert_ok(ib_range_parse(ib_str_from(text), IB_RANGE_SECONDS, "-c", range, &err), &err);
    }
}

static void test_row(void **state)
{
    const struct row *r = *state;
    struct ib_judge_rules rules;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_judgement j;

    ib_judge_rules_init(&rules);
    set_range(r->warn, &rules.age.warn);
    set_range(r->crit, &rules.age.crit);
    if (r->phase != NULL) {
        assert_ok(ib_judge_phase_parse(r->phase, &rules, &err), &err);
    }
    if (r->map != NULL) {
        assert_ok(ib_judge_map_parse(r->map, &rules, &err), &err);
    }
    if (r->waiting != NULL) {
        assert_true(ib_state_from(ib_str_from(r->waiting), &rules.waiting));
    }
    rules.stuck_only = r->stuck_only;
    struct ib_judge_facts facts = {
        .status = ib_image_status_from(ib_str_from(r->status)),
        .status_text = ib_str_from(r->status),
        .age_known = !r->no_age,
        .age_ms = r->age_ms,
        .phase_known = r->has_phase,
        .phase_ms = r->phase_ms,
        .restarting = r->restarting,
        .waiting = r->is_waiting,
        .waiting_step = IB_STR("Approve"),
    };
    ib_judge(&rules, &facts, &j);
    assert_string_equal(j.words, r->words);
    assert_int_equal(j.state, r->state);
    assert_int_equal(j.reason, r->reason);
    assert_int_equal(j.stuck, r->stuck);
    assert_int_equal(j.in_flight, ib_image_status_in_flight(facts.status));
}

struct bad_row {
    const char *name, *text, *sentence;
};
static const struct bad_row bad_map_rows[] = {
    { "a_map_without_equals_sign_is_refused", "FAILED", "is not STATUS=STATE" },
    { "a_map_of_a_typo_is_refused", "AVAILBLE=ok", "\"AVAILBLE\" is no status" },
    { "a_map_of_lower_case_is_refused", "failed=ok", "\"failed\" is no status" },
    { "a_map_of_a_status_in_flight_is_refused", "BUILDING=ok", "judged by age" },
    { "a_map_to_no_state_is_refused", "FAILED=bad", "\"bad\" is not ok, warning" },
    { "a_map_to_nothing_is_refused", "FAILED=", "\"\" is not ok, warning" },
    { "a_map_of_nothing_is_refused", "=ok", "\"\" is no status" },
};
static void test_bad_map(void **state)
{
    const struct bad_row *r = *state;
    struct ib_judge_rules rules;
    struct ib_error err = IB_ERROR_INIT;

    ib_judge_rules_init(&rules);
    assert_rc(ib_judge_map_parse(r->text, &rules, &err), IB_EUSAGE, &err);
    assert_contains(err.text, r->sentence);
}

static const struct bad_row bad_phase_rows[] = {
    { "a_phase_without_equals_sign_is_refused", "TESTING", "is not STATUS=WARN,CRIT" },
    { "a_phase_without_comma_is_refused", "TESTING=20m", "is not STATUS=WARN,CRIT" },
    { "a_phase_with_three_ranges_is_refused", "TESTING=1,2,3", "is not STATUS=WARN,CRIT" },
    { "a_phase_of_an_ended_status_is_refused", "FAILED=1,2", "no status of a build in flight" },
    { "a_phase_of_a_typo_is_refused", "TESTIG=1,2", "no status of a build in flight" },
    { "a_phase_with_a_bad_range_is_refused", "TESTING=20m,40x", "critical: \"40x\" is not a range" },
    { "a_phase_with_nothing_is_refused", "TESTING=", "is not STATUS=WARN,CRIT" },
};
static void test_bad_phase(void **state)
{
    const struct bad_row *r = *state;
    struct ib_judge_rules rules;
    struct ib_error err = IB_ERROR_INIT;

    ib_judge_rules_init(&rules);
    assert_rc(ib_judge_phase_parse(r->text, &rules, &err), IB_EUSAGE, &err);
    assert_int_equal(err.rc, IB_EUSAGE);
    assert_contains(err.text, r->sentence);
    assert_false(rules.phase[IB_IMAGE_TESTING].warn.is_set);
}

struct old_row {
    const char *name, *range;
    bool can;
};
static const struct old_row old_rows[] = {
    { "an_upper_limit_can_say_too_old", "90m", true },
    { "a_tilde_with_an_upper_limit_can_say_too_old", "~:90m", true },
    { "a_two_sided_range_can_say_too_old", "10m:90m", true },
    { "a_lower_limit_cannot_say_too_old", "10m:", false },
    { "an_inside_range_with_a_start_can_say_too_old", "@90m:", true },
    { "an_inside_range_from_zero_cannot_say_too_old", "@90m", false },
    { "an_inside_range_without_start_cannot_say_too_old", "@~:90m", false },
    { "no_range_cannot_say_too_old", NULL, false },
};
static void test_old(void **state)
{
    const struct old_row *r = *state;
    struct ib_range range = { 0 };

    set_range(r->range, &range);
    assert_int_equal(ib_judge_can_be_too_old(&range), r->can);
}

struct critical_row {
    const char *name, *range, *phase;
    const char *sentence; /* NULL: fit to mean stuck */
};
static const struct critical_row critical_rows[] = {
    { "an_upper_limit_may_mean_stuck", "90m", NULL, NULL },
    { "an_upper_limit_of_a_second_may_mean_stuck", "1", NULL, NULL },
    { "a_two_sided_range_may_mean_stuck", "10m:90m", NULL, NULL },
    { "an_inside_range_with_a_start_may_mean_stuck", "@90m:1d", NULL, NULL },
    { "no_range_is_no_mistake", NULL, NULL, NULL },
    { "a_phase_may_mean_stuck", NULL, "TESTING=,40m", NULL },
    { "a_range_that_never_alerts_is_a_mistake", "~:", NULL, "\"~:\" never says that a build" },
    { "a_range_above_zero_is_a_mistake", "0:", NULL, "\"0:\" never says that a build" },
    { "a_range_for_the_youngest_is_a_mistake", "@5", NULL, "\"@5\" never says that a build" },
    { "a_range_that_always_alerts_is_a_mistake", "@0:", NULL, "\"@0:\" never says that a build" },
    { "an_inside_range_of_all_is_a_mistake", "@~:", NULL, "\"@~:\" never says that a build" },
    { "a_limit_of_zero_is_a_mistake", "0", NULL, "\"0\" says of every build" },
    { "a_limit_below_zero_is_a_mistake", "~:-5", NULL, "\"~:-5\" says of every build" },
    { "an_inside_range_from_half_a_second_is_a_mistake", "@0.5:", NULL, "\"@0.5:\" says of every" },
    { "a_phase_for_young_builds_is_a_mistake", "90m", "TESTING=,10m:",
      "\"10m:\" for TESTING never says that a build" },
    { "a_phase_limit_of_zero_is_a_mistake", "90m", "TESTING=,0", "\"0\" for TESTING says of every" },
};
static void test_critical(void **state)
{
    const struct critical_row *r = *state;
    struct ib_judge_rules rules;
    struct ib_error err = IB_ERROR_INIT;

    ib_judge_rules_init(&rules);
    set_range(r->range, &rules.age.crit);
    if (r->phase != NULL) {
        assert_ok(ib_judge_phase_parse(r->phase, &rules, &err), &err);
    }
    enum ib_rc rc = ib_judge_check_critical(&rules, &err);
    if (r->sentence == NULL) {
        assert_ok(rc, &err);
    } else {
        assert_rc(rc, IB_EUSAGE, &err);
        assert_contains(err.text, r->sentence);
    }
}

static void no_build_is_older_than_its_last_known_end(void **state)
{
    struct ib_judge_facts f = {.age_known = true, .age_ms = 8000000, .phase_known = true, .phase_ms = 7000000};
    struct ib_judge_facts unknown = {.age_known = false, .age_ms = 8000000};

    (void)state;
    ib_judge_not_older(&f, 9000000);
    assert_true(f.age_ms == 8000000 && f.phase_ms == 7000000);
    ib_judge_not_older(&f, 60000);
    assert_true(f.age_ms == 60000 && f.phase_ms == 60000);
    ib_judge_not_older(&f, -600000); /* the clock went back, and a workflow tells */
    assert_true(f.age_ms == 60000 && f.phase_ms == 60000);
    f.phase_known = false; /* dated in the future: nothing is stuck by that */
    ib_judge_not_older(&f, -600000);
    assert_true(f.age_ms == -600000);
    ib_judge_not_older(&unknown, 60000);
    assert_false(unknown.age_known);
}

static void a_phase_may_have_one_range_only(void **state)
{
    struct ib_judge_rules rules;
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    ib_judge_rules_init(&rules);
    assert_ok(ib_judge_phase_parse("TESTING=,40m", &rules, &err), &err);
    assert_false(rules.phase[IB_IMAGE_TESTING].warn.is_set);
    assert_true(rules.phase[IB_IMAGE_TESTING].crit.is_set);
    assert_ok(ib_judge_phase_parse("BUILDING=40m,", &rules, &err), &err);
    assert_true(rules.phase[IB_IMAGE_BUILDING].warn.is_set);
    assert_false(rules.phase[IB_IMAGE_BUILDING].crit.is_set);
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_ROWS(bad_map_rows, test_bad_map);
    IB_TEST_ROWS(bad_phase_rows, test_bad_phase);
    IB_TEST_ROWS(old_rows, test_old);
    IB_TEST_ROWS(critical_rows, test_critical);
    IB_TEST_CASE(no_build_is_older_than_its_last_known_end);
    IB_TEST_CASE(a_phase_may_have_one_range_only);
    return IB_TEST_RUN();
}
