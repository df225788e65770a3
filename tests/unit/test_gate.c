/* SPDX-License-Identifier: MIT */
/* The gate: which calls of a scheduler are acted on. */
#include "ib_test.h"

#include "lib/watch/gate.h"

#define HARD IB_GATE_TYPE_HARD
#define SOFT IB_GATE_TYPE_SOFT

struct row {
    const char *name, *on;
    struct ib_gate_event event;
    bool skip, act;
    const char *words;
};

#define EVENT(s, t) .has_state = true, .state = IB_STATE_##s, .type = (t)

static const struct row rows[] = {
    { "critical_hard_acts", "hard", { EVENT(CRITICAL, HARD) }, false, true, "CRITICAL HARD" },
    { "critical_soft_does_nothing", "hard", { EVENT(CRITICAL, SOFT), .attempt = 2 }, false, false,
      "no action: CRITICAL SOFT, acts on CRITICAL HARD" },
    { "warning_hard_does_nothing", "hard", { EVENT(WARNING, HARD) }, false, false,
      "no action: WARNING HARD, acts on CRITICAL HARD" },
    { "unknown_hard_does_nothing", "hard", { EVENT(UNKNOWN, HARD) }, false, false,
      "no action: UNKNOWN HARD, acts on CRITICAL HARD" },
    { "recovery_does_nothing", "hard", { EVENT(OK, HARD) }, false, false,
      "no action: OK HARD, acts on CRITICAL HARD" },
    { "soft_recovery_does_nothing", "hard", { EVENT(OK, SOFT) }, false, false,
      "no action: OK SOFT, acts on CRITICAL HARD" },
    { "soft_attempt_below_n_does_nothing", "soft:3", { EVENT(CRITICAL, SOFT), .attempt = 2 }, false,
      false, "no action: CRITICAL SOFT attempt 2, acts on CRITICAL from SOFT attempt 3" },
    { "soft_attempt_n_acts", "soft:3", { EVENT(CRITICAL, SOFT), .attempt = 3 }, false, true,
      "CRITICAL SOFT attempt 3, acts from attempt 3" },
    { "soft_attempt_above_n_acts", "soft:3", { EVENT(CRITICAL, SOFT), .attempt = 4 }, false, true,
      "CRITICAL SOFT attempt 4, acts from attempt 3" },
    { "soft_n_still_acts_on_hard_although_icinga_says_attempt_1", "soft:3",
      { EVENT(CRITICAL, HARD), .attempt = 1 }, false, true, "CRITICAL HARD" },
    { "soft_n_does_nothing_on_warning", "soft:1", { EVENT(WARNING, SOFT), .attempt = 5 }, false, false,
      "no action: WARNING SOFT attempt 5, acts on CRITICAL from SOFT attempt 1" },
    { "soft_n_does_nothing_on_warning_hard", "soft:1", { EVENT(WARNING, HARD), .attempt = 5 }, false,
      false, "no action: WARNING HARD attempt 5, acts on CRITICAL from SOFT attempt 1" },
    { "always_acts_on_anything", "always", { EVENT(OK, SOFT) }, false, true, "OK SOFT, acts always" },
    { "always_needs_no_type", "always", { EVENT(CRITICAL, IB_GATE_TYPE_NONE) }, false, true,
      "CRITICAL, acts always" },
    { "a_call_without_event_acts", "hard", { 0 }, false, true, "no event was named" },
    { "the_same_node_acts", "hard", { EVENT(CRITICAL, HARD), .check_source = "a", .node = "a" }, false,
      true, "CRITICAL HARD" },
    { "the_duplicate_of_another_zone_does_nothing", "hard",
      { EVENT(CRITICAL, HARD), .check_source = "satellite", .node = "master" }, false, false,
      "no action: the check ran on satellite, this is master" },
    { "always_does_not_lift_the_node_guard", "always",
      { EVENT(CRITICAL, HARD), .check_source = "a", .node = "b" }, false, false,
      "no action: the check ran on a, this is b" },
    { "downtime_is_ignored_unless_asked", "hard",
      { EVENT(CRITICAL, HARD), .has_downtime = true, .downtime_depth = 1 }, false, true,
      "CRITICAL HARD" },
    { "downtime_is_skipped_when_asked", "hard",
      { EVENT(CRITICAL, HARD), .has_downtime = true, .downtime_depth = 1 }, true, false,
      "no action: in downtime" },
    { "no_downtime_is_not_skipped", "hard",
      { EVENT(CRITICAL, HARD), .has_downtime = true, .downtime_depth = 0 }, true, true,
      "CRITICAL HARD" },
    { "a_nodes_name_cannot_start_a_line", "hard",
      { EVENT(CRITICAL, HARD), .check_source = "a\nOK", .node = "b|c" }, false, false,
      "no action: the check ran on a OK, this is b/c" },
};
static void test_row(void **state)
{
    const struct row *r = *state;
    struct ib_gate_rules rules = { .skip_in_downtime = r->skip };
    struct ib_error err = IB_ERROR_INIT;
    struct ib_gate_decision d;

    assert_ok(ib_gate_on_parse(r->on, &rules, &err), &err);
    assert_ok(ib_gate_check(&rules, &r->event, &err), &err);
    ib_gate_decide(&rules, &r->event, &d);
    assert_string_equal(d.words, r->words);
    assert_int_equal(d.act, r->act);
}

