/* SPDX-License-Identifier: MIT */
/*
 * From the tree of values to the structs of the document: shape, names, references, compilation.
 *
 * Nothing here stops at a mistake: a member of the wrong type is reported and then taken as absent.
 */
#include "lib/arazzo/document_load.h"

#include "lib/arazzo/criterion.h"
#include "lib/arazzo/expr.h"
#include "lib/arazzo/template.h"

struct loader {
    struct ib_arazzo_doc *doc;
    struct ib_findings *out;
    struct ib_buf path; /* JSON Pointer of the value at hand */
    const struct ib_value *components;
    bool is_1_1;
    bool nomem;
};

/* --- where we are ---------------------------------------------------------------------------- */

static size_t enter(struct loader *l, struct ib_str key)
{
    size_t back = l->path.len;

    ib_buf_add_char(&l->path, '/');
    for (size_t i = 0; i < key.n; i++) {
        if (key.p[i] == '~') {
            ib_buf_add_c(&l->path, "~0");
        } else if (key.p[i] == '/') {
            ib_buf_add_c(&l->path, "~1");
        } else {
            ib_buf_add_char(&l->path, key.p[i]);
        }
    }
    return back;
}

static size_t enter_c(struct loader *l, const char *key)
{
    return enter(l, ib_str_from(key));
}

static size_t enter_at(struct loader *l, size_t i)
{
    size_t back = l->path.len;

    ib_buf_addf(&l->path, "/%zu", i);
    return back;
}

static void leave(struct loader *l, size_t back)
{
    ib_buf_cut(&l->path, back);
}

/* The place of v, with the path at hand; kept as long as the document. */
static struct ib_place place_of(struct loader *l, const struct ib_value *v)
{
    const char *path = ib_arazzo_keep(l->doc, ib_buf_c(&l->path));

    if (path == NULL) {
        l->nomem = true;
        path = "";
    }
    return (struct ib_place){ib_value_mark(v), path};
}

/* For a finding that is written at once. */
static struct ib_place here(struct loader *l, struct ib_mark mark)
{
    return (struct ib_place){mark, ib_buf_c(&l->path)};
}

static struct ib_place here_at(struct loader *l, const struct ib_value *v)
{
    return here(l, ib_value_mark(v));
}

/* --- shapes ---------------------------------------------------------------------------------- */

enum want {
    WANT_ANY,
    WANT_STRING,
    WANT_OBJECT,
    WANT_ARRAY,
    WANT_FILLED_ARRAY, /* at least one element */
    WANT_NUMBER,
    WANT_STRING_OR_OBJECT,
};

struct member {
    const char *name;
    enum want want;
    bool required;
    bool is_1_1; /* a feature of Arazzo 1.1 that this engine does not have */
};

#define NEEDED true

static const struct member root_members[] = {
    {"arazzo", WANT_STRING, NEEDED, false},
    {"info", WANT_OBJECT, NEEDED, false},
    {"sourceDescriptions", WANT_FILLED_ARRAY, NEEDED, false},
    {"workflows", WANT_FILLED_ARRAY, NEEDED, false},
    {"components", WANT_OBJECT, false, false},
    {"$self", WANT_STRING, false, true},
};
static const struct member info_members[] = {
    {"title", WANT_STRING, NEEDED, false},
    {"version", WANT_STRING, NEEDED, false},
    {"summary", WANT_STRING, false, false},
    {"description", WANT_STRING, false, false},
};
static const struct member source_members[] = {
    {"name", WANT_STRING, NEEDED, false},
    {"url", WANT_STRING, NEEDED, false},
    {"type", WANT_STRING, false, false},
};
static const struct member workflow_members[] = {
    {"workflowId", WANT_STRING, NEEDED, false},   {"steps", WANT_FILLED_ARRAY, NEEDED, false},
    {"summary", WANT_STRING, false, false},       {"description", WANT_STRING, false, false},
    {"inputs", WANT_ANY, false, false},           {"dependsOn", WANT_ARRAY, false, false},
    {"parameters", WANT_ARRAY, false, false},     {"successActions", WANT_ARRAY, false, false},
    {"failureActions", WANT_ARRAY, false, false}, {"outputs", WANT_OBJECT, false, false},
};
static const struct member step_members[] = {
    {"stepId", WANT_STRING, NEEDED, false},
    {"description", WANT_STRING, false, false},
    {"operationId", WANT_STRING, false, false},
    {"operationPath", WANT_STRING, false, false},
    {"workflowId", WANT_STRING, false, false},
    {"parameters", WANT_ARRAY, false, false},
    {"requestBody", WANT_OBJECT, false, false},
    {"successCriteria", WANT_FILLED_ARRAY, false, false},
    {"onSuccess", WANT_ARRAY, false, false},
    {"onFailure", WANT_ARRAY, false, false},
    {"outputs", WANT_OBJECT, false, false},
    {"channelPath", WANT_STRING, false, true},
    {"action", WANT_STRING, false, true},
    {"correlationId", WANT_ANY, false, true},
    {"timeout", WANT_NUMBER, false, true},
    {"dependsOn", WANT_ARRAY, false, true},
};
static const struct member param_members[] = {
    {"name", WANT_STRING, NEEDED, false},
    {"value", WANT_ANY, NEEDED, false},
    {"in", WANT_STRING, false, false},
};
static const struct member body_members[] = {
    {"contentType", WANT_STRING, false, false},
    {"payload", WANT_ANY, false, false},
    {"replacements", WANT_ARRAY, false, false},
};
static const struct member replacement_members[] = {
    {"target", WANT_STRING, NEEDED, false},
    {"value", WANT_ANY, NEEDED, false},
    {"targetSelectorType", WANT_ANY, false, true},
};
static const struct member criterion_members[] = {
    {"condition", WANT_STRING, NEEDED, false},
    {"context", WANT_STRING, false, false},
    {"type", WANT_STRING_OR_OBJECT, false, false},
};
static const struct member criterion_type_members[] = {
    {"type", WANT_STRING, NEEDED, false},
    {"version", WANT_STRING, NEEDED, false},
};
static const struct member success_members[] = {
    {"name", WANT_STRING, NEEDED, false},   {"type", WANT_STRING, NEEDED, false},
    {"stepId", WANT_STRING, false, false},  {"workflowId", WANT_STRING, false, false},
    {"criteria", WANT_ARRAY, false, false}, {"parameters", WANT_ARRAY, false, true},
};
static const struct member failure_members[] = {
    {"name", WANT_STRING, NEEDED, false},      {"type", WANT_STRING, NEEDED, false},
    {"stepId", WANT_STRING, false, false},     {"workflowId", WANT_STRING, false, false},
    {"retryAfter", WANT_NUMBER, false, false}, {"retryLimit", WANT_NUMBER, false, false},
    {"criteria", WANT_ARRAY, false, false},    {"parameters", WANT_ARRAY, false, true},
};
static const struct member components_members[] = {
    {"inputs", WANT_OBJECT, false, false},
    {"parameters", WANT_OBJECT, false, false},
    {"successActions", WANT_OBJECT, false, false},
    {"failureActions", WANT_OBJECT, false, false},
};

