/* SPDX-License-Identifier: MIT */
/* What a run leaves behind: rows of steps, the result as one value, words to the observer. */
#include "lib/arazzo/engine_run.h"

void ib_run_tell(struct frame *f, struct ib_run_event event)
{
    const struct ib_arazzo_run_options *o = f->run->o;

    if (o->observe == NULL) {
        return;
    }
    event.workflow = f->workflow;
    event.depth = f->run->depth - 1;
    event.text = event.text == NULL ? "" : event.text;
    o->observe(o->observe_ctx, &event);
}

void ib_run_note(struct frame *f, const struct ib_arazzo_step *step, const char *text)
{
    ib_run_tell(f, (struct ib_run_event){.type = IB_EVENT_NOTE, .step = step, .text = text});
}

static enum ib_rc set(struct ib_value *object, const char *key, struct ib_value *v,
                      struct ib_error *err)
{
    return ib_value_set(object, ib_str_from(key), v, err);
}

static struct ib_value *action_value(const struct ib_arazzo_action *action)
{
    if (action == NULL) {
        return ib_value_null();
    }
    struct ib_value *v = ib_value_object();
    if (v == NULL) {
        return NULL;
    }
    enum ib_rc rc = set(v, "name", ib_value_string(action->name), NULL);
    if (rc == IB_OK) {
        rc =
            set(v, "type", ib_value_string(ib_str_from(ib_arazzo_action_name(action->type))), NULL);
    }
    if (rc == IB_OK && action->step_id.p != NULL) {
        rc = set(v, "stepId", ib_value_string(action->step_id), NULL);
    }
    if (rc == IB_OK && action->workflow_id.p != NULL) {
        rc = set(v, "workflowId", ib_value_string(action->workflow_id), NULL);
    }
    if (rc != IB_OK) {
        ib_value_unref(v);
        return NULL;
    }
    return v;
}

static enum ib_rc set_target(const struct attempt *a, struct ib_value *row)
{
    const struct ib_arazzo_step *s = a->step;

    if (s->target_type == IB_TARGET_WORKFLOW) {
        return set(row, "workflowId", ib_value_string(s->target), a->frame->run->err);
    }
    if (a->operation.id.p != NULL) {
        return set(row, "operationId", ib_value_string(a->operation.id), a->frame->run->err);
    }
    return set(row, s->target_type == IB_TARGET_OPERATION_ID ? "operationId" : "operationPath",
               ib_value_string(s->target), a->frame->run->err);
}

enum ib_rc ib_run_record(struct attempt *a, const char *result)
{
    struct ib_error *err = a->frame->run->err;
    /* The sentence of an error that is being reported must survive. */
    struct ib_error kept = *err;
    struct ib_value *row = ib_value_object();

    if (row == NULL) {
        return ib_fail_nomem(err);
    }
    enum ib_rc rc = set(row, "stepId", ib_value_string(a->step->id), err);
    if (rc == IB_OK) {
        rc = set_target(a, row);
    }
    if (rc == IB_OK) {
        rc = set(row, "attempt", ib_value_int(a->number), err);
    }
    if (rc == IB_OK && a->answered) {
        rc = set(row, "statusCode", ib_value_int(a->reply.status), err);
    }
    if (rc == IB_OK) {
        rc = set(row, "result", ib_value_string(ib_str_from(result)), err);
    }
    if (rc == IB_OK) {
        struct ib_value *outputs =
            a->outputs == NULL ? ib_value_object() : ib_value_ref(a->outputs);
        rc = set(row, "outputs", outputs, err);
    }
    if (rc == IB_OK) {
        rc = set(row, "action", action_value(a->action), err);
    }
    if (rc == IB_OK && a->callee_rows != NULL) {
        rc = set(row, "steps", ib_value_ref(a->callee_rows), err);
    }
    if (rc != IB_OK) {
        ib_value_unref(row);
        return rc;
    }
    rc = ib_value_push(a->frame->rows, row, err);
    if (rc == IB_OK) {
        *err = kept;
    }
    return rc;
}

