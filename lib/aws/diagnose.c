/* SPDX-License-Identifier: MIT */
/* Rows for --diagnose. */
#include "lib/aws/diagnose.h"

#include <stdarg.h>

#include "lib/base/text.h"

void ib_diagnose_add(struct ib_diagnose *d, const char *topic, const char *fmt, ...)
{
    char raw[480];
    va_list ap;

    if (d->count == IB_DIAGNOSE_ROWS_MAX) {
        return;
    }
    if (d->count == d->cap) {
        size_t cap = d->cap == 0 ? 16 : d->cap * 2;
        struct ib_diagnose_row *rows = reallocarray(d->rows, cap, sizeof *rows);
        if (rows == NULL) {
            return;
        }
        d->rows = rows;
        d->cap = cap;
    }
    va_start(ap, fmt);
    int n = vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    struct ib_diagnose_row *row = &d->rows[d->count++];
    (void)ib_text_clean(topic, strlen(topic), row->topic, sizeof row->topic);
    (void)ib_text_clean(raw, n < 0 ? 0 : strlen(raw), row->text, sizeof row->text);
}

void ib_diagnose_fini(struct ib_diagnose *d)
{
    free(d->rows);
    *d = (struct ib_diagnose)IB_DIAGNOSE_INIT;
}
