/* SPDX-License-Identifier: MIT */
/* Runs: workflows, slices of them, workflows beside them, and their outputs. */
#include "lib/arazzo/engine.h"

#include "lib/arazzo/engine_run.h"
#include "lib/arazzo/flow.h"
#include "lib/arazzo/inputs.h"

/* --- documents ------------------------------------------------------------------------------ */

static struct ib_value *sources_of(const struct ib_arazzo_doc *doc)
{
    struct ib_value *sources = ib_value_object();
    enum ib_rc rc = sources == NULL ? IB_ENOMEM : IB_OK;

    for (size_t i = 0; rc == IB_OK && i < doc->source_count; i++) {
        const struct ib_arazzo_source *s = &doc->sources[i];
        struct ib_value *one = ib_value_object();
        const char *type = s->type == IB_SOURCE_ARAZZO || s->doc != NULL ? "arazzo" : "openapi";
        if (one == NULL) {
            rc = IB_ENOMEM;
            break;
        }
        rc = ib_value_set(one, IB_STR("url"), ib_value_string(s->url), NULL);
        if (rc == IB_OK) {
            rc = ib_value_set(one, IB_STR("type"), ib_value_string(ib_str_from(type)), NULL);
        }
        if (rc != IB_OK) {
            ib_value_unref(one);
        } else {
            rc = ib_value_set(sources, s->name, one, NULL);
        }
    }
    if (rc != IB_OK) {
        ib_value_unref(sources);
        return NULL;
    }
    return sources;
}

struct run_doc *ib_run_doc(struct run *run, const struct ib_arazzo_doc *doc)
{
    for (size_t i = 0; i < run->doc_count; i++) {
        if (run->docs[i].doc == doc) {
            return &run->docs[i];
        }
    }
    if (run->doc_count == IB_ARRAY_LEN(run->docs)) {
        (void)ib_fail(run->err, IB_ELIMIT, "too many documents in one run");
        return NULL;
    }
    struct run_doc fresh = {doc, sources_of(doc), ib_value_object()};
    if (fresh.sources == NULL || fresh.workflows == NULL) {
        ib_value_unref(fresh.sources);
        ib_value_unref(fresh.workflows);
        (void)ib_fail_nomem(run->err);
        return NULL;
    }
    run->docs[run->doc_count] = fresh;
    return &run->docs[run->doc_count++];
}

/* --- one workflow --------------------------------------------------------------------------- */

static void frame_fini(struct frame *f)
{
    ib_value_unref(f->inputs);
    ib_value_unref(f->outputs_of);
    free(f->states);
}

/* Takes inputs over. */
static bool frame_init(struct frame *f, struct run *run, struct run_doc *doc,
                       const struct ib_arazzo_workflow *workflow, struct ib_value *inputs,
                       struct ib_value *rows)
{
    *f = (struct frame){.run = run,
                        .doc = doc,
                        .workflow = workflow,
                        .inputs = inputs,
                        .outputs_of = ib_value_object(),
                        .states = calloc(workflow->step_count, sizeof *f->states),
                        .rows = rows};
    if (f->outputs_of == NULL || f->states == NULL) {
        frame_fini(f);
        (void)ib_fail_nomem(run->err);
        return false;
    }
    return true;
}

/* The output as such is absent (and not something inside of it), and that was no mishap. */
static bool step_left_it_out(const struct frame *f, const struct ib_expr *missing)
{
    size_t i = ib_arazzo_step_index(f->workflow, missing->owner);
    struct ib_str rest = {NULL, 0};

    if (i == f->workflow->step_count || !f->states[i].ran || !f->states[i].passed) {
        return true;
    }
    return !f->states[i].lost &&
           ib_expr_known_key(ib_value_get(f->outputs_of, missing->owner), missing->name, &rest).p ==
               NULL;
}