/* --- the result ----------------------------------------------------------------------------- */

void ib_arazzo_result_fini(struct ib_arazzo_result *result)
{
    if (result == NULL) {
        return;
    }
    ib_value_unref(result->inputs);
    ib_value_unref(result->outputs);
    ib_value_unref(result->steps);
    *result = (struct ib_arazzo_result)IB_ARAZZO_RESULT_INIT;
}

const char *ib_run_outcome_name(enum ib_run_outcome outcome)
{
    switch (outcome) {
    case IB_RUN_SUCCESS:
        return "success";
    case IB_RUN_FAILURE:
        return "failure";
    case IB_RUN_ERROR:
        return "error";
    }
    return "error";
}

const struct ib_value *ib_arazzo_result_step(const struct ib_arazzo_result *result,
                                             const char *step_id)
{
    for (size_t i = ib_value_count(result->steps); i > 0; i--) {
        const struct ib_value *row = ib_value_at(result->steps, i - 1);
        const struct ib_value *id = ib_value_get_c(row, "stepId");
        if (id != NULL && ib_str_eq_c(ib_value_as_str(id), step_id)) {
            return row;
        }
    }
    return NULL;
}

/* A failure without an error of AWS is one of the document's own conditions. */
static const char *error_kind(const struct ib_arazzo_result *result)
{
    if (result->outcome == IB_RUN_FAILURE && result->error.rc == IB_EEVAL) {
        return "criterion";
    }
    return ib_rc_name(result->error.rc);
}

static struct ib_value *error_value(const struct ib_arazzo_result *result)
{
    if (result->outcome == IB_RUN_SUCCESS) {
        return ib_value_null();
    }
    struct ib_value *v = ib_value_object();
    if (v == NULL) {
        return NULL;
    }
    enum ib_rc rc = set(v, "kind", ib_value_string(ib_str_from(error_kind(result))), NULL);
    if (rc == IB_OK) {
        rc = set(v, "text", ib_value_string(ib_str_from(result->error.text)), NULL);
    }
    if (rc == IB_OK && result->error.aws_code[0] != '\0') {
        rc = set(v, "code", ib_value_string(ib_str_from(result->error.aws_code)), NULL);
    }
    if (rc == IB_OK && result->step_id.p != NULL) {
        rc = set(v, "stepId", ib_value_string(result->step_id), NULL);
    }
    if (rc == IB_OK) {
        rc = set(v, "outcomeKnown", ib_value_bool(result->stage == IB_STAGE_BETWEEN), NULL);
    }
    if (rc != IB_OK) {
        ib_value_unref(v);
        return NULL;
    }
    return v;
}

static struct ib_value *or_empty(const struct ib_value *v, bool array)
{
    if (v != NULL) {
        return ib_value_ref(v);
    }
    return array ? ib_value_array() : ib_value_object();
}

struct ib_value *ib_arazzo_result_value(const struct ib_arazzo_result *result)
{
    struct ib_value *v = ib_value_object();

    if (v == NULL) {
        return NULL;
    }
    struct ib_value *id =
        result->workflow_id.p == NULL ? ib_value_null() : ib_value_string(result->workflow_id);
    enum ib_rc rc = set(v, "workflowId", id, NULL);
    if (rc == IB_OK) {
        rc = set(v, "result", ib_value_string(ib_str_from(ib_run_outcome_name(result->outcome))),
                 NULL);
    }
    if (rc == IB_OK) {
        rc = set(v, "outputs", or_empty(result->outputs, false), NULL);
    }
    if (rc == IB_OK) {
        rc = set(v, "steps", or_empty(result->steps, true), NULL);
    }
    if (rc == IB_OK) {
        rc = set(v, "error", error_value(result), NULL);
    }
    if (rc != IB_OK) {
        ib_value_unref(v);
        return NULL;
    }
    return v;
}
