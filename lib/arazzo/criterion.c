/* SPDX-License-Identifier: MIT */
/* Criteria: which kind of condition it is, what it is about, and its three answers. */
#include "lib/arazzo/criterion.h"

#include "lib/arazzo/column.h"
#include "lib/arazzo/jsonpath.h"
#include "lib/arazzo/regex.h"
#include "lib/arazzo/simple.h"
#include "lib/arazzo/template.h"
#include "lib/base/text.h"
#include "lib/data/json.h"

enum type {
    TYPE_SIMPLE,
    TYPE_REGEX,
    TYPE_JSONPATH,
};

struct ib_criterion {
    enum type type;
    struct ib_expr *context; /* NULL for simple ones without */
    struct ib_simple *simple;
    struct ib_regex *regex;       /* NULL while expressions in the condition are to be filled in */
    struct ib_jsonpath *jsonpath; /* the same */
    struct ib_template *embedded; /* the condition when it holds "{$...}" */
};

/* ---------------------------------------------------------------------------------- preparing */

struct compiler {
    const struct ib_criterion_source *source;
    struct ib_criterion *c;
    struct ib_criterion_place place;
    struct ib_error *err;
};

static enum ib_rc fail_member(struct compiler *k, const char *member, const char *words)
{
    k->place = (struct ib_criterion_place){member, 0};
    return ib_fail(k->err, IB_EPARSE, "%s", words);
}

static enum ib_rc find_type(struct compiler *k)
{
    struct ib_str type = k->source->type;

    if (type.p == NULL || ib_str_eq_c(type, "simple")) {
        k->c->type = TYPE_SIMPLE;
        return IB_OK;
    }
    if (ib_str_eq_c(type, "regex")) {
        k->c->type = TYPE_REGEX;
        return IB_OK;
    }
    if (ib_str_eq_c(type, "jsonpath")) {
        k->c->type = TYPE_JSONPATH;
        return IB_OK;
    }
    if (ib_str_eq_c(type, "xpath")) {
        return fail_member(k, "type",
                           "xpath conditions are not supported: answers are read as JSON; "
                           "use jsonpath, regex or simple");
    }
    k->place = (struct ib_criterion_place){"type", 0};
    return ib_fail(k->err, IB_EPARSE,
                   "\"%.*s\" is no type of condition; there are simple, regex and jsonpath",
                   IB_STR_ARG(ib_str_head(type, 64)));
}

static enum ib_rc check_version(struct compiler *k)
{
    struct ib_str version = k->source->version;

    if (version.p == NULL) {
        return IB_OK;
    }
    if (k->c->type != TYPE_JSONPATH) {
        return fail_member(k, "version", "only jsonpath and xpath conditions have a version");
    }
    /* The draft of 2022 became RFC 9535; what it left open is read as the RFC closed it. */
    if (ib_str_eq_c(version, "draft-goessner-dispatch-jsonpath-00") ||
        ib_str_eq_c(version, "rfc9535")) {
        return IB_OK;
    }
    k->place = (struct ib_criterion_place){"version", 0};
    return ib_fail(k->err, IB_EPARSE,
                   "\"%.*s\" is no version of jsonpath; there are "
                   "draft-goessner-dispatch-jsonpath-00 and rfc9535",
                   IB_STR_ARG(ib_str_head(version, 64)));
}

static enum ib_rc compile_context(struct compiler *k)
{
    const struct ib_criterion_source *s = k->source;

    k->place = (struct ib_criterion_place){"context", 0};
    if (s->context.p == NULL) {
        if (k->c->type != TYPE_SIMPLE) {
            return ib_fail(k->err, IB_EPARSE, "a %s condition needs a context",
                           k->c->type == TYPE_REGEX ? "regex" : "jsonpath");
        }
        if (s->type.p != NULL && s->warn != NULL) {
            s->warn(s->warn_ctx, 0, "the standard wants a context wherever a type is given");
        }
        return IB_OK;
    }
    return ib_expr_parse(s->context, &k->c->context, &k->place.column, k->err);
}

/* Is the end of text inside of quotes, and of which? NUL when not. */
static char open_quote(struct ib_str text)
{
    char quote = '\0';

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (quote != '\0' && c == '\\') {
            i++;
        } else if (quote != '\0' && c == quote) {
            quote = '\0';
        } else if (quote == '\0' && (c == '\'' || c == '"')) {
            quote = c;
        }
    }
    return quote;
}