/* Absent, and the run none the worse for it: what should have filled it has not run, or failed. */
static bool may_stay_absent(const struct frame *f, const struct ib_expr *missing)
{
    if (missing == NULL) {
        return false;
    }
    switch (missing->kind) {
    case IB_EXPR_STEP_OUTPUT:
        return step_left_it_out(f, missing);
    case IB_EXPR_WORKFLOW_INPUT:
    case IB_EXPR_WORKFLOW_OUTPUT:
        return true;
    case IB_EXPR_INPUT:
        return f->sliced || !ib_inputs_required(f->doc->doc, f->workflow, missing->name);
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
    case IB_EXPR_OUTPUT:
    case IB_EXPR_SOURCE:
    case IB_EXPR_COMPONENT:
    case IB_EXPR_SELF:
        return false;
    }
    return false;
}

/* strict: the workflow has succeeded, and what it promises must be there. */
static enum ib_rc workflow_outputs(struct frame *f, bool strict, struct ib_value *ret)
{
    const struct ib_arazzo_outputs *declared = &f->workflow->outputs;
    struct ib_scope scope;

    ib_run_scope(f, &scope);
    for (size_t i = 0; i < declared->count; i++) {
        const struct ib_arazzo_output *o = &declared->items[i];
        const struct ib_expr *missing = NULL;
        struct ib_value *value = NULL;
        struct ib_error why = IB_ERROR_INIT;
        enum ib_rc rc = ib_template_eval(o->value, &scope, &value, &missing, &why);
        if (rc == IB_OK && value != NULL) {
            rc = ib_value_set(ret, o->name, value, f->run->err);
            if (rc != IB_OK) {
                return rc;
            }
            continue;
        }
        if (!strict || f->run->o->literal || (rc == IB_OK && may_stay_absent(f, missing))) {
            continue;
        }
        if (rc == IB_OK) {
            (void)ib_fail(&why, IB_EEVAL, "%.*s is not there", IB_STR_ARG(o->text));
        }
        *f->run->err = why;
        return ib_error_context(f->run->err, "output %.*s of workflow %.*s", IB_STR_ARG(o->name),
                                IB_STR_ARG(f->workflow->id));
    }
    return IB_OK;
}

/* For "$workflows.ID.outputs.NAME" of whoever comes later. */
static enum ib_rc remember_workflow(struct frame *f, const struct ib_value *outputs)
{
    struct ib_error *err = f->run->err;
    struct ib_value *one = ib_value_object();

    if (one == NULL) {
        return ib_fail_nomem(err);
    }
    enum ib_rc rc = ib_value_set(one, IB_STR("inputs"), ib_value_ref(f->inputs), err);
    if (rc == IB_OK && outputs != NULL) {
        rc = ib_value_set(one, IB_STR("outputs"), ib_value_ref(outputs), err);
    }
    if (rc != IB_OK) {
        ib_value_unref(one);
        return rc;
    }
    return ib_value_set(f->doc->workflows, f->workflow->id, one, err);
}

static void note_next(struct frame *f, const struct ending *end)
{
    if (f->run->depth == 1 && end->flow == FLOW_GO && end->next < f->workflow->step_count) {
        f->run->result->next_step_id = f->workflow->steps[end->next].id;
    }
}

static struct ending run_steps(struct frame *f, size_t from)
{
    struct ending end = {.flow = FLOW_GO, .next = from};

    while (end.flow == FLOW_GO && end.next < f->workflow->step_count) {
        const struct ib_arazzo_step *step = &f->workflow->steps[end.next];
        struct ending next = ib_run_step(f, end.next, /* only_outputs= */ false);
        if (step == f->until && (next.flow == FLOW_GO || next.flow == FLOW_TRANSFER)) {
            note_next(f, &next);
            bool passed = f->states[end.next].passed;
            return (struct ending){.flow = passed ? FLOW_END : FLOW_FAILED};
        }
        end = next;
    }
    if (end.flow == FLOW_GO) {
        end.flow = FLOW_END;
    }
    return end;
}

static enum flow run_dependencies(struct frame *f)
{
    const struct ib_arazzo_workflow *w = f->workflow;

