/* SPDX-License-Identifier: MIT */
/* --diagnose for all programs. */
#include "plugins/diagnose.h"

#include "lib/aws/arn.h"
#include "lib/aws/diagnose.h"
#include "lib/base/text.h"
#include "lib/data/json.h"
#include "lib/data/members.h"
#include "lib/imagebuilder/permission.h"
#include "lib/watch/survey.h"
#include "plugins/plan.h"

#define WAYS_MAX 16 /* each costs a few calls */

struct diagnosis {
    struct ib_diagnose rows;
    size_t tried, failed;
    struct ib_error first; /* what was in the way of the first that failed */
    char caller[512];      /* of the last that worked */
};

static void trace_all(void *ctx, const char *line)
{
    ib_output_line(ctx, "%s", line);
}

bool ib_diagnose_is_decision(const char *line)
{
    return line[0] == '*';
}

static void trace_decisions(void *ctx, const char *line)
{
    if (ib_diagnose_is_decision(line)) {
        trace_all(ctx, line);
    }
}

ib_aws_trace_fn ib_diagnose_trace(int verbose)
{
    return verbose >= 3 ? trace_all : verbose == 2 ? trace_decisions : NULL;
}

/* --- one way
 * -------------------------------------------------------------------------------------- */

/* Region of an ARN at hand; "" when there is none. is_image: permissions can be asked for it. */
static void read_arn(const char *text, char region[64], bool *ret_is_image)
{
    struct ib_image_arn image;
    struct ib_arn arn;

    region[0] = '\0';
    *ret_is_image = false;
    if (text == NULL || ib_arn_parse(ib_str_from(text), "ARN", &arn, NULL) != IB_OK) {
        return;
    }
    (void)ib_text_copy(region, 64, ib_str_from(arn.region));
    *ret_is_image =
        ib_image_arn_parse(ib_str_from(text), IB_IMAGE_ARN_ANY, "ARN", &image, NULL) == IB_OK;
}

static void note_caller(struct diagnosis *d, size_t from)
{
    for (size_t i = from; i < d->rows.count; i++) {
        if (strcmp(d->rows.rows[i].topic, "caller") == 0) {
            (void)ib_text_copy(d->caller, sizeof d->caller, ib_str_from(d->rows.rows[i].text));
        }
    }
}

static void try_way(const struct ib_diagnose_way *way, const struct ib_diagnose_request *r,
                    struct diagnosis *d)
{
    IB_CLEANUP(ib_aws_client_cleanup) struct ib_aws_client *client = NULL;
    struct ib_error err = IB_ERROR_INIT;
    size_t from = d->rows.count;
    char region[64];
    bool is_image;
    enum ib_rc rc;

    read_arn(way->arn, region, &is_image);
    rc = ib_diagnose_aws(&way->aws, r->deadline, region[0] == '\0' ? NULL : region, &d->rows, &client,
                         &err);
    d->tried++;
    if (rc == IB_OK) {
        note_caller(d, from);
        rc = ib_permission_diagnose(client, is_image ? way->arn : NULL, r->must_cancel, &d->rows,
                                    &err);
    }
    if (rc != IB_OK && d->failed++ == 0) {
        d->first = err;
    }
}

/* --- targets
 * --------------------------------------------------------------------------------------- */

static void add_setting(void *ctx, const char *name, const char *value, const char *source)
{
    if (value != NULL) {
        ib_diagnose_add(ctx, "setting", "%s = %s (%s)", name, value, source);
    }
}

static struct ib_diagnose_way way_of(const struct ib_target *t)
{
    struct ib_str what = {NULL, 0};

