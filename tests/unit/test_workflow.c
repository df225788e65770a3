/* SPDX-License-Identifier: MIT */
/* Workflow executions: what runs, and whether and when a build was put back to work. */
#include "ib_test.h"

#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/imagebuilder/workflow.h"

#define BUILD "\"workflowBuildVersionArn\":\"arn:aws:imagebuilder:r:aws:workflow/build/build-image/1.0.3/1\",\"type\":\"BUILD\""
#define TEST  "\"workflowBuildVersionArn\":\"arn:aws:imagebuilder:r:aws:workflow/test/test-image/1.0.2/1\",\"type\":\"TEST\""
#define AT(hh) "\"startTime\":\"2026-09-03T" #hh ":00:00.000Z\""

struct row {
    const char *name, *executions;
    const char *running; /* id, NULL: none */
    bool retried, known;
    int hour;            /* of the restart */
    int first;           /* hour of the first build workflow; -1: not told; 0: not looked at */
};
static const struct row rows[] = {
    { "a_build_without_executions_runs_nothing", "", NULL, false, false, 0 },
    { "a_first_run_is_no_retry", "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"RUNNING\"," AT(05) "}",
      "wf-1", false, false, 0 },
    { "tests_after_a_build_are_no_retry",
      "{\"workflowExecutionId\":\"wf-2\"," TEST ",\"status\":\"RUNNING\"," AT(06) "},"
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"COMPLETED\"," AT(05) "}",
      "wf-2", false, false, 0 },
    { "a_second_build_after_a_failed_one_is_a_retry",
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"FAILED\"," AT(01) "},"
      "{\"workflowExecutionId\":\"wf-2\"," BUILD ",\"status\":\"RUNNING\"," AT(05) "}",
      "wf-2", true, true, 5 },
    { "the_order_of_the_list_does_not_matter",
      "{\"workflowExecutionId\":\"wf-2\"," BUILD ",\"status\":\"RUNNING\"," AT(05) "},"
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"FAILED\"," AT(01) "}",
      "wf-2", true, true, 5 },
    { "a_cancelled_build_can_be_retried",
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"CANCELLED\"," AT(01) "},"
      "{\"workflowExecutionId\":\"wf-2\"," BUILD ",\"status\":\"RUNNING\"," AT(05) "}",
      "wf-2", true, true, 5 },
    { "a_rolled_back_build_can_be_retried",
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"ROLLBACK_COMPLETED\"," AT(01) "},"
      "{\"workflowExecutionId\":\"wf-2\"," BUILD ",\"status\":\"RUNNING\"," AT(05) "}",
      "wf-2", true, true, 5 },
    { "the_tests_of_a_retried_build_count_from_its_build",
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"FAILED\"," AT(01) "},"
      "{\"workflowExecutionId\":\"wf-2\"," BUILD ",\"status\":\"COMPLETED\"," AT(05) "},"
      "{\"workflowExecutionId\":\"wf-3\"," TEST ",\"status\":\"RUNNING\"," AT(06) "}",
      "wf-3", true, true, 5 },
    { "retried_tests_count_from_the_new_tests",
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"COMPLETED\"," AT(01) "},"
      "{\"workflowExecutionId\":\"wf-2\"," TEST ",\"status\":\"FAILED\"," AT(02) "},"
      "{\"workflowExecutionId\":\"wf-3\"," TEST ",\"status\":\"RUNNING\"," AT(06) "}",
      "wf-3", true, true, 6 },
    { "a_failed_test_that_the_build_goes_on_from_is_no_retry",
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"COMPLETED\"," AT(01) "},"
      "{\"workflowExecutionId\":\"wf-2\"," TEST ",\"status\":\"FAILED\"," AT(02) "},"
      "{\"workflowExecutionId\":\"wf-3\",\"type\":\"DISTRIBUTION\",\"status\":\"RUNNING\"," AT(03) "}",
      "wf-3", false, false, 0 },
    { "the_last_of_several_retries_counts",
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"FAILED\"," AT(01) "},"
      "{\"workflowExecutionId\":\"wf-2\"," BUILD ",\"status\":\"FAILED\"," AT(03) "},"
      "{\"workflowExecutionId\":\"wf-3\"," BUILD ",\"status\":\"RUNNING\"," AT(07) "}",
      "wf-3", true, true, 7 },
    { "a_whole_new_run_after_failed_tests_counts_from_its_build",
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"COMPLETED\"," AT(01) "},"
      "{\"workflowExecutionId\":\"wf-2\"," TEST ",\"status\":\"FAILED\"," AT(02) "},"
      "{\"workflowExecutionId\":\"wf-3\"," BUILD ",\"status\":\"RUNNING\"," AT(06) "}",
      "wf-3", true, true, 6, 1 },
    { "a_failed_execution_marked_as_retried_with_nothing_running_has_no_known_start",
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"FAILED\",\"retried\":true," AT(01) "}",
      NULL, true, false, 0, 1 },
    { "the_first_build_workflow_is_told",
      "{\"workflowExecutionId\":\"wf-2\"," TEST ",\"status\":\"RUNNING\"," AT(06) "},"
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"COMPLETED\"," AT(05) "}",
      "wf-2", false, false, 0, 5 },
    { "a_build_workflow_behind_another_is_not_told_as_the_first",
      "{\"workflowExecutionId\":\"wf-2\"," TEST ",\"status\":\"COMPLETED\"," AT(04) "},"
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"RUNNING\"," AT(05) "}",
      "wf-1", false, false, 0, -1 },
    { "a_retry_whose_workflow_has_not_begun_has_no_known_start",
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"FAILED\"," AT(01) "}", NULL, true, false,
      0 },
    { "the_services_own_word_for_a_retry_is_taken",
      "{\"workflowExecutionId\":\"wf-2\"," BUILD ",\"status\":\"RUNNING\",\"retried\":true," AT(05) "}",
      "wf-2", true, true, 5 },
    { "an_execution_without_start_is_no_restart",
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"FAILED\"," AT(01) "},"
      "{\"workflowExecutionId\":\"wf-2\"," BUILD ",\"status\":\"PENDING\"}",
      NULL, true, false, 0 },
    { "a_status_that_is_not_known_runs_nothing",
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"PAUSED\"," AT(01) "}", NULL, false, false, 0 },
    { "items_that_are_no_objects_are_nothing", "7,null,\"x\"", NULL, false, false, 0 },
};

