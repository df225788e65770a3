/* SPDX-License-Identifier: MIT */
/* A build that is asked for: checked, started, waited for, told. */
#include "plugins/created.h"

#include "lib/aws/arn.h"
#include "lib/aws/awserror.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/data/members.h"
#include "lib/imagebuilder/api.h"
#include "lib/imagebuilder/discovery.h"
#include "lib/plugin/start.h"
#include "lib/sys/signals.h"

#define TAGS_MAX       50  /* CreateImage tags */
#define TAG_KEY_MAX    128
#define TAG_VALUE_MAX  256
#define PAGE_SIZE      25
#define PAGES_MAX      40  /* of pipelines that a name filter lets through */
#define NAME_MAX_BYTES 128

void ib_create_fini(struct ib_create *create)
{
    ib_option_list_fini(&create->tags);
    ib_option_list_fini(&create->scan_tags);
    ib_option_list_fini(&create->workflows);
}

void ib_created_fini(struct ib_created *created)
{
    ib_buf_fini(&created->request);
    ib_image_fini(&created->image);
}

/* --- the command line --------------------------------------------------------------------------- */

/* One ARN of a kind; all of them must speak of one Region. */
static enum ib_rc check_arn(const char *text, const char *option, const char *kind,
                            char region[64], struct ib_error *err)
{
    struct ib_arn arn;

    if (text == NULL) {
        return IB_OK;
    }
    enum ib_rc rc = ib_arn_parse(ib_str_from(text), option, &arn, err);
    if (rc != IB_OK) {
        return rc;
    }
    if (strcmp(arn.service, "imagebuilder") != 0 ||
        strncmp(arn.resource, kind, strlen(kind)) != 0 || arn.resource[strlen(kind)] != '/') {
        return ib_fail(err, IB_EUSAGE, "%s: \"%s\" is not an ARN of Image Builder of the kind %s",
                       option, text, kind);
    }
    if (region[0] != '\0' && strcmp(region, arn.region) != 0) {
        return ib_fail(err, IB_EUSAGE, "%s: it is in %s, what stands before it in %s", option,
                       arn.region, region);
    }
    memcpy(region, arn.region, sizeof arn.region);
    return IB_OK;
}

static enum ib_rc check_tags(const struct ib_option_list *tags, struct ib_error *err)
{
    if (tags->count > TAGS_MAX) {
        return ib_fail(err, IB_EUSAGE, "--tag: more than %d tags", TAGS_MAX);
    }
    for (size_t i = 0; i < tags->count; i++) {
        struct ib_str value = ib_str_from(tags->items[i]);
        struct ib_str key = ib_str_split(&value, '=');
        struct ib_str shown = ib_str_head(key, 64);
        if (key.n == 0 || value.p == NULL) {
            return ib_fail(err, IB_EUSAGE, "--tag: \"%s\" is not KEY=VALUE", tags->items[i]);
        }
        if (ib_str_starts(key, IB_STR("aws:"))) {
            return ib_fail(err, IB_EUSAGE, "--tag: keys that begin with aws: are AWS's own");
        }
        if (ib_utf8_count(key.p, key.n) > TAG_KEY_MAX ||
            ib_utf8_count(value.p, value.n) > TAG_VALUE_MAX) {
            return ib_fail(err, IB_EUSAGE, "--tag: %.*s is longer than %d characters, or its value "
                                           "longer than %d",
                           IB_STR_ARG(shown), TAG_KEY_MAX, TAG_VALUE_MAX);
        }
        for (size_t j = 0; j < i; j++) {
            struct ib_str other = ib_str_from(tags->items[j]);
            if (ib_str_eq(ib_str_split(&other, '='), key)) {
                return ib_fail(err, IB_EUSAGE, "--tag: %.*s is given twice", IB_STR_ARG(shown));
            }
        }
    }
    return IB_OK;
}

