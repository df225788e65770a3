/* SPDX-License-Identifier: MIT */
/* lib/sys/random.c: the form of tokens, and that they differ. */
#include "ib_test.h"

#include "lib/sys/random.h"

static void a_uuid_has_the_form_of_version_4(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;

    for (int round = 0; round < 100; round++) {
        char uuid[IB_UUID_SIZE];
        assert_ok(ib_uuid4(uuid, &err), &err);
        assert_int_equal(strlen(uuid), 36);
        for (size_t i = 0; i < 36; i++) {
            bool dash = i == 8 || i == 13 || i == 18 || i == 23;
            bool hex = strchr("0123456789abcdef", uuid[i]) != NULL;
            assert_true(dash ? uuid[i] == '-' : hex);
        }
        assert_int_equal(uuid[14], '4');
        assert_non_null(strchr("89ab", uuid[19]));
    }
}

static void two_uuids_differ(void **state)
{
    (void)state;
    char a[IB_UUID_SIZE], b[IB_UUID_SIZE];

    assert_int_equal(ib_uuid4(a, NULL), IB_OK);
    assert_int_equal(ib_uuid4(b, NULL), IB_OK);
    assert_string_not_equal(a, b);
}

static void units_spread_from_0_to_1(void **state)
{
    (void)state;
    double low = 1, high = 0;

    for (int i = 0; i < 2000; i++) {
        double u = ib_random_unit();
        assert_true(u >= 0 && u < 1);
        low = u < low ? u : low;
        high = u > high ? u : high;
    }
    assert_true(low < 0.1 && high > 0.9);
}

static void large_blocks_are_filled(void **state)
{
    (void)state;
    static unsigned char block[100000];
    size_t zeros = 0;

    assert_int_equal(ib_random_bytes(block, sizeof block, NULL), IB_OK);
    for (size_t i = sizeof block - 1000; i < sizeof block; i++) {
        zeros += block[i] == 0;
    }
    assert_true(zeros < 100);
    assert_int_equal(ib_random_bytes(block, 0, NULL), IB_OK);
}

int main(void)
{
    IB_TEST_CASE(a_uuid_has_the_form_of_version_4);
    IB_TEST_CASE(two_uuids_differ);
    IB_TEST_CASE(units_spread_from_0_to_1);
    IB_TEST_CASE(large_blocks_are_filled);
    return IB_TEST_RUN();
}