    if (ib_conf_texts_count(&t->what) > 0) {
        what = ib_conf_texts_at(&t->what, 0);
    }
    return (struct ib_diagnose_way){
        .aws = ib_survey_aws_options(t),
        .arn = ib_arn_looks_like(what) ? what.p : NULL,
    };
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_way(const struct ib_diagnose_way *a, const struct ib_diagnose_way *b)
{
    return same_text(a->aws.profile, b->aws.profile) && same_text(a->aws.region, b->aws.region) &&
           same_text(a->aws.default_region, b->aws.default_region) &&
           same_text(a->aws.role_arn, b->aws.role_arn) &&
           same_text(a->aws.external_id, b->aws.external_id) &&
           same_text(a->aws.endpoint_url, b->aws.endpoint_url) &&
           same_text(a->aws.ca_bundle, b->aws.ca_bundle) && same_text(a->aws.proxy, b->aws.proxy) &&
           same_text(a->arn, b->arn);
}

static void try_targets(const struct ib_diagnose_request *r, struct diagnosis *d)
{
    struct ib_diagnose_way ways[WAYS_MAX];
    char cache_dir[4096];
    size_t count = 0;

    (void)snprintf(cache_dir, sizeof cache_dir, "%s/cache",
                   r->state_dir == NULL ? r->config->state_dir : r->state_dir);
    for (size_t i = 0; i < r->target_count; i++) {
        struct ib_diagnose_way way = way_of(&r->targets[i]);
        size_t known = 0;

        way.aws.cache_dir = cache_dir;
        ib_diagnose_add(&d->rows, "target", "%s",
                        r->targets[i].name == NULL ? "by the command line" : r->targets[i].name);
        if (r->targets[i].name != NULL) {
            ib_watch_config_settings(r->config, &r->targets[i], add_setting, &d->rows);
        }
        while (known < count && !same_way(&ways[known], &way)) {
            known++;
        }
        if (known < count) {
            ib_diagnose_add(&d->rows, "target", "reaches AWS as one before");
        } else if (count == WAYS_MAX) {
            ib_diagnose_add(&d->rows, "target", "not tried: %d other ways to AWS were", WAYS_MAX);
        } else {
            ways[count++] = way;
            try_way(&way, r, d);
        }
    }
}

/* --- output
 * ------------------------------------------------------------------------------------------ */

static enum ib_rc write_json(const struct ib_diagnose_request *r, const struct diagnosis *d,
                             enum ib_state state, struct ib_output *out, struct ib_error *err)
{
    IB_CLEANUP(ib_members_fini) struct ib_members m = ib_members_new();
    IB_CLEANUP(ib_value_cleanup) struct ib_value *object = NULL;
    enum ib_rc rc;

    ib_members_c(&m, "program", r->program);
    ib_members_c(&m, "state", ib_state_name(state));
    ib_members_int(&m, "exitCode", (int64_t)state);
    ib_members_str(&m, "text", ib_buf_str(&out->text));
    for (size_t i = 0; i < d->rows.count; i++) {
        struct ib_members row = ib_members_new();

        ib_members_c(&row, "topic", d->rows.rows[i].topic);
        ib_members_c(&row, "text", d->rows.rows[i].text);
        ib_members_push(&m, "diagnosis", &row);
    }
    rc = ib_members_take(&m, &object, err);
    if (rc == IB_OK) {
        ib_json_print(object, IB_JSON_COMPACT, &out->json);
        ib_buf_add_char(&out->json, '\n');
    }
    return rc;
}

static const char *config_text(const struct ib_watch_config *config)
{
    if (config == NULL) {
        return "cannot be used; what follows does without it";
    }
    return config->file == NULL ? "none" : config->file;
}

enum ib_rc ib_diagnose_run(const struct ib_diagnose_request *request, struct ib_output *out,
                           enum ib_state *ret_state, struct ib_error *err)
{
    struct diagnosis d = {.tried = 0};
    enum ib_rc rc = IB_OK;

    if (request->trouble != NULL) {
        d.failed++;
        d.first = *request->trouble;
        ib_diagnose_add(&d.rows, "trouble", "%s", request->trouble->text);
    }
    ib_diagnose_add(&d.rows, "configuration", "%s", config_text(request->config));
    if (request->way != NULL) {
        try_way(request->way, request, &d);
    } else {
        try_targets(request, &d);
    }
    out->first_max = 0; /* a sentence for a person, not for a list */
    *ret_state = d.failed == 0 ? IB_STATE_OK : IB_STATE_UNKNOWN;
    if (d.failed > 0) {
        ib_output_text(out, "%s", d.first.text);
    } else {
        ib_output_text(out, "AWS knows us as %s", d.caller);
    }
    for (size_t i = 0; i < d.rows.count; i++) {
        ib_output_line(out, "%s: %s", d.rows.rows[i].topic, d.rows.rows[i].text);
    }
    if (request->json) {
        rc = write_json(request, &d, *ret_state, out, err);
    }
    ib_diagnose_fini(&d.rows);
    return rc;
}

enum ib_rc ib_diagnose_broken(const struct ib_diagnose_broken *broken, struct ib_output *out,
                              enum ib_state *ret_state, struct ib_error *err)
{
    IB_CLEANUP(ib_watch_config_fini) struct ib_watch_config config = {0};
    const struct ib_error why = *broken->why; /* it may be err */

    bool is_read = ib_plan_config(broken->common, &config, NULL) == IB_OK;

    if (!is_read) {
        ib_watch_config_init(&config);
    }
    const struct ib_diagnose_way way = {.aws = ib_plan_aws(broken->common, &config),
                                        .arn = broken->arn};
    const struct ib_diagnose_request request = {
        .program = broken->program,
        .config = is_read ? &config : NULL,
        .way = &way,
        .trouble = &why,
        .deadline = ib_deadline_in(broken->common->timeout_ms),
        .json = broken->common->output == IB_OUTPUT_FORM_JSON,
    };

    return ib_diagnose_run(&request, out, ret_state, err);
}
