/* SPDX-License-Identifier: MIT */
/* Errors that point into a text of one line. */
#include "lib/arazzo/column.h"

#include "lib/base/buf.h"

enum ib_rc ib_column_fail(struct ib_error *err, size_t *ret_column, size_t at, const char *fmt, ...)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_ERROR_TEXT_MAX * 4);
    va_list ap;

    if (ret_column != NULL) {
        *ret_column = at + 1;
    }
    va_start(ap, fmt);
    ib_buf_vaddf(&text, fmt, ap);
    va_end(ap);
    return ib_fail(err, IB_EPARSE, "column %zu: %s", at + 1, ib_buf_c(&text));
}
