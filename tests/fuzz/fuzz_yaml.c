/* SPDX-License-Identifier: MIT */
/* Any bytes as YAML: what is read is a value of JSON, and its printed form is YAML of the same value. */
#include "fuzz.h"

#include "lib/base/text.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL, *again = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT((size_t)64 * 1024 * 1024);

    enum ib_rc rc = ib_yaml_parse((struct ib_str){ (const char *)data, n }, "fuzz", &v, &err);
    if (rc != IB_OK) {
        IB_ASSERT(rc == IB_EPARSE || rc == IB_ELIMIT);
        IB_ASSERT(v == NULL && strncmp(err.text, "fuzz:", 5) == 0);
        IB_ASSERT(ib_utf8_valid(err.text, strlen(err.text)));
        return 0;
    }
    IB_ASSERT(ib_value_mark(v).line > 0);
    ib_json_print(v, IB_JSON_COMPACT, &out);
    struct ib_json_limits limits = { .max_bytes = (size_t)64 * 1024 * 1024 };
    IB_ASSERT(ib_json_parse(ib_buf_str(&out), "again", &limits, &again, NULL) == IB_OK);
    IB_ASSERT(ib_value_equal(v, again));
    return 0;
}
