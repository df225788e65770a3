/* SPDX-License-Identifier: MIT */
/*
 * JSONPath text to its tree: recursive descent over the ABNF of RFC 9535, whose sections the
 * comments name. The rules are strict on purpose, blanks included: what the RFC calls not
 * well-formed is refused, as is what is not well-typed (section 2.4.3).
 */
#include "lib/arazzo/column.h"
#include "lib/arazzo/jsonpath_ast.h"
#include "lib/base/num.h"
#include "lib/base/text.h"

#define INT_MAX_JSON INT64_C(9007199254740991) /* 2^53 - 1, section 2.1 */

enum value_type {
    TYPE_VALUE,
    TYPE_NODES,
    TYPE_LOGICAL,
};

static const struct function {
    const char *name;
    enum ib_jp_function id;
    size_t arg_count;
    enum value_type arg, result;
} functions[] = {
    {"length", IB_JP_LENGTH, 1, TYPE_VALUE, TYPE_VALUE},
    {"count", IB_JP_COUNT, 1, TYPE_NODES, TYPE_VALUE},
    {"match", IB_JP_MATCH, 2, TYPE_VALUE, TYPE_LOGICAL},
    {"search", IB_JP_SEARCH, 2, TYPE_VALUE, TYPE_LOGICAL},
    {"value", IB_JP_VALUE, 1, TYPE_NODES, TYPE_VALUE},
};

struct parser {
    struct ib_jsonpath *q;
    struct ib_str in; /* a trimmed condition ends before the text does */
    size_t at;
    size_t depth;        /* of parentheses, filters and calls */
    size_t filter_depth; /* of filters alone */
    size_t *ret_column;
    struct ib_error *err;
};

static enum ib_rc parse_or(struct parser *p, struct ib_jp_logical **ret);
static enum ib_rc parse_query(struct parser *p, struct ib_jp_query **ret);
static enum ib_rc parse_operand(struct parser *p, struct ib_jp_operand **ret);

/* ------------------------------------------------------------------------------- small things */

#define FAIL(p, at, ...) ib_column_fail((p)->err, (p)->ret_column, (at), __VA_ARGS__)

static char peek_at(const struct parser *p, size_t ahead)
{
    return p->at + ahead < p->in.n ? p->in.p[p->at + ahead] : '\0';
}

static char peek(const struct parser *p)
{
    return peek_at(p, 0);
}

static bool take(struct parser *p, const char *token)
{
    if (!ib_str_starts(ib_str_skip(p->in, p->at), ib_str_from(token))) {
        return false;
    }
    p->at += strlen(token);
    return true;
}

/* S of the ABNF; blanks are the four of JSON. */
static void skip_blanks(struct parser *p)
{
    while (p->at < p->in.n && ib_ascii_space(p->in.p[p->at])) {
        p->at++;
    }
}

/* What stands here, for a sentence. */
static struct ib_str here(const struct parser *p)
{
    struct ib_str rest = ib_str_skip(p->in, p->at);

    return rest.n == 0 ? IB_STR("the end") : ib_str_head(rest, ib_utf8_len(rest.p, rest.n));
}

static enum ib_rc wants(struct parser *p, const char *what)
{
    struct ib_str seen = here(p);
    bool is_end = p->at >= p->in.n;

    return FAIL(p, p->at, "%s is wanted, not %s%.*s%s", what, is_end ? "" : "\"", IB_STR_ARG(seen),
                is_end ? "" : "\"");
}

static enum ib_rc enter(struct parser *p)
{
    if (++p->depth > IB_JSONPATH_DEPTH_MAX) {
        return ib_fail(p->err, IB_ELIMIT,
                       "column %zu: more than %d parentheses, filters and calls inside each other",
                       p->at + 1, IB_JSONPATH_DEPTH_MAX);
    }
    return IB_OK;
}

static void leave(struct parser *p)
{
    p->depth--;
}

/* *ret = a zeroed part of the tree. */
#define NEW(p, ret)                                           \
    (*(ret) = ib_arena_alloc(&(p)->q->arena, sizeof **(ret)), \
     *(ret) == NULL ? ib_fail_nomem((p)->err) : IB_OK)

