/* SPDX-License-Identifier: MIT */
/* ib_create_action: starts a build, by the workflow's createImage or by a pipeline, and may wait for it. */
#include "lib/arazzo/check.h"
#include "lib/arazzo/engine.h"
#include "lib/base/time.h"
#include "lib/plugin/start.h"
#include "lib/sys/random.h"
#include "lib/watch/sender.h"
#include "plugins/created.h"
#include "plugins/diagnose.h"
#include "plugins/plan.h"

#define TIMEOUT_MS      (25 * IB_SECOND_MS)
#define WAIT_TIMEOUT_MS (4 * IB_HOUR_MS)
#define TOKEN_MAX       64 /* characters, as the API has it */
#define CREATE_STEP     "createImage"

struct options {
    struct ib_common common;
    struct ib_create what;
    const char *workflow;
    bool dry_run, wait;
    int64_t wait_timeout_ms, poll_ms;
};

#define AT(member)   offsetof(struct options, member)
#define WHAT(member) offsetof(struct options, what.member)

static const char *const on_off[] = { "unsaid", "on", "off", NULL };

static enum ib_rc parse_on_off(const struct ib_option *option, const char *value, void *dest,
                               struct ib_error *err)
{
    int *choice = dest;

    (void)option;
    for (int i = 1; on_off[i] != NULL; i++) {
        if (strcmp(value, on_off[i]) == 0) {
            *choice = i;
            return IB_OK;
        }
    }
    return ib_fail(err, IB_EUSAGE, "\"%s\" is not on or off", value);
}

static const struct ib_option what_rows[] = {
    { .long_name = "pipeline", .short_name = 'p', .kind = IB_OPTION_TEXT, .offset = WHAT(pipeline),
      .arg = "ARN|NAME", .help = "start a run of this pipeline" },
    { .long_name = "recipe", .kind = IB_OPTION_TEXT, .offset = WHAT(recipe), .arg = "ARN",
      .help = "image recipe to build" },
    { .long_name = "container-recipe", .kind = IB_OPTION_TEXT, .offset = WHAT(container_recipe),
      .arg = "ARN", .help = "container recipe to build" },
    { .long_name = "infrastructure", .kind = IB_OPTION_TEXT, .offset = WHAT(infrastructure),
      .arg = "ARN", .help = "infrastructure configuration; needed with a recipe" },
    { .long_name = "distribution", .kind = IB_OPTION_TEXT, .offset = WHAT(distribution),
      .arg = "ARN", .help = "distribution configuration" },
    { .long_name = "tag", .kind = IB_OPTION_LIST, .offset = WHAT(tags), .arg = "KEY=VALUE",
      .help = "tag of the image; repeatable" },
    { .long_name = "client-token", .kind = IB_OPTION_TEXT, .offset = WHAT(token), .arg = "TOKEN",
      .def = "a fresh UUID", .help = "idempotency token: the same one gives the same build" },
    { .long_name = "tests", .kind = IB_OPTION_CALL, .offset = WHAT(tests), .arg = "on|off",
      .parse = parse_on_off, .help = "test the image" },
    { .long_name = "metadata", .kind = IB_OPTION_CALL, .offset = WHAT(metadata), .arg = "on|off",
      .parse = parse_on_off, .help = "collect facts about the image's packages" },
    { .long_name = "scan", .kind = IB_OPTION_CALL, .offset = WHAT(scan), .arg = "on|off",
      .parse = parse_on_off, .help = "scan the image for vulnerabilities" },
    { .long_name = "scan-repository", .kind = IB_OPTION_TEXT, .offset = WHAT(scan_repository),
      .arg = "NAME", .help = "ECR repository for the scan of a container image" },
    { .long_name = "scan-tag", .kind = IB_OPTION_LIST, .offset = WHAT(scan_tags), .arg = "TAG",
      .help = "tag of the container image in that repository; repeatable" },
    { .long_name = "image-workflow", .kind = IB_OPTION_LIST, .offset = WHAT(workflows),
      .arg = "ARN[,KEY=VALUE...]",
      .help = "image workflow to run, with on-failure=abort|continue, group=NAME, "
              "param.NAME=VALUE; needs --execution-role; repeatable" },
    { .long_name = "execution-role", .kind = IB_OPTION_TEXT, .offset = WHAT(execution_role),
      .arg = "ROLE", .help = "role that runs the image workflows, name or ARN" },
    { .long_name = "log-group", .kind = IB_OPTION_TEXT, .offset = WHAT(log_group), .arg = "NAME",
      .help = "CloudWatch log group of the build" },
};

