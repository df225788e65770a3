/* SPDX-License-Identifier: MIT */
/*
 * The two documents that cancel a running build: the seed as it was published, with its own meaning,
 * and the one that is built in. Each is run for every status before and after the cancel, and the
 * list of calls is what counts.
 */
#include "engine_test.h"

#include "lib/imagebuilder/status.h"

#define ARN "arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.2/7"
#define CREATED "{\"requestId\":\"r\",\"clientToken\":\"t\",\"imageBuildVersionArn\":\"" ARN "\"}"
#define CANCELLED_ANSWER CREATED

#define SEED_INPUTS "{\"imageRecipeArn\":\"R\",\"infrastructureConfigurationArn\":\"I\"}"

/* Texts of answers live as long as the tests do. */
static char bodies[IB_IMAGE_STATUS_COUNT + 1][256];

static const char *status_name(size_t i)
{
    return i < IB_IMAGE_STATUS_COUNT ? ib_image_status_name((enum ib_image_status)i) : "QUARANTINED";
}

static struct answer image_in(size_t status)
{
    (void)snprintf(bodies[status], sizeof bodies[status],
                   "{\"requestId\":\"r\",\"image\":{\"arn\":\"" ARN "\",\"state\":{\"status\":\"%s\"}}}",
                   status_name(status));
    return (struct answer){ 200, bodies[status], NULL, IB_OK };
}

struct run_of {
    struct fake fake;
    struct ib_arazzo_doc *doc;
    struct ib_value *inputs;
    struct ib_arazzo_result result;
};

static void run_it(struct run_of *r, const char *path, const char *inputs,
                   const struct answer *answers, size_t count)
{
    struct ib_error err = IB_ERROR_INIT;

    *r = (struct run_of){ .fake = FAKE_INIT, .result = IB_ARAZZO_RESULT_INIT };
    if (path == NULL) {
        assert_ok(ib_arazzo_open(NULL, NULL, &r->doc, &err), &err);
    } else {
        r->doc = good_doc(path);
    }
    r->inputs = json(inputs);
    r->fake.answers = answers;
    r->fake.count = count;
    fake_run(&r->fake, r->doc, (struct ib_arazzo_run_options){ .inputs = r->inputs }, &r->result);
}

static void end_it(struct run_of *r)
{
    ib_arazzo_result_fini(&r->result);
    ib_value_unref(r->inputs);
    ib_arazzo_free(r->doc);
    fake_fini(&r->fake);
}

static void assert_output(const struct run_of *r, const char *name, const char *value)
{
    const struct ib_value *v = ib_value_get_c(r->result.outputs, name);

    if (value == NULL) {
        assert_null(v);
        return;
    }
    assert_non_null(v);
    assert_string_equal(ib_value_as_str(v).p, value);
}

#define SEED "seed/cancel-running-image-build.arazzo.yaml"

/* --- before the cancel ------------------------------------------------------------------------- */

static bool seed_ends_at(size_t status)
{
    return status == IB_IMAGE_AVAILABLE || status == IB_IMAGE_FAILED ||
           status == IB_IMAGE_CANCELLED;
}

static void test_seed_before(void **state)
{
    size_t status = (size_t)(uintptr_t)*state - 1;
    const struct answer answers[] = { { 200, CREATED, NULL, IB_OK }, image_in(status),
                                      { 200, CANCELLED_ANSWER, NULL, IB_OK },
                                      image_in(IB_IMAGE_CANCELLED) };
    struct run_of r;

    run_it(&r, SEED, SEED_INPUTS, answers, 4);
    assert_string_equal(r.result.error.text, "");
    assert_int_equal(r.result.outcome, IB_RUN_SUCCESS);
    assert_output(&r, "imageBuildVersionArn", ARN);
    if (seed_ends_at(status)) {
        assert_string_equal(ib_buf_c(&r.fake.calls), "CreateImage GetImage");
        assert_output(&r, "finalStatus", NULL);
    } else {
        assert_string_equal(ib_buf_c(&r.fake.calls),
                            "CreateImage GetImage CancelImageCreation GetImage");
        assert_output(&r, "finalStatus", "CANCELLED");
    }
    end_it(&r);
}

