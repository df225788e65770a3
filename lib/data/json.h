/* SPDX-License-Identifier: MIT */
/*
 * JSON text to values and back, strict RFC 8259.
 *
 * json-c's strict mode still takes single quotes, NaN, duplicate keys and raw control characters, and
 * knows no places; so a scanner of ours reads the text, and json-c decodes what the scanner passed.
 *
 * Refused with line:column: all of those, trailing text, a byte order mark, invalid
 * UTF-8, lone surrogates, a NUL in a string, numbers too large for a double, nesting deeper than
 * max_depth, cut-off text.
 */
#ifndef IB_DATA_JSON_H
#define IB_DATA_JSON_H

#include "lib/data/value.h"

#define IB_JSON_DEPTH_DEFAULT 64
#define IB_JSON_BYTES_DEFAULT (1024 * 1024) /* largest answer known: a page of 25 builds, under 256 KiB */

struct ib_json_limits {
    size_t max_bytes; /* 0 = IB_JSON_BYTES_DEFAULT */
    size_t max_depth; /* 0 = IB_JSON_DEPTH_DEFAULT; a scalar has depth 0, [] has depth 1 */
};

/* Parse one JSON text. what names it in errors ("GetImage answer", a file name). limits may be NULL. */
IB_NODISCARD enum ib_rc ib_json_parse(struct ib_str text, const char *what,
                                      const struct ib_json_limits *limits, struct ib_value **ret,
                                      struct ib_error *err);

enum ib_json_style {
    IB_JSON_COMPACT, /* no blanks: {"a":1} */
    IB_JSON_PRETTY,  /* two blanks per level */
};

/* Append v as JSON; strings escape quotes, backslash and control characters, all else as UTF-8. */
void ib_json_print(const struct ib_value *v, enum ib_json_style style, struct ib_buf *out);
/* Append one string with its quotes. */
void ib_json_print_str(struct ib_str s, struct ib_buf *out);

#endif
