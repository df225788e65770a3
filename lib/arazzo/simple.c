/* SPDX-License-Identifier: MIT */
/* Conditions of type simple: a small tree, never code. */
#include "lib/arazzo/simple.h"

#include "lib/arazzo/arena.h"
#include "lib/arazzo/column.h"
#include "lib/arazzo/compare.h"
#include "lib/base/num.h"
#include "lib/base/text.h"

#define STEPS_MAX ((size_t)1000000) /* values compared in one test; some ten milliseconds */

enum op {
    OP_EQ,
    OP_NE,
    OP_LE,
    OP_GE,
    OP_LT,
    OP_GT,
};

struct operand {
    struct ib_expr *expr;     /* NULL: a literal */
    struct ib_value *literal; /* NULL: an expression */
};

enum node_kind {
    NODE_OR,  /* left, right; a row of them hangs on the right sides */
    NODE_AND, /* the same */
    NODE_NOT, /* left */
    NODE_COMPARE,
    NODE_OPERAND, /* a */
};

struct node {
    enum node_kind kind;
    enum op op;
    struct node *left, *right;
    struct operand a, b;
};

struct ib_simple {
    struct ib_arena arena;
    struct node *root;
    struct ib_value *literals; /* array; owns what operands borrow */
    struct ib_expr **exprs;
    size_t expr_count;
};

struct parser {
    struct ib_simple *s;
    struct ib_str in;
    size_t at;
    size_t depth;
    ib_warn_fn warn;
    void *warn_ctx;
    size_t *ret_column;
    struct ib_error *err;
};

/* ------------------------------------------------------------------------------------ parsing */

#define FAIL(p, at, ...) ib_column_fail((p)->err, (p)->ret_column, (at), __VA_ARGS__)

static enum ib_rc parse_row(struct parser *p, enum node_kind kind, struct node **ret);

static char peek(const struct parser *p)
{
    return p->at < p->in.n ? p->in.p[p->at] : '\0';
}

static bool take(struct parser *p, const char *token)
{
    if (!ib_str_starts(ib_str_skip(p->in, p->at), ib_str_from(token))) {
        return false;
    }
    p->at += strlen(token);
    return true;
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->in.n && ib_ascii_space(p->in.p[p->at])) {
        p->at++;
    }
}

static void warn(const struct parser *p, size_t at, const char *text)
{
    if (p->warn != NULL) {
        p->warn(p->warn_ctx, at + 1, text);
    }
}

static enum ib_rc new_node(struct parser *p, enum node_kind kind, struct node **ret)
{
    struct node *n = ib_arena_alloc(&p->s->arena, sizeof *n);

    if (n == NULL) {
        return ib_fail_nomem(p->err);
    }
    n->kind = kind;
    *ret = n;
    return IB_OK;
}

static enum ib_rc keep_literal(struct parser *p, struct ib_value *v, struct operand *ret)
{
    struct ib_value *borrowed = v;
    enum ib_rc rc = ib_value_push(p->s->literals, v, p->err);

    if (rc == IB_OK) {
        ret->literal = borrowed;
    }
    return rc;
}

/* Where the operand that starts here ends: no expression holds one of these. */
static size_t operand_end(const struct parser *p)
{
    size_t end = p->at;

    while (end < p->in.n && strchr("!&|()<=>{} \t\r\n", p->in.p[end]) == NULL) {
        end++;
    }
    return end;
}

static enum ib_rc parse_expr(struct parser *p, struct operand *ret)
{
    size_t start = p->at;
    size_t column = 1;
    struct ib_expr *e = NULL;
    struct ib_error why = IB_ERROR_INIT;
    struct ib_str text = {p->in.p + start, operand_end(p) - start};

    enum ib_rc rc = ib_expr_parse_operand(text, &e, &column, &why);
    if (rc == IB_EPARSE) {
        const char *words = strstr(why.text, ": ");
        return FAIL(p, start + column - 1, "%s", words == NULL ? why.text : words + 2);
    }
    if (rc != IB_OK) {
        return ib_fail(p->err, rc, "%s", why.text);
    }
    struct ib_expr **grown =
        reallocarray(p->s->exprs, p->s->expr_count + 1, sizeof(struct ib_expr *));
    if (grown == NULL) {
        ib_expr_free(e);
        return ib_fail_nomem(p->err);
    }
    p->s->exprs = grown;
    p->s->exprs[p->s->expr_count++] = e;
    ret->expr = e;
    p->at += text.n;
    return IB_OK;
}

