/* SPDX-License-Identifier: MIT */
/* Any bytes as JSON: what is read can be printed, and what is printed reads as the same value. */
#include "fuzz.h"

#include "lib/base/text.h"
#include "lib/data/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL, *again = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT((size_t)64 * 1024 * 1024);

    enum ib_rc rc = ib_json_parse((struct ib_str){ (const char *)data, n }, "fuzz", NULL, &v, &err);
    if (rc != IB_OK) {
        /* Everything that json-c refuses, the scanner refused before. */
        IB_ASSERT(rc == IB_EPARSE || rc == IB_ELIMIT);
        IB_ASSERT(v == NULL && err.text[0] != '\0' && ib_utf8_valid(err.text, strlen(err.text)));
        return 0;
    }
    IB_ASSERT(ib_value_mark(v).line > 0);
    ib_json_print(v, n % 2 == 0 ? IB_JSON_COMPACT : IB_JSON_PRETTY, &out);
    IB_ASSERT(!out.failed && ib_utf8_valid(out.data, out.len));
    struct ib_json_limits limits = { .max_bytes = (size_t)64 * 1024 * 1024 };
    IB_ASSERT(ib_json_parse(ib_buf_str(&out), "again", &limits, &again, NULL) == IB_OK);
    IB_ASSERT(ib_value_equal(v, again));
    return 0;
}