    for (size_t i = 0; i < w->depends_on_count; i++) {
        const struct ib_arazzo_doc *doc = NULL;
        const struct ib_arazzo_workflow *other = NULL;
        if (ib_arazzo_workflow_by_ref(f->doc->doc, w->depends_on[i], &doc, &other, f->run->err) !=
            IB_OK) {
            return FLOW_STOP;
        }
        struct run_doc *run_doc = ib_run_doc(f->run, doc);
        if (run_doc == NULL) {
            return FLOW_STOP;
        }
        const struct ib_value *before = ib_value_get(run_doc->workflows, other->id);
        if (ib_value_get_c(before, "outputs") != NULL) {
            continue;
        }
        enum flow flow = ib_run_side_workflow(f, run_doc, other, NULL);
        if (flow != FLOW_GO) {
            return flow;
        }
    }
    return FLOW_GO;
}

/* The end of a workflow: its outputs, as far as they go. */
static enum flow finish(struct frame *f, enum flow flow, struct ib_value **ret_outputs)
{
    struct ib_value *outputs = ib_value_object();
    /* When the run is broken already, its sentence stays, whatever comes of the outputs. */
    struct ib_error kept = *f->run->err;

    if (outputs == NULL) {
        (void)ib_fail_nomem(f->run->err);
        return FLOW_STOP;
    }
    enum ib_rc rc = workflow_outputs(f, flow == FLOW_END, outputs);
    if (rc == IB_OK && flow == FLOW_END) {
        rc = remember_workflow(f, outputs);
    }
    if (flow != FLOW_END) {
        *f->run->err = kept;
    } else if (rc != IB_OK) {
        flow = FLOW_STOP;
    }
    ib_value_unref(*ret_outputs);
    *ret_outputs = outputs;
    return flow;
}

/* --- workflows beside and inside ------------------------------------------------------------ */

enum flow ib_run_pass_inputs(struct frame *f, struct run_doc *doc,
                             const struct ib_arazzo_workflow *workflow, struct ib_value **ret)
{
    const struct ib_inputs_options options = {.drop_unknown = true};

    if (ib_inputs_prepare(doc->doc, workflow, f->inputs, &options, ret, f->run->err) != IB_OK) {
        return FLOW_STOP;
    }
    return FLOW_GO;
}

static const char *flow_result(enum flow flow)
{
    switch (flow) {
    case FLOW_GO:
    case FLOW_END:
    case FLOW_TRANSFER:
        return "success";
    case FLOW_FAILED:
        return "failure";
    case FLOW_STOP:
        return "error";
    case FLOW_WITHHELD:
        return "withheld";
    }
    return "error";
}

/* {workflowId, result, steps} among the rows of the workflow that caused it. Takes steps over. */
static enum ib_rc record_side(struct frame *f, const struct ib_arazzo_workflow *workflow,
                              enum flow flow, struct ib_value *steps)
{
    struct ib_error *err = f->run->err;
    struct ib_error kept = *err;
    struct ib_value *row = ib_value_object();

    if (row == NULL) {
        ib_value_unref(steps);
        return ib_fail_nomem(err);
    }
    enum ib_rc rc = ib_value_set(row, IB_STR("steps"), steps, err);
    if (rc == IB_OK) {
        rc = ib_value_set(row, IB_STR("workflowId"), ib_value_string(workflow->id), err);
    }
    if (rc == IB_OK) {
        rc = ib_value_set(row, IB_STR("result"), ib_value_string(ib_str_from(flow_result(flow))),
                          err);
    }
    if (rc != IB_OK) {
        ib_value_unref(row);
        return rc;
    }
    rc = ib_value_push(f->rows, row, err);
    if (rc == IB_OK) {
        *err = kept;
    }
    return rc;
}

enum flow ib_run_side_workflow(struct frame *f, struct run_doc *doc,
                               const struct ib_arazzo_workflow *workflow,
                               struct ib_value **ret_outputs)
{
    struct ib_value *inputs = NULL;
    struct ib_value *outputs = NULL;
    struct ib_value *rows = ib_value_array();