/* Text inside of JSONPath quotes. */
static void put_quoted(struct ib_str text, struct ib_buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if ((unsigned char)c < 0x20) {
            ib_buf_addf(out, "\\u%04x", (unsigned)(unsigned char)c);
            continue;
        }
        if (c == '\\' || c == '\'' || c == '"') {
            /* Only the own quote may be escaped in JSONPath; the other one has a code. */
            ib_buf_addf(out, "\\u%04x", (unsigned)(unsigned char)c);
            continue;
        }
        ib_buf_add_char(out, c);
    }
}

/* A stand-in of the same length keeps the columns of errors. */
static void put_sample(const struct ib_expr *e, char first, char rest, struct ib_buf *out)
{
    ib_buf_add_char(out, first);
    for (size_t i = 1; i < e->text.n + 2; i++) {
        ib_buf_add_char(out, rest);
    }
}

static enum ib_rc put_in_jsonpath(void *ctx, const struct ib_expr *e, const struct ib_value *v,
                                  struct ib_buf *out, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_JSONPATH_TEXT_MAX);
    bool is_quoted = open_quote(ib_buf_str(out)) != '\0';

    (void)ctx;
    if (v == NULL) {
        put_sample(e, is_quoted ? 'x' : '1', is_quoted ? 'x' : ' ', out);
        return IB_OK;
    }
    if (!is_quoted) {
        ib_json_print(v, IB_JSON_COMPACT, out);
        return IB_OK;
    }
    ib_expr_text_of(v, &text);
    put_quoted(ib_buf_str(&text), out);
    return ib_buf_ok(&text, "value in a condition", err);
}

static enum ib_rc put_in_regex(void *ctx, const struct ib_expr *e, const struct ib_value *v,
                               struct ib_buf *out, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_REGEX_PATTERN_MAX);
    const bool *is_whole = ctx;

    if (v == NULL) {
        put_sample(e, 'x', 'x', out);
        return IB_OK;
    }
    ib_expr_text_of(v, &text);
    if (*is_whole) {
        ib_buf_add_str(out, ib_buf_str(&text));
    } else {
        ib_regex_quote(ib_buf_str(&text), out);
    }
    return ib_buf_ok(&text, "value in a condition", err);
}

/* The condition as it is to be compiled; a NULL scope gives the one for checks. */
static enum ib_rc fill_condition(const struct ib_criterion *c, const struct ib_scope *scope,
                                 struct ib_buf *out, struct ib_error *err)
{
    const struct ib_expr *missing = NULL;
    bool is_whole = ib_template_is_bare(c->embedded);
    struct ib_template_filler filler = {c->type == TYPE_REGEX ? put_in_regex : put_in_jsonpath,
                                        &is_whole};

    enum ib_rc rc = ib_template_fill(c->embedded, scope, &filler, out, &missing, err);
    if (rc == IB_OK && missing != NULL) {
        return ib_fail(err, IB_EEVAL, "%.*s in the condition is not there",
                       IB_STR_ARG(missing->text));
    }
    return rc == IB_OK ? ib_buf_ok(out, "condition", err) : rc;
}

static enum ib_rc compile_text(struct ib_criterion *c, struct ib_str text, size_t *ret_column,
                               struct ib_error *err)
{
    return c->type == TYPE_REGEX
               ? ib_regex_compile(text, IB_REGEX_ECMA, &c->regex, ret_column, err)
               : ib_jsonpath_compile_condition(text, &c->jsonpath, ret_column, err);
}

static void drop_compiled(struct ib_criterion *c)
{
    ib_regex_free(c->regex);
    ib_jsonpath_free(c->jsonpath);
    c->regex = NULL;
    c->jsonpath = NULL;
}

/* Conditions with "{$...}" are compiled with stand-ins, to find what is wrong before the run. */
static enum ib_rc compile_embedded(struct compiler *k)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_CRITERION_TEXT_MAX);
    enum ib_rc rc = ib_template_parse_embedded(k->source->condition, &k->c->embedded, k->err);

    if (rc != IB_OK) {
        return rc;
    }
    const char *doubt = ib_template_doubt(k->c->embedded, &k->place.column);
    if (doubt != NULL) {
        return ib_column_fail(k->err, &k->place.column, k->place.column - 1, "%s", doubt);
    }
    if (ib_template_kind(k->c->embedded) == IB_TEMPLATE_LITERAL) {
        ib_template_free(k->c->embedded);
        k->c->embedded = NULL;
        return compile_text(k->c, k->source->condition, &k->place.column, k->err);
    }
    rc = fill_condition(k->c, /* scope= */ NULL, &text, k->err);
    if (rc == IB_OK) {
        rc = compile_text(k->c, ib_buf_str(&text), &k->place.column, k->err);
    }
    drop_compiled(k->c);
    return rc;
}

