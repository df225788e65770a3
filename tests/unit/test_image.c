/* SPDX-License-Identifier: MIT */
/* Images: every sample answer, broken ones, dates of all forms, order. */
#include "ib_test.h"

#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/imagebuilder/image.h"

#define ARN     "arn:aws:imagebuilder:us-west-2:123456789012:image/golden-al2023/1.0.0/1"
#define CREATED INT64_C(1788414261121) /* 2026-09-03T05:44:21.121Z */

/* Parse a sample; IB_OK and a value, or the parser's error. */
static enum ib_rc read_sample(const char *file, struct ib_value **ret, struct ib_error *err)
{
    static char text[1024 * 1024];
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/tests/data/samples/%s", secure_getenv("abs_top_srcdir"),
                   file);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text, f);
    (void)fclose(f);
    return ib_json_parse((struct ib_str){ text, n }, "GetImage answer", NULL, ret, err);
}

struct good_row {
    const char *name; /* the file, for the sample says what it is about */
    enum ib_image_status status;
    const char *arn, *title;
    bool no_date;
    int64_t created_ms; /* 0 = CREATED */
    const char *reason_begin;
    const char *ami;    /* first AMI, or "" */
    const char *pipeline;
};
#define GOLDEN .arn = ARN, .title = "golden-al2023 1.0.0/1"
#define WEEKLY .pipeline = "golden-weekly"