/* The table of the statuses and the document agree: here is the proof for each of them. */
static void test_ours_before(void **state)
{
    size_t status = (size_t)(uintptr_t)*state - 1;
    const struct answer answers[] = { { 200, CREATED, NULL, IB_OK }, image_in(status),
                                      { 200, CANCELLED_ANSWER, NULL, IB_OK },
                                      image_in(IB_IMAGE_CANCELLED) };
    enum ib_image_status known = ib_image_status_from(ib_str_from(status_name(status)));
    struct run_of r;

    run_it(&r, NULL, SEED_INPUTS, answers, 4);
    assert_output(&r, "imageBuildVersionArn", ARN);
    assert_output(&r, "status", status_name(status));
    if (ib_image_status_in_flight(known)) {
        assert_int_equal(r.result.outcome, IB_RUN_SUCCESS);
        assert_string_equal(ib_buf_c(&r.fake.calls),
                            "CreateImage GetImage CancelImageCreation GetImage");
        assert_output(&r, "finalStatus", "CANCELLED");
    } else {
        assert_int_equal(r.result.outcome,
                         ib_image_status_terminal(known) ? IB_RUN_SUCCESS : IB_RUN_FAILURE);
        assert_string_equal(ib_buf_c(&r.fake.calls), "CreateImage GetImage");
        assert_output(&r, "finalStatus", NULL);
    }
    end_it(&r);
}

/* --- after it ---------------------------------------------------------------------------------- */

static void test_seed_after(void **state)
{
    size_t status = (size_t)(uintptr_t)*state - 1;
    const struct answer answers[] = { { 200, CREATED, NULL, IB_OK }, image_in(IB_IMAGE_BUILDING),
                                      { 200, CANCELLED_ANSWER, NULL, IB_OK }, image_in(status) };
    struct run_of r;

    run_it(&r, SEED, SEED_INPUTS, answers, 4);
    assert_int_equal(r.result.outcome, IB_RUN_SUCCESS);
    assert_string_equal(ib_buf_c(&r.fake.calls),
                        "CreateImage GetImage CancelImageCreation GetImage");
    /* One look, whatever it shows: the seed asks for no more. */
    assert_output(&r, "finalStatus", status_name(status));
    end_it(&r);
}

static void test_ours_after(void **state)
{
    size_t status = (size_t)(uintptr_t)*state - 1;
    const struct answer answers[] = { { 200, CREATED, NULL, IB_OK },  image_in(IB_IMAGE_BUILDING),
                                      { 200, CANCELLED_ANSWER, NULL, IB_OK }, image_in(status),
                                      image_in(status),             image_in(IB_IMAGE_FAILED) };
    bool ended = ib_image_status_terminal(ib_image_status_from(ib_str_from(status_name(status))));
    struct run_of r;

    run_it(&r, NULL, SEED_INPUTS, answers, 6);
    assert_int_equal(r.result.outcome, IB_RUN_SUCCESS);
    if (ended) {
        assert_string_equal(ib_buf_c(&r.fake.calls),
                            "CreateImage GetImage CancelImageCreation GetImage");
        assert_string_equal(ib_buf_c(&r.fake.waits), "");
        assert_output(&r, "finalStatus", status_name(status));
    } else {
        assert_string_equal(ib_buf_c(&r.fake.calls), "CreateImage GetImage CancelImageCreation "
                                                     "GetImage GetImage GetImage");
        assert_string_equal(ib_buf_c(&r.fake.waits), "2000 2000");
        assert_output(&r, "finalStatus", "FAILED");
    }
    end_it(&r);
}

/* --- answers to GetImage on which nobody may act ------------------------------------------------ */

struct bad_row {
    const char *name;
    const char *sample; /* below tests/data/samples/get-image-edge */
    struct answer answer;
    bool on_seed;       /* the seed's own meaning is to stop here as well */
    enum ib_run_outcome outcome; /* of ours */
};