static bool fits(const struct ib_value *v, enum want want)
{
    switch (want) {
    case WANT_ANY:
        return true;
    case WANT_STRING:
        return ib_value_is(v, IB_VALUE_STRING);
    case WANT_OBJECT:
        return ib_value_is(v, IB_VALUE_OBJECT);
    case WANT_ARRAY:
        return ib_value_is(v, IB_VALUE_ARRAY);
    case WANT_FILLED_ARRAY:
        return ib_value_is(v, IB_VALUE_ARRAY) && ib_value_count(v) > 0;
    case WANT_NUMBER:
        return ib_value_is_number(v);
    case WANT_STRING_OR_OBJECT:
        return ib_value_is(v, IB_VALUE_STRING) || ib_value_is(v, IB_VALUE_OBJECT);
    }
    return false;
}

static const char *want_name(enum want want)
{
    switch (want) {
    case WANT_ANY:
        return "a value";
    case WANT_STRING:
        return "a string";
    case WANT_OBJECT:
        return "an object";
    case WANT_ARRAY:
        return "an array";
    case WANT_FILLED_ARRAY:
        return "an array with at least one element";
    case WANT_NUMBER:
        return "a number";
    case WANT_STRING_OR_OBJECT:
        return "a string or an object";
    }
    return "";
}

static void wrong_type(struct loader *l, struct ib_str key, const struct ib_value *v,
                       enum want want)
{
    bool quotable = want == WANT_STRING && v != NULL && !ib_value_is(v, IB_VALUE_OBJECT) &&
                    !ib_value_is(v, IB_VALUE_ARRAY);
    bool empty = ib_value_is(v, IB_VALUE_ARRAY) && want == WANT_FILLED_ARRAY;

    ib_findings_add(l->out, IB_FINDING_ERROR, "type", here_at(l, v),
                    "\"%.*s\" must be %s, not %s%s%s", IB_STR_ARG(key), want_name(want),
                    empty ? "an empty " : "", ib_value_type_name(v),
                    quotable ? " (put it in quotes)" : "");
}

static void one_member(struct loader *l, const struct ib_value *object, size_t i,
                       const struct member *members, size_t count)
{
    struct ib_str key = ib_value_key_at(object, i);
    const struct ib_value *v = ib_value_at(object, i);
    size_t back = enter(l, key);

    for (size_t m = 0; m < count; m++) {
        if (!ib_str_eq_c(key, members[m].name)) {
            continue;
        }
        if (members[m].is_1_1) {
            ib_findings_add(l->out, IB_FINDING_ERROR, l->is_1_1 ? "feature-1.1" : "unknown-member",
                            here(l, ib_value_key_mark_at(object, i)),
                            "\"%s\" is a feature of Arazzo 1.1 that this engine does not have",
                            members[m].name);
        } else if (!fits(v, members[m].want)) {
            wrong_type(l, key, v, members[m].want);
        }
        leave(l, back);
        return;
    }
    if (!ib_str_starts(key, IB_STR("x-"))) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "unknown-member",
                        here(l, ib_value_key_mark_at(object, i)),
                        "\"%.*s\" is not a member of this object", IB_STR_ARG(key));
    }
    leave(l, back);
}

/* Is v an object? Then all of its members are looked at. what: "a step". */
static bool shape(struct loader *l, const struct ib_value *v, const char *what,
                  const struct member *members, size_t count)
{
    if (!ib_value_is(v, IB_VALUE_OBJECT)) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "type", here_at(l, v),
                        "%s must be an object, not %s", what, ib_value_type_name(v));
        return false;
    }
    for (size_t i = 0; i < ib_value_count(v); i++) {
        one_member(l, v, i, members, count);
    }
    for (size_t m = 0; m < count; m++) {
        if (members[m].required && ib_value_get_c(v, members[m].name) == NULL) {
            ib_findings_add(l->out, IB_FINDING_ERROR, "required", here_at(l, v), "%s needs \"%s\"",
                            what, members[m].name);
        }
    }
    return true;
}
#define SHAPE(l, v, what, members) shape((l), (v), (what), (members), IB_ARRAY_LEN(members))

static struct ib_str text_of(const struct ib_value *v)
{
    return ib_value_is(v, IB_VALUE_STRING) ? ib_value_as_str(v) : (struct ib_str){NULL, 0};
}

/* Text of a member, p NULL when it is absent or (reported already) no string. */
static struct ib_str text_member(const struct ib_value *object, const char *key)
{
    return text_of(ib_value_get_c(object, key));
}

/* Member of a type, NULL when it is absent or of another type (reported already). */
static const struct ib_value *typed_member(const struct ib_value *object, const char *key,
                                           enum ib_value_type type)
{
    const struct ib_value *v = ib_value_get_c(object, key);

    return ib_value_is(v, type) ? v : NULL;
}

static void *room(struct loader *l, size_t count, size_t size)
{
    void *p = ib_arazzo_alloc(l->doc, count, size);

    if (p == NULL) {
        l->nomem = true;
    }
    return p;
}

static bool name_char(char c, bool dot)
{
    return ib_ascii_alnum(c) || c == '_' || c == '-' || (dot && c == '.');
}

