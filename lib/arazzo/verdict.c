/* SPDX-License-Identifier: MIT */
/* Answers of conditions. */
#include "lib/arazzo/verdict.h"

#include "lib/base/text.h"

#define SEEN_MAX 48 /* bytes with NUL */

const char *ib_verdict_name(enum ib_verdict verdict)
{
    switch (verdict) {
    case IB_VERDICT_FAIL:
        return "fail";
    case IB_VERDICT_PASS:
        return "pass";
    case IB_VERDICT_ERROR:
        return "error";
    }
    return "error";
}

static void write_text(struct ib_verdict_note *note, struct ib_str what, const char *how)
{
    size_t how_n = strlen(how);

    if (note->text[0] == '\0') {
        size_t n = ib_text_clean(what.p, what.n, note->text, sizeof note->text - how_n);
        memcpy(note->text + n, how, how_n + 1);
    }
}

void ib_verdict_note_operand(struct ib_verdict_note *note, struct ib_str operand)
{
    if (note != NULL) {
        note->operand_missing = true;
        write_text(note, operand, " is not there");
    }
}

void ib_verdict_note_context(struct ib_verdict_note *note, struct ib_str context, bool is_null)
{
    if (note != NULL) {
        note->context_missing = true;
        write_text(note, context, is_null ? " is null" : " is not there");
    }
}

void ib_verdict_note_seen(struct ib_verdict_note *note, struct ib_str context, struct ib_str seen)
{
    char head[SEEN_MAX];
    char how[SEEN_MAX + sizeof " is \"\""];

    if (note != NULL) {
        (void)ib_text_clean(seen.p, seen.n, head, sizeof head);
        (void)snprintf(how, sizeof how, " is \"%s\"", head);
        write_text(note, context, how);
    }
}
