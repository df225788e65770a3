/* SPDX-License-Identifier: MIT */
/* Expressions against the document: names, and the order in which things come to be. */
#include "lib/arazzo/check_expr.h"

#include "lib/arazzo/expr.h"
#include "lib/arazzo/inputs.h"
#include "lib/arazzo/link.h"

struct expr_checker {
    const struct ib_arazzo_doc *doc;
    const struct ib_arazzo_workflow *w;
    struct ib_graph *graph;
    struct ib_findings *out;
    size_t step; /* whose expressions are looked at; step_count: the workflow's outputs */
    const struct ib_expr *expr;
    struct ib_place at;
};

#define TARGET "expression-target"

static void IB_PRINTF(4, 5)
    say(struct expr_checker *c, enum ib_severity severity, const char *rule, const char *fmt, ...)
{
    char raw[IB_ERROR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    ib_findings_add(c->out, severity, rule, c->at, "%.*s: %s", IB_STR_ARG(c->expr->text), raw);
}

static const struct ib_arazzo_step *step_at_hand(const struct expr_checker *c)
{
    return c->step < c->w->step_count ? &c->w->steps[c->step] : NULL;
}

/*
 * Is `name` the declared one, alone or with ".member" or "[n]" behind it? A longer declared name
 * that fits makes no difference here.
 */
static bool names(struct ib_str name, struct ib_str declared)
{
    if (!ib_str_starts(name, declared)) {
        return false;
    }
    return name.n == declared.n || name.p[declared.n] == '.' || name.p[declared.n] == '[';
}

static bool declares(const struct ib_arazzo_outputs *outputs, struct ib_str name)
{
    for (size_t i = 0; i < outputs->count; i++) {
        if (names(name, outputs->items[i].name)) {
            return true;
        }
    }
    return false;
}

/* The workflow that a step calls; NULL when it calls none, or one that is not there (reported). */
static const struct ib_arazzo_workflow *callee_of(const struct ib_arazzo_doc *doc,
                                                  const struct ib_arazzo_step *s)
{
    const struct ib_arazzo_workflow *callee = NULL;

    if (s == NULL || s->target_type != IB_TARGET_WORKFLOW || s->target.p == NULL ||
        ib_arazzo_workflow_by_ref(doc, s->target, NULL, &callee, NULL) != IB_OK) {
        return NULL;
    }
    return callee;
}

/* --- inputs, sources, components ------------------------------------------------------------ */

static bool has_input(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *w,
                      struct ib_str name)
{
    /* The longest prefix that is an input, as the evaluation does it. */
    for (size_t n = name.n; n > 0; n--) {
        bool cut = n == name.n || name.p[n] == '.' || name.p[n] == '[';
        if (cut && ib_inputs_takes(doc, w, ib_str_head(name, n))) {
            return true;
        }
    }
    return false;
}

static void check_input(struct expr_checker *c)
{
    if (!has_input(c->doc, c->w, c->expr->name)) {
        say(c, IB_FINDING_ERROR, TARGET, "workflow %.*s has no such input", IB_STR_ARG(c->w->id));
    }
}

static void check_source(struct expr_checker *c)
{
    if (ib_arazzo_source_find(c->doc, c->expr->owner) == NULL) {
        say(c, IB_FINDING_ERROR, TARGET, "there is no such source description");
    } else if (!ib_str_eq_c(c->expr->name, "url") && !ib_str_eq_c(c->expr->name, "type")) {
        say(c, IB_FINDING_ERROR, TARGET, "a source description has \"url\" and \"type\"");
    }
}

static void check_component(struct expr_checker *c)
{
    const struct ib_value *kind =
        ib_value_get(ib_value_get_c(c->doc->root, "components"), c->expr->owner);
    struct ib_str rest = {NULL, 0};

    if (ib_expr_known_key(kind, c->expr->name, &rest).p == NULL) {
        say(c, IB_FINDING_ERROR, TARGET, "there is no such component");
    }
}

/* --- steps and workflows -------------------------------------------------------------------- */

/* May this use of a step's own outputs look at the present attempt? */
static bool own_outputs_are_there(enum ib_use use)
{
    return use == IB_USE_ACTION_CRITERION;
}

static void check_step_order(struct expr_checker *c, size_t owner, enum ib_use use)
{
    if (c->step == c->w->step_count) {
        if (!ib_graph_reachable(c->graph, owner)) {
            say(c, IB_FINDING_ERROR, "order", "that step never runs");
        } else if (!ib_graph_always_runs(c->graph, owner)) {
            say(c, IB_FINDING_NOTE, "branch-output",
                "filled only when the run comes by that step; otherwise absent");
        }
        return;
    }
    if (owner == c->step && own_outputs_are_there(use)) {
        return;
    }
    if (!ib_graph_reachable(c->graph, c->step)) {
        return; /* said already: no way leads here */
    }
    if (!ib_graph_may_precede(c->graph, owner, c->step)) {
        say(c, IB_FINDING_ERROR, "order", "that step cannot have run yet");
    } else if (owner == c->step || !ib_graph_must_precede(c->graph, owner, c->step)) {
        say(c, IB_FINDING_WARNING, "may-not-have-run",
            "that step does not run on every way to this one");
    }
}

static void check_step_output(struct expr_checker *c, enum ib_use use)
{
    const struct ib_arazzo_step *owner = ib_arazzo_step_find(c->w, c->expr->owner);

    if (owner == NULL) {
        say(c, IB_FINDING_ERROR, TARGET, "workflow %.*s has no such step", IB_STR_ARG(c->w->id));
        return;
    }
    const struct ib_arazzo_workflow *callee = callee_of(c->doc, owner);
    bool there =
        declares(&owner->outputs, c->expr->name) ||
        (owner->outputs.count == 0 && callee != NULL && declares(&callee->outputs, c->expr->name));
    if (!there) {
        say(c, IB_FINDING_ERROR, TARGET, "that step has no such output");
        return;
    }
    check_step_order(c, (size_t)(owner - c->w->steps), use);
}

static bool depends_on(const struct ib_arazzo_workflow *w, struct ib_str id)
{
    for (size_t i = 0; i < w->depends_on_count; i++) {
        if (ib_str_eq(w->depends_on[i], id)) {
            return true;
        }
    }
    return false;
}

/* The workflow that w runs through dependsOn, a step, a retry or a goto. */
static bool runs_workflow(const struct ib_arazzo_workflow *w, struct ib_str id)
{
    if (depends_on(w, id)) {
        return true;
    }
    for (size_t i = 0; i < w->step_count; i++) {
        const struct ib_arazzo_step *s = &w->steps[i];
        if (s->target_type == IB_TARGET_WORKFLOW && ib_str_eq(s->target, id)) {
            return true;
        }
        const struct ib_arazzo_actions *failure = ib_arazzo_failure_actions(w, s);
        for (size_t k = 0; k < failure->count; k++) {
            if (failure->items[k].type == IB_ACTION_RETRY &&
                failure->items[k].workflow_id.p != NULL &&
                ib_str_eq(failure->items[k].workflow_id, id)) {
                return true;
            }
        }
    }
    return false;
}

static void check_workflow_ref(struct expr_checker *c)
{
    const struct ib_arazzo_workflow *owner = ib_arazzo_workflow_find(c->doc, c->expr->owner);
    bool input = c->expr->kind == IB_EXPR_WORKFLOW_INPUT;

    if (owner == NULL) {
        say(c, IB_FINDING_ERROR, TARGET, "there is no such workflow");
        return;
    }
    if (input ? !has_input(c->doc, owner, c->expr->name)
              : !declares(&owner->outputs, c->expr->name)) {
        say(c, IB_FINDING_ERROR, TARGET, "that workflow has no such %s",
            input ? "input" : "output");
        return;
    }
    if (owner == c->w && !input) {
        say(c, IB_FINDING_ERROR, "order",
            "the workflow's own outputs are not there before its end");
    } else if (owner != c->w && !runs_workflow(c->w, owner->id)) {
        say(c, IB_FINDING_WARNING, "may-not-have-run",
            "workflow %.*s neither depends on that one nor calls it", IB_STR_ARG(c->w->id));
    }
}

static void check_callee_output(struct expr_checker *c, enum ib_use use)
{
    const struct ib_arazzo_workflow *callee = callee_of(c->doc, step_at_hand(c));

    if (callee == NULL) {
        say(c, IB_FINDING_ERROR, TARGET, "only a step that calls a workflow has $outputs");
    } else if (!declares(&callee->outputs, c->expr->name)) {
        say(c, IB_FINDING_ERROR, TARGET, "workflow %.*s has no such output",
            IB_STR_ARG(callee->id));
    } else if (use == IB_USE_PARAM || use == IB_USE_BODY) {
        say(c, IB_FINDING_ERROR, "order", "it is not there before the call");
    }
}

/* --- the request and its answer ------------------------------------------------------------- */

static bool has_param(const struct expr_checker *c, const char *in, struct ib_str name, bool fold)
{
    const struct ib_arazzo_step *s = step_at_hand(c);
    const struct ib_arazzo_params *lists[] = {&s->params, &c->w->params};

    for (size_t l = 0; l < IB_ARRAY_LEN(lists); l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            const struct ib_arazzo_param *p = &lists[l]->items[i];
            bool same = fold ? ib_str_ieq(p->name, name) : names(name, p->name);
            if (same && p->in.p != NULL && ib_str_eq_c(p->in, in)) {
                return true;
            }
        }
    }
    return false;
}

