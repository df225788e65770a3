/* SPDX-License-Identifier: MIT */
/* lib/base/num.c: full match, ranges, printing. */
#include "ib_test.h"

#include "lib/base/num.h"

struct int_row {
    const char *name, *text;
    enum ib_rc rc;
    int64_t want;
};
static const struct int_row int_rows[] = {
    { "int_plain", "42", IB_OK, 42 },
    { "int_leading_zero_is_decimal", "010", IB_OK, 10 },
    { "int_sign", "-7", IB_OK, -7 },
    { "int_smallest", "-9223372036854775808", IB_OK, INT64_MIN },
    { "int_largest", "9223372036854775807", IB_OK, INT64_MAX },
    { "int_one_too_large", "9223372036854775808", IB_ELIMIT, 0 },
    { "int_far_too_large", "99999999999999999999999", IB_ELIMIT, 0 },
    { "int_trailing_letters", "10abc", IB_EPARSE, 0 },
    { "int_leading_blank", " 5", IB_EPARSE, 0 },
    { "int_hex", "0x10", IB_EPARSE, 0 },
    { "int_empty", "", IB_EPARSE, 0 },
    { "int_sign_alone", "-", IB_EPARSE, 0 },
    { "int_fraction", "1.5", IB_EPARSE, 0 },
};

static void int_row(void **state)
{
    const struct int_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    int64_t got = 0;

    assert_rc(ib_num_i64(ib_str_from(r->text), INT64_MIN, INT64_MAX, "n", &got, &err), r->rc, &err);
    if (r->rc == IB_OK) {
        assert_true(got == r->want);
    } else {
        assert_contains(err.text, "n: ");
    }
}

struct double_row {
    const char *name, *text;
    enum ib_rc rc;
    double want;
};
static const struct double_row double_rows[] = {
    { "real_plain", "1.5", IB_OK, 1.5 },
    { "real_no_leading_digit", ".5", IB_OK, 0.5 },
    { "real_negative", "-0.25", IB_OK, -0.25 },
    { "real_nan", "nan", IB_EPARSE, 0 },
    { "real_inf", "inf", IB_EPARSE, 0 },
    { "real_exponent", "1e3", IB_EPARSE, 0 },
    { "real_comma", "1,5", IB_EPARSE, 0 },
    { "real_trailing", "10abc", IB_EPARSE, 0 },
    { "real_dot_alone", ".", IB_EPARSE, 0 },
    { "real_out_of_range", "1000001", IB_ELIMIT, 0 },
};

static void double_row(void **state)
{
    const struct double_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    double got = 0;

    assert_rc(ib_num_double(ib_str_from(r->text), -1e6, 1e6, "n", &got, &err), r->rc, &err);
    if (r->rc == IB_OK) {
        assert_true(got >= r->want && got <= r->want);
    }
}

struct json_row {
    const char *name, *text;
    bool ok, is_int;
};
static const struct json_row json_rows[] = {
    { "json_zero", "0", true, true },
    { "json_negative", "-12", true, true },
    { "json_leading_zero", "01", false, false },
    { "json_plus", "+1", false, false },
    { "json_no_leading_digit", ".5", false, false },
    { "json_no_digit_after_point", "1.", false, false },
    { "json_exponent", "1.788E9", true, false },
    { "json_exponent_without_digits", "1e", false, false },
    { "json_larger_than_int64", "18446744073709551616", true, false },
    { "json_larger_than_double", "1e400", false, false },
};

static void json_row(void **state)
{
    const struct json_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    bool is_int = false;
    int64_t i;
    double d;
    enum ib_rc rc = ib_num_json(ib_str_from(r->text), &is_int, &i, &d, &err);

    assert_int_equal(rc == IB_OK, r->ok);
    assert_int_equal(is_int, r->is_int);
}

struct print_row {
    const char *name;
    double value;
    int decimals;
    const char *fixed, *shortest;
};
static const struct print_row print_rows[] = {
    { "print_integer", 7980, 3, "7980", "7980" },
    { "print_trailing_zeros_go", 1.5, 6, "1.5", "1.5" },
    { "print_rounds", 0.12345, 3, "0.123", "0.12345" },
    { "print_negative_zero", -0.0001, 2, "0", "-0.0001" },
    { "print_no_exponent", 1e15, 2, "1000000000000000", "1e+15" },
    { "print_reads_back", 0.1, 9, "0.1", "0.1" },
};

static void print_row(void **state)
{
    const struct print_row *r = *state;
    char buf[IB_NUM_TEXT_MAX];

    assert_string_equal(ib_num_fmt_fixed(r->value, r->decimals, buf, sizeof buf), r->fixed);
    assert_string_equal(ib_num_fmt_double(r->value, buf, sizeof buf), r->shortest);
}

int main(void)
{
    IB_TEST_ROWS(int_rows, int_row);
    IB_TEST_ROWS(double_rows, double_row);
    IB_TEST_ROWS(json_rows, json_row);
    IB_TEST_ROWS(print_rows, print_row);
    return IB_TEST_RUN();
}