/* "param.NAME=VALUE" of an image workflow: several of one name become one list. */
static enum ib_rc add_parameter(struct ib_members *workflow, struct ib_str name,
                                struct ib_str value, struct ib_error *err)
{
    const struct ib_value *all = ib_value_get_c(workflow->object, "parameters");

    for (size_t i = 0; i < ib_value_count(all); i++) {
        const struct ib_value *parameter = ib_value_at(all, i);
        if (ib_str_eq(ib_value_as_str(ib_value_get_c(parameter, "name")), name)) {
            return ib_value_push(ib_value_get_c(parameter, "value"), ib_value_string(value), err);
        }
    }
    struct ib_members parameter = ib_members_new();
    ib_members_str(&parameter, "name", name);
    ib_members_push_str(&parameter, "value", value);
    ib_members_push(workflow, "parameters", &parameter);
    return IB_OK;
}

static enum ib_rc add_workflow_setting(struct ib_members *w, struct ib_str setting,
                                       struct ib_error *err)
{
    struct ib_str value = setting;
    struct ib_str key = ib_str_split(&value, '=');

    if (value.n > 0 && ib_str_eq_c(key, "group")) {
        ib_members_str(w, "parallelGroup", value);
        return IB_OK;
    }
    if (ib_str_eq_c(key, "on-failure") &&
        (ib_str_eq_c(value, "abort") || ib_str_eq_c(value, "continue"))) {
        ib_members_c(w, "onFailure", ib_str_eq_c(value, "abort") ? "ABORT" : "CONTINUE");
        return IB_OK;
    }
    if (value.p != NULL && key.n > 6 && ib_str_starts(key, IB_STR("param."))) {
        return add_parameter(w, ib_str_skip(key, 6), value, err);
    }
    return ib_fail(err, IB_EUSAGE,
                   "--image-workflow: \"%.*s\" is not on-failure=abort|continue, group=NAME or "
                   "param.NAME=VALUE",
                   IB_STR_ARG(ib_str_head(setting, 64)));
}

/* One --image-workflow as the API has it. */
static enum ib_rc read_workflow(const char *text, char region[64], struct ib_value **ret,
                                struct ib_error *err)
{
    IB_CLEANUP(ib_members_fini) struct ib_members w = ib_members_new();
    struct ib_str rest = ib_str_from(text);
    struct ib_str arn = ib_str_split(&rest, ',');
    char copy[IB_ARN_MAX];

    if (!ib_text_copy(copy, sizeof copy, arn)) {
        return ib_fail(err, IB_EUSAGE, "--image-workflow: its ARN is too long");
    }
    /* AWS's own workflows carry the Region of the caller, too. */
    enum ib_rc rc = check_arn(copy, "--image-workflow", "workflow", region, err);
    ib_members_str(&w, "workflowArn", arn);
    while (rc == IB_OK && rest.n > 0) {
        rc = add_workflow_setting(&w, ib_str_split(&rest, ','), err);
    }
    return rc == IB_OK ? ib_members_take(&w, ret, err) : rc;
}

static enum ib_rc check_workflows(const struct ib_create *c, char region[64], struct ib_error *err)
{
    for (size_t i = 0; i < c->workflows.count; i++) {
        struct ib_value *w = NULL;
        enum ib_rc rc = read_workflow(c->workflows.items[i], region, &w, err);
        ib_value_unref(w);
        if (rc != IB_OK) {
            return rc;
        }
    }
    if (c->workflows.count > 0 && c->execution_role == NULL) {
        return ib_fail(err, IB_EUSAGE, "--image-workflow needs --execution-role");
    }
    return IB_OK;
}

static enum ib_rc check_scan(const struct ib_create *c, struct ib_error *err)
{
    if (c->scan_repository != NULL && c->scan != 1) {
        return ib_fail(err, IB_EUSAGE, "--scan-repository needs --scan on");
    }
    if (c->scan_tags.count > 0 && c->scan_repository == NULL) {
        return ib_fail(err, IB_EUSAGE, "--scan-tag needs --scan-repository");
    }
    return IB_OK;
}

