/* SPDX-License-Identifier: MIT */
/* ib_workflow run: the run, and what is said of it. */
#include "lib/arazzo/check.h"
#include "lib/arazzo/flow.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/sys/signals.h"
#include "lib/watch/sender.h"
#include "plugins/diagnose.h"
#include "plugins/ib_workflow.h"
#include "plugins/plan.h"

/* --- what is said of it ---------------------------------------------------------------------- */

static const char *text_member(const struct ib_value *row, const char *key)
{
    const struct ib_value *v = ib_value_get_c(row, key);

    return ib_value_is(v, IB_VALUE_STRING) ? ib_value_as_str(v).p : "";
}

static void say_row(const struct ib_value *row, unsigned depth, struct ib_output *out)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf line = IB_BUF_INIT(IB_OUTPUT_LINE_MAX);
    const struct ib_value *attempt = ib_value_get_c(row, "attempt");
    const struct ib_value *status = ib_value_get_c(row, "statusCode");
    const struct ib_value *action = ib_value_get_c(row, "action");

    for (unsigned i = 0; i < depth; i++) {
        ib_buf_add_c(&line, "> ");
    }
    ib_buf_addf(&line, "%s%s%s%s%s", text_member(row, "stepId"),
                text_member(row, "stepId")[0] == '\0' ? "" : ": ", text_member(row, "operationId"),
                text_member(row, "operationPath"),
                ib_value_get_c(row, "workflowId") == NULL ? "" : "workflow ");
    ib_buf_add_c(&line, text_member(row, "workflowId"));
    if (attempt != NULL && ib_value_as_int(attempt) > 1) {
        ib_buf_addf(&line, ", attempt %lld", (long long)ib_value_as_int(attempt));
    }
    if (status != NULL) {
        ib_buf_addf(&line, ", %lld", (long long)ib_value_as_int(status));
    }
    ib_buf_addf(&line, ", %s ", text_member(row, "result"));
    ib_workflow_outputs_text(ib_value_get_c(row, "outputs"), &line);
    if (ib_value_is(action, IB_VALUE_OBJECT)) {
        ib_buf_addf(&line, ", %s: %s %s%s", text_member(action, "name"),
                    text_member(action, "type"), text_member(action, "stepId"),
                    text_member(action, "workflowId"));
    }
    ib_output_line(out, "%s", ib_buf_c(&line));
}

static void say_rows(const struct ib_value *rows, unsigned depth, struct ib_output *out)
{
    for (size_t i = 0; i < ib_value_count(rows); i++) {
        const struct ib_value *row = ib_value_at(rows, i);
        say_row(row, depth, out);
        if (depth < IB_RUN_DEPTH_MAX * 2) {
            say_rows(ib_value_get_c(row, "steps"), depth + 1, out);
        }
    }
}

static size_t count_rows(const struct ib_value *rows, unsigned depth)
{
    size_t n = 0;

    for (size_t i = 0; i < ib_value_count(rows); i++) {
        const struct ib_value *row = ib_value_at(rows, i);
        n += ib_value_get_c(row, "stepId") == NULL ? 0 : 1;
        n += depth == 0 ? 0 : count_rows(ib_value_get_c(row, "steps"), depth - 1);
    }
    return n;
}

static void say_first(const struct ib_arazzo_result *r, const char *withheld, struct ib_output *out)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf outputs = IB_BUF_INIT(IB_OUTPUT_LINE_MAX);

    switch (r->outcome) {
    case IB_RUN_SUCCESS:
        ib_workflow_outputs_text(r->outputs, &outputs);
        if (r->withheld) {
            ib_output_text(out, "dry run: step %.*s would send %s", IB_STR_ARG(r->step_id),
                           withheld);
            return;
        }
        ib_output_text(out, "%.*s succeeded%s%s", IB_STR_ARG(r->workflow_id),
                       outputs.len > 0 ? ": " : "", ib_buf_c(&outputs));
        return;
    case IB_RUN_FAILURE:
        ib_output_text(out, "%.*s failed: %s", IB_STR_ARG(r->workflow_id), r->error.text);
        return;
    case IB_RUN_ERROR:
        ib_output_text(out, "%s", r->error.text);
        if (r->stage == IB_STAGE_CALLING) {
            ib_output_more(out, "; step %.*s was under way, its outcome is not known",
                           IB_STR_ARG(r->step_id));
        } else if (ib_signals_stop_requested()) {
            ib_output_more(out, "; no request was under way");
        }
        return;
    }
}

