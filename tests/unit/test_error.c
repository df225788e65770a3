/* SPDX-License-Identifier: MIT */
/* lib/base/error.c: one sentence, prefixed, bounded, clean. */
#include "ib_test.h"

#include <errno.h>

static void context_goes_in_front(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;

    assert_int_equal(ib_fail(&err, IB_EPARSE, "%s is missing", "image"), IB_EPARSE);
    assert_int_equal(ib_error_context(&err, "GetImage"), IB_EPARSE);
    assert_string_equal(err.text, "GetImage: image is missing");
}

static void errno_text_goes_behind(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;

    assert_int_equal(ib_fail_errno(&err, EACCES, "cannot read %s", "/x"), IB_ESYS);
    assert_string_equal(err.text, "cannot read /x: Permission denied");
    assert_int_equal(err.sys, EACCES);
}

static void foreign_bytes_stay_on_one_line(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;

    (void)ib_fail(&err, IB_EAWS, "reason: %s", "a\nb\033[2J");
    assert_string_equal(err.text, "reason: a b [2J");
}

static void long_text_and_context_are_cut(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    char text[2000];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)ib_fail(&err, IB_EAWS, "%s", text);
    assert_int_equal(strlen(err.text), IB_ERROR_TEXT_MAX - 1);
    for (int i = 0; i < 5; i++) {
        (void)ib_error_context(&err, "step %d", i);
    }
    assert_int_equal(strlen(err.text), IB_ERROR_TEXT_MAX - 1);
    assert_contains(err.text, "step 4: step 3: ");
    assert_string_equal(err.text + strlen(err.text) - 3, "...");
}

static void own_text_may_be_an_argument(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;

    (void)ib_fail(&err, IB_ENET, "no answer");
    (void)ib_fail(&err, IB_ECRED, "gave up: %s", err.text);
    assert_string_equal(err.text, "gave up: no answer");
}

static void every_code_has_its_own_name(void **state)
{
    (void)state;
    for (int a = 0; a < IB_RC_COUNT; a++) {
        for (int b = 0; b < a; b++) {
            assert_string_not_equal(ib_rc_name((enum ib_rc)a), ib_rc_name((enum ib_rc)b));
        }
    }
    assert_int_equal(ib_fail(NULL, IB_ENET, "nobody listens"), IB_ENET);
}

int main(void)
{
    IB_TEST_CASE(context_goes_in_front);
    IB_TEST_CASE(errno_text_goes_behind);
    IB_TEST_CASE(foreign_bytes_stay_on_one_line);
    IB_TEST_CASE(long_text_and_context_are_cut);
    IB_TEST_CASE(own_text_may_be_an_argument);
    IB_TEST_CASE(every_code_has_its_own_name);
    return IB_TEST_RUN();
}
