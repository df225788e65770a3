/* SPDX-License-Identifier: MIT */
/* Plugin states: names, exit codes and which is worse. */
#include "ib_test.h"

#include "lib/plugin/state.h"

struct worst_row {
    const char *name;
    enum ib_state a, b, worst;
};
static const struct worst_row worst_rows[] = {
    { "unknown_is_worse_than_ok", IB_STATE_OK, IB_STATE_UNKNOWN, IB_STATE_UNKNOWN },
    { "warning_is_worse_than_unknown", IB_STATE_UNKNOWN, IB_STATE_WARNING, IB_STATE_WARNING },
    { "critical_is_worse_than_warning", IB_STATE_WARNING, IB_STATE_CRITICAL, IB_STATE_CRITICAL },
    { "critical_is_worse_than_unknown", IB_STATE_CRITICAL, IB_STATE_UNKNOWN, IB_STATE_CRITICAL },
    { "ok_and_ok_is_ok", IB_STATE_OK, IB_STATE_OK, IB_STATE_OK },
};
static void test_worst(void **state)
{
    const struct worst_row *r = *state;

    assert_int_equal(ib_state_worst(r->a, r->b), r->worst);
    assert_int_equal(ib_state_worst(r->b, r->a), r->worst);
}

struct name_row {
    const char *name, *text;
    int code; /* -1: refused */
};
static const struct name_row name_rows[] = {
    { "ok_is_0", "OK", 0 },
    { "warning_is_1", "WARNING", 1 },
    { "critical_is_2", "CRITICAL", 2 },
    { "unknown_is_3", "UNKNOWN", 3 },
    { "lower_case_is_taken", "critical", 2 },
    { "mixed_case_is_taken", "Unknown", 3 },
    { "a_short_form_is_refused", "CRIT", -1 },
    { "a_number_is_refused", "2", -1 },
    { "empty_is_refused", "", -1 },
    { "a_host_state_is_refused", "DOWN", -1 },
};
static void test_name(void **state)
{
    const struct name_row *r = *state;
    enum ib_state got = IB_STATE_OK;

    assert_int_equal(ib_state_from(ib_str_from(r->text), &got), r->code >= 0);
    if (r->code >= 0) {
        assert_int_equal(got, r->code);
        assert_true(ib_str_ieq_c(ib_str_from(r->text), ib_state_name(got)));
    }
}

int main(void)
{
    IB_TEST_ROWS(worst_rows, test_worst);
    IB_TEST_ROWS(name_rows, test_name);
    return IB_TEST_RUN();
}