static enum ib_rc check_pipeline(const char *text, char region[64], struct ib_error *err)
{
    if (text == NULL || !ib_arn_looks_like(ib_str_from(text))) {
        return text == NULL || strlen(text) <= NAME_MAX_BYTES
                   ? IB_OK
                   : ib_fail(err, IB_EUSAGE, "--pipeline: the name is too long");
    }
    return check_arn(text, "--pipeline", "image-pipeline", region, err);
}

enum ib_rc ib_create_check(const struct ib_create *create, struct ib_error *err)
{
    char region[64] = "";
    enum ib_rc rc = check_pipeline(create->pipeline, region, err);

    if (rc == IB_OK) {
        rc = check_arn(create->recipe, "--recipe", "image-recipe", region, err);
    }
    if (rc == IB_OK) {
        rc = check_arn(create->container_recipe, "--container-recipe", "container-recipe", region,
                       err);
    }
    if (rc == IB_OK) {
        rc = check_arn(create->infrastructure, "--infrastructure", "infrastructure-configuration",
                       region, err);
    }
    if (rc == IB_OK) {
        rc = check_arn(create->distribution, "--distribution", "distribution-configuration",
                       region, err);
    }
    if (rc == IB_OK) {
        rc = check_workflows(create, region, err);
    }
    if (rc == IB_OK) {
        rc = check_scan(create, err);
    }
    return rc == IB_OK ? check_tags(&create->tags, err) : rc;
}

/* --- inputs of the document --------------------------------------------------------------------- */

static void add_switch(struct ib_members *m, const char *object, const char *key, int choice)
{
    struct ib_members inner = ib_members_new();

    if (choice == 0) {
        ib_members_fini(&inner);
        return;
    }
    ib_members_bool(&inner, key, choice == 1);
    ib_members_object(m, object, &inner);
}

static void add_tags(struct ib_members *m, const struct ib_option_list *list)
{
    struct ib_members tags = ib_members_new();

    for (size_t i = 0; i < list->count; i++) {
        struct ib_str value = ib_str_from(list->items[i]);
        struct ib_str key = ib_str_split(&value, '=');
        char name[TAG_KEY_MAX * 4 + 1];
        if (ib_text_copy(name, sizeof name, key)) {
            ib_members_str(&tags, name, value);
        }
    }
    if (list->count > 0) {
        ib_members_object(m, "tags", &tags);
    }
    ib_members_fini(&tags);
}

static void add_scan(struct ib_members *m, const struct ib_create *c)
{
    struct ib_members scan = ib_members_new();

    if (c->scan == 0) {
        ib_members_fini(&scan);
        return;
    }
    ib_members_bool(&scan, "imageScanningEnabled", c->scan == 1);
    if (c->scan_repository != NULL) {
        struct ib_members ecr = ib_members_new();
        ib_members_c(&ecr, "repositoryName", c->scan_repository);
        for (size_t i = 0; i < c->scan_tags.count; i++) {
            ib_members_push_str(&ecr, "containerTags", ib_str_from(c->scan_tags.items[i]));
        }
        ib_members_object(&scan, "ecrConfiguration", &ecr);
    }
    ib_members_object(m, "imageScanningConfiguration", &scan);
}

enum ib_rc ib_create_inputs(const struct ib_create *create, const char *token,
                            struct ib_value **ret, struct ib_error *err)
{
    IB_CLEANUP(ib_members_fini) struct ib_members m = ib_members_new();
    char region[64] = "";
    enum ib_rc rc = IB_OK;