/* ------------------------------------------------------------------- names, strings, numbers */

/* name-first and name-char, section 2.5.1.1; the text is known to be valid UTF-8. */
static bool is_name_char(char c, bool is_first)
{
    return ib_ascii_alpha(c) || c == '_' || (unsigned char)c >= 0x80 ||
           (!is_first && ib_ascii_digit(c));
}

static struct ib_str take_name(struct parser *p)
{
    size_t start = p->at;

    while (p->at < p->in.n && is_name_char(p->in.p[p->at], p->at == start)) {
        p->at++;
    }
    return (struct ib_str){p->in.p + start, p->at - start};
}

/* Four hexadecimal digits behind "\u". */
static enum ib_rc take_hex(struct parser *p, uint32_t *ret)
{
    uint32_t code = 0;

    for (size_t i = 0; i < 4; i++) {
        int digit = p->at < p->in.n ? ib_hex_value(p->in.p[p->at]) : -1;
        if (digit < 0) {
            return wants(p, "a hexadecimal digit");
        }
        code = code * 16 + (uint32_t)digit;
        p->at++;
    }
    *ret = code;
    return IB_OK;
}

/* "\uXXXX", behind the u; a high surrogate must have its low one. */
static enum ib_rc take_unicode(struct parser *p, struct ib_buf *out)
{
    size_t start = p->at - 2;
    uint32_t code = 0, low = 0;
    enum ib_rc rc = take_hex(p, &code);

    if (rc == IB_OK && code >= 0xd800 && code <= 0xdbff) {
        if (!take(p, "\\u")) {
            return FAIL(p, start, "half of a surrogate pair");
        }
        rc = take_hex(p, &low);
        if (rc == IB_OK && (low < 0xdc00 || low > 0xdfff)) {
            return FAIL(p, start, "half of a surrogate pair");
        }
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (rc == IB_OK && code >= 0xdc00 && code <= 0xdfff) {
        return FAIL(p, start, "half of a surrogate pair");
    }
    if (rc == IB_OK) {
        ib_utf8_add(out, code);
    }
    return rc;
}

static enum ib_rc take_escape(struct parser *p, char quote, struct ib_buf *out)
{
    static const char from[] = "bfnrt/\\", to[] = "\b\f\n\r\t/\\";
    size_t start = p->at++;
    char c = peek(p);
    const char *found = c == '\0' ? NULL : strchr(from, c);

    p->at++;
    if (c == 'u') {
        return take_unicode(p, out);
    }
    if (found != NULL) {
        ib_buf_add_char(out, to[found - from]);
    } else if (c == quote) {
        ib_buf_add_char(out, c);
    } else {
        return FAIL(p, start, "no escape of JSONPath; a backslash itself is written \\\\");
    }
    return IB_OK;
}

/* string-literal, section 2.3.1.1, at its quote. *ret lives in the arena. */
static enum ib_rc parse_string(struct parser *p, struct ib_str *ret)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_JSONPATH_TEXT_MAX);
    size_t start = p->at;
    char quote = p->in.p[p->at++];

    for (;;) {
        if (p->at >= p->in.n) {
            return FAIL(p, start, "this %c is not closed", quote);
        }
        char c = p->in.p[p->at];
        enum ib_rc rc = IB_OK;
        if (c == quote) {
            p->at++;
            break;
        }
        if ((unsigned char)c < 0x20) {
            return FAIL(p, p->at, "a control character inside of quotes is written \\u%04x", c);
        }
        if (c == '\\') {
            rc = take_escape(p, quote, &text);
        } else {
            ib_buf_add_char(&text, c);
            p->at++;
        }
        if (rc != IB_OK) {
            return rc;
        }
    }
    enum ib_rc rc = ib_buf_ok(&text, "text in quotes", p->err);
    if (rc == IB_OK) {
        *ret = ib_arena_str(&p->q->arena, ib_buf_str(&text));
        rc = ret->p == NULL ? ib_fail_nomem(p->err) : IB_OK;
    }
    return rc;
}