static const struct good_row good_rows[] = {
    { "get-image/pending.json", IB_IMAGE_PENDING, GOLDEN, WEEKLY },
    { "get-image/creating.json", IB_IMAGE_CREATING, GOLDEN, WEEKLY },
    { "get-image/building.json", IB_IMAGE_BUILDING, GOLDEN, WEEKLY },
    { "get-image/testing.json", IB_IMAGE_TESTING, GOLDEN, WEEKLY, .ami = "ami-0a1b2c3d4e5f60718" },
    { "get-image/distributing.json", IB_IMAGE_DISTRIBUTING, GOLDEN, WEEKLY,
      .ami = "ami-0a1b2c3d4e5f60718" },
    { "get-image/integrating.json", IB_IMAGE_INTEGRATING, GOLDEN, WEEKLY,
      .ami = "ami-0a1b2c3d4e5f60718" },
    { "get-image/available-two-amis.json", IB_IMAGE_AVAILABLE, GOLDEN, WEEKLY,
      .ami = "ami-0a1b2c3d4e5f60718" },
    { "get-image/cancelled.json", IB_IMAGE_CANCELLED, GOLDEN, WEEKLY },
    { "get-image/cancelled-left-ami.json", IB_IMAGE_CANCELLED, GOLDEN, WEEKLY,
      .ami = "ami-0a1b2c3d4e5f60718" },
    { "get-image/failed-no-reason.json", IB_IMAGE_FAILED, GOLDEN, WEEKLY, .reason_begin = "" },
    { "get-image/failed-workflow-reason.json", IB_IMAGE_FAILED, GOLDEN, WEEKLY,
      .reason_begin = "Workflow Execution ID: wf-" },
    { "get-image/failed-multiline-reason.json", IB_IMAGE_FAILED, GOLDEN, WEEKLY,
      .reason_begin = "SSM execution '" },
    { "get-image/deprecated.json", IB_IMAGE_DEPRECATED, GOLDEN, WEEKLY,
      .ami = "ami-0a1b2c3d4e5f60718" },
    { "get-image/deleted.json", IB_IMAGE_DELETED, GOLDEN, WEEKLY },
    { "get-image/disabled.json", IB_IMAGE_DISABLED, GOLDEN, WEEKLY, .ami = "ami-0a1b2c3d4e5f60718" },
    { "get-image/minimal.json", IB_IMAGE_BUILDING, GOLDEN, .pipeline = "" },
    { "get-image-edge/date-epoch-number.json", IB_IMAGE_BUILDING, GOLDEN, WEEKLY },
    { "get-image-edge/date-micros.json", IB_IMAGE_BUILDING, GOLDEN, WEEKLY },
    { "get-image-edge/date-no-fraction.json", IB_IMAGE_BUILDING, GOLDEN, WEEKLY,
      .created_ms = INT64_C(1788414261000) },
    { "get-image-edge/date-offset.json", IB_IMAGE_BUILDING, GOLDEN, WEEKLY },
    { "get-image-edge/date-future.json", IB_IMAGE_BUILDING, GOLDEN, WEEKLY,
      .created_ms = INT64_C(4070908800000) },
    { "get-image-edge/date-garbage.json", IB_IMAGE_BUILDING, GOLDEN, WEEKLY, .no_date = true },
    { "get-image-edge/date-human.json", IB_IMAGE_BUILDING, GOLDEN, WEEKLY, .no_date = true },
    { "get-image-edge/no-datecreated.json", IB_IMAGE_BUILDING, GOLDEN, WEEKLY, .no_date = true },
    { "get-image-edge/null-members.json", IB_IMAGE_BUILDING, GOLDEN, WEEKLY, .reason_begin = "" },
    { "get-image-edge/unknown-status.json", IB_IMAGE_UNHEARD_OF, GOLDEN, WEEKLY },
    { "get-image-edge/unknown-members.json", IB_IMAGE_BUILDING, GOLDEN, WEEKLY },
    { "get-image-edge/failure-context-component.json", IB_IMAGE_FAILED, GOLDEN, WEEKLY },
    { "get-image-edge/deprecationtime-scientific.json", IB_IMAGE_DEPRECATED, GOLDEN, WEEKLY },
    { "get-image/building-china.json", IB_IMAGE_BUILDING, .title = "golden-al2023 1.0.0/1" },
    { "get-image/building-govcloud.json", IB_IMAGE_BUILDING, .title = "golden-al2023 1.0.0/1" },
};
static void test_good(void **state)
{
    const struct good_row *r = *state;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *body = NULL;
    IB_CLEANUP(ib_image_fini) struct ib_image image = { 0 };
    struct ib_image_ami ami = { { 0 } };
    struct ib_error err = IB_ERROR_INIT;
    char title[IB_IMAGE_TITLE_MAX];

    assert_ok(read_sample(r->name, &body, &err), &err);
    struct ib_str arn = ib_value_as_str(ib_value_path(body, "image.arn"));
    assert_ok(ib_image_from_answer(body, r->arn != NULL ? ib_str_from(r->arn) : arn, &image, &err),
              &err);
    assert_int_equal(image.status, r->status);
    assert_string_equal(ib_image_title(&image, title, sizeof title), r->title);
    assert_int_equal(image.has_created, !r->no_date);
    if (!r->no_date) {
        assert_int_equal(image.created_ms, r->created_ms != 0 ? r->created_ms : CREATED);
    }
    if (r->reason_begin != NULL) {
        assert_true(ib_str_starts(image.reason, ib_str_from(r->reason_begin)));
        assert_int_equal(image.reason.n == 0, r->reason_begin[0] == '\0');
    }
    if (r->pipeline != NULL) {
        assert_true(ib_str_eq_c(image.pipeline_name, r->pipeline));
    }
    if (r->ami != NULL) {
        assert_true(ib_image_ami_at(&image, 0, &ami));
        assert_true(ib_str_eq_c(ami.id, r->ami));
    }
}

struct bad_row {
    const char *name; /* the file */
    const char *sentence;
};
static const struct bad_row bad_rows[] = {
    { "get-image-edge/no-state.json", "state.status" },
    { "get-image-edge/no-image.json", "has no image" },
    { "get-image-edge/empty-object.json", "has no image" },
    { "get-image-edge/array.txt", "has no image" },
    { "get-image-edge/state-not-object.txt", "state" },
    { "get-image-edge/status-not-string.txt", "state.status" },
    { "get-image-edge/duplicate-keys.txt", "duplicate" },
    { "get-image-edge/deep-nesting.txt", "" },
    { "get-image-edge/empty.txt", "" },
    { "get-image-edge/not-json.txt", "" },
    { "get-image-edge/nul-escape-in-reason.txt", "" },
    { "get-image-edge/trailing-garbage.txt", "" },
    { "get-image-edge/truncated.txt", "" },
};
static void test_bad(void **state)
{
    const struct bad_row *r = *state;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *body = NULL;
    struct ib_image image = { .build = 77 };
    struct ib_error err = IB_ERROR_INIT;
    enum ib_rc rc = read_sample(r->name, &body, &err);

    if (rc == IB_OK) {
        rc = ib_image_from_answer(body, ib_str_from(ARN), &image, &err);
    }
    assert_true(rc == IB_EPARSE || rc == IB_ELIMIT);
    assert_contains(err.text, r->sentence);
    assert_int_equal(image.build, 77);
}

