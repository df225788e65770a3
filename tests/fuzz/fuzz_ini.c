/* SPDX-License-Identifier: MIT */
/* Any bytes as a profile file of either kind: names are clean, values lie inside, lines grow. */
#include "fuzz.h"

#include "lib/data/ini.h"

static enum ib_rc look(void *ctx, const struct ib_ini_entry *e, struct ib_error *err)
{
    unsigned *line = ctx;

    (void)err;
    IB_ASSERT(e->line > 0 && e->line >= *line);
    *line = e->line;
    IB_ASSERT(e->name.n > 0 && memchr(e->name.p, ' ', e->name.n) == NULL);
    if (e->key.p != NULL) {
        IB_ASSERT(e->key.n > 0 && e->value.p != NULL);
        for (size_t i = 0; i < e->key.n; i++) {
            IB_ASSERT(!ib_ascii_upper(e->key.p[i]) && !ib_ascii_space(e->key.p[i]));
        }
        IB_ASSERT(e->value.n == 0 || memchr(e->value.p, '\0', e->value.n) == NULL);
    }
    return IB_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const enum ib_ini_file files[] = { IB_INI_CONFIG, IB_INI_CREDENTIALS };

    for (size_t i = 0; i < IB_ARRAY_LEN(files); i++) {
        struct ib_error err = IB_ERROR_INIT;
        unsigned line = 0;
        enum ib_rc rc = ib_ini_parse((struct ib_str){ (const char *)data, n }, "fuzz", files[i],
                                     look, &line, &err);
        IB_ASSERT(rc == IB_OK || rc == IB_ECONFIG || rc == IB_ELIMIT);
        IB_ASSERT(rc == IB_OK || strncmp(err.text, "fuzz", 4) == 0);
    }
    return 0;
}