static bool at_int(const struct parser *p)
{
    return ib_ascii_digit(peek(p)) || peek(p) == '-';
}

/* int, section 2.3.3.1: no leading zeros, no -0, within I-JSON. */
static enum ib_rc parse_int(struct parser *p, int64_t *ret)
{
    size_t start = p->at;
    int64_t value = 0;

    if (peek(p) == '-') {
        p->at++;
    }
    size_t digits = p->at;
    while (ib_ascii_digit(peek(p))) {
        p->at++;
    }
    struct ib_str text = {p->in.p + start, p->at - start};
    bool has_leading_zero = p->at > digits && p->in.p[digits] == '0' && text.n > 1;
    if (p->at == digits || has_leading_zero) {
        return FAIL(p, start,
                    "\"%.*s\" is no index; it is written without leading zeros, zero as 0",
                    IB_STR_ARG(text));
    }
    if (ib_num_i64(text, -INT_MAX_JSON, INT_MAX_JSON, "index", &value, NULL) != IB_OK) {
        return FAIL(p, start, "index %.*s is beyond 2^53 - 1", IB_STR_ARG(text));
    }
    *ret = value;
    return IB_OK;
}

/* Give a literal to the query, which unrefs it at its end. */
static enum ib_rc keep_literal(struct parser *p, struct ib_value *v, struct ib_value **ret)
{
    struct ib_value *borrowed = v;
    enum ib_rc rc = ib_value_push(p->q->literals, v, p->err);

    if (rc == IB_OK) {
        *ret = borrowed;
    }
    return rc;
}

/* number of section 2.3.5.1: as JSON's, "-0" included. */
static enum ib_rc parse_number(struct parser *p, struct ib_value **ret)
{
    size_t start = p->at;
    bool is_int;
    int64_t i;
    double d;

    while (p->at < p->in.n && (ib_ascii_alnum(peek(p)) || strchr("+-.", peek(p)) != NULL)) {
        p->at++;
    }
    struct ib_str text = {p->in.p + start, p->at - start};
    enum ib_rc rc = ib_num_json(text, &is_int, &i, &d, NULL);
    if (rc == IB_ELIMIT) {
        return FAIL(p, start, "number %.*s is too large", IB_STR_ARG(text));
    }
    if (rc != IB_OK) {
        return FAIL(p, start, "\"%.*s\" is no number as JSON writes it", IB_STR_ARG(text));
    }
    return keep_literal(p, is_int ? ib_value_int(i) : ib_value_real(d), ret);
}

/* ------------------------------------------------------------------------ functions, operands */

static const char *type_words(enum value_type type)
{
    return type == TYPE_VALUE ? "a single value" : type == TYPE_NODES ? "a query" : "a test";
}

static const struct function *find_function(struct ib_str name)
{
    for (size_t i = 0; i < IB_ARRAY_LEN(functions); i++) {
        if (ib_str_eq_c(name, functions[i].name)) {
            return &functions[i];
        }
    }
    return NULL;
}

static enum value_type result_of(const struct ib_jp_call *call)
{
    for (size_t i = 0; i < IB_ARRAY_LEN(functions); i++) {
        if (functions[i].id == call->function) {
            return functions[i].result;
        }
    }
    return TYPE_VALUE;
}

/* Can the operand be used as this type (section 2.4.3)? */
static bool operand_fits(const struct ib_jp_operand *o, enum value_type type)
{
    switch (o->kind) {
    case IB_JP_LITERAL:
        return type == TYPE_VALUE;
    case IB_JP_QUERY:
        return type != TYPE_VALUE || o->query->is_singular;
    case IB_JP_CALL:
        return result_of(o->call) == type;
    }
    return false;
}

/* The second argument of match() and search() is compiled once when it is a literal text. */
static enum ib_rc compile_pattern(struct parser *p, struct ib_jp_call *call, size_t at)
{
    const struct ib_jp_operand *pattern = call->args[1];
    struct ib_regex *regex = NULL;