static const struct ib_option run_rows[] = {
    { .long_name = "wait", .kind = IB_OPTION_FLAG, .offset = AT(wait),
      .help = "wait until the build has ended" },
    { .long_name = "wait-timeout", .kind = IB_OPTION_DURATION, .offset = AT(wait_timeout_ms),
      .arg = "DUR", .min = IB_SECOND_MS, .max = 7 * IB_DAY_MS, .def = "4h",
      .help = "how long to wait at most: -t holds until the build is started, then this counts" },
    { .long_name = "poll", .kind = IB_OPTION_DURATION, .offset = AT(poll_ms), .arg = "DUR",
      .min = 10, .max = IB_HOUR_MS, .def = "15s", .help = "time between two looks at the build" },
    { .long_name = "dry-run", .kind = IB_OPTION_FLAG, .offset = AT(dry_run),
      .help = "show the request, start nothing" },
    { .long_name = "workflow", .kind = IB_OPTION_TEXT, .offset = AT(workflow), .arg = "FILE",
      .help = "Arazzo document in place of the built-in one; its step createImage is run" },
};

static const char *const usage[] = {
    "--recipe ARN --infrastructure ARN [options]",
    "--container-recipe ARN --infrastructure ARN [options]",
    "-p PIPELINE [options]",
    NULL,
};
static const char *const notes[] = {
    "Prints the ARN of the build. With --wait its end decides about the exit code.",
    "Exit codes: 0 started, with --wait AVAILABLE; 1 with --wait: not ended in time; 2 refused by "
    "Image Builder, with --wait not AVAILABLE; 3 could not be tried, or no readable answer came.",
    NULL,
};
static const char *const examples[] = {
    "ib_create_action -p web-server --wait",
    "ib_create_action --recipe \"$recipe\" --infrastructure \"$infrastructure\" --tag team=web "
    "--tests off",
    NULL,
};
static const struct ib_program program = {
    .name = "ib_create_action",
    .prefix = "IB_CREATE",
    .summary = "start an EC2 Image Builder build",
    .usage = usage,
    .notes = notes,
    .examples = examples,
    .help_state = IB_STATE_OK,
    .changes = true,
};

static enum ib_rc check_options(const struct options *o, struct ib_error *err)
{
    const struct ib_create *w = &o->what;
    bool by_recipe = w->recipe != NULL || w->container_recipe != NULL;

    if (w->recipe != NULL && w->container_recipe != NULL) {
        return ib_fail(err, IB_EUSAGE, "--recipe and --container-recipe do not go together");
    }
    if (by_recipe == (w->pipeline != NULL)) {
        return ib_fail(err, IB_EUSAGE,
                       by_recipe ? "--pipeline does not go together with a recipe"
                                 : "give --recipe, --container-recipe or --pipeline");
    }
    if (by_recipe && w->infrastructure == NULL) {
        return ib_fail(err, IB_EUSAGE, "--infrastructure is missing");
    }
    const struct {
        bool given;
        const char *name;
    } recipe_only[] = {
        { w->infrastructure != NULL, "--infrastructure" },
        { w->distribution != NULL, "--distribution" },
        { w->tests != 0, "--tests" },
        { w->metadata != 0, "--metadata" },
        { w->scan != 0, "--scan" },
        { w->workflows.count > 0, "--image-workflow" },
        { w->execution_role != NULL, "--execution-role" },
        { w->log_group != NULL, "--log-group" },
    };
    for (size_t i = 0; w->pipeline != NULL && i < IB_ARRAY_LEN(recipe_only); i++) {
        if (recipe_only[i].given) {
            return ib_fail(err, IB_EUSAGE, "%s goes with a recipe; a pipeline has its own",
                           recipe_only[i].name);
        }
    }
    if (w->token != NULL && strlen(w->token) > TOKEN_MAX) {
        return ib_fail(err, IB_EUSAGE, "--client-token is longer than %d characters", TOKEN_MAX);
    }
    return ib_create_check(w, err);
}

/* --- starting ----------------------------------------------------------------------------------- */

