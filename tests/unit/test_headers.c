/* SPDX-License-Identifier: MIT */
/* lib/aws/headers.c: fields in order, injection refused, caps. */
#include "ib_test.h"

#include "lib/aws/headers.h"

struct bad_row {
    const char *name, *field, *value;
    size_t value_n;
};
static const struct bad_row bad_rows[] = {
    {"header_value_with_newline", "X-A", "a\nX-B: c", 8},
    {"header_value_with_return", "X-A", "a\rb", 3},
    {"header_value_with_nul", "X-A", "a\0b", 3},
    {"header_name_with_blank", "X A", "a", 1},
    {"header_name_with_colon", "X:", "a", 1},
    {"header_name_empty", "", "a", 1},
    {"header_name_not_ascii", "X\xC3\xA4", "a", 1},
};

static void bad_row(void **state)
{
    const struct bad_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_headers_fini) struct ib_headers h = IB_HEADERS_INIT;

    assert_rc(ib_headers_add(&h, r->field, (struct ib_str){r->value, r->value_n}, &err), IB_EPARSE,
              &err);
    assert_int_equal(h.count, 0);
}

static void fields_are_found_whatever_their_case_and_first_wins(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_headers_fini) struct ib_headers h = IB_HEADERS_INIT;

    assert_ok(ib_headers_add(&h, "X-Amzn-RequestId", IB_STR("  one "), &err), &err);
    assert_ok(ib_headers_add(&h, "x-amzn-requestid", IB_STR("two"), &err), &err);
    assert_string_equal(ib_headers_get(&h, "X-AMZN-REQUESTID"), "one");
    assert_ok(ib_headers_set(&h, "X-Amzn-Requestid", IB_STR("three"), &err), &err);
    assert_int_equal(h.count, 1);
    assert_string_equal(ib_headers_get(&h, "x-amzn-requestid"), "three");
    ib_headers_remove(&h, "x-amzn-requestid");
    assert_null(ib_headers_get(&h, "x-amzn-requestid"));
    assert_int_equal(h.bytes, 0);
}

static void number_and_size_of_fields_are_capped(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_headers_fini) struct ib_headers many = IB_HEADERS_INIT;
    IB_CLEANUP(ib_headers_fini) struct ib_headers large = IB_HEADERS_INIT;
    static char block[IB_HEADERS_BYTES_MAX];

    for (size_t i = 0; i < IB_HEADERS_COUNT_MAX; i++) {
        assert_ok(ib_headers_add(&many, "a", IB_STR("b"), &err), &err);
    }
    assert_rc(ib_headers_add(&many, "a", IB_STR("b"), &err), IB_ELIMIT, &err);
    memset(block, 'x', sizeof block);
    assert_rc(ib_headers_add(&large, "a", (struct ib_str){block, sizeof block}, &err), IB_ELIMIT,
              &err);
}

static void secret_fields_are_known(void **state)
{
    (void)state;

    assert_true(ib_header_is_secret(IB_STR("Authorization")));
    assert_true(ib_header_is_secret(IB_STR("X-Amz-Security-Token")));
    assert_true(ib_header_is_secret(IB_STR("x-amz-sso_bearer_token")));
    assert_true(ib_header_is_secret(IB_STR("X-aws-ec2-metadata-token")));
    assert_false(ib_header_is_secret(IB_STR("X-Amz-Date")));
    assert_false(ib_header_is_secret(IB_STR("X-aws-ec2-metadata-token-ttl-seconds")));
}

int main(void)
{
    IB_TEST_ROWS(bad_rows, bad_row);
    IB_TEST_CASE(fields_are_found_whatever_their_case_and_first_wins);
    IB_TEST_CASE(number_and_size_of_fields_are_capped);
    IB_TEST_CASE(secret_fields_are_known);
    return IB_TEST_RUN();
}
