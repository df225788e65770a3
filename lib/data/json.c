/* SPDX-License-Identifier: MIT */
/*
 * JSON text to values and back.
 *
 * The scanner decides what is JSON, knows where everything stands and builds the containers. json-c
 * decodes the strings that have escapes, one at a time: out of memory, json-c 0.16 crashes on and leaks
 * whole documents (tests/unit/test_oom.c found it), while a string that it lost or cut is noticed by
 * its length, which the scanner has counted.
 */
#include "lib/data/json.h"

#include <json-c/json.h>
#include <limits.h>

#include "lib/base/num.h"
#include "lib/base/text.h"

#define DEPTH_LIMIT 512 /* scan_value() recurses; a level takes about 300 bytes of stack */

struct scan {
    const char *p;
    size_t n, at;
    uint32_t line;
    size_t line_start; /* offset of the first byte of this line */
    size_t max_depth;
    const char *what;
    struct json_tokener *tokener;
    struct ib_error *err;
};

static void scan_fini(struct scan *s)
{
    if (s->tokener != NULL) {
        json_tokener_free(s->tokener);
    }
}

static struct ib_mark mark_here(const struct scan *s)
{
    return (struct ib_mark){ s->line, (uint32_t)(s->at - s->line_start + 1) };
}

static enum ib_rc IB_PRINTF(3, 4) fail_here(struct scan *s, enum ib_rc rc, const char *fmt, ...)
{
    char rule[IB_ERROR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(rule, sizeof rule, fmt, ap);
    va_end(ap);
    return ib_fail(s->err, rc, "%s:%" PRIu32 ":%zu: %s", s->what, s->line, s->at - s->line_start + 1,
                   n < 0 ? "not valid JSON" : rule);
}

static enum ib_rc fail_cut_off(struct scan *s, const char *inside)
{
    return fail_here(s, IB_EPARSE, "the text ends inside %s", inside);
}

static void skip_space(struct scan *s)
{
    while (s->at < s->n && ib_ascii_space(s->p[s->at])) {
        if (s->p[s->at] == '\n') {
            s->line++;
            s->line_start = s->at + 1;
        }
        s->at++;
    }
}

/* What stands here, for a sentence: a printable character itself, else its number. */
static enum ib_rc fail_unexpected(struct scan *s, const char *wanted)
{
    unsigned char c = (unsigned char)s->p[s->at];

    if (c > 0x20 && c < 0x7F) {
        return fail_here(s, IB_EPARSE, "'%c' where %s should be", c, wanted);
    }
    return fail_here(s, IB_EPARSE, "byte 0x%02X where %s should be", c, wanted);
}

/* Four digits at `at`, or -1. */
static long hex4(const struct scan *s, size_t at)
{
    long code = 0;

    if (s->n - at < 4) {
        return -1;
    }
    for (size_t i = 0; i < 4; i++) {
        int digit = ib_hex_value(s->p[at + i]);
        if (digit < 0) {
            return -1;
        }
        code = code << 4 | digit;
    }
    return code;
}

/* s->at stands on the 'u' of \uXXXX; moves behind it and the second half of a pair. */
static enum ib_rc scan_unicode_escape(struct scan *s, size_t *size)
{
    long code = hex4(s, s->at + 1);

    if (code < 0) {
        return fail_here(s, IB_EPARSE, "\\u is not followed by four hexadecimal digits");
    }
    if (code == 0) {
        return fail_here(s, IB_EPARSE, "a string holds a NUL character");
    }
    if (code >= 0xDC00 && code <= 0xDFFF) {
        return fail_here(s, IB_EPARSE, "second half of a surrogate pair without the first");
    }
    s->at += 5;
    if (code < 0xD800 || code > 0xDBFF) {
        *size += code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
        return IB_OK;
    }
    long low = s->n - s->at >= 6 && s->p[s->at] == '\\' && s->p[s->at + 1] == 'u'
                   ? hex4(s, s->at + 2)
                   : -1;
    if (low < 0xDC00 || low > 0xDFFF) {
        return fail_here(s, IB_EPARSE, "first half of a surrogate pair without the second");
    }
    s->at += 6;
    *size += 4;
    return IB_OK;
}

static enum ib_rc scan_escape(struct scan *s, size_t *size)
{
    s->at++;
    if (s->at >= s->n) {
        return fail_cut_off(s, "a string");
    }
    char c = s->p[s->at];
    if (c == 'u') {
        return scan_unicode_escape(s, size);
    }
    if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL) {
        return fail_unexpected(s, "an escape of JSON (one of \"\\/bfnrtu)");
    }
    s->at++;
    *size += 1;
    return IB_OK;
}

/* --- json-c's part ------------------------------------------------------------------------------ */