static enum ib_rc on_seen(void *ctx, const struct ib_arazzo_call *call,
                          const struct ib_operation *operation,
                          const struct ib_aws_response *response, struct ib_error *err)
{
    struct ib_created *created = ctx;

    (void)call;
    (void)operation;
    if (ib_aws_response_error(response, &created->error) == IB_ENOMEM) {
        return ib_fail_nomem(err);
    }
    (void)snprintf(created->request_id, sizeof created->request_id, "%s", response->request_id);
    created->answered = true;
    return IB_OK;
}

static enum ib_rc gate(void *ctx, const struct ib_arazzo_call *call,
                       const struct ib_operation *operation, bool changes, struct ib_error *err)
{
    struct ib_created *created = ctx;

    if (operation == NULL || strcmp(operation->name, "CreateImage") != 0) {
        return ib_fail(err, IB_EREFUSED, "the document's step " CREATE_STEP
                                         " calls something else than CreateImage");
    }
    if (created->dry_run) {
        return ib_sender_describe(call, &created->request, err);
    }
    created->sent = changes;
    ib_start_phase(true, "asking for the build (token %s)", created->token);
    return IB_OK;
}

/* By the workflow document: its step createImage alone. */
static enum ib_rc start_recipe(const struct options *o, struct ib_aws_client *client,
                               const struct ib_deadline *deadline, struct ib_created *created,
                               struct ib_error *err)
{
    IB_CLEANUP(ib_arazzo_cleanup) struct ib_arazzo_doc *doc = NULL;
    IB_CLEANUP(ib_arazzo_result_fini) struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *inputs = NULL;
    struct ib_sender sender = { .client = client, .dry_run = o->dry_run, .gate = gate,
                                .seen = on_seen, .ctx = created };
    enum ib_rc rc = ib_arazzo_open(o->workflow, &IB_SENDER_CHECK, &doc, err);

