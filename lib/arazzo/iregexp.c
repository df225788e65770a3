/* SPDX-License-Identifier: MIT */
/* I-Regexp (RFC 9485) to PCRE2, in one pass without recursion. */
#include "lib/arazzo/iregexp.h"

#include "lib/arazzo/column.h"
#include "lib/base/text.h"

struct translator {
    struct ib_str in;
    size_t at;
    struct ib_buf *out;
    size_t *ret_column;
    struct ib_error *err;
};

/* The next byte; NUL at the end. A NUL in the pattern is refused before. */
static char peek(const struct translator *t)
{
    return t->at < t->in.n ? t->in.p[t->at] : '\0';
}

/* One character as itself: PCRE2 takes a backslash before any ASCII punctuation as "literally". */
static void put_literal(struct translator *t)
{
    size_t n = ib_utf8_len(t->in.p + t->at, t->in.n - t->at);
    char c = peek(t);

    if (n == 1 && c > ' ' && c < 0x7f && !ib_ascii_alnum(c)) {
        ib_buf_add_char(t->out, '\\');
    }
    ib_buf_add(t->out, t->in.p + t->at, n);
    t->at += n;
}

/* "\p{Lu}", behind the backslash. */
static enum ib_rc put_category(struct translator *t)
{
    static const struct {
        char major;
        const char *minor;
    } categories[] = {{'L', "lmotu"}, {'M', "cen"},  {'N', "dlo"}, {'P', "cdefios"},
                      {'Z', "lps"},   {'S', "ckmo"}, {'C', "cfno"}};
    struct ib_str rest = ib_str_skip(t->in, t->at);
    size_t end = ib_str_find(rest, '}');

    if (rest.n > 2 && rest.p[1] == '{' && (end == 3 || end == 4)) {
        for (size_t i = 0; i < IB_ARRAY_LEN(categories); i++) {
            if (rest.p[2] == categories[i].major &&
                (end == 3 || strchr(categories[i].minor, rest.p[3]) != NULL)) {
                ib_buf_add_char(t->out, '\\');
                ib_buf_add_str(t->out, ib_str_head(rest, end + 1));
                t->at += end + 1;
                return IB_OK;
            }
        }
    }
    return ib_column_fail(t->err, t->ret_column, t->at,
                          "\\%c wants a category of characters like {Lu} or {N}", peek(t));
}

/* An escape, at its backslash. is_set tells that it stands for many characters. */
static enum ib_rc put_escape(struct translator *t, bool *is_set)
{
    size_t start = t->at++;
    char c = peek(t);

    *is_set = c == 'p' || c == 'P';
    if (*is_set) {
        return put_category(t);
    }
    if (c == 'n' || c == 'r' || c == 't') {
        ib_buf_add_char(t->out, '\\');
        ib_buf_add_char(t->out, c);
        t->at++;
        return IB_OK;
    }
    if (c != '\0' && strchr("()*+-.?[\\]^{|}", c) != NULL) {
        put_literal(t);
        return IB_OK;
    }
    if (c == '\0') {
        return ib_column_fail(t->err, t->ret_column, start, "the pattern ends in a lone backslash");
    }
    const char *hint = c == 'd' ? "; write [0-9]" : c == 's' ? "; write [ \\t\\n\\r]" : "";
    struct ib_str shown = {t->in.p + t->at, ib_utf8_len(t->in.p + t->at, t->in.n - t->at)};
    return ib_column_fail(t->err, t->ret_column, start, "I-Regexp (RFC 9485) has no \\%.*s%s",
                          IB_STR_ARG(shown), hint);
}

/* A character of a class; *ret its code, or SIZE_MAX for a category. */
static enum ib_rc put_class_char(struct translator *t, uint32_t *ret)
{
    char c = peek(t);
    size_t n;

    if (c == '[') {
        return ib_column_fail(t->err, t->ret_column, t->at, "'[' in a class is written \\[");
    }
    if (c != '\\') {
        *ret = ib_utf8_decode(t->in.p + t->at, t->in.n - t->at, &n);
        put_literal(t);
        return IB_OK;
    }
    char escaped = t->at + 1 < t->in.n ? t->in.p[t->at + 1] : '\0';
    bool is_set;
    enum ib_rc rc = put_escape(t, &is_set);
    *ret = is_set           ? UINT32_MAX
           : escaped == 'n' ? '\n'
           : escaped == 'r' ? '\r'
           : escaped == 't' ? '\t'
                            : (uint32_t)(unsigned char)escaped;
    return rc;
}

/* CCE1: a category, a character or a range of two. */
static enum ib_rc put_class_item(struct translator *t)
{
    size_t start = t->at;
    uint32_t first = 0, last = 0;
    enum ib_rc rc = put_class_char(t, &first);

    bool is_range = rc == IB_OK && first != UINT32_MAX && peek(t) == '-' && t->at + 1 < t->in.n &&
                    t->in.p[t->at + 1] != ']';
    if (!is_range) {
        return rc;
    }
    t->at++;
    if (peek(t) == '-') {
        return ib_column_fail(t->err, t->ret_column, t->at,
                              "'-' at the end of a range is written \\-");
    }
    ib_buf_add_char(t->out, '-');
    rc = put_class_char(t, &last);
    if (rc == IB_OK && (last == UINT32_MAX || last < first)) {
        rc = ib_column_fail(t->err, t->ret_column, start, "the range ends before it begins");
    }
    return rc;
}