static enum ib_rc compile_condition(struct compiler *k)
{
    const struct ib_criterion_source *s = k->source;

    k->place = (struct ib_criterion_place){"condition", 0};
    if (s->condition.n > IB_CRITERION_TEXT_MAX) {
        return ib_fail(k->err, IB_ELIMIT, "a condition of %zu bytes; the most is %d",
                       s->condition.n, IB_CRITERION_TEXT_MAX);
    }
    if (k->c->type != TYPE_SIMPLE) {
        return compile_embedded(k);
    }
    struct ib_simple_options options = {s->warn, s->warn_ctx};
    return ib_simple_compile(s->condition, &options, &k->c->simple, &k->place.column, k->err);
}

enum ib_rc ib_criterion_compile(const struct ib_criterion_source *source, struct ib_criterion **ret,
                                struct ib_criterion_place *ret_place, struct ib_error *err)
{
    struct ib_criterion *c = calloc(1, sizeof *c);

    if (c == NULL) {
        return ib_fail_nomem(err);
    }
    struct compiler k = {.source = source, .c = c, .err = err};
    enum ib_rc rc = find_type(&k);
    if (rc == IB_OK) {
        rc = check_version(&k);
    }
    if (rc == IB_OK) {
        rc = compile_context(&k);
    }
    if (rc == IB_OK) {
        rc = compile_condition(&k);
    }
    if (rc == IB_OK) {
        *ret = c;
        return IB_OK;
    }
    ib_criterion_free(c);
    if ((rc == IB_EPARSE || rc == IB_ELIMIT) && k.place.member != NULL) {
        (void)ib_error_context(err, "%s", k.place.member);
        if (ret_place != NULL) {
            *ret_place = k.place;
        }
    }
    return rc;
}

void ib_criterion_free(struct ib_criterion *c)
{
    if (c != NULL) {
        ib_expr_free(c->context);
        ib_simple_free(c->simple);
        drop_compiled(c);
        ib_template_free(c->embedded);
        free(c);
    }
}

void ib_criterion_cleanup(struct ib_criterion **c)
{
    ib_criterion_free(*c);
}

static size_t inner_count(const struct ib_criterion *c)
{
    return c->simple != NULL     ? ib_simple_expr_count(c->simple)
           : c->embedded != NULL ? ib_template_expr_count(c->embedded)
                                 : 0;
}

size_t ib_criterion_expr_count(const struct ib_criterion *c)
{
    return (c->context == NULL ? 0 : 1) + inner_count(c);
}

const struct ib_expr *ib_criterion_expr(const struct ib_criterion *c, size_t i)
{
    if (c->context != NULL && i == 0) {
        return c->context;
    }
    i -= c->context == NULL ? 0 : 1;
    return i >= inner_count(c) ? NULL
           : c->simple != NULL ? ib_simple_expr(c->simple, i)
                               : ib_template_expr(c->embedded, i);
}

/* ------------------------------------------------------------------------------------ testing */

static enum ib_verdict test_regex(const struct ib_criterion *c, const struct ib_regex *regex,
                                  const struct ib_value *context, struct ib_verdict_note *note,
                                  struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_REGEX_SUBJECT_MAX);
    bool matches = false;

    ib_expr_text_of(context, &text);
    enum ib_rc rc = ib_buf_ok(&text, "text of the context", err);
    if (rc == IB_OK) {
        rc = ib_regex_search(regex, ib_buf_str(&text), NULL, &matches, err);
    }
    /* Text of an answer only: an input may be a secret. */
    if (rc == IB_OK && !matches && c->context->kind == IB_EXPR_RESPONSE_BODY &&
        ib_value_is(context, IB_VALUE_STRING)) {
        ib_verdict_note_seen(note, c->context->text, ib_buf_str(&text));
    }
    return rc != IB_OK ? IB_VERDICT_ERROR : matches ? IB_VERDICT_PASS : IB_VERDICT_FAIL;
}

