/* SPDX-License-Identifier: MIT */
/* lib/arazzo/engine*.c: the flow of documents, seen from the calls that they make. */
#include "engine_test.h"

#define OK(body) { 200, body, NULL, IB_OK }
#define STATUS(code) { code, "{}", NULL, IB_OK }
#define AFTER(code, value) { code, "{}", "{\"Retry-After\":\"" value "\"}", IB_OK }
#define NONE(rc) { 0, NULL, NULL, rc }
#define END { -1, NULL, NULL, IB_OK }

struct row {
    const char *name;
    const char *doc, *workflow;
    const char *inputs;
    struct answer answers[16]; /* up to END */
    enum ib_run_outcome outcome;
    const char *calls;
    const char *outputs; /* NULL: not looked at */
    const char *waits;   /* NULL: none */
    const char *error;   /* part of the sentence; NULL: none */
    bool literal;
};

#define GOOD_DOC(name) "arazzo/good/" name

static const struct row rows[] = {
    /* --- order of actions --- */
    { "the_first_action_that_holds_is_taken", GOOD_DOC("actions.yaml"), NULL, NULL,
      { OK("{\"colour\":\"RED\",\"sure\":true}"), OK("{}"), OK("{}"), OK("{\"colour\":1}"), END },
      IB_RUN_SUCCESS, "GetFirst GetRed GetWarm", "{}", NULL, NULL, false },
    { "the_second_action_is_taken_when_the_first_does_not_hold", GOOD_DOC("actions.yaml"), NULL, NULL,
      { OK("{\"colour\":\"orange\",\"sure\":true}"), OK("{}"), END },
      IB_RUN_SUCCESS, "GetFirst GetWarm", "{}", NULL, NULL, false },
    { "all_criteria_of_an_action_must_hold_else_the_next_step_runs", GOOD_DOC("actions.yaml"), NULL, NULL,
      { OK("{\"colour\":\"orange\",\"sure\":false}"), OK("{}"), OK("{\"colour\":3}"), END },
      IB_RUN_SUCCESS, "GetFirst GetSecond GetLast", "{\"colour\":3}", NULL, NULL, false },
    { "the_step_without_a_list_takes_that_of_its_workflow", GOOD_DOC("actions.yaml"), NULL, NULL,
      { OK("{}"), OK("{}"), OK("{\"colour\":null}"), END },
      IB_RUN_SUCCESS, "GetFirst GetSecond GetLast", "{\"colour\":null}", NULL, NULL, false },
    { "a_failure_action_goes_to_its_step", GOOD_DOC("actions.yaml"), NULL, NULL,
      { STATUS(404), OK("{}"), OK("{}"), END },
      IB_RUN_SUCCESS, "GetFirst GetRed GetWarm", "{}", NULL, NULL, false },
    { "a_failure_that_no_action_of_the_step_takes_ends_the_run", GOOD_DOC("actions.yaml"), NULL, NULL,
      { STATUS(500), END },
      IB_RUN_FAILURE, "GetFirst", "{}", NULL, "step first: the service says 500", false },
    { "end_in_a_failure_action_is_a_failed_run", GOOD_DOC("actions.yaml"), NULL, NULL,
      { OK("{}"), STATUS(500), END },
      IB_RUN_FAILURE, "GetFirst GetSecond", "{}", NULL, "step second: the service says 500", false },
    { "an_output_that_is_missing_at_the_last_step_fails_the_workflow_output", GOOD_DOC("actions.yaml"), NULL, NULL,
      { OK("{}"), OK("{}"), OK("{}"), END },
      IB_RUN_ERROR, "GetFirst GetSecond GetLast", "{}", NULL,
      "output colour of workflow order: $steps.last.outputs.colour is not there", false },
    { "literal_leaves_out_what_is_missing", GOOD_DOC("actions.yaml"), NULL, NULL,
      { OK("{}"), OK("{}"), OK("{}"), END },
      IB_RUN_SUCCESS, "GetFirst GetSecond GetLast", "{}", NULL, NULL, true },

    /* --- retries --- */
    { "retry_without_a_limit_is_one_more_attempt", GOOD_DOC("retry.yaml"), "once", NULL,
      { STATUS(500), STATUS(500), END },
      IB_RUN_FAILURE, "Ask Ask", "{}", "900", "step ask: the service says 500", false },
    { "a_retry_that_succeeds_goes_on", GOOD_DOC("retry.yaml"), "once", NULL,
      { STATUS(500), OK("{}"), END }, IB_RUN_SUCCESS, "Ask Ask", "{}", "900", NULL, false },
    { "retry_waits_retryAfter_and_goes_to_the_next_action_once_when_used_up", GOOD_DOC("retry.yaml"), "thrice", NULL,
      { STATUS(503), STATUS(503), STATUS(503), STATUS(503), OK("{}"), END },
      IB_RUN_SUCCESS, "Ask Ask Ask Ask Rescue", "{}", "2500 2500 2500", NULL, false },
    { "a_retry_whose_criteria_do_not_hold_is_passed_over", GOOD_DOC("retry.yaml"), "thrice", NULL,
      { STATUS(400), OK("{}"), END }, IB_RUN_SUCCESS, "Ask Rescue", "{}", NULL, NULL, false },
    { "Retry_After_in_seconds_goes_before_retryAfter", GOOD_DOC("retry.yaml"), "thrice", NULL,
      { AFTER(503, "7"), AFTER(503, " 0.25 "), AFTER(503, "soon"), OK("{}"), OK("{}"), END },
      IB_RUN_SUCCESS, "Ask Ask Ask Ask Between Rescue", "{}", "7000 250 2500", NULL, false },
    { "Retry_After_as_a_date_is_waited_for", GOOD_DOC("retry.yaml"), "thrice", NULL,
      { AFTER(503, "Thu, 03 Sep 2026 05:44:33 GMT"), AFTER(503, "Thu, 03 Sep 2026 05:40:00 GMT"),
        OK("{}"), END },
      IB_RUN_SUCCESS, "Ask Ask Ask Between Rescue", "{}", "12000", NULL, false },
    { "retries_of_two_kinds_are_used_up_one_after_the_other", GOOD_DOC("retry.yaml"), "twoKinds", NULL,
      { STATUS(500), END }, IB_RUN_FAILURE, "Ask Ask Ask Ask", "{}", "1000 1000 10000",
      "step ask: the service says 500", false },
    { "retry_runs_the_step_that_it_names_first", GOOD_DOC("retry.yaml"), "withHelp", NULL,
      { OK("{\"token\":\"a\"}"), STATUS(401), OK("{\"token\":\"b\"}"), OK("{}"), END },
      IB_RUN_SUCCESS, "Login Ask Login Ask", "{\"token\":\"b\"}", NULL, NULL, false },
    { "a_step_named_by_retry_that_fails_ends_the_run", GOOD_DOC("retry.yaml"), "withHelp", NULL,
      { OK("{\"token\":\"a\"}"), STATUS(401), STATUS(403), END },
      IB_RUN_FAILURE, "Login Ask Login", "{}", NULL, "step login: the service says 403", false },
    { "retry_runs_the_workflow_that_it_names_first", GOOD_DOC("retry.yaml"), "withWorkflow", NULL,
      { STATUS(500), OK("{}"), OK("{}"), END }, IB_RUN_SUCCESS, "Ask Ask Ask", "{}", NULL, NULL, false },
    { "no_answer_is_a_failure_that_a_retry_may_handle", GOOD_DOC("retry.yaml"), "once", NULL,
      { NONE(IB_ENET), OK("{}"), END }, IB_RUN_SUCCESS, "Ask Ask", "{}", "900", NULL, false },
    { "no_answer_that_nothing_handles_is_an_error", GOOD_DOC("retry.yaml"), "once", NULL,
      { NONE(IB_ENET), END }, IB_RUN_ERROR, "Ask Ask", "{}", "900",
      "step ask: the fake service says network", false },
    { "missing_credentials_stop_at_once", GOOD_DOC("retry.yaml"), "once", NULL,
      { NONE(IB_ECRED), END }, IB_RUN_ERROR, "Ask", "{}", NULL,
      "step ask: the fake service says credentials", false },
    { "a_veto_stops_at_once", GOOD_DOC("retry.yaml"), "once", NULL,
      { NONE(IB_EREFUSED), END }, IB_RUN_ERROR, "Ask", "{}", NULL, "says refused", false },

    /* --- polling --- */
    { "a_step_that_goes_to_itself_is_paced", GOOD_DOC("polling.yaml"), "poll", NULL,
      { OK("{\"state\":\"wait\"}"), OK("{\"state\":\"wait\"}"), OK("{\"state\":\"ready\"}"), END },
      IB_RUN_SUCCESS, "Look Look Look", "{\"state\":\"ready\"}", "900 900", NULL, false },
    { "a_missing_output_stops_a_polling_step", GOOD_DOC("polling.yaml"), "poll", NULL,
      { OK("{\"state\":\"wait\"}"), OK("{}"), END },
      IB_RUN_ERROR, "Look Look", "{}", "900",
      "step look: output state: $response.body#/state is not there", false },
    { "an_answer_that_is_no_JSON_stops_a_polling_step", GOOD_DOC("polling.yaml"), "poll", NULL,
      { OK("!<html></html>"), END }, IB_RUN_ERROR, "Look", "{}", NULL, "(the answer is no JSON)", false },

    /* --- components and parameters --- */
    { "reusable_objects_stand_for_what_they_name", GOOD_DOC("components.yaml"), NULL, "{\"store\":\"abc\"}",
      { STATUS(503), OK("{\"items\":[{\"name\":\"n1\"}]}"), OK("{}"), END },
      IB_RUN_SUCCESS, "List List Use", "{}", "1000", NULL, false },
    { "a_reused_success_action_ends_the_run", GOOD_DOC("components.yaml"), NULL, "{\"store\":\"abc\"}",
      { OK("{}"), END }, IB_RUN_ERROR, "List", "{}", NULL,
      "step list: output my.first-item: $response.body#/items/0 is not there", false },

    /* --- workflows in workflows --- */
    { "workflows_call_workflows_here_and_in_other_documents", GOOD_DOC("subworkflows.yaml"), "main", NULL,
      { OK("{\"id\":\"i1\",\"unique\":false}"), OK("{\"note\":\"n\"}"), OK("{\"size\":8}"), OK("{}"), END },
      IB_RUN_SUCCESS, "Search Detail Describe Use", "{\"id\":\"i1\",\"note\":\"n\",\"size\":8}", NULL, NULL, false },
    { "outputs_of_a_branch_that_was_not_taken_stay_absent", GOOD_DOC("subworkflows.yaml"), "main", NULL,
      { OK("{\"id\":\"i1\",\"unique\":true}"), OK("{\"size\":8}"), OK("{}"), END },
      IB_RUN_SUCCESS, "Search Describe Use", "{\"id\":\"i1\",\"size\":8}", NULL, NULL, false },
    { "a_called_workflow_that_fails_fails_its_step", GOOD_DOC("subworkflows.yaml"), "main", NULL,
      { STATUS(404), END }, IB_RUN_FAILURE, "Search", "{}", NULL,
      "step find: step search: the service says 404", false },
    { "dependencies_run_first_and_once_and_goto_a_workflow_does_not_come_back", GOOD_DOC("depends.yaml"), "main",
      "{\"user\":\"u\",\"other\":\"o\"}",
      { OK("{\"token\":\"t\"}"), OK("{}"), OK("{}"), OK("{\"left\":0}"), END },
      IB_RUN_SUCCESS, "Login Warm Use Clean", "{\"left\":0}", NULL, NULL, false },
    { "a_dependency_that_fails_ends_the_run", GOOD_DOC("depends.yaml"), "main", "{\"user\":\"u\"}",
      { STATUS(403), END }, IB_RUN_FAILURE, "Login", "{}", NULL,
      "workflow login: step login: the service says 403", false },

    /* --- inputs --- */
    { "a_missing_required_input_stops_before_the_first_call", GOOD_DOC("depends.yaml"), "main", "{}",
      { END }, IB_RUN_ERROR, "", "{}", NULL, "workflow main needs the input user", false },
    { "an_unknown_input_stops_before_the_first_call", GOOD_DOC("depends.yaml"), "main",
      "{\"user\":\"u\",\"usr\":1}",
      { END }, IB_RUN_ERROR, "", "{}", NULL, "workflow main has no input \"usr\"; its inputs: user, other", false },
    { "an_unknown_workflow_is_named", GOOD_DOC("depends.yaml"), "mian", NULL,
      { END }, IB_RUN_ERROR, "", "{}", NULL, "has no workflow \"mian\"; it has: main, warmUp, login, cleanUp", false },
    { "a_document_of_several_workflows_must_be_told_which", GOOD_DOC("depends.yaml"), NULL, NULL,
      { END }, IB_RUN_ERROR, "", "{}", NULL, "has 4: main, warmUp, login, cleanUp", false },

    /* --- criteria --- */
    { "criteria_of_all_types_hold", GOOD_DOC("regex-and-header.yaml"), NULL, NULL,
      { { 200, "{\"items\":[{\"price\":3}],\"total\":\"2\"}", "{\"Content-Type\":\"application/json\"}", IB_OK }, END },
      IB_RUN_SUCCESS, "Ask", "{}", NULL, NULL, false },
    { "one_criterion_that_fails_fails_the_step", GOOD_DOC("regex-and-header.yaml"), NULL, NULL,
      { { 200, "{\"items\":[{\"price\":30}],\"total\":\"2\"}", "{\"Content-Type\":\"application/json\"}", IB_OK }, END },
      IB_RUN_FAILURE, "Ask", "{}", NULL, "step ask: $.items[?@.price < 10] does not hold", false },
    { "an_error_answer_fails_the_step_though_its_body_has_nothing", GOOD_DOC("regex-and-header.yaml"), NULL, NULL,
      { { 500, NULL, NULL, IB_OK }, END },
      IB_RUN_FAILURE, "Ask", "{}", NULL, "step ask: the service says 500", false },
    { "a_good_answer_without_the_context_is_an_error", GOOD_DOC("regex-and-header.yaml"), NULL, NULL,
      { { 200, "{\"items\":[{\"price\":3}],\"total\":2}", NULL, IB_OK }, END },
      IB_RUN_ERROR, "Ask", "{}", NULL, "step ask: success criterion: json", false },
    { "literal_takes_it_as_failed", GOOD_DOC("regex-and-header.yaml"), NULL, NULL,
      { { 200, "{\"items\":[{\"price\":3}],\"total\":2}", NULL, IB_OK }, END },
      IB_RUN_FAILURE, "Ask", "{}", NULL, "json does not hold", true },
};