    if (pattern == NULL || pattern->kind != IB_JP_LITERAL ||
        !ib_value_is(pattern->literal, IB_VALUE_STRING)) {
        return IB_OK;
    }
    struct ib_regex **grown =
        reallocarray(p->q->regexes, p->q->regex_count + 1, sizeof(struct ib_regex *));
    if (grown == NULL) {
        return ib_fail_nomem(p->err);
    }
    p->q->regexes = grown;
    enum ib_rc rc =
        ib_regex_compile(ib_value_as_str(pattern->literal),
                         call->function == IB_JP_MATCH ? IB_REGEX_IREGEXP_WHOLE : IB_REGEX_IREGEXP,
                         &regex, NULL, p->err);
    if (rc != IB_OK) {
        if (p->ret_column != NULL) {
            *p->ret_column = at + 1;
        }
        (void)ib_error_context(p->err, "column %zu: pattern of %s()", at + 1,
                               call->function == IB_JP_MATCH ? "match" : "search");
        return rc;
    }
    call->regex = regex;
    p->q->regexes[p->q->regex_count++] = regex;
    return IB_OK;
}

static enum ib_rc parse_args(struct parser *p, const struct function *f, struct ib_jp_call *call)
{
    size_t last_at = p->at;

    for (size_t i = 0; i < f->arg_count; i++) {
        skip_blanks(p);
        size_t at = p->at;
        enum ib_rc rc = parse_operand(p, &call->args[i]);
        if (rc != IB_OK) {
            return rc;
        }
        if (!operand_fits(call->args[i], f->arg)) {
            return FAIL(p, at, "argument %zu of %s() must be %s", i + 1, f->name,
                        type_words(f->arg));
        }
        last_at = at;
        skip_blanks(p);
        if (i + 1 < f->arg_count && !take(p, ",")) {
            return FAIL(p, p->at, "%s() takes %zu arguments", f->name, f->arg_count);
        }
    }
    if (!take(p, ")")) {
        return peek(p) == ',' ? FAIL(p, p->at, "%s() takes %zu argument%s", f->name, f->arg_count,
                                     f->arg_count == 1 ? "" : "s")
                              : wants(p, "')'");
    }
    return compile_pattern(p, call, last_at);
}

/* function-expr, section 2.4, at its name; '(' follows it at once. */
static enum ib_rc parse_call(struct parser *p, struct ib_jp_call **ret)
{
    size_t start = p->at;

    while (ib_ascii_alnum(peek(p)) || peek(p) == '_') {
        p->at++;
    }
    struct ib_str name = {p->in.p + start, p->at - start};
    const struct function *f = find_function(name);
    if (f == NULL) {
        return FAIL(p, start, "no function %.*s(); there are length, count, match, search, value",
                    IB_STR_ARG(name));
    }
    p->at++; /* the '(' */
    enum ib_rc rc = enter(p);
    if (rc == IB_OK) {
        rc = NEW(p, ret);
    }
    if (rc == IB_OK) {
        (*ret)->function = f->id;
        rc = parse_args(p, f, *ret);
    }
    leave(p);
    return rc;
}

/* true, false, null or a function. */
static enum ib_rc parse_word(struct parser *p, struct ib_jp_operand *o)
{
    size_t n = 0;

    while (ib_ascii_alnum(peek_at(p, n)) || peek_at(p, n) == '_') {
        n++;
    }
    struct ib_str word = ib_str_head(ib_str_skip(p->in, p->at), n);
    if (peek_at(p, n) == '(') {
        o->kind = IB_JP_CALL;
        return parse_call(p, &o->call);
    }
    o->kind = IB_JP_LITERAL;
    bool is_true = ib_str_eq_c(word, "true");
    if (is_true || ib_str_eq_c(word, "false")) {
        p->at += n;
        return keep_literal(p, ib_value_bool(is_true), &o->literal);
    }
    if (ib_str_eq_c(word, "null")) {
        p->at += n;
        return keep_literal(p, ib_value_null(), &o->literal);
    }
    return FAIL(p, p->at, "\"%.*s\" means nothing here; text is written in quotes",
                IB_STR_ARG(word));
}

