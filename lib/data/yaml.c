/* SPDX-License-Identifier: MIT */
/* YAML text to values. libyaml cuts it into events; types, keys, caps and places are ours. */
#include "lib/data/yaml.h"

#include <yaml.h>

#include "lib/base/num.h"
#include "lib/base/text.h"

/* Follows libyaml through the text: its marks count characters, ours bytes. */
struct cursor {
    size_t index; /* characters before this place */
    size_t at;    /* bytes before this place */
    size_t line_at;
    uint32_t line;
};

struct reader {
    yaml_parser_t parser;
    struct ib_str text;
    struct cursor cursor;
    const char *what;
    struct ib_error *err;
    size_t events, max_events;
    struct ib_value *root;
    struct ib_value *open[IB_YAML_DEPTH_MAX]; /* containers that are being filled; owned by root */
    size_t depth;
    char *key; /* of the member whose value comes next; NULL when a key comes next */
    size_t key_len;
    struct ib_mark key_mark;
};

static void reader_fini(struct reader *r)
{
    yaml_parser_delete(&r->parser);
    ib_value_unref(r->root);
    free(r->key);
}

static enum ib_rc IB_PRINTF(4, 5)
    fail_at(struct reader *r, struct ib_mark mark, enum ib_rc rc, const char *fmt, ...)
{
    char rule[IB_ERROR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(rule, sizeof rule, fmt, ap);
    va_end(ap);
    return ib_fail(r->err, rc, "%s:%" PRIu32 ":%" PRIu32 ": %s", r->what, mark.line, mark.column,
                   n < 0 ? "not valid YAML" : rule);
}

/* --- places ------------------------------------------------------------------------------------ */

static void cursor_start(struct cursor *c)
{
    *c = (struct cursor){ .line = 1 };
}

/* One character on; CR LF is one line's end but two characters. */
static void cursor_step(struct cursor *c, struct ib_str text)
{
    char here = text.p[c->at];
    size_t len = ib_utf8_len(text.p + c->at, text.n - c->at);

    c->at += len > 0 ? len : 1;
    c->index++;
    bool in_crlf = here == '\r' && c->at < text.n && text.p[c->at] == '\n';
    if (here == '\n' || (here == '\r' && !in_crlf)) {
        c->line++;
        c->line_at = c->at;
    }
}

static void cursor_back(struct cursor *c, struct ib_str text)
{
    do {
        c->at--;
    } while (c->at > c->line_at && ((unsigned char)text.p[c->at] & 0xC0U) == 0x80U);
    c->index--;
}

/* Events come in the order of the text, so all steps together are linear in it. */
static struct ib_mark mark_of(struct reader *r, yaml_mark_t where)
{
    struct cursor *c = &r->cursor;

    while (c->index > where.index && c->at > c->line_at) {
        cursor_back(c, r->text);
    }
    if (c->index > where.index) {
        cursor_start(c);
    }
    while (c->index < where.index && c->at < r->text.n) {
        cursor_step(c, r->text);
    }
    return (struct ib_mark){ c->line, (uint32_t)(c->at - c->line_at + 1) };
}

/* --- bytes ------------------------------------------------------------------------------------- */

static const char *unwanted_character(uint32_t code)
{
    if (code == UINT32_MAX) {
        return "not valid UTF-8";
    }
    if (code == 0x85 || code == 0x2028 || code == 0x2029) {
        return "a line separator of YAML 1.1 (U+0085, U+2028 or U+2029); write it as an escape";
    }
    bool control = (code < 0x20 && code != '\t' && code != '\n' && code != '\r') ||
                   (code >= 0x7F && code < 0xA0);
    if (control || code == 0xFEFF || code == 0xFFFE || code == 0xFFFF) {
        return "a character that YAML does not allow (control character or byte order mark)";
    }
    return NULL;
}

/* After this libyaml's reader has nothing to complain about: its errors have no line. */
static enum ib_rc check_characters(struct reader *r)
{
    struct cursor c;
    size_t len;

    if (r->text.n >= 2 && (memcmp(r->text.p, "\xFF\xFE", 2) == 0 ||
                           memcmp(r->text.p, "\xFE\xFF", 2) == 0)) {
        return fail_at(r, (struct ib_mark){ 1, 1 }, IB_EPARSE, "UTF-16; save it as UTF-8");
    }
    cursor_start(&c);
    while (c.at < r->text.n) {
        const char *problem =
            unwanted_character(ib_utf8_decode(r->text.p + c.at, r->text.n - c.at, &len));
        if (problem != NULL) {
            struct ib_mark mark = { c.line, (uint32_t)(c.at - c.line_at + 1) };
            return fail_at(r, mark, IB_EPARSE, "%s", problem);
        }
        cursor_step(&c, r->text);
    }
    return IB_OK;
}

/* --- plain scalars ----------------------------------------------------------------------------- */

static bool is_any_of(struct ib_str s, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (ib_str_eq_c(s, *words)) {
            return true;
        }
    }
    return false;
}

