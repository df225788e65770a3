/* SPDX-License-Identifier: MIT */
/* Performance data: labels, numbers, thresholds. */
#include "ib_test.h"

#include <math.h>

#include "lib/plugin/perfdata.h"

struct row {
    const char *name;
    struct ib_perf perf;
    const char *warn, *crit, *want;
};
static const struct row rows[] = {
    { "an_integer_is_printed_as_one", { .label = "age", .value = 7980, .uom = IB_UOM_SECONDS }, "45m",
      "90m", "age=7980s;2700;5400" },
    { "min_and_max_follow_the_thresholds",
      { .label = "age", .value = 7980, .uom = IB_UOM_SECONDS, .has_min = true, .has_max = true,
        .max = 9000 },
      "45m", "90m", "age=7980s;2700;5400;0;9000" },
    { "empty_thresholds_keep_their_places", { .label = "n", .value = 1, .has_min = true }, NULL, NULL,
      "n=1;;;0" },
    { "nothing_but_the_value_needs_no_semicolon", { .label = "n", .value = 1 }, NULL, NULL, "n=1" },
    { "only_critical_leaves_warning_empty", { .label = "n", .value = 1 }, NULL, "@5:7", "n=1;;@5:7" },
    { "a_large_value_has_no_exponent", { .label = "n", .value = 123456789012345.0 }, NULL, NULL,
      "n=123456789012345" },
    { "a_small_value_has_no_exponent", { .label = "n", .value = 0.0000001 }, NULL, NULL, "n=0" },
    { "a_fraction_has_a_point", { .label = "t", .value = 0.5, .uom = IB_UOM_SECONDS }, NULL, NULL,
      "t=0.5s" },
    { "milliseconds_are_kept", { .label = "t", .value = 0.1234, .uom = IB_UOM_SECONDS }, NULL, NULL,
      "t=0.123s" },
    { "an_unknown_value_is_u", { .label = "age", .unknown = true, .uom = IB_UOM_SECONDS }, "45m", NULL,
      "age=U;2700" },
    { "nan_is_u", { .label = "age", .value = (double)NAN }, NULL, NULL, "age=U" },
    { "infinity_is_u", { .label = "age", .value = (double)INFINITY }, NULL, NULL, "age=U" },
    { "minus_zero_is_zero", { .label = "n", .value = -0.0 }, NULL, NULL, "n=0" },
    { "a_label_with_a_blank_is_quoted", { .label = "in flight", .value = 1 }, NULL, NULL,
      "'in flight'=1" },
    { "a_quote_in_a_label_is_doubled", { .label = "it's", .value = 5 }, NULL, NULL, "'it''s'=5" },
    { "an_equals_sign_in_a_label_is_replaced", { .label = "a=b", .value = 5 }, NULL, NULL, "'a_b'=5" },
    { "a_pipe_in_a_label_is_replaced", { .label = "a|b", .value = 5 }, NULL, NULL, "'a/b'=5" },
    { "a_line_feed_in_a_label_is_replaced", { .label = "a\nb", .value = 5 }, NULL, NULL, "'a b'=5" },
    { "percent_has_its_sign", { .label = "p", .value = 12.5, .uom = IB_UOM_PERCENT }, NULL, NULL,
      "p=12.5%" },
    { "bytes_have_theirs", { .label = "b", .value = 1024, .uom = IB_UOM_BYTES }, NULL, NULL,
      "b=1024B" },
    { "counters_have_theirs", { .label = "c", .value = 3, .uom = IB_UOM_COUNTER }, NULL, NULL, "c=3c" },
};

static void test_row(void **state)
{
    const struct row *r = *state;
    struct ib_perf perf = r->perf;
    struct ib_range warn = { 0 }, crit = { 0 };
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(1024);

    if (r->warn != NULL) {
        assert_ok(ib_range_parse(ib_str_from(r->warn), IB_RANGE_SECONDS, "-w", &warn, &err), &err);
        perf.warn = &warn;
    }
    if (r->crit != NULL) {
        assert_ok(ib_range_parse(ib_str_from(r->crit), IB_RANGE_SECONDS, "-c", &crit, &err), &err);
        perf.crit = &crit;
    }
    ib_perfdata_add(&out, &perf);
    assert_string_equal(ib_buf_c(&out), r->want);
}

static void data_are_separated_by_one_blank(void **state)
{
    struct ib_perf a = { .label = "a", .value = 1 }, b = { .label = "b", .value = 2 };
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(1024);

    (void)state;
    ib_perfdata_add(&out, &a);
    ib_perfdata_add(&out, &b);
    assert_string_equal(ib_buf_c(&out), "a=1 b=2");
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_CASE(data_are_separated_by_one_blank);
    return IB_TEST_RUN();
}
