/* SPDX-License-Identifier: MIT */
/* ib_workflow run: inputs from the command line, the run, and what is said of it. */
#include "lib/arazzo/check.h"
#include "lib/arazzo/inputs.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/sys/file.h"
#include "lib/sys/signals.h"
#include "lib/watch/sender.h"
#include "plugins/ib_workflow.h"
#include "plugins/diagnose.h"
#include "plugins/plan.h"

#define INPUTS_FILE_MAX ((size_t)1024 * 1024)

/* --- inputs ------------------------------------------------------------------------------------
 */

static enum ib_rc read_inputs_file(const char *path, struct ib_value **ret, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(INPUTS_FILE_MAX);
    const struct ib_file_options options = {.max_bytes = INPUTS_FILE_MAX};
    struct ib_value *v = NULL;
    enum ib_rc rc = ib_file_read(path, &options, &text, err);

    if (rc == IB_OK) {
        rc = ib_json_parse(ib_buf_str(&text), path, NULL, &v, err);
    }
    if (rc != IB_OK) {
        return ib_error_context(err, "--inputs");
    }
    if (!ib_value_is(v, IB_VALUE_OBJECT)) {
        rc = ib_fail(err, IB_EUSAGE, "--inputs: %s holds %s, not an object", path,
                     ib_value_type_name(v));
        ib_value_unref(v);
        return rc;
    }
    *ret = v;
    return IB_OK;
}

/* name=value; its type is that of the schema. */
static enum ib_rc add_input(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *w,
                            const char *text, struct ib_value *inputs, struct ib_error *err)
{
    struct ib_str value = ib_str_from(text);
    struct ib_str name = ib_str_split(&value, '=');
    struct ib_value *v = NULL;

    if (value.p == NULL || name.n == 0) {
        return ib_fail(err, IB_EUSAGE, "--input: \"%s\" is not name=value", text);
    }
    enum ib_rc rc = ib_inputs_from_text(doc, w, name, value, &v, err);
    return rc == IB_OK ? ib_value_set(inputs, name, v, err) : rc;
}

static enum ib_rc read_inputs(const struct ib_workflow_options *o, const struct ib_arazzo_doc *doc,
                              const struct ib_arazzo_workflow *w, struct ib_value **ret,
                              struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *inputs = NULL;
    enum ib_rc rc = IB_OK;

    if (o->inputs_file != NULL) {
        rc = read_inputs_file(o->inputs_file, &inputs, err);
    } else {
        inputs = ib_value_object();
        rc = inputs == NULL ? ib_fail_nomem(err) : IB_OK;
    }
    for (size_t i = 0; rc == IB_OK && i < o->inputs.count; i++) {
        rc = add_input(doc, w, o->inputs.items[i], inputs, err);
    }
    if (rc == IB_OK) {
        *ret = inputs;
        inputs = NULL;
    }
    return rc;
}

/* --- given outputs -----------------------------------------------------------------------------
 */

struct givens {
    struct ib_arazzo_given *items;
    struct ib_value *values; /* array: owns them */
};

static void givens_fini(struct givens *g)
{
    free(g->items);
    ib_value_unref(g->values);
}

/* The longest step id that "STEP.OUTPUT" begins with: both parts may hold dots. */
static bool split_target(const struct ib_arazzo_workflow *w, struct ib_str target,
                         struct ib_arazzo_given *ret)
{
    size_t best = 0;

    for (size_t i = 0; i < w->step_count; i++) {
        struct ib_str id = w->steps[i].id;
        if (id.n >= best && ib_str_starts(target, id) && target.n > id.n + 1 &&
            target.p[id.n] == '.') {
            best = id.n;
            ret->step = ib_str_head(target, id.n);
            ret->output = ib_str_skip(target, id.n + 1);
        }
    }
    if (ret->step.p == NULL) {
        ret->output = target;
        ret->step = ib_str_split(&ret->output, '.');
    }
    return ret->output.p != NULL && ret->output.n > 0 && ret->step.n > 0;
}