static void put_object(struct json_object **o)
{
    (void)json_object_put(*o);
}

/*
 * The string in `raw`, quotes included, which is `size` bytes long when decoded. *ret is borrowed from
 * raw, or from *ret_object.
 */
static enum ib_rc decode_string(struct scan *s, struct ib_str raw, size_t size,
                                struct json_object **ret_object, struct ib_str *ret)
{
    if (size == raw.n - 2) {
        /* No escapes. Each call of json-c makes and frees a locale, which costs a microsecond. */
        *ret = (struct ib_str){ raw.p + 1, size };
        return IB_OK;
    }
    json_tokener_reset(s->tokener);
    *ret_object = json_tokener_parse_ex(s->tokener, raw.p, (int)raw.n);
    if (json_tokener_get_error(s->tokener) != json_tokener_success ||
        json_object_get_type(*ret_object) != json_type_string ||
        (size_t)json_object_get_string_len(*ret_object) != size) {
        /* The scanner has found nothing wrong with it. */
        return ib_fail_nomem(s->err);
    }
    *ret = (struct ib_str){ json_object_get_string(*ret_object), size };
    return IB_OK;
}

/* --- values ------------------------------------------------------------------------------------- */

/*
 * s->at stands on the opening quote; moves behind the closing one. *ret is borrowed from the text or
 * from *ret_object.
 */
static enum ib_rc scan_string(struct scan *s, struct json_object **ret_object, struct ib_str *ret)
{
    const size_t start = s->at++;
    size_t size = 0;
    enum ib_rc rc = IB_OK;

    while (rc == IB_OK) {
        if (s->at >= s->n) {
            return fail_cut_off(s, "a string");
        }
        unsigned char c = (unsigned char)s->p[s->at];
        if (c == '"') {
            s->at++;
            return decode_string(s, (struct ib_str){ s->p + start, s->at - start }, size, ret_object,
                                 ret);
        }
        if (c == '\\') {
            rc = scan_escape(s, &size);
        } else if (c < 0x20) {
            rc = fail_here(s, IB_EPARSE, "control character 0x%02X in a string", c);
        } else {
            size_t len = ib_utf8_len(s->p + s->at, s->n - s->at);
            if (len == 0) {
                return fail_here(s, IB_EPARSE, "a string is not valid UTF-8");
            }
            s->at += len;
            size += len;
        }
    }
    return rc;
}

/* Hand a new value out; NULL is out of memory. */
static enum ib_rc give(struct scan *s, struct ib_value *v, struct ib_mark mark,
                       struct ib_value **ret)
{
    if (v == NULL) {
        return ib_fail_nomem(s->err);
    }
    ib_value_set_mark(v, mark);
    *ret = v;
    return IB_OK;
}

static enum ib_rc string_value(struct scan *s, struct ib_value **ret)
{
    IB_CLEANUP(put_object) struct json_object *o = NULL;
    const struct ib_mark mark = mark_here(s);
    struct ib_str text = { NULL, 0 };
    enum ib_rc rc = scan_string(s, &o, &text);

    return rc == IB_OK ? give(s, ib_value_string(text), mark, ret) : rc;
}

static bool ends_number(char c)
{
    return ib_ascii_space(c) || c == ',' || c == ']' || c == '}';
}

static enum ib_rc number_value(struct scan *s, struct ib_value **ret)
{
    const struct ib_mark mark = mark_here(s);
    struct ib_error why = IB_ERROR_INIT;
    size_t end = s->at;
    bool is_int = false;
    int64_t i = 0;
    double d = 0;

    while (end < s->n && !ends_number(s->p[end])) {
        end++;
    }
    if (ib_num_json((struct ib_str){ s->p + s->at, end - s->at }, &is_int, &i, &d, &why) != IB_OK) {
        return fail_here(s, IB_EPARSE, "%s", why.text);
    }
    s->at = end;
    return give(s, is_int ? ib_value_int(i) : ib_value_real(d), mark, ret);
}

static enum ib_rc word_value(struct scan *s, struct ib_str word, struct ib_value *v,
                             struct ib_value **ret)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *mine = v;

    if (!ib_str_starts((struct ib_str){ s->p + s->at, s->n - s->at }, word)) {
        return fail_unexpected(s, "a JSON value");
    }
    enum ib_rc rc = give(s, mine, mark_here(s), ret);
    mine = NULL;
    s->at += word.n;
    return rc;
}

static enum ib_rc scan_value(struct scan *s, size_t depth, struct ib_value **ret);

static enum ib_rc scan_element(struct scan *s, size_t depth, struct ib_value *array)
{
    struct ib_value *item = NULL;
    enum ib_rc rc = scan_value(s, depth, &item);

    return rc == IB_OK ? ib_value_push(array, item, s->err) : rc;
}