/* ^[A-Za-z0-9_-]+$, with dots for keys of outputs and components. */
static bool is_name(struct ib_str s, bool dot)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!name_char(s.p[i], dot)) {
            return false;
        }
    }
    return s.n > 0;
}

/* Ids of workflows and steps: any text in 1.0, but references need something to stand on. */
static void check_id(struct loader *l, const struct ib_value *object, const char *key)
{
    const struct ib_value *v = ib_value_get_c(object, key);
    struct ib_str id = text_of(v);

    if (id.p == NULL) {
        return;
    }
    size_t back = enter_c(l, key);
    if (id.n == 0) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "pattern", here_at(l, v),
                        "\"%s\" must not be empty", key);
    } else if (!is_name(id, false)) {
        ib_findings_add(l->out, IB_FINDING_WARNING, "pattern", here_at(l, v),
                        "\"%s\" should have only letters, digits, '_' and '-'; expressions that "
                        "name it may be read differently elsewhere",
                        key);
    }
    leave(l, back);
}

/* --- expressions and criteria ----------------------------------------------------------------- */

/* An output is an expression, whole or within text: a constant is most likely a forgotten '$'. */
static void compile_output(struct loader *l, struct ib_arazzo_output *output)
{
    struct ib_error why = IB_ERROR_INIT;
    struct ib_template *value = NULL;
    IB_CLEANUP(ib_expr_cleanup) struct ib_expr *none = NULL;
    enum ib_rc rc = ib_template_parse(output->text, &value, &why);

    if (rc == IB_OK && ib_template_kind(value) == IB_TEMPLATE_LITERAL) {
        ib_template_free(value);
        rc = ib_expr_parse(output->text, &none, NULL, &why);
        rc = rc == IB_OK ? ib_fail(&why, IB_EPARSE, "no runtime expression") : rc;
    }
    if (rc == IB_ENOMEM || (rc == IB_OK && !ib_arazzo_own_template(l->doc, value))) {
        l->nomem = true;
    } else if (rc != IB_OK) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "expression", output->at, "output \"%.*s\": %s",
                        IB_STR_ARG(output->name), why.text);
    } else {
        output->value = value;
    }
}

static void load_outputs(struct loader *l, const struct ib_value *object,
                         struct ib_arazzo_outputs *ret)
{
    const struct ib_value *map = typed_member(object, "outputs", IB_VALUE_OBJECT);
    size_t count = ib_value_count(map);

    ret->items = room(l, count, sizeof *ret->items);
    if (ret->items == NULL) {
        return;
    }
    size_t top = enter_c(l, "outputs");
    for (size_t i = 0; i < count; i++) {
        struct ib_arazzo_output *output = &ret->items[ret->count];
        const struct ib_value *v = ib_value_at(map, i);
        struct ib_str name = ib_value_key_at(map, i);
        size_t back = enter(l, name);

        if (!is_name(name, true)) {
            ib_findings_add(l->out, IB_FINDING_ERROR, "output-name",
                            here(l, ib_value_key_mark_at(map, i)),
                            "output name \"%.*s\" may have only letters, digits, '.', '-' and '_'",
                            IB_STR_ARG(name));
        }
        if (ib_value_is(v, IB_VALUE_STRING)) {
            *output = (struct ib_arazzo_output){
                .at = place_of(l, v), .name = name, .text = ib_value_as_str(v)};
            compile_output(l, output);
            ret->count++;
        } else if (ib_value_is(v, IB_VALUE_OBJECT) && ib_value_get_c(v, "selector") != NULL) {
            ib_findings_add(l->out, IB_FINDING_ERROR, "feature-1.1", here_at(l, v),
                            "a selector object is a feature of Arazzo 1.1 that this engine does "
                            "not have");
        } else {
            wrong_type(l, name, v, WANT_STRING);
        }
        leave(l, back);
    }
    leave(l, top);
}

/* type: "jsonpath" or {type: jsonpath, version: ...}. */
static void criterion_type(struct loader *l, const struct ib_value *v, struct ib_str *ret_type,
                           struct ib_str *ret_version)
{
    const struct ib_value *type = ib_value_get_c(v, "type");

    if (ib_value_is(type, IB_VALUE_OBJECT)) {
        size_t back = enter_c(l, "type");
        (void)SHAPE(l, type, "a criterion type", criterion_type_members);
        leave(l, back);
        *ret_type = text_member(type, "type");
        *ret_version = text_member(type, "version");
        return;
    }
    *ret_type = text_of(type);
}

struct warn_ctx {
    struct loader *l;
    struct ib_place at;
};

static void warn_criterion(void *ctx, size_t column, const char *text)
{
    const struct warn_ctx *w = ctx;

    ib_findings_add(w->l->out, IB_FINDING_WARNING, "criterion-dialect", w->at, "column %zu: %s",
                    column, text);
}

static void compile_criterion(struct loader *l, const struct ib_criterion_source *said,
                              struct ib_arazzo_criterion *ret)
{
    struct ib_criterion_source source = *said;
    struct warn_ctx ctx = {l, ret->at};
    struct ib_criterion *test = NULL;
    struct ib_error why = IB_ERROR_INIT;

    source.warn = warn_criterion;
    source.warn_ctx = &ctx;
    enum ib_rc rc = ib_criterion_compile(&source, &test, NULL, &why);
    if (rc == IB_ENOMEM || (rc == IB_OK && !ib_arazzo_own_criterion(l->doc, test))) {
        l->nomem = true;
    } else if (rc != IB_OK) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "criterion", ret->at, "%s", why.text);
    } else {
        ret->test = test;
    }
}

static void load_criterion(struct loader *l, const struct ib_value *v,
                           struct ib_arazzo_criterion *ret)
{
    struct ib_criterion_source source = {.context = {NULL, 0}};

    ret->source = v;
    ret->at = place_of(l, v);
    if (!SHAPE(l, v, "a criterion", criterion_members)) {
        return;
    }
    const struct ib_value *condition = ib_value_get_c(v, "condition");
    ret->condition = source.condition = text_of(condition);
    source.context = text_member(v, "context");
    criterion_type(l, v, &source.type, &source.version);
    if (source.condition.p == NULL) {
        return;
    }
    size_t back = enter_c(l, "condition");
    ret->at = place_of(l, condition);
    if (ib_value_get_c(v, "type") != NULL && ib_value_get_c(v, "context") == NULL) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "criterion-context", ret->at,
                        "a criterion with \"type\" needs \"context\"");
    } else {
        compile_criterion(l, &source, ret);
    }
    leave(l, back);
}

