/* SPDX-License-Identifier: MIT */
/* Calendar arithmetic and durations by hand: strptime and timegm are too kind or not portable. */
#include "lib/base/time.h"

#include "lib/base/num.h"

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int64_t year, int month)
{
    static const int days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar, years counted from March. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    if (month <= 2) {
        year--;
    }
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = (int)(yoe + era * 400 + (*month <= 2));
}

/* Exactly n digits at the front of *s. */
static bool take_digits(struct ib_str *s, size_t n, int *ret)
{
    int value = 0;

    if (s->n < n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!ib_ascii_digit(s->p[i])) {
            return false;
        }
        value = value * 10 + (s->p[i] - '0');
    }
    *s = ib_str_skip(*s, n);
    *ret = value;
    return true;
}

static bool take_char(struct ib_str *s, char c)
{
    if (s->n == 0 || s->p[0] != c) {
        return false;
    }
    *s = ib_str_skip(*s, 1);
    return true;
}

static bool take_clock(struct ib_str *s, int *hour, int *minute, int *second)
{
    if (!take_digits(s, 2, hour) || !take_char(s, ':') || !take_digits(s, 2, minute) ||
        !take_char(s, ':') || !take_digits(s, 2, second)) {
        return false;
    }
    if (*hour > 23 || *minute > 59 || *second > 60) {
        return false;
    }
    if (*second == 60) {
        *second = 59;
    }
    return true;
}

static bool take_fraction(struct ib_str *s, int *ret_ms)
{
    int ms = 0;
    size_t digits = 0;

    *ret_ms = 0;
    if (!take_char(s, '.')) {
        return true;
    }
    while (s->n > 0 && ib_ascii_digit(s->p[0])) {
        if (digits < 3) {
            ms = ms * 10 + (s->p[0] - '0');
        }
        digits++;
        *s = ib_str_skip(*s, 1);
    }
    for (size_t i = digits; i < 3; i++) {
        ms *= 10;
    }
    *ret_ms = ms;
    return digits >= 1 && digits <= 9;
}

static bool take_zone(struct ib_str *s, int64_t *ret_offset_ms)
{
    int hour, minute;

    *ret_offset_ms = 0;
    if (take_char(s, 'Z')) {
        return true;
    }
    bool east = take_char(s, '+');
    if (!east && !take_char(s, '-')) {
        return false;
    }
    if (!take_digits(s, 2, &hour)) {
        return false;
    }
    (void)take_char(s, ':');
    if (!take_digits(s, 2, &minute) || hour > 23 || minute > 59) {
        return false;
    }
    *ret_offset_ms = (hour * IB_HOUR_MS + minute * IB_MINUTE_MS) * (east ? 1 : -1);
    return true;
}

static bool date_is_valid(int year, int month, int day)
{
    return year >= 1970 && month >= 1 && month <= 12 && day >= 1 &&
           day <= days_in_month(year, month);
}

enum ib_rc ib_time_parse_iso8601(struct ib_str text, int64_t *ret_ms, struct ib_error *err)
{
    struct ib_str s = text;
    int year, month, day, hour, minute, second, ms;
    int64_t offset_ms;

    bool ok = take_digits(&s, 4, &year) && take_char(&s, '-') && take_digits(&s, 2, &month) &&
              take_char(&s, '-') && take_digits(&s, 2, &day) && take_char(&s, 'T') &&
              take_clock(&s, &hour, &minute, &second) && take_fraction(&s, &ms) &&
              take_zone(&s, &offset_ms) && s.n == 0 && date_is_valid(year, month, day);
    if (!ok) {
        struct ib_str shown = ib_str_head(text, 64);
        return ib_fail(err, IB_EPARSE, "\"%.*s\" is not an ISO 8601 time", IB_STR_ARG(shown));
    }
    *ret_ms = days_from_civil(year, month, day) * IB_DAY_MS + hour * IB_HOUR_MS +
              minute * IB_MINUTE_MS + second * IB_SECOND_MS + ms - offset_ms;
    return IB_OK;
}

enum ib_rc ib_time_parse_http(struct ib_str text, int64_t *ret_ms, struct ib_error *err)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct ib_str s = text;
    int day, year, hour, minute, second, month = 0;

    size_t comma = ib_str_find(s, ',');
    s = ib_str_skip(s, comma + 1);
    bool ok = comma == 3 && take_char(&s, ' ') && take_digits(&s, 2, &day) && take_char(&s, ' ') &&
              s.n > 3;
    if (ok) {
        for (int i = 0; i < 12; i++) {
            if (memcmp(s.p, names + (size_t)i * 3, 3) == 0) {
                month = i + 1;
            }
        }
        s = ib_str_skip(s, 3);
        ok = month != 0 && take_char(&s, ' ') && take_digits(&s, 4, &year) && take_char(&s, ' ') &&
             take_clock(&s, &hour, &minute, &second) && ib_str_eq(s, IB_STR(" GMT")) &&
             date_is_valid(year, month, day);
    }
    if (!ok) {
        struct ib_str shown = ib_str_head(text, 64);
        return ib_fail(err, IB_EPARSE, "\"%.*s\" is not an HTTP date", IB_STR_ARG(shown));
    }
    *ret_ms = days_from_civil(year, month, day) * IB_DAY_MS + hour * IB_HOUR_MS +
              minute * IB_MINUTE_MS + second * IB_SECOND_MS;
    return IB_OK;
}

struct civil {
    int year, month, day, hour, minute, second, ms;
};

static struct civil civil_from_ms(int64_t ms)
{
    struct civil c;
    int64_t days = ms / IB_DAY_MS;
    int64_t rest = ms % IB_DAY_MS;

