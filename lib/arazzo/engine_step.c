/* SPDX-License-Identifier: MIT */
/* One step: its attempts, what each came to, and where the flow goes from it. */
#include "lib/arazzo/engine_run.h"

#include "lib/arazzo/inputs.h"
#include "lib/sys/signals.h"

static void attempt_fini(struct attempt *a)
{
    ib_value_unref(a->path);
    ib_value_unref(a->query);
    ib_value_unref(a->headers);
    ib_value_unref(a->cookies);
    ib_value_unref(a->body);
    ib_value_unref(a->reply.headers);
    ib_value_unref(a->reply.body);
    ib_value_unref(a->reply.url);
    ib_value_unref(a->reply.method);
    ib_value_unref(a->status);
    ib_value_unref(a->callee);
    ib_value_unref(a->callee_rows);
    ib_value_unref(a->outputs);
}

static bool is_2xx(const struct attempt *a)
{
    return a->answered && a->reply.status >= 200 && a->reply.status <= 299;
}

static struct step_state *state_of(const struct attempt *a)
{
    return &a->frame->states[a->step - a->frame->workflow->steps];
}

/* --- criteria ------------------------------------------------------------------------------- */

/*
 * All of a list. One that fails decides, even behind one that could not be evaluated: an answer
 * with an error seldom has what the criteria of a good one look at. why: the criterion that
 * decided.
 */
static enum ib_verdict test_all(const struct attempt *a, const struct ib_arazzo_criterion *criteria,
                                size_t count, bool tolerant, struct ib_error *why)
{
    struct ib_scope scope;
    struct ib_error error = IB_ERROR_INIT;
    enum ib_verdict all = IB_VERDICT_PASS;

    ib_run_attempt_scope(a, &scope);
    for (size_t i = 0; i < count; i++) {
        struct ib_verdict_note note = {.operand_missing = false};
        enum ib_verdict one =
            ib_criterion_test(criteria[i].test, &scope, a->frame->run->o->literal, &note, &error);
        if (one == IB_VERDICT_ERROR && tolerant && note.context_missing && !is_2xx(a)) {
            one = IB_VERDICT_FAIL;
        }
        if (one == IB_VERDICT_FAIL) {
            (void)ib_fail(why, IB_EEVAL, "%.*s does not hold%s%s%s",
                          IB_STR_ARG(criteria[i].condition), note.text[0] == '\0' ? "" : " (",
                          note.text, note.text[0] == '\0' ? "" : ")");
            return IB_VERDICT_FAIL;
        }
        if (one == IB_VERDICT_ERROR && all == IB_VERDICT_PASS) {
            all = IB_VERDICT_ERROR;
            *why = error;
            (void)ib_error_context(why, "%.*s", IB_STR_ARG(criteria[i].condition));
        }
        if (one == IB_VERDICT_PASS && note.text[0] != '\0') {
            ib_run_note(a->frame, a->step, note.text);
        }
    }
    return all;
}

/* --- outputs -------------------------------------------------------------------------------- */

/* Nothing comes behind this step that could be decided on a value that is missing. */
static bool is_last_word(const struct attempt *a)
{
    const struct frame *f = a->frame;

    return f->until == NULL && a->step == &f->workflow->steps[f->workflow->step_count - 1] &&
           ib_arazzo_success_actions(f->workflow, a->step)->count == 0;
}

/* Absent, and that is as the document means it. */
static bool may_be_absent(const struct attempt *a, const struct ib_expr *missing)
{
    if (missing == NULL) {
        return false;
    }
    /* The other workflow declares it, and took a branch that does not fill it. */
    if (missing->kind == IB_EXPR_OUTPUT) {
        return a->callee != NULL;
    }
    return missing->kind == IB_EXPR_INPUT &&
           !ib_inputs_required(a->frame->doc->doc, a->frame->workflow, missing->name);
}

static enum ib_rc add_output(struct attempt *a, const struct ib_arazzo_output *o, bool strict)
{
    struct ib_error *err = a->frame->run->err;
    struct ib_error why = IB_ERROR_INIT;
    struct ib_scope scope;
    struct ib_value *value = NULL;
    const struct ib_expr *missing = NULL;

