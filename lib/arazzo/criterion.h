/* SPDX-License-Identifier: MIT */
/*
 * Criteria: one condition of successCriteria or of an action's criteria.
 *
 * simple    the grammar of simple.h
 * regex     PCRE2, a search unless anchored, on the text of the context
 * jsonpath  jsonpath.h: a bare logical expression or a query, about the context
 * xpath     refused
 *
 * "{$...}" inside a regex or jsonpath condition is replaced first (Arazzo 1.1). In a pattern the
 * value stands for itself, its special characters escaped, unless it is the whole condition; in a
 * JSONPath it is escaped inside of quotes and written as JSON outside of them.
 *
 * A context that is not there, or null for jsonpath, or plain text where a jsonpath looks inside,
 * is an error and not a condition that fails. The 1.1 reading (every error fails) is the literal
 * mode.
 */
#ifndef IB_ARAZZO_CRITERION_H
#define IB_ARAZZO_CRITERION_H

#include "lib/arazzo/expr.h"
#include "lib/arazzo/verdict.h"

#define IB_CRITERION_TEXT_MAX 8192 /* bytes of a condition */

/* Told what is accepted but not the standard's; column counts from 1 in the condition. */
typedef void (*ib_warn_fn)(void *ctx, size_t column, const char *text);

/* The members of a Criterion Object; p == NULL: absent. */
struct ib_criterion_source {
    struct ib_str condition;
    struct ib_str context;
    struct ib_str type;    /* absent = simple; the "type" inside when it is an object */
    struct ib_str version; /* of a type that is an object */
    ib_warn_fn warn;       /* may be NULL */
    void *warn_ctx;
};

/* Where a criterion is wrong. */
struct ib_criterion_place {
    const char *member; /* "condition", "context", "type" or "version" */
    size_t column;      /* byte in that member's text, counted from 1; 0 = the member as such */
};

struct ib_criterion;

/*
 * Check and prepare a criterion; nothing of source is kept.
 *
 * ret_place  may be NULL; written on IB_EPARSE and IB_ELIMIT.
 * Errors IB_EPARSE (the sentence names member and column), IB_ELIMIT, IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_criterion_compile(const struct ib_criterion_source *source,
                                             struct ib_criterion **ret,
                                             struct ib_criterion_place *ret_place,
                                             struct ib_error *err);
void ib_criterion_free(struct ib_criterion *c);
/* For IB_CLEANUP(ib_criterion_cleanup). */
void ib_criterion_cleanup(struct ib_criterion **c);

/* Every runtime expression in it (context, operands, embedded ones), for checks before a run. */
size_t ib_criterion_expr_count(const struct ib_criterion *c);
const struct ib_expr *ib_criterion_expr(const struct ib_criterion *c, size_t i);

/*
 * Does it hold? On IB_VERDICT_ERROR err says why. literal: an error is IB_VERDICT_FAIL instead and
 * note->text says why. note may be NULL.
 */
IB_NODISCARD enum ib_verdict ib_criterion_test(const struct ib_criterion *c,
                                               const struct ib_scope *scope, bool literal,
                                               struct ib_verdict_note *note, struct ib_error *err);

#endif
