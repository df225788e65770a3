/* SPDX-License-Identifier: MIT */
/* Documents: their memory, reading them, finding things in them. */
#include "lib/arazzo/document.h"

#include "lib/arazzo/builtin.h"
#include "lib/arazzo/criterion.h"
#include "lib/arazzo/document_load.h"
#include "lib/arazzo/expr.h"
#include "lib/arazzo/openapi.h"
#include "lib/arazzo/template.h"
#include "lib/base/num.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "lib/sys/file.h"

enum owned_kind { OWNED_MEMORY, OWNED_TEMPLATE, OWNED_CRITERION, OWNED_OPENAPI, OWNED_DOC };

struct owned {
    enum owned_kind kind;
    void *p;
};

struct ib_arazzo_doc_memory {
    struct owned *items;
    size_t count, cap;
    struct ib_value *root;
};

static void free_owned(struct owned *one)
{
    switch (one->kind) {
    case OWNED_MEMORY:
        free(one->p);
        break;
    case OWNED_TEMPLATE:
        ib_template_free(one->p);
        break;
    case OWNED_CRITERION:
        ib_criterion_free(one->p);
        break;
    case OWNED_OPENAPI:
        ib_openapi_free(one->p);
        break;
    case OWNED_DOC:
        ib_arazzo_free(one->p);
        break;
    }
}

static bool own(struct ib_arazzo_doc *doc, enum owned_kind kind, void *p)
{
    struct ib_arazzo_doc_memory *m = doc->memory;
    struct owned one = {kind, p};

    if (p == NULL) {
        return false;
    }
    if (m->count == m->cap) {
        size_t cap = m->cap == 0 ? 64 : m->cap * 2;
        struct owned *items = reallocarray(m->items, cap, sizeof *items);
        if (items == NULL) {
            free_owned(&one);
            return false;
        }
        m->items = items;
        m->cap = cap;
    }
    m->items[m->count++] = one;
    return true;
}

void *ib_arazzo_alloc(struct ib_arazzo_doc *doc, size_t n, size_t size)
{
    void *p = calloc(n == 0 ? 1 : n, size);

    return own(doc, OWNED_MEMORY, p) ? p : NULL;
}

const char *ib_arazzo_keep(struct ib_arazzo_doc *doc, const char *text)
{
    char *copy = ib_str_dup(ib_str_from(text));

    return own(doc, OWNED_MEMORY, copy) ? copy : NULL;
}

bool ib_arazzo_own_template(struct ib_arazzo_doc *doc, struct ib_template *t)
{
    return own(doc, OWNED_TEMPLATE, t);
}

bool ib_arazzo_own_criterion(struct ib_arazzo_doc *doc, struct ib_criterion *criterion)
{
    return own(doc, OWNED_CRITERION, criterion);
}

bool ib_arazzo_own_openapi(struct ib_arazzo_doc *doc, struct ib_openapi *openapi)
{
    return own(doc, OWNED_OPENAPI, openapi);
}

bool ib_arazzo_own_doc(struct ib_arazzo_doc *doc, struct ib_arazzo_doc *other)
{
    return own(doc, OWNED_DOC, other);
}

void ib_arazzo_free(struct ib_arazzo_doc *doc)
{
    if (doc == NULL) {
        return;
    }
    struct ib_arazzo_doc_memory *m = doc->memory;
    if (m != NULL) {
        for (size_t i = m->count; i > 0; i--) {
            free_owned(&m->items[i - 1]);
        }
        ib_value_unref(m->root);
        free(m->items);
        free(m);
    }
    free(doc);
}

void ib_arazzo_cleanup(struct ib_arazzo_doc **doc)
{
    ib_arazzo_free(*doc);
    *doc = NULL;
}

/* --- reading -------------------------------------------------------------------------------- */

/* The parsers write "NAME:LINE:COLUMN: sentence"; a finding has these apart. */
static void syntax_finding(struct ib_findings *findings, const char *name,
                           const struct ib_error *why)
{
    struct ib_place place = {{0, 0}, ""};
    struct ib_str rest = ib_str_from(why->text);
    struct ib_str prefix = ib_str_from(name);
    int64_t line = 0;
    int64_t column = 0;

    if (ib_str_starts(rest, prefix) && rest.n > prefix.n && rest.p[prefix.n] == ':') {
        rest = ib_str_skip(rest, prefix.n + 1);
        struct ib_str tail = rest;
        struct ib_str first = ib_str_split(&tail, ':');
        struct ib_str second = ib_str_split(&tail, ':');
        if (tail.p != NULL && ib_num_i64(first, 1, UINT32_MAX, "line", &line, NULL) == IB_OK &&
            ib_num_i64(second, 1, UINT32_MAX, "column", &column, NULL) == IB_OK) {
            place.mark = (struct ib_mark){(uint32_t)line, (uint32_t)column};
            rest = tail;
        }
    }
    rest = ib_str_trim(rest);
    ib_findings_add(findings, IB_FINDING_ERROR, why->rc == IB_ELIMIT ? "limit" : "syntax", place,
                    "%.*s", IB_STR_ARG(rest));
}

static struct ib_arazzo_doc *new_doc(struct ib_value *root, const char *name, const char *dir)
{
    struct ib_arazzo_doc *doc = calloc(1, sizeof *doc);