static enum ib_rc parse_string_literal(struct parser *p, struct ib_value **ret)
{
    size_t start = p->at;
    struct ib_str text = {NULL, 0};
    enum ib_rc rc = parse_string(p, &text);

    if (rc != IB_OK) {
        return rc;
    }
    if (ib_str_find(text, '\0') < text.n) {
        return FAIL(p, start, "text with a NUL character is not supported: no value can hold one");
    }
    return keep_literal(p, ib_value_string(text), ret);
}

/* What may stand beside an operator or as an argument: literal, query, function. */
static enum ib_rc parse_operand(struct parser *p, struct ib_jp_operand **ret)
{
    char c = peek(p);
    enum ib_rc rc = NEW(p, ret);

    if (rc != IB_OK) {
        return rc;
    }
    struct ib_jp_operand *o = *ret;
    if (c == '$' || c == '@') {
        o->kind = IB_JP_QUERY;
        return parse_query(p, &o->query);
    }
    o->kind = IB_JP_LITERAL;
    if (c == '\'' || c == '"') {
        return parse_string_literal(p, &o->literal);
    }
    if (at_int(p)) {
        return parse_number(p, &o->literal);
    }
    if (ib_ascii_alpha(c)) {
        return parse_word(p, o);
    }
    return wants(p, "a query ($ or @), a literal or a function");
}

/* ----------------------------------------------------------------------- logical expressions */

static bool take_op(struct parser *p, enum ib_jp_op *ret)
{
    static const struct {
        const char *text;
        enum ib_jp_op op;
    } ops[] = {{"==", IB_JP_EQ}, {"!=", IB_JP_NE}, {"<=", IB_JP_LE},
               {">=", IB_JP_GE}, {"<", IB_JP_LT},  {">", IB_JP_GT}};

    for (size_t i = 0; i < IB_ARRAY_LEN(ops); i++) {
        if (take(p, ops[i].text)) {
            *ret = ops[i].op;
            return true;
        }
    }
    return false;
}

/* One operand alone: an existence test, or a function that tests. */
static enum ib_rc check_test(struct parser *p, const struct ib_jp_operand *o, size_t at)
{
    if (o->kind == IB_JP_LITERAL) {
        return FAIL(p, at, "a literal alone is no test; compare it with something");
    }
    if (o->kind == IB_JP_CALL && result_of(o->call) != TYPE_LOGICAL) {
        return FAIL(p, at,
                    "this function gives a value, which is no test; compare it with something");
    }
    return IB_OK;
}

static enum ib_rc check_comparable(struct parser *p, const struct ib_jp_operand *o, size_t at)
{
    if (operand_fits(o, TYPE_VALUE)) {
        return IB_OK;
    }
    return o->kind == IB_JP_QUERY
               ? FAIL(p, at, "a query that may select several nodes cannot be compared")
               : FAIL(p, at, "the result of match() and search() cannot be compared");
}

static enum ib_rc parse_comparison_or_test(struct parser *p, bool is_negated,
                                           struct ib_jp_logical *l)
{
    size_t a_at = p->at;
    enum ib_rc rc = parse_operand(p, &l->a);

    if (rc != IB_OK) {
        return rc;
    }
    size_t end = p->at;
    skip_blanks(p);
    size_t op_at = p->at;
    if (!take_op(p, &l->op)) {
        p->at = end;
        l->kind = IB_JP_TEST;
        return check_test(p, l->a, a_at);
    }
    if (is_negated) {
        return FAIL(p, op_at, "'!' does not reach over a comparison; write !( ... )");
    }
    skip_blanks(p);
    size_t b_at = p->at;
    rc = parse_operand(p, &l->b);
    if (rc == IB_OK) {
        rc = check_comparable(p, l->a, a_at);
    }
    if (rc == IB_OK) {
        rc = check_comparable(p, l->b, b_at);
    }
    l->kind = IB_JP_COMPARE;
    return rc;
}

/* paren-expr, at its '('. */
static enum ib_rc parse_paren(struct parser *p, struct ib_jp_logical **ret)
{
    size_t start = p->at++;
    enum ib_rc rc = enter(p);

