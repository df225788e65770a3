/* SPDX-License-Identifier: MIT */
/* Workflow executions and steps. */
#include "lib/imagebuilder/workflow.h"

#include "lib/base/text.h"
#include "lib/base/time.h"

void ib_workflow_list_fini(struct ib_workflow_list *list)
{
    free(list->items);
    *list = (struct ib_workflow_list){ 0 };
}

static struct ib_str text_of(const struct ib_value *v, const char *key)
{
    const struct ib_value *text = ib_value_get_c(v, key);

    return ib_value_is(text, IB_VALUE_STRING) ? ib_value_as_str(text) : (struct ib_str){ "", 0 };
}

static bool time_of(const struct ib_value *v, const char *key, int64_t *ret_ms)
{
    return ib_time_parse_iso8601(text_of(v, key), ret_ms, NULL) == IB_OK;
}

static enum ib_workflow_status status_of(struct ib_str text)
{
    static const struct {
        const char *name;
        enum ib_workflow_status status;
    } names[] = {
        { "PENDING", IB_WORKFLOW_PENDING },
        { "RUNNING", IB_WORKFLOW_RUNNING },
        { "ROLLBACK_IN_PROGRESS", IB_WORKFLOW_RUNNING },
        { "COMPLETED", IB_WORKFLOW_DONE },
        { "SKIPPED", IB_WORKFLOW_DONE },
        { "FAILED", IB_WORKFLOW_FAILED },
        { "CANCELLED", IB_WORKFLOW_FAILED },
        { "ROLLBACK_COMPLETED", IB_WORKFLOW_FAILED },
    };

    for (size_t i = 0; i < IB_ARRAY_LEN(names); i++) {
        if (ib_str_eq_c(text, names[i].name)) {
            return names[i].status;
        }
    }
    return IB_WORKFLOW_UNHEARD_OF;
}

/* "arn:...:workflow/build/build-image/1.0.3/1" -> "build-image" */
static struct ib_str name_of(struct ib_str arn)
{
    for (int i = 0; i < 2; i++) {
        arn = ib_str_skip(arn, ib_str_find(arn, '/') + 1);
    }
    return ib_str_head(arn, ib_str_find(arn, '/'));
}

static void decode_execution(const struct ib_value *v, struct ib_workflow_execution *e)
{
    struct ib_str id = text_of(v, "workflowExecutionId");
    struct ib_str arn = text_of(v, "workflowBuildVersionArn");
    struct ib_str type = text_of(v, "type");
    struct ib_str name = name_of(arn);
    const struct ib_value *retried = ib_value_get_c(v, "retried");

    *e = (struct ib_workflow_execution){
        .key = ib_str_hash(arn.n > 0 ? arn : type),
        .status = status_of(text_of(v, "status")),
        .retried = ib_value_is(retried, IB_VALUE_BOOL) && ib_value_as_bool(retried),
    };
    (void)ib_text_copy(e->id, sizeof e->id, id);
    (void)ib_text_plugin(type.p, type.n, e->type, sizeof e->type);
    (void)ib_text_plugin(name.p, name.n, e->name, sizeof e->name);
    e->has_start = time_of(v, "startTime", &e->start_ms);
    e->has_end = time_of(v, "endTime", &e->end_ms);
}

enum ib_rc ib_workflow_list_add(struct ib_workflow_list *list, const struct ib_value *body,
                                struct ib_error *err)
{
    const struct ib_value *items = ib_value_get_c(body, "workflowExecutions");

    if (items == NULL && ib_value_is(body, IB_VALUE_OBJECT)) {
        return IB_OK;
    }
    if (!ib_value_is(items, IB_VALUE_ARRAY)) {
        return ib_fail(err, IB_EPARSE, "ListWorkflowExecutions: the answer has no list");
    }
    for (size_t i = 0; i < ib_value_count(items) && list->count < IB_WORKFLOW_EXECUTIONS_MAX; i++) {
        struct ib_workflow_execution *grown =
            reallocarray(list->items, list->count + 1, sizeof *grown);
        if (grown == NULL) {
            return ib_fail_nomem(err);
        }
        list->items = grown;
        decode_execution(ib_value_at(items, i), &list->items[list->count++]);
    }
    return IB_OK;
}

