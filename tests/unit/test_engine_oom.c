/* SPDX-License-Identifier: MIT */
/*
 * Whole runs with the n-th allocation failing: read, link, check, inputs, run, result. Each ends well or
 * says that there is no memory; nothing is ever cancelled that should not be.
 */
#include "arazzo_test.h"
#include "ib_oom.h"
#include "ib_vectors.h"

#include "lib/arazzo/check.h"
#include "lib/arazzo/engine.h"
#include "lib/arazzo/show.h"

struct row {
    const char *name, *doc, *workflow, *inputs;
    const char *bodies[6]; /* answers in order; the last one repeats */
    bool cancels;          /* may CancelImageCreation be called? */
};

#define ARN "arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.2/7"
#define IN(status) "{\"image\":{\"state\":{\"status\":\"" status "\"}},\"imageBuildVersionArn\":\"" ARN "\"}"

static const struct row rows[] = {
    {"a_build_in_flight", NULL, NULL, "{\"infrastructureConfigurationArn\":\"I\"}",
     {IN("PENDING"), IN("BUILDING"), IN(""), IN("BUILDING"), IN("CANCELLED")}, true},
    {"a_build_that_has_ended", NULL, NULL, "{\"infrastructureConfigurationArn\":\"I\"}",
     {IN("PENDING"), IN("AVAILABLE")}, false},
    {"the_seed_on_a_build_that_has_ended", "seed/cancel-running-image-build.arazzo.yaml", NULL,
     "{\"imageRecipeArn\":\"R\",\"infrastructureConfigurationArn\":\"I\"}",
     {IN("PENDING"), IN("FAILED")}, false},
    {"workflows_in_workflows", "arazzo/good/subworkflows.yaml", "main", "{}",
     {"{\"id\":\"i\",\"note\":\"n\",\"size\":1}"}, false},
    {"components_and_payloads", "arazzo/good/components.yaml", NULL, "{\"store\":\"abc\"}",
     {"{\"items\":[{\"name\":\"n\"}]}"}, false},
    {"replacements", "arazzo/good/replacements.yaml", NULL,
     "{\"name\":\"n\",\"recipe\":{\"name\":\"o\",\"disks\":[1,{}],\"a/b\":{}}}", {"{}"}, false},
};

struct service {
    const struct row *row;
    size_t next;
    bool cancelled;
};

static enum ib_rc answer(void *ctx, const struct ib_arazzo_call *call,
                         struct ib_arazzo_reply *reply, struct ib_error *err)
{
    struct service *s = ctx;
    const char *body = s->row->bodies[s->next];

    s->next += s->row->bodies[s->next + 1] != NULL ? 1 : 0;
    s->cancelled = s->cancelled || ib_str_eq_c(call->operation_id, "CancelImageCreation");
    reply->status = 200;
    return ib_json_parse(ib_str_from(body), "answer", NULL, &reply->body, err);
}

static int64_t now(void *ctx)
{
    (void)ctx;
    return 1000;
}

static enum ib_rc no_wait(void *ctx, int64_t ms, struct ib_error *err)
{
    (void)ctx;
    (void)ms;
    (void)err;
    return IB_OK;
}

static enum ib_rc attempt(const struct row *row, const char *path, const struct ib_value *inputs,
                          struct service *s, struct ib_error *err)
{
    IB_CLEANUP(ib_arazzo_cleanup) struct ib_arazzo_doc *doc = NULL;
    IB_CLEANUP(ib_arazzo_result_fini) struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf drawing = IB_BUF_INIT(IB_SHOW_BYTES_MAX);
    const struct ib_run_clock clock = {now, now, no_wait, NULL};
    enum ib_rc rc = ib_arazzo_open(path, NULL, &doc, err);

    if (rc != IB_OK) {
        return rc;
    }
    ib_arazzo_show(doc, NULL, IB_SHOW_DOT, &drawing);
    const struct ib_arazzo_run_options options = {
        .workflow_id = ib_str_from(row->workflow),
        .inputs = inputs,
        .pace_ms = -1,
        .call = answer,
        .call_ctx = s,
        .clock = &clock,
    };
    ib_arazzo_run(doc, &options, &result);
    *err = result.error;
    struct ib_value *v = ib_arazzo_result_value(&result);
    rc = result.outcome == IB_RUN_SUCCESS ? IB_OK : result.error.rc;
    rc = rc == IB_OK && v == NULL ? IB_ENOMEM : rc;
    ib_value_unref(v);
    return rc;
}

static void test_row(void **state)
{
    const struct row *row = *state;
    char path[4096];
    struct ib_value *inputs = json(row->inputs);
    struct ib_error err = IB_ERROR_INIT;
    struct service s = {.row = row};
    const char *doc = row->doc == NULL ? NULL : ib_vectors_ours(row->doc, path, sizeof path);

    ib_oom_arm(0);
    assert_ok(attempt(row, doc, inputs, &s, &err), &err);
    assert_int_equal(s.cancelled, row->cancels);
    size_t all = ib_oom.made;
    /* Each of the first ones, and then closer to the end in longer strides. */
    for (size_t n = 1; n <= all; n += 1 + n / 100) {
        s = (struct service){.row = row};
        err = (struct ib_error)IB_ERROR_INIT;
        ib_oom_arm(n);
        enum ib_rc rc = attempt(row, doc, inputs, &s, &err);
        (void)ib_oom_disarm();
        if (rc != IB_OK && rc != IB_ENOMEM) {
            fail_msg("allocation %zu of %zu: %s (%s)", n, all, err.text, ib_rc_name(rc));
        }
        assert_true(row->cancels || !s.cancelled);
    }
    ib_value_unref(inputs);
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    return IB_TEST_RUN();
}