static const struct bad_row bad_rows[] = {
    { "a_page_of_a_proxy_stops_before_the_cancel", "not-json.txt", { 200, NULL, NULL, IB_OK }, true, IB_RUN_ERROR },
    { "an_empty_answer_stops_before_the_cancel", "empty.txt", { 200, NULL, NULL, IB_OK }, true, IB_RUN_ERROR },
    { "a_cut_off_answer_stops_before_the_cancel", "truncated.txt", { 200, NULL, NULL, IB_OK }, true, IB_RUN_ERROR },
    { "an_answer_with_more_behind_it_stops_before_the_cancel", "trailing-garbage.txt", { 200, NULL, NULL, IB_OK }, true, IB_RUN_ERROR },
    { "duplicate_keys_stop_before_the_cancel", "duplicate-keys.txt", { 200, NULL, NULL, IB_OK }, true, IB_RUN_ERROR },
    { "nesting_beyond_reason_stops_before_the_cancel", "deep-nesting.txt", { 200, NULL, NULL, IB_OK }, true, IB_RUN_ERROR },
    { "an_empty_object_stops_before_the_cancel", "empty-object.json", { 200, NULL, NULL, IB_OK }, true, IB_RUN_ERROR },
    { "an_array_stops_before_the_cancel", "array.txt", { 200, NULL, NULL, IB_OK }, true, IB_RUN_ERROR },
    { "an_answer_without_an_image_stops_before_the_cancel", "no-image.json", { 200, NULL, NULL, IB_OK }, true, IB_RUN_ERROR },
    { "an_image_without_a_state_stops_before_the_cancel", "no-state.json", { 200, NULL, NULL, IB_OK }, true, IB_RUN_ERROR },
    { "a_state_that_is_text_stops_before_the_cancel", "state-not-object.txt", { 200, NULL, NULL, IB_OK }, true, IB_RUN_ERROR },
    { "a_status_that_is_a_number_is_not_cancelled_by_ours", "status-not-string.txt", { 200, NULL, NULL, IB_OK }, false, IB_RUN_FAILURE },
    { "a_status_that_nobody_has_heard_of_is_not_cancelled_by_ours", "unknown-status.json", { 200, NULL, NULL, IB_OK }, false, IB_RUN_FAILURE },
    { "a_state_without_a_status_stops_before_the_cancel", NULL, { 200, "{\"image\":{\"state\":{\"reason\":\"x\"}}}", NULL, IB_OK }, true, IB_RUN_ERROR },
    { "denied_access_ends_before_the_cancel", NULL, { 403, "{\"message\":\"no\"}", NULL, IB_OK }, true, IB_RUN_FAILURE },
    { "throttling_ends_before_the_cancel", NULL, { 429, "{\"message\":\"slow\"}", NULL, IB_OK }, true, IB_RUN_FAILURE },
    { "an_error_page_ends_before_the_cancel", NULL, { 502, "!<html>", NULL, IB_OK }, true, IB_RUN_FAILURE },
    { "a_redirect_ends_before_the_cancel", NULL, { 302, NULL, NULL, IB_OK }, true, IB_RUN_FAILURE },
    { "no_answer_ends_before_the_cancel", NULL, { 0, NULL, NULL, IB_ENET }, true, IB_RUN_ERROR },
};

/* The body of a sample as the client hands it out: JSON when it is that, else text behind '!'. */
static struct answer sample_answer(const struct bad_row *row, struct ib_buf *text)
{
    char name[256];
    char path[4096];
    struct answer a = row->answer;
    struct ib_value *v = NULL;

    if (row->sample == NULL) {
        return a;
    }
    (void)snprintf(name, sizeof name, "samples/get-image-edge/%s", row->sample);
    ib_buf_add_char(text, '!');
    assert_true(ib_vectors_read(ib_vectors_ours(name, path, sizeof path), text));
    if (text->len == 1) {
        return a;
    }
    bool is_json = ib_json_parse(ib_str_skip(ib_buf_str(text), 1), "t", NULL, &v, NULL) == IB_OK;
    ib_value_unref(v);
    a.body = ib_buf_c(text) + (is_json ? 1 : 0);
    return a;
}

static void test_bad(void **state)
{
    const struct bad_row *row = *state;
    struct ib_buf text = IB_BUF_INIT((size_t)1024 * 1024);
    const struct answer answers[] = { { 200, CREATED, NULL, IB_OK }, sample_answer(row, &text),
                                      { 200, CANCELLED_ANSWER, NULL, IB_OK },
                                      image_in(IB_IMAGE_CANCELLED) };
    struct run_of r;

    run_it(&r, NULL, SEED_INPUTS, answers, 4);
    assert_string_equal(ib_buf_c(&r.fake.calls), "CreateImage GetImage");
    assert_int_equal(r.result.outcome, row->outcome);
    assert_contains(r.result.error.text, "step getImage");
    end_it(&r);
    run_it(&r, SEED, SEED_INPUTS, answers, 4);
    if (row->on_seed) {
        assert_string_equal(ib_buf_c(&r.fake.calls), "CreateImage GetImage");
        assert_int_equal(r.result.outcome, row->outcome);
    } else {
        assert_int_equal(r.result.outcome, IB_RUN_SUCCESS);
    }
    end_it(&r);
    ib_buf_fini(&text);
}

/* --- single cases ------------------------------------------------------------------------------ */