static size_t count_answers(const struct answer *answers)
{
    size_t n = 0;

    while (answers[n].status != -1) {
        n++;
    }
    return n;
}

static void test_flow(void **state)
{
    const struct row *r = *state;
    struct fake f = FAKE_INIT;
    struct ib_arazzo_doc *doc = good_doc(r->doc);
    struct ib_value *inputs = json(r->inputs);
    struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;

    f.answers = r->answers;
    f.count = count_answers(r->answers);
    fake_run(&f, doc,
             (struct ib_arazzo_run_options){ .workflow_id = ib_str_from(r->workflow),
                                             .inputs = inputs,
                                             .literal = r->literal },
             &result);
    if (result.outcome != r->outcome) {
        fail_msg("%s: %s", ib_run_outcome_name(result.outcome), result.error.text);
    }
    assert_string_equal(ib_buf_c(&f.calls), r->calls);
    char *outputs = json_text(result.outputs);
    assert_string_equal(outputs, r->outputs);
    free(outputs);
    assert_string_equal(ib_buf_c(&f.waits), r->waits == NULL ? "" : r->waits);
    if (r->error != NULL) {
        assert_contains(result.error.text, r->error);
    } else {
        assert_string_equal(result.error.text, "");
    }
    ib_arazzo_result_fini(&result);
    ib_value_unref(inputs);
    ib_arazzo_free(doc);
    fake_fini(&f);
}