    if (rc == IB_OK) {
        skip_blanks(p);
        rc = parse_or(p, ret);
    }
    leave(p);
    if (rc != IB_OK) {
        return rc;
    }
    skip_blanks(p);
    if (!take(p, ")")) {
        return p->at >= p->in.n ? FAIL(p, start, "this '(' is not closed")
                                : wants(p, "\"&&\", \"||\" or ')'");
    }
    return IB_OK;
}

/* basic-expr, section 2.3.5.1. */
static enum ib_rc parse_basic(struct parser *p, struct ib_jp_logical **ret)
{
    bool is_negated = take(p, "!");
    struct ib_jp_logical *inner = NULL;
    enum ib_rc rc;

    if (is_negated) {
        skip_blanks(p);
    }
    if (peek(p) == '(') {
        rc = parse_paren(p, &inner);
    } else {
        rc = NEW(p, &inner);
        if (rc == IB_OK) {
            rc = parse_comparison_or_test(p, is_negated, inner);
        }
    }
    if (rc != IB_OK || !is_negated) {
        *ret = inner;
        return rc;
    }
    rc = NEW(p, ret);
    if (rc == IB_OK) {
        (*ret)->kind = IB_JP_NOT;
        (*ret)->left = inner;
    }
    return rc;
}

/* A row of parts with one operator between them. */
static enum ib_rc parse_row(struct parser *p, enum ib_jp_logical_kind kind,
                            struct ib_jp_logical **ret)
{
    struct ib_jp_logical **tail = ret;

    for (;;) {
        struct ib_jp_logical *part = NULL;
        enum ib_rc rc = kind == IB_JP_OR ? parse_row(p, IB_JP_AND, &part) : parse_basic(p, &part);
        if (rc != IB_OK) {
            return rc;
        }
        size_t end = p->at;
        skip_blanks(p);
        if (!take(p, kind == IB_JP_OR ? "||" : "&&")) {
            p->at = end;
            *tail = part;
            return IB_OK;
        }
        skip_blanks(p);
        rc = NEW(p, tail);
        if (rc != IB_OK) {
            return rc;
        }
        (*tail)->kind = kind;
        (*tail)->left = part;
        tail = &(*tail)->right;
    }
}

static enum ib_rc parse_or(struct parser *p, struct ib_jp_logical **ret)
{
    return parse_row(p, IB_JP_OR, ret);
}

/* ---------------------------------------------------------------------------------- segments */

/* Behind the first ':' of "start:end:step", section 2.3.4.1. */
static enum ib_rc parse_slice(struct parser *p, struct ib_jp_selector *s)
{
    enum ib_rc rc = IB_OK;

    s->kind = IB_JP_SLICE;
    s->step = 1;
    skip_blanks(p);
    s->has_end = at_int(p);
    if (s->has_end) {
        rc = parse_int(p, &s->end);
    }
    size_t end = p->at;
    skip_blanks(p);
    if (rc != IB_OK || !take(p, ":")) {
        p->at = end;
        return rc;
    }
    end = p->at;
    skip_blanks(p);
    if (at_int(p)) {
        return parse_int(p, &s->step);
    }
    p->at = end;
    return IB_OK;
}

static enum ib_rc parse_index_or_slice(struct parser *p, struct ib_jp_selector *s)
{
    enum ib_rc rc = IB_OK;

    s->kind = IB_JP_INDEX;
    s->has_start = at_int(p);
    if (s->has_start) {
        rc = parse_int(p, &s->start);
    }
    size_t end = p->at;
    skip_blanks(p);
    if (rc == IB_OK && take(p, ":")) {
        return parse_slice(p, s);
    }
    p->at = end;
    return rc;
}

static enum ib_rc parse_filter(struct parser *p, struct ib_jp_selector *s)
{
    enum ib_rc rc = enter(p);

    s->kind = IB_JP_FILTER;
    p->at++; /* the '?' */
    p->filter_depth++;
    if (rc == IB_OK) {
        skip_blanks(p);
        rc = parse_or(p, &s->filter);
    }
    p->filter_depth--;
    leave(p);
    return rc;
}