static void load_criteria(struct loader *l, const struct ib_value *object, const char *key,
                          struct ib_arazzo_criterion **ret, size_t *ret_count)
{
    const struct ib_value *list = typed_member(object, key, IB_VALUE_ARRAY);
    struct ib_arazzo_criterion *items = room(l, ib_value_count(list), sizeof *items);

    if (items == NULL) {
        return;
    }
    size_t top = enter_c(l, key);
    for (size_t i = 0; i < ib_value_count(list); i++) {
        size_t back = enter_at(l, i);
        load_criterion(l, ib_value_at(list, i), &items[i]);
        leave(l, back);
    }
    leave(l, top);
    *ret = items;
    *ret_count = ib_value_count(list);
}

/* --- reusable objects ----------------------------------------------------------------------- */

enum kind { KIND_PARAMETER, KIND_SUCCESS, KIND_FAILURE };

static const char *kind_key(enum kind kind)
{
    switch (kind) {
    case KIND_PARAMETER:
        return "parameters";
    case KIND_SUCCESS:
        return "successActions";
    case KIND_FAILURE:
        return "failureActions";
    }
    return "";
}

/*
 * v itself, or what its "reference" names. NULL when that is nothing (reported). The path at hand
 * stays that of the use: there the reader looks first.
 */
static const struct ib_value *dereference(struct loader *l, const struct ib_value *v,
                                          enum kind kind)
{
    const struct ib_value *reference = ib_value_get_c(v, "reference");

    if (reference == NULL) {
        return v;
    }
    struct ib_str text = text_of(reference);
    struct ib_str prefix = IB_STR("$components.");
    struct ib_str rest = ib_str_skip(text, prefix.n);
    struct ib_str name = rest;
    struct ib_str key = ib_str_split(&name, '.');
    if (text.p == NULL || !ib_str_starts(text, prefix) || name.p == NULL) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "reference", here_at(l, reference),
                        "\"reference\" must be $components.%s.NAME", kind_key(kind));
        return NULL;
    }
    if (!ib_str_eq_c(key, kind_key(kind))) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "reference", here_at(l, reference),
                        "\"%.*s\" names one of components.%.*s where components.%s belongs",
                        IB_STR_ARG(text), IB_STR_ARG(key), kind_key(kind));
        return NULL;
    }
    const struct ib_value *found =
        ib_value_get(typed_member(l->components, kind_key(kind), IB_VALUE_OBJECT), name);
    if (found == NULL) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "reference", here_at(l, reference),
                        "there is no components.%s.%.*s", kind_key(kind), IB_STR_ARG(name));
    } else if (ib_value_get_c(found, "reference") != NULL) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "reference", here_at(l, reference),
                        "components.%s.%.*s is itself a reference", kind_key(kind),
                        IB_STR_ARG(name));
        found = NULL;
    }
    return found;
}

/* --- parameters ----------------------------------------------------------------------------- */

static void check_param_in(struct loader *l, const struct ib_value *v)
{
    static const char *const places[] = {"path", "query", "header", "cookie"};
    const struct ib_value *in = ib_value_get_c(v, "in");
    struct ib_str text = text_of(in);

    if (text.p == NULL) {
        return;
    }
    for (size_t i = 0; i < IB_ARRAY_LEN(places); i++) {
        if (ib_str_eq_c(text, places[i])) {
            return;
        }
    }
    ib_findings_add(l->out, IB_FINDING_ERROR,
                    ib_str_eq_c(text, "querystring") ? "feature-1.1" : "parameter-in",
                    here_at(l, in), "\"in\" must be path, query, header or cookie, not \"%.*s\"%s",
                    IB_STR_ARG(text), ib_str_eq_c(text, "body") ? " (use requestBody)" : "");
}

static bool same_param(const struct ib_arazzo_param *a, const struct ib_arazzo_param *b)
{
    /* Header names are without case (RFC 9110). */
    bool header = a->in.p != NULL && ib_str_eq_c(a->in, "header");

    if ((a->in.p == NULL) != (b->in.p == NULL) || !ib_str_eq(a->in, b->in)) {
        return false;
    }
    return header ? ib_str_ieq(a->name, b->name) : ib_str_eq(a->name, b->name);
}

static bool load_param(struct loader *l, const struct ib_value *use, struct ib_arazzo_param *ret)
{
    const struct ib_value *v = dereference(l, use, KIND_PARAMETER);

    if (v == NULL || !SHAPE(l, v, "a parameter", param_members)) {
        return false;
    }
    check_param_in(l, v);
    *ret = (struct ib_arazzo_param){
        .at = place_of(l, use),
        .name = text_member(v, "name"),
        .in = text_member(v, "in"),
        .value = ib_value_get_c(v, "value"),
    };
    if (v != use && ib_value_get_c(use, "value") != NULL) {
        ret->value = ib_value_get_c(use, "value");
    }
    return ret->name.p != NULL && ret->value != NULL;
}

static void load_params(struct loader *l, const struct ib_value *object,
                        struct ib_arazzo_params *ret)
{
    const struct ib_value *list = typed_member(object, "parameters", IB_VALUE_ARRAY);

    ret->items = room(l, ib_value_count(list), sizeof *ret->items);
    if (ret->items == NULL) {
        return;
    }
    size_t top = enter_c(l, "parameters");
    for (size_t i = 0; i < ib_value_count(list); i++) {
        size_t back = enter_at(l, i);
        struct ib_arazzo_param *param = &ret->items[ret->count];
        bool twice = false;
        bool good = load_param(l, ib_value_at(list, i), param);
        for (size_t k = 0; good && k < ret->count; k++) {
            twice = twice || same_param(&ret->items[k], param);
        }
        if (twice) {
            ib_findings_add(l->out, IB_FINDING_ERROR, "duplicate", param->at,
                            "parameter \"%.*s\" is in this list already", IB_STR_ARG(param->name));
        } else if (good) {
            ret->count++;
        }
        leave(l, back);
    }
    leave(l, top);
}

