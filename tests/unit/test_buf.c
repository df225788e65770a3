/* SPDX-License-Identifier: MIT */
/* lib/base/buf.c: growth, maximum, sticky failure. */
#include "ib_test.h"

#include "lib/base/buf.h"

static void appended_text_is_nul_terminated(void **state)
{
    (void)state;
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT(1000);
    ib_buf_add_c(&b, "age=");
    ib_buf_addf(&b, "%d", 42);
    ib_buf_add_char(&b, ';');
    assert_string_equal(ib_buf_c(&b), "age=42;");
    assert_int_equal(b.len, 7);
}

static void maximum_is_the_last_byte_that_fits(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT(4);
    ib_buf_add_c(&b, "abcd");
    assert_ok(ib_buf_ok(&b, "text", &err), &err);
    ib_buf_add_char(&b, 'e');
    assert_rc(ib_buf_ok(&b, "text", &err), IB_ELIMIT, &err);
    assert_string_equal(err.text, "text is larger than 4 bytes");
}

static void failure_sticks_until_reset(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT(3);
    ib_buf_add_c(&b, "abcdef");
    ib_buf_add_c(&b, "x");
    assert_string_equal(ib_buf_c(&b), "");
    assert_null(ib_buf_take(&b));
    ib_buf_reset(&b);
    ib_buf_add_c(&b, "x");
    assert_ok(ib_buf_ok(&b, "text", &err), &err);
    assert_string_equal(ib_buf_c(&b), "x");
}

static void secret_growth_keeps_the_content(void **state)
{
    (void)state;
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT_SECRET(100000);
    for (int i = 0; i < 10000; i++) {
        ib_buf_addf(&b, "%d,", i % 10);
    }
    assert_int_equal(b.len, 20000);
    assert_memory_equal(b.data + 19996, "8,9,", 5);
}

static void taken_memory_belongs_to_the_caller(void **state)
{
    (void)state;
    struct ib_buf b = IB_BUF_INIT(10);
    char *empty = ib_buf_take(&b);
    assert_string_equal(empty, "");
    free(empty);
    ib_buf_add_c(&b, "abc");
    char *text = ib_buf_take(&b);
    assert_string_equal(text, "abc");
    free(text);
    assert_null(b.data);
}

int main(void)
{
    IB_TEST_CASE(appended_text_is_nul_terminated);
    IB_TEST_CASE(maximum_is_the_last_byte_that_fits);
    IB_TEST_CASE(failure_sticks_until_reset);
    IB_TEST_CASE(secret_growth_keeps_the_content);
    IB_TEST_CASE(taken_memory_belongs_to_the_caller);
    return IB_TEST_RUN();
}
