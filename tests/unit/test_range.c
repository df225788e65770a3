/* SPDX-License-Identifier: MIT */
/* Threshold ranges: what is taken, what is refused and why, where the ends belong. */
#include "ib_test.h"

#include "lib/plugin/range.h"

struct refused_row {
    const char *name, *text, *rule; /* rule: part of the sentence */
    enum ib_range_unit unit;
};
static const struct refused_row refused_rows[] = {
    { "start_above_end_is_refused", "5:1", "its start is above its end", IB_RANGE_NUMBER },
    { "letters_behind_a_number_are_refused", "10abc", "start and end are numbers", IB_RANGE_NUMBER },
    { "a_leading_blank_is_refused", " 5", "start and end are numbers", IB_RANGE_NUMBER },
    { "a_trailing_blank_is_refused", "5 ", "start and end are numbers", IB_RANGE_NUMBER },
    { "two_colons_are_refused", "1:2:3", "more than one \":\"", IB_RANGE_NUMBER },
    { "hexadecimal_is_refused", "0x10", "start and end are numbers", IB_RANGE_NUMBER },
    { "nan_is_refused", "nan", "start and end are numbers", IB_RANGE_NUMBER },
    { "inf_is_refused", "inf", "start and end are numbers", IB_RANGE_NUMBER },
    { "minus_inf_is_refused", "-inf:5", "start and end are numbers", IB_RANGE_NUMBER },
    { "infinity_as_end_is_refused", "1:infinity", "start and end are numbers", IB_RANGE_NUMBER },
    { "a_number_too_large_is_refused_and_not_clamped", "99999999999999999999", "within 15 digits",
      IB_RANGE_NUMBER },
    { "an_exponent_is_refused", "1e3", "start and end are numbers", IB_RANGE_NUMBER },
    { "a_decimal_comma_is_refused", "1,5", "start and end are numbers", IB_RANGE_NUMBER },
    { "empty_is_refused", "", "it is empty", IB_RANGE_NUMBER },
    { "an_at_sign_alone_is_refused", "@", "start and end are numbers", IB_RANGE_NUMBER },
    { "a_colon_alone_is_refused", ":", "a start is missing", IB_RANGE_NUMBER },
    { "no_start_before_the_colon_is_refused", ":10", "a start is missing", IB_RANGE_NUMBER },
    { "a_tilde_alone_is_refused", "~", "start and end are numbers", IB_RANGE_NUMBER },
    { "a_tilde_as_end_is_refused", "1:~", "start and end are numbers", IB_RANGE_NUMBER },
    { "an_at_sign_in_the_middle_is_refused", "1:@2", "start and end are numbers", IB_RANGE_NUMBER },
    { "two_at_signs_are_refused", "@@1", "start and end are numbers", IB_RANGE_NUMBER },
    { "two_signs_are_refused", "--5", "start and end are numbers", IB_RANGE_NUMBER },
    { "a_dot_alone_is_refused", ".", "start and end are numbers", IB_RANGE_NUMBER },
    { "a_text_too_long_is_refused",
      "0000000000000000000000000000000000000000000000000000000000000000000001", "it is too long",
      IB_RANGE_NUMBER },
    { "a_list_is_refused", "1,2", "start and end are numbers", IB_RANGE_NUMBER },
    { "a_percent_sign_is_refused", "80%", "start and end are numbers", IB_RANGE_NUMBER },
    { "a_duration_is_refused_where_numbers_are_meant", "45m", "start and end are numbers",
      IB_RANGE_NUMBER },
    { "an_unknown_unit_is_refused", "45y", "seconds or durations such as 45m", IB_RANGE_SECONDS },
    { "units_in_rising_order_are_refused", "30m1h", "seconds or durations", IB_RANGE_SECONDS },
    { "a_negative_duration_is_refused", "-45m:", "seconds or durations", IB_RANGE_SECONDS },
    { "a_duration_start_above_a_duration_end_is_refused", "2h:90m", "its start is above its end",
      IB_RANGE_SECONDS },
    { "a_duration_longer_than_ten_years_is_refused", "99999d", "at most 3650d", IB_RANGE_SECONDS },
    { "letters_behind_a_duration_are_refused", "45mx", "seconds or durations", IB_RANGE_SECONDS },
    { "nan_is_refused_among_durations", "nan", "seconds or durations", IB_RANGE_SECONDS },
    { "a_full_width_digit_is_refused", "\xef\xbc\x95", "start and end are numbers",
      IB_RANGE_NUMBER },
};
static void test_refused(void **state)
{
    const struct refused_row *r = *state;
    struct ib_range range = { .text = "untouched" };
    struct ib_error err = IB_ERROR_INIT;

    assert_rc(ib_range_parse(ib_str_from(r->text), r->unit, "--warning", &range, &err), IB_EPARSE,
              &err);
    assert_contains(err.text, r->rule);
    assert_contains(err.text, "--warning");
    assert_string_equal(range.text, "untouched");
}