/* What a dry run cannot know, because it depends on an answer that it did not ask for. */
static void say_what_may_follow(const struct ib_arazzo_workflow *w,
                                const struct ib_arazzo_result *r, const char *until,
                                struct ib_output *out)
{
    size_t from = ib_arazzo_step_index(w, r->step_id);
    bool *reached = calloc(w->step_count, sizeof *reached);

    if (reached != NULL && from < w->step_count &&
        ib_arazzo_reach(w, from, ib_arazzo_step_index(w, ib_str_from(until)), reached)) {
        for (size_t i = 0; i < w->step_count; i++) {
            if (reached[i] && i != from) {
                ib_output_line(out, "may follow, as the answers decide: %.*s: %.*s",
                               IB_STR_ARG(w->steps[i].id), IB_STR_ARG(w->steps[i].target));
            }
        }
    }
    free(reached);
}

static void say_perf(const struct ib_arazzo_result *r, const struct ib_aws_stats *stats,
                     int64_t elapsed_ms, struct ib_output *out)
{
    const struct ib_perf perf[] = {
        {.label = "steps",
         .value = (double)count_rows(r->steps, IB_RUN_DEPTH_MAX * 2),
         .has_min = true},
        {.label = "calls", .value = (double)stats->calls, .has_min = true},
        {.label = "retries", .value = (double)stats->retries, .has_min = true},
        {.label = "time",
         .value = (double)elapsed_ms / 1000,
         .uom = IB_UOM_SECONDS,
         .has_min = true},
    };

    for (size_t i = 0; i < IB_ARRAY_LEN(perf); i++) {
        ib_output_perf(out, &perf[i]);
    }
}

static enum ib_state state_of(const struct ib_arazzo_result *r)
{
    switch (r->outcome) {
    case IB_RUN_SUCCESS:
        return IB_STATE_OK;
    case IB_RUN_FAILURE:
        return IB_STATE_CRITICAL;
    case IB_RUN_ERROR:
        return IB_STATE_UNKNOWN;
    }
    return IB_STATE_UNKNOWN;
}

/* --- the run -------------------------------------------------------------------------------- */

/* One run with all that is said of it. */
struct job {
    const struct ib_workflow_options *o;
    const struct ib_arazzo_doc *doc;
    const struct ib_arazzo_workflow *workflow;
    struct ib_arazzo_run_options options;
    struct ib_workflow_live live;
    struct ib_buf
        last_call; /* text of the call that was made last, or that a dry run did not send */
    struct ib_aws_stats stats;
    int64_t elapsed_ms;
    struct ib_output *out;
    enum ib_state state;
};

static void on_event(void *ctx, const struct ib_run_event *event)
{
    struct job *w = ctx;

    if (event->type == IB_EVENT_CALL) {
        ib_buf_reset(&w->last_call);
        if (ib_sender_describe(event->call, &w->last_call, NULL) != IB_OK) {
            ib_buf_reset(&w->last_call);
        }
    }
    ib_workflow_live_event(&w->live, event);
}

static enum ib_rc say_all(struct job *job, const struct ib_arazzo_result *r, struct ib_error *err)
{
    struct ib_output *out = job->out;

    job->state = state_of(r);
    if (job->o->common.output == IB_OUTPUT_FORM_JSON) {
        IB_CLEANUP(ib_value_cleanup) struct ib_value *v = ib_arazzo_result_value(r);
        if (v == NULL) {
            return ib_fail_nomem(err);
        }
        ib_json_print(v, IB_JSON_COMPACT, &out->json);
        ib_buf_add_char(&out->json, '\n');
        return IB_OK;
    }
    say_first(r, ib_buf_c(&job->last_call), out);
    if (!job->live.terminal) {
        say_rows(r->steps, 0, out);
    }
    if (r->withheld) {
        say_what_may_follow(job->workflow, r, job->o->until, out);
    }
    for (size_t i = 0; i < ib_value_count(r->outputs); i++) {
        IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_OUTPUT_LINE_MAX);
        ib_json_print(ib_value_at(r->outputs, i), IB_JSON_COMPACT, &text);
        ib_output_line(out, "output %.*s = %s", IB_STR_ARG(ib_value_key_at(r->outputs, i)),
                       ib_buf_c(&text));
    }
    say_perf(r, &job->stats, job->elapsed_ms, out);
    return IB_OK;
}