    IB_ASSERT(workflow != NULL);
    if (rows == NULL) {
        (void)ib_fail_nomem(f->run->err);
        return FLOW_STOP;
    }
    enum flow flow = ib_run_pass_inputs(f, doc, workflow, &inputs);
    if (flow == FLOW_GO) {
        flow = ib_run_workflow(f->run, doc, workflow, inputs, rows, &outputs);
    }
    if (record_side(f, workflow, flow, rows) != IB_OK) {
        flow = FLOW_STOP;
    }
    if (flow == FLOW_FAILED || flow == FLOW_STOP) {
        (void)ib_error_context(f->run->err, "workflow %.*s", IB_STR_ARG(workflow->id));
    }
    if (ret_outputs != NULL) {
        *ret_outputs = outputs;
    } else {
        ib_value_unref(outputs);
    }
    return flow == FLOW_END ? FLOW_GO : flow;
}

/* goto to a workflow: the flow does not come back, its outputs are those of the whole. */
static enum flow transfer(struct frame *f, const struct ending *end, struct ib_value **ret_outputs)
{
    struct run *run = f->run;
    int64_t now = run->clock.mono_ms(run->clock.ctx);

    IB_ASSERT(end->workflow != NULL);
    if (run->last_jump_ms >= 0) {
        /* Workflows that send each other around must not do so at full speed. */
        IB_ASSERT(end->workflow != NULL);
        const struct ib_arazzo_step *first = &end->workflow->steps[0];
        if (ib_run_wait(f, first, 1, run->pace_ms - (now - run->last_jump_ms), "pace") != IB_OK) {
            return FLOW_STOP;
        }
    }
    run->last_jump_ms = run->clock.mono_ms(run->clock.ctx);
    ib_value_unref(*ret_outputs);
    *ret_outputs = NULL;
    enum flow flow = ib_run_side_workflow(f, end->doc, end->workflow, ret_outputs);
    return flow == FLOW_GO ? FLOW_END : flow;
}

/* dependsOn, steps from the given one on, outputs. */
static enum flow run_frame(struct frame *f, size_t from, struct ib_value **ret_outputs)
{
    struct ending end = {.flow = FLOW_GO};

    if (remember_workflow(f, NULL) != IB_OK) {
        return FLOW_STOP;
    }
    if (!f->sliced) {
        end.flow = run_dependencies(f);
    }
    if (end.flow == FLOW_GO) {
        end = run_steps(f, from);
    }
    if (end.flow == FLOW_TRANSFER) {
        return transfer(f, &end, ret_outputs);
    }
    return finish(f, end.flow, ret_outputs);
}

enum flow ib_run_workflow(struct run *run, struct run_doc *doc,
                          const struct ib_arazzo_workflow *workflow, struct ib_value *inputs,
                          struct ib_value *rows, struct ib_value **ret_outputs)
{
    struct frame f;
    enum flow flow = FLOW_STOP;

    if (run->depth >= IB_RUN_DEPTH_MAX) {
        ib_value_unref(inputs);
        (void)ib_fail(run->err, IB_ELIMIT, "workflows call each other deeper than %d",
                      IB_RUN_DEPTH_MAX);
        return FLOW_STOP;
    }
    if (!frame_init(&f, run, doc, workflow, inputs, rows)) {
        return FLOW_STOP;
    }
    run->depth++;
    flow = run_frame(&f, 0, ret_outputs);
    run->depth--;
    frame_fini(&f);
    return flow;
}

/* --- the outermost workflow ----------------------------------------------------------------- */

enum ib_rc ib_arazzo_pick_workflow(const struct ib_arazzo_doc *doc, struct ib_str id,
                                   const struct ib_arazzo_workflow **ret, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf names = IB_BUF_INIT(IB_ERROR_TEXT_MAX);

    for (size_t i = 0; i < doc->workflow_count; i++) {
        ib_buf_addf(&names, "%s%.*s", i == 0 ? "" : ", ", IB_STR_ARG(doc->workflows[i].id));
    }
    if (id.p == NULL) {
        if (doc->workflow_count == 1) {
            *ret = &doc->workflows[0];
            return IB_OK;
        }
        return ib_fail(err, IB_EUSAGE, "which workflow? %s has %zu: %s", doc->name,
                       doc->workflow_count, ib_buf_c(&names));
    }
    *ret = ib_arazzo_workflow_find(doc, id);
    if (*ret == NULL) {
        return ib_fail(err, IB_EUSAGE, "%s has no workflow \"%.*s\"; it has: %s", doc->name,
                       IB_STR_ARG(id), ib_buf_c(&names));
    }
    return IB_OK;
}

