/* SPDX-License-Identifier: MIT */
/*
 * Regular expressions with bounded work: the one place that knows PCRE2.
 *
 * Two dialects: PCRE2 with the settings nearest to ECMA-262 (criteria of type regex, "pattern" of
 * JSON Schema), and I-Regexp (RFC 9485; match() and search() of JSONPath).
 */
#ifndef IB_ARAZZO_REGEX_H
#define IB_ARAZZO_REGEX_H

#include "lib/base/buf.h"

#define IB_REGEX_PATTERN_MAX 4096          /* bytes */
#define IB_REGEX_SUBJECT_MAX (1024 * 1024) /* bytes; the largest body that is read */
#define IB_REGEX_STEPS_MAX \
    2000000 /* items of the pattern tried in one match; some ten milliseconds */

enum ib_regex_dialect {
    IB_REGEX_ECMA,          /* \d \w \s are ASCII, '.' no line end, '$' the very end */
    IB_REGEX_IREGEXP,       /* RFC 9485, as a search */
    IB_REGEX_IREGEXP_WHOLE, /* RFC 9485, the whole text must match */
};

struct ib_regex;

/*
 * Compile a pattern (UTF-8). ret_column (may be NULL): on IB_EPARSE the byte, counted from 1,
 * where the pattern went wrong.
 * Errors IB_EPARSE ("column N: ..."), IB_ELIMIT (too long), IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_regex_compile(struct ib_str pattern, enum ib_regex_dialect dialect,
                                         struct ib_regex **ret, size_t *ret_column,
                                         struct ib_error *err);
void ib_regex_free(struct ib_regex *r);
/* For IB_CLEANUP(ib_regex_cleanup). */
void ib_regex_cleanup(struct ib_regex **r);

/*
 * Does the pattern match somewhere in subject (valid UTF-8)?
 *
 * steps  may be NULL: then IB_REGEX_STEPS_MAX for this match; else a budget that is drawn from, for
 * a row of matches together. Errors IB_ELIMIT (budget used up, subject too long, memory of the
 * matcher), IB_EPARSE (not UTF-8), IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_regex_search(const struct ib_regex *r, struct ib_str subject,
                                        size_t *steps, bool *ret, struct ib_error *err);

/* Append text so that a pattern of the ECMA dialect matches it literally. */
void ib_regex_quote(struct ib_str text, struct ib_buf *out);

#endif