static const char *const null_words[] = { "", "~", "null", "Null", "NULL", NULL };
static const char *const true_words[] = { "true", "True", "TRUE", NULL };
static const char *const false_words[] = { "false", "False", "FALSE", NULL };
static const char *const no_number_words[] = { ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF",
                                               "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN",
                                               NULL };

static size_t digits_at(struct ib_str s, size_t at)
{
    size_t start = at;

    while (at < s.n && ib_ascii_digit(s.p[at])) {
        at++;
    }
    return at - start;
}

/*
 * [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?   (YAML 1.2.2 §10.3.2)
 * Writes the same number as JSON has it: no plus, no leading zeros, digits around the point.
 */
static bool number_to_json(struct ib_str s, struct ib_buf *json)
{
    size_t at = 0;

    if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
        ib_buf_add(json, s.p, s.p[0] == '-' ? 1 : 0);
        at = 1;
    }
    size_t whole = digits_at(s, at);
    size_t zeros = 0;
    while (zeros + 1 < whole && s.p[at + zeros] == '0') {
        zeros++;
    }
    ib_buf_add_str(json, whole == 0 ? IB_STR("0") : (struct ib_str){ s.p + at + zeros, whole - zeros });
    at += whole;
    size_t fraction = 0;
    if (at < s.n && s.p[at] == '.') {
        fraction = digits_at(s, ++at);
        ib_buf_add_char(json, '.');
        ib_buf_add_str(json, fraction == 0 ? IB_STR("0") : (struct ib_str){ s.p + at, fraction });
        at += fraction;
    }
    if (whole == 0 && fraction == 0) {
        return false;
    }
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        size_t sign = at + 1 < s.n && (s.p[at + 1] == '-' || s.p[at + 1] == '+') ? 1 : 0;
        size_t exponent = digits_at(s, at + 1 + sign);
        if (exponent == 0) {
            return false;
        }
        ib_buf_add(json, s.p + at, 1 + sign + exponent);
        at += 1 + sign + exponent;
    }
    return at == s.n;
}

/* 0o17 and 0x1F; false when s is neither. Too large for an int64: *ret_fits false, *ret_rough set. */
static bool based_number(struct ib_str s, bool *ret_fits, int64_t *ret_exact, double *ret_rough)
{
    if (s.n < 3 || s.p[0] != '0' || (s.p[1] != 'o' && s.p[1] != 'x')) {
        return false;
    }
    const int base = s.p[1] == 'o' ? 8 : 16;
    int64_t exact = 0;
    double rough = 0;
    bool fits = true;
    for (size_t i = 2; i < s.n; i++) {
        int digit = ib_hex_value(s.p[i]);
        if (digit < 0 || digit >= base) {
            return false;
        }
        fits = fits && !__builtin_mul_overflow(exact, base, &exact) &&
               !__builtin_add_overflow(exact, digit, &exact);
        rough = rough * base + digit;
    }
    *ret_fits = fits;
    *ret_exact = exact;
    *ret_rough = rough;
    return true;
}

/* Value of a plain scalar; NULL with err written when it has none. */
static struct ib_value *plain_value(struct reader *r, struct ib_str s, struct ib_mark mark)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf json = IB_BUF_INIT(1024);
    bool is_int;
    int64_t i = 0;
    double d = 0;

    if (is_any_of(s, null_words)) {
        return ib_value_null();
    }
    if (is_any_of(s, true_words) || is_any_of(s, false_words)) {
        return ib_value_bool(is_any_of(s, true_words));
    }
    if (is_any_of(s, no_number_words)) {
        (void)fail_at(r, mark, IB_EPARSE, "%.*s has no value in JSON; quote it if it is a text",
                      IB_STR_ARG(s));
        return NULL;
    }
    if (based_number(s, &is_int, &i, &d)) {
        if (!is_int && !__builtin_isfinite(d)) {
            (void)fail_at(r, mark, IB_EPARSE, "number is too large");
            return NULL;
        }
        return is_int ? ib_value_int(i) : ib_value_real(d);
    }
    if (s.n > 512 || !number_to_json(s, &json)) {
        return ib_value_string(s);
    }
    if (json.failed) {
        return NULL;
    }
    struct ib_error why = IB_ERROR_INIT;
    if (ib_num_json(ib_buf_str(&json), &is_int, &i, &d, &why) != IB_OK) {
        (void)fail_at(r, mark, IB_EPARSE, "%s", why.text);
        return NULL;
    }
    return is_int ? ib_value_int(i) : ib_value_real(d);
}

/* --- events ------------------------------------------------------------------------------------ */

