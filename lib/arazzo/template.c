/* SPDX-License-Identifier: MIT */
/* Strings of a document that hold runtime expressions. */
#include "lib/arazzo/template.h"

struct part {
    struct ib_str literal; /* when expr is NULL */
    struct ib_expr *expr;
};

struct ib_template {
    char *text;
    enum ib_template_kind kind;
    struct part *parts;
    size_t count;
    size_t expr_count;
    char *doubt;
    size_t doubt_column;
};

static enum ib_rc add_part(struct ib_template *t, struct part part, struct ib_error *err)
{
    struct part *grown = reallocarray(t->parts, t->count + 1, sizeof *grown);

    if (grown == NULL) {
        ib_expr_free(part.expr);
        return ib_fail_nomem(err);
    }
    t->parts = grown;
    t->parts[t->count++] = part;
    t->expr_count += part.expr == NULL ? 0 : 1;
    return IB_OK;
}

/* The first doubt is kept. at counts from 0 in the whole string. */
static enum ib_rc doubt(struct ib_template *t, size_t at, struct ib_str why, struct ib_error *err)
{
    if (t->doubt != NULL) {
        return IB_OK;
    }
    t->doubt = ib_str_dup(why);
    t->doubt_column = at + 1;
    return t->doubt == NULL ? ib_fail_nomem(err) : IB_OK;
}

/*
 * An expression, or *ret NULL for text that is none; a doubt when it begins like one. What the
 * parser says begins with "column N: "; the words behind are kept, the column is told in the whole
 * string.
 */
static enum ib_rc try_expr(struct ib_template *t, struct ib_str text, size_t at,
                           struct ib_expr **ret, struct ib_error *err)
{
    struct ib_error why = IB_ERROR_INIT;
    size_t column = 1;
    enum ib_rc rc = ib_expr_parse(text, ret, &column, &why);

    if (rc == IB_OK || rc == IB_ENOMEM) {
        return rc == IB_OK ? IB_OK : ib_fail_nomem(err);
    }
    *ret = NULL;
    if (!ib_expr_looks_like(text)) {
        return IB_OK;
    }
    const char *words = rc == IB_EPARSE ? strstr(why.text, ": ") : NULL;
    return doubt(t, at + column - 1, ib_str_from(words == NULL ? why.text : words + 2), err);
}

/*
 * "{$...}" at position at. *ret_end: where it ends; *ret NULL when it is no expression. Expressions
 * within braces hold no braces themselves (1.1), so that no text is looked at twice.
 */
static enum ib_rc try_embedded(struct ib_template *t, struct ib_str text, size_t at,
                               struct ib_expr **ret, size_t *ret_end, struct ib_error *err)
{
    struct ib_str inner = ib_str_skip(text, at + 1);
    size_t n = 0;

    *ret = NULL;
    *ret_end = at + 1;
    if (!ib_expr_looks_like(inner)) {
        return IB_OK;
    }
    while (n < inner.n && inner.p[n] != '{' && inner.p[n] != '}') {
        n++;
    }
    *ret_end = at + 1 + n;
    if (n == inner.n || inner.p[n] == '{') {
        return doubt(t, at, IB_STR("this '{' is not closed"), err);
    }
    enum ib_rc rc = try_expr(t, ib_str_head(inner, n), at + 1, ret, err);
    *ret_end += *ret == NULL ? 0 : 1;
    return rc;
}

static enum ib_rc split(struct ib_template *t, struct ib_str text, struct ib_error *err)
{
    size_t literal_start = 0, at = 0;

    while (at < text.n) {
        struct ib_expr *e = NULL;
        size_t end = at + 1;
        enum ib_rc rc = IB_OK;
        if (text.p[at] == '{' && at + 1 < text.n && text.p[at + 1] == '$') {
            rc = try_embedded(t, text, at, &e, &end, err);
        }
        if (rc == IB_OK && e != NULL) {
            if (at > literal_start) {
                struct part literal = {{text.p + literal_start, at - literal_start}, NULL};
                rc = add_part(t, literal, err);
            }
            if (rc == IB_OK) {
                rc = add_part(t, (struct part){{NULL, 0}, e}, err);
            } else {
                ib_expr_free(e);
            }
            literal_start = end;
        }
        if (rc != IB_OK) {
            return rc;
        }
        at = end;
    }
    if (literal_start < text.n || t->count == 0) {
        struct part literal = {ib_str_skip(text, literal_start), NULL};
        return add_part(t, literal, err);
    }
    return IB_OK;
}

static enum ib_rc parse(struct ib_template *t, struct ib_str text, bool may_be_whole,
                        struct ib_error *err)
{
    struct ib_expr *whole = NULL;
    enum ib_rc rc = IB_OK;