/* "{$...}": the embedding of other strings; here the braces add nothing. */
static enum ib_rc parse_braced(struct parser *p, struct operand *ret)
{
    size_t start = p->at++;

    if (peek(p) != '$') {
        return FAIL(p, start, "'{' is wanted only around an expression");
    }
    enum ib_rc rc = parse_expr(p, ret);
    if (rc != IB_OK) {
        return rc;
    }
    if (!take(p, "}")) {
        return FAIL(p, start, "this '{' is not closed");
    }
    warn(p, start, "an expression in a simple condition needs no braces");
    return IB_OK;
}

/* 'text' or "text"; the quote itself is written twice. */
static enum ib_rc parse_string(struct parser *p, struct operand *ret)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_CRITERION_TEXT_MAX);
    size_t start = p->at;
    char quote = p->in.p[p->at++];

    for (;;) {
        if (p->at >= p->in.n) {
            return FAIL(p, start, "this %c is not closed", quote);
        }
        char c = p->in.p[p->at++];
        if (c == quote && peek(p) != quote) {
            break;
        }
        p->at += c == quote ? 1 : 0;
        ib_buf_add_char(&text, c);
    }
    enum ib_rc rc = ib_buf_ok(&text, "text in quotes", p->err);
    if (rc != IB_OK) {
        return rc;
    }
    if (quote == '"') {
        warn(p, start,
             "text is written in single quotes; double ones are read the same way here, "
             "but not by every tool");
    }
    return keep_literal(p, ib_value_string(ib_buf_str(&text)), ret);
}

static enum ib_rc parse_number(struct parser *p, struct operand *ret)
{
    size_t start = p->at;
    struct ib_str text = {p->in.p + start, operand_end(p) - start};
    bool is_int;
    int64_t i;
    double d;

    enum ib_rc rc = ib_num_json(text, &is_int, &i, &d, NULL);
    if (rc != IB_OK) {
        return FAIL(p, start,
                    rc == IB_ELIMIT ? "number %.*s is too large"
                                    : "\"%.*s\" is no number as JSON writes it",
                    IB_STR_ARG(text));
    }
    p->at += text.n;
    return keep_literal(p, is_int ? ib_value_int(i) : ib_value_real(d), ret);
}

static enum ib_rc parse_word(struct parser *p, struct operand *ret)
{
    struct ib_str word = {p->in.p + p->at, operand_end(p) - p->at};

    if (ib_str_eq_c(word, "true") || ib_str_eq_c(word, "false")) {
        p->at += word.n;
        return keep_literal(p, ib_value_bool(word.p[0] == 't'), ret);
    }
    if (ib_str_eq_c(word, "null")) {
        p->at += word.n;
        return keep_literal(p, ib_value_null(), ret);
    }
    if (word.n == 0) {
        return p->at >= p->in.n ? FAIL(p, p->at, "the condition ends where an operand is wanted")
                                : FAIL(p, p->at, "an operand is wanted, not '%c'", peek(p));
    }
    return FAIL(p, p->at,
                "\"%.*s\" is no operand; an expression begins with $, text stands in "
                "single quotes",
                IB_STR_ARG(word));
}

static enum ib_rc parse_operand(struct parser *p, struct operand *ret)
{
    char c = peek(p);

    if (c == '$') {
        return parse_expr(p, ret);
    }
    if (c == '{') {
        return parse_braced(p, ret);
    }
    if (c == '\'' || c == '"') {
        return parse_string(p, ret);
    }
    if (ib_ascii_digit(c) || c == '-') {
        return parse_number(p, ret);
    }
    return parse_word(p, ret);
}

static bool take_op(struct parser *p, enum op *ret)
{
    static const struct {
        const char *text;
        enum op op;
    } ops[] = {{"==", OP_EQ}, {"!=", OP_NE}, {"<=", OP_LE},
               {">=", OP_GE}, {"<", OP_LT},  {">", OP_GT}};

    for (size_t i = 0; i < IB_ARRAY_LEN(ops); i++) {
        if (take(p, ops[i].text)) {
            *ret = ops[i].op;
            return true;
        }
    }
    return false;
}

static enum ib_rc parse_comparison(struct parser *p, bool is_negated, struct node **ret)
{
    size_t start = p->at;
    enum ib_rc rc = new_node(p, NODE_OPERAND, ret);

