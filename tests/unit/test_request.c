/* SPDX-License-Identifier: MIT */
/* Requests as the operation table makes them. */
#include "ib_test.h"

#include "lib/data/json.h"
#include "lib/imagebuilder/request.h"

struct row {
    const char *name, *operation, *params, *body;
    const char *method, *path, *query, *want_body; /* want_body NULL: no body */
    bool no_retry;
};
static const struct row rows[] = {
    { "get_image_has_its_arn_encoded_in_the_query", "GetImage",
      "{\"imageBuildVersionArn\":\"arn:aws:imagebuilder:us-west-2:1:image/golden/1.0.0/1\"}", NULL,
      "GET", "/GetImage",
      "imageBuildVersionArn=arn%3Aaws%3Aimagebuilder%3Aus-west-2%3A1%3Aimage%2Fgolden%2F1.0.0%2F1",
      NULL, false },
    { "cancel_has_everything_in_the_body", "CancelImageCreation",
      "{\"imageBuildVersionArn\":\"a\",\"clientToken\":\"t\"}", NULL, "PUT", "/CancelImageCreation",
      "", "{\"imageBuildVersionArn\":\"a\",\"clientToken\":\"t\"}", false },
    { "a_list_without_parameters_sends_an_empty_object", "ListImages", NULL, NULL, "POST",
      "/ListImages", "", "{}", false },
    { "numbers_stay_numbers_in_the_body", "ListImages", "{\"maxResults\":25}", NULL, "POST",
      "/ListImages", "", "{\"maxResults\":25}", false },
    { "a_whole_body_is_sent_as_it_is", "ListImages", NULL, "{\"x\":[1]}", "POST", "/ListImages", "",
      "{\"x\":[1]}", false },
    { "a_path_parameter_is_encoded_with_its_slashes", "TagResource",
      "{\"resourceArn\":\"arn:aws:x/y\",\"tags\":{\"a\":\"b\"}}", NULL, "POST",
      "/tags/arn%3Aaws%3Ax%2Fy", "", "{\"tags\":{\"a\":\"b\"}}", true },
    { "a_list_in_the_query_is_repeated", "UntagResource",
      "{\"resourceArn\":\"r\",\"tagKeys\":[\"a b\",\"c\"]}", NULL, "DELETE", "/tags/r",
      "tagKeys=a%20b&tagKeys=c", NULL, false },
};
static struct ib_value *parse(const char *text)
{
    struct ib_value *v = NULL;
    struct ib_error err = IB_ERROR_INIT;

    if (text != NULL) {
        assert_ok(ib_json_parse(ib_str_from(text), "test", NULL, &v, &err), &err);
    }
    return v;
}
static void test_row(void **state)
{
    const struct row *r = *state;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *params = parse(r->params);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *body = parse(r->body);
    IB_CLEANUP(ib_imagebuilder_request_fini)
    struct ib_imagebuilder_request request = IB_IMAGEBUILDER_REQUEST_INIT;
    struct ib_imagebuilder_params all = { params, body, "eu-central-1" };
    struct ib_error err = IB_ERROR_INIT;

    assert_ok(ib_imagebuilder_prepare(ib_operation_find(ib_str_from(r->operation)), &all, &request,
                                      &err),
              &err);
    assert_string_equal(request.aws.service, "imagebuilder");
    assert_string_equal(request.aws.operation, r->operation);
    assert_string_equal(request.aws.method, r->method);
    assert_string_equal(request.aws.region, "eu-central-1");
    assert_true(ib_str_eq_c(request.aws.path, r->path));
    assert_true(ib_str_eq_c(request.aws.query, r->query));
    assert_int_equal(request.aws.no_retry, r->no_retry);
    if (r->want_body == NULL) {
        assert_null(request.aws.body.p);
    } else {
        assert_true(ib_str_eq_c(request.aws.body, r->want_body));
    }
}

struct bad_row {
    const char *name, *operation, *params, *body, *sentence;
};
static const struct bad_row bad_rows[] = {
    { "a_parameter_that_the_operation_lacks_is_refused", "GetImage", "{\"clientToken\":\"t\"}", NULL,
      "GetImage has no parameter clientToken" },
    { "a_missing_path_parameter_is_refused", "ListTagsForResource", "{}", NULL,
      "parameter resourceArn is missing" },
    { "an_empty_path_parameter_is_refused", "ListTagsForResource", "{\"resourceArn\":\"\"}", NULL,
      "parameter resourceArn is empty" },
    { "an_object_in_the_query_is_refused", "GetImage", "{\"imageBuildVersionArn\":{}}", NULL,
      "parameter imageBuildVersionArn is object" },
    { "null_in_the_query_is_refused", "GetImage", "{\"imageBuildVersionArn\":null}", NULL,
      "parameter imageBuildVersionArn is null" },
    { "a_body_for_a_get_is_refused", "GetImage", NULL, "{}", "GetImage takes no body" },
    { "a_body_parameter_beside_a_body_is_refused", "ListImages", "{\"maxResults\":1}", "{}",
      "stands beside a whole body" },
};
static void test_bad(void **state)
{
    const struct bad_row *r = *state;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *params = parse(r->params);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *body = parse(r->body);
    IB_CLEANUP(ib_imagebuilder_request_fini)
    struct ib_imagebuilder_request request = IB_IMAGEBUILDER_REQUEST_INIT;
    struct ib_imagebuilder_params all = { params, body, NULL };
    struct ib_error err = IB_ERROR_INIT;

    assert_rc(ib_imagebuilder_prepare(ib_operation_find(ib_str_from(r->operation)), &all, &request,
                                      &err),
              IB_EUSAGE, &err);
    assert_contains(err.text, r->sentence);
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_ROWS(bad_rows, test_bad);
    return IB_TEST_RUN();
}