    ib_run_attempt_scope(a, &scope);
    enum ib_rc rc = ib_template_eval(o->value, &scope, &value, &missing, &why);
    if (rc == IB_OK && value != NULL) {
        return ib_value_set(a->outputs, o->name, value, err);
    }
    if (rc == IB_OK && may_be_absent(a, missing)) {
        return IB_OK;
    }
    if (rc == IB_OK) {
        (void)ib_fail(&why, IB_EEVAL, "%.*s is not there%s", IB_STR_ARG(o->text),
                      ib_value_is(a->reply.body, IB_VALUE_STRING) ? " (the answer is no JSON)"
                                                                  : "");
    }
    (void)ib_error_context(&why, "step %.*s: output %.*s", IB_STR_ARG(a->step->id),
                           IB_STR_ARG(o->name));
    if (strict && !a->frame->run->o->literal) {
        *err = why;
        return why.rc;
    }
    if (a->passed) {
        state_of(a)->lost = true;
        ib_run_note(a->frame, a->step, why.text);
    }
    return why.rc == IB_ENOMEM ? ib_fail_nomem(err) : IB_OK;
}

static enum ib_rc collect_outputs(struct attempt *a)
{
    struct frame *f = a->frame;
    const struct ib_arazzo_outputs *declared = &a->step->outputs;
    bool strict = a->passed && !is_last_word(a);
    enum ib_rc rc = IB_OK;

    if (declared->count == 0 && a->callee != NULL) {
        a->outputs = ib_value_copy(a->callee);
    } else {
        a->outputs = ib_value_object();
    }
    if (a->outputs == NULL) {
        return ib_fail_nomem(f->run->err);
    }
    for (size_t i = 0; rc == IB_OK && i < declared->count; i++) {
        rc = add_output(a, &declared->items[i], strict);
    }
    /* The last run of a step wins, whatever it came to. */
    struct ib_error *err = rc == IB_OK ? f->run->err : NULL;
    enum ib_rc set = ib_value_set(f->outputs_of, a->step->id, ib_value_ref(a->outputs), err);
    return rc == IB_OK ? set : rc;
}

/* --- one attempt ---------------------------------------------------------------------------- */

/* Codes with which a request may have reached the other side. */
static bool may_have_arrived(enum ib_rc rc)
{
    switch (rc) {
    case IB_OK:
    case IB_EUSAGE:
    case IB_ECONFIG:
    case IB_ECRED:
    case IB_ETLS:
    case IB_EREFUSED:
    case IB_ENOENT:
    case IB_EEVAL:
        return false;
    case IB_ENET:
    case IB_ETIMEOUT:
    case IB_EHTTP:
    case IB_EAWS:
    case IB_EPARSE:
    case IB_ELIMIT:
    case IB_ENOMEM:
    case IB_ESYS:
    case IB_EBUG:
    case IB_RC_COUNT:
        return true;
    }
    return true;
}

static bool is_step_failure(const struct run *run, enum ib_rc rc)
{
    if (ib_signals_stop_requested() ||
        (rc == IB_ETIMEOUT && run->o->deadline != NULL && ib_deadline_passed(run->o->deadline))) {
        return false;
    }
    return rc == IB_ENET || rc == IB_ETLS || rc == IB_EHTTP || rc == IB_ETIMEOUT;
}

/* Send it. FLOW_GO: there is an answer, or a failure that the document may handle. */
static enum flow call_operation(struct attempt *a)
{
    struct frame *f = a->frame;
    struct run *run = f->run;

    if (ib_run_build_request(a) != IB_OK) {
        return FLOW_STOP;
    }
    const struct ib_arazzo_call call = {
        .workflow_id = f->workflow->id,
        .step_id = a->step->id,
        .attempt = a->number,
        .operation_id = a->operation.id,
        .openapi = a->operation.openapi,
        .path = a->path,
        .query = a->query,
        .headers = a->headers,
        .cookies = a->cookies,
        .body = a->body,
        .content_type = a->step->content_type,
    };
    struct ib_run_event event = {
        .type = IB_EVENT_CALL, .step = a->step, .attempt = a->number, .call = &call};
    ib_run_tell(f, event);
    run->result->stage = IB_STAGE_CALLING;
    enum ib_rc rc = run->o->call(run->o->call_ctx, &call, &a->reply, &a->why);
    if (rc == IB_OK || !may_have_arrived(rc)) {
        run->result->stage = IB_STAGE_BETWEEN;
    }
    if (rc != IB_OK) {
        event.type = IB_EVENT_NO_REPLY;
        event.error = &a->why;
        ib_run_tell(f, event);
        (void)ib_error_context(&a->why, "step %.*s", IB_STR_ARG(a->step->id));
        *run->err = a->why;
        return is_step_failure(run, rc) ? FLOW_GO : FLOW_STOP;
    }
    if (a->reply.withheld) {
        return FLOW_WITHHELD;
    }
    a->answered = true;
    a->status = ib_value_int(a->reply.status);
    event.type = IB_EVENT_REPLY;
    event.reply = &a->reply;
    ib_run_tell(f, event);
    return a->status == NULL ? (void)ib_fail_nomem(run->err), FLOW_STOP : FLOW_GO;
}