static void the_seed_sends_its_default_token_twice(void **state)
{
    const struct answer answers[] = { { 200, CREATED, NULL, IB_OK }, image_in(IB_IMAGE_TESTING),
                                      { 200, CANCELLED_ANSWER, NULL, IB_OK },
                                      image_in(IB_IMAGE_CANCELLED) };
    struct run_of r;

    (void)state;
    run_it(&r, SEED, SEED_INPUTS, answers, 4);
    assert_string_equal(
        ib_buf_c(&r.fake.requests),
        "{\"op\":\"CreateImage\",\"body\":{\"imageRecipeArn\":\"R\",\"infrastructureConfigurationArn\":\"I\","
        "\"clientToken\":\"arazzo-cancel-build-0001\"}}\n"
        "{\"op\":\"GetImage\",\"query\":{\"imageBuildVersionArn\":\"" ARN "\"}}\n"
        "{\"op\":\"CancelImageCreation\",\"body\":{\"imageBuildVersionArn\":\"" ARN "\","
        "\"clientToken\":\"arazzo-cancel-build-0001\"}}\n"
        "{\"op\":\"GetImage\",\"query\":{\"imageBuildVersionArn\":\"" ARN "\"}}\n");
    end_it(&r);
}

static const char *token_of(const struct run_of *r, const char *name)
{
    const struct ib_value *v = ib_value_get_c(r->result.inputs, name);

    assert_non_null(v);
    return ib_value_as_str(v).p;
}

static void ours_makes_fresh_tokens_for_each_run_and_operation(void **state)
{
    const struct answer answers[] = { { 200, CREATED, NULL, IB_OK }, image_in(IB_IMAGE_FAILED) };
    struct run_of a;
    struct run_of b;

    (void)state;
    run_it(&a, NULL, SEED_INPUTS, answers, 2);
    run_it(&b, NULL, SEED_INPUTS, answers, 2);
    assert_int_equal(strlen(token_of(&a, "createToken")), 36);
    assert_string_not_equal(token_of(&a, "createToken"), token_of(&a, "cancelToken"));
    assert_string_not_equal(token_of(&a, "createToken"), token_of(&b, "createToken"));
    assert_contains(ib_buf_c(&a.fake.requests), token_of(&a, "createToken"));
    end_it(&a);
    end_it(&b);
}

static void the_seed_needs_its_inputs_before_the_first_call(void **state)
{
    const struct answer answers[] = { { 200, CREATED, NULL, IB_OK } };
    struct run_of r;

    (void)state;
    run_it(&r, SEED, "{}", answers, 1);
    assert_int_equal(r.result.outcome, IB_RUN_ERROR);
    assert_string_equal(ib_buf_c(&r.fake.calls), "");
    assert_string_equal(r.result.error.text, "workflow cancel-running-image-build needs the inputs "
                                             "imageRecipeArn, infrastructureConfigurationArn");
    end_it(&r);
}

static void a_cancel_that_was_refused_because_the_build_had_ended_says_so(void **state)
{
    const struct answer answers[] = { { 200, CREATED, NULL, IB_OK }, image_in(IB_IMAGE_DISTRIBUTING),
                                      { 400, "{\"message\":\"not in a state\"}", NULL, IB_OK },
                                      image_in(IB_IMAGE_AVAILABLE) };
    struct run_of r;

    (void)state;
    run_it(&r, NULL, SEED_INPUTS, answers, 4);
    assert_int_equal(r.result.outcome, IB_RUN_SUCCESS);
    assert_output(&r, "finalStatus", NULL);
    assert_output(&r, "statusAfterRefusal", "AVAILABLE");
    end_it(&r);
}

static void a_cancel_that_was_refused_while_the_build_goes_on_is_a_failure(void **state)
{
    const struct answer answers[] = { { 200, CREATED, NULL, IB_OK }, image_in(IB_IMAGE_BUILDING),
                                      { 400, "{\"message\":\"bad\"}", NULL, IB_OK },
                                      image_in(IB_IMAGE_BUILDING) };
    struct run_of r;

    (void)state;
    run_it(&r, NULL, SEED_INPUTS, answers, 4);
    assert_int_equal(r.result.outcome, IB_RUN_FAILURE);
    assert_string_equal(ib_buf_c(&r.fake.calls),
                        "CreateImage GetImage CancelImageCreation GetImage");
    end_it(&r);
}

