/* SPDX-License-Identifier: MIT */
/* Locale-free number parsing and printing. */
#include "lib/base/num.h"

#include <errno.h>
#include <math.h>

/* Longest decimal text that is looked at; a longer one is not a number anybody wrote. */
#define NUM_INPUT_MAX 400 /* bytes */

static enum ib_rc not_a_number(struct ib_str text, const char *what, const char *want,
                               struct ib_error *err)
{
    struct ib_str shown = ib_str_head(text, 64);

    return ib_fail(err, IB_EPARSE, "%s: \"%.*s\" is not %s", what, IB_STR_ARG(shown), want);
}

enum ib_rc ib_num_i64(struct ib_str text, int64_t min, int64_t max, const char *what, int64_t *ret,
                      struct ib_error *err)
{
    struct ib_str rest = text;
    bool negative = false;
    int64_t value = 0;
    bool overflow = false;

    if (rest.n > 0 && (rest.p[0] == '-' || rest.p[0] == '+')) {
        negative = rest.p[0] == '-';
        rest = ib_str_skip(rest, 1);
    }
    if (rest.n == 0) {
        return not_a_number(text, what, "a whole number", err);
    }
    for (size_t i = 0; i < rest.n; i++) {
        if (!ib_ascii_digit(rest.p[i])) {
            return not_a_number(text, what, "a whole number", err);
        }
        int64_t digit = rest.p[i] - '0';
        overflow = overflow || __builtin_mul_overflow(value, (int64_t)10, &value) ||
                   __builtin_sub_overflow(value, digit, &value);
    }
    /* Counted downwards: INT64_MIN has no positive twin. */
    if (!negative) {
        overflow = overflow || __builtin_sub_overflow((int64_t)0, value, &value);
    }
    if (overflow || value < min || value > max) {
        struct ib_str shown = ib_str_head(text, 64);
        return ib_fail(err, IB_ELIMIT, "%s: %.*s is outside %" PRId64 "..%" PRId64, what,
                       IB_STR_ARG(shown), min, max);
    }
    *ret = value;
    return IB_OK;
}

/* strtod with the C locale's point whatever the process has; text is validated before. */
static double text_to_double(struct ib_str text)
{
    char copy[NUM_INPUT_MAX + 1];
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);

    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    double value = c == (locale_t)0 ? (double)NAN : strtod_l(copy, NULL, c);
    if (c != (locale_t)0) {
        freelocale(c);
    }
    return value;
}

static size_t skip_digits(struct ib_str text, size_t at)
{
    while (at < text.n && ib_ascii_digit(text.p[at])) {
        at++;
    }
    return at;
}

/* Does text have the form [sign]digits[.digits] (plain) or that of a JSON number? */
static bool has_number_form(struct ib_str text, bool json, bool *ret_is_int)
{
    size_t at = 0;

    *ret_is_int = true;
    if (text.n > 0 && (text.p[0] == '-' || (!json && text.p[0] == '+'))) {
        at++;
    }
    size_t first = at;
    at = skip_digits(text, at);
    size_t whole = at - first;
    if (json && (whole == 0 || (whole > 1 && text.p[first] == '0'))) {
        return false;
    }
    size_t fraction = 0;
    if (at < text.n && text.p[at] == '.') {
        size_t start = ++at;
        at = skip_digits(text, at);
        fraction = at - start;
        *ret_is_int = false;
        if (fraction == 0) {
            return false;
        }
    }
    if (whole == 0 && fraction == 0) {
        return false;
    }
    if (json && at < text.n && (text.p[at] == 'e' || text.p[at] == 'E')) {
        at++;
        *ret_is_int = false;
        if (at < text.n && (text.p[at] == '+' || text.p[at] == '-')) {
            at++;
        }
        size_t start = at;
        at = skip_digits(text, at);
        if (at == start) {
            return false;
        }
    }
    return at == text.n;
}

enum ib_rc ib_num_double(struct ib_str text, double min, double max, const char *what, double *ret,
                         struct ib_error *err)
{
    bool is_int;

    if (text.n > NUM_INPUT_MAX || !has_number_form(text, false, &is_int)) {
        return not_a_number(text, what, "a number", err);
    }
    double value = text_to_double(text);
    if (!(value >= min && value <= max)) {
        char lo[IB_NUM_TEXT_MAX], hi[IB_NUM_TEXT_MAX];
        struct ib_str shown = ib_str_head(text, 64);
        return ib_fail(err, IB_ELIMIT, "%s: %.*s is outside %s..%s", what, IB_STR_ARG(shown),
                       ib_num_fmt_double(min, lo, sizeof lo), ib_num_fmt_double(max, hi, sizeof hi));
    }
    *ret = value;
    return IB_OK;
}

enum ib_rc ib_num_json(struct ib_str text, bool *ret_is_int, int64_t *ret_i, double *ret_d,
                       struct ib_error *err)
{
    bool is_int = false;
    int64_t i = 0;

    if (text.n > NUM_INPUT_MAX || !has_number_form(text, true, &is_int)) {
        return not_a_number(text, "JSON number", "valid", err);
    }
    double d = text_to_double(text);
    if (!isfinite(d)) {
        struct ib_str shown = ib_str_head(text, 64);
        return ib_fail(err, IB_ELIMIT, "JSON number %.*s is too large", IB_STR_ARG(shown));
    }
    if (is_int && ib_num_i64(text, INT64_MIN, INT64_MAX, "", &i, NULL) != IB_OK) {
        is_int = false;
    }
    *ret_is_int = is_int;
    if (is_int) {
        *ret_i = i;
    }
    *ret_d = d;
    return IB_OK;
}

const char *ib_num_fmt_double(double value, char *buf, size_t cap)
{
    for (int digits = 15; digits <= 17; digits++) {
        int n = snprintf(buf, cap, "%.*g", digits, value);
        if (n < 0 || (size_t)n >= cap || (size_t)n > NUM_INPUT_MAX) {
            break;
        }
        double back = text_to_double(ib_str_from(buf));
        if (memcmp(&back, &value, sizeof value) == 0) {
            break;
        }
    }
    return buf;
}

const char *ib_num_fmt_fixed(double value, int decimals, char *buf, size_t cap)
{
    int n = snprintf(buf, cap, "%.*f", decimals, value);

    if (n > 0 && (size_t)n < cap && memchr(buf, '.', (size_t)n) != NULL) {
        size_t len = (size_t)n;
        while (buf[len - 1] == '0') {
            len--;
        }
        if (buf[len - 1] == '.') {
            len--;
        }
        buf[len] = '\0';
    }
    if (strcmp(buf, "-0") == 0) {
        buf[0] = '0';
        buf[1] = '\0';
    }
    return buf;
}