static enum flow call_workflow(struct attempt *a)
{
    struct frame *f = a->frame;
    struct run *run = f->run;
    const struct ib_arazzo_doc *doc = NULL;
    const struct ib_arazzo_workflow *workflow = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *given = NULL;
    struct ib_value *inputs = NULL;

    if (ib_arazzo_workflow_by_ref(f->doc->doc, a->step->target, &doc, &workflow, run->err) !=
            IB_OK ||
        ib_run_build_inputs(a, &given) != IB_OK) {
        return FLOW_STOP;
    }
    if (ib_inputs_prepare(doc, workflow, given, NULL, &inputs, run->err) != IB_OK) {
        (void)ib_error_context(run->err, "step %.*s", IB_STR_ARG(a->step->id));
        return FLOW_STOP;
    }
    a->callee_rows = ib_value_array();
    struct run_doc *run_doc = ib_run_doc(run, doc);
    if (a->callee_rows == NULL || run_doc == NULL) {
        ib_value_unref(inputs);
        (void)ib_fail_nomem(run->err);
        return FLOW_STOP;
    }
    enum flow flow = ib_run_workflow(run, run_doc, workflow, inputs, a->callee_rows, &a->callee);
    if (flow == FLOW_FAILED) {
        a->why = *run->err;
        (void)ib_error_context(&a->why, "step %.*s", IB_STR_ARG(a->step->id));
    }
    return flow == FLOW_END ? FLOW_GO : flow;
}

/* Did it succeed? Sets passed and why. FLOW_GO or FLOW_STOP. */
static enum flow judge(struct attempt *a, enum flow called)
{
    const struct ib_arazzo_step *s = a->step;
    bool calls_workflow = s->target_type == IB_TARGET_WORKFLOW;
    struct ib_error why = IB_ERROR_INIT;

    if ((!a->answered && !calls_workflow) || called == FLOW_FAILED) {
        return FLOW_GO;
    }
    if (s->success_criterion_count == 0) {
        a->passed = calls_workflow || is_2xx(a);
        (void)ib_fail(&why, IB_EEVAL, "the answer has status %d", a->reply.status);
    } else {
        enum ib_verdict verdict = test_all(a, s->success_criteria, s->success_criterion_count,
                                           /* tolerant= */ true, &why);
        if (verdict == IB_VERDICT_ERROR) {
            *a->frame->run->err = why;
            (void)ib_error_context(a->frame->run->err, "step %.*s: success criterion",
                                   IB_STR_ARG(s->id));
            return FLOW_STOP;
        }
        a->passed = verdict == IB_VERDICT_PASS;
    }
    if (a->passed) {
        return FLOW_GO;
    }
    /* What the service says goes before what the document says about it. */
    a->why = a->reply.error.rc != IB_OK ? a->reply.error : why;
    (void)ib_error_context(&a->why, "step %.*s", IB_STR_ARG(s->id));
    return FLOW_GO;
}

static enum flow run_attempt(struct attempt *a)
{
    struct frame *f = a->frame;
    struct step_state *state = state_of(a);

    ib_run_tell(f, (struct ib_run_event){
                       .type = IB_EVENT_STEP_START, .step = a->step, .attempt = a->number});
    state->lost = false;
    state->started_ms = f->run->clock.mono_ms(f->run->clock.ctx);
    f->run->result->stage = IB_STAGE_BETWEEN;
    enum flow called =
        a->step->target_type == IB_TARGET_WORKFLOW ? call_workflow(a) : call_operation(a);
    if (called != FLOW_GO && called != FLOW_FAILED) {
        return called;
    }
    if (judge(a, called) != FLOW_GO || collect_outputs(a) != IB_OK) {
        return FLOW_STOP;
    }
    state->ran = true;
    state->passed = a->passed;
    return FLOW_GO;
}