static enum ib_rc refuse_properties(struct reader *r, const yaml_char_t *anchor,
                                    const yaml_char_t *tag, struct ib_mark mark)
{
    if (anchor != NULL) {
        return fail_at(r, mark, IB_EPARSE, "anchors (&%s) are not allowed", (const char *)anchor);
    }
    if (tag != NULL) {
        return fail_at(r, mark, IB_EPARSE, "tags (%s) are not allowed", (const char *)tag);
    }
    return IB_OK;
}

static bool key_comes_next(const struct reader *r)
{
    return r->depth > 0 && r->key == NULL &&
           ib_value_is(r->open[r->depth - 1], IB_VALUE_OBJECT);
}

/* Put v, whose reference is taken over, where the text says. */
static enum ib_rc place(struct reader *r, struct ib_value *v, struct ib_mark mark)
{
    if (v == NULL) {
        return ib_fail_nomem(r->err);
    }
    ib_value_set_mark(v, mark);
    if (r->depth == 0) {
        r->root = v;
        return IB_OK;
    }
    struct ib_value *container = r->open[r->depth - 1];
    if (ib_value_is(container, IB_VALUE_ARRAY)) {
        return ib_value_push(container, v, r->err);
    }
    enum ib_rc rc =
        ib_value_add(container, (struct ib_str){ r->key, r->key_len }, r->key_mark, v, r->err);
    if (rc == IB_EPARSE) {
        (void)ib_error_context(r->err, "%s:%" PRIu32 ":%" PRIu32, r->what, r->key_mark.line,
                               r->key_mark.column);
    }
    free(r->key);
    r->key = NULL;
    return rc;
}

static bool only_digits(struct ib_str s)
{
    return s.n > 0 && digits_at(s, 0) == s.n;
}

static enum ib_rc on_key(struct reader *r, struct ib_str s, bool plain, struct ib_mark mark)
{
    if (plain && ib_str_eq_c(s, "<<")) {
        return fail_at(r, mark, IB_EPARSE, "merge keys (<<) are not allowed");
    }
    if (plain && s.n == 0) {
        return fail_at(r, mark, IB_EPARSE, "the key is absent");
    }
    if (plain && !only_digits(s)) {
        struct ib_error unused = IB_ERROR_INIT;
        struct reader quiet = { .what = r->what, .err = &unused };
        IB_CLEANUP(ib_value_cleanup) struct ib_value *v = plain_value(&quiet, s, mark);
        if (v == NULL && unused.rc == IB_OK) {
            return ib_fail_nomem(r->err);
        }
        if (!ib_value_is(v, IB_VALUE_STRING)) {
            struct ib_str shown = ib_str_head(s, 32);
            return fail_at(r, mark, IB_EPARSE, "the key %.*s is %s, not a string; quote it",
                           IB_STR_ARG(shown), v == NULL ? "no text" : ib_value_type_name(v));
        }
    }
    r->key = ib_str_dup(s);
    r->key_len = s.n;
    r->key_mark = mark;
    if (r->key == NULL) {
        return memchr(s.p, '\0', s.n) != NULL
                   ? fail_at(r, mark, IB_EPARSE, "a key holds a NUL character")
                   : ib_fail_nomem(r->err);
    }
    return IB_OK;
}

static enum ib_rc on_scalar(struct reader *r, const yaml_event_t *event, struct ib_mark mark)
{
    struct ib_str s = { (const char *)event->data.scalar.value, event->data.scalar.length };
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    enum ib_rc rc = refuse_properties(r, event->data.scalar.anchor, event->data.scalar.tag, mark);

    if (rc != IB_OK) {
        return rc;
    }
    if (key_comes_next(r)) {
        return on_key(r, s, plain, mark);
    }
    struct ib_value *v = NULL;
    if (plain) {
        v = plain_value(r, s, mark);
        if (v == NULL && r->err->rc != IB_OK) {
            return r->err->rc;
        }
    } else if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL) {
        return fail_at(r, mark, IB_EPARSE, "a string holds a NUL character");
    } else {
        v = ib_value_string(s);
    }
    return place(r, v, mark);
}

static enum ib_rc on_open(struct reader *r, struct ib_value *container, struct ib_mark mark)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = container;

    if (key_comes_next(r)) {
        return fail_at(r, mark, IB_EPARSE, "a key is %s, not a string", ib_value_type_name(v));
    }
    if (r->depth == IB_YAML_DEPTH_MAX) {
        return fail_at(r, mark, IB_ELIMIT, "nested deeper than %d levels", IB_YAML_DEPTH_MAX);
    }
    enum ib_rc rc = place(r, v, mark);
    if (rc == IB_OK) {
        IB_ASSERT(v != NULL);
        r->open[r->depth++] = v;
    }
    v = NULL; /* placed, or given up by place() */
    return rc;
}

