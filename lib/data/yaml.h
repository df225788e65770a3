/* SPDX-License-Identifier: MIT */
/*
 * YAML text to values, by libyaml's events only (its document API is quadratic in nesting and
 * anchors). Refused with line:column: anchors, aliases, tags, merge keys, directives other than
 * %YAML 1.1 and 1.2, a second document, duplicate keys, keys that are not strings, invalid UTF-8,
 * UTF-16, control characters, the line separators that only YAML 1.1 knew (U+0085, U+2028, U+2029),
 * text over the caps.
 *
 * Plain scalars get their type by the YAML 1.2 core schema: null/~/empty, true/false (and True,
 * TRUE ...), decimal, 0o and 0x integers, floats; "yes", "no", "on", "off" and "010" follow the core
 * schema (strings; 010 is the integer 10). .inf and .nan are refused (no JSON value). Quoted and
 * block scalars are strings. A plain key of digits (200:) is taken as its text, as OpenAPI documents
 * have it; a key that is null, a boolean or another number must be quoted. Every value carries its mark.
 */
#ifndef IB_DATA_YAML_H
#define IB_DATA_YAML_H

#include "lib/data/value.h"

#define IB_YAML_BYTES_MAX  (256 * 1024)
#define IB_YAML_DEPTH_MAX  64
#define IB_YAML_EVENTS_MAX 100000

/* For files that are larger by nature, such as descriptions of an API. 0 = the values above. */
struct ib_yaml_limits {
    size_t max_bytes, max_events;
};

/*
 * Parse one YAML document (JSON is YAML too, but ib_json_parse reads all of JSON). what names it in
 * errors: "WHAT:LINE:COLUMN: rule". Errors: IB_EPARSE, IB_ELIMIT, IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_yaml_parse(struct ib_str text, const char *what, struct ib_value **ret,
                                      struct ib_error *err);
/* The same with other limits; NULL = those above. */
IB_NODISCARD enum ib_rc ib_yaml_parse_limited(struct ib_str text, const char *what,
                                              const struct ib_yaml_limits *limits,
                                              struct ib_value **ret, struct ib_error *err);

#endif
