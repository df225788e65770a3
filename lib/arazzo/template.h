/* SPDX-License-Identifier: MIT */
/*
 * Strings of a document that may hold runtime expressions.
 *
 * A string is a literal, one whole expression (the type of its value is kept) or text with "{$...}"
 * in it (the result is a string; scalars as their text, arrays and objects as JSON).
 */
#ifndef IB_ARAZZO_TEMPLATE_H
#define IB_ARAZZO_TEMPLATE_H

#include "lib/arazzo/expr.h"

#define IB_TEMPLATE_TEXT_MAX (1024 * 1024) /* bytes of one string, before and after */

enum ib_template_kind {
    IB_TEMPLATE_LITERAL,
    IB_TEMPLATE_EXPR,
    IB_TEMPLATE_MIXED,
};
struct ib_template;

/* Errors IB_ELIMIT, IB_ENOMEM. What is no expression is literal text: see ib_template_doubt(). */
IB_NODISCARD enum ib_rc ib_template_parse(struct ib_str text, struct ib_template **ret,
                                          struct ib_error *err);
/* The same for texts that are no expression themselves: "{$...}" alone is looked for. */
IB_NODISCARD enum ib_rc ib_template_parse_embedded(struct ib_str text, struct ib_template **ret,
                                                   struct ib_error *err);
void ib_template_free(struct ib_template *t);
/* For IB_CLEANUP(ib_template_cleanup). */
void ib_template_cleanup(struct ib_template **t);
enum ib_template_kind ib_template_kind(const struct ib_template *t);
/* The expressions in it: 0 for a literal, 1 for a whole expression. */
size_t ib_template_expr_count(const struct ib_template *t);
const struct ib_expr *ib_template_expr(const struct ib_template *t, size_t i);
/* Is it one embedded expression and nothing else: "{$...}"? */
bool ib_template_is_bare(const struct ib_template *t);
/* Why a part that looks like an expression was taken as a literal, with its column in the string;
 * NULL if none. */
const char *ib_template_doubt(const struct ib_template *t, size_t *ret_column);
/*
 * The value. *ret gets a reference of its own, or NULL when an expression in it is not there; then
 * *ret_missing (may be NULL) is the first such one.
 * Errors IB_EEVAL, IB_ELIMIT, IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_template_eval(const struct ib_template *t, const struct ib_scope *scope,
                                         struct ib_value **ret, const struct ib_expr **ret_missing,
                                         struct ib_error *err);

/*
 * Fill the text in with put() writing each value behind what out holds already. A NULL scope calls
 * put() with v == NULL for every expression. Otherwise a missing value ends it: *ret_missing is the
 * expression (NULL when all were there).
 * Errors those of put(), IB_EEVAL, IB_ENOMEM; check out with ib_buf_ok().
 */
typedef enum ib_rc (*ib_template_put_fn)(void *ctx, const struct ib_expr *e,
                                         const struct ib_value *v, struct ib_buf *out,
                                         struct ib_error *err);
struct ib_template_filler {
    ib_template_put_fn put;
    void *ctx;
};
IB_NODISCARD enum ib_rc ib_template_fill(const struct ib_template *t, const struct ib_scope *scope,
                                         const struct ib_template_filler *filler,
                                         struct ib_buf *out, const struct ib_expr **ret_missing,
                                         struct ib_error *err);

#endif
