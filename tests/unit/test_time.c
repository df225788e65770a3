/* SPDX-License-Identifier: MIT */
/* lib/base/time.c: dates and durations. */
#include "ib_test.h"

#include "lib/base/time.h"

struct date_row {
    const char *name, *text;
    int64_t want_ms; /* -1: refused */
};
static const struct date_row iso_rows[] = {
    { "iso_milliseconds", "2026-09-03T05:44:21.121Z", INT64_C(1788414261121) },
    { "iso_seconds", "2026-09-03T05:44:21Z", INT64_C(1788414261000) },
    { "iso_microseconds_are_cut", "2026-09-03T05:44:21.121999Z", INT64_C(1788414261121) },
    { "iso_one_fraction_digit", "2026-09-03T05:44:21.1Z", INT64_C(1788414261100) },
    { "iso_offset_with_colon", "2026-09-03T14:44:21+09:00", INT64_C(1788414261000) },
    { "iso_offset_without_colon", "2026-09-02T22:14:21-0730", INT64_C(1788414261000) },
    { "iso_epoch", "1970-01-01T00:00:00Z", 0 },
    { "iso_leap_day", "2024-02-29T00:00:00Z", INT64_C(1709164800000) },
    { "iso_leap_second_is_read_as_59", "2016-12-31T23:59:60Z", INT64_C(1483228799000) },
    { "iso_no_leap_day", "2023-02-29T00:00:00Z", -1 },
    { "iso_february_30", "2024-02-30T00:00:00Z", -1 },
    { "iso_hour_24", "2024-01-01T24:00:00Z", -1 },
    { "iso_no_zone", "2024-01-01T00:00:00", -1 },
    { "iso_one_digit_month", "2024-1-01T00:00:00Z", -1 },
    { "iso_blank_for_T", "2024-01-01 00:00:00Z", -1 },
    { "iso_trailing", "2024-01-01T00:00:00Zx", -1 },
    { "iso_dot_without_digits", "2024-01-01T00:00:00.Z", -1 },
    { "iso_human", "Jul 28, 2022 1:13:45 AM", -1 },
    { "iso_empty", "", -1 },
};

static void iso_row(void **state)
{
    const struct date_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    int64_t got = -1;
    enum ib_rc rc = ib_time_parse_iso8601(ib_str_from(r->text), &got, &err);

    assert_int_equal(rc, r->want_ms < 0 ? IB_EPARSE : IB_OK);
    assert_true(got == r->want_ms);
}

static const struct date_row http_rows[] = {
    { "http_date", "Thu, 03 Sep 2026 05:44:21 GMT", INT64_C(1788414261000) },
    { "http_no_zone", "Thu, 03 Sep 2026 05:44:21", -1 },
    { "http_bad_month", "Thu, 03 Sxp 2026 05:44:21 GMT", -1 },
    { "http_short", "Thu, 03", -1 },
    { "http_asctime_form", "Thu Sep  3 05:44:21 2026", -1 },
    { "http_empty", "", -1 },
};

static void http_row(void **state)
{
    const struct date_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    int64_t got = -1;
    enum ib_rc rc = ib_time_parse_http(ib_str_from(r->text), &got, &err);

    assert_int_equal(rc, r->want_ms < 0 ? IB_EPARSE : IB_OK);
    assert_true(got == r->want_ms);
}

struct duration_row {
    const char *name, *text;
    int64_t want_ms; /* -1: refused */
};
static const struct duration_row duration_rows[] = {
    { "duration_bare_is_seconds", "90", 90000 },
    { "duration_fraction_of_seconds", "1.5", 1500 },
    { "duration_seconds", "90s", 90000 },
    { "duration_minutes", "45m", 2700000 },
    { "duration_hours", "2h", 7200000 },
    { "duration_hour_and_minutes", "1h30m", 5400000 },
    { "duration_day", "1d", 86400000 },
    { "duration_day_and_hours", "1d12h", 129600000 },
    { "duration_milliseconds", "500ms", 500 },
    { "duration_zero", "0", 0 },
    { "duration_units_rising", "30m1h", -1 },
    { "duration_unit_twice", "1h1h", -1 },
    { "duration_unknown_unit", "1w", -1 },
    { "duration_negative", "-5", -1 },
    { "duration_plus", "+5", -1 },
    { "duration_blank", "1 h", -1 },
    { "duration_empty", "", -1 },
    { "duration_letters", "abc", -1 },
    { "duration_too_long", "4000d", -1 },
    { "duration_overflows", "99999999999999d", -1 },
    { "duration_fraction_of_hours", "1.5h", -1 },
};

static void duration_row(void **state)
{
    const struct duration_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    int64_t got = -1;
    enum ib_rc rc = ib_duration_parse(ib_str_from(r->text), "-c", &got, &err);

    assert_int_equal(rc == IB_OK, r->want_ms >= 0);
    assert_true(got == r->want_ms);
    if (rc != IB_OK) {
        assert_contains(err.text, "-c: ");
    }
}

struct show_row {
    const char *name;
    int64_t ms;
    const char *want;
};
static const struct show_row show_rows[] = {
    { "show_zero", 0, "0s" },
    { "show_seconds", 45000, "45s" },
    { "show_minutes", 125000, "2m 5s" },
    { "show_hours", 7980000, "2h 13m" },
    { "show_days", 273600000, "3d 4h" },
    { "show_negative", -300000, "-5m 0s" },
};

static void show_row(void **state)
{
    const struct show_row *r = *state;
    char buf[IB_TIME_TEXT_MAX];

    assert_string_equal(ib_duration_fmt(r->ms, buf, sizeof buf), r->want);
}

static void dates_print_and_read_back(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    char buf[IB_TIME_TEXT_MAX];
    int64_t got;

    /* Every 11 days and some over four centuries, all kinds of years among them. */
    for (int64_t ms = 123; ms < INT64_C(12622780800000); ms += 11 * IB_DAY_MS + 3723004) {
        assert_ok(ib_time_parse_iso8601(ib_str_from(ib_time_fmt_iso8601(ms, buf, sizeof buf)), &got,
                                        &err), &err);
        assert_true(got == ms);
    }
    assert_string_equal(ib_time_fmt_amz(INT64_C(1788414261121), buf, sizeof buf),
                        "20260903T054421Z");
}

int main(void)
{
    IB_TEST_ROWS(iso_rows, iso_row);
    IB_TEST_ROWS(http_rows, http_row);
    IB_TEST_ROWS(duration_rows, duration_row);
    IB_TEST_ROWS(show_rows, show_row);
    IB_TEST_CASE(dates_print_and_read_back);
    return IB_TEST_RUN();
}
