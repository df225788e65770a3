/* SPDX-License-Identifier: MIT */
/*
 * What the test of a condition may come to. Three answers, never two: what could not be evaluated
 * is not "does not hold", because in a workflow "does not hold" means "go on with the next step".
 */
#ifndef IB_ARAZZO_VERDICT_H
#define IB_ARAZZO_VERDICT_H

#include "lib/base/str.h"

enum ib_verdict {
    IB_VERDICT_FAIL,  /* evaluated: does not hold */
    IB_VERDICT_PASS,  /* evaluated: holds */
    IB_VERDICT_ERROR, /* could not be evaluated; the struct ib_error beside it says why */
};

#define IB_VERDICT_NOTE_MAX 256 /* bytes with NUL; one line */

/* What a test saw on its way, for the reader of a trace. Zeroed by the test. */
struct ib_verdict_note {
    bool operand_missing; /* something that was compared or tested is not there */
    bool context_missing; /* the value that the condition is about is not there, or null */
    char text[IB_VERDICT_NOTE_MAX]; /* the first of those in words; what did not match; or in
                                       literal mode the error; "" = nothing */
};

/* "fail", "pass", "error". */
const char *ib_verdict_name(enum ib_verdict verdict);

/*
 * Record an operand that is not there, or a context that is_null or is not there, by its text; the
 * first text is kept. note may be NULL.
 */
void ib_verdict_note_operand(struct ib_verdict_note *note, struct ib_str operand);
void ib_verdict_note_context(struct ib_verdict_note *note, struct ib_str context, bool is_null);
/* Record what a context said that does not match; a long text is cut off. note may be NULL. */
void ib_verdict_note_seen(struct ib_verdict_note *note, struct ib_str context, struct ib_str seen);

#endif