bool ib_arazzo_param_replaced(const struct ib_arazzo_step *s, const struct ib_arazzo_param *p)
{
    for (size_t i = 0; i < s->params.count; i++) {
        if (same_param(&s->params.items[i], p)) {
            return true;
        }
    }
    return false;
}

/* --- actions -------------------------------------------------------------------------------- */

static bool action_type(struct loader *l, const struct ib_value *v, enum kind kind,
                        enum ib_arazzo_action_type *ret)
{
    const struct ib_value *type = ib_value_get_c(v, "type");
    struct ib_str text = text_of(type);

    if (text.p == NULL) {
        return false;
    }
    if (ib_str_eq_c(text, "end")) {
        *ret = IB_ACTION_END;
    } else if (ib_str_eq_c(text, "goto")) {
        *ret = IB_ACTION_GOTO;
    } else if (ib_str_eq_c(text, "retry") && kind == KIND_FAILURE) {
        *ret = IB_ACTION_RETRY;
    } else {
        ib_findings_add(l->out, IB_FINDING_ERROR, "action-type", here_at(l, type),
                        "\"type\" must be end%s, not \"%.*s\"",
                        kind == KIND_FAILURE ? ", goto or retry" : " or goto", IB_STR_ARG(text));
        return false;
    }
    return true;
}

/* Longest wait that a document may ask for: a day. */
#define RETRY_AFTER_MAX_S 86400.0
#define RETRY_LIMIT_MAX   INT64_C(1000000)

static void load_retry(struct loader *l, const struct ib_value *v, struct ib_arazzo_action *ret)
{
    const struct ib_value *after = ib_value_get_c(v, "retryAfter");
    const struct ib_value *limit = ib_value_get_c(v, "retryLimit");

    ret->retry_after_ms = -1;
    ret->retry_limit = 1;
    if (ret->type != IB_ACTION_RETRY) {
        const struct ib_value *extra = after != NULL ? after : limit;
        if (extra != NULL) {
            ib_findings_add(l->out, IB_FINDING_ERROR, "retry-only", here_at(l, extra),
                            "\"%s\" has a meaning only with type retry",
                            after != NULL ? "retryAfter" : "retryLimit");
        }
        return;
    }
    if (ib_value_is_number(after)) {
        double seconds = ib_value_as_real(after);
        if (seconds < 0 || seconds > RETRY_AFTER_MAX_S) {
            ib_findings_add(l->out, IB_FINDING_ERROR, "retry-after", here_at(l, after),
                            "\"retryAfter\" must be 0 to 86400 seconds");
        } else {
            ret->retry_after_ms = (int64_t)(seconds * 1000.0 + 0.5);
        }
    }
    if (ib_value_is_number(limit)) {
        if (!ib_value_is(limit, IB_VALUE_INT) || ib_value_as_int(limit) < 0 ||
            ib_value_as_int(limit) > RETRY_LIMIT_MAX) {
            ib_findings_add(l->out, IB_FINDING_ERROR, "retry-limit", here_at(l, limit),
                            "\"retryLimit\" must be a whole number from 0 to 1000000");
        } else {
            ret->retry_limit = ib_value_as_int(limit);
        }
    }
}

static void check_action_target(struct loader *l, const struct ib_value *v,
                                const struct ib_arazzo_action *action)
{
    bool step = ib_value_get_c(v, "stepId") != NULL;
    bool workflow = ib_value_get_c(v, "workflowId") != NULL;

    if (step && workflow) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "goto-target", here_at(l, v),
                        "an action has \"stepId\" or \"workflowId\", not both");
    } else if (action->type == IB_ACTION_GOTO && !step && !workflow) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "goto-target", here_at(l, v),
                        "goto needs \"stepId\" or \"workflowId\"");
    } else if (action->type == IB_ACTION_END && (step || workflow)) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "goto-target", here_at(l, v),
                        "an action of type end has no target");
    }
}

static bool load_action(struct loader *l, const struct ib_value *use, enum kind kind,
                        struct ib_arazzo_action *ret)
{
    const struct ib_value *v = dereference(l, use, kind);

    if (v == NULL) {
        return false;
    }
    bool is_object = kind == KIND_FAILURE ? SHAPE(l, v, "a failure action", failure_members)
                                          : SHAPE(l, v, "a success action", success_members);
    if (!is_object) {
        return false;
    }
    ret->at = place_of(l, use);
    ret->name = text_member(v, "name");
    ret->step_id = text_member(v, "stepId");
    ret->workflow_id = text_member(v, "workflowId");
    load_criteria(l, v, "criteria", &ret->criteria, &ret->criterion_count);
    if (!action_type(l, v, kind, &ret->type)) {
        return false;
    }
    load_retry(l, v, ret);
    check_action_target(l, v, ret);
    return ret->name.p != NULL;
}

static void load_actions(struct loader *l, const struct ib_value *object, const char *key,
                         enum kind kind, struct ib_arazzo_actions *ret)
{
    const struct ib_value *list = typed_member(object, key, IB_VALUE_ARRAY);

    ret->said = list != NULL;
    ret->items = room(l, ib_value_count(list), sizeof *ret->items);
    if (ret->items == NULL) {
        return;
    }
    size_t top = enter_c(l, key);
    for (size_t i = 0; i < ib_value_count(list); i++) {
        size_t back = enter_at(l, i);
        struct ib_arazzo_action *action = &ret->items[ret->count];
        bool twice = false;
        bool good = load_action(l, ib_value_at(list, i), kind, action);
        for (size_t k = 0; good && k < ret->count; k++) {
            twice = twice || ib_str_eq(ret->items[k].name, action->name);
        }
        if (twice) {
            ib_findings_add(l->out, IB_FINDING_ERROR, "duplicate", action->at,
                            "an action named \"%.*s\" is in this list already",
                            IB_STR_ARG(action->name));
        }
        ret->count += good ? 1 : 0;
        leave(l, back);
    }
    leave(l, top);
}

/* --- steps ---------------------------------------------------------------------------------- */