static enum ib_rc pick_step(const struct ib_arazzo_workflow *w, struct ib_str id, const char *what,
                            const struct ib_arazzo_step **ret, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf names = IB_BUF_INIT(IB_ERROR_TEXT_MAX);

    if (id.p == NULL) {
        return IB_OK;
    }
    *ret = ib_arazzo_step_find(w, id);
    if (*ret != NULL) {
        return IB_OK;
    }
    for (size_t i = 0; i < w->step_count; i++) {
        ib_buf_addf(&names, "%s%.*s", i == 0 ? "" : ", ", IB_STR_ARG(w->steps[i].id));
    }
    return ib_fail(err, IB_EUSAGE, "%s: workflow %.*s has no step \"%.*s\"; it has: %s", what,
                   IB_STR_ARG(w->id), IB_STR_ARG(id), ib_buf_c(&names));
}

/* Outputs from the caller become those of steps; they must be ones that the step declares. */
static enum ib_rc take_given(struct frame *f, struct ib_error *err)
{
    const struct ib_arazzo_run_options *o = f->run->o;

    for (size_t i = 0; i < o->given_count; i++) {
        const struct ib_arazzo_given *g = &o->given[i];
        const struct ib_arazzo_step *step = NULL;
        bool declared = false;
        struct ib_str id = g->step.p == NULL ? IB_STR("") : g->step;
        enum ib_rc rc = pick_step(f->workflow, id, "given output", &step, err);
        if (rc != IB_OK) {
            return rc;
        }
        IB_ASSERT(step != NULL);
        for (size_t k = 0; k < step->outputs.count; k++) {
            declared = declared || ib_str_eq(step->outputs.items[k].name, g->output);
        }
        if (!declared) {
            return ib_fail(err, IB_EUSAGE, "given output: step %.*s has no output \"%.*s\"",
                           IB_STR_ARG(step->id), IB_STR_ARG(g->output));
        }
        struct ib_value *outputs = ib_value_get(f->outputs_of, step->id);
        if (outputs == NULL) {
            outputs = ib_value_object();
            rc = ib_value_set(f->outputs_of, step->id, outputs, err);
        }
        if (rc == IB_OK) {
            rc = ib_value_set(outputs, g->output, ib_value_ref(g->value), err);
        }
        if (rc != IB_OK) {
            return rc;
        }
    }
    return IB_OK;
}

/* Which inputs does a slice look at? The others need not be given. */
struct slice_inputs {
    struct ib_value *names; /* object: name -> true */
    bool nomem;
};

static void note_input(void *ctx, const struct ib_expr *expr, enum ib_use use, struct ib_place at)
{
    struct slice_inputs *s = ctx;

    (void)use;
    (void)at;
    if (expr->kind == IB_EXPR_INPUT &&
        ib_value_set(s->names, expr->name, ib_value_bool(true), NULL) != IB_OK) {
        s->nomem = true;
    }
}

static enum ib_rc slice_inputs(const struct ib_arazzo_workflow *w, size_t from, size_t until,
                               struct ib_value **ret, struct ib_error *err)
{
    struct slice_inputs s = {.names = ib_value_object()};
    const struct ib_uses uses = {.fn = note_input, .ctx = &s};
    bool *reached = calloc(w->step_count, sizeof *reached);
    bool ok = s.names != NULL && reached != NULL && ib_arazzo_reach(w, from, until, reached);

    for (size_t i = 0; ok && i < w->step_count; i++) {
        ok = !reached[i] || (ib_arazzo_step_uses(w, &w->steps[i], &uses) && !s.nomem);
    }
    free(reached);
    if (!ok) {
        ib_value_unref(s.names);
        return ib_fail_nomem(err);
    }
    *ret = s.names;
    return IB_OK;
}

static bool not_in_slice(void *ctx, struct ib_str name)
{
    const struct ib_value *names = ctx;

    return ib_value_get(names, name) == NULL;
}