static void check_request(struct expr_checker *c, const char *in)
{
    bool there = in == NULL ? step_at_hand(c)->payload != NULL
                            : has_param(c, in, c->expr->name, strcmp(in, "header") == 0);

    if (!there) {
        say(c, IB_FINDING_ERROR, TARGET, "this step sends no such %s",
            in == NULL ? "body" : "parameter");
    }
}

/* True when a call, with its answer, is there to be looked at. */
static bool call_is_there(struct expr_checker *c, enum ib_use use, bool answer)
{
    const struct ib_arazzo_step *s = step_at_hand(c);

    if (s == NULL) {
        say(c, IB_FINDING_ERROR, TARGET,
            "outputs of a workflow have no request or answer to look at");
        return false;
    }
    if (s->target_type == IB_TARGET_WORKFLOW) {
        say(c, IB_FINDING_ERROR, TARGET, "a step that calls a workflow has no request of its own");
        return false;
    }
    if (answer && (use == IB_USE_PARAM || use == IB_USE_BODY)) {
        say(c, IB_FINDING_ERROR, "order", "there is no answer before the request");
        return false;
    }
    return true;
}

static void check_call(struct expr_checker *c, enum ib_use use)
{
    const char *in = NULL;

    switch (c->expr->kind) {
    case IB_EXPR_RESPONSE_QUERY:
    case IB_EXPR_RESPONSE_PATH:
        say(c, IB_FINDING_ERROR, TARGET, "answers have headers and a body only");
        return;
    case IB_EXPR_REQUEST_HEADER:
        in = "header";
        break;
    case IB_EXPR_REQUEST_QUERY:
        in = "query";
        break;
    case IB_EXPR_REQUEST_PATH:
        in = "path";
        break;
    case IB_EXPR_REQUEST_BODY:
        break;
    case IB_EXPR_URL:
    case IB_EXPR_METHOD:
    case IB_EXPR_STATUS_CODE:
    case IB_EXPR_RESPONSE_HEADER:
    case IB_EXPR_RESPONSE_BODY:
    case IB_EXPR_INPUT:
    case IB_EXPR_OUTPUT:
    case IB_EXPR_STEP_OUTPUT:
    case IB_EXPR_WORKFLOW_INPUT:
    case IB_EXPR_WORKFLOW_OUTPUT:
    case IB_EXPR_SOURCE:
    case IB_EXPR_COMPONENT:
    case IB_EXPR_SELF:
        (void)call_is_there(c, use, /* answer= */ true);
        return;
    }
    if (call_is_there(c, use, /* answer= */ false)) {
        check_request(c, in);
    }
}