static void load_replacements(struct loader *l, const struct ib_value *body,
                              struct ib_arazzo_step *ret)
{
    const struct ib_value *list = typed_member(body, "replacements", IB_VALUE_ARRAY);

    ret->replacements = room(l, ib_value_count(list), sizeof *ret->replacements);
    if (ret->replacements == NULL) {
        return;
    }
    size_t top = enter_c(l, "replacements");
    for (size_t i = 0; i < ib_value_count(list); i++) {
        const struct ib_value *v = ib_value_at(list, i);
        size_t back = enter_at(l, i);
        if (SHAPE(l, v, "a replacement", replacement_members)) {
            struct ib_arazzo_replacement one = {.at = place_of(l, v),
                                                .target = text_member(v, "target"),
                                                .value = ib_value_get_c(v, "value")};
            struct ib_value *none = NULL;
            struct ib_error why = IB_ERROR_INIT;
            enum ib_rc rc =
                one.target.p == NULL ? IB_OK : ib_value_pointer(v, one.target, &none, &why);
            if (rc == IB_ENOMEM) {
                l->nomem = true;
            } else if (rc != IB_OK) {
                ib_findings_add(l->out, IB_FINDING_ERROR, "replacement-target", one.at,
                                "\"target\" must be a JSON Pointer: %s", why.text);
            } else if (one.target.p != NULL && one.value != NULL) {
                ret->replacements[ret->replacement_count++] = one;
            }
        }
        leave(l, back);
    }
    leave(l, top);
}

static void load_body(struct loader *l, const struct ib_value *v, struct ib_arazzo_step *ret)
{
    const struct ib_value *body = typed_member(v, "requestBody", IB_VALUE_OBJECT);

    if (body == NULL) {
        return;
    }
    size_t back = enter_c(l, "requestBody");
    (void)SHAPE(l, body, "a request body", body_members);
    ret->content_type = text_member(body, "contentType");
    ret->payload = ib_value_get_c(body, "payload");
    ret->payload_at = place_of(l, ret->payload != NULL ? ret->payload : body);
    load_replacements(l, body, ret);
    if (ret->replacement_count > 0 && ret->payload == NULL) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "replacement-target", here_at(l, body),
                        "\"replacements\" need a \"payload\" to stand in");
    }
    leave(l, back);
}

static void load_target(struct loader *l, const struct ib_value *v, struct ib_arazzo_step *ret)
{
    static const struct {
        const char *key;
        enum ib_arazzo_target type;
    } targets[] = {
        {"operationId", IB_TARGET_OPERATION_ID},
        {"operationPath", IB_TARGET_OPERATION_PATH},
        {"workflowId", IB_TARGET_WORKFLOW},
    };
    size_t said = 0;

    ret->target_at = ret->at;
    for (size_t i = 0; i < IB_ARRAY_LEN(targets); i++) {
        const struct ib_value *target = ib_value_get_c(v, targets[i].key);
        if (target == NULL) {
            continue;
        }
        said++;
        size_t back = enter_c(l, targets[i].key);
        ret->target_type = targets[i].type;
        ret->target = text_of(target);
        ret->target_at = place_of(l, target);
        leave(l, back);
    }
    if (said != 1 && ib_value_get_c(v, "channelPath") == NULL) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "step-target", here_at(l, v),
                        "a step has exactly one of operationId, operationPath and workflowId, "
                        "not %s",
                        said == 0 ? "none" : "several");
    }
}

static void load_step(struct loader *l, const struct ib_value *v, struct ib_arazzo_step *ret)
{
    ret->at = place_of(l, v);
    ret->target_at = ret->payload_at = ret->at;
    if (!SHAPE(l, v, "a step", step_members)) {
        return;
    }
    check_id(l, v, "stepId");
    ret->id = text_member(v, "stepId");
    ret->description = text_member(v, "description");
    load_target(l, v, ret);
    load_params(l, v, &ret->params);
    load_body(l, v, ret);
    load_criteria(l, v, "successCriteria", &ret->success_criteria, &ret->success_criterion_count);
    load_actions(l, v, "onSuccess", KIND_SUCCESS, &ret->on_success);
    load_actions(l, v, "onFailure", KIND_FAILURE, &ret->on_failure);
    load_outputs(l, v, &ret->outputs);
}

/* True, and a finding, when there are more than max of something. */
static bool too_many(struct loader *l, const struct ib_value *list, size_t max, const char *what)
{
    if (ib_value_count(list) <= max) {
        return false;
    }
    ib_findings_add(l->out, IB_FINDING_ERROR, "limit", here_at(l, list),
                    "%zu %s are more than the %zu that are allowed", ib_value_count(list), what,
                    max);
    return true;
}

static void load_steps(struct loader *l, const struct ib_value *v, struct ib_arazzo_workflow *ret)
{
    const struct ib_value *list = typed_member(v, "steps", IB_VALUE_ARRAY);
    size_t back = enter_c(l, "steps");

    if (!too_many(l, list, IB_ARAZZO_STEPS_MAX, "steps")) {
        ret->steps = room(l, ib_value_count(list), sizeof *ret->steps);
    }
    for (size_t i = 0; ret->steps != NULL && i < ib_value_count(list); i++) {
        struct ib_arazzo_step *step = &ret->steps[i];
        size_t top = enter_at(l, i);
        load_step(l, ib_value_at(list, i), step);
        for (size_t k = 0; step->id.p != NULL && k < i; k++) {
            if (ib_str_eq(ret->steps[k].id, step->id)) {
                ib_findings_add(l->out, IB_FINDING_ERROR, "duplicate", step->at,
                                "stepId \"%.*s\" is used in line %u already", IB_STR_ARG(step->id),
                                ret->steps[k].at.mark.line);
                break;
            }
        }
        ret->step_count++;
        leave(l, top);
    }
    leave(l, back);
}

/* --- workflows ------------------------------------------------------------------------------ */

static void load_depends_on(struct loader *l, const struct ib_value *v,
                            struct ib_arazzo_workflow *ret)
{
    const struct ib_value *list = typed_member(v, "dependsOn", IB_VALUE_ARRAY);
    size_t count = ib_value_count(list);