    if (may_be_whole && text.n > 0 && text.p[0] == '$') {
        rc = try_expr(t, text, 0, &whole, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    if (whole != NULL) {
        t->kind = IB_TEMPLATE_EXPR;
        return add_part(t, (struct part){{NULL, 0}, whole}, err);
    }
    rc = split(t, text, err);
    t->kind = t->expr_count > 0 ? IB_TEMPLATE_MIXED : IB_TEMPLATE_LITERAL;
    return rc;
}

static enum ib_rc new_template(struct ib_str text, bool may_be_whole, struct ib_template **ret,
                               struct ib_error *err)
{
    if (text.n > IB_TEMPLATE_TEXT_MAX) {
        return ib_fail(err, IB_ELIMIT, "a string of %zu bytes; the most is %d", text.n,
                       IB_TEMPLATE_TEXT_MAX);
    }
    if (ib_str_find(text, '\0') < text.n) {
        return ib_fail(err, IB_EPARSE, "a string holds a NUL byte");
    }
    struct ib_template *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return ib_fail_nomem(err);
    }
    t->text = ib_str_dup(text);
    enum ib_rc rc = t->text == NULL ? ib_fail_nomem(err)
                                    : parse(t, (struct ib_str){t->text, text.n}, may_be_whole, err);
    if (rc == IB_OK) {
        *ret = t;
    } else {
        ib_template_free(t);
    }
    return rc;
}

enum ib_rc ib_template_parse(struct ib_str text, struct ib_template **ret, struct ib_error *err)
{
    return new_template(text, /* may_be_whole= */ true, ret, err);
}

enum ib_rc ib_template_parse_embedded(struct ib_str text, struct ib_template **ret,
                                      struct ib_error *err)
{
    return new_template(text, /* may_be_whole= */ false, ret, err);
}

void ib_template_free(struct ib_template *t)
{
    if (t == NULL) {
        return;
    }
    for (size_t i = 0; i < t->count; i++) {
        ib_expr_free(t->parts[i].expr);
    }
    free(t->parts);
    free(t->doubt);
    free(t->text);
    free(t);
}

void ib_template_cleanup(struct ib_template **t)
{
    ib_template_free(*t);
}

enum ib_template_kind ib_template_kind(const struct ib_template *t)
{
    return t->kind;
}

size_t ib_template_expr_count(const struct ib_template *t)
{
    return t->expr_count;
}

const struct ib_expr *ib_template_expr(const struct ib_template *t, size_t i)
{
    for (size_t at = 0; at < t->count; at++) {
        if (t->parts[at].expr != NULL && i-- == 0) {
            return t->parts[at].expr;
        }
    }
    return NULL;
}

bool ib_template_is_bare(const struct ib_template *t)
{
    return t->kind == IB_TEMPLATE_MIXED && t->count == 1;
}

const char *ib_template_doubt(const struct ib_template *t, size_t *ret_column)
{
    if (t->doubt != NULL && ret_column != NULL) {
        *ret_column = t->doubt_column;
    }
    return t->doubt;
}

enum ib_rc ib_template_fill(const struct ib_template *t, const struct ib_scope *scope,
                            const struct ib_template_filler *filler, struct ib_buf *out,
                            const struct ib_expr **ret_missing, struct ib_error *err)
{
    *ret_missing = NULL;
    for (size_t i = 0; i < t->count; i++) {
        IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
        const struct ib_expr *e = t->parts[i].expr;
        enum ib_rc rc = IB_OK;
        if (e == NULL) {
            ib_buf_add_str(out, t->parts[i].literal);
            continue;
        }
        if (scope != NULL) {
            rc = ib_expr_eval(e, scope, &v, err);
        }
        if (rc == IB_OK && scope != NULL && v == NULL) {
            *ret_missing = e;
            return IB_OK;
        }
        if (rc == IB_OK) {
            rc = filler->put(filler->ctx, e, v, out, err);
        }
        if (rc != IB_OK) {
            return rc;
        }
    }
    return IB_OK;
}

static enum ib_rc put_text(void *ctx, const struct ib_expr *e, const struct ib_value *v,
                           struct ib_buf *out, struct ib_error *err)
{
    (void)ctx;
    (void)e;
    (void)err;
    ib_expr_text_of(v, out);
    return IB_OK;
}

static enum ib_rc eval_text(const struct ib_template *t, const struct ib_scope *scope,
                            struct ib_value **ret, const struct ib_expr **ret_missing,
                            struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_TEMPLATE_TEXT_MAX);
    static const struct ib_template_filler filler = {put_text, NULL};
    const struct ib_expr *missing = NULL;
    struct ib_value *v = NULL;

    enum ib_rc rc = ib_template_fill(t, scope, &filler, &text, &missing, err);
    if (rc == IB_OK && missing == NULL) {
        rc = ib_buf_ok(&text, "string with expressions filled in", err);
        if (rc == IB_OK) {
            v = ib_value_string(ib_buf_str(&text));
            rc = v == NULL ? ib_fail_nomem(err) : IB_OK;
        }
    }
    if (rc == IB_OK) {
        *ret = v;
        if (missing != NULL && ret_missing != NULL) {
            *ret_missing = missing;
        }
    }
    return rc;
}

enum ib_rc ib_template_eval(const struct ib_template *t, const struct ib_scope *scope,
                            struct ib_value **ret, const struct ib_expr **ret_missing,
                            struct ib_error *err)
{
    if (t->kind != IB_TEMPLATE_EXPR) {
        return eval_text(t, scope, ret, ret_missing, err);
    }
    enum ib_rc rc = ib_expr_eval(t->parts[0].expr, scope, ret, err);
    if (rc == IB_OK && *ret == NULL && ret_missing != NULL) {
        *ret_missing = t->parts[0].expr;
    }
    return rc;
}
