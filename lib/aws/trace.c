/* SPDX-License-Identifier: MIT */
/* Trace lines. */
#include "lib/aws/trace.h"

#include <stdarg.h>

#include "lib/base/text.h"

void ib_trace_line(const struct ib_trace *t, const char *fmt, ...)
{
    char clean[IB_TRACE_BODY_MAX];
    IB_CLEANUP(ib_buf_fini) struct ib_buf raw = IB_BUF_INIT((size_t)64 * 1024);
    va_list ap;

    if (t->fn == NULL) {
        return;
    }
    va_start(ap, fmt);
    ib_buf_vaddf(&raw, fmt, ap);
    va_end(ap);
    (void)ib_text_clean(ib_buf_c(&raw), raw.len, clean, sizeof clean);
    t->fn(t->ctx, clean);
}

static void trace_fields(const struct ib_trace *t, char mark, const struct ib_headers *headers)
{
    for (size_t i = 0; i < headers->count; i++) {
        const struct ib_header *h = &headers->items[i];
        bool hidden = ib_header_is_secret(ib_str_from(h->name));

        ib_trace_line(t, "%c %s: %s", mark, h->name, hidden ? "(hidden)" : h->value);
    }
}

static void trace_body(const struct ib_trace *t, char mark, struct ib_str body)
{
    struct ib_str shown = ib_str_head(body, IB_TRACE_BODY_MAX);

    if (body.n > 0) {
        ib_trace_line(t, "%c %.*s", mark, IB_STR_ARG(shown));
    }
    if (body.n > shown.n) {
        ib_trace_line(t, "%c (%zu bytes in all)", mark, body.n);
    }
}

void ib_trace_request(const struct ib_trace *t, const char *method, const char *url,
                      const struct ib_headers *headers, struct ib_str body)
{
    if (t->fn != NULL) {
        ib_trace_line(t, "> %s %s", method, url);
        trace_fields(t, '>', headers);
        trace_body(t, '>', body);
    }
}

void ib_trace_response(const struct ib_trace *t, int status, int64_t elapsed_ms,
                       const struct ib_headers *headers, struct ib_str body)
{
    if (t->fn != NULL) {
        ib_trace_line(t, "< %d in %" PRId64 " ms", status, elapsed_ms);
        trace_fields(t, '<', headers);
        trace_body(t, '<', body);
    }
}
