/* SPDX-License-Identifier: MIT */
/*
 * libconfig text to values, read with suspicion.
 *
 * libconfig 1.5 (Debian 12) wraps integers silently, follows @include to any file and runs out of
 * memory on deep nesting; so a scanner of ours looks at the text first. Refused with the line: @include,
 * NUL bytes and invalid UTF-8, nesting deeper than IB_CONF_DEPTH_MAX, integers that do not fit (32 bits, with L
 * 64), hexadecimal and octal-looking ones, floats that are not finite, an unended string or
 * comment, \xNN outside of 20..7f; and by libconfig: syntax, duplicate names.
 *
 * Groups become objects, arrays and lists become arrays; every value and key carries its line (column 0).
 */
#ifndef IB_DATA_CONF_H
#define IB_DATA_CONF_H

#include "lib/data/value.h"

#define IB_CONF_BYTES_MAX (256 * 1024)
#define IB_CONF_DEPTH_MAX 16

/* Parse a configuration text; what is its file name for errors ("FILE:12: ..."). Errors: IB_ECONFIG. */
IB_NODISCARD enum ib_rc ib_conf_parse(struct ib_str text, const char *what, struct ib_value **ret,
                                      struct ib_error *err);

/* --- tables of keys ------------------------------------------------------------------------- */

enum ib_conf_kind {
    IB_CONF_BOOL,     /* bool */
    IB_CONF_INT,      /* int64_t, min..max */
    IB_CONF_TEXT,     /* const char *: points into the values, not empty */
    IB_CONF_TEXTS,    /* struct ib_conf_texts: one string, or an array of strings, not empty */
    IB_CONF_DURATION, /* int64_t milliseconds, min..max; a string ("45m") or whole seconds */
    IB_CONF_CHOICE,   /* int: index into choices */
    IB_CONF_VALUE,    /* const struct ib_value *: whatever stands there, for the caller to read */
    IB_CONF_GROUP,    /* a group with keys of its own, decoded into the same base */
};

#define IB_CONF_TEXTS_MAX 1000

struct ib_conf_texts {
    const struct ib_value *array; /* borrowed; NULL = not given. A single string stands as itself */
};
size_t ib_conf_texts_count(const struct ib_conf_texts *texts);
struct ib_str ib_conf_texts_at(const struct ib_conf_texts *texts, size_t i);

struct ib_conf_key {
    const char *name;
    enum ib_conf_kind kind;
    size_t offset;               /* of the destination in base */
    int64_t min, max;            /* INT, DURATION (milliseconds) */
    const char *const *choices;  /* CHOICE: names, NULL at the end */
    const struct ib_conf_key *keys; /* GROUP */
    size_t key_count;
    size_t line_offset;          /* of a uint32_t that gets the line; 0 = not wanted */
};

/*
 * Decode a group by its table. Members that the table does not know, values of another type and
 * numbers out of range are errors that name file, line, path and rule, and what is meant when a key is
 * only misspelt. base is changed only where a key is given. path: "targets.web" for the sentence.
 * The values must outlive base.
 */
struct ib_conf_table {
    const struct ib_conf_key *keys;
    size_t count;
};
IB_NODISCARD enum ib_rc ib_conf_decode(const char *file, const char *path,
                                       const struct ib_value *group, struct ib_conf_table table,
                                       void *base, struct ib_error *err);

/* "FILE:LINE: PATH: ..." as IB_ECONFIG, for rules that no table can say. path may be "". */
enum ib_rc ib_conf_fail(struct ib_error *err, const char *file, const struct ib_value *at,
                        const char *path, const char *fmt, ...) IB_PRINTF(5, 6);

#endif