/* Name, colon and value of one member; s->at stands where the name should be. */
static enum ib_rc scan_member(struct scan *s, size_t depth, struct ib_value *object)
{
    IB_CLEANUP(put_object) struct json_object *o = NULL;
    const struct ib_mark mark = mark_here(s);
    struct ib_value *item = NULL;
    struct ib_str name = { NULL, 0 };

    if (s->p[s->at] != '"') {
        return fail_unexpected(s, "a member's name in double quotes");
    }
    enum ib_rc rc = scan_string(s, &o, &name);
    if (rc != IB_OK) {
        return rc;
    }
    skip_space(s);
    if (s->at >= s->n) {
        return fail_cut_off(s, "an object");
    }
    if (s->p[s->at] != ':') {
        return fail_unexpected(s, "a colon");
    }
    s->at++;
    rc = scan_value(s, depth, &item);
    if (rc != IB_OK) {
        return rc;
    }
    rc = ib_value_add(object, name, mark, item, s->err);
    if (rc == IB_EPARSE) {
        (void)ib_error_context(s->err, "%s:%" PRIu32 ":%" PRIu32, s->what, mark.line, mark.column);
    }
    return rc;
}

/* What is between the brackets of `container`, and the closing one; s->at stands behind the opening one. */
static enum ib_rc scan_members(struct scan *s, size_t depth, struct ib_value *container)
{
    const bool is_object = ib_value_is(container, IB_VALUE_OBJECT);
    const char *name = is_object ? "an object" : "an array";
    const char close = is_object ? '}' : ']';

    for (bool first = true;; first = false) {
        skip_space(s);
        if (s->at >= s->n) {
            return fail_cut_off(s, name);
        }
        if (first && s->p[s->at] == close) {
            break;
        }
        enum ib_rc rc = is_object ? scan_member(s, depth + 1, container)
                                  : scan_element(s, depth + 1, container);
        if (rc != IB_OK) {
            return rc;
        }
        skip_space(s);
        if (s->at >= s->n) {
            return fail_cut_off(s, name);
        }
        if (s->p[s->at] == close) {
            break;
        }
        if (s->p[s->at] != ',') {
            return fail_unexpected(s, is_object ? "',' or '}'" : "',' or ']'");
        }
        s->at++;
    }
    s->at++;
    return IB_OK;
}

static enum ib_rc container_value(struct scan *s, size_t depth, struct ib_value *container,
                                  struct ib_value **ret)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = container;

    if (v == NULL) {
        return ib_fail_nomem(s->err);
    }
    if (depth >= s->max_depth) {
        return fail_here(s, IB_ELIMIT, "nested deeper than %zu levels", s->max_depth);
    }
    ib_value_set_mark(v, mark_here(s));
    s->at++;
    enum ib_rc rc = scan_members(s, depth, v);
    if (rc == IB_OK) {
        *ret = v;
        v = NULL;
    }
    return rc;
}

static enum ib_rc scan_value(struct scan *s, size_t depth, struct ib_value **ret)
{
    skip_space(s);
    if (s->at >= s->n) {
        return fail_here(s, IB_EPARSE, "the text ends where a JSON value should be");
    }
    switch (s->p[s->at]) {
    case '{':
        return container_value(s, depth, ib_value_object(), ret);
    case '[':
        return container_value(s, depth, ib_value_array(), ret);
    case '"':
        return string_value(s, ret);
    case 't':
        return word_value(s, IB_STR("true"), ib_value_bool(true), ret);
    case 'f':
        return word_value(s, IB_STR("false"), ib_value_bool(false), ret);
    case 'n':
        return word_value(s, IB_STR("null"), ib_value_null(), ret);
    default:
        return s->p[s->at] == '-' || ib_ascii_digit(s->p[s->at])
                   ? number_value(s, ret)
                   : fail_unexpected(s, "a JSON value");
    }
}

static enum ib_rc scan_text(struct scan *s, struct ib_value **ret)
{
    if (s->n >= 3 && memcmp(s->p, "\xEF\xBB\xBF", 3) == 0) {
        return fail_here(s, IB_EPARSE, "begins with a byte order mark");
    }
    skip_space(s);
    if (s->at >= s->n) {
        return fail_here(s, IB_EPARSE, "empty where a JSON value should be");
    }
    enum ib_rc rc = scan_value(s, 0, ret);
    if (rc != IB_OK) {
        return rc;
    }
    skip_space(s);
    return s->at < s->n ? fail_here(s, IB_EPARSE, "text after the end of the JSON value") : IB_OK;
}

