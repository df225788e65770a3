/* SPDX-License-Identifier: MIT */
/* Runtime expressions: their grammar, and looking them up. */
#include "lib/arazzo/expr.h"

#include "lib/arazzo/column.h"
#include "lib/base/num.h"
#include "lib/base/text.h"
#include "lib/data/json.h"

#define TRIES_MAX ((size_t)100000) /* keys tried in one lookup, weighed by their length */

/* ------------------------------------------------------------------------------------ parsing */

struct parser {
    struct ib_expr *e;
    size_t at; /* in e->text */
    bool allows_nav;
    size_t *ret_column;
    struct ib_error *err;
};

#define FAIL(p, at, ...) ib_column_fail((p)->err, (p)->ret_column, (at), __VA_ARGS__)

static struct ib_str rest_of(const struct parser *p)
{
    return ib_str_skip(p->e->text, p->at);
}

static size_t offset_of(const struct parser *p, struct ib_str part)
{
    return (size_t)(part.p - p->e->text.p);
}

static bool take(struct parser *p, const char *token)
{
    if (!ib_str_starts(rest_of(p), ib_str_from(token))) {
        return false;
    }
    p->at += strlen(token);
    return true;
}

/* Position of a word in a text, or SIZE_MAX. */
static size_t find_word(struct ib_str text, const char *word)
{
    struct ib_str wanted = ib_str_from(word);

    for (size_t i = 0; i + wanted.n <= text.n; i++) {
        if (ib_str_starts(ib_str_skip(text, i), wanted)) {
            return i;
        }
    }
    return SIZE_MAX;
}

/*
 * The grammar of 1.0 lets a name hold anything. Blanks, braces and control characters are refused
 * all the same, as 1.1 has it: "$inputs.first $inputs.last" is no input of that name.
 */
static enum ib_rc check_name(struct parser *p, struct ib_str name, const char *what)
{
    if (name.n == 0) {
        return FAIL(p, offset_of(p, name), "%s is missing", what);
    }
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c <= ' ' || c == 0x7f || c == '{' || c == '}') {
            return FAIL(p, offset_of(p, name) + i,
                        "%s ends before a blank, a brace or a control "
                        "character, and so does an expression",
                        what);
        }
    }
    return IB_OK;
}