struct taken_row {
    const char *name, *text;
    enum ib_range_unit unit;
    const char *perfdata, *people;
    double quiet[3], alert[3]; /* values on both sides of the ends */
};
static const struct taken_row taken_rows[] = {
    { "a_single_number_starts_at_zero_and_includes_both_ends", "10", IB_RANGE_NUMBER, "10", "10",
      { 0, 5, 10 }, { -0.001, 10.001, 1e9 } },
    { "a_number_with_a_colon_alerts_below_it", "10:", IB_RANGE_NUMBER, "10:", "10:",
      { 10, 11, 1e9 }, { 9.999, 0, -1 } },
    { "a_tilde_alerts_above_the_end_only", "~:10", IB_RANGE_NUMBER, "~:10", "~:10",
      { -1e9, 0, 10 }, { 10.001, 11, 1e9 } },
    { "two_ends_alert_outside", "10:20", IB_RANGE_NUMBER, "10:20", "10:20", { 10, 15, 20 },
      { 9.999, 20.001, 0 } },
    { "an_at_sign_alerts_inside_with_both_ends", "@10:20", IB_RANGE_NUMBER, "@10:20", "@10:20",
      { 9.999, 20.001, 0 }, { 10, 15, 20 } },
    { "an_at_sign_with_one_number_alerts_from_zero", "@10", IB_RANGE_NUMBER, "@10", "@10",
      { -0.001, 10.001, 99 }, { 0, 5, 10 } },
    { "an_at_sign_with_a_tilde_alerts_below", "@~:10", IB_RANGE_NUMBER, "@~:10", "@~:10",
      { 10.001, 11, 12 }, { -1e9, 0, 10 } },
    { "both_ends_may_be_equal", "5:5", IB_RANGE_NUMBER, "5:5", "5:5", { 5, 5, 5 }, { 4, 6, 5.5 } },
    { "negative_numbers_are_compared_as_numbers", "-2:-1", IB_RANGE_NUMBER, "-2:-1", "-2:-1",
      { -2, -1.5, -1 }, { -2.1, -0.9, 0 } },
    { "fractions_are_kept", "0.5:1.5", IB_RANGE_NUMBER, "0.5:1.5", "0.5:1.5", { 0.5, 1, 1.5 },
      { 0.4, 1.6, 2 } },
    { "a_leading_zero_is_decimal", "010", IB_RANGE_NUMBER, "10", "010", { 8, 9, 10 },
      { 10.5, 16, -1 } },
    { "zero_alerts_on_anything_else", "0", IB_RANGE_NUMBER, "0", "0", { 0, 0, 0 }, { 1, -1, 0.1 } },
    { "zero_to_infinity_alerts_below_zero", "0:", IB_RANGE_NUMBER, "0:", "0:", { 0, 1, 1e14 },
      { -1, -0.5, -9 } },
    { "seconds_may_be_plain", "90", IB_RANGE_SECONDS, "90", "1m 30s", { 0, 45, 90 },
      { 91, 90.5, -1 } },
    { "minutes_are_seconds", "45m", IB_RANGE_SECONDS, "2700", "45m", { 0, 1, 2700 },
      { 2700.5, 2701, -1 } },
    { "hours_and_minutes_are_seconds", "1h30m", IB_RANGE_SECONDS, "5400", "1h 30m", { 0, 1, 5400 },
      { 5401, 99999, -1 } },
    { "days_are_seconds", "1d", IB_RANGE_SECONDS, "86400", "1d", { 0, 1, 86400 },
      { 86401, 1e6, -1 } },
    { "both_ends_may_be_durations", "@10m:1h", IB_RANGE_SECONDS, "@600:3600", "@10m:1h",
      { 599, 3601, 0 }, { 600, 900, 3600 } },
    { "a_duration_may_be_open_upwards", "10m:", IB_RANGE_SECONDS, "600:", "10m:", { 600, 601, 1e6 },
      { 599, 0, -1 } },
    { "a_tilde_goes_with_a_duration", "~:2h", IB_RANGE_SECONDS, "~:7200", "~:2h", { -5, 0, 7200 },
      { 7201, 1e5, 1e6 } },
    { "a_negative_number_is_fine_among_seconds", "-30:60", IB_RANGE_SECONDS, "-30:60", "-30:60",
      { -30, 0, 60 }, { -31, 61, 99 } },
};
static void test_taken(void **state)
{
    const struct taken_row *r = *state;
    struct ib_range range = { 0 };
    struct ib_error err = IB_ERROR_INIT;
    char buf[IB_RANGE_FMT_MAX];

    assert_ok(ib_range_parse(ib_str_from(r->text), r->unit, "-w", &range, &err), &err);
    assert_string_equal(range.text, r->text);
    assert_string_equal(ib_range_fmt(&range, buf, sizeof buf), r->perfdata);
    assert_string_equal(ib_range_fmt_people(&range, buf, sizeof buf), r->people);
    for (size_t i = 0; i < 3; i++) {
        assert_false(ib_range_alerts(&range, r->quiet[i]));
        assert_true(ib_range_alerts(&range, r->alert[i]));
    }
}