static enum ib_rc parse_selector(struct parser *p, struct ib_jp_selector **ret)
{
    char c = peek(p);
    enum ib_rc rc = NEW(p, ret);

    if (rc != IB_OK) {
        return rc;
    }
    if (c == '\'' || c == '"') {
        (*ret)->kind = IB_JP_NAME;
        return parse_string(p, &(*ret)->name);
    }
    if (c == '*') {
        p->at++;
        (*ret)->kind = IB_JP_WILDCARD;
        return IB_OK;
    }
    if (c == '?') {
        return parse_filter(p, *ret);
    }
    if (at_int(p) || c == ':') {
        return parse_index_or_slice(p, *ret);
    }
    return wants(p, "a selector (name in quotes, index, slice, * or ?filter)");
}

/* bracketed-selection, section 2.5.1.1, at its '['. */
static enum ib_rc parse_brackets(struct parser *p, struct ib_jp_selector **ret)
{
    size_t start = p->at++;
    struct ib_jp_selector **tail = ret;

    for (;;) {
        skip_blanks(p);
        enum ib_rc rc = parse_selector(p, tail);
        if (rc != IB_OK) {
            return rc;
        }
        tail = &(*tail)->next;
        skip_blanks(p);
        if (take(p, "]")) {
            return IB_OK;
        }
        if (!take(p, ",")) {
            return p->at >= p->in.n ? FAIL(p, start, "this '[' is not closed")
                                    : wants(p, "',' or ']'");
        }
    }
}

/* "*" or a name behind a dot. */
static enum ib_rc parse_shorthand(struct parser *p, struct ib_jp_selector **ret)
{
    enum ib_rc rc = NEW(p, ret);

    if (rc != IB_OK) {
        return rc;
    }
    if (take(p, "*")) {
        (*ret)->kind = IB_JP_WILDCARD;
        return IB_OK;
    }
    (*ret)->kind = IB_JP_NAME;
    (*ret)->name = take_name(p);
    if ((*ret)->name.n == 0) {
        return wants(p, "a name or * right after the dot (other names: ['a-b'])");
    }
    return IB_OK;
}

static enum ib_rc parse_segment(struct parser *p, struct ib_jp_segment **ret)
{
    enum ib_rc rc = NEW(p, ret);

    if (rc != IB_OK) {
        return rc;
    }
    (*ret)->is_descendant = take(p, "..");
    if (peek(p) == '[') {
        return parse_brackets(p, &(*ret)->selectors);
    }
    if (!(*ret)->is_descendant) {
        p->at++; /* the '.' */
    }
    return parse_shorthand(p, &(*ret)->selectors);
}

static bool is_singular(const struct ib_jp_segment *s)
{
    return !s->is_descendant && s->selectors->next == NULL &&
           (s->selectors->kind == IB_JP_NAME || s->selectors->kind == IB_JP_INDEX);
}

/* jsonpath-query or rel-query, at its $ or @. Blanks behind it are left to the caller. */
static enum ib_rc parse_query(struct parser *p, struct ib_jp_query **ret)
{
    size_t start = p->at;
    enum ib_rc rc = NEW(p, ret);

    if (rc != IB_OK) {
        return rc;
    }
    struct ib_jp_query *query = *ret;
    struct ib_jp_segment **tail = &query->segments;
    query->is_absolute = peek(p) == '$';
    query->is_singular = true;
    p->at++;
    for (;;) {
        size_t end = p->at;
        skip_blanks(p);
        if (peek(p) != '.' && peek(p) != '[') {
            p->at = end;
            break;
        }
        rc = parse_segment(p, tail);
        if (rc != IB_OK) {
            return rc;
        }
        query->is_singular = query->is_singular && is_singular(*tail);
        /* In a filter @ is something else than the value itself. */
        p->q->descends = p->q->descends || query->is_absolute || p->filter_depth == 0;
        tail = &(*tail)->next;
    }
    query->text = (struct ib_str){p->in.p + start, p->at - start};
    return IB_OK;
}