    if (rc == IB_OK) {
        rc = ib_create_inputs(&o->what, created->token, &inputs, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    const struct ib_arazzo_run_options options = {
        .inputs = inputs,
        .from = IB_STR(CREATE_STEP),
        .until = IB_STR(CREATE_STEP),
        .pace_ms = -1,
        .deadline = deadline,
        .call = ib_sender_call,
        .call_ctx = &sender,
    };
    ib_arazzo_run(doc, &options, &result);
    if (result.withheld) {
        return IB_OK;
    }
    const struct ib_value *step = ib_arazzo_result_step(&result, CREATE_STEP);
    const struct ib_value *arn = ib_value_path(step, "outputs.imageBuildVersionArn");
    if (result.outcome == IB_RUN_SUCCESS && ib_value_is(arn, IB_VALUE_STRING)) {
        return ib_created_arn(created, ib_value_as_str(arn), err);
    }
    *err = result.error;
    return err->rc != IB_OK ? err->rc
                            : ib_fail(err, IB_EPARSE, "CreateImage: the answer has no ARN");
}

static enum ib_rc start(const struct options *o, struct ib_aws_client *client,
                        const struct ib_deadline *deadline, struct ib_created *created,
                        struct ib_error *err)
{
    struct ib_error why = IB_ERROR_INIT;
    enum ib_rc rc = o->what.pipeline != NULL
                        ? ib_created_pipeline(&o->what, client, created, &why)
                        : start_recipe(o, client, deadline, created, &why);

    if (rc == IB_OK || rc == IB_EUSAGE || rc == IB_ECONFIG || rc == IB_ECRED || rc == IB_ENOMEM) {
        if (rc != IB_OK && err != NULL) {
            *err = why;
        }
        return rc;
    }
    if (created->error.rc == IB_OK) {
        created->error = why; /* else AWS's own words are known already */
    }
    return IB_OK;
}

static const char *arn_at_hand(const struct ib_create *w)
{
    if (w->pipeline != NULL) {
        return strncmp(w->pipeline, "arn:", 4) == 0 ? w->pipeline : NULL;
    }
    return w->recipe != NULL ? w->recipe : w->container_recipe;
}

static enum ib_rc run(const struct options *o, struct ib_output *out, enum ib_state *ret_state,
                      struct ib_error *err)
{
    IB_CLEANUP(ib_watch_config_fini) struct ib_watch_config config = { 0 };
    IB_CLEANUP(ib_aws_client_cleanup) struct ib_aws_client *client = NULL;
    IB_CLEANUP(ib_created_fini) struct ib_created created = IB_CREATED_INIT;
    struct ib_deadline deadline = ib_deadline_in(o->common.timeout_ms);
    struct ib_deadline all = ib_deadline_in(o->common.timeout_ms + (o->wait ? o->wait_timeout_ms : 0));
    enum ib_rc rc = ib_plan_config(&o->common, &config, err);
    struct ib_aws_options aws = { .profile = NULL };
    char cache_dir[4096];

    if (rc == IB_OK) {
        (void)snprintf(cache_dir, sizeof cache_dir, "%s/cache", ib_plan_state_dir(&config));
        aws = ib_plan_aws(&o->common, &config);
        aws.cache_dir = cache_dir;
        aws.trace = ib_diagnose_trace(o->common.verbose);
        aws.trace_ctx = out;
    }
    if (rc == IB_OK && o->common.diagnose) {
        const struct ib_diagnose_way way = { .aws = aws, .arn = arn_at_hand(&o->what) };
        struct ib_diagnose_request request = {
            .program = program.name, .config = &config, .way = &way, .deadline = deadline,
            .json = o->common.output == IB_OUTPUT_FORM_JSON,
        };
        return ib_diagnose_run(&request, out, ret_state, err);
    }
    if (rc == IB_OK) {
        rc = ib_aws_client_new(&aws, all, &client, err);
    }
    created.dry_run = o->dry_run;
    if (rc == IB_OK && o->what.token != NULL) {
        (void)snprintf(created.token, sizeof created.token, "%s", o->what.token);
    } else if (rc == IB_OK) {
        rc = ib_uuid4(created.token, err);
    }
    if (rc == IB_OK) {
        rc = start(o, client, &deadline, &created, err);
    }
    if (rc == IB_OK && o->wait && created.arn[0] != '\0') {
        struct ib_create_wait wait = { .client = client, .poll_ms = o->poll_ms,
                                       .deadline = ib_deadline_in(o->wait_timeout_ms),
                                       .timeout_ms = o->wait_timeout_ms };
        ib_start_timeout(o->wait_timeout_ms + IB_MINUTE_MS, IB_STATE_WARNING,
                         o->common.output == IB_OUTPUT_FORM_JSON);
        ib_start_phase(false, "waiting for %s", created.arn);
        ib_created_wait(&created, &wait);
    }
    if (rc != IB_OK) {
        return rc;
    }
    *ret_state = ib_created_state(&created);
    ib_created_text(&created, out);
    return o->common.output == IB_OUTPUT_FORM_JSON
               ? ib_created_json(&created, program.name, *ret_state, out, err)
               : IB_OK;
}

int main(int argc, char **argv)
{
    struct options o = {
        .common = IB_COMMON_INIT(TIMEOUT_MS),
        .wait_timeout_ms = WAIT_TIMEOUT_MS,
        .poll_ms = 15 * IB_SECOND_MS,
    };
    const struct ib_option_group groups[] = {
        { "What to build", what_rows, IB_ARRAY_LEN(what_rows), &o },
        { "How", run_rows, IB_ARRAY_LEN(run_rows), &o },
        ib_common_aws_group(&o.common),
        ib_common_group(&o.common),
    };
    struct ib_option_result result = IB_OPTION_RESULT_INIT;
    struct ib_output out = IB_OUTPUT_INIT;
    struct ib_error err = IB_ERROR_INIT;
    enum ib_state state = IB_STATE_OK;

    ib_start(&program);
    ib_start_options(groups, IB_ARRAY_LEN(groups), argc, argv, &result);
    ib_option_result_fini(&result);
    if (check_options(&o, &err) != IB_OK) {
        ib_start_usage(NULL, &err);
    }
    bool json = o.common.output == IB_OUTPUT_FORM_JSON;
    ib_start_timeout(o.common.timeout_ms, IB_STATE_UNKNOWN, json);
    enum ib_rc rc = run(&o, &out, &state, &err);
    if (rc != IB_OK && o.common.diagnose) {
        const struct ib_diagnose_broken broken = { program.name, &o.common, arn_at_hand(&o.what),
                                                   &err };
        rc = ib_diagnose_broken(&broken, &out, &state, &err);
    }
    ib_create_fini(&o.what);
    if (rc == IB_EUSAGE) {
        ib_start_usage(&out, &err);
    }
    if (rc != IB_OK) {
        ib_start_fail(&out, &err, IB_STATE_UNKNOWN, json);
    }
    ib_start_end(&out, state);
}