static enum ib_rc on_document(struct reader *r, const yaml_event_t *event, struct ib_mark mark)
{
    if (r->root != NULL) {
        return fail_at(r, mark, IB_EPARSE, "a second document begins; only one is allowed");
    }
    if (event->data.document_start.tag_directives.start !=
        event->data.document_start.tag_directives.end) {
        return fail_at(r, mark, IB_EPARSE, "%%TAG directives are not allowed");
    }
    return IB_OK;
}

static enum ib_rc on_event(struct reader *r, const yaml_event_t *event)
{
    struct ib_mark mark = mark_of(r, event->start_mark);
    enum ib_rc rc;

    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(r, event, mark);
    case YAML_SEQUENCE_START_EVENT:
        rc = refuse_properties(r, event->data.sequence_start.anchor,
                               event->data.sequence_start.tag, mark);
        return rc != IB_OK ? rc : on_open(r, ib_value_array(), mark);
    case YAML_MAPPING_START_EVENT:
        rc = refuse_properties(r, event->data.mapping_start.anchor, event->data.mapping_start.tag,
                               mark);
        return rc != IB_OK ? rc : on_open(r, ib_value_object(), mark);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        IB_ASSERT(r->depth > 0 && r->key == NULL);
        r->depth--;
        return IB_OK;
    case YAML_ALIAS_EVENT:
        return fail_at(r, mark, IB_EPARSE, "aliases (*%s) are not allowed",
                       (const char *)event->data.alias.anchor);
    case YAML_DOCUMENT_START_EVENT:
        return on_document(r, event, mark);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return IB_OK;
    }
    return ib_fail(r->err, IB_EBUG, "%s: libyaml made an event of kind %d", r->what,
                   (int)event->type);
}

static enum ib_rc fail_parser(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem == NULL ? "not valid YAML" : p->problem;

    if (p->error == YAML_MEMORY_ERROR) {
        return ib_fail_nomem(r->err);
    }
    struct ib_mark mark = mark_of(r, p->problem_mark);
    if (p->context == NULL) {
        return fail_at(r, mark, IB_EPARSE, "%s", problem);
    }
    return fail_at(r, mark, IB_EPARSE, "%s, %s", problem, p->context);
}

static enum ib_rc read_events(struct reader *r)
{
    for (bool done = false; !done;) {
        yaml_event_t event;
        if (yaml_parser_parse(&r->parser, &event) == 0) {
            return fail_parser(r);
        }
        enum ib_rc rc = IB_OK;
        if (++r->events > r->max_events) {
            rc = fail_at(r, mark_of(r, event.start_mark), IB_ELIMIT, "more than %zu values",
                         r->max_events);
        }
        if (rc == IB_OK) {
            rc = on_event(r, &event);
        }
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (rc != IB_OK) {
            return rc;
        }
    }
    return IB_OK;
}

enum ib_rc ib_yaml_parse(struct ib_str text, const char *what, struct ib_value **ret,
                         struct ib_error *err)
{
    return ib_yaml_parse_limited(text, what, /* limits= */ NULL, ret, err);
}

static size_t limit_or(size_t limit, size_t otherwise)
{
    return limit == 0 ? otherwise : limit;
}

enum ib_rc ib_yaml_parse_limited(struct ib_str text, const char *what,
                                 const struct ib_yaml_limits *limits, struct ib_value **ret,
                                 struct ib_error *err)
{
    size_t max_bytes = limit_or(limits == NULL ? 0 : limits->max_bytes, IB_YAML_BYTES_MAX);
    size_t max_events = limit_or(limits == NULL ? 0 : limits->max_events, IB_YAML_EVENTS_MAX);
    struct ib_error own = IB_ERROR_INIT;

    if (text.n > max_bytes) {
        return ib_fail(err, IB_ELIMIT, "%s: YAML of %zu bytes, more than %zu", what, text.n,
                       max_bytes);
    }
    if (err == NULL) {
        err = &own;
    }
    err->rc = IB_OK;
    if (ib_str_starts(text, IB_STR("\xEF\xBB\xBF"))) {
        text = ib_str_skip(text, 3);
    }
    IB_CLEANUP(reader_fini) struct reader r = { .text = text, .what = what, .err = err, .max_events = max_events };
    cursor_start(&r.cursor);
    enum ib_rc rc = check_characters(&r);
    if (rc != IB_OK) {
        return rc;
    }
    if (yaml_parser_initialize(&r.parser) == 0) {
        return ib_fail_nomem(err);
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.n > 0 ? text.p : ""), text.n);
    rc = read_events(&r);
    if (rc != IB_OK) {
        return rc;
    }
    if (r.root == NULL) {
        return ib_fail(err, IB_EPARSE, "%s:1:1: empty where a YAML document should be", what);
    }
    *ret = r.root;
    r.root = NULL;
    return IB_OK;
}