/* STEP.OUTPUT=text or STEP.OUTPUT:=JSON. */
static enum ib_rc read_given(const struct ib_arazzo_workflow *w, const char *text, struct givens *g,
                             size_t i, struct ib_error *err)
{
    struct ib_str value = ib_str_from(text);
    struct ib_str target = ib_str_split(&value, '=');
    bool json = target.n > 0 && target.p[target.n - 1] == ':';
    struct ib_value *v = NULL;

    target.n -= json ? 1 : 0;
    if (value.p == NULL || !split_target(w, target, &g->items[i])) {
        return ib_fail(err, IB_EUSAGE, "--given: \"%s\" is not STEP.OUTPUT=VALUE", text);
    }
    if (json) {
        enum ib_rc rc = ib_json_parse(value, "--given", NULL, &v, err);
        if (rc != IB_OK) {
            return rc;
        }
    } else {
        v = ib_value_string(value);
    }
    g->items[i].value = v;
    return ib_value_push(g->values, v, err);
}

static enum ib_rc read_givens(const struct ib_workflow_options *o,
                              const struct ib_arazzo_workflow *w, struct givens *g,
                              struct ib_error *err)
{
    enum ib_rc rc = IB_OK;

    g->items = calloc(o->given.count + 1, sizeof *g->items);
    g->values = ib_value_array();
    if (g->items == NULL || g->values == NULL) {
        return ib_fail_nomem(err);
    }
    for (size_t i = 0; rc == IB_OK && i < o->given.count; i++) {
        rc = read_given(w, o->given.items[i], g, i, err);
    }
    return rc;
}

/* --- what is said of it ------------------------------------------------------------------------
 */

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

/* --- the run -----------------------------------------------------------------------------------
 */

/* Keeps the text of the call that a dry run did not send. */
struct watcher {
    struct ib_workflow_live live;
    struct ib_buf last_call;
};

static void on_event(void *ctx, const struct ib_run_event *event)
{
    struct watcher *w = ctx;

    if (event->type == IB_EVENT_CALL) {
        ib_buf_reset(&w->last_call);
        if (ib_sender_describe(event->call, &w->last_call, NULL) != IB_OK) {
            ib_buf_reset(&w->last_call);
        }
    }
    ib_workflow_live_event(&w->live, event);
}

static void aws_options(const struct ib_workflow_options *o, const struct ib_watch_config *config,
                        struct watcher *w, struct ib_aws_options *ret)
{
    const struct ib_common *c = &o->common;
    const struct ib_target *d = &config->defaults;

    *ret = (struct ib_aws_options){
        .profile = c->profile != NULL ? c->profile : d->profile,
        .region = c->region,
        .default_region = d->region,
        .role_arn = c->role_arn != NULL ? c->role_arn : d->role_arn,
        .external_id = c->external_id != NULL ? c->external_id : d->external_id,
        .endpoint_url = c->endpoint_url != NULL ? c->endpoint_url : d->endpoint_url,
        .ca_bundle = c->ca_bundle != NULL ? c->ca_bundle : d->ca_bundle,
        .proxy = c->proxy != NULL ? c->proxy : d->proxy,
    };
    if (o->trace || c->verbose >= 3) {
        ret->trace = ib_workflow_live_client;
        ret->trace_ctx = &w->live;
    }
}

static enum ib_rc say_all(const struct ib_workflow_options *o, const struct ib_arazzo_result *r,
                          const struct watcher *w, const struct ib_aws_stats *stats,
                          int64_t elapsed_ms, struct ib_output *out, struct ib_error *err)
{
    if (o->common.output == IB_OUTPUT_FORM_JSON) {
        IB_CLEANUP(ib_value_cleanup) struct ib_value *v = ib_arazzo_result_value(r);
        if (v == NULL) {
            return ib_fail_nomem(err);
        }
        ib_json_print(v, IB_JSON_COMPACT, &out->json);
        ib_buf_add_char(&out->json, '\n');
        return IB_OK;
    }
    say_first(r, ib_buf_c(&w->last_call), out);
    if (!w->live.terminal) {
        say_rows(r->steps, 0, out);
    }
    for (size_t i = 0; i < ib_value_count(r->outputs); i++) {
        IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_OUTPUT_LINE_MAX);
        ib_json_print(ib_value_at(r->outputs, i), IB_JSON_COMPACT, &text);
        ib_output_line(out, "output %.*s = %s", IB_STR_ARG(ib_value_key_at(r->outputs, i)),
                       ib_buf_c(&text));
    }
    say_perf(r, stats, elapsed_ms, out);
    return IB_OK;
}

