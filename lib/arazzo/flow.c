/* SPDX-License-Identifier: MIT */
/* Edges between steps, and the expressions in a step. */
#include "lib/arazzo/flow.h"

#include "lib/arazzo/criterion.h"
#include "lib/arazzo/expr.h"
#include "lib/arazzo/template.h"
#include "lib/data/yaml.h"

size_t ib_arazzo_step_index(const struct ib_arazzo_workflow *w, struct ib_str id)
{
    const struct ib_arazzo_step *found = id.p == NULL ? NULL : ib_arazzo_step_find(w, id);

    return found == NULL ? w->step_count : (size_t)(found - w->steps);
}

/* True when the action matches always, so that nothing behind it is ever tried. */
static bool action_edge(const struct ib_arazzo_workflow *w, size_t step,
                        const struct ib_arazzo_action *action, enum ib_edge_kind kind,
                        ib_edge_fn fn, void *ctx)
{
    struct ib_edge edge = {kind, step, action, w->step_count};

    if (action->type != IB_ACTION_END && action->step_id.p != NULL) {
        edge.to = ib_arazzo_step_index(w, action->step_id);
        if (edge.to == w->step_count) {
            return false;
        }
    } else if (action->type == IB_ACTION_RETRY) {
        edge.to = step;
    }
    fn(ctx, &edge);
    /* A retry is used up at some time, and then the next one is tried. */
    return action->criterion_count == 0 && action->type != IB_ACTION_RETRY;
}

void ib_arazzo_edges(const struct ib_arazzo_workflow *w, size_t step, ib_edge_fn fn, void *ctx)
{
    const struct ib_arazzo_actions *success = ib_arazzo_success_actions(w, &w->steps[step]);
    const struct ib_arazzo_actions *failure = ib_arazzo_failure_actions(w, &w->steps[step]);
    bool always = false;

    for (size_t i = 0; i < success->count && !always; i++) {
        always = action_edge(w, step, &success->items[i], IB_EDGE_SUCCESS, fn, ctx);
    }
    if (!always) {
        struct ib_edge next = {IB_EDGE_NEXT, step, NULL, step + 1};
        fn(ctx, &next);
    }
    always = false;
    for (size_t i = 0; i < failure->count && !always; i++) {
        always = action_edge(w, step, &failure->items[i], IB_EDGE_FAILURE, fn, ctx);
    }
    if (!always) {
        struct ib_edge failed = {IB_EDGE_FAILED, step, NULL, w->step_count};
        fn(ctx, &failed);
    }
}

struct reach {
    const struct ib_arazzo_workflow *w;
    bool *reached;
    size_t *todo; /* stack of steps whose edges were not looked at */
    size_t todo_count;
    bool stop; /* do not follow edges that leave the step for good */
};

static void follow(void *ctx, const struct ib_edge *edge)
{
    struct reach *r = ctx;
    bool retry = edge->action != NULL && edge->action->type == IB_ACTION_RETRY;

    if (edge->to < r->w->step_count && !r->reached[edge->to] && (!r->stop || retry)) {
        r->reached[edge->to] = true;
        r->todo[r->todo_count++] = edge->to;
    }
}

bool ib_arazzo_reach(const struct ib_arazzo_workflow *w, size_t from, size_t until, bool *reached)
{
    struct reach r = {.w = w, .reached = reached};

    if (from >= w->step_count) {
        return true;
    }
    r.todo = calloc(w->step_count, sizeof *r.todo);
    if (r.todo == NULL) {
        return false;
    }
    reached[from] = true;
    r.todo[r.todo_count++] = from;
    while (r.todo_count > 0) {
        size_t step = r.todo[--r.todo_count];
        r.stop = step == until;
        ib_arazzo_edges(w, step, follow, &r);
    }
    free(r.todo);
    return true;
}

/* --- expressions ---------------------------------------------------------------------------- */

