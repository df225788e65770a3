/* SPDX-License-Identifier: MIT */
/* lib/imagebuilder/leftover.c: which instances and AMIs a cancelled build's steps made and did not end. */
#include "ib_test.h"

#include "lib/data/json.h"
#include "lib/imagebuilder/leftover.h"

#define STEP(name, action, status, more) \
    "{\"name\":\"" name "\",\"action\":\"" action "\",\"status\":\"" status "\"" more "}"
#define OUT(json)    ",\"outputs\":\"" json "\""
#define IN(json)     ",\"inputs\":\"" json "\""
#define ONE          "{\\\"instanceId\\\":\\\"i-0123456789abcdef0\\\"}"
#define TWO          "{\\\"instanceId\\\":\\\"i-0fedcba9876543210\\\"}"
#define AMI(id)      "{\\\"imageId\\\":\\\"" id "\\\"}"
#define LAUNCHED     STEP("Launch", "LaunchInstance", "COMPLETED", OUT(ONE))

struct row {
    const char *name;
    const char *steps, *other; /* of the first and of a second workflow */
    const char *want;          /* instances, then '/', then AMIs */
};

static const struct row rows[] = {
    {"nothing_was_launched", STEP("Launch", "LaunchInstance", "PENDING", ""), "", "/"},
    {"a_step_that_was_skipped_launched_nothing", STEP("Launch", "LaunchInstance", "SKIPPED", ""), "",
     "/"},
    {"an_instance_that_nobody_terminated", LAUNCHED, "", "i-0123456789abcdef0@Launch /"},
    {"an_instance_that_is_not_named", STEP("Launch", "LaunchInstance", "CANCELLED", ""), "",
     "/"},
    {"a_terminated_instance",
     LAUNCHED "," STEP("End", "TerminateInstance", "COMPLETED", IN(ONE)), "", "/"},
    {"a_terminated_instance_that_is_not_named",
     LAUNCHED "," STEP("End", "TerminateInstance", "COMPLETED", IN("{}")), "", "/"},
    {"the_order_of_steps_does_not_matter",
     STEP("End", "TerminateInstance", "COMPLETED", IN(ONE)) "," LAUNCHED, "", "/"},
    {"a_termination_that_failed",
     LAUNCHED "," STEP("End", "TerminateInstance", "FAILED", IN(ONE)), "",
     "i-0123456789abcdef0@Launch /"},
    {"a_termination_of_another_instance",
     LAUNCHED "," STEP("End", "TerminateInstance", "COMPLETED", IN(TWO)), "",
     "i-0123456789abcdef0@Launch /"},
    {"a_termination_in_another_workflow", LAUNCHED,
     STEP("End", "TerminateInstance", "COMPLETED", IN("{}")), "i-0123456789abcdef0@Launch /"},
    {"instances_of_two_workflows", LAUNCHED,
     STEP("Test", "LaunchInstance", "RUNNING", OUT(TWO)),
     "i-0123456789abcdef0@Launch i-0fedcba9876543210@Test /"},
    {"one_instance_told_twice", LAUNCHED "," LAUNCHED, "", "i-0123456789abcdef0@Launch /"},
    {"an_ami_that_the_image_does_not_list",
     STEP("Make", "CreateImage", "COMPLETED", OUT(AMI("ami-0123456789abcdef0"))), "",
     "/ami-0123456789abcdef0@Make "},
    {"an_ami_that_the_image_lists",
     STEP("Make", "CreateImage", "COMPLETED", OUT(AMI("ami-0aaaaaaaaaaaaaaaa"))), "", "/"},
    {"a_registered_ami",
     STEP("Register", "RegisterImage", "COMPLETED", OUT(AMI("ami-0123456789abcdef0"))), "",
     "/ami-0123456789abcdef0@Register "},
    {"an_ami_without_a_name", STEP("Make", "CreateImage", "RUNNING", ""), "", "/"},
    {"outputs_that_are_no_json", STEP("Launch", "LaunchInstance", "COMPLETED", OUT("i-0123456789")), "",
     "/"},
    {"an_id_that_is_none",
     STEP("Launch", "LaunchInstance", "COMPLETED", OUT("{\\\"instanceId\\\":\\\"i-0123|4567; rm\\\"}")),
     "", "/"},
    {"an_id_that_is_too_long",
     STEP("Launch", "LaunchInstance", "COMPLETED",
          OUT("{\\\"instanceId\\\":\\\"i-0123456789abcdef0123456789abcdef0\\\"}")), "", "/"},
    {"a_name_with_a_pipe", STEP("La|unch", "LaunchInstance", "RUNNING", OUT(ONE)), "",
     "i-0123456789abcdef0@La/unch /"},
    {"steps_that_are_none", "1,null,\"x\",[],{}", "", "/"},
};

static struct ib_value *parse(const char *text)
{
    struct ib_error err = IB_ERROR_INIT;
    struct ib_value *v = NULL;

    assert_ok(ib_json_parse(ib_str_from(text), "test", NULL, &v, &err), &err);
    return v;
}

static void add(struct ib_leftover *left, const char *steps, size_t execution)
{
    char text[4096];

    (void)snprintf(text, sizeof text, "{\"steps\":[%s]}", steps);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *body = parse(text);
    ib_leftover_add(left, body, execution);
}

static void told(const struct ib_leftover *left, char *buf, size_t cap)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT(1024);

    for (size_t i = 0; i < left->instance_count; i++) {
        ib_buf_addf(&b, "%s@%s ", left->instances[i].id, left->instances[i].step);
    }
    ib_buf_add_c(&b, "/");
    for (size_t i = 0; i < left->image_count; i++) {
        ib_buf_addf(&b, "%s@%s ", left->images[i].id, left->images[i].step);
    }
    (void)snprintf(buf, cap, "%s", ib_buf_c(&b));
}

static void row(void **state)
{
    const struct row *r = *state;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *value = parse(
        "{\"state\":{\"status\":\"CANCELLED\"},\"outputResources\":{\"amis\":"
        "[{\"region\":\"r\",\"image\":\"ami-0aaaaaaaaaaaaaaaa\"}]}}");
    struct ib_leftover left = {.instance_count = 0};
    struct ib_image image = {0};
    struct ib_error err = IB_ERROR_INIT;
    char text[1024];

    assert_ok(ib_image_decode(value, IB_STR("arn"), &image, &err), &err);
    add(&left, r->steps, 0);
    add(&left, r->other, 1);
    ib_leftover_settle(&left, &image);
    told(&left, text, sizeof text);
    assert_string_equal(text, r->want);
    ib_image_fini(&image);
}

static void no_more_than_the_most_are_kept(void **state)
{
    (void)state;
    struct ib_leftover left = {.instance_count = 0};
    char step[256];

    for (unsigned i = 0; i < 3 * IB_LEFTOVER_MAX; i++) {
        (void)snprintf(step, sizeof step,
                       STEP("Launch", "LaunchInstance", "RUNNING",
                            OUT("{\\\"instanceId\\\":\\\"i-%08x\\\"}")), i);
        add(&left, step, i);
    }
    assert_int_equal(left.instance_count, IB_LEFTOVER_MAX);
}

int main(void)
{
    IB_TEST_ROWS(rows, row);
    IB_TEST_CASE(no_more_than_the_most_are_kept);
    return IB_TEST_RUN();
}