/* --- where to go ---------------------------------------------------------------------------- */

/*
 * The first action whose criteria hold; skipping retries that are used up. *ret NULL: none.
 * FLOW_STOP when one cannot be evaluated: the next one is no better than a guess then.
 */
static enum flow choose(const struct attempt *a, const struct ib_arazzo_actions *actions,
                        const int64_t *used, const struct ib_arazzo_action **ret)
{
    for (size_t i = 0; i < actions->count; i++) {
        const struct ib_arazzo_action *action = &actions->items[i];
        struct ib_error why = IB_ERROR_INIT;
        enum ib_verdict verdict = test_all(a, action->criteria, action->criterion_count,
                                           /* tolerant= */ !a->passed, &why);
        if (verdict == IB_VERDICT_ERROR) {
            *a->frame->run->err = why;
            (void)ib_error_context(a->frame->run->err, "step %.*s: action %.*s",
                                   IB_STR_ARG(a->step->id), IB_STR_ARG(action->name));
            return FLOW_STOP;
        }
        if (verdict == IB_VERDICT_PASS &&
            (action->type != IB_ACTION_RETRY || used[i] < action->retry_limit)) {
            *ret = action;
            return FLOW_GO;
        }
    }
    *ret = NULL;
    return FLOW_GO;
}

static void tell_end(const struct attempt *a)
{
    ib_run_tell(a->frame, (struct ib_run_event){.type = IB_EVENT_STEP_END,
                                                .step = a->step,
                                                .attempt = a->number,
                                                .reply = a->answered ? &a->reply : NULL,
                                                .passed = a->passed,
                                                .action = a->action,
                                                .outputs = a->outputs,
                                                .text = a->passed ? "" : a->why.text});
}

/* Follow goto. */
static struct ending jump(const struct attempt *a)
{
    struct frame *f = a->frame;
    const struct ib_arazzo_action *action = a->action;
    struct ending end = {.flow = FLOW_STOP};

    if (action->step_id.p != NULL) {
        const struct ib_arazzo_step *target = ib_arazzo_step_find(f->workflow, action->step_id);
        if (target == NULL) {
            (void)ib_fail(f->run->err, IB_ECONFIG, "there is no step \"%.*s\"",
                          IB_STR_ARG(action->step_id));
            return end;
        }
        return (struct ending){.flow = FLOW_GO, .next = (size_t)(target - f->workflow->steps)};
    }
    const struct ib_arazzo_doc *doc = NULL;
    if (ib_arazzo_workflow_by_ref(f->doc->doc, action->workflow_id, &doc, &end.workflow,
                                  f->run->err) != IB_OK) {
        return end;
    }
    end.doc = ib_run_doc(f->run, doc);
    end.flow = end.doc == NULL ? FLOW_STOP : FLOW_TRANSFER;
    return end;
}

static struct ending ending_of(const struct attempt *a)
{
    struct ending end = {.flow = FLOW_GO};

    if (!a->passed) {
        *a->frame->run->err = a->why;
    }
    if (a->action != NULL && a->action->type == IB_ACTION_GOTO) {
        return jump(a);
    }
    if (!a->passed) {
        /* Nobody answered, and nothing in the document went on from there: not run, rather than
         * failed. */
        bool unanswered = !a->answered && a->step->target_type != IB_TARGET_WORKFLOW;
        end.flow = unanswered && a->action == NULL ? FLOW_STOP : FLOW_FAILED;
    } else if (a->action != NULL) {
        end.flow = FLOW_END;
    } else {
        end.next = (size_t)(a->step - a->frame->workflow->steps) + 1;
    }
    return end;
}

/* Run what a retry names before it tries again. */
static enum flow run_retry_target(const struct attempt *a)
{
    struct frame *f = a->frame;
    const struct ib_arazzo_action *action = a->action;