/* --- requests ---------------------------------------------------------------------------------- */

struct request_row {
    const char *name, *doc, *workflow, *inputs;
    struct answer answers[4];
    const char *requests;
};

static const struct request_row request_rows[] = {
    { "parameters_and_bodies_keep_types_and_leave_out_optional_inputs", GOOD_DOC("components.yaml"), NULL,
      "{\"store\":\"abc\"}",
      { OK("{\"items\":[{\"name\":\"n1\",\"size\":2}]}"), OK("{}"), END },
      "{\"op\":\"List\",\"path\":{\"store\":\"abc\"},\"query\":{\"limit\":25},\"headers\":{\"X-Trace\":\"none\"}}\n"
      "{\"op\":\"Use\",\"query\":{\"limit\":7},\"headers\":{\"x-trace\":\"store abc\"},\"body\":{\"item\":{\"name\":\"n1\","
      "\"size\":2},\"name\":\"n1\",\"text\":\"item n1 of 25\",\"list\":[1,\"two\"],\"sent\":{\"limit\":25,"
      "\"nested\":[true,null,1.5]}}}\n" },
    { "names_with_dots_and_hyphens_are_found", GOOD_DOC("components.yaml"), NULL,
      "{\"store\":\"abc\",\"limit\":3,\"x-store-id\":\"s\"}",
      { OK("{\"items\":[\"plain\"]}"), OK("{}"), END },
      NULL },
    { "outputs_reach_the_next_requests", GOOD_DOC("subworkflows.yaml"), "main", "{\"name\":\"db\"}",
      { OK("{\"id\":\"i1\",\"unique\":true}"), OK("{\"size\":8}"), OK("{}"), END },
      "{\"op\":\"Search\",\"query\":{\"name\":\"db\"}}\n{\"op\":\"Describe\",\"path\":{\"id\":\"i1\"}}\n"
      "{\"op\":\"Use\",\"query\":{\"id\":\"i1\",\"size\":8,\"last\":\"i1\"}}\n" },
    { "replacements_replace_and_add", GOOD_DOC("replacements.yaml"), NULL,
      "{\"name\":\"new\",\"recipe\":{\"name\":\"old\",\"disks\":[{\"size\":1},{\"size\":2,\"x\":0}],\"a/b\":{\"k\":1}}}",
      { OK("{}"), END },
      "{\"op\":\"Send\",\"body\":{\"name\":\"new\",\"disks\":[{\"size\":1},{\"size\":8,\"x\":0}],"
      "\"a/b\":{\"k\":1,\"c~d\":[1,2]},\"new\":\"added 8\"}}\n" },
    { "a_replacement_by_an_input_that_is_not_given_is_left_out", GOOD_DOC("replacements.yaml"), NULL,
      "{\"recipe\":{\"name\":\"old\",\"disks\":[1,{\"size\":2}],\"a/b\":{}}}",
      { OK("{}"), END },
      "{\"op\":\"Send\",\"body\":{\"name\":\"old\",\"disks\":[1,{\"size\":8}],\"a/b\":{\"c~d\":[1,2]},"
      "\"new\":\"added 8\"}}\n" },
    { "a_replacement_where_nothing_is_stops_before_the_call", GOOD_DOC("replacements.yaml"), NULL,
      "{\"recipe\":{\"name\":\"old\",\"a/b\":{}}}", { OK("{}"), END }, "" },
    { "openapi_operations_are_found_by_id_reference_and_path", GOOD_DOC("openapi.yaml"), NULL, "{\"arn\":\"A\"}",
      { OK("{}"), OK("{}"), OK("{}"), END },
      "{\"op\":\"GetImage\",\"query\":{\"imageBuildVersionArn\":\"A\"}}\n"
      "{\"op\":\"ListTagsForResource\",\"path\":{\"resourceArn\":\"A\"}}\n"
      "{\"op\":\"CancelImageCreation\",\"body\":\"{\\\"arn\\\": \\\"A\\\", \\\"from\\\": \\\"../api.openapi.yaml\\\"}\"}\n" },
    { "an_optional_input_of_two_types_is_left_out", GOOD_DOC("version-1.1.json"), NULL, NULL,
      { OK("{}"), END }, "{\"op\":\"ListImages\"}\n" },
    { "null_is_not_absent", GOOD_DOC("version-1.1.json"), NULL, "{\"n\":null}",
      { OK("{}"), END }, "{\"op\":\"ListImages\",\"query\":{\"n\":null}}\n" },
};