static void a_lost_answer_to_the_cancel_is_no_success(void **state)
{
    const struct answer answers[] = { { 200, CREATED, NULL, IB_OK }, image_in(IB_IMAGE_BUILDING),
                                      { 0, NULL, NULL, IB_ENET } };
    struct run_of r;

    (void)state;
    run_it(&r, NULL, SEED_INPUTS, answers, 3);
    assert_int_equal(r.result.outcome, IB_RUN_ERROR);
    assert_int_equal(r.result.stage, IB_STAGE_CALLING);
    assert_string_equal(r.result.step_id.p, "cancelCreation");
    end_it(&r);
}

/* --- slices ------------------------------------------------------------------------------------ */

struct slice_row {
    const char *name, *from, *until;
    size_t status; /* of the build at each GetImage */
    const char *calls, *next; /* next NULL: the flow ends */
    enum ib_run_outcome outcome;
};

static const struct slice_row slice_rows[] = {
    { "the_slice_of_the_check_reads_and_shows_the_branch_to_the_cancel", "getImage", "getImage",
      IB_IMAGE_BUILDING, "GetImage", "cancelCreation", IB_RUN_SUCCESS },
    { "the_slice_of_the_check_shows_that_the_flow_ends", "getImage", "getImage", IB_IMAGE_AVAILABLE,
      "GetImage", NULL, IB_RUN_SUCCESS },
    { "the_slice_of_the_check_fails_for_an_unheard_of_status", "getImage", "getImage",
      IB_IMAGE_STATUS_COUNT, "GetImage", NULL, IB_RUN_FAILURE },
    { "the_slice_of_the_action_reads_again_before_it_cancels", "getImage", NULL, IB_IMAGE_FAILED,
      "GetImage", NULL, IB_RUN_SUCCESS },
    { "a_slice_may_stop_behind_the_cancel", "getImage", "cancelCreation", IB_IMAGE_PENDING,
      "GetImage CancelImageCreation", "confirmCancellation", IB_RUN_SUCCESS },
    { "a_slice_may_only_confirm", "confirmCancellation", NULL, IB_IMAGE_CANCELLED, "GetImage", NULL,
      IB_RUN_SUCCESS },
};

static void test_slice(void **state)
{
    const struct slice_row *row = *state;
    const struct answer answers[] = { image_in(row->status), { 200, CANCELLED_ANSWER, NULL, IB_OK } };
    struct fake f = FAKE_INIT;
    struct ib_arazzo_doc *doc = NULL;
    struct ib_value *arn = ib_value_string(IB_STR(ARN));
    const struct ib_arazzo_given given = { IB_STR("createImage"), IB_STR("imageBuildVersionArn"), arn };
    struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;
    struct ib_error err = IB_ERROR_INIT;

    assert_ok(ib_arazzo_open(NULL, NULL, &doc, &err), &err);
    f.answers = answers;
    f.count = 2;
    fake_run(&f, doc,
             (struct ib_arazzo_run_options){ .from = ib_str_from(row->from),
                                             .until = ib_str_from(row->until),
                                             .given = &given,
                                             .given_count = 1 },
             &result);
    assert_string_equal(ib_buf_c(&f.calls), row->calls);
    assert_int_equal(result.outcome, row->outcome);
    if (row->next == NULL) {
        assert_null(result.next_step_id.p);
    } else {
        assert_string_equal(result.next_step_id.p, row->next);
    }
    assert_string_equal(ib_value_as_str(ib_value_get_c(result.outputs, "imageBuildVersionArn")).p, ARN);
    ib_arazzo_result_fini(&result);
    ib_value_unref(arn);
    ib_arazzo_free(doc);
    fake_fini(&f);
}

struct wrong_slice_row {
    const char *name, *from, *until, *step, *output, *error;
};

static const struct wrong_slice_row wrong_slice_rows[] = {
    { "a_slice_without_the_output_that_it_needs_stops_before_the_call", "getImage", NULL, NULL, NULL,
      "step getImage: parameter imageBuildVersionArn: $steps.createImage.outputs.imageBuildVersionArn is not there" },
    { "a_slice_from_the_start_needs_the_inputs_of_its_steps", NULL, "createImage", NULL, NULL,
      "needs the input infrastructureConfigurationArn" },
    { "an_unknown_first_step_is_named", "getImag", NULL, NULL, NULL,
      "--from: workflow cancel-running-image-build has no step \"getImag\"; it has: createImage, getImage, "
      "cancelCreation, confirmCancellation, rereadAfterRefusal" },
    { "an_unknown_last_step_is_named", "getImage", "x", NULL, NULL, "--until: workflow" },
    { "an_output_of_an_unknown_step_cannot_be_given", "getImage", NULL, "create", "imageBuildVersionArn",
      "given output: workflow cancel-running-image-build has no step \"create\"" },
    { "an_output_that_the_step_does_not_declare_cannot_be_given", "getImage", NULL, "createImage", "arn",
      "given output: step createImage has no output \"arn\"" },
};