struct bad_row {
    const char *name, *on;
    struct ib_gate_event event;
    bool skip;
    const char *sentence;
};
static const struct bad_row bad_rows[] = {
    { "a_state_without_type_is_refused", "hard", { EVENT(CRITICAL, IB_GATE_TYPE_NONE) }, false,
      "--state is given without --state-type" },
    { "a_type_without_state_is_refused", "hard", { .type = HARD }, false,
      "--state-type is given without --state" },
    { "soft_n_without_attempt_is_refused", "soft:2", { EVENT(CRITICAL, SOFT) }, false,
      "--on soft:N needs --attempt" },
    { "a_check_source_without_node_is_refused", "hard",
      { EVENT(CRITICAL, HARD), .check_source = "a" }, false, "--check-source is given without --node" },
    { "a_node_without_check_source_is_refused", "hard", { EVENT(CRITICAL, HARD), .node = "a" }, false,
      "--node is given without --check-source" },
    { "skipping_downtimes_without_depth_is_refused", "hard", { EVENT(CRITICAL, HARD) }, true,
      "--skip-in-downtime needs --downtime-depth" },
};
static void test_bad(void **state)
{
    const struct bad_row *r = *state;
    struct ib_gate_rules rules = { .skip_in_downtime = r->skip };
    struct ib_error err = IB_ERROR_INIT;

    assert_ok(ib_gate_on_parse(r->on, &rules, &err), &err);
    assert_rc(ib_gate_check(&rules, &r->event, &err), IB_EUSAGE, &err);
    assert_contains(err.text, r->sentence);
}

struct on_row {
    const char *name, *text;
};
static const struct on_row on_rows[] = {
    { "upper_case_is_refused", "HARD" },         { "soft_without_number_is_refused", "soft" },
    { "soft_zero_is_refused", "soft:0" },        { "soft_negative_is_refused", "soft:-1" },
    { "soft_with_letters_is_refused", "soft:2x" }, { "soft_101_is_refused", "soft:101" },
    { "soft_with_nothing_is_refused", "soft:" }, { "never_is_refused", "never" },
};
static void test_on(void **state)
{
    const struct on_row *r = *state;
    struct ib_gate_rules rules = { .on = IB_GATE_HARD };
    struct ib_error err = IB_ERROR_INIT;

    assert_rc(ib_gate_on_parse(r->text, &rules, &err), IB_EUSAGE, &err);
    assert_contains(err.text, "hard, soft:N (N 1..100) or always");
    assert_int_equal(rules.on, IB_GATE_HARD);
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_ROWS(bad_rows, test_bad);
    IB_TEST_ROWS(on_rows, test_on);
    return IB_TEST_RUN();
}
