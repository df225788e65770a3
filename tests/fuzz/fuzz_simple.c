/* SPDX-License-Identifier: MIT */
/* Any bytes as a simple condition. */
#include "fuzz.h"

#include "lib/arazzo/simple.h"
#include "lib/data/json.h"

static const char body_text[] =
    "{\"a\":1,\"b\":\"x\",\"c\":[1,{\"d\":null}],\"t\":true,\"s\":\"5\"}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ib_str text = {(const char *)data, n};
    struct ib_error err = IB_ERROR_INIT;
    struct ib_verdict_note note;
    IB_CLEANUP(ib_simple_cleanup) struct ib_simple *s = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *body = NULL;
    size_t column = 0;

    enum ib_rc rc = ib_simple_compile(text, NULL, &s, &column, &err);
    if (rc != IB_OK) {
        IB_ASSERT(s == NULL && err.text[0] != '\0');
        IB_ASSERT(rc != IB_EPARSE || (column >= 1 && column <= n + 1));
        return 0;
    }
    IB_ASSERT(ib_json_parse(ib_str_from(body_text), "body", NULL, &body, NULL) == IB_OK);
    struct ib_scope scope = {.inputs = body,
                             .response = {.body = body, .status = ib_value_get_c(body, "a")}};
    IB_ASSERT(ib_simple_test(s, &scope, &note, &err) != IB_VERDICT_ERROR);
    IB_ASSERT(note.operand_missing == (note.text[0] != '\0'));
    return 0;
}