    ib_members_c(&m, "imageRecipeArn", create->recipe);
    ib_members_c(&m, "containerRecipeArn", create->container_recipe);
    ib_members_c(&m, "infrastructureConfigurationArn", create->infrastructure);
    ib_members_c(&m, "distributionConfigurationArn", create->distribution);
    add_tags(&m, &create->tags);
    add_switch(&m, "imageTestsConfiguration", "imageTestsEnabled", create->tests);
    if (create->metadata != 0) {
        ib_members_bool(&m, "enhancedImageMetadataEnabled", create->metadata == 1);
    }
    add_scan(&m, create);
    for (size_t i = 0; i < create->workflows.count && rc == IB_OK; i++) {
        struct ib_members w = { 0 };
        rc = read_workflow(create->workflows.items[i], region, &w.object, err);
        ib_members_push(&m, "workflows", &w);
    }
    ib_members_c(&m, "executionRole", create->execution_role);
    if (create->log_group != NULL) {
        struct ib_members logging = ib_members_new();
        ib_members_c(&logging, "logGroupName", create->log_group);
        ib_members_object(&m, "loggingConfiguration", &logging);
    }
    ib_members_c(&m, "createToken", token);
    return rc == IB_OK ? ib_members_take(&m, ret, err) : rc;
}

/* --- starting ----------------------------------------------------------------------------------- */

enum ib_rc ib_created_arn(struct ib_created *created, struct ib_str arn, struct ib_error *err)
{
    struct ib_image_arn parsed;
    struct ib_error why = IB_ERROR_INIT;

    if (ib_image_arn_parse(arn, IB_IMAGE_ARN_NEED_BUILD, "the ARN of the answer", &parsed, &why) !=
            IB_OK ||
        !ib_text_copy(created->arn, sizeof created->arn, arn)) {
        created->arn[0] = '\0';
        return ib_fail(err, IB_EPARSE, "%s", why.text);
    }
    return IB_OK;
}

/* One call by the operation table, to a sound 2xx. Takes params over. */
static enum ib_rc call(struct ib_aws_client *client, const char *operation,
                       struct ib_members *params, const char *region,
                       struct ib_aws_response *ret, struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    enum ib_rc rc = ib_members_take(params, &v, err);

    if (rc != IB_OK) {
        return rc;
    }
    struct ib_imagebuilder_params all = { .params = v, .region = region };
    rc = ib_imagebuilder_call(client, ib_operation_find(ib_str_from(operation)), &all, ret, err);
    return rc == IB_OK ? ib_aws_response_error(ret, err) : rc;
}

/* The ARN of a pipeline of this name on one page; *ret_more: the token of the next one. */
static bool find_on_page(const struct ib_value *body, struct ib_str name, char arn[IB_ARN_MAX])
{
    const struct ib_value *list = ib_value_get_c(body, "imagePipelineList");

    for (size_t i = 0; i < ib_value_count(list); i++) {
        struct ib_pipeline pipeline;
        if (ib_pipeline_decode(ib_value_at(list, i), &pipeline) &&
            ib_str_eq(pipeline.name, name)) {
            return ib_text_copy(arn, IB_ARN_MAX, pipeline.arn);
        }
    }
    return false;
}

static enum ib_rc find_pipeline(struct ib_aws_client *client, const char *name,
                                char arn[IB_ARN_MAX], struct ib_error *err)
{
    char *token = NULL;
    enum ib_rc rc = IB_OK;
    bool found = false, more = true;

    ib_start_phase(false, "looking for pipeline %s", name);
    for (int page = 0; page < PAGES_MAX && more && !found && rc == IB_OK; page++) {
        struct ib_aws_response response = IB_AWS_RESPONSE_INIT;
        struct ib_members params = ib_members_new(), filter = ib_members_new();
        ib_members_c(&filter, "name", "name");
        ib_members_push_str(&filter, "values", ib_str_from(name));
        ib_members_push(&params, "filters", &filter);
        ib_members_int(&params, "maxResults", PAGE_SIZE);
        ib_members_c(&params, "nextToken", token);
        rc = call(client, "ListImagePipelines", &params, NULL, &response, err);
        if (rc == IB_OK) {
            const struct ib_value *next = ib_value_get_c(response.value, "nextToken");
            found = find_on_page(response.value, ib_str_from(name), arn);
            more = ib_value_is(next, IB_VALUE_STRING) && ib_value_as_str(next).n > 0;
            free(token);
            token = more ? ib_str_dup(ib_value_as_str(next)) : NULL;
            more = token != NULL;
        }
        ib_aws_response_fini(&response);
    }
    free(token);
    if (rc == IB_OK && !found) {
        return ib_fail(err, IB_ENOENT, "there is no pipeline %s", name);
    }
    return rc;
}