    if (rc == IB_OK) {
        rc = parse_operand(p, &(*ret)->a);
    }
    if (rc != IB_OK) {
        return rc;
    }
    struct node *n = *ret;
    skip_blanks(p);
    size_t op_at = p->at;
    if (!take_op(p, &n->op)) {
        if (n->a.literal != NULL && !ib_value_is(n->a.literal, IB_VALUE_BOOL)) {
            return FAIL(p, start, "a literal alone is no condition; compare it with something");
        }
        return IB_OK;
    }
    if (is_negated) {
        return FAIL(p, op_at, "'!' does not reach over a comparison; write !( ... )");
    }
    n->kind = NODE_COMPARE;
    if (peek(p) == '=') {
        return FAIL(p, op_at, "there is no === or !==; write %s", n->op == OP_NE ? "!=" : "==");
    }
    skip_blanks(p);
    rc = parse_operand(p, &n->b);
    if (rc != IB_OK) {
        return rc;
    }
    skip_blanks(p);
    op_at = p->at;
    return take_op(p, &(enum op){OP_EQ})
               ? FAIL(p, op_at, "comparisons do not chain; join two with &&")
               : IB_OK;
}

/* "!" and parentheses, or a comparison. */
static enum ib_rc parse_basic(struct parser *p, struct node **ret)
{
    bool is_negated = false;
    enum ib_rc rc = IB_OK;

    if (++p->depth > IB_SIMPLE_DEPTH_MAX) {
        return ib_fail(p->err, IB_ELIMIT, "column %zu: more than %d '(' and '!' inside each other",
                       p->at + 1, IB_SIMPLE_DEPTH_MAX);
    }
    skip_blanks(p);
    size_t start = p->at;
    if (take(p, "!")) {
        is_negated = true;
        rc = new_node(p, NODE_NOT, ret);
        if (rc != IB_OK) {
            return rc;
        }
        ret = &(*ret)->left;
        skip_blanks(p);
        start = p->at;
    }
    if (peek(p) == '!') {
        rc = parse_basic(p, ret);
    } else if (take(p, "(")) {
        rc = parse_row(p, NODE_OR, ret);
        skip_blanks(p);
        if (rc == IB_OK && !take(p, ")")) {
            rc = p->at >= p->in.n ? FAIL(p, start, "this '(' is not closed")
                                  : FAIL(p, p->at, "&&, || or ')' is wanted here");
        }
    } else {
        rc = parse_comparison(p, is_negated, ret);
    }
    p->depth--;
    return rc;
}

/* Parts with && between them, or rows of those with ||. */
static enum ib_rc parse_row(struct parser *p, enum node_kind kind, struct node **ret)
{
    for (;;) {
        struct node *part = NULL;
        enum ib_rc rc = kind == NODE_OR ? parse_row(p, NODE_AND, &part) : parse_basic(p, &part);
        if (rc != IB_OK) {
            return rc;
        }
        skip_blanks(p);
        if (!take(p, kind == NODE_OR ? "||" : "&&")) {
            *ret = part;
            return IB_OK;
        }
        rc = new_node(p, kind, ret);
        if (rc != IB_OK) {
            return rc;
        }
        (*ret)->left = part;
        ret = &(*ret)->right;
    }
}

static enum ib_rc fail_at_rest(struct parser *p)
{
    struct ib_str rest = ib_str_skip(p->in, p->at);
    struct ib_str word = ib_str_head(rest, operand_end(p) - p->at);

    switch (rest.p[0]) {
    case '=':
        return FAIL(p, p->at, "equality is written ==");
    case '&':
        return FAIL(p, p->at, "\"and\" is written &&");
    case '|':
        return FAIL(p, p->at, "\"or\" is written ||");
    case ')':
        return FAIL(p, p->at, "this ')' closes nothing");
    default:
        break;
    }
    if (ib_str_ieq_c(word, "and") || ib_str_ieq_c(word, "or")) {
        return FAIL(p, p->at, "\"%.*s\" is written %s", IB_STR_ARG(word),
                    word.n == 3 ? "&&" : "||");
    }
    return FAIL(p, p->at, "an operator or the end of the condition is wanted here");
}

static enum ib_rc check_text(struct ib_str text, size_t *ret_column, struct ib_error *err)
{
    size_t nul = ib_str_find(text, '\0');

    if (text.n > IB_CRITERION_TEXT_MAX) {
        return ib_fail(err, IB_ELIMIT, "a condition of %zu bytes; the most is %d", text.n,
                       IB_CRITERION_TEXT_MAX);
    }
    if (nul < text.n || !ib_utf8_valid(text.p, text.n)) {
        return ib_column_fail(err, ret_column, nul < text.n ? nul : 0,
                              "not valid UTF-8, or a NUL byte in it");
    }
    if (ib_str_trim(text).n == 0) {
        return ib_column_fail(err, ret_column, 0, "the condition is empty");
    }
    return IB_OK;
}

