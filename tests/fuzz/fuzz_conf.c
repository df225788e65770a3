/* SPDX-License-Identifier: MIT */
/* Any bytes as configuration: what libconfig makes of a text that our scanner passed is sound. */
#include "fuzz.h"

#include "lib/base/text.h"
#include "lib/data/conf.h"
#include "lib/data/json.h"

/* libconfig 1.5 forgets the string that it was reading when it finds a syntax error. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig";
}

static void look(const struct ib_value *v, unsigned depth)
{
    IB_ASSERT(depth <= IB_CONF_DEPTH_MAX);
    if (ib_value_is(v, IB_VALUE_STRING)) {
        struct ib_str s = ib_value_as_str(v);
        IB_ASSERT(ib_utf8_valid(s.p, s.n));
    }
    for (size_t i = 0; i < ib_value_count(v); i++) {
        IB_ASSERT(ib_value_mark(ib_value_at(v, i)).line > 0);
        look(ib_value_at(v, i), depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;

    enum ib_rc rc = ib_conf_parse((struct ib_str){ (const char *)data, n }, "fuzz", &v, &err);
    if (rc != IB_OK) {
        IB_ASSERT(rc == IB_ECONFIG && v == NULL && strncmp(err.text, "fuzz:", 5) == 0);
        IB_ASSERT(ib_utf8_valid(err.text, strlen(err.text)));
        return 0;
    }
    IB_ASSERT(ib_value_is(v, IB_VALUE_OBJECT));
    look(v, 0);
    return 0;
}