static void test_request(void **state)
{
    const struct request_row *r = *state;
    struct fake f = FAKE_INIT;
    struct ib_arazzo_doc *doc = good_doc(r->doc);
    struct ib_value *inputs = json(r->inputs);
    struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;

    f.answers = r->answers;
    f.count = count_answers(r->answers);
    fake_run(&f, doc,
             (struct ib_arazzo_run_options){ .workflow_id = ib_str_from(r->workflow),
                                             .inputs = inputs },
             &result);
    if (r->requests == NULL) {
        /* "plain" has no member "name". */
        assert_int_equal(result.outcome, IB_RUN_ERROR);
        assert_contains(result.error.text, "step use: request body");
    } else {
        assert_string_equal(ib_buf_c(&f.requests), r->requests);
        assert_int_equal(result.outcome, r->requests[0] == '\0' ? IB_RUN_ERROR : IB_RUN_SUCCESS);
    }
    ib_arazzo_result_fini(&result);
    ib_value_unref(inputs);
    ib_arazzo_free(doc);
    fake_fini(&f);
}

/* --- limits, slices, rows ---------------------------------------------------------------------- */

static const struct answer good_answer[] = { OK("{}") };

static void turns_of_two_steps_end_at_the_step_limit(void **state)
{
    struct fake f = FAKE_INIT;
    struct ib_arazzo_doc *doc = good_doc(GOOD_DOC("polling.yaml"));
    struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;

    (void)state;
    f.answers = good_answer;
    f.count = 1;
    fake_run(&f, doc,
             (struct ib_arazzo_run_options){ .workflow_id = IB_STR("turns"), .max_steps = 6 },
             &result);
    assert_int_equal(result.outcome, IB_RUN_ERROR);
    assert_string_equal(ib_buf_c(&f.calls), "Ping Pong Ping Pong Ping Pong");
    assert_string_equal(ib_buf_c(&f.waits), "800 800");
    assert_string_equal(result.error.text, "stopped before step ping: 6 steps have run (--max-steps)");
    ib_arazzo_result_fini(&result);
    ib_arazzo_free(doc);
    fake_fini(&f);
}

