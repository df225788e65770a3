/* SPDX-License-Identifier: MIT */
/* Comparing values with a bound on the work, for both languages of conditions. */
#ifndef IB_ARAZZO_COMPARE_H
#define IB_ARAZZO_COMPARE_H

#include "lib/data/value.h"

#define IB_COMPARE_BYTES_PER_STEP ((size_t)64) /* of text, in the time of one value */

/* A number as such: integers compare exactly, a double has 53 bits. */
struct ib_number {
    bool is_int;
    int64_t i; /* when is_int */
    double d;
};

struct ib_number ib_number_int(int64_t i);
/* v is a number (checked by IB_ASSERT). */
struct ib_number ib_number_of(const struct ib_value *v);
/* <0, 0, >0. */
int ib_number_compare(const struct ib_number *a, const struct ib_number *b);

/* Draw from a budget of steps: IB_ELIMIT when it is used up, *left is 0 then. */
IB_NODISCARD enum ib_rc ib_compare_spend(size_t *left, size_t steps, struct ib_error *err);

/*
 * Deep equality as ib_value_equal() has it; steps is drawn from. a and b are not NULL.
 * Errors IB_ELIMIT.
 */
IB_NODISCARD enum ib_rc ib_compare_equal(const struct ib_value *a, const struct ib_value *b,
                                         size_t *steps, bool *ret, struct ib_error *err);

#endif