static enum ib_rc prepare_inputs(struct run *run, const struct ib_arazzo_doc *doc,
                                 const struct ib_arazzo_workflow *w,
                                 const struct ib_arazzo_step *from,
                                 const struct ib_arazzo_step *until, struct ib_value **ret)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *names = NULL;
    struct ib_inputs_options options = {.spared = NULL};

    if (from != NULL || until != NULL) {
        enum ib_rc rc = slice_inputs(w, from == NULL ? 0 : (size_t)(from - w->steps),
                                     until == NULL ? w->step_count : (size_t)(until - w->steps),
                                     &names, run->err);
        if (rc != IB_OK) {
            return rc;
        }
        options.spared = not_in_slice;
        options.ctx = names;
    }
    return ib_inputs_prepare(doc, w, run->o->inputs, &options, ret, run->err);
}

/* The run itself, once workflow and slice are known. */
static enum flow run_outermost(struct run *run, struct run_doc *doc,
                               const struct ib_arazzo_workflow *w,
                               const struct ib_arazzo_step *from,
                               const struct ib_arazzo_step *until)
{
    struct ib_value *inputs = NULL;
    struct frame f;
    enum flow flow = FLOW_STOP;

    if (prepare_inputs(run, doc->doc, w, from, until, &inputs) != IB_OK) {
        return FLOW_STOP;
    }
    run->result->inputs = ib_value_ref(inputs);
    if (!frame_init(&f, run, doc, w, inputs, run->result->steps)) {
        return FLOW_STOP;
    }
    f.until = until;
    f.sliced = from != NULL || until != NULL;
    run->depth++;
    if (take_given(&f, run->err) == IB_OK) {
        flow = run_frame(&f, from == NULL ? 0 : (size_t)(from - w->steps), &run->result->outputs);
    }
    run->depth--;
    frame_fini(&f);
    return flow;
}

static void set_outcome(struct ib_arazzo_result *result, enum flow flow)
{
    switch (flow) {
    case FLOW_GO:
    case FLOW_END:
    case FLOW_TRANSFER:
        result->outcome = IB_RUN_SUCCESS;
        break;
    case FLOW_WITHHELD:
        result->outcome = IB_RUN_SUCCESS;
        result->withheld = true;
        break;
    case FLOW_FAILED:
        result->outcome = IB_RUN_FAILURE;
        break;
    case FLOW_STOP:
        result->outcome = IB_RUN_ERROR;
        break;
    }
    if (result->outcome == IB_RUN_SUCCESS) {
        result->error = (struct ib_error)IB_ERROR_INIT;
    }
}

void ib_arazzo_run(const struct ib_arazzo_doc *doc, const struct ib_arazzo_run_options *options,
                   struct ib_arazzo_result *ret)
{
    struct run run = {.o = options, .result = ret, .err = &ret->error};
    const struct ib_arazzo_workflow *w = NULL;
    const struct ib_arazzo_step *from = NULL;
    const struct ib_arazzo_step *until = NULL;
    enum flow flow = FLOW_STOP;

    *ret = (struct ib_arazzo_result)IB_ARAZZO_RESULT_INIT;
    ret->steps = ib_value_array();
    ret->outputs = ib_value_object();
    ib_run_clock_init(&run);
    struct run_doc *run_doc = ib_run_doc(&run, doc);
    if (ret->steps == NULL || ret->outputs == NULL) {
        (void)ib_fail_nomem(run.err);
    } else if (run_doc != NULL &&
               ib_arazzo_pick_workflow(doc, options->workflow_id, &w, run.err) == IB_OK) {
        ret->workflow_id = w->id;
        if (pick_step(w, options->from, "--from", &from, run.err) == IB_OK &&
            pick_step(w, options->until, "--until", &until, run.err) == IB_OK) {
            flow = run_outermost(&run, run_doc, w, from, until);
        }
    }
    set_outcome(ret, flow);
    for (size_t i = 0; i < run.doc_count; i++) {
        ib_value_unref(run.docs[i].sources);
        ib_value_unref(run.docs[i].workflows);
    }
}