static struct ib_value *parse(const char *text)
{
    struct ib_value *v = NULL;
    struct ib_error err = IB_ERROR_INIT;

    assert_ok(ib_json_parse(ib_str_from(text), "test", NULL, &v, &err), &err);
    return v;
}

static void an_answer_about_another_build_is_refused(void **state)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *body =
        parse("{\"image\":{\"arn\":\"" ARN "2\",\"state\":{\"status\":\"BUILDING\"}}}");
    struct ib_image image = { 0 };
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    assert_rc(ib_image_from_answer(body, ib_str_from(ARN), &image, &err), IB_EPARSE, &err);
    assert_contains(err.text, "about another build");
    assert_null(image.value);
}

static void the_arn_asked_for_stands_in_for_a_missing_one(void **state)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *body =
        parse("{\"image\":{\"state\":{\"status\":\"BUILDING\"}}}");
    IB_CLEANUP(ib_image_fini) struct ib_image image = { 0 };
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    assert_ok(ib_image_from_answer(body, ib_str_from(ARN), &image, &err), &err);
    assert_true(ib_str_eq_c(image.name, "golden-al2023"));
    assert_true(ib_str_eq_c(image.version, "1.0.0"));
    assert_true(ib_str_eq_c(image.region, "us-west-2"));
    assert_true(ib_str_eq_c(image.account, "123456789012"));
    assert_int_equal(image.build, 1);
    assert_false(image.has_created);
}

static void an_empty_status_is_no_status(void **state)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = parse("{\"state\":{\"status\":\"\"}}");
    struct ib_image image = { 0 };
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    assert_rc(ib_image_decode(v, ib_str_from(ARN), &image, &err), IB_EPARSE, &err);
    assert_contains(err.text, "state.status is empty");
}

struct date_row {
    const char *name, *json;
    bool has;
    int64_t ms;
};
static const struct date_row date_rows[] = {
    { "a_date_in_milliseconds_is_not_taken_for_seconds", "1788414261121", false, 0 },
    { "a_date_of_zero_is_unknown", "0", false, 0 },
    { "a_negative_date_is_unknown", "-1", false, 0 },
    { "an_integer_of_seconds_is_taken", "1788414261", true, INT64_C(1788414261000) },
    { "scientific_seconds_are_taken", "1.788414261E9", true, INT64_C(1788414261000) },
    { "a_date_of_null_is_unknown", "null", false, 0 },
    { "a_date_of_true_is_unknown", "true", false, 0 },
    { "a_date_of_an_object_is_unknown", "{}", false, 0 },
    { "an_empty_date_is_unknown", "\"\"", false, 0 },
    { "the_30th_of_february_is_unknown", "\"2026-02-30T00:00:00Z\"", false, 0 },
    { "a_date_without_zone_is_unknown", "\"2026-09-03T05:44:21\"", false, 0 },
};
static void test_date(void **state)
{
    const struct date_row *r = *state;
    char text[256];
    IB_CLEANUP(ib_image_fini) struct ib_image image = { 0 };
    struct ib_error err = IB_ERROR_INIT;

    (void)snprintf(text, sizeof text, "{\"state\":{\"status\":\"BUILDING\"},\"dateCreated\":%s}",
                   r->json);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = parse(text);
    assert_ok(ib_image_decode(v, ib_str_from(ARN), &image, &err), &err);
    assert_int_equal(image.has_created, r->has);
    if (r->has) {
        assert_int_equal(image.created_ms, r->ms);
    }
}