static void check_use(void *ctx, const struct ib_expr *expr, enum ib_use use, struct ib_place at)
{
    struct expr_checker *c = ctx;

    c->expr = expr;
    c->at = at;
    switch (expr->kind) {
    case IB_EXPR_INPUT:
        check_input(c);
        break;
    case IB_EXPR_STEP_OUTPUT:
        check_step_output(c, use);
        break;
    case IB_EXPR_WORKFLOW_INPUT:
    case IB_EXPR_WORKFLOW_OUTPUT:
        check_workflow_ref(c);
        break;
    case IB_EXPR_OUTPUT:
        check_callee_output(c, use);
        break;
    case IB_EXPR_SOURCE:
        check_source(c);
        break;
    case IB_EXPR_COMPONENT:
        check_component(c);
        break;
    case IB_EXPR_SELF:
        say(c, IB_FINDING_ERROR, "feature-1.1",
            "a feature of Arazzo 1.1 that this engine does not have");
        break;
    case IB_EXPR_URL:
    case IB_EXPR_METHOD:
    case IB_EXPR_STATUS_CODE:
    case IB_EXPR_REQUEST_HEADER:
    case IB_EXPR_REQUEST_QUERY:
    case IB_EXPR_REQUEST_PATH:
    case IB_EXPR_REQUEST_BODY:
    case IB_EXPR_RESPONSE_HEADER:
    case IB_EXPR_RESPONSE_QUERY:
    case IB_EXPR_RESPONSE_PATH:
    case IB_EXPR_RESPONSE_BODY:
        check_call(c, use);
        break;
    }
}

static void doubt(void *ctx, struct ib_place at, const char *why)
{
    struct expr_checker *c = ctx;

    ib_findings_add(c->out, IB_FINDING_ERROR, "expression", at, "%s", why);
}

bool ib_check_expressions(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *w,
                          struct ib_graph *graph, struct ib_findings *out)
{
    struct expr_checker c = {.doc = doc, .w = w, .graph = graph, .out = out};
    const struct ib_uses uses = {check_use, doubt, &c};
    bool ok = true;

    for (size_t i = 0; ok && i < w->step_count; i++) {
        c.step = i;
        ok = ib_arazzo_step_uses(w, &w->steps[i], &uses);
    }
    c.step = w->step_count;
    ib_arazzo_output_uses(w, &uses);
    return ok;
}