enum ib_rc ib_created_pipeline(const struct ib_create *create, struct ib_aws_client *client,
                               struct ib_created *created, struct ib_error *err)
{
    char text[IB_ARN_MAX];
    struct ib_arn arn;
    struct ib_members params = ib_members_new();
    struct ib_aws_response response = IB_AWS_RESPONSE_INIT;
    enum ib_rc rc = IB_OK;

    if (ib_arn_looks_like(ib_str_from(create->pipeline))) {
        (void)snprintf(text, sizeof text, "%s", create->pipeline);
    } else {
        rc = find_pipeline(client, create->pipeline, text, err);
    }
    if (rc == IB_OK) {
        rc = ib_arn_parse(ib_str_from(text), "the pipeline", &arn, err);
    }
    if (rc != IB_OK) {
        ib_members_fini(&params);
        return rc;
    }
    ib_members_c(&params, "imagePipelineArn", text);
    add_tags(&params, &create->tags);
    ib_members_c(&params, "clientToken", created->token);
    if (created->dry_run) {
        IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
        rc = ib_members_take(&params, &v, err);
        if (rc == IB_OK) {
            ib_buf_add_c(&created->request, "PUT /StartImagePipelineExecution ");
            ib_json_print(v, IB_JSON_COMPACT, &created->request);
        }
        return rc;
    }
    created->sent = true;
    ib_start_phase(true, "starting the pipeline (token %s)", created->token);
    rc = call(client, "StartImagePipelineExecution", &params, arn.region, &response, err);
    created->answered = response.status != 0;
    (void)snprintf(created->request_id, sizeof created->request_id, "%s", response.request_id);
    if (rc == IB_OK) {
        const struct ib_value *build = ib_value_get_c(response.value, "imageBuildVersionArn");
        rc = ib_value_is(build, IB_VALUE_STRING)
                 ? ib_created_arn(created, ib_value_as_str(build), err)
                 : ib_fail(err, IB_EPARSE, "StartImagePipelineExecution: the answer has no ARN");
    }
    ib_aws_response_fini(&response);
    return rc;
}

/* --- waiting ------------------------------------------------------------------------------------ */

static void show_progress(const struct ib_created *created, int64_t begin_ms)
{
    char title[IB_IMAGE_TITLE_MAX], status[64], time[IB_TIME_TEXT_MAX];

    if (isatty(STDERR_FILENO) != 1 || created->image.value == NULL) {
        return;
    }
    struct ib_str s = created->image.status_text;
    (void)ib_text_plugin(s.p, s.n, status, sizeof status);
    (void)fprintf(stderr, "\r\033[K%s %s, waited %s",
                  ib_image_title(&created->image, title, sizeof title), status,
                  ib_duration_fmt(ib_time_mono_ms() - begin_ms, time, sizeof time));
    if (ib_image_status_terminal(created->image.status)) {
        (void)fprintf(stderr, "\n");
    }
}

