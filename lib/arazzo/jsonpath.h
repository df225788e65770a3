/* SPDX-License-Identifier: MIT */
/*
 * JSONPath, complete RFC 9535, by one evaluator for queries and for bare conditions.
 *
 * Well-typedness of functions and the I-Regexp literals of match() and search() are checked when
 * a text is compiled. Work, memory and depth are bounded: a text or a value that asks for more
 * ends in IB_ELIMIT, within milliseconds.
 *
 * One departure from RFC 9535: a pattern for match() or search() that is no I-Regexp (RFC 9485) is
 * an error here, where the RFC has it never match. A condition with "\d" in it would otherwise be
 * false without a word.
 */
#ifndef IB_ARAZZO_JSONPATH_H
#define IB_ARAZZO_JSONPATH_H

#include "lib/arazzo/verdict.h"
#include "lib/data/value.h"

#define IB_JSONPATH_TEXT_MAX  8192   /* bytes of one query or condition */
#define IB_JSONPATH_DEPTH_MAX 32     /* parentheses, filters and function calls inside each other */
#define IB_JSONPATH_NODES_MAX 100000 /* nodes in one nodelist */
#define IB_JSONPATH_STEPS_MAX \
    1000000 /* values looked at in one evaluation; some ten milliseconds */

struct ib_jsonpath;

/*
 * Compile a query: "$", then segments, no blanks around it (RFC 9535 section 2.1).
 *
 * ret_column  when not NULL: on IB_EPARSE the byte, counted from 1, where the text went wrong.
 * Errors IB_EPARSE ("column N: ..."), IB_ELIMIT (too long, too deep), IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_jsonpath_compile(struct ib_str text, struct ib_jsonpath **ret,
                                            size_t *ret_column, struct ib_error *err);
/*
 * Compile a condition: the "logical-expr" that may stand inside "[?...]", about one value which is
 * both $ and @. A plain query is an existence test. Blanks around it are skipped.
 */
IB_NODISCARD enum ib_rc ib_jsonpath_compile_condition(struct ib_str text, struct ib_jsonpath **ret,
                                                      size_t *ret_column, struct ib_error *err);
void ib_jsonpath_free(struct ib_jsonpath *q);
/* For IB_CLEANUP(ib_jsonpath_cleanup). */
void ib_jsonpath_cleanup(struct ib_jsonpath **q);

/* Does it look for anything below the value itself ("$.a", not just "$")? */
bool ib_jsonpath_descends(const struct ib_jsonpath *q);

/* Values that a query selected, in order, borrowed from the root. Zeroed to start from. */
struct ib_nodelist {
    const struct ib_value **items;
    size_t count, cap;
};
void ib_nodelist_fini(struct ib_nodelist *list);

/*
 * Run a query (of ib_jsonpath_compile()) on a value. *ret is replaced on IB_OK; the caller ends it.
 * Errors IB_ELIMIT, IB_EEVAL (a pattern taken from the value is no I-Regexp), IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_jsonpath_select(const struct ib_jsonpath *q, const struct ib_value *root,
                                           struct ib_nodelist *ret, struct ib_error *err);
/*
 * Does the condition hold for a value? A query passes when it selects anything. note may be NULL;
 * operands outside of filters that select nothing are told there.
 */
IB_NODISCARD enum ib_verdict ib_jsonpath_test(const struct ib_jsonpath *q,
                                              const struct ib_value *root,
                                              struct ib_verdict_note *note, struct ib_error *err);

#endif