/* tchar of RFC 9110. */
static bool is_token_char(char c)
{
    return ib_ascii_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static enum ib_rc parse_header(struct parser *p, enum ib_expr_kind kind)
{
    struct ib_str name = rest_of(p);

    for (size_t i = 0; i < name.n; i++) {
        if (!is_token_char(name.p[i])) {
            return FAIL(p, p->at + i, "a header name has no such character");
        }
    }
    p->e->kind = kind;
    p->e->name = name;
    return check_name(p, name, "the name of the header");
}

/* A pointer behind its '#'; the columns of its errors are those of its start. */
static enum ib_rc parse_pointer(struct parser *p, struct ib_str pointer)
{
    struct ib_value *none = NULL;
    struct ib_error why = IB_ERROR_INIT;

    p->e->pointer = pointer;
    enum ib_rc rc = ib_value_pointer(NULL, pointer, &none, &why);
    if (rc == IB_EPARSE) {
        return FAIL(p, offset_of(p, pointer), "%s", why.text);
    }
    return rc == IB_OK ? IB_OK : ib_fail(p->err, rc, "%s", why.text);
}

/* Length of one "[n]" or "['key']" at the start of a text, 0 when there is none. */
static size_t bracket_len(struct ib_str text, struct ib_str *ret_key, bool *ret_is_index)
{
    char quote = text.n > 2 && text.p[0] == '[' ? text.p[1] : '\0';
    size_t end = 1;

    *ret_is_index = quote != '\'' && quote != '"';
    if (*ret_is_index) {
        while (end < text.n && ib_ascii_digit(text.p[end])) {
            end++;
        }
        *ret_key = ib_str_head(ib_str_skip(text, 1), end - 1);
        return end > 1 && end < text.n && text.p[0] == '[' && text.p[end] == ']' ? end + 1 : 0;
    }
    struct ib_str inner = ib_str_skip(text, 2);
    size_t n = ib_str_find(inner, quote);
    *ret_key = ib_str_head(inner, n);
    return n + 1 < inner.n && inner.p[n + 1] == ']' ? n + 4 : 0;
}

static enum ib_rc check_nav(struct parser *p, struct ib_str nav)
{
    struct ib_str rest = nav, key;
    bool is_index;

    while (rest.n > 0) {
        size_t n = rest.p[0] == '[' ? bracket_len(rest, &key, &is_index) : 1;
        if (n == 0) {
            return FAIL(p, offset_of(p, rest), "an element is written [0], a member ['name']");
        }
        if (rest.p[0] == '.') {
            while (n < rest.n && rest.p[n] != '.' && rest.p[n] != '[') {
                n++;
            }
            if (n == 1) {
                return FAIL(p, offset_of(p, rest) + 1, "a name is wanted behind the dot");
            }
        } else if (rest.p[0] != '[') {
            return FAIL(p, offset_of(p, rest), "'.' or '[' is wanted here");
        }
        rest = ib_str_skip(rest, n);
    }
    return IB_OK;
}

static enum ib_rc parse_body(struct parser *p, enum ib_expr_kind kind)
{
    struct ib_str rest = rest_of(p);

    p->e->kind = kind;
    if (rest.n == 0) {
        return IB_OK;
    }
    if (rest.p[0] == '#') {
        return parse_pointer(p, ib_str_skip(rest, 1));
    }
    if (p->allows_nav && (rest.p[0] == '.' || rest.p[0] == '[')) {
        p->e->nav = rest;
        return check_nav(p, rest);
    }
    return FAIL(p, p->at, "only '#' and a JSON pointer may follow \"body\", as in %.*s#/a/b",
                IB_STR_ARG(ib_str_head(p->e->text, p->at)));
}

/* NAME[#POINTER] to the end of the text. */
static enum ib_rc parse_named(struct parser *p, enum ib_expr_kind kind, const char *what)
{
    struct ib_str rest = rest_of(p);
    size_t hash = ib_str_find(rest, '#');

    p->e->kind = kind;
    p->e->name = ib_str_head(rest, hash);
    enum ib_rc rc = check_name(p, p->e->name, what);
    if (rc == IB_OK && hash < rest.n) {
        rc = parse_pointer(p, ib_str_skip(rest, hash + 1));
    }
    return rc;
}

static enum ib_rc parse_message(struct parser *p, bool is_request)
{
    if (take(p, "header.")) {
        return parse_header(p, is_request ? IB_EXPR_REQUEST_HEADER : IB_EXPR_RESPONSE_HEADER);
    }
    if (take(p, "query.") || take(p, "path.")) {
        bool is_query = p->e->text.p[p->at - 2] == 'y';
        p->e->kind = is_request ? (is_query ? IB_EXPR_REQUEST_QUERY : IB_EXPR_REQUEST_PATH)
                                : (is_query ? IB_EXPR_RESPONSE_QUERY : IB_EXPR_RESPONSE_PATH);
        p->e->name = rest_of(p);
        return check_name(p, p->e->name, "the name of the parameter");
    }
    if (take(p, "body")) {
        return parse_body(p, is_request ? IB_EXPR_REQUEST_BODY : IB_EXPR_RESPONSE_BODY);
    }
    return FAIL(p, p->at, "header.NAME, query.NAME, path.NAME or body is wanted here");
}

/* OWNER.outputs.NAME or OWNER.inputs.NAME, the id behind "$steps." or "$workflows.". */
static enum ib_rc parse_owned(struct parser *p, bool is_step)
{
    struct ib_str before_pointer = ib_str_head(rest_of(p), ib_str_find(rest_of(p), '#'));
    size_t outputs = find_word(before_pointer, ".outputs.");
    size_t inputs = is_step ? SIZE_MAX : find_word(before_pointer, ".inputs.");
    size_t end = outputs < inputs ? outputs : inputs;

    if (end == SIZE_MAX) {
        return FAIL(p, p->at, "%s is wanted behind %s",
                    is_step ? "STEP.outputs.NAME" : "WORKFLOW.outputs.NAME or WORKFLOW.inputs.NAME",
                    is_step ? "$steps." : "$workflows.");
    }
    p->e->owner = ib_str_head(before_pointer, end);
    enum ib_rc rc = check_name(p, p->e->owner, is_step ? "the stepId" : "the workflowId");
    if (rc != IB_OK) {
        return rc;
    }
    p->at += end + (end == outputs ? strlen(".outputs.") : strlen(".inputs."));
    return parse_named(p,
                       is_step          ? IB_EXPR_STEP_OUTPUT
                       : end == outputs ? IB_EXPR_WORKFLOW_OUTPUT
                                        : IB_EXPR_WORKFLOW_INPUT,
                       end == outputs ? "the name of the output" : "the name of the input");
}

/* Source names have no dots (section "Source Description Object"); what follows the dot may. */
static enum ib_rc parse_source(struct parser *p)
{
    struct ib_str rest = rest_of(p);
    size_t dot = ib_str_find(rest, '.');

    p->e->kind = IB_EXPR_SOURCE;
    p->e->owner = ib_str_head(rest, dot);
    p->e->name = ib_str_skip(rest, dot == rest.n ? dot : dot + 1);
    enum ib_rc rc = check_name(p, p->e->owner, "the name of the source description");
    if (rc == IB_OK && dot < rest.n && p->e->name.n == 0) {
        rc = FAIL(p, p->e->text.n, "url, type or an operationId or workflowId is wanted here");
    }
    /* operationIds may hold anything, blanks too: no check of the name. */
    return rc;
}

static enum ib_rc parse_component(struct parser *p)
{
    static const char *const kinds[] = {"inputs", "parameters", "successActions", "failureActions"};
    struct ib_str rest = rest_of(p);
    size_t dot = ib_str_find(rest, '.');

    p->e->kind = IB_EXPR_COMPONENT;
    p->e->owner = ib_str_head(rest, dot);
    p->e->name = ib_str_skip(rest, dot == rest.n ? dot : dot + 1);
    for (size_t i = 0; i < IB_ARRAY_LEN(kinds); i++) {
        if (ib_str_eq_c(p->e->owner, kinds[i])) {
            return check_name(p, p->e->name, "the name of the component");
        }
    }
    return FAIL(p, p->at,
                "inputs, parameters, successActions or failureActions is wanted behind "
                "$components.");
}

static enum ib_rc parse_single(struct parser *p)
{
    static const struct {
        const char *text;
        enum ib_expr_kind kind;
    } singles[] = {{"$url", IB_EXPR_URL},
                   {"$method", IB_EXPR_METHOD},
                   {"$statusCode", IB_EXPR_STATUS_CODE},
                   {"$self", IB_EXPR_SELF}};

    for (size_t i = 0; i < IB_ARRAY_LEN(singles); i++) {
        if (ib_str_eq_c(p->e->text, singles[i].text)) {
            p->e->kind = singles[i].kind;
            return IB_OK;
        }
        if (ib_str_starts(p->e->text, ib_str_from(singles[i].text))) {
            return FAIL(p, strlen(singles[i].text), "nothing may follow %s", singles[i].text);
        }
    }
    return ib_str_starts(p->e->text, IB_STR("$message."))
               ? FAIL(p, 0, "$message belongs to AsyncAPI steps, which are not supported")
               : FAIL(p, 0,
                      "no runtime expression: there are $url, $method, $statusCode, $request, "
                      "$response, $inputs, $outputs, $steps, $workflows, $sourceDescriptions and "
                      "$components");
}

static enum ib_rc parse_any(struct parser *p)
{
    if (take(p, "$request.")) {
        return parse_message(p, /* is_request= */ true);
    }
    if (take(p, "$response.")) {
        return parse_message(p, /* is_request= */ false);
    }
    if (take(p, "$inputs.")) {
        return parse_named(p, IB_EXPR_INPUT, "the name of the input");
    }
    if (take(p, "$outputs.")) {
        return parse_named(p, IB_EXPR_OUTPUT, "the name of the output");
    }
    if (take(p, "$steps.")) {
        return parse_owned(p, /* is_step= */ true);
    }
    if (take(p, "$workflows.")) {
        return parse_owned(p, /* is_step= */ false);
    }
    if (take(p, "$sourceDescriptions.")) {
        return parse_source(p);
    }
    if (take(p, "$components.")) {
        return parse_component(p);
    }
    return parse_single(p);
}

static enum ib_rc parse(struct ib_str text, bool allows_nav, struct ib_expr **ret,
                        size_t *ret_column, struct ib_error *err)
{
    if (text.n > IB_EXPR_TEXT_MAX) {
        return ib_fail(err, IB_ELIMIT, "an expression of %zu bytes; the most is %d", text.n,
                       IB_EXPR_TEXT_MAX);
    }
    if (!ib_utf8_valid(text.p, text.n) || ib_str_find(text, '\0') < text.n) {
        return ib_column_fail(err, ret_column, 0, "not valid UTF-8, or a NUL byte in it");
    }
    /* The text lies behind the struct: one block, one free(). */
    IB_CLEANUP(ib_expr_cleanup) struct ib_expr *e = calloc(1, sizeof *e + text.n + 1);
    if (e == NULL) {
        return ib_fail_nomem(err);
    }
    char *copy = (char *)(e + 1);
    if (text.n > 0) {
        memcpy(copy, text.p, text.n);
    }
    e->text = (struct ib_str){copy, text.n};
    struct parser p = {.e = e, .allows_nav = allows_nav, .ret_column = ret_column, .err = err};
    enum ib_rc rc = parse_any(&p);
    if (rc == IB_OK) {
        *ret = e;
        e = NULL;
    }
    return rc;
}

enum ib_rc ib_expr_parse(struct ib_str text, struct ib_expr **ret, size_t *ret_column,
                         struct ib_error *err)
{
    return parse(text, /* allows_nav= */ false, ret, ret_column, err);
}

enum ib_rc ib_expr_parse_operand(struct ib_str text, struct ib_expr **ret, size_t *ret_column,
                                 struct ib_error *err)
{
    return parse(text, /* allows_nav= */ true, ret, ret_column, err);
}

void ib_expr_free(struct ib_expr *e)
{
    free(e);
}

void ib_expr_cleanup(struct ib_expr **e)
{
    ib_expr_free(*e);
}

bool ib_expr_looks_like(struct ib_str text)
{
    static const char *const dotted[] = {
        "$request.",    "$response.",           "$inputs.", "$outputs.", "$steps.", "$workflows.",
        "$components.", "$sourceDescriptions.", "$message."};
    static const char *const whole[] = {"$url", "$method", "$statusCode", "$self"};

    for (size_t i = 0; i < IB_ARRAY_LEN(dotted); i++) {
        if (ib_str_starts(text, ib_str_from(dotted[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < IB_ARRAY_LEN(whole); i++) {
        size_t n = strlen(whole[i]);
        if (ib_str_starts(text, ib_str_from(whole[i])) &&
            (text.n == n || (!ib_ascii_alnum(text.p[n]) && text.p[n] != '_'))) {
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------------------------- lookup */

/* The next shorter part of a name that may be a key: it ends before a '.' or '['. */
static size_t shorter_key(struct ib_str name, size_t n)
{
    n = n == 0 ? 0 : n - 1;
    while (n > 0 && name.p[n] != '.' && name.p[n] != '[') {
        n--;
    }
    return n;
}

/* One try, weighed by what hashing the key costs. False when there are none left. */
static bool spend(size_t *tries, size_t key_bytes)
{
    size_t cost = 1 + key_bytes / 64;

    *tries = *tries > cost ? *tries - cost : 0;
    return *tries > 0;
}

struct ib_str ib_expr_known_key(const struct ib_value *object, struct ib_str name,
                                struct ib_str *ret_rest)
{
    size_t tries = TRIES_MAX;

    for (size_t n = name.n; n > 0 && spend(&tries, n); n = shorter_key(name, n)) {
        if (ib_value_get(object, ib_str_head(name, n)) != NULL) {
            *ret_rest = ib_str_skip(name, n);
            return ib_str_head(name, n);
        }
    }
    *ret_rest = name;
    return (struct ib_str){NULL, 0};
}

static const struct ib_value *navigate(const struct ib_value *v, struct ib_str nav, size_t *tries);

/*
 * A name that may hold dots and brackets itself, then navigation: the longest key first, shorter
 * ones when that leads nowhere.
 */
static const struct ib_value *lookup(const struct ib_value *object, struct ib_str name,
                                     size_t *tries)
{
    for (size_t n = name.n; n > 0 && spend(tries, n); n = shorter_key(name, n)) {
        const struct ib_value *v = ib_value_get(object, ib_str_head(name, n));
        if (v != NULL) {
            v = navigate(v, ib_str_skip(name, n), tries);
        }
        if (v != NULL) {
            return v;
        }
    }
    return NULL;
}

/* ".member", "[n]", "['member']" from a value on; NULL when it leads nowhere. */
static const struct ib_value *navigate(const struct ib_value *v, struct ib_str nav, size_t *tries)
{
    while (v != NULL && nav.n > 0) {
        struct ib_str key;
        bool is_index = false;
        int64_t index = 0;
        if (nav.p[0] == '.') {
            return lookup(v, ib_str_skip(nav, 1), tries);
        }
        size_t n = bracket_len(nav, &key, &is_index);
        if (n == 0) {
            return NULL;
        }
        if (!is_index) {
            v = ib_value_get(v, key);
        } else if (ib_value_is(v, IB_VALUE_ARRAY) &&
                   ib_num_i64(key, 0, UINT32_MAX, "index", &index, NULL) == IB_OK) {
            v = ib_value_at(v, (size_t)index);
        } else {
            v = NULL;
        }
        nav = ib_str_skip(nav, n);
    }
    return v;
}

struct ib_value *ib_scope_header(const struct ib_value *headers, struct ib_str name)
{
    if (!ib_value_is(headers, IB_VALUE_OBJECT)) {
        return NULL;
    }
    for (size_t i = 0; i < ib_value_count(headers); i++) {
        if (ib_str_ieq(ib_value_key_at(headers, i), name)) {
            return ib_value_at(headers, i);
        }
    }
    return NULL;
}

static const struct ib_value *base_value(const struct ib_expr *e, const struct ib_scope *scope,
                                         size_t *tries)
{
    switch (e->kind) {
    case IB_EXPR_URL:
        return scope->request.url;
    case IB_EXPR_METHOD:
        return scope->request.method;
    case IB_EXPR_STATUS_CODE:
        return scope->response.status;
    case IB_EXPR_REQUEST_HEADER:
        return ib_scope_header(scope->request.headers, e->name);
    case IB_EXPR_REQUEST_QUERY:
        return lookup(scope->request.query, e->name, tries);
    case IB_EXPR_REQUEST_PATH:
        return lookup(scope->request.path, e->name, tries);
    case IB_EXPR_REQUEST_BODY:
        return scope->request.body;
    case IB_EXPR_RESPONSE_HEADER:
        return ib_scope_header(scope->response.headers, e->name);
    case IB_EXPR_RESPONSE_QUERY:
    case IB_EXPR_RESPONSE_PATH:
        return NULL;
    case IB_EXPR_RESPONSE_BODY:
        return scope->response.body;
    case IB_EXPR_INPUT:
        return lookup(scope->inputs, e->name, tries);
    case IB_EXPR_OUTPUT:
        return lookup(scope->outputs, e->name, tries);
    case IB_EXPR_STEP_OUTPUT:
        return lookup(ib_value_get(scope->steps, e->owner), e->name, tries);
    case IB_EXPR_WORKFLOW_INPUT:
        return lookup(ib_value_get_c(ib_value_get(scope->workflows, e->owner), "inputs"), e->name,
                      tries);
    case IB_EXPR_WORKFLOW_OUTPUT:
        return lookup(ib_value_get_c(ib_value_get(scope->workflows, e->owner), "outputs"), e->name,
                      tries);
    case IB_EXPR_SOURCE:
        return e->name.n == 0 ? ib_value_get(scope->sources, e->owner)
                              : ib_value_get(ib_value_get(scope->sources, e->owner), e->name);
    case IB_EXPR_COMPONENT:
        return ib_value_get(ib_value_get(scope->components, e->owner), e->name);
    case IB_EXPR_SELF:
        return scope->self;
    }
    return NULL;
}

enum ib_rc ib_expr_eval(const struct ib_expr *e, const struct ib_scope *scope,
                        struct ib_value **ret, struct ib_error *err)
{
    size_t tries = TRIES_MAX;
    const struct ib_value *v = base_value(e, scope, &tries);
    struct ib_value *pointed = NULL;

    if (v != NULL && e->pointer.p != NULL) {
        enum ib_rc rc = ib_value_pointer(v, e->pointer, &pointed, err);
        if (rc != IB_OK) {
            (void)ib_error_context(err, "%.*s", IB_STR_ARG(e->text));
            return rc;
        }
        v = pointed;
    }
    v = navigate(v, e->nav, &tries);
    if (tries == 0) {
        return ib_fail(err, IB_ELIMIT, "%.*s: looking it up takes too many steps",
                       IB_STR_ARG(ib_str_head(e->text, 64)));
    }
    *ret = ib_value_ref(v);
    return IB_OK;
}

void ib_expr_text_of(const struct ib_value *v, struct ib_buf *out)
{
    if (ib_value_is(v, IB_VALUE_STRING)) {
        ib_buf_add_str(out, ib_value_as_str(v));
    } else {
        ib_json_print(v, IB_JSON_COMPACT, out);
    }
}