/* One look; false when no further one can help. */
static bool look(struct ib_created *created, const struct ib_create_wait *wait,
                 const char *region)
{
    struct ib_aws_response response = IB_AWS_RESPONSE_INIT;
    struct ib_members params = ib_members_new();
    struct ib_image image = { 0 };
    struct ib_error err = IB_ERROR_INIT;

    ib_members_c(&params, "imageBuildVersionArn", created->arn);
    enum ib_rc rc = call(wait->client, "GetImage", &params, region, &response, &err);
    if (rc == IB_OK) {
        rc = ib_image_from_answer(response.value, ib_str_from(created->arn), &image, &err);
    }
    if (rc == IB_OK) {
        ib_image_fini(&created->image);
        created->image = image;
    }
    created->wait_error = err;
    ib_aws_response_fini(&response);
    return !(rc == IB_EAWS && ib_awserror_is_denied(err.aws_code, err.http_status)) &&
           rc != IB_ECRED && rc != IB_ENOMEM;
}

/* To the next look; the last one is at the end of the time. False: there is none any more. */
static bool wait_for_next(const struct ib_create_wait *wait)
{
    int64_t left_ms = ib_deadline_left_ms(&wait->deadline);
    int64_t ms = left_ms < wait->poll_ms ? left_ms : wait->poll_ms;
    struct ib_deadline beyond = ib_deadline_in(ms + IB_MINUTE_MS);
    struct ib_error err = IB_ERROR_INIT;

    return left_ms > 0 && ib_deadline_sleep(&beyond, ms, &err) == IB_OK;
}

void ib_created_wait(struct ib_created *created, const struct ib_create_wait *wait)
{
    int64_t begin_ms = ib_time_mono_ms();
    struct ib_image_arn arn;

    created->waited = true;
    if (ib_image_arn_parse(ib_str_from(created->arn), IB_IMAGE_ARN_NEED_BUILD, "ARN", &arn,
                           &created->wait_error) != IB_OK) {
        return;
    }
    while (look(created, wait, arn.arn.region)) {
        show_progress(created, begin_ms);
        if (created->image.value != NULL && ib_image_status_terminal(created->image.status)) {
            break;
        }
        if (!wait_for_next(wait)) {
            created->timed_out = true;
            break;
        }
    }
    created->waited_ms = ib_time_mono_ms() - begin_ms;
}

/* --- what came of it ---------------------------------------------------------------------------- */

static bool has_ended(const struct ib_created *c)
{
    return c->image.value != NULL && ib_image_status_terminal(c->image.status);
}

enum ib_state ib_created_state(const struct ib_created *created)
{
    int status = created->error.http_status;

    if (created->dry_run) {
        return created->error.rc == IB_OK ? IB_STATE_OK : IB_STATE_UNKNOWN;
    }
    if (created->arn[0] == '\0') {
        return created->answered && status >= 400 && status < 500 ? IB_STATE_CRITICAL
                                                                  : IB_STATE_UNKNOWN;
    }
    if (!created->waited) {
        return IB_STATE_OK;
    }
    if (!has_ended(created)) {
        return IB_STATE_WARNING;
    }
    return created->image.status == IB_IMAGE_AVAILABLE ? IB_STATE_OK : IB_STATE_CRITICAL;
}

static void waited_text(const struct ib_created *c, struct ib_output *out)
{
    char title[IB_IMAGE_TITLE_MAX], time[IB_TIME_TEXT_MAX];
    struct ib_image_ami ami;
    struct ib_str status = c->image.status_text;

    (void)ib_duration_fmt(c->waited_ms, time, sizeof time);
    if (c->image.value == NULL) {
        ib_output_text(out, "started %s, but it could not be read: %s", c->arn,
                       c->wait_error.text);
        return;
    }
    (void)ib_image_title(&c->image, title, sizeof title);
    if (has_ended(c)) {
        ib_output_text(out, "%s %.*s after %s", title, IB_STR_ARG(status), time);
        if (c->image.reason.n > 0) {
            ib_output_more(out, ": %.*s", IB_STR_ARG(ib_str_head(c->image.reason, 300)));
        }
    } else if (ib_signals_stop_requested()) {
        ib_output_text(out, "%s still %.*s, stopped waiting by %s", title, IB_STR_ARG(status),
                       ib_signals_stop_name());
    } else {
        ib_output_text(out, "%s still %.*s after %s", title, IB_STR_ARG(status), time);
        if (c->wait_error.rc != IB_OK) {
            ib_output_more(out, ", last look: %s", c->wait_error.text);
        }
    }
    for (size_t i = 0; ib_image_ami_at(&c->image, i, &ami) && i < 50; i++) {
        ib_output_line(out, "AMI %.*s in %.*s %.*s", IB_STR_ARG(ami.id), IB_STR_ARG(ami.region),
                       IB_STR_ARG(ami.name));
    }
}