    if (action->step_id.p != NULL) {
        const struct ib_arazzo_step *target = ib_arazzo_step_find(f->workflow, action->step_id);
        if (target == NULL || target == a->step) {
            return FLOW_GO;
        }
        if (f->run->depth >= IB_RUN_DEPTH_MAX) {
            (void)ib_fail(f->run->err, IB_ELIMIT, "retries are nested deeper than %d",
                          IB_RUN_DEPTH_MAX);
            return FLOW_STOP;
        }
        f->run->depth++;
        struct ending end =
            ib_run_step(f, (size_t)(target - f->workflow->steps), /* only_outputs= */ true);
        f->run->depth--;
        return end.flow;
    }
    if (action->workflow_id.p != NULL) {
        const struct ib_arazzo_doc *doc = NULL;
        const struct ib_arazzo_workflow *workflow = NULL;
        if (ib_arazzo_workflow_by_ref(f->doc->doc, action->workflow_id, &doc, &workflow,
                                      f->run->err) != IB_OK) {
            return FLOW_STOP;
        }
        struct run_doc *run_doc = ib_run_doc(f->run, doc);
        return run_doc == NULL ? FLOW_STOP : ib_run_side_workflow(f, run_doc, workflow, NULL);
    }
    return FLOW_GO;
}

/* Between two attempts: the wait and what the action wants to run first. */
static enum flow before_retry(const struct attempt *a)
{
    struct frame *f = a->frame;
    int64_t wait_ms = a->answered ? ib_run_retry_after(f->run, &a->reply) : -1;
    const char *why = "Retry-After";
    enum ib_rc rc = IB_OK;

    if (wait_ms < 0) {
        wait_ms = a->action->retry_after_ms;
        why = "retryAfter";
    }
    rc = wait_ms >= 0 ? ib_run_wait(f, a->step, a->number + 1, wait_ms, why)
                      : ib_run_pace(f, a->step, a->number + 1);
    return rc == IB_OK ? run_retry_target(a) : FLOW_STOP;
}

static const char *result_name(const struct attempt *a, enum flow flow)
{
    if (flow == FLOW_WITHHELD) {
        return "withheld";
    }
    if (flow == FLOW_STOP) {
        return "error";
    }
    return a->passed ? "success" : "failure";
}

/* One attempt with its bookkeeping. FLOW_GO: *a tells how it ended and which action to take. */
static enum flow attempt_and_choose(struct attempt *a, const int64_t *used)
{
    struct frame *f = a->frame;
    enum flow flow = run_attempt(a);

    if (flow == FLOW_GO) {
        flow = choose(a,
                      a->passed ? ib_arazzo_success_actions(f->workflow, a->step)
                                : ib_arazzo_failure_actions(f->workflow, a->step),
                      used, &a->action);
    }
    if (ib_run_record(a, result_name(a, flow)) != IB_OK) {
        return FLOW_STOP;
    }
    if (flow == FLOW_GO) {
        tell_end(a);
    }
    return flow;
}

static void note_begin(struct frame *f, const struct ib_arazzo_step *step)
{
    if (f->run->depth == 1) {
        f->run->result->step_id = step->id;
        f->run->result->next_step_id = (struct ib_str){NULL, 0};
    }
}

static void count_use(const struct ib_arazzo_actions *failure,
                      const struct ib_arazzo_action *action, int64_t *used)
{
    used[action - failure->items]++;
}

struct ending ib_run_step(struct frame *f, size_t index, bool only_outputs)
{
    const struct ib_arazzo_step *step = &f->workflow->steps[index];
    const struct ib_arazzo_actions *failure = ib_arazzo_failure_actions(f->workflow, step);
    struct ending end = {.flow = FLOW_STOP};
    int64_t *used = calloc(failure->count == 0 ? 1 : failure->count, sizeof *used);
    bool again = used != NULL;

    if (used == NULL) {
        (void)ib_fail_nomem(f->run->err);
    }
    for (int64_t number = 1; again; number++) {
        struct attempt a = {.frame = f, .step = step, .number = number};
        again = false;
        note_begin(f, step);
        if (ib_run_may_go_on(f->run, step) != IB_OK ||
            (number == 1 && !only_outputs && ib_run_pace(f, step, number) != IB_OK)) {
            break;
        }
        end.flow = attempt_and_choose(&a, used);
        if (end.flow == FLOW_GO && a.action != NULL && a.action->type == IB_ACTION_RETRY) {
            count_use(failure, a.action, used);
            end.flow = before_retry(&a);
            again = end.flow == FLOW_GO || end.flow == FLOW_END;
        } else if (end.flow == FLOW_GO && only_outputs) {
            *f->run->err = a.passed ? *f->run->err : a.why;
            end.flow = a.passed ? FLOW_GO : FLOW_FAILED;
        } else if (end.flow == FLOW_GO) {
            end = ending_of(&a);
        }
        attempt_fini(&a);
    }
    free(used);
    return end;
}
