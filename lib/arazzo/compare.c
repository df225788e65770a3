/* SPDX-License-Identifier: MIT */
/* Comparing values with a bound on the work. */
#include "lib/arazzo/compare.h"

struct ib_number ib_number_int(int64_t i)
{
    return (struct ib_number){.is_int = true, .i = i, .d = (double)i};
}

struct ib_number ib_number_of(const struct ib_value *v)
{
    return ib_value_is(v, IB_VALUE_INT) ? ib_number_int(ib_value_as_int(v))
                                        : (struct ib_number){.d = ib_value_as_real(v)};
}

int ib_number_compare(const struct ib_number *a, const struct ib_number *b)
{
    return a->is_int && b->is_int ? (a->i > b->i) - (a->i < b->i) : (a->d > b->d) - (a->d < b->d);
}

enum ib_rc ib_compare_spend(size_t *left, size_t steps, struct ib_error *err)
{
    if (steps > *left) {
        *left = 0;
        return ib_fail(err, IB_ELIMIT, "the condition takes too many steps on this value");
    }
    *left -= steps;
    return IB_OK;
}

/* Empty containers are scalars too. */
static bool equal_scalars(const struct ib_value *a, const struct ib_value *b)
{
    if (!ib_value_is_number(a) || !ib_value_is_number(b)) {
        return ib_value_equal(a, b);
    }
    struct ib_number x = ib_number_of(a), y = ib_number_of(b);
    return ib_number_compare(&x, &y) == 0;
}

/* Two containers of one type and size. */
static enum ib_rc equal_members(const struct ib_value *a, const struct ib_value *b, size_t *steps,
                                bool *ret, struct ib_error *err)
{
    bool is_array = ib_value_is(a, IB_VALUE_ARRAY);
    enum ib_rc rc = IB_OK;

    *ret = true;
    for (size_t i = 0; rc == IB_OK && *ret && i < ib_value_count(a); i++) {
        const struct ib_value *other = NULL;
        if (is_array) {
            other = ib_value_at(b, i);
        } else {
            struct ib_str key = ib_value_key_at(a, i);
            rc = ib_compare_spend(steps, key.n / IB_COMPARE_BYTES_PER_STEP, err);
            other = ib_value_get(b, key);
        }
        *ret = other != NULL;
        if (rc == IB_OK && other != NULL) {
            rc = ib_compare_equal(ib_value_at(a, i), other, steps, ret, err);
        }
    }
    return rc;
}

/* Recursion is bounded by the depth caps of the parsers that make values. */
enum ib_rc ib_compare_equal(const struct ib_value *a, const struct ib_value *b, size_t *steps,
                            bool *ret, struct ib_error *err)
{
    size_t bytes = ib_value_is(a, IB_VALUE_STRING) ? ib_value_as_str(a).n : 0;
    enum ib_rc rc = ib_compare_spend(steps, 1 + bytes / IB_COMPARE_BYTES_PER_STEP, err);

    if (rc != IB_OK) {
        return rc;
    }
    if (ib_value_count(a) == 0 && ib_value_count(b) == 0) {
        *ret = equal_scalars(a, b);
    } else if (ib_value_count(a) != ib_value_count(b) || ib_value_type(a) != ib_value_type(b)) {
        *ret = false;
    } else {
        rc = equal_members(a, b, steps, ret, err);
    }
    return rc;
}
