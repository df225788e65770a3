/* SPDX-License-Identifier: MIT */
/*
 * Conditions of type simple: "$statusCode == 200 && $response.body#/a != 'x'".
 *
 * Grammar (the standard has none; the layers are those of RFC 9535 filters):
 *     or      = and *( "||" and )
 *     and     = basic *( "&&" basic )
 *     basic   = operand [ ("==" / "!=" / "<" / "<=" / ">" / ">=") operand ]
 *             / ["!"] ( "(" or ")" / operand )
 *     operand = expression / true / false / null / number / 'text with '' for one quote'
 * An expression ends at a blank or one of ! & | ( ) < = > { }. Accepted with a warning: "text" in
 * double quotes, an operand in braces "{$...}".
 *
 * Comparison: text without the case of ASCII letters; number with numeric text by value; a boolean
 * with 'true' or 'false'; what is not there is null; null equals null alone and orders with
 * nothing; arrays and objects compare deeply; other pairs of types are unequal and have no order.
 * An operand alone holds unless it is null, false or not there.
 */
#ifndef IB_ARAZZO_SIMPLE_H
#define IB_ARAZZO_SIMPLE_H

#include "lib/arazzo/criterion.h"

#define IB_SIMPLE_DEPTH_MAX 32 /* parentheses and '!' inside each other */

struct ib_simple;

/*
 * Compile a condition. warn may be NULL.
 * Errors IB_EPARSE ("column N: ..."; *ret_column too when not NULL), IB_ELIMIT, IB_ENOMEM.
 */
struct ib_simple_options {
    ib_warn_fn warn;
    void *warn_ctx;
};
IB_NODISCARD enum ib_rc ib_simple_compile(struct ib_str text,
                                          const struct ib_simple_options *options,
                                          struct ib_simple **ret, size_t *ret_column,
                                          struct ib_error *err);
void ib_simple_free(struct ib_simple *s);
/* For IB_CLEANUP(ib_simple_cleanup). */
void ib_simple_cleanup(struct ib_simple **s);

/* The runtime expressions in it. */
size_t ib_simple_expr_count(const struct ib_simple *s);
const struct ib_expr *ib_simple_expr(const struct ib_simple *s, size_t i);

/* Does it hold? note may be NULL. On IB_VERDICT_ERROR err says why. */
IB_NODISCARD enum ib_verdict ib_simple_test(const struct ib_simple *s, const struct ib_scope *scope,
                                            struct ib_verdict_note *note, struct ib_error *err);

#endif
