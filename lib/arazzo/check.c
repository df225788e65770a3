/* SPDX-License-Identifier: MIT */
/* Semantic rules: targets, parameters, actions, dependencies, and the whole of a document. */
#include "lib/arazzo/check.h"

#include "lib/arazzo/check_expr.h"
#include "lib/arazzo/check_graph.h"
#include "lib/arazzo/engine.h"
#include "lib/arazzo/inputs.h"
#include "lib/arazzo/jsonpath.h"
#include "lib/arazzo/link.h"

struct checker {
    const struct ib_arazzo_doc *doc;
    const struct ib_check_options *options;
    struct ib_findings *out;
    const struct ib_arazzo_workflow *workflow;
    bool nomem;
};

static void IB_PRINTF(4, 5)
    report(struct checker *c, const char *rule, struct ib_place at, const char *fmt, ...)
{
    char raw[IB_ERROR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    ib_findings_add(c->out, IB_FINDING_ERROR, rule, at, "%s", raw);
}

/* --- targets -------------------------------------------------------------------------------- */

static void check_operation(struct checker *c, const struct ib_arazzo_step *s)
{
    struct ib_arazzo_operation operation = {.openapi = NULL};
    struct ib_error why = IB_ERROR_INIT;

    if (s->target.p == NULL) {
        return;
    }
    if (ib_arazzo_operation(c->doc, s, &operation, &why) != IB_OK) {
        report(c, "operation", s->target_at, "%s", why.text);
    } else if (operation.openapi == NULL && c->options->known != NULL &&
               !c->options->known(c->options->ctx, operation.id)) {
        report(c, "operation", s->target_at, "there is no operation \"%.*s\"",
               IB_STR_ARG(operation.id));
    }
}

/* The inputs of a workflow that is called: named right, and all that it requires. */
static void check_call_inputs(struct checker *c, const struct ib_arazzo_step *s,
                              const struct ib_arazzo_doc *doc,
                              const struct ib_arazzo_workflow *callee)
{
    const struct ib_value *required = ib_value_get_c(callee->inputs, "required");

    for (size_t i = 0; i < s->params.count; i++) {
        const struct ib_arazzo_param *p = &s->params.items[i];
        if (p->in.p == NULL && !ib_inputs_takes(doc, callee, p->name)) {
            report(c, "workflow-inputs", p->at, "workflow %.*s has no input \"%.*s\"",
                   IB_STR_ARG(callee->id), IB_STR_ARG(p->name));
        }
    }
    for (size_t i = 0; i < ib_value_count(required); i++) {
        const struct ib_value *name = ib_value_at(required, i);
        bool given = !ib_value_is(name, IB_VALUE_STRING) ||
                     ib_inputs_filled(doc, callee, ib_value_as_str(name));
        for (size_t k = 0; !given && k < s->params.count; k++) {
            given = s->params.items[k].in.p == NULL &&
                    ib_str_eq(s->params.items[k].name, ib_value_as_str(name));
        }
        for (size_t k = 0; !given && k < c->workflow->params.count; k++) {
            given = c->workflow->params.items[k].in.p == NULL &&
                    ib_str_eq(c->workflow->params.items[k].name, ib_value_as_str(name));
        }
        if (!given) {
            report(c, "workflow-inputs", s->target_at,
                   "workflow %.*s needs the input \"%.*s\", which no parameter gives",
                   IB_STR_ARG(callee->id), IB_STR_ARG(ib_value_as_str(name)));
        }
    }
}

static void check_callee(struct checker *c, const struct ib_arazzo_step *s)
{
    const struct ib_arazzo_doc *doc = NULL;
    const struct ib_arazzo_workflow *callee = NULL;
    struct ib_error why = IB_ERROR_INIT;

    if (s->target.p == NULL) {
        return;
    }
    if (ib_arazzo_workflow_by_ref(c->doc, s->target, &doc, &callee, &why) != IB_OK) {
        report(c, "workflow-target", s->target_at, "%s", why.text);
        return;
    }
    if (callee == c->workflow) {
        report(c, "workflow-target", s->target_at, "workflow %.*s calls itself",
               IB_STR_ARG(callee->id));
    }
    check_call_inputs(c, s, doc, callee);
}

static void check_params(struct checker *c, const struct ib_arazzo_step *s)
{
    bool calls_workflow = s->target_type == IB_TARGET_WORKFLOW;

    for (size_t i = 0; i < s->params.count; i++) {
        const struct ib_arazzo_param *p = &s->params.items[i];
        if (!calls_workflow && p->in.p == NULL) {
            report(c, "parameter-in", p->at, "parameter \"%.*s\" needs \"in\"",
                   IB_STR_ARG(p->name));
        } else if (calls_workflow && p->in.p != NULL) {
            report(c, "parameter-in", p->at,
                   "parameter \"%.*s\" goes to a workflow, which has no \"%.*s\"",
                   IB_STR_ARG(p->name), IB_STR_ARG(p->in));
        }
    }
    if (calls_workflow && s->payload != NULL) {
        report(c, "step-body", s->payload_at, "a step that calls a workflow has no request body");
    }
}

/* --- actions -------------------------------------------------------------------------------- */

static void check_action(struct checker *c, const struct ib_arazzo_workflow *w,
                         const struct ib_arazzo_action *action)
{
    const struct ib_arazzo_workflow *target = NULL;
    struct ib_error why = IB_ERROR_INIT;

    if (action->step_id.p != NULL && ib_arazzo_step_find(w, action->step_id) == NULL) {
        report(c, "goto-target", action->at,
               "action \"%.*s\": there is no step \"%.*s\" in workflow "
               "%.*s",
               IB_STR_ARG(action->name), IB_STR_ARG(action->step_id), IB_STR_ARG(w->id));
    }
    if (action->workflow_id.p != NULL &&
        ib_arazzo_workflow_by_ref(c->doc, action->workflow_id, NULL, &target, &why) != IB_OK) {
        report(c, "goto-target", action->at, "action \"%.*s\": %s", IB_STR_ARG(action->name),
               why.text);
    }
}

/* A list, and what in it can never be taken. */
static void check_actions(struct checker *c, const struct ib_arazzo_workflow *w,
                          const struct ib_arazzo_actions *actions)
{
    const struct ib_arazzo_action *always = NULL;

    for (size_t i = 0; i < actions->count; i++) {
        const struct ib_arazzo_action *action = &actions->items[i];
        check_action(c, w, action);
        if (always != NULL) {
            ib_findings_add(c->out, IB_FINDING_WARNING, "unreachable", action->at,
                            "action \"%.*s\" is never taken: \"%.*s\" before it always is",
                            IB_STR_ARG(action->name), IB_STR_ARG(always->name));
        } else if (action->criterion_count == 0 && action->type != IB_ACTION_RETRY) {
            always = action;
        }
    }
}

/* RFC 9535 knows a condition only within [?...]; most engines find no query here and take another
 * way. */
static void note_bare(struct checker *c, const struct ib_arazzo_criterion *criterion)
{
    const struct ib_value *type = ib_value_get_c(criterion->source, "type");
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *query = NULL;

    if (ib_value_is(type, IB_VALUE_OBJECT)) {
        type = ib_value_get_c(type, "type");
    }
    if (criterion->test == NULL || !ib_value_is(type, IB_VALUE_STRING) ||
        !ib_str_eq_c(ib_value_as_str(type), "jsonpath") ||
        ib_str_find(criterion->condition, '{') < criterion->condition.n ||
        ib_jsonpath_compile(ib_str_trim(criterion->condition), &query, NULL, NULL) == IB_OK) {
        return;
    }
    ib_findings_add(
        c->out, IB_FINDING_NOTE, "bare-condition", criterion->at,
        "a bare condition, not a JSONPath query: it is read as RFC 9535 reads it within "
        "[?...]; other engines may take it as false");
}

static void note_bare_in(struct checker *c, const struct ib_arazzo_actions *actions)
{
    for (size_t i = 0; i < actions->count; i++) {
        for (size_t k = 0; k < actions->items[i].criterion_count; k++) {
            note_bare(c, &actions->items[i].criteria[k]);
        }
    }
}

/* --- tokens --------------------------------------------------------------------------------- */

/*
 * "clientToken: $inputs.x" where x has a constant as its default: a second run within the memory of
 * the service gets the answer of the first.
 */
static void check_token(struct checker *c, const struct ib_arazzo_step *s)
{
    const struct ib_value *token = ib_value_get_c(s->payload, "clientToken");
    struct ib_str prefix = IB_STR("$inputs.");

    if (!ib_value_is(token, IB_VALUE_STRING)) {
        return;
    }
    struct ib_str text = ib_value_as_str(token);
    bool input = ib_str_starts(text, prefix);
    if (ib_str_find(text, '$') < text.n &&
        (!input || !ib_inputs_constant(c->doc, c->workflow, ib_str_skip(text, prefix.n)))) {
        return;
    }
    ib_findings_add(c->out, IB_FINDING_WARNING, "constant-token",
                    (struct ib_place){ib_value_mark(token), s->payload_at.path},
                    "the idempotency token is a constant unless %s: a second run may be given the "
                    "result of the first",
                    input ? "the input is given" : "the document is changed");
}

/* --- workflows ------------------------------------------------------------------------------ */

static void check_step(struct checker *c, const struct ib_arazzo_step *s)
{
    if (s->target_type == IB_TARGET_WORKFLOW) {
        check_callee(c, s);
    } else {
        check_operation(c, s);
    }
    check_params(c, s);
    check_token(c, s);
    check_actions(c, c->workflow, &s->on_success);
    check_actions(c, c->workflow, &s->on_failure);
    for (size_t i = 0; i < s->success_criterion_count; i++) {
        note_bare(c, &s->success_criteria[i]);
    }
    note_bare_in(c, &s->on_success);
    note_bare_in(c, &s->on_failure);
}

static void check_reachable(struct checker *c, const struct ib_graph *graph)
{
    const struct ib_arazzo_workflow *w = c->workflow;

    for (size_t i = 0; i < w->step_count; i++) {
        if (!ib_graph_reachable(graph, i)) {
            ib_findings_add(c->out, IB_FINDING_WARNING, "unreachable", w->steps[i].at,
                            "no way leads to step %.*s", IB_STR_ARG(w->steps[i].id));
        }
    }
}

static void check_depends_on(struct checker *c, const struct ib_arazzo_workflow *w)
{
    for (size_t i = 0; i < w->depends_on_count; i++) {
        const struct ib_arazzo_workflow *other = NULL;
        struct ib_error why = IB_ERROR_INIT;
        if (ib_arazzo_workflow_by_ref(c->doc, w->depends_on[i], NULL, &other, &why) != IB_OK) {
            report(c, "depends-on", w->depends_on_at[i], "%s", why.text);
        } else if (other == w) {
            report(c, "depends-on", w->depends_on_at[i], "workflow %.*s depends on itself",
                   IB_STR_ARG(w->id));
        }
    }
}

/* Does `from` need `to` to have run, directly or not? Depth is bounded by the number of workflows.
 */
static bool needs(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *from,
                  const struct ib_arazzo_workflow *to, bool *seen)
{
    size_t at = (size_t)(from - doc->workflows);

    if (seen[at]) {
        return false;
    }
    seen[at] = true;
    for (size_t i = 0; i < from->depends_on_count; i++) {
        const struct ib_arazzo_workflow *next = ib_arazzo_workflow_find(doc, from->depends_on[i]);
        if (next != NULL && (next == to || needs(doc, next, to, seen))) {
            return true;
        }
    }
    return false;
}

static void check_circle(struct checker *c, const struct ib_arazzo_workflow *w)
{
    bool seen[IB_ARAZZO_WORKFLOWS_MAX] = {false};

    if (c->doc->workflow_count <= IB_ARAZZO_WORKFLOWS_MAX && w->depends_on_count > 0 &&
        ib_arazzo_workflow_find(c->doc, w->depends_on[0]) != w && needs(c->doc, w, w, seen)) {
        report(c, "depends-on", w->depends_on_at[0],
               "workflow %.*s depends on itself through others", IB_STR_ARG(w->id));
    }
}

static void check_workflow(struct checker *c, const struct ib_arazzo_workflow *w)
{
    struct ib_graph *graph = ib_graph_new(w);

    c->workflow = w;
    if (graph == NULL) {
        c->nomem = true;
        return;
    }
    ib_inputs_check(c->doc, w, c->out);
    check_depends_on(c, w);
    check_circle(c, w);
    check_actions(c, w, &w->success_actions);
    check_actions(c, w, &w->failure_actions);
    note_bare_in(c, &w->success_actions);
    note_bare_in(c, &w->failure_actions);
    for (size_t i = 0; i < w->step_count; i++) {
        check_step(c, &w->steps[i]);
    }
    check_reachable(c, graph);
    c->nomem = !ib_check_expressions(c->doc, w, graph, c->out) || c->nomem;
    ib_graph_free(graph);
}

/* --- documents ------------------------------------------------------------------------------ */

static enum ib_rc check_one(const struct ib_arazzo_doc *doc, const struct ib_check_options *options,
                            struct ib_findings *out, struct ib_error *err)
{
    struct checker c = {.doc = doc, .options = options, .out = out};

    for (size_t i = 0; i < doc->workflow_count; i++) {
        check_workflow(&c, &doc->workflows[i]);
    }
    return c.nomem || out->nomem ? ib_fail_nomem(err) : IB_OK;
}

static void note_sources(const struct ib_arazzo_doc *doc, struct ib_findings *out)
{
    for (size_t i = 0; i < doc->source_count; i++) {
        const struct ib_arazzo_source *s = &doc->sources[i];
        if (s->doc == NULL && s->openapi == NULL && s->type != IB_SOURCE_ARAZZO &&
            s->url.p != NULL) {
            ib_findings_add(
                out, IB_FINDING_NOTE, "source-document", s->at,
                "no local file \"%.*s\": operations are looked up in the built-in table",
                IB_STR_ARG(s->url));
        }
    }
}

struct visit {
    const struct ib_arazzo_doc *docs[IB_ARAZZO_DOCS_MAX];
    size_t count;
};

static bool visited(struct visit *v, const struct ib_arazzo_doc *doc)
{
    for (size_t i = 0; i < v->count; i++) {
        if (v->docs[i] == doc) {
            return true;
        }
    }
    if (v->count == IB_ARRAY_LEN(v->docs)) {
        return true;
    }
    v->docs[v->count++] = doc;
    return false;
}

/* Documents behind the sources, each once. */
static enum ib_rc check_sources(const struct ib_arazzo_doc *doc, struct visit *v,
                                const struct ib_check_options *options, struct ib_findings *out,
                                struct ib_error *err)
{
    enum ib_rc rc = IB_OK;

    for (size_t i = 0; rc == IB_OK && i < doc->source_count; i++) {
        const struct ib_arazzo_source *s = &doc->sources[i];
        struct ib_findings own = IB_FINDINGS_INIT;
        struct ib_error why = IB_ERROR_INIT;
        if (s->doc == NULL || visited(v, s->doc)) {
            continue;
        }
        rc = check_one(s->doc, options, &own, err);
        if (rc == IB_OK && ib_findings_ok(&own, s->doc->name, &why) != IB_OK) {
            ib_findings_add(out, IB_FINDING_ERROR, "source-document", s->at, "source \"%.*s\": %s",
                            IB_STR_ARG(s->name), why.text);
        }
        ib_findings_fini(&own);
        if (rc == IB_OK) {
            rc = check_sources(s->doc, v, options, out, err);
        }
    }
    return rc;
}

enum ib_rc ib_arazzo_check(const struct ib_arazzo_doc *doc, const struct ib_check_options *options,
                           struct ib_findings *findings, struct ib_error *err)
{
    static const struct ib_check_options none = {.known = NULL};
    struct visit v = {.docs = {doc}, .count = 1};

    options = options == NULL ? &none : options;
    note_sources(doc, findings);
    enum ib_rc rc = check_one(doc, options, findings, err);
    return rc == IB_OK ? check_sources(doc, &v, options, findings, err) : rc;
}

static enum ib_rc link_and_check(struct ib_arazzo_doc *doc, const struct ib_check_options *options,
                                 struct ib_findings *findings, struct ib_error *err)
{
    enum ib_rc rc = ib_arazzo_link(doc, findings, err);

    if (rc == IB_OK) {
        rc = ib_arazzo_check(doc, options, findings, err);
    }
    return rc;
}

enum ib_rc ib_arazzo_check_file(const char *path, const struct ib_check_options *options,
                                struct ib_findings *findings, struct ib_arazzo_doc **ret,
                                struct ib_error *err)
{
    struct ib_arazzo_doc *doc = NULL;
    enum ib_rc rc = path == NULL ? ib_arazzo_parse(ib_arazzo_builtin_text(), IB_ARAZZO_BUILTIN_NAME,
                                                   NULL, findings, &doc, err)
                                 : ib_arazzo_read(path, findings, &doc, err);

    if (rc == IB_OK && doc != NULL) {
        rc = link_and_check(doc, options, findings, err);
    }
    if (rc != IB_OK) {
        ib_arazzo_free(doc);
        return rc;
    }
    ib_findings_sort(findings);
    *ret = doc;
    return IB_OK;
}

enum ib_rc ib_arazzo_open(const char *path, const struct ib_check_options *options,
                          struct ib_arazzo_doc **ret, struct ib_error *err)
{
    struct ib_findings findings = IB_FINDINGS_INIT;
    struct ib_arazzo_doc *doc = NULL;
    enum ib_rc rc = ib_arazzo_check_file(path, options, &findings, &doc, err);

    if (rc == IB_OK) {
        rc = ib_findings_ok(&findings, path == NULL ? IB_ARAZZO_BUILTIN_NAME : path, err);
    }
    ib_findings_fini(&findings);
    if (rc != IB_OK) {
        ib_arazzo_free(doc);
        return rc;
    }
    *ret = doc;
    return IB_OK;
}
