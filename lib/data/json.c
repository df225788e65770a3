/* SPDX-License-Identifier: MIT */
/*
 * JSON text to values and back.
 *
 * Two readers look at every text. The scanner decides whether it is JSON and notes each value's place
 * and size; json-c decodes it. They must agree on every value's type and length: what one of
 * them sees otherwise (a string that json-c cut because memory ran out) is an error, never data.
 */
#include "lib/data/json.h"

#include <json-c/json.h>
#include <limits.h>

#include "lib/base/num.h"
#include "lib/base/text.h"

#define DEPTH_LIMIT 512 /* recursion here and in json-c's json_object_put; a frame is about 200 bytes */

/* One value or key, in the order of the text. */
struct token {
    enum ib_value_type type;
    uint32_t line, column;
    size_t at;   /* offset of its first byte */
    size_t size; /* number: bytes of its text; string: bytes when decoded; container: members */
    size_t raw;  /* string: bytes of its text with quotes */
};

struct scan {
    const char *p;
    size_t n, at;
    uint32_t line;
    size_t line_start; /* offset of the first byte of this line */
    size_t max_depth;
    const char *what;
    struct token *tokens;
    size_t count, cap;
    struct ib_error *err;
};

static void scan_fini(struct scan *s)
{
    free(s->tokens);
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

static enum ib_rc add_token(struct scan *s, enum ib_value_type type, size_t *ret_index)
{
    if (s->count == s->cap) {
        size_t cap = s->cap == 0 ? 64 : s->cap * 2;
        struct token *grown = reallocarray(s->tokens, cap, sizeof *grown);
        if (grown == NULL) {
            return ib_fail_nomem(s->err);
        }
        s->tokens = grown;
        s->cap = cap;
    }
    *ret_index = s->count;
    s->tokens[s->count++] = (struct token){ .type = type,
                                            .line = s->line,
                                            .column = (uint32_t)(s->at - s->line_start + 1),
                                            .at = s->at };
    return IB_OK;
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

/* s->at stands on the opening quote. */
static enum ib_rc scan_string(struct scan *s)
{
    size_t index, size = 0;
    enum ib_rc rc = add_token(s, IB_VALUE_STRING, &index);
    size_t start = s->at++;

    while (rc == IB_OK) {
        if (s->at >= s->n) {
            return fail_cut_off(s, "a string");
        }
        unsigned char c = (unsigned char)s->p[s->at];
        if (c == '"') {
            s->at++;
            s->tokens[index].size = size;
            s->tokens[index].raw = s->at - start;
            return IB_OK;
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

static bool ends_number(char c)
{
    return ib_ascii_space(c) || c == ',' || c == ']' || c == '}';
}

static enum ib_rc scan_number(struct scan *s)
{
    size_t index, end = s->at;
    bool is_int;
    int64_t i;
    double d;
    enum ib_rc rc = add_token(s, IB_VALUE_INT, &index);

    if (rc != IB_OK) {
        return rc;
    }
    while (end < s->n && !ends_number(s->p[end])) {
        end++;
    }
    struct ib_str text = { s->p + s->at, end - s->at };
    struct ib_error why = IB_ERROR_INIT;
    rc = ib_num_json(text, &is_int, &i, &d, &why);
    if (rc != IB_OK) {
        return fail_here(s, IB_EPARSE, "%s", why.text);
    }
    s->tokens[index].size = text.n;
    if (!is_int) {
        s->tokens[index].type = IB_VALUE_REAL;
    }
    s->at = end;
    return IB_OK;
}

static enum ib_rc scan_word(struct scan *s, struct ib_str word, enum ib_value_type type)
{
    size_t index;

    if (!ib_str_starts((struct ib_str){ s->p + s->at, s->n - s->at }, word)) {
        return fail_unexpected(s, "a JSON value");
    }
    enum ib_rc rc = add_token(s, type, &index);
    if (rc == IB_OK) {
        s->tokens[index].size = word.n;
        s->at += word.n;
    }
    return rc;
}

static enum ib_rc scan_value(struct scan *s, size_t depth);

/* Name, colon and value of one member; s->at stands where the name should be. */
static enum ib_rc scan_member(struct scan *s, size_t depth)
{
    if (s->at >= s->n) {
        return fail_cut_off(s, "an object");
    }
    if (s->p[s->at] != '"') {
        return fail_unexpected(s, "a member's name in double quotes");
    }
    enum ib_rc rc = scan_string(s);
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
    return scan_value(s, depth);
}

/* s->at stands on the opening bracket. */
static enum ib_rc scan_container(struct scan *s, enum ib_value_type type, size_t depth)
{
    const bool is_object = type == IB_VALUE_OBJECT;
    const char *name = is_object ? "an object" : "an array";
    const char close = is_object ? '}' : ']';
    size_t index, members = 0;

    if (depth >= s->max_depth) {
        return fail_here(s, IB_ELIMIT, "nested deeper than %zu levels", s->max_depth);
    }
    enum ib_rc rc = add_token(s, type, &index);
    s->at++;
    while (rc == IB_OK) {
        skip_space(s);
        if (s->at >= s->n) {
            return fail_cut_off(s, name);
        }
        if (s->p[s->at] == close && members == 0) {
            break;
        }
        rc = is_object ? scan_member(s, depth + 1) : scan_value(s, depth + 1);
        if (rc != IB_OK) {
            return rc;
        }
        members++;
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
    if (rc == IB_OK) {
        s->at++;
        s->tokens[index].size = members;
    }
    return rc;
}

static enum ib_rc scan_value(struct scan *s, size_t depth)
{
    skip_space(s);
    if (s->at >= s->n) {
        return fail_here(s, IB_EPARSE, "the text ends where a JSON value should be");
    }
    switch (s->p[s->at]) {
    case '{':
        return scan_container(s, IB_VALUE_OBJECT, depth);
    case '[':
        return scan_container(s, IB_VALUE_ARRAY, depth);
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, IB_STR("true"), IB_VALUE_BOOL);
    case 'f':
        return scan_word(s, IB_STR("false"), IB_VALUE_BOOL);
    case 'n':
        return scan_word(s, IB_STR("null"), IB_VALUE_NULL);
    default:
        return s->p[s->at] == '-' || ib_ascii_digit(s->p[s->at])
                   ? scan_number(s)
                   : fail_unexpected(s, "a JSON value");
    }
}

/* The whole text; *ret_value is what lies between the blanks around it. */
static enum ib_rc scan_text(struct scan *s, struct ib_str *ret_value)
{
    if (s->n >= 3 && memcmp(s->p, "\xEF\xBB\xBF", 3) == 0) {
        return fail_here(s, IB_EPARSE, "begins with a byte order mark");
    }
    skip_space(s);
    if (s->at >= s->n) {
        return fail_here(s, IB_EPARSE, "empty where a JSON value should be");
    }
    size_t start = s->at;
    enum ib_rc rc = scan_value(s, 0);
    if (rc != IB_OK) {
        return rc;
    }
    *ret_value = (struct ib_str){ s->p + start, s->at - start };
    skip_space(s);
    return s->at < s->n ? fail_here(s, IB_EPARSE, "text after the end of the JSON value") : IB_OK;
}

/* --- json-c's side ----------------------------------------------------------------------------- */

static void put_object(struct json_object **o)
{
    (void)json_object_put(*o);
}

static void free_tokener(struct json_tokener **t)
{
    if (*t != NULL) {
        json_tokener_free(*t);
    }
}

/*
 * Not json-c's strict mode: the scanner has been stricter, and strict json-c refuses integers above
 * 64 bits, which are good JSON.
 */
static enum ib_rc decode(struct ib_str text, size_t depth, struct json_object **ret,
                         struct ib_error *err)
{
    /* json-c counts the level of the innermost scalars too. */
    IB_CLEANUP(free_tokener) struct json_tokener *t = json_tokener_new_ex((int)depth + 2);

    if (t == NULL) {
        return ib_fail_nomem(err);
    }
    json_tokener_set_flags(t, JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *o = json_tokener_parse_ex(t, text.p, (int)text.n);
    if (json_tokener_get_error(t) == json_tokener_continue) {
        /* A number ends only where something else begins. */
        o = json_tokener_parse_ex(t, "", 1);
    }
    if (json_tokener_get_error(t) != json_tokener_success) {
        (void)json_object_put(o);
        return ib_fail(err, IB_ENOMEM, "json-c cannot read it: %s",
                       json_tokener_error_desc(json_tokener_get_error(t)));
    }
    *ret = o;
    return IB_OK;
}

struct convert {
    const struct scan *scan;
    size_t at; /* next token */
    const char *what;
    struct ib_error *err;
};

static enum ib_rc fail_disagree(const struct convert *c, const struct token *t)
{
    return ib_fail(c->err, IB_ENOMEM,
                   "%s:%" PRIu32 ":%" PRIu32 ": json-c lost a part of the value (out of memory?)",
                   c->what, t->line, t->column);
}

static bool same_type(enum ib_value_type type, const struct json_object *o)
{
    static const enum json_type types[] = {
        [IB_VALUE_NULL] = json_type_null,     [IB_VALUE_BOOL] = json_type_boolean,
        [IB_VALUE_INT] = json_type_int,       [IB_VALUE_REAL] = json_type_double,
        [IB_VALUE_STRING] = json_type_string, [IB_VALUE_ARRAY] = json_type_array,
        [IB_VALUE_OBJECT] = json_type_object,
    };
    enum json_type seen = json_object_get_type(o);

    /* An integer beyond 64 bits is a real number to us and a clamped integer to json-c. */
    return seen == types[type] || (type == IB_VALUE_REAL && seen == json_type_int);
}

static struct ib_value *number_value(const struct scan *s, const struct token *t)
{
    bool is_int;
    int64_t i;
    double d;

    if (ib_num_json((struct ib_str){ s->p + t->at, t->size }, &is_int, &i, &d, NULL) != IB_OK) {
        return NULL;
    }
    return is_int ? ib_value_int(i) : ib_value_real(d);
}

/* Decoded text of a name; the caller frees *ret_object. */
static enum ib_rc decode_name(const struct scan *s, const struct token *t, struct ib_str *ret,
                              struct json_object **ret_object, struct ib_error *err)
{
    enum ib_rc rc = decode((struct ib_str){ s->p + t->at, t->raw }, 0, ret_object, err);

    if (rc == IB_OK) {
        *ret = (struct ib_str){ json_object_get_string(*ret_object),
                                (size_t)json_object_get_string_len(*ret_object) };
    }
    return rc;
}

/* json-c kept fewer members than the scanner saw: say which name came twice. */
static enum ib_rc fail_duplicate(const struct convert *c, size_t first)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *seen = ib_value_object();
    const struct scan *s = c->scan;
    size_t level = 0;
    size_t members = s->tokens[first].size;

    if (seen == NULL) {
        return ib_fail_nomem(c->err);
    }
    /* Tokens of members: name, value, what is inside the value. */
    size_t at = first + 1;
    for (size_t i = 0; i < members; i++) {
        const struct token *t = &s->tokens[at];
        IB_CLEANUP(put_object) struct json_object *o = NULL;
        struct ib_str name;
        enum ib_rc rc = decode_name(s, t, &name, &o, c->err);
        if (rc == IB_OK) {
            rc = ib_value_add(seen, name, (struct ib_mark){ 0, 0 }, ib_value_null(), c->err);
        }
        if (rc != IB_OK) {
            return ib_error_context(c->err, "%s:%" PRIu32 ":%" PRIu32, c->what, t->line, t->column);
        }
        /* Over the value: as many tokens as its containers announce. */
        at++;
        level = 1;
        while (level > 0) {
            const struct token *inside = &s->tokens[at++];
            level--;
            if (inside->type == IB_VALUE_ARRAY) {
                level += inside->size;
            } else if (inside->type == IB_VALUE_OBJECT) {
                level += 2 * inside->size;
            }
        }
    }
    return fail_disagree(c, &s->tokens[first]);
}

static enum ib_rc convert_value(struct convert *c, struct json_object *o, struct ib_value **ret);

static enum ib_rc convert_array(struct convert *c, const struct token *t, struct json_object *o,
                                struct ib_value *array)
{
    if (json_object_array_length(o) != t->size) {
        return fail_disagree(c, t);
    }
    const size_t count = t->size;
    for (size_t i = 0; i < count; i++) {
        struct ib_value *item = NULL;
        enum ib_rc rc = convert_value(c, json_object_array_get_idx(o, i), &item);
        if (rc == IB_OK) {
            rc = ib_value_push(array, item, c->err);
        }
        if (rc != IB_OK) {
            return rc;
        }
    }
    return IB_OK;
}

static enum ib_rc convert_object(struct convert *c, size_t index, struct json_object *o,
                                 struct ib_value *object)
{
    const struct scan *s = c->scan;

    if ((size_t)json_object_object_length(o) != s->tokens[index].size) {
        return fail_duplicate(c, index);
    }
    struct json_object_iterator it = json_object_iter_begin(o);
    struct json_object_iterator end = json_object_iter_end(o);
    for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
        const struct token *name = &s->tokens[c->at++];
        struct ib_str key = ib_str_from(json_object_iter_peek_name(&it));
        struct ib_value *item = NULL;
        if (key.n != name->size) {
            return fail_disagree(c, name);
        }
        enum ib_rc rc = convert_value(c, json_object_iter_peek_value(&it), &item);
        if (rc == IB_OK) {
            struct ib_mark mark = { name->line, name->column };
            rc = ib_value_add(object, key, mark, item, c->err);
        }
        if (rc != IB_OK) {
            return rc;
        }
    }
    return IB_OK;
}

static struct ib_value *new_value(const struct convert *c, const struct token *t,
                                  struct json_object *o)
{
    switch (t->type) {
    case IB_VALUE_NULL:
        return ib_value_null();
    case IB_VALUE_BOOL:
        return ib_value_bool(json_object_get_boolean(o) != 0);
    case IB_VALUE_INT:
    case IB_VALUE_REAL:
        return number_value(c->scan, t);
    case IB_VALUE_STRING:
        return ib_value_string((struct ib_str){ json_object_get_string(o), t->size });
    case IB_VALUE_ARRAY:
        return ib_value_array();
    case IB_VALUE_OBJECT:
        return ib_value_object();
    }
    return NULL;
}

static enum ib_rc convert_value(struct convert *c, struct json_object *o, struct ib_value **ret)
{
    size_t index = c->at++;
    const struct token *t = &c->scan->tokens[index];
    enum ib_rc rc = IB_OK;

    if (!same_type(t->type, o) ||
        (t->type == IB_VALUE_STRING && (size_t)json_object_get_string_len(o) != t->size)) {
        return fail_disagree(c, t);
    }
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = new_value(c, t, o);
    if (v == NULL) {
        return ib_fail_nomem(c->err);
    }
    ib_value_set_mark(v, (struct ib_mark){ t->line, t->column });
    if (t->type == IB_VALUE_ARRAY) {
        rc = convert_array(c, t, o, v);
    } else if (t->type == IB_VALUE_OBJECT) {
        rc = convert_object(c, index, o, v);
    }
    if (rc == IB_OK) {
        *ret = v;
        v = NULL;
    }
    return rc;
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
    struct ib_str value_text = { NULL, 0 };
    enum ib_rc rc = scan_text(&s, &value_text);
    if (rc != IB_OK) {
        return rc;
    }
    IB_CLEANUP(put_object) struct json_object *o = NULL;
    rc = decode(value_text, max_depth, &o, err);
    if (rc != IB_OK) {
        return ib_error_context(err, "%s", what);
    }
    struct convert c = { .scan = &s, .what = what, .err = err };
    return convert_value(&c, o, ret);
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
