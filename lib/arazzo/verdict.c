/* SPDX-License-Identifier: MIT */
/* Answers of conditions. */
#include "lib/arazzo/verdict.h"

#include "lib/base/text.h"

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

void ib_verdict_note_operand(struct ib_verdict_note *note, struct ib_str operand)
{
    static const char not_there[] = " is not there";

    if (note == NULL) {
        return;
    }
    note->operand_missing = true;
    if (note->text[0] == '\0') {
        size_t n = ib_text_clean(operand.p, operand.n, note->text,
                                 sizeof note->text - sizeof not_there + 1);
        memcpy(note->text + n, not_there, sizeof not_there);
    }
}