    if (doc == NULL) {
        ib_value_unref(root);
        return NULL;
    }
    doc->memory = calloc(1, sizeof *doc->memory);
    if (doc->memory == NULL) {
        ib_value_unref(root);
        free(doc);
        return NULL;
    }
    doc->root = doc->memory->root = root;
    doc->name = ib_arazzo_keep(doc, name);
    doc->dir = dir == NULL ? NULL : ib_arazzo_keep(doc, dir);
    if (doc->name == NULL || (dir != NULL && doc->dir == NULL)) {
        ib_arazzo_free(doc);
        return NULL;
    }
    return doc;
}

enum ib_rc ib_arazzo_parse_tree(struct ib_str text, const char *name, struct ib_value **ret,
                                struct ib_error *err)
{
    struct ib_str trimmed = ib_str_trim(text);
    const struct ib_json_limits limits = {.max_bytes = IB_ARAZZO_BYTES_MAX};

    if (trimmed.n > 0 && trimmed.p[0] == '{') {
        return ib_json_parse(text, name, &limits, ret, err);
    }
    return ib_yaml_parse(text, name, ret, err);
}

enum ib_rc ib_arazzo_parse(struct ib_str text, const char *name, const char *dir,
                           struct ib_findings *findings, struct ib_arazzo_doc **ret,
                           struct ib_error *err)
{
    struct ib_value *root = NULL;
    struct ib_error why = IB_ERROR_INIT;
    enum ib_rc rc = ib_arazzo_parse_tree(text, name, &root, &why);

    if (rc == IB_ENOMEM) {
        return ib_fail_nomem(err);
    }
    if (rc != IB_OK) {
        syntax_finding(findings, name, &why);
        *ret = NULL;
        return IB_OK;
    }
    struct ib_arazzo_doc *doc = new_doc(root, name, dir);
    if (doc == NULL) {
        return ib_fail_nomem(err);
    }
    rc = ib_arazzo_load_model(doc, findings, err);
    if (rc != IB_OK) {
        ib_arazzo_free(doc);
        return rc;
    }
    *ret = doc;
    return IB_OK;
}

enum ib_rc ib_arazzo_read(const char *path, struct ib_findings *findings,
                          struct ib_arazzo_doc **ret, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_ARAZZO_BYTES_MAX);
    const struct ib_file_options options = {.max_bytes = IB_ARAZZO_BYTES_MAX};
    enum ib_rc rc = ib_file_read(path, &options, &text, err);

    if (rc != IB_OK) {
        return rc;
    }
    const char *slash = strrchr(path, '/');
    struct ib_str dir =
        slash == NULL ? IB_STR(".") : ib_str_head(ib_str_from(path), (size_t)(slash - path) + 1);
    IB_CLEANUP(ib_cleanup_char) char *dir_text = ib_str_dup(dir);
    if (dir_text == NULL) {
        return ib_fail_nomem(err);
    }
    return ib_arazzo_parse(ib_buf_str(&text), path, dir_text, findings, ret, err);
}

struct ib_str ib_arazzo_builtin_text(void)
{
    return (struct ib_str){(const char *)ib_arazzo_builtin_bytes, ib_arazzo_builtin_size};
}

/* --- finding -------------------------------------------------------------------------------- */

const struct ib_arazzo_workflow *ib_arazzo_workflow_find(const struct ib_arazzo_doc *doc,
                                                         struct ib_str id)
{
    for (size_t i = 0; i < doc->workflow_count; i++) {
        if (doc->workflows[i].id.p != NULL && ib_str_eq(doc->workflows[i].id, id)) {
            return &doc->workflows[i];
        }
    }
    return NULL;
}

const struct ib_arazzo_step *ib_arazzo_step_find(const struct ib_arazzo_workflow *workflow,
                                                 struct ib_str id)
{
    for (size_t i = 0; i < workflow->step_count; i++) {
        if (workflow->steps[i].id.p != NULL && ib_str_eq(workflow->steps[i].id, id)) {
            return &workflow->steps[i];
        }
    }
    return NULL;
}

const struct ib_arazzo_source *ib_arazzo_source_find(const struct ib_arazzo_doc *doc,
                                                     struct ib_str name)
{
    for (size_t i = 0; i < doc->source_count; i++) {
        if (doc->sources[i].name.p != NULL && ib_str_eq(doc->sources[i].name, name)) {
            return &doc->sources[i];
        }
    }
    return NULL;
}

const struct ib_arazzo_actions *ib_arazzo_success_actions(const struct ib_arazzo_workflow *w,
                                                          const struct ib_arazzo_step *s)
{
    return s->on_success.said ? &s->on_success : &w->success_actions;
}

const struct ib_arazzo_actions *ib_arazzo_failure_actions(const struct ib_arazzo_workflow *w,
                                                          const struct ib_arazzo_step *s)
{
    return s->on_failure.said ? &s->on_failure : &w->failure_actions;
}

const char *ib_arazzo_action_name(enum ib_arazzo_action_type type)
{
    switch (type) {
    case IB_ACTION_END:
        return "end";
    case IB_ACTION_GOTO:
        return "goto";
    case IB_ACTION_RETRY:
        return "retry";
    }
    return "";
}