static enum ib_rc parse_whole(struct parser *p)
{
    p->s->literals = ib_value_array();
    if (p->s->literals == NULL) {
        return ib_fail_nomem(p->err);
    }
    enum ib_rc rc = parse_row(p, NODE_OR, &p->s->root);
    return rc == IB_OK && p->at < p->in.n ? fail_at_rest(p) : rc;
}

enum ib_rc ib_simple_compile(struct ib_str text, const struct ib_simple_options *options,
                             struct ib_simple **ret, size_t *ret_column, struct ib_error *err)
{
    enum ib_rc rc = check_text(text, ret_column, err);
    if (rc != IB_OK) {
        return rc;
    }
    struct ib_simple *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return ib_fail_nomem(err);
    }
    struct parser p = {.s = s, .in = text, .ret_column = ret_column, .err = err};
    if (options != NULL) {
        p.warn = options->warn;
        p.warn_ctx = options->warn_ctx;
    }
    rc = parse_whole(&p);
    if (rc == IB_OK) {
        *ret = s;
    } else {
        ib_simple_free(s);
    }
    return rc;
}

void ib_simple_free(struct ib_simple *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->expr_count; i++) {
        ib_expr_free(s->exprs[i]);
    }
    free(s->exprs);
    ib_value_unref(s->literals);
    ib_arena_fini(&s->arena);
    free(s);
}

void ib_simple_cleanup(struct ib_simple **s)
{
    ib_simple_free(*s);
}

size_t ib_simple_expr_count(const struct ib_simple *s)
{
    return s->expr_count;
}

const struct ib_expr *ib_simple_expr(const struct ib_simple *s, size_t i)
{
    return i < s->expr_count ? s->exprs[i] : NULL;
}

/* --------------------------------------------------------------------------------- evaluation */

struct run {
    const struct ib_scope *scope;
    struct ib_verdict_note *note;
    size_t steps; /* left */
    struct ib_error *err;
};

/* Order of two operands, or that they have none. */
enum order {
    ORDER_LESS,
    ORDER_EQUAL,
    ORDER_GREATER,
    ORDER_NONE,
};

static enum order order_of(int comparison)
{
    return comparison < 0 ? ORDER_LESS : comparison > 0 ? ORDER_GREATER : ORDER_EQUAL;
}

static bool is_null(const struct ib_value *v)
{
    return v == NULL || ib_value_is(v, IB_VALUE_NULL);
}