static void containers_are_walked_over_regions(void **state)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v =
        parse("{\"state\":{\"status\":\"AVAILABLE\"},\"outputResources\":{\"containers\":["
              "{\"region\":\"a\",\"imageUris\":[\"u1\",\"u2\"]},{\"region\":\"b\"},7,"
              "{\"region\":\"c\",\"imageUris\":[\"u3\"]}]}}");
    IB_CLEANUP(ib_image_fini) struct ib_image image = { 0 };
    struct ib_error err = IB_ERROR_INIT;
    struct ib_str region, uri;

    (void)state;
    assert_ok(ib_image_decode(v, ib_str_from(ARN), &image, &err), &err);
    assert_true(ib_image_container_at(&image, 1, &region, &uri));
    assert_true(ib_str_eq_c(region, "a") && ib_str_eq_c(uri, "u2"));
    assert_true(ib_image_container_at(&image, 2, &region, &uri));
    assert_true(ib_str_eq_c(region, "c") && ib_str_eq_c(uri, "u3"));
    assert_false(ib_image_container_at(&image, 3, &region, &uri));
}

static void the_failure_context_is_read(void **state)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *body = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *other = NULL;
    IB_CLEANUP(ib_image_fini) struct ib_image a = { 0 };
    IB_CLEANUP(ib_image_fini) struct ib_image b = { 0 };
    struct ib_image_failure f = { { 0 } };
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    assert_ok(read_sample("get-image-edge/failure-context-component.json", &body, &err), &err);
    assert_ok(ib_image_from_answer(body, ib_str_from(ARN), &a, &err), &err);
    assert_true(ib_image_failure(&a, &f));
    assert_true(ib_str_eq_c(f.step, "ApplyBuildComponents"));
    assert_true(ib_str_eq_c(f.component_step, "ApplyCis"));
    assert_true(ib_str_eq_c(f.message, "exit status 1"));
    assert_ok(read_sample("get-image-edge/failure-context-distribution.json", &other, &err), &err);
    assert_ok(ib_image_from_answer(other, ib_str_from(ARN), &b, &err), &err);
    assert_true(ib_image_failure(&b, &f));
    assert_true(ib_str_eq_c(f.phase, "DISTRIBUTING"));
    assert_true(ib_str_eq_c(f.region, "us-east-1"));
    assert_true(ib_str_eq_c(f.region_status, "TIMED_OUT"));
    assert_int_equal(f.region_count, 1);
}

struct order_row {
    const char *name;
    struct ib_image a, b;
    int sign;
};
static const struct order_row order_rows[] = {
    { "the_later_date_is_newer", { .has_created = true, .created_ms = 2 },
      { .has_created = true, .created_ms = 1, .build = 9 }, -1 },
    { "a_known_date_is_newer_than_none", { .has_created = true, .created_ms = 1 }, { .build = 9 }, -1 },
    { "at_the_same_date_the_higher_build_is_newer",
      { .has_created = true, .created_ms = 1, .build = 10 },
      { .has_created = true, .created_ms = 1, .build = 9 }, -1 },
    { "without_dates_the_higher_build_is_newer", { .build = 10 }, { .build = 9 }, -1 },
    { "equal_ones_are_equal", { .build = 1 }, { .build = 1 }, 0 },
};
static void test_order(void **state)
{
    const struct order_row *r = *state;
    int forth = ib_image_cmp_newest(&r->a, &r->b), back = ib_image_cmp_newest(&r->b, &r->a);

    assert_int_equal((forth > 0) - (forth < 0), r->sign);
    assert_int_equal((back > 0) - (back < 0), -r->sign);
}

int main(void)
{
    IB_TEST_ROWS(good_rows, test_good);
    IB_TEST_ROWS(bad_rows, test_bad);
    IB_TEST_CASE(an_answer_about_another_build_is_refused);
    IB_TEST_CASE(the_arn_asked_for_stands_in_for_a_missing_one);
    IB_TEST_CASE(an_empty_status_is_no_status);
    IB_TEST_ROWS(date_rows, test_date);
    IB_TEST_CASE(containers_are_walked_over_regions);
    IB_TEST_CASE(the_failure_context_is_read);
    IB_TEST_ROWS(order_rows, test_order);
    return IB_TEST_RUN();
}