static void test_wrong_slice(void **state)
{
    const struct wrong_slice_row *row = *state;
    const struct answer answers[] = { image_in(IB_IMAGE_BUILDING) };
    struct fake f = FAKE_INIT;
    struct ib_arazzo_doc *doc = NULL;
    struct ib_value *arn = ib_value_string(IB_STR(ARN));
    const struct ib_arazzo_given given = { ib_str_from(row->step), ib_str_from(row->output), arn };
    struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;
    struct ib_error err = IB_ERROR_INIT;

    assert_ok(ib_arazzo_open(NULL, NULL, &doc, &err), &err);
    f.answers = answers;
    f.count = 1;
    fake_run(&f, doc,
             (struct ib_arazzo_run_options){ .from = ib_str_from(row->from),
                                             .until = ib_str_from(row->until),
                                             .given = &given,
                                             .given_count = row->step == NULL ? 0 : 1 },
             &result);
    assert_string_equal(ib_buf_c(&f.calls), "");
    assert_int_equal(result.outcome, IB_RUN_ERROR);
    assert_contains(result.error.text, row->error);
    ib_arazzo_result_fini(&result);
    ib_value_unref(arn);
    ib_arazzo_free(doc);
    fake_fini(&f);
}

static void a_dry_run_reads_and_stops_before_the_cancel(void **state)
{
    const struct answer answers[] = { image_in(IB_IMAGE_BUILDING) };
    struct fake f = FAKE_INIT;
    struct ib_arazzo_doc *doc = NULL;
    struct ib_value *arn = ib_value_string(IB_STR(ARN));
    const struct ib_arazzo_given given = { IB_STR("createImage"), IB_STR("imageBuildVersionArn"), arn };
    struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    assert_ok(ib_arazzo_open(NULL, NULL, &doc, &err), &err);
    f.answers = answers;
    f.count = 1;
    f.withhold = "CancelImageCreation";
    fake_run(&f, doc,
             (struct ib_arazzo_run_options){ .from = IB_STR("getImage"), .given = &given,
                                             .given_count = 1 },
             &result);
    assert_string_equal(ib_buf_c(&f.calls), "GetImage");
    assert_int_equal(result.outcome, IB_RUN_SUCCESS);
    assert_true(result.withheld);
    assert_string_equal(result.step_id.p, "cancelCreation");
    ib_arazzo_result_fini(&result);
    ib_value_unref(arn);
    ib_arazzo_free(doc);
    fake_fini(&f);
}

/* One test per status; the number travels as a pointer, one more than it is. */
static void add_statuses(const char *what, CMUnitTestFunction fn)
{
    static char names[64][96];
    static size_t used;

    for (size_t i = 0; i <= IB_IMAGE_STATUS_COUNT; i++) {
        assert_true(used < IB_ARRAY_LEN(names));
        (void)snprintf(names[used], sizeof names[used], "%s_%s", what, status_name(i));
        ib_test_add(names[used++], fn, (const void *)(uintptr_t)(i + 1));
    }
}

int main(void)
{
    add_statuses("seed_before_the_cancel", test_seed_before);
    add_statuses("seed_after_the_cancel", test_seed_after);
    add_statuses("ours_before_the_cancel", test_ours_before);
    add_statuses("ours_after_the_cancel", test_ours_after);
    IB_TEST_ROWS(bad_rows, test_bad);
    IB_TEST_ROWS(slice_rows, test_slice);
    IB_TEST_ROWS(wrong_slice_rows, test_wrong_slice);
    IB_TEST_CASE(the_seed_sends_its_default_token_twice);
    IB_TEST_CASE(ours_makes_fresh_tokens_for_each_run_and_operation);
    IB_TEST_CASE(the_seed_needs_its_inputs_before_the_first_call);
    IB_TEST_CASE(a_cancel_that_was_refused_because_the_build_had_ended_says_so);
    IB_TEST_CASE(a_cancel_that_was_refused_while_the_build_goes_on_is_a_failure);
    IB_TEST_CASE(a_lost_answer_to_the_cancel_is_no_success);
    IB_TEST_CASE(a_dry_run_reads_and_stops_before_the_cancel);
    return IB_TEST_RUN();
}