    if (rest < 0) {
        rest += IB_DAY_MS;
        days--;
    }
    civil_from_days(days, &c.year, &c.month, &c.day);
    c.hour = (int)(rest / IB_HOUR_MS);
    c.minute = (int)(rest / IB_MINUTE_MS % 60);
    c.second = (int)(rest / IB_SECOND_MS % 60);
    c.ms = (int)(rest % IB_SECOND_MS);
    return c;
}

const char *ib_time_fmt_iso8601(int64_t ms, char *buf, size_t cap)
{
    struct civil c = civil_from_ms(ms);

    if (c.ms == 0) {
        (void)snprintf(buf, cap, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour,
                       c.minute, c.second);
    } else {
        (void)snprintf(buf, cap, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year, c.month, c.day,
                       c.hour, c.minute, c.second, c.ms);
    }
    return buf;
}

const char *ib_time_fmt_amz(int64_t ms, char *buf, size_t cap)
{
    struct civil c = civil_from_ms(ms);

    (void)snprintf(buf, cap, "%04d%02d%02dT%02d%02d%02dZ", c.year, c.month, c.day, c.hour, c.minute,
                   c.second);
    return buf;
}

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {
    { "d", IB_DAY_MS }, { "h", IB_HOUR_MS }, { "m", IB_MINUTE_MS }, { "s", IB_SECOND_MS }, { "ms", 1 },
};

/* Takes "digits unit" from the front of *s; unit must be smaller than *from and moves it on. */
static bool take_unit(struct ib_str *s, size_t *from, int64_t *total_ms)
{
    size_t digits = 0;
    int64_t count;

    while (digits < s->n && ib_ascii_digit(s->p[digits])) {
        digits++;
    }
    if (digits == 0 ||
        ib_num_i64(ib_str_head(*s, digits), 0, IB_DURATION_MAX_MS, "", &count, NULL) != IB_OK) {
        return false;
    }
    *s = ib_str_skip(*s, digits);
    size_t letters = 0;
    while (letters < s->n && ib_ascii_alpha(s->p[letters])) {
        letters++;
    }
    struct ib_str name = ib_str_head(*s, letters);
    *s = ib_str_skip(*s, letters);
    for (size_t i = *from; i < IB_ARRAY_LEN(units); i++) {
        int64_t part;
        if (ib_str_eq_c(name, units[i].name)) {
            *from = i + 1;
            return !__builtin_mul_overflow(count, units[i].ms, &part) &&
                   !__builtin_add_overflow(*total_ms, part, total_ms);
        }
    }
    return false;
}

enum ib_rc ib_duration_parse(struct ib_str text, const char *what, int64_t *ret_ms,
                             struct ib_error *err)
{
    struct ib_str s = text;
    struct ib_str shown = ib_str_head(text, 64);
    int64_t total_ms = 0;
    size_t from = 0;
    double seconds;

    if (text.n > 0 && ib_ascii_digit(text.p[text.n - 1])) {
        if (!ib_ascii_digit(text.p[0]) ||
            ib_num_double(text, 0, 1e15, what, &seconds, NULL) != IB_OK) {
            return ib_fail(err, IB_EPARSE,
                           "%s: \"%.*s\" is not a duration (90, 90s, 45m, 2h, 1h30m, 1d)", what,
                           IB_STR_ARG(shown));
        }
        total_ms = seconds * 1000.0 > (double)IB_DURATION_MAX_MS ? IB_DURATION_MAX_MS + 1
                                                                 : (int64_t)(seconds * 1000.0 + 0.5);
    } else {
        do {
            if (!take_unit(&s, &from, &total_ms)) {
                return ib_fail(err, IB_EPARSE,
                               "%s: \"%.*s\" is not a duration (90, 90s, 45m, 2h, 1h30m, 1d)", what,
                               IB_STR_ARG(shown));
            }
        } while (s.n > 0);
    }
    if (total_ms > IB_DURATION_MAX_MS) {
        return ib_fail(err, IB_ELIMIT, "%s: %.*s is longer than 3650d", what, IB_STR_ARG(shown));
    }
    *ret_ms = total_ms;
    return IB_OK;
}

const char *ib_duration_fmt(int64_t ms, char *buf, size_t cap)
{
    const char *sign = ms < 0 ? "-" : "";
    int64_t s = (ms < 0 ? -(ms + 1) / IB_SECOND_MS : ms / IB_SECOND_MS);

    if (ms < 0 && -(ms + 1) % IB_SECOND_MS == IB_SECOND_MS - 1) {
        s++;
    }
    if (s < 60) {
        (void)snprintf(buf, cap, "%s%" PRId64 "s", s == 0 ? "" : sign, s);
    } else if (s < 3600) {
        (void)snprintf(buf, cap, "%s%" PRId64 "m %" PRId64 "s", sign, s / 60, s % 60);
    } else if (s < 86400) {
        (void)snprintf(buf, cap, "%s%" PRId64 "h %" PRId64 "m", sign, s / 3600, s / 60 % 60);
    } else {
        (void)snprintf(buf, cap, "%s%" PRId64 "d %" PRId64 "h", sign, s / 86400, s / 3600 % 24);
    }
    return buf;
}

static int64_t clock_ms(clockid_t id)
{
    struct timespec now;

    if (clock_gettime(id, &now) != 0) {
        return 0;
    }
    return (int64_t)now.tv_sec * IB_SECOND_MS + now.tv_nsec / 1000000;
}

int64_t ib_time_now_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

int64_t ib_time_mono_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}