static void workflows_that_send_each_other_around_are_paced_and_bounded(void **state)
{
    struct fake f = FAKE_INIT;
    struct ib_arazzo_doc *doc = good_doc(GOOD_DOC("polling.yaml"));
    struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;

    (void)state;
    f.answers = good_answer;
    f.count = 1;
    fake_run(&f, doc, (struct ib_arazzo_run_options){ .workflow_id = IB_STR("here") }, &result);
    assert_int_equal(result.outcome, IB_RUN_ERROR);
    assert_contains(result.error.text, "workflows call each other deeper than 16");
    assert_contains(ib_buf_c(&f.waits), "900 900 900");
    ib_arazzo_result_fini(&result);
    ib_arazzo_free(doc);
    fake_fini(&f);
}

static void a_wait_that_does_not_fit_ends_the_run_at_once(void **state)
{
    static const struct answer busy[] = { STATUS(503) };
    struct fake f = FAKE_INIT;
    struct ib_arazzo_doc *doc = good_doc(GOOD_DOC("retry.yaml"));
    struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;

    (void)state;
    f.answers = busy;
    f.count = 1;
    f.stop_at_ms = f.mono_ms + 3000;
    fake_run(&f, doc, (struct ib_arazzo_run_options){ .workflow_id = IB_STR("thrice") }, &result);
    assert_int_equal(result.outcome, IB_RUN_ERROR);
    assert_int_equal(result.error.rc, IB_ETIMEOUT);
    assert_int_equal(result.stage, IB_STAGE_BETWEEN);
    assert_string_equal(ib_buf_c(&f.calls), "Ask Ask");
    assert_string_equal(result.error.text, "the time is up: step ask would go on in 2s (retryAfter), "
                                           "after the deadline");
    ib_arazzo_result_fini(&result);
    ib_arazzo_free(doc);
    fake_fini(&f);
}