/* Text compares without the case of ASCII letters, as the standard asks. */
static int compare_text(struct ib_str a, struct ib_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;

    for (size_t i = 0; i < n; i++) {
        unsigned char x = (unsigned char)ib_ascii_tolower(a.p[i]);
        unsigned char y = (unsigned char)ib_ascii_tolower(b.p[i]);
        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    return (a.n > b.n) - (a.n < b.n);
}

/* The number that a value is, or that text writes. */
static bool as_number(const struct ib_value *v, struct ib_number *ret)
{
    if (ib_value_is_number(v)) {
        *ret = ib_number_of(v);
        return true;
    }
    return ib_value_is(v, IB_VALUE_STRING) &&
           ib_num_json(ib_str_trim(ib_value_as_str(v)), &ret->is_int, &ret->i, &ret->d, NULL) ==
               IB_OK;
}

static enum order compare_numbers(const struct ib_value *a, const struct ib_value *b)
{
    struct ib_number x, y;

    return as_number(a, &x) && as_number(b, &y) ? order_of(ib_number_compare(&x, &y)) : ORDER_NONE;
}

static bool as_bool(const struct ib_value *v, bool *ret)
{
    if (ib_value_is(v, IB_VALUE_BOOL)) {
        *ret = ib_value_as_bool(v);
        return true;
    }
    if (!ib_value_is(v, IB_VALUE_STRING)) {
        return false;
    }
    *ret = ib_str_ieq_c(ib_value_as_str(v), "true");
    return *ret || ib_str_ieq_c(ib_value_as_str(v), "false");
}

static enum ib_rc equal(struct run *run, const struct ib_value *a, const struct ib_value *b,
                        bool *ret)
{
    bool x, y;

    if (is_null(a) || is_null(b)) {
        *ret = is_null(a) && is_null(b);
    } else if (ib_value_is(a, IB_VALUE_STRING) && ib_value_is(b, IB_VALUE_STRING)) {
        *ret = compare_text(ib_value_as_str(a), ib_value_as_str(b)) == 0;
    } else if (ib_value_is_number(a) || ib_value_is_number(b)) {
        *ret = compare_numbers(a, b) == ORDER_EQUAL;
    } else if (ib_value_is(a, IB_VALUE_BOOL) || ib_value_is(b, IB_VALUE_BOOL)) {
        *ret = as_bool(a, &x) && as_bool(b, &y) && x == y;
    } else {
        return ib_compare_equal(a, b, &run->steps, ret, run->err);
    }
    return IB_OK;
}

static enum order compare(const struct ib_value *a, const struct ib_value *b)
{
    if (ib_value_is(a, IB_VALUE_STRING) && ib_value_is(b, IB_VALUE_STRING)) {
        return order_of(compare_text(ib_value_as_str(a), ib_value_as_str(b)));
    }
    return ib_value_is_number(a) || ib_value_is_number(b) ? compare_numbers(a, b) : ORDER_NONE;
}

/* Text costs what it is long, whatever it is compared with. */
static size_t steps_for(const struct ib_value *v)
{
    return ib_value_is(v, IB_VALUE_STRING) ? ib_value_as_str(v).n / IB_COMPARE_BYTES_PER_STEP : 0;
}

static enum ib_rc apply(struct run *run, enum op op, const struct ib_value *a,
                        const struct ib_value *b, bool *ret)
{
    enum ib_rc rc = ib_compare_spend(&run->steps, 1 + steps_for(a) + steps_for(b), run->err);

    if (rc != IB_OK) {
        return rc;
    }
    if (op == OP_EQ || op == OP_NE) {
        rc = equal(run, a, b, ret);
        *ret = (op == OP_EQ) == *ret;
        return rc;
    }
    enum order order = compare(a, b);
    switch (op) {
    case OP_EQ:
    case OP_NE:
        break;
    case OP_LT:
        *ret = order == ORDER_LESS;
        break;
    case OP_LE:
        *ret = order == ORDER_LESS || order == ORDER_EQUAL;
        break;
    case OP_GT:
        *ret = order == ORDER_GREATER;
        break;
    case OP_GE:
        *ret = order == ORDER_GREATER || order == ORDER_EQUAL;
        break;
    }
    return IB_OK;
}

/* *ret gets a reference; NULL: not there, which the note tells. */
static enum ib_rc evaluate(struct run *run, const struct operand *o, struct ib_value **ret)
{
    if (o->expr == NULL) {
        *ret = ib_value_ref(o->literal);
        return IB_OK;
    }
    enum ib_rc rc = ib_expr_eval(o->expr, run->scope, ret, run->err);
    if (rc == IB_OK && *ret == NULL) {
        ib_verdict_note_operand(run->note, o->expr->text);
    }
    return rc;
}

static enum ib_rc test_leaf(struct run *run, const struct node *n, bool *ret)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *a = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *b = NULL;
    enum ib_rc rc = evaluate(run, &n->a, &a);

    if (rc == IB_OK && n->kind == NODE_COMPARE) {
        rc = evaluate(run, &n->b, &b);
    }
    if (rc != IB_OK) {
        return rc;
    }
    if (n->kind == NODE_COMPARE) {
        return apply(run, n->op, a, b, ret);
    }
    *ret = !is_null(a) && !(ib_value_is(a, IB_VALUE_BOOL) && !ib_value_as_bool(a));
    return IB_OK;
}

static enum ib_rc test(struct run *run, const struct node *n, bool *ret)
{
    while (n->kind == NODE_OR || n->kind == NODE_AND) {
        enum ib_rc rc = test(run, n->left, ret);
        if (rc != IB_OK || *ret == (n->kind == NODE_OR)) {
            return rc;
        }
        n = n->right;
    }
    if (n->kind != NODE_NOT) {
        return test_leaf(run, n, ret);
    }
    enum ib_rc rc = test(run, n->left, ret);
    *ret = !*ret;
    return rc;
}

enum ib_verdict ib_simple_test(const struct ib_simple *s, const struct ib_scope *scope,
                               struct ib_verdict_note *note, struct ib_error *err)
{
    struct run run = {.scope = scope, .note = note, .steps = STEPS_MAX, .err = err};
    bool holds = false;

    if (note != NULL) {
        memset(note, 0, sizeof *note);
    }
    if (test(&run, s->root, &holds) != IB_OK) {
        return IB_VERDICT_ERROR;
    }
    return holds ? IB_VERDICT_PASS : IB_VERDICT_FAIL;
}