static bool text_uses(const struct ib_value *v, enum ib_use use, struct ib_place at,
                      const struct ib_uses *uses)
{
    IB_CLEANUP(ib_template_cleanup) struct ib_template *t = NULL;
    struct ib_error why = IB_ERROR_INIT;
    enum ib_rc rc = ib_template_parse(ib_value_as_str(v), &t, &why);

    if (ib_value_mark(v).line > 0) {
        at.mark = ib_value_mark(v);
    }
    if (rc != IB_OK) {
        if (uses->doubt != NULL) {
            uses->doubt(uses->ctx, at, why.text);
        }
        return rc != IB_ENOMEM;
    }
    for (size_t i = 0; i < ib_template_expr_count(t); i++) {
        uses->fn(uses->ctx, ib_template_expr(t, i), use, at);
    }
    if (uses->doubt != NULL && ib_template_doubt(t, NULL) != NULL) {
        uses->doubt(uses->ctx, at, ib_template_doubt(t, NULL));
    }
    return true;
}

static bool value_uses(const struct ib_value *v, enum ib_use use, struct ib_place at,
                       const struct ib_uses *uses, size_t depth)
{
    if (ib_value_is(v, IB_VALUE_STRING)) {
        return text_uses(v, use, at, uses);
    }
    bool ok = true;
    for (size_t i = 0; ok && depth < IB_YAML_DEPTH_MAX && i < ib_value_count(v); i++) {
        ok = value_uses(ib_value_at(v, i), use, at, uses, depth + 1);
    }
    return ok;
}

bool ib_arazzo_value_uses(const struct ib_value *v, enum ib_use use, struct ib_place at,
                          const struct ib_uses *uses)
{
    return v == NULL || value_uses(v, use, at, uses, 0);
}

static void criteria_uses(const struct ib_arazzo_criterion *criteria, size_t count, enum ib_use use,
                          const struct ib_uses *uses)
{
    for (size_t i = 0; i < count; i++) {
        const struct ib_criterion *test = criteria[i].test;
        for (size_t k = 0; test != NULL && k < ib_criterion_expr_count(test); k++) {
            uses->fn(uses->ctx, ib_criterion_expr(test, k), use, criteria[i].at);
        }
    }
}

static void actions_uses(const struct ib_arazzo_actions *actions, const struct ib_uses *uses)
{
    for (size_t i = 0; i < actions->count; i++) {
        criteria_uses(actions->items[i].criteria, actions->items[i].criterion_count,
                      IB_USE_ACTION_CRITERION, uses);
    }
}

static void outputs_uses(const struct ib_arazzo_outputs *outputs, const struct ib_uses *uses)
{
    for (size_t i = 0; i < outputs->count; i++) {
        const struct ib_template *t = outputs->items[i].value;
        for (size_t k = 0; t != NULL && k < ib_template_expr_count(t); k++) {
            uses->fn(uses->ctx, ib_template_expr(t, k), IB_USE_OUTPUT, outputs->items[i].at);
        }
    }
}

bool ib_arazzo_step_uses(const struct ib_arazzo_workflow *w, const struct ib_arazzo_step *s,
                         const struct ib_uses *uses)
{
    bool ok = ib_arazzo_value_uses(s->payload, IB_USE_BODY, s->payload_at, uses);

    for (size_t i = 0; ok && i < s->replacement_count; i++) {
        ok = ib_arazzo_value_uses(s->replacements[i].value, IB_USE_BODY, s->replacements[i].at,
                                  uses);
    }
    for (size_t i = 0; ok && i < s->params.count; i++) {
        ok = ib_arazzo_value_uses(s->params.items[i].value, IB_USE_PARAM, s->params.items[i].at,
                                  uses);
    }
    for (size_t i = 0; ok && i < w->params.count; i++) {
        if (!ib_arazzo_param_replaced(s, &w->params.items[i])) {
            ok = ib_arazzo_value_uses(w->params.items[i].value, IB_USE_PARAM, w->params.items[i].at,
                                      uses);
        }
    }
    criteria_uses(s->success_criteria, s->success_criterion_count, IB_USE_SUCCESS_CRITERION, uses);
    actions_uses(ib_arazzo_success_actions(w, s), uses);
    actions_uses(ib_arazzo_failure_actions(w, s), uses);
    outputs_uses(&s->outputs, uses);
    return ok;
}

void ib_arazzo_output_uses(const struct ib_arazzo_workflow *w, const struct ib_uses *uses)
{
    outputs_uses(&w->outputs, uses);
}