/*
 * Where nothing can be found "!=" is true. In an object that may be what the author meant; in null
 * or in the text of a proxy's error page it is not.
 */
static enum ib_verdict test_jsonpath(const struct ib_criterion *c, const struct ib_jsonpath *q,
                                     const struct ib_value *context, struct ib_verdict_note *note,
                                     struct ib_error *err)
{
    bool is_container =
        ib_value_is(context, IB_VALUE_OBJECT) || ib_value_is(context, IB_VALUE_ARRAY);

    if (!is_container && ib_jsonpath_descends(q)) {
        (void)ib_fail(err, IB_EEVAL, "the context %.*s is %s: the condition cannot look inside",
                      IB_STR_ARG(c->context->text),
                      ib_value_is(context, IB_VALUE_STRING) ? "text, not JSON"
                                                            : ib_value_type_name(context));
        return IB_VERDICT_ERROR;
    }
    return ib_jsonpath_test(q, context, note, err);
}

/* IB_VERDICT_PASS: there is a context to ask about. */
static enum ib_verdict check_context(const struct ib_criterion *c, const struct ib_value *context,
                                     struct ib_verdict_note *note, struct ib_error *err)
{
    bool is_null = ib_value_is(context, IB_VALUE_NULL);

    if (context != NULL && !is_null) {
        return IB_VERDICT_PASS;
    }
    ib_verdict_note_context(note, c->context->text, is_null);
    if (is_null && c->type == TYPE_REGEX) {
        return IB_VERDICT_FAIL;
    }
    (void)ib_fail(err, IB_EEVAL, "the context %.*s is %s", IB_STR_ARG(c->context->text),
                  is_null ? "null" : "not there");
    return IB_VERDICT_ERROR;
}

/* A condition with "{$...}" is compiled anew for every test. */
static enum ib_verdict test_embedded(const struct ib_criterion *c, const struct ib_scope *scope,
                                     const struct ib_value *context, struct ib_verdict_note *note,
                                     struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_CRITERION_TEXT_MAX);
    struct ib_criterion filled = {.type = c->type, .context = c->context};
    enum ib_verdict verdict = IB_VERDICT_ERROR;

    enum ib_rc rc = fill_condition(c, scope, &text, err);
    if (rc == IB_OK) {
        rc = compile_text(&filled, ib_buf_str(&text), NULL, err);
        if (rc != IB_OK) {
            (void)ib_error_context(err, "condition with its expressions filled in");
        }
    }
    if (rc == IB_OK) {
        verdict = c->type == TYPE_REGEX ? test_regex(c, filled.regex, context, note, err)
                                        : test_jsonpath(c, filled.jsonpath, context, note, err);
    }
    drop_compiled(&filled);
    return verdict;
}

static enum ib_verdict test_about_context(const struct ib_criterion *c,
                                          const struct ib_scope *scope,
                                          struct ib_verdict_note *note, struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *context = NULL;

    if (ib_expr_eval(c->context, scope, &context, err) != IB_OK) {
        return IB_VERDICT_ERROR;
    }
    enum ib_verdict verdict = check_context(c, context, note, err);
    if (verdict != IB_VERDICT_PASS) {
        return verdict;
    }
    if (c->embedded != NULL) {
        return test_embedded(c, scope, context, note, err);
    }
    return c->type == TYPE_REGEX ? test_regex(c, c->regex, context, note, err)
                                 : test_jsonpath(c, c->jsonpath, context, note, err);
}

enum ib_verdict ib_criterion_test(const struct ib_criterion *c, const struct ib_scope *scope,
                                  bool literal, struct ib_verdict_note *note, struct ib_error *err)
{
    struct ib_verdict_note seen = {.text = ""};
    struct ib_error why = IB_ERROR_INIT;
    enum ib_verdict verdict = c->type == TYPE_SIMPLE ? ib_simple_test(c->simple, scope, &seen, &why)
                                                     : test_about_context(c, scope, &seen, &why);

    if (verdict == IB_VERDICT_ERROR && literal) {
        (void)ib_text_copy(seen.text, sizeof seen.text,
                           ib_str_head(ib_str_from(why.text), sizeof seen.text - 1));
        verdict = IB_VERDICT_FAIL;
    } else if (verdict == IB_VERDICT_ERROR && err != NULL) {
        *err = why;
    }
    if (note != NULL) {
        *note = seen;
    }
    return verdict;
}