static void a_lost_request_leaves_the_outcome_unknown(void **state)
{
    static const struct answer lost[] = { NONE(IB_ETIMEOUT) };
    struct fake f = FAKE_INIT;
    struct ib_arazzo_doc *doc = good_doc(GOOD_DOC("polling.yaml"));
    struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;

    (void)state;
    f.answers = lost;
    f.count = 1;
    fake_run(&f, doc, (struct ib_arazzo_run_options){ .workflow_id = IB_STR("poll") }, &result);
    assert_int_equal(result.outcome, IB_RUN_ERROR);
    assert_int_equal(result.stage, IB_STAGE_CALLING);
    struct ib_value *v = ib_arazzo_result_value(&result);
    char *text = json_text(v);
    assert_string_equal(text, "{\"workflowId\":\"poll\",\"result\":\"error\",\"outputs\":{},\"steps\":[{\"stepId\":"
                              "\"look\",\"operationId\":\"Look\",\"attempt\":1,\"result\":\"failure\",\"outputs\":{},"
                              "\"action\":null}],\"error\":{\"kind\":\"timeout\",\"text\":\"step look: the fake service "
                              "says timeout\",\"stepId\":\"look\",\"outcomeKnown\":false}}");
    free(text);
    ib_value_unref(v);
    ib_arazzo_result_fini(&result);
    ib_arazzo_free(doc);
    fake_fini(&f);
}

