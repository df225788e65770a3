/* SPDX-License-Identifier: MIT */
/* lib/sys/deadline.c: what is left, and waiting that is not begun when it cannot end. */
#include "ib_test.h"

#include <limits.h>

#include "lib/base/time.h"
#include "lib/sys/deadline.h"

static void a_deadline_counts_down(void **state)
{
    (void)state;
    struct ib_deadline d = ib_deadline_in(60000);
    int64_t left = ib_deadline_left_ms(&d);

    assert_true(left > 50000 && left <= 60000);
    assert_false(ib_deadline_passed(&d));
    assert_int_equal(ib_deadline_left_int(&d, 100), 100);
    assert_true(ib_deadline_left_int(&d, INT_MAX) <= 60000);
}

static void none_or_less_has_passed(void **state)
{
    (void)state;
    struct ib_deadline zero = ib_deadline_in(0), past = ib_deadline_in(-5), far = ib_deadline_in(INT64_MIN);

    assert_true(ib_deadline_passed(&zero) && ib_deadline_passed(&past) && ib_deadline_passed(&far));
    assert_int_equal(ib_deadline_left_ms(&far), 0);
    assert_int_equal(ib_deadline_left_int(&past, 10), 0);
}

static void the_longest_time_does_not_wrap(void **state)
{
    (void)state;
    struct ib_deadline d = ib_deadline_in(INT64_MAX);

    assert_int_equal(d.end_mono_ms, INT64_MAX);
    assert_false(ib_deadline_passed(&d));
}

static void the_earlier_of_two(void **state)
{
    (void)state;
    struct ib_deadline a = ib_deadline_in(10), b = ib_deadline_in(20000);

    assert_int_equal(ib_deadline_min(a, b).end_mono_ms, a.end_mono_ms);
    assert_int_equal(ib_deadline_min(b, a).end_mono_ms, a.end_mono_ms);
}

static void a_wait_that_cannot_end_in_time_is_not_begun(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_deadline d = ib_deadline_in(30000);
    int64_t begin = ib_time_mono_ms();

    assert_rc(ib_deadline_sleep(&d, 30000, &err), IB_ETIMEOUT, &err);
    assert_contains(err.text, "no time left to wait 30000 ms");
    assert_rc(ib_deadline_sleep(&d, INT64_MAX, &err), IB_ETIMEOUT, &err);
    assert_true(ib_time_mono_ms() - begin < 20000);
}

static void a_wait_takes_its_time(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_deadline d = ib_deadline_in(30000);
    int64_t begin = ib_time_mono_ms();

    assert_ok(ib_deadline_sleep(&d, 20, &err), &err);
    assert_true(ib_time_mono_ms() - begin >= 20);
    assert_ok(ib_deadline_sleep(&d, 0, &err), &err);
    assert_ok(ib_deadline_sleep(&d, -3, &err), &err);
}

int main(void)
{
    IB_TEST_CASE(a_deadline_counts_down);
    IB_TEST_CASE(none_or_less_has_passed);
    IB_TEST_CASE(the_longest_time_does_not_wrap);
    IB_TEST_CASE(the_earlier_of_two);
    IB_TEST_CASE(a_wait_that_cannot_end_in_time_is_not_begun);
    IB_TEST_CASE(a_wait_takes_its_time);
    return IB_TEST_RUN();
}
