/* SPDX-License-Identifier: MIT */
/*
 * What a program prints, collected first and written once at the end:
 *
 *     PREFIX STATE - text | perfdata
 *     long line
 *     ...
 *
 * Every text passes ib_text_plugin(), so foreign bytes cannot start a line, a perfdata part or
 * a terminal sequence. With JSON set, that text is printed instead.
 */
#ifndef IB_PLUGIN_OUTPUT_H
#define IB_PLUGIN_OUTPUT_H

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/plugin/perfdata.h"
#include "lib/plugin/state.h"

#define IB_OUTPUT_FIRST_MAX 1000          /* bytes of the first line before its perfdata */
#define IB_OUTPUT_LINE_MAX  2000          /* bytes of one long line */
#define IB_OUTPUT_BYTES_MAX (512 * 1024)  /* of all; schedulers are known to take this much */

struct ib_output {
    struct ib_buf text;  /* first line without prefix and state, raw until printed */
    struct ib_buf lines; /* long output: clean lines, each ended by a line feed */
    struct ib_buf perf;
    struct ib_buf json;  /* one JSON text; empty = print lines */
    size_t first_max;    /* bytes of "PREFIX STATE - text"; 0 = IB_OUTPUT_FIRST_MAX */
};

#define IB_OUTPUT_INIT                                                                            \
    { .text = IB_BUF_INIT(64 * 1024), .lines = IB_BUF_INIT(IB_OUTPUT_BYTES_MAX),                       \
      .perf = IB_BUF_INIT(64 * 1024), .json = IB_BUF_INIT(16 * 1024 * 1024) }

void ib_output_fini(struct ib_output *out);
/* Set the text of the first line (replaces an earlier one). */
void ib_output_text(struct ib_output *out, const char *fmt, ...) IB_PRINTF(2, 3);
/* Add to the text of the first line. */
void ib_output_more(struct ib_output *out, const char *fmt, ...) IB_PRINTF(2, 3);
/* Add one line of long output. */
void ib_output_line(struct ib_output *out, const char *fmt, ...) IB_PRINTF(2, 3);
void ib_output_perf(struct ib_output *out, const struct ib_perf *perf);

/*
 * Write all of it into dst as it goes to stdout. Long lines that overflowed end with one that says
 * so; JSON that did becomes IB_ELIMIT, for half an object is none.
 */
IB_NODISCARD enum ib_rc ib_output_render(const struct ib_output *out, const char *prefix,
                                         enum ib_state state, struct ib_buf *dst,
                                         struct ib_error *err);

/*
 * {"program": "...", "state": "UNKNOWN", "exitCode": 3, "text": "...",
 *  "error": {"kind": "timeout", "code": "ThrottlingException", "requestId": "..."}}
 * is what every program prints with --output json when it ends by an error.
 */
void ib_output_error_json(const char *program, enum ib_state state, const struct ib_error *error,
                          struct ib_buf *dst);

#endif