enum ib_rc ib_json_parse(struct ib_str text, const char *what, const struct ib_json_limits *limits,
                         struct ib_value **ret, struct ib_error *err)
{
    size_t max_bytes = limits != NULL && limits->max_bytes > 0 ? limits->max_bytes
                                                               : IB_JSON_BYTES_DEFAULT;
    size_t max_depth = limits != NULL && limits->max_depth > 0 ? limits->max_depth
                                                               : IB_JSON_DEPTH_DEFAULT;

    /* json-c takes an int, marks are 32 bits wide. */
    IB_ASSERT(max_bytes < INT_MAX && max_depth <= DEPTH_LIMIT);
    if (text.n > max_bytes) {
        return ib_fail(err, IB_ELIMIT, "%s: JSON of %zu bytes, more than %zu", what, text.n,
                       max_bytes);
    }
    IB_CLEANUP(scan_fini) struct scan s = {
        .p = text.p, .n = text.n, .line = 1, .max_depth = max_depth, .what = what, .err = err
    };
    s.tokener = json_tokener_new_ex(1);
    if (s.tokener == NULL) {
        return ib_fail_nomem(err);
    }
    json_tokener_set_flags(s.tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    enum ib_rc rc = scan_text(&s, &v);
    if (rc == IB_OK) {
        *ret = v;
        v = NULL;
    }
    return rc;
}

/* --- printing ---------------------------------------------------------------------------------- */

void ib_json_print_str(struct ib_str s, struct ib_buf *out)
{
    static const char short_form[] = "\b\f\n\r\t\"\\";
    static const char letters[] = "bfnrt\"\\";

    ib_buf_add_char(out, '"');
    for (size_t at = 0; at < s.n;) {
        unsigned char c = (unsigned char)s.p[at];
        const char *known = c == '\0' ? NULL : strchr(short_form, c);
        size_t len = ib_utf8_len(s.p + at, s.n - at);
        if (known != NULL) {
            ib_buf_add_char(out, '\\');
            ib_buf_add_char(out, letters[known - short_form]);
        } else if (c < 0x20) {
            ib_buf_addf(out, "\\u%04x", c);
        } else if (len == 0) {
            /* Not UTF-8: what is printed must be JSON all the same. */
            ib_buf_add_c(out, "\xEF\xBF\xBD");
        } else {
            ib_buf_add(out, s.p + at, len);
        }
        at += len == 0 ? 1 : len;
    }
    ib_buf_add_char(out, '"');
}

static void new_line(enum ib_json_style style, size_t depth, struct ib_buf *out)
{
    if (style == IB_JSON_PRETTY) {
        ib_buf_add_char(out, '\n');
        for (size_t i = 0; i < depth; i++) {
            ib_buf_add_c(out, "  ");
        }
    }
}

static void print_value(const struct ib_value *v, enum ib_json_style style, size_t depth,
                        struct ib_buf *out);

static void print_container(const struct ib_value *v, enum ib_json_style style, size_t depth,
                            struct ib_buf *out)
{
    const bool is_object = ib_value_type(v) == IB_VALUE_OBJECT;

    ib_buf_add_char(out, is_object ? '{' : '[');
    for (size_t i = 0; i < ib_value_count(v); i++) {
        if (i > 0) {
            ib_buf_add_char(out, ',');
        }
        new_line(style, depth + 1, out);
        if (is_object) {
            ib_json_print_str(ib_value_key_at(v, i), out);
            ib_buf_add_c(out, style == IB_JSON_PRETTY ? ": " : ":");
        }
        print_value(ib_value_at(v, i), style, depth + 1, out);
    }
    if (ib_value_count(v) > 0) {
        new_line(style, depth, out);
    }
    ib_buf_add_char(out, is_object ? '}' : ']');
}

static void print_value(const struct ib_value *v, enum ib_json_style style, size_t depth,
                        struct ib_buf *out)
{
    char number[IB_NUM_TEXT_MAX];

    switch (ib_value_type(v)) {
    case IB_VALUE_NULL:
        ib_buf_add_c(out, "null");
        break;
    case IB_VALUE_BOOL:
        ib_buf_add_c(out, ib_value_as_bool(v) ? "true" : "false");
        break;
    case IB_VALUE_INT:
        ib_buf_addf(out, "%" PRId64, ib_value_as_int(v));
        break;
    case IB_VALUE_REAL:
        ib_buf_add_c(out, ib_num_fmt_double(ib_value_as_real(v), number, sizeof number));
        break;
    case IB_VALUE_STRING:
        ib_json_print_str(ib_value_as_str(v), out);
        break;
    case IB_VALUE_ARRAY:
    case IB_VALUE_OBJECT:
        print_container(v, style, depth, out);
        break;
    }
}

void ib_json_print(const struct ib_value *v, enum ib_json_style style, struct ib_buf *out)
{
    print_value(v, style, 0, out);
}
