/* SPDX-License-Identifier: MIT */
/* Requests and answers as lines for -vvv and --trace; every secret header is "(hidden)". */
#ifndef IB_AWS_TRACE_H
#define IB_AWS_TRACE_H

#include "lib/aws/awsconfig.h"
#include "lib/aws/headers.h"

#define IB_TRACE_BODY_MAX 4096 /* bytes of a body that are shown */

struct ib_trace {
    ib_aws_trace_fn fn; /* NULL: nothing happens */
    void *ctx;
};

/* One line of any kind; cleaned. */
void ib_trace_line(const struct ib_trace *t, const char *fmt, ...) IB_PRINTF(2, 3);
/* "> GET URL", its fields and its body. */
void ib_trace_request(const struct ib_trace *t, const char *method, const char *url,
                      const struct ib_headers *headers, struct ib_str body);
/* "< 200 in 123 ms", its fields and its body. */
void ib_trace_response(const struct ib_trace *t, int status, int64_t elapsed_ms,
                       const struct ib_headers *headers, struct ib_str body);

#endif
