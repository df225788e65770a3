/* SPDX-License-Identifier: MIT */
/*
 * Numbers as text, both ways, whatever the locale.
 *
 * Parsers take the whole view or fail: no leading blanks, no trailing bytes, base 10, no inf/nan,
 * overflow is an error and never clamped. Errors are IB_EPARSE (form) and IB_ELIMIT (range), with
 * the text and the rule in the sentence; `what` names the thing for it ("--max-cancel").
 */
#ifndef IB_BASE_NUM_H
#define IB_BASE_NUM_H

#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

/* [+-]?digits, leading zeros allowed and without meaning ("010" is 10). */
IB_NODISCARD enum ib_rc ib_num_i64(struct ib_str text, int64_t min, int64_t max, const char *what,
                                   int64_t *ret, struct ib_error *err);
/* [+-]?digits[.digits] or .digits; no exponent unless allowed by the _json form. */
IB_NODISCARD enum ib_rc ib_num_double(struct ib_str text, double min, double max, const char *what,
                                      double *ret, struct ib_error *err);
/*
 * A JSON number (RFC 8259 grammar: no leading zeros or '+', exponent allowed). *ret_is_int tells
 * that it was written without fraction and exponent and fits an int64 (then *ret_i is set);
 * *ret_d is set always. Too large for a double: IB_ELIMIT.
 */
IB_NODISCARD enum ib_rc ib_num_json(struct ib_str text, bool *ret_is_int, int64_t *ret_i,
                                    double *ret_d, struct ib_error *err);

#define IB_NUM_TEXT_MAX 352 /* bytes; -DBL_MAX written out has 310 characters */

/* Shortest text that reads back as the same double; an exponent where %g would use one. Finite only. */
const char *ib_num_fmt_double(double value, char *buf, size_t cap);
/* No exponent, at most `decimals` (0..9) digits after the point, trailing zeros removed. Finite only. */
const char *ib_num_fmt_fixed(double value, int decimals, char *buf, size_t cap);

#endif