static void rows_nest_what_called_workflows_did(void **state)
{
    static const struct answer answers[] = { OK("{\"id\":\"i1\",\"unique\":true}"), OK("{\"size\":8}"),
                                             OK("{}") };
    struct fake f = FAKE_INIT;
    struct ib_arazzo_doc *doc = good_doc(GOOD_DOC("subworkflows.yaml"));
    struct ib_arazzo_result result = IB_ARAZZO_RESULT_INIT;

    (void)state;
    f.answers = answers;
    f.count = 3;
    fake_run(&f, doc, (struct ib_arazzo_run_options){ .workflow_id = IB_STR("main") }, &result);
    char *text = json_text(ib_arazzo_result_step(&result, "find"));
    assert_string_equal(
        text, "{\"stepId\":\"find\",\"workflowId\":\"findByName\",\"attempt\":1,\"result\":\"success\",\"outputs\":"
              "{\"id\":\"i1\"},\"action\":null,\"steps\":[{\"stepId\":\"search\",\"operationId\":\"Search\",\"attempt\":1,"
              "\"statusCode\":200,\"result\":\"success\",\"outputs\":{\"id\":\"i1\"},\"action\":{\"name\":\"unique\","
              "\"type\":\"end\"}}]}");
    free(text);
    assert_null(ib_arazzo_result_step(&result, "search"));
    ib_arazzo_result_fini(&result);
    ib_arazzo_free(doc);
    fake_fini(&f);
}

int main(void)
{
    IB_TEST_ROWS(rows, test_flow);
    IB_TEST_ROWS(request_rows, test_request);
    IB_TEST_CASE(turns_of_two_steps_end_at_the_step_limit);
    IB_TEST_CASE(workflows_that_send_each_other_around_are_paced_and_bounded);
    IB_TEST_CASE(a_wait_that_does_not_fit_ends_the_run_at_once);
    IB_TEST_CASE(a_lost_request_leaves_the_outcome_unknown);
    IB_TEST_CASE(rows_nest_what_called_workflows_did);
    return IB_TEST_RUN();
}