static enum ib_rc run_with(const struct ib_workflow_options *o, const struct ib_arazzo_doc *doc,
                           const struct ib_arazzo_run_options *prepared, struct ib_output *out,
                           enum ib_state *ret_state, struct ib_error *err)
{
    IB_CLEANUP(ib_watch_config_fini) struct ib_watch_config config;
    IB_CLEANUP(ib_aws_client_cleanup) struct ib_aws_client *client = NULL;
    IB_CLEANUP(ib_arazzo_result_fini) struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;
    struct ib_deadline deadline = ib_deadline_in(o->common.timeout_ms);
    struct watcher watcher = {.last_call = IB_BUF_INIT((size_t)256 * 1024)};
    struct ib_aws_options aws;
    char cache_dir[4096];
    int64_t start_ms = ib_time_mono_ms();

    ib_watch_config_init(&config);
    ib_workflow_live_init(&watcher.live, o);
    enum ib_rc rc = ib_plan_config(&o->common, &config, err);
    if (rc == IB_OK) {
        aws_options(o, &config, &watcher, &aws);
        (void)snprintf(cache_dir, sizeof cache_dir, "%s/cache", config.state_dir);
        aws.cache_dir = cache_dir;
    }
    if (rc == IB_OK && o->common.diagnose) {
        const struct ib_diagnose_way way = {.aws = aws};
        const struct ib_diagnose_request request = {
            .program = "ib_workflow", .config = &config, .way = &way, .deadline = deadline,
            .json = o->common.output == IB_OUTPUT_FORM_JSON,
        };
        ib_buf_fini(&watcher.last_call);
        rc = ib_diagnose_run(&request, out, ret_state, err);
        return rc;
    }
    if (rc == IB_OK) {
        rc = ib_aws_client_new(&aws, deadline, &client, err);
    }
    if (rc == IB_OK) {
        struct ib_sender sender = {.client = client, .dry_run = o->dry_run};
        struct ib_arazzo_run_options options = *prepared;
        options.deadline = &deadline;
        options.call = ib_sender_call;
        options.call_ctx = &sender;
        options.observe = on_event;
        options.observe_ctx = &watcher;
        ib_arazzo_run(doc, &options, &result);
        ib_workflow_live_end(&watcher.live);
        struct ib_aws_stats stats = ib_aws_client_stats(client);
        rc = say_all(o, &result, &watcher, &stats, ib_time_mono_ms() - start_ms, out, err);
        *ret_state = state_of(&result);
    }
    ib_buf_fini(&watcher.last_call);
    return rc;
}

/* Workflow and slice are known; what was given for it on the command line is read here. */
static enum ib_rc run_workflow(const struct ib_workflow_options *o, const struct ib_arazzo_doc *doc,
                               const struct ib_arazzo_workflow *w, struct ib_output *out,
                               enum ib_state *ret_state, struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *inputs = NULL;
    struct givens given = {.items = NULL};
    enum ib_rc rc = read_inputs(o, doc, w, &inputs, err);

    if (rc == IB_OK) {
        rc = read_givens(o, w, &given, err);
    }
    if (rc == IB_OK) {
        const struct ib_arazzo_run_options options = {
            .workflow_id = w->id,
            .inputs = inputs,
            .from = ib_str_from(o->from),
            .until = ib_str_from(o->until),
            .given = given.items,
            .given_count = o->given.count,
            .max_steps = o->max_steps,
            .pace_ms = o->pace_ms,
            .literal = o->literal,
        };
        rc = run_with(o, doc, &options, out, ret_state, err);
    }
    givens_fini(&given);
    return rc;
}

enum ib_rc ib_workflow_run(const struct ib_workflow_options *o, const char *path,
                           struct ib_output *out, enum ib_state *ret_state, struct ib_error *err)
{
    IB_CLEANUP(ib_arazzo_cleanup) struct ib_arazzo_doc *doc = NULL;
    const struct ib_check_options check = IB_SENDER_CHECK;
    const struct ib_arazzo_workflow *w = NULL;
    enum ib_rc rc = ib_arazzo_open(path, &check, &doc, err);

    if (rc == IB_OK) {
        rc = ib_arazzo_pick_workflow(doc, ib_str_from(o->workflow), &w, err);
    }
    return rc == IB_OK ? run_workflow(o, doc, w, out, ret_state, err) : rc;
}