    ret->depends_on = room(l, count, sizeof *ret->depends_on);
    ret->depends_on_at = room(l, count, sizeof *ret->depends_on_at);
    if (ret->depends_on == NULL || ret->depends_on_at == NULL) {
        return;
    }
    size_t top = enter_c(l, "dependsOn");
    for (size_t i = 0; i < count; i++) {
        const struct ib_value *one = ib_value_at(list, i);
        size_t back = enter_at(l, i);
        bool twice = false;
        for (size_t k = 0; k < ret->depends_on_count; k++) {
            twice = twice || ib_str_eq(ret->depends_on[k], text_of(one));
        }
        if (!ib_value_is(one, IB_VALUE_STRING)) {
            wrong_type(l, IB_STR("dependsOn"), one, WANT_STRING);
        } else if (twice) {
            ib_findings_add(l->out, IB_FINDING_ERROR, "duplicate", here_at(l, one),
                            "\"%.*s\" is in this list already", IB_STR_ARG(text_of(one)));
        } else {
            ret->depends_on[ret->depends_on_count] = text_of(one);
            ret->depends_on_at[ret->depends_on_count++] = place_of(l, one);
        }
        leave(l, back);
    }
    leave(l, top);
}

static void load_inputs(struct loader *l, const struct ib_value *v, struct ib_arazzo_workflow *ret)
{
    const struct ib_value *inputs = ib_value_get_c(v, "inputs");

    if (inputs == NULL) {
        return;
    }
    size_t back = enter_c(l, "inputs");
    ret->inputs_at = place_of(l, inputs);
    if (ib_value_is(inputs, IB_VALUE_OBJECT)) {
        ret->inputs = inputs;
    } else if (!ib_value_is(inputs, IB_VALUE_BOOL)) {
        wrong_type(l, IB_STR("inputs"), inputs, WANT_OBJECT);
    }
    leave(l, back);
}

static void load_workflow(struct loader *l, const struct ib_value *v,
                          struct ib_arazzo_workflow *ret)
{
    ret->at = place_of(l, v);
    if (!SHAPE(l, v, "a workflow", workflow_members)) {
        return;
    }
    check_id(l, v, "workflowId");
    ret->id = text_member(v, "workflowId");
    ret->summary = text_member(v, "summary");
    load_inputs(l, v, ret);
    load_depends_on(l, v, ret);
    load_params(l, v, &ret->params);
    load_actions(l, v, "successActions", KIND_SUCCESS, &ret->success_actions);
    load_actions(l, v, "failureActions", KIND_FAILURE, &ret->failure_actions);
    load_steps(l, v, ret);
    load_outputs(l, v, &ret->outputs);
}

static void load_workflows(struct loader *l)
{
    struct ib_arazzo_doc *doc = l->doc;
    const struct ib_value *list = typed_member(doc->root, "workflows", IB_VALUE_ARRAY);
    size_t back = enter_c(l, "workflows");

    if (!too_many(l, list, IB_ARAZZO_WORKFLOWS_MAX, "workflows")) {
        doc->workflows = room(l, ib_value_count(list), sizeof *doc->workflows);
    }
    for (size_t i = 0; doc->workflows != NULL && i < ib_value_count(list); i++) {
        struct ib_arazzo_workflow *w = &doc->workflows[i];
        size_t top = enter_at(l, i);
        load_workflow(l, ib_value_at(list, i), w);
        for (size_t k = 0; w->id.p != NULL && k < i; k++) {
            if (ib_str_eq(doc->workflows[k].id, w->id)) {
                ib_findings_add(l->out, IB_FINDING_ERROR, "duplicate", w->at,
                                "workflowId \"%.*s\" is used in line %u already", IB_STR_ARG(w->id),
                                doc->workflows[k].at.mark.line);
                break;
            }
        }
        doc->workflow_count++;
        leave(l, top);
    }
    leave(l, back);
}

/* --- the root ------------------------------------------------------------------------------- */

static void load_source_type(struct loader *l, const struct ib_value *v,
                             struct ib_arazzo_source *ret)
{
    struct ib_str type = text_member(v, "type");

    if (type.p == NULL) {
        return;
    }
    if (ib_str_eq_c(type, "openapi")) {
        ret->type = IB_SOURCE_OPENAPI;
    } else if (ib_str_eq_c(type, "arazzo")) {
        ret->type = IB_SOURCE_ARAZZO;
    } else {
        ib_findings_add(l->out, IB_FINDING_ERROR,
                        ib_str_eq_c(type, "asyncapi") ? "feature-1.1" : "source-type",
                        here_at(l, ib_value_get_c(v, "type")),
                        "\"type\" must be openapi or arazzo, not \"%.*s\"", IB_STR_ARG(type));
    }
}

static void load_source(struct loader *l, const struct ib_value *v, struct ib_arazzo_source *ret)
{
    ret->at = place_of(l, v);
    if (!SHAPE(l, v, "a source description", source_members)) {
        return;
    }
    ret->name = text_member(v, "name");
    ret->url = text_member(v, "url");
    if (ret->name.p != NULL && !is_name(ret->name, false)) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "pattern", here_at(l, ib_value_get_c(v, "name")),
                        "\"name\" may have only letters, digits, '_' and '-'");
    }
    if (ret->url.p != NULL && ret->url.n == 0) {
        ib_findings_add(l->out, IB_FINDING_ERROR, "pattern", here_at(l, ib_value_get_c(v, "url")),
                        "\"url\" must not be empty");
    }
    load_source_type(l, v, ret);
}

static void load_sources(struct loader *l)
{
    struct ib_arazzo_doc *doc = l->doc;
    const struct ib_value *list = typed_member(doc->root, "sourceDescriptions", IB_VALUE_ARRAY);
    size_t back = enter_c(l, "sourceDescriptions");

    if (!too_many(l, list, IB_ARAZZO_SOURCES_MAX, "source descriptions")) {
        doc->sources = room(l, ib_value_count(list), sizeof *doc->sources);
    }
    for (size_t i = 0; doc->sources != NULL && i < ib_value_count(list); i++) {
        struct ib_arazzo_source *source = &doc->sources[i];
        size_t top = enter_at(l, i);
        load_source(l, ib_value_at(list, i), source);
        for (size_t k = 0; source->name.p != NULL && k < i; k++) {
            if (ib_str_eq(doc->sources[k].name, source->name)) {
                ib_findings_add(l->out, IB_FINDING_ERROR, "duplicate", source->at,
                                "source name \"%.*s\" is used in line %u already",
                                IB_STR_ARG(source->name), doc->sources[k].at.mark.line);
                break;
            }
        }
        doc->source_count++;
        leave(l, top);
    }
    leave(l, back);
}

