/* SPDX-License-Identifier: MIT */
/* Any bytes as XML: an answer that is taken prints as JSON and reads back as the same value. */
#include "fuzz.h"

#include "lib/aws/xml.h"
#include "lib/data/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *again = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf json = IB_BUF_INIT((size_t)16 * 1024 * 1024);
    const struct ib_json_limits limits = {.max_bytes = (size_t)16 * 1024 * 1024};
    char root[64];
    enum ib_rc rc = ib_xml_parse((struct ib_str){(const char *)data, n}, "answer", root, &v, &err);

    if (rc != IB_OK) {
        IB_ASSERT((rc == IB_EPARSE || rc == IB_ELIMIT) && v == NULL);
        return 0;
    }
    IB_ASSERT(root[0] != '\0');
    ib_json_print(v, IB_JSON_COMPACT, &json);
    IB_ASSERT(ib_json_parse(ib_buf_str(&json), "json", &limits, &again, &err) == IB_OK);
    IB_ASSERT(ib_value_equal(v, again));
    return 0;
}