/* "[...]", at the bracket. */
static enum ib_rc put_class(struct translator *t)
{
    size_t start = t->at++;
    enum ib_rc rc = IB_OK;

    ib_buf_add_char(t->out, '[');
    if (peek(t) == '^') {
        ib_buf_add_char(t->out, '^');
        t->at++;
    }
    for (bool is_first = true; rc == IB_OK; is_first = false) {
        char c = peek(t);
        if (c == '\0') {
            return ib_column_fail(t->err, t->ret_column, start, "this '[' is not closed");
        }
        if (c == ']' && is_first) {
            return ib_column_fail(t->err, t->ret_column, start, "the class is empty");
        }
        if (c == ']') {
            break;
        }
        bool is_last = t->at + 1 < t->in.n && t->in.p[t->at + 1] == ']';
        if (c == '-' && !is_first && !is_last) {
            return ib_column_fail(t->err, t->ret_column, t->at,
                                  "'-' between characters of a class is written \\-");
        }
        if (c == '-') {
            put_literal(t);
        } else {
            rc = put_class_item(t);
        }
    }
    t->at++;
    ib_buf_add_char(t->out, ']');
    return rc;
}

static size_t count_digits(const struct translator *t, size_t at)
{
    size_t n = 0;

    while (at + n < t->in.n && ib_ascii_digit(t->in.p[at + n])) {
        n++;
    }
    return n;
}

/* "*", "+", "?", "{n}", "{n,}", "{n,m}" when one stands here. */
static enum ib_rc put_quantifier(struct translator *t)
{
    char c = peek(t);
    size_t start = t->at;

    if (c == '*' || c == '+' || c == '?') {
        ib_buf_add_char(t->out, c);
        t->at++;
        return IB_OK;
    }
    if (c != '{') {
        return IB_OK;
    }
    size_t digits = count_digits(t, start + 1);
    t->at += 1 + digits;
    if (digits > 0 && peek(t) == ',') {
        t->at++;
        t->at += count_digits(t, t->at);
    }
    if (digits == 0 || peek(t) != '}') {
        return ib_column_fail(t->err, t->ret_column, start,
                              "a count is written {2}, {2,} or {2,5}; a brace itself \\{");
    }
    t->at++;
    ib_buf_add(t->out, t->in.p + start, t->at - start);
    return IB_OK;
}

/* One atom with its quantifier, or one of ( ) |. depth counts open groups. */
static enum ib_rc put_piece(struct translator *t, size_t *depth)
{
    char c = peek(t);
    bool is_set;
    enum ib_rc rc = IB_OK;

    switch (c) {
    case '|':
        ib_buf_add_char(t->out, c);
        t->at++;
        return IB_OK;
    case '(':
        if (++*depth > IB_IREGEXP_DEPTH_MAX) {
            return ib_fail(t->err, IB_ELIMIT, "pattern: more than %d groups inside each other",
                           IB_IREGEXP_DEPTH_MAX);
        }
        ib_buf_add_c(t->out, "(?:");
        t->at++;
        return IB_OK;
    case ')':
        if (*depth == 0) {
            return ib_column_fail(t->err, t->ret_column, t->at, "this ')' closes nothing");
        }
        --*depth;
        ib_buf_add_char(t->out, c);
        t->at++;
        return put_quantifier(t);
    case '*':
    case '+':
    case '?':
    case '{':
        return ib_column_fail(t->err, t->ret_column, t->at, "'%c' repeats nothing", c);
    case ']':
    case '}':
        return ib_column_fail(t->err, t->ret_column, t->at, "'%c' is written \\%c", c, c);
    case '.':
        ib_buf_add_c(t->out, "[^\\n\\r]");
        t->at++;
        return put_quantifier(t);
    case '^':
    case '$':
        ib_buf_add_char(t->out, c);
        t->at++;
        return IB_OK;
    case '[':
        rc = put_class(t);
        break;
    case '\\':
        rc = put_escape(t, &is_set);
        break;
    default:
        put_literal(t);
        break;
    }
    return rc == IB_OK ? put_quantifier(t) : rc;
}

enum ib_rc ib_iregexp_translate(struct ib_str pattern, struct ib_buf *out, size_t *ret_column,
                                struct ib_error *err)
{
    struct translator t = {.in = pattern, .out = out, .ret_column = ret_column, .err = err};
    size_t depth = 0;
    size_t nul = ib_str_find(pattern, '\0');
    enum ib_rc rc = IB_OK;

    if (nul < pattern.n) {
        return ib_column_fail(err, ret_column, nul, "the pattern holds a NUL byte");
    }
    if (!ib_utf8_valid(pattern.p, pattern.n)) {
        return ib_column_fail(err, ret_column, 0, "the pattern is not valid UTF-8");
    }
    while (rc == IB_OK && t.at < pattern.n) {
        rc = put_piece(&t, &depth);
    }
    if (rc != IB_OK) {
        return rc;
    }
    if (depth > 0) {
        return ib_column_fail(err, ret_column, pattern.n, "a '(' is not closed");
    }
    return ib_buf_ok(out, "pattern", err);
}