static void a_range_that_is_not_set_never_alerts(void **state)
{
    struct ib_range range = { 0 };
    char buf[IB_RANGE_FMT_MAX];

    (void)state;
    assert_false(ib_range_alerts(&range, 0));
    assert_false(ib_range_alerts(&range, 1e15));
    assert_string_equal(ib_range_fmt(&range, buf, sizeof buf), "");
    assert_string_equal(ib_range_fmt_people(&range, buf, sizeof buf), "");
}

static void what_perfdata_shows_reads_back_as_the_same_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < IB_ARRAY_LEN(taken_rows); i++) {
        struct ib_range a = { 0 }, b = { 0 };
        struct ib_error err = IB_ERROR_INIT;
        char first[IB_RANGE_FMT_MAX], second[IB_RANGE_FMT_MAX];

        assert_ok(ib_range_parse(ib_str_from(taken_rows[i].text), taken_rows[i].unit, "-w", &a,
                                 &err),
                  &err);
        assert_ok(ib_range_parse(ib_str_from(ib_range_fmt(&a, first, sizeof first)),
                                 IB_RANGE_NUMBER, "-w", &b, &err),
                  &err);
        assert_string_equal(ib_range_fmt(&b, second, sizeof second), first);
    }
}

int main(void)
{
    IB_TEST_ROWS(refused_rows, test_refused);
    IB_TEST_ROWS(taken_rows, test_taken);
    IB_TEST_CASE(a_range_that_is_not_set_never_alerts);
    IB_TEST_CASE(what_perfdata_shows_reads_back_as_the_same_range);
    return IB_TEST_RUN();
}