/* Components that nobody uses must be right too. */
static void check_component(struct loader *l, const struct ib_value *v, enum kind kind)
{
    struct ib_arazzo_param param = {.name = {NULL, 0}};
    struct ib_arazzo_action action = {.name = {NULL, 0}};

    if (kind == KIND_PARAMETER) {
        (void)load_param(l, v, &param);
    } else {
        (void)load_action(l, v, kind, &action);
    }
}

static bool is_referenced(const struct ib_value *v, enum kind kind, struct ib_str name, int depth);

static bool child_references(const struct ib_value *v, enum kind kind, struct ib_str name,
                             int depth)
{
    for (size_t i = 0; i < ib_value_count(v); i++) {
        if (is_referenced(ib_value_at(v, i), kind, name, depth)) {
            return true;
        }
    }
    return false;
}

/* Does a Reusable Object below v name this component? Its mistakes are then reported there. */
static bool is_referenced(const struct ib_value *v, enum kind kind, struct ib_str name, int depth)
{
    struct ib_str text = text_member(v, "reference");
    struct ib_str dot = ib_str_skip(text, IB_STR("$components.").n + strlen(kind_key(kind)));

    if (ib_str_starts(text, IB_STR("$components.")) && dot.n > 0 &&
        ib_str_eq(ib_str_skip(dot, 1), name)) {
        return true;
    }
    return depth > 0 && child_references(v, kind, name, depth - 1);
}

static void load_components(struct loader *l)
{
    static const enum kind kinds[] = {KIND_PARAMETER, KIND_SUCCESS, KIND_FAILURE};
    /* workflows / i / steps / k / list / n */
    const int depth = 6;

    l->components = typed_member(l->doc->root, "components", IB_VALUE_OBJECT);
    if (l->components == NULL) {
        return;
    }
    size_t top = enter_c(l, "components");
    (void)SHAPE(l, l->components, "components", components_members);
    for (size_t i = 0; i < ib_value_count(l->components); i++) {
        const struct ib_value *map = ib_value_at(l->components, i);
        size_t back = enter(l, ib_value_key_at(l->components, i));
        for (size_t k = 0; ib_value_is(map, IB_VALUE_OBJECT) && k < ib_value_count(map); k++) {
            if (!is_name(ib_value_key_at(map, k), true)) {
                ib_findings_add(l->out, IB_FINDING_ERROR, "pattern",
                                here(l, ib_value_key_mark_at(map, k)),
                                "a component's name may have only letters, digits, '.', '-' and "
                                "'_'");
            }
        }
        leave(l, back);
    }
    for (size_t i = 0; i < IB_ARRAY_LEN(kinds); i++) {
        const struct ib_value *map =
            typed_member(l->components, kind_key(kinds[i]), IB_VALUE_OBJECT);
        size_t back = enter_c(l, kind_key(kinds[i]));
        for (size_t k = 0; k < ib_value_count(map); k++) {
            struct ib_str name = ib_value_key_at(map, k);
            size_t deeper = enter(l, name);
            if (!is_referenced(l->doc->root, kinds[i], name, depth)) {
                check_component(l, ib_value_at(map, k), kinds[i]);
            }
            leave(l, deeper);
        }
        leave(l, back);
    }
    leave(l, top);
}

/* "1.0.N" and "1.1.N", with "-anything" after it. */
static bool version_fits(struct ib_str version, const char *prefix)
{
    struct ib_str rest = ib_str_skip(version, strlen(prefix));
    size_t digits = 0;

    if (!ib_str_starts(version, ib_str_from(prefix))) {
        return false;
    }
    while (digits < rest.n && ib_ascii_digit(rest.p[digits])) {
        digits++;
    }
    return digits > 0 && (digits == rest.n || (rest.p[digits] == '-' && rest.n > digits + 1));
}

static void load_version(struct loader *l)
{
    const struct ib_value *v = ib_value_get_c(l->doc->root, "arazzo");

    l->doc->version = text_of(v);
    l->is_1_1 = version_fits(l->doc->version, "1.1.");
    if (l->doc->version.p != NULL && !l->is_1_1 && !version_fits(l->doc->version, "1.0.")) {
        size_t back = enter_c(l, "arazzo");
        ib_findings_add(l->out, IB_FINDING_ERROR, "version", here_at(l, v),
                        "Arazzo version \"%.*s\" is not read here: only 1.0.x and 1.1.x",
                        IB_STR_ARG(l->doc->version));
        leave(l, back);
    }
}

static void load_info(struct loader *l)
{
    const struct ib_value *info = typed_member(l->doc->root, "info", IB_VALUE_OBJECT);

    if (info == NULL) {
        return;
    }
    size_t back = enter_c(l, "info");
    (void)SHAPE(l, info, "info", info_members);
    l->doc->title = text_member(info, "title");
    leave(l, back);
}

/* A JSON Pointer of this many bytes is deeper than any document may be. */
#define PATH_BYTES_MAX ((size_t)16 * 1024)

enum ib_rc ib_arazzo_load_model(struct ib_arazzo_doc *doc, struct ib_findings *findings,
                                struct ib_error *err)
{
    struct loader l = {.doc = doc, .out = findings, .path = IB_BUF_INIT(PATH_BYTES_MAX)};

    /* First, because it decides how unknown members are spoken of. */
    if (ib_value_is(doc->root, IB_VALUE_OBJECT)) {
        load_version(&l);
    }
    if (SHAPE(&l, doc->root, "an Arazzo document", root_members)) {
        load_info(&l);
        load_components(&l);
        load_sources(&l);
        load_workflows(&l);
    }
    bool nomem = l.nomem || findings->nomem;
    ib_buf_fini(&l.path);
    return nomem ? ib_fail_nomem(err) : IB_OK;
}