/* --diagnose: nothing is run. */
static enum ib_rc diagnose(struct job *job, const struct ib_watch_config *config,
                           const struct ib_aws_options *aws, struct ib_error *err)
{
    const struct ib_diagnose_way way = {.aws = *aws, .arn = ib_workflow_arn(job->o)};
    const struct ib_diagnose_request request = {
        .program = "ib_workflow",
        .config = config,
        .state_dir = ib_plan_state_dir(config),
        .way = &way,
        .deadline = *job->options.deadline,
        .json = job->o->common.output == IB_OUTPUT_FORM_JSON,
    };

    return ib_diagnose_run(&request, job->out, &job->state, err);
}

static enum ib_rc call_and_say(struct job *job, const struct ib_aws_options *aws,
                               struct ib_error *err)
{
    IB_CLEANUP(ib_aws_client_cleanup) struct ib_aws_client *client = NULL;
    IB_CLEANUP(ib_arazzo_result_fini) struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;
    struct ib_sender sender = {.dry_run = job->o->dry_run};
    int64_t start_ms = ib_time_mono_ms();
    enum ib_rc rc = ib_aws_client_new(aws, *job->options.deadline, &client, err);

    if (rc != IB_OK) {
        return rc;
    }
    sender.client = client;
    job->options.call = ib_sender_call;
    job->options.call_ctx = &sender;
    job->options.observe = on_event;
    job->options.observe_ctx = job;
    ib_arazzo_run(job->doc, &job->options, &result);
    ib_workflow_live_end(&job->live);
    job->stats = ib_aws_client_stats(client);
    job->elapsed_ms = ib_time_mono_ms() - start_ms;
    return say_all(job, &result, err);
}

static enum ib_rc configure_and_run(struct job *job, struct ib_error *err)
{
    IB_CLEANUP(ib_watch_config_fini) struct ib_watch_config config;
    struct ib_deadline deadline = ib_deadline_in(job->o->common.timeout_ms);
    struct ib_aws_options aws;
    char cache_dir[4096];

    ib_watch_config_init(&config);
    enum ib_rc rc = ib_plan_config(&job->o->common, &config, err);
    if (rc != IB_OK) {
        return rc;
    }
    job->options.deadline = &deadline;
    ib_workflow_live_init(&job->live, job->o);
    (void)snprintf(cache_dir, sizeof cache_dir, "%s/cache", ib_plan_state_dir(&config));
    aws = ib_plan_aws(&job->o->common, &config);
    aws.cache_dir = cache_dir;
    if (job->o->trace || job->o->common.verbose >= 2) {
        aws.trace = ib_workflow_live_client;
        aws.trace_ctx = &job->live;
    }
    return job->o->common.diagnose ? diagnose(job, &config, &aws, err)
                                   : call_and_say(job, &aws, err);
}

/* Workflow and slice are known; what was given for it on the command line is read here. */
static enum ib_rc run_workflow(struct job *job, struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *inputs = NULL;
    const struct ib_workflow_options *o = job->o;
    struct ib_workflow_givens given = {.items = NULL};
    enum ib_rc rc = ib_workflow_inputs(o, job->doc, job->workflow, &inputs, err);

    if (rc == IB_OK) {
        rc = ib_workflow_givens(o, job->workflow, &given, err);
    }
    if (rc == IB_OK) {
        job->options = (struct ib_arazzo_run_options){
            .workflow_id = job->workflow->id,
            .inputs = inputs,
            .from = ib_str_from(o->from),
            .until = ib_str_from(o->until),
            .given = given.items,
            .given_count = o->given.count,
            .max_steps = o->max_steps,
            .pace_ms = o->pace_ms,
            .literal = o->literal,
        };
        rc = configure_and_run(job, err);
    }
    ib_workflow_givens_fini(&given);
    return rc;
}

enum ib_rc ib_workflow_run(const struct ib_workflow_options *o, const char *path,
                           struct ib_output *out, enum ib_state *ret_state, struct ib_error *err)
{
    IB_CLEANUP(ib_arazzo_cleanup) struct ib_arazzo_doc *doc = NULL;
    const struct ib_check_options check = IB_SENDER_CHECK;
    struct job job = {.o = o, .out = out, .last_call = IB_BUF_INIT((size_t)256 * 1024)};
    enum ib_rc rc = ib_arazzo_open(path, &check, &doc, err);

    if (rc == IB_OK) {
        job.doc = doc;
        rc = ib_arazzo_pick_workflow(doc, ib_str_from(o->workflow), &job.workflow, err);
    }
    if (rc == IB_OK) {
        rc = run_workflow(&job, err);
    }
    if (rc == IB_OK) {
        *ret_state = job.state;
    }
    ib_buf_fini(&job.last_call);
    return rc;
}