/* The latest begun execution of the same workflow; at least e itself. */
static const struct ib_workflow_execution *newest_of(const struct ib_workflow_list *list,
                                                     const struct ib_workflow_execution *e)
{
    const struct ib_workflow_execution *newest = e;

    for (size_t i = 0; i < list->count; i++) {
        const struct ib_workflow_execution *other = &list->items[i];
        if (other->key == e->key && other->has_start && other->start_ms > newest->start_ms) {
            newest = other;
        }
    }
    return newest;
}

/* A build has one build workflow. One that begins after another means that all began anew. */
static void find_second_build(const struct ib_workflow_list *list, struct ib_workflow_facts *f)
{
    int64_t first_ms = INT64_MAX, last_ms = INT64_MIN;

    for (size_t i = 0; i < list->count; i++) {
        const struct ib_workflow_execution *e = &list->items[i];
        if (e->has_start && strcmp(e->type, "BUILD") == 0) {
            first_ms = e->start_ms < first_ms ? e->start_ms : first_ms;
            last_ms = e->start_ms > last_ms ? e->start_ms : last_ms;
        }
    }
    if (last_ms > first_ms && (!f->restart_known || last_ms > f->restart_ms)) {
        f->retried = true;
        f->restart_known = true;
        f->restart_ms = last_ms;
    }
}

/* The build workflow that began first; not told when anything else began before. */
static void find_first(const struct ib_workflow_list *list, struct ib_workflow_facts *ret)
{
    const struct ib_workflow_execution *first = NULL;

    for (size_t i = 0; i < list->count; i++) {
        const struct ib_workflow_execution *e = &list->items[i];
        if (e->has_start && (first == NULL || e->start_ms < first->start_ms)) {
            first = e;
        }
    }
    ret->has_first = first != NULL && strcmp(first->type, "BUILD") == 0;
    ret->first_ms = ret->has_first ? first->start_ms : 0;
}

void ib_workflow_look(const struct ib_workflow_list *list, struct ib_workflow_facts *ret)
{
    struct ib_workflow_facts f = { 0 };
    bool failed_last = false; /* a workflow whose newest execution failed */

    for (size_t i = 0; i < list->count; i++) {
        const struct ib_workflow_execution *e = &list->items[i];

        if (e->status == IB_WORKFLOW_RUNNING &&
            (f.running == NULL || (e->has_start && e->start_ms > f.running->start_ms))) {
            f.running = e;
        }
        bool is_failed = e->status == IB_WORKFLOW_FAILED;
        if (!e->has_start || (!is_failed && !e->retried)) {
            continue;
        }
        const struct ib_workflow_execution *newest = newest_of(list, e);
        failed_last = failed_last || (newest == e && is_failed);
        if (newest == e && !e->retried) {
            continue;
        }
        f.retried = true;
        if (!f.restart_known || newest->start_ms > f.restart_ms) {
            f.restart_known = true;
            f.restart_ms = newest->start_ms;
        }
    }
    find_second_build(list, &f);
    /*
     * In flight, yet nothing runs and something failed: put back to work a moment ago, its
     * workflow not begun. Nobody can tell since when; not even when the failed one is marked as
     * retried, for that may mean that it was one, or that it is being one.
     */
    if (failed_last && f.running == NULL) {
        f.retried = true;
        f.restart_known = false;
    }
    find_first(list, &f);
    *ret = f;
}

bool ib_workflow_begun_late(const struct ib_workflow_facts *facts, int64_t created_ms)
{
    return !facts->retried && facts->has_first &&
           facts->first_ms - created_ms > IB_WORKFLOW_LATE_MS;
}

bool ib_workflow_running_step(const struct ib_value *body, struct ib_workflow_step *ret)
{
    const struct ib_value *steps = ib_value_get_c(body, "steps");
    bool found = false;

    for (size_t i = 0; ib_value_is(steps, IB_VALUE_ARRAY) && i < ib_value_count(steps); i++) {
        const struct ib_value *v = ib_value_at(steps, i);
        struct ib_str name = text_of(v, "name"), action = text_of(v, "action");
        bool waits = ib_str_eq_c(action, "WaitForAction");

        if (!ib_str_eq_c(text_of(v, "status"), "RUNNING") || (found && !waits)) {
            continue;
        }
        *ret = (struct ib_workflow_step){ .waits = waits };
        (void)ib_text_plugin(name.p, name.n, ret->name, sizeof ret->name);
        (void)ib_text_plugin(action.p, action.n, ret->action, sizeof ret->action);
        ret->has_start = time_of(v, "startTime", &ret->start_ms);
        found = true;
        if (waits) {
            break;
        }
    }
    return found;
}