void ib_created_text(const struct ib_created *created, struct ib_output *out)
{
    if (created->dry_run && created->error.rc == IB_OK) {
        ib_output_text(out, "would send %s", ib_buf_c(&created->request));
        return;
    }
    if (created->arn[0] == '\0') {
        ib_output_text(out, "%s%s",
                       created->sent && !created->answered
                           ? "outcome unknown, the request may have arrived: "
                           : "",
                       created->error.text);
        if (created->sent) {
            ib_output_line(out, "token %s: asking again with it starts nothing twice",
                           created->token);
        }
        return;
    }
    if (created->waited) {
        waited_text(created, out);
    } else {
        ib_output_text(out, "started %s", created->arn);
    }
    ib_output_line(out, "%s", created->arn);
    ib_output_line(out, "token %s, request %s", created->token, created->request_id);
}

static void add_image(const struct ib_created *c, struct ib_members *m)
{
    struct ib_image_ami ami;

    ib_members_int(m, "waitedSeconds", c->waited_ms / 1000);
    ib_members_bool(m, "ended", has_ended(c));
    if (c->image.value == NULL) {
        return;
    }
    ib_members_str(m, "status", c->image.status_text);
    ib_members_str_if(m, "statusReason", c->image.reason);
    ib_members_array(m, "amis");
    for (size_t i = 0; ib_image_ami_at(&c->image, i, &ami); i++) {
        struct ib_members item = ib_members_new();
        ib_members_str(&item, "id", ami.id);
        ib_members_str(&item, "region", ami.region);
        ib_members_push(m, "amis", &item);
    }
}

enum ib_rc ib_created_json(const struct ib_created *created, const char *program,
                           enum ib_state state, struct ib_output *out, struct ib_error *err)
{
    IB_CLEANUP(ib_members_fini) struct ib_members m = ib_members_new();
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    const struct ib_error *why = created->error.rc != IB_OK ? &created->error
                                                            : &created->wait_error;
    char text[IB_OUTPUT_FIRST_MAX];
    struct ib_str raw = ib_buf_str(&out->text);

    (void)ib_text_plugin(raw.p, raw.n, text, sizeof text);
    ib_members_c(&m, "program", program);
    ib_members_c(&m, "state", ib_state_name(state));
    ib_members_int(&m, "exitCode", (int64_t)state);
    ib_members_c(&m, "text", text);
    if (created->arn[0] != '\0') {
        ib_members_c(&m, "imageBuildVersionArn", created->arn);
    }
    ib_members_c(&m, "clientToken", created->token);
    ib_members_bool(&m, "sent", created->sent);
    ib_members_str_if(&m, "requestId", ib_str_from(created->request_id));
    if (created->dry_run) {
        ib_members_str_if(&m, "request", ib_buf_str(&created->request));
    }
    if (created->waited) {
        add_image(created, &m);
    }
    if (why->rc != IB_OK) {
        struct ib_members error = ib_members_new();
        ib_members_c(&error, "kind", ib_rc_name(why->rc));
        ib_members_c(&error, "text", why->text);
        ib_members_str_if(&error, "code", ib_str_from(why->aws_code));
        ib_members_object(&m, "error", &error);
    }
    enum ib_rc rc = ib_members_take(&m, &v, err);
    if (rc == IB_OK) {
        ib_json_print(v, IB_JSON_COMPACT, &out->json);
    }
    return rc;
}