static struct ib_value *parse(const char *text)
{
    struct ib_value *v = NULL;
    struct ib_error err = IB_ERROR_INIT;

    assert_ok(ib_json_parse(ib_str_from(text), "test", NULL, &v, &err), &err);
    return v;
}

static void test_row(void **state)
{
    const struct row *r = *state;
    char text[4096];
    IB_CLEANUP(ib_workflow_list_fini) struct ib_workflow_list list = { 0 };
    struct ib_error err = IB_ERROR_INIT;
    struct ib_workflow_facts f;

    (void)snprintf(text, sizeof text, "{\"workflowExecutions\":[%s]}", r->executions);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = parse(text);
    assert_ok(ib_workflow_list_add(&list, v, &err), &err);
    ib_workflow_look(&list, &f);
    if (r->running == NULL) {
        assert_null(f.running);
    } else {
        assert_non_null(f.running);
        assert_string_equal(f.running->id, r->running);
    }
    if (r->first != 0) {
        assert_int_equal(f.has_first, r->first > 0);
        assert_int_equal(f.first_ms % IB_DAY_MS, r->first > 0 ? r->first * IB_HOUR_MS : 0);
    }
    assert_int_equal(f.retried, r->retried);
    assert_int_equal(f.restart_known, r->known);
    if (r->known) {
        assert_int_equal(f.restart_ms % IB_DAY_MS, r->hour * IB_HOUR_MS);
    }
}

static void names_come_from_the_workflows_arn(void **state)
{
    IB_CLEANUP(ib_workflow_list_fini) struct ib_workflow_list list = { 0 };
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v =
        parse("{\"workflowExecutions\":[{" TEST "},{\"workflowBuildVersionArn\":\"odd\"}]}");
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    assert_ok(ib_workflow_list_add(&list, v, &err), &err);
    assert_string_equal(list.items[0].name, "test-image");
    assert_string_equal(list.items[0].type, "TEST");
    assert_string_equal(list.items[1].name, "");
}

static void an_answer_without_list_is_empty_and_one_that_is_no_object_is_an_error(void **state)
{
    IB_CLEANUP(ib_workflow_list_fini) struct ib_workflow_list list = { 0 };
    IB_CLEANUP(ib_value_cleanup) struct ib_value *empty = parse("{}");
    IB_CLEANUP(ib_value_cleanup) struct ib_value *wrong = parse("{\"workflowExecutions\":7}");
    IB_CLEANUP(ib_value_cleanup) struct ib_value *array = parse("[]");
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    assert_ok(ib_workflow_list_add(&list, empty, &err), &err);
    assert_rc(ib_workflow_list_add(&list, wrong, &err), IB_EPARSE, &err);
    assert_rc(ib_workflow_list_add(&list, array, &err), IB_EPARSE, &err);
    assert_rc(ib_workflow_list_add(&list, NULL, &err), IB_EPARSE, &err);
    assert_int_equal(list.count, 0);
}

