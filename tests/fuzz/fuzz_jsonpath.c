/* SPDX-License-Identifier: MIT */
/* First line: a query and a condition; the rest: the value, as JSON. */
#include "fuzz.h"

#include "lib/arazzo/jsonpath.h"
#include "lib/data/json.h"

static void use_query(struct ib_str text, const struct ib_value *value)
{
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *q = NULL;
    IB_CLEANUP(ib_nodelist_fini) struct ib_nodelist nodes = {NULL, 0, 0};

    if (ib_jsonpath_compile(text, &q, NULL, &err) == IB_OK && value != NULL) {
        enum ib_rc rc = ib_jsonpath_select(q, value, &nodes, &err);
        IB_ASSERT(rc == IB_OK || rc == IB_ELIMIT || rc == IB_EEVAL);
    }
}

static void use_condition(struct ib_str text, const struct ib_value *value)
{
    struct ib_error err = IB_ERROR_INIT;
    struct ib_verdict_note note;
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *q = NULL;
    size_t column = 0;

    enum ib_rc rc = ib_jsonpath_compile_condition(text, &q, &column, &err);
    if (rc != IB_OK) {
        IB_ASSERT(q == NULL && err.text[0] != '\0');
        IB_ASSERT(rc != IB_EPARSE || (column >= 1 && column <= text.n + 1));
    } else if (value != NULL) {
        enum ib_verdict verdict = ib_jsonpath_test(q, value, &note, &err);
        IB_ASSERT((verdict == IB_VERDICT_ERROR) == (err.rc != IB_OK));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ib_str rest = {(const char *)data, n};
    IB_CLEANUP(ib_value_cleanup) struct ib_value *value = NULL;
    struct ib_str text = ib_str_split(&rest, '\n');

    if (rest.p != NULL) {
        (void)!ib_json_parse(rest, "value", NULL, &value, NULL);
    }
    use_query(text, value);
    use_condition(text, value);
    return 0;
}