/* ------------------------------------------------------------------------------------- doors */

static enum ib_rc check_text(struct ib_str text, size_t *ret_column, struct ib_error *err)
{
    size_t at = 0;

    if (text.n > IB_JSONPATH_TEXT_MAX) {
        return ib_fail(err, IB_ELIMIT, "a JSONPath of %zu bytes; the most is %d", text.n,
                       IB_JSONPATH_TEXT_MAX);
    }
    while (at < text.n) {
        size_t n = ib_utf8_len(text.p + at, text.n - at);
        if (n == 0 || text.p[at] == '\0') {
            return ib_column_fail(err, ret_column, at,
                                  n == 0 ? "not valid UTF-8" : "a NUL byte in a JSONPath");
        }
        at += n;
    }
    return IB_OK;
}

static enum ib_rc parse_whole(struct parser *p, bool is_condition)
{
    enum ib_rc rc;

    if (is_condition) {
        skip_blanks(p);
        if (p->at >= p->in.n) {
            return FAIL(p, 0, "the condition is empty");
        }
        rc = parse_or(p, &p->q->logical);
    } else if (peek(p) == '$') {
        rc = parse_query(p, &p->q->query);
    } else {
        return wants(p, "'$' at the start of a query");
    }
    if (rc != IB_OK || p->at >= p->in.n) {
        return rc;
    }
    if (!is_condition) {
        return wants(p, "'.' or '[' or the end of the query");
    }
    skip_blanks(p);
    size_t at = p->at;
    if (take_op(p, &(enum ib_jp_op){IB_JP_EQ})) {
        return FAIL(p, at, "comparisons do not chain; join two with &&");
    }
    return peek(p) == '='   ? FAIL(p, p->at, "equality is written ==")
           : peek(p) == '&' ? FAIL(p, p->at, "\"and\" is written &&")
           : peek(p) == '|' ? FAIL(p, p->at, "\"or\" is written ||")
                            : wants(p, "an operator or the end of the condition");
}

static enum ib_rc compile(struct ib_str text, bool is_condition, struct ib_jsonpath **ret,
                          size_t *ret_column, struct ib_error *err)
{
    enum ib_rc rc = check_text(text, ret_column, err);
    if (rc != IB_OK) {
        return rc;
    }
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *q = calloc(1, sizeof *q);
    if (q == NULL) {
        return ib_fail_nomem(err);
    }
    q->literals = ib_value_array();
    q->text = ib_arena_str(&q->arena, text);
    if (q->literals == NULL || q->text.p == NULL) {
        return ib_fail_nomem(err);
    }
    struct parser p = {.q = q, .in = q->text, .ret_column = ret_column, .err = err};
    if (is_condition) {
        while (p.in.n > 0 && ib_ascii_space(p.in.p[p.in.n - 1])) {
            p.in.n--;
        }
    }
    rc = parse_whole(&p, is_condition);
    if (rc == IB_OK) {
        *ret = q;
        q = NULL;
    }
    return rc;
}

enum ib_rc ib_jsonpath_compile(struct ib_str text, struct ib_jsonpath **ret, size_t *ret_column,
                               struct ib_error *err)
{
    return compile(text, /* is_condition= */ false, ret, ret_column, err);
}

enum ib_rc ib_jsonpath_compile_condition(struct ib_str text, struct ib_jsonpath **ret,
                                         size_t *ret_column, struct ib_error *err)
{
    return compile(text, /* is_condition= */ true, ret, ret_column, err);
}

void ib_jsonpath_free(struct ib_jsonpath *q)
{
    if (q == NULL) {
        return;
    }
    for (size_t i = 0; i < q->regex_count; i++) {
        ib_regex_free(q->regexes[i]);
    }
    free(q->regexes);
    ib_value_unref(q->literals);
    ib_arena_fini(&q->arena);
    free(q);
}

void ib_jsonpath_cleanup(struct ib_jsonpath **q)
{
    ib_jsonpath_free(*q);
}

bool ib_jsonpath_descends(const struct ib_jsonpath *q)
{
    return q->descends;
}