struct step_row {
    const char *name, *steps, *step; /* step NULL: none */
    bool waits;
};
static const struct step_row step_rows[] = {
    { "the_running_step_is_found",
      "{\"name\":\"A\",\"action\":\"X\",\"status\":\"COMPLETED\"},{\"name\":\"B\",\"action\":\"RunCommand\","
      "\"status\":\"RUNNING\"}", "B", false },
    { "a_waiting_step_is_told_apart",
      "{\"name\":\"Approve\",\"action\":\"WaitForAction\",\"status\":\"RUNNING\"}", "Approve", true },
    { "a_waiting_step_counts_before_another_running_one",
      "{\"name\":\"B\",\"action\":\"X\",\"status\":\"RUNNING\"},{\"name\":\"Approve\",\"action\":"
      "\"WaitForAction\",\"status\":\"RUNNING\"}", "Approve", true },
    { "a_waiting_step_that_was_answered_does_not_count",
      "{\"name\":\"Approve\",\"action\":\"WaitForAction\",\"status\":\"COMPLETED\"}", NULL, false },
    { "no_steps_are_no_step", "", NULL, false },
    { "steps_that_are_no_objects_are_no_step", "1,\"RUNNING\",null", NULL, false },
};
static void test_step(void **state)
{
    const struct step_row *r = *state;
    char text[1024];
    struct ib_workflow_step step = { .name = "untouched" };

    (void)snprintf(text, sizeof text, "{\"steps\":[%s]}", r->steps);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = parse(text);
    assert_int_equal(ib_workflow_running_step(v, &step), r->step != NULL);
    assert_string_equal(step.name, r->step != NULL ? r->step : "untouched");
    assert_int_equal(step.waits, r->waits);
}

/* The first build workflow begins at 05:00. */
struct late_row {
    const char *name, *executions;
    int64_t created_ms; /* against 05:00 */
    bool late;
};
#define FIRST "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"RUNNING\"," AT(05) "}"
#define DONE  "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"COMPLETED\"," AT(05) "}"
static const struct late_row late_rows[] = {
    { "a_build_that_begins_at_once_is_not_late", FIRST, 0, false },
    { "a_build_that_begins_after_30_minutes_is_not_late", FIRST, -30 * IB_MINUTE_MS, false },
    { "a_millisecond_more_is_late", FIRST, -30 * IB_MINUTE_MS - 1, true },
    { "a_build_that_waited_half_a_day_is_late", FIRST, -12 * IB_HOUR_MS, true },
    { "a_build_that_begins_before_it_was_made_is_not_late", FIRST, IB_MINUTE_MS, false },
    { "tests_move_the_start_of_a_late_build_no_further",
      DONE ",{\"workflowExecutionId\":\"wf-2\"," TEST ",\"status\":\"RUNNING\"," AT(09) "}",
      -IB_HOUR_MS, true },
    { "late_tests_make_no_late_build",
      DONE ",{\"workflowExecutionId\":\"wf-2\"," TEST ",\"status\":\"RUNNING\"," AT(09) "}",
      -IB_MINUTE_MS, false },
    { "a_retried_build_goes_by_its_retry",
      FIRST ",{\"workflowExecutionId\":\"wf-0\"," BUILD ",\"status\":\"FAILED\"," AT(01) "}",
      -12 * IB_HOUR_MS, false },
    { "tests_alone_say_nothing",
      "{\"workflowExecutionId\":\"wf-2\"," TEST ",\"status\":\"RUNNING\"," AT(05) "}",
      -12 * IB_HOUR_MS, false },
    { "no_workflow_yet_is_not_late", "", -12 * IB_HOUR_MS, false },
    { "a_workflow_without_start_is_not_late",
      "{\"workflowExecutionId\":\"wf-1\"," BUILD ",\"status\":\"PENDING\"}", -12 * IB_HOUR_MS, false },
};
static void test_late(void **state)
{
    const struct late_row *r = *state;
    char text[1024];
    IB_CLEANUP(ib_workflow_list_fini) struct ib_workflow_list list = { 0 };
    struct ib_error err = IB_ERROR_INIT;
    struct ib_workflow_facts f;
    int64_t five_ms;

    assert_ok(ib_time_parse_iso8601(IB_STR("2026-09-03T05:00:00.000Z"), &five_ms, &err), &err);
    (void)snprintf(text, sizeof text, "{\"workflowExecutions\":[%s]}", r->executions);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = parse(text);
    assert_ok(ib_workflow_list_add(&list, v, &err), &err);
    ib_workflow_look(&list, &f);
    assert_int_equal(ib_workflow_begun_late(&f, five_ms + r->created_ms), r->late);
    if (r->late) {
        assert_int_equal(f.first_ms, five_ms);
    }
}

int main(void)
{
    IB_TEST_ROWS(late_rows, test_late);
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_CASE(names_come_from_the_workflows_arn);
    IB_TEST_CASE(an_answer_without_list_is_empty_and_one_that_is_no_object_is_an_error);
    IB_TEST_ROWS(step_rows, test_step);
    return IB_TEST_RUN();
}
