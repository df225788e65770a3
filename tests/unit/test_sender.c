/* SPDX-License-Identifier: MIT */
/* lib/watch/sender.c: what is sent for a call of a workflow, and to whom nothing is sent. */
#include "arazzo_test.h"

#include "lib/watch/sender.h"

#define ARN "arn:aws:imagebuilder:eu-central-1:123456789012:image/web/1.4.2/7"

struct row {
    const char *name, *id;
    struct ib_openapi_operation openapi; /* method.p NULL: none */
    const char *path, *query, *headers, *cookies, *body, *content_type;
    const char *sent;  /* NULL: refused */
    const char *error;
    enum ib_rc rc;
};

#define VIEW(text) { (text), sizeof(text) - 1 }
#define FROM_OPENAPI(m, p, s) { .method = VIEW(m), .path = VIEW(p), .server = VIEW(s) }
#define HERE "https://imagebuilder.{region}.amazonaws.com"

static const struct row rows[] = {
    { .name = "a_read_by_query", .id = "GetImage", .query = "{\"imageBuildVersionArn\":\"" ARN "\"}",
      .sent = "GET /GetImage?imageBuildVersionArn=arn%3Aaws%3Aimagebuilder%3Aeu-central-1%3A123456789012%3Aimage%2Fweb%2F1.4.2%2F7" },
    { .name = "a_change_by_body", .id = "CancelImageCreation",
      .body = "{\"imageBuildVersionArn\":\"" ARN "\",\"clientToken\":\"t\"}", .content_type = "Application/JSON",
      .sent = "PUT /CancelImageCreation {\"imageBuildVersionArn\":\"" ARN "\",\"clientToken\":\"t\"}" },
    { .name = "a_list_without_a_body", .id = "ListImages", .sent = "POST /ListImages {}" },
    { .name = "a_path_parameter", .id = "ListTagsForResource", .path = "{\"resourceArn\":\"a/b c\"}",
      .sent = "GET /tags/a%2Fb%20c" },
    { .name = "a_path_and_a_query_parameter", .id = "UntagResource", .path = "{\"resourceArn\":\"a\"}",
      .query = "{\"tagKeys\":[\"x\",\"y\"]}", .sent = "DELETE /tags/a?tagKeys=x&tagKeys=y" },
    { .name = "a_path_parameter_and_a_body", .id = "TagResource", .path = "{\"resourceArn\":\"a\"}",
      .body = "{\"tags\":{\"k\":\"v\"}}", .sent = "POST /tags/a {\"tags\":{\"k\":\"v\"}}" },
    { .name = "a_payload_that_is_text_is_JSON", .id = "ListImages", .body = "\"{\\\"maxResults\\\": 3}\"",
      .sent = "POST /ListImages {\"maxResults\":3}" },
    { .name = "a_payload_that_is_other_text_is_refused", .id = "ListImages", .body = "\"a=b\"",
      .error = "payload:1:1", .rc = IB_EPARSE },
    { .name = "an_operation_that_openapi_names_otherwise", .id = "readImage",
      .openapi = FROM_OPENAPI("GET", "/GetImage", HERE), .query = "{\"imageBuildVersionArn\":\"" ARN "\"}",
      .sent = "GET /GetImage?imageBuildVersionArn=arn%3Aaws%3Aimagebuilder%3Aeu-central-1%3A123456789012%3Aimage%2Fweb%2F1.4.2%2F7" },
    { .name = "an_operation_that_only_openapi_knows", .id = "Brand new",
      .openapi = FROM_OPENAPI("PUT", "/BrandNew/{id}", HERE), .path = "{\"id\":\"x/y\"}", .query = "{\"n\":1}",
      .body = "{\"clientToken\":\"t\"}", .sent = "PUT /BrandNew/x%2Fy?n=1 {\"clientToken\":\"t\"}" },
    { .name = "an_unknown_operation", .id = "GetImag", .error = "there is no operation \"GetImag\"", .rc = IB_ECONFIG },
    { .name = "a_parameter_that_the_operation_does_not_have", .id = "GetImage", .query = "{\"arn\":\"x\"}",
      .error = "GetImage has no parameter arn", .rc = IB_EUSAGE },
    { .name = "a_parameter_in_the_wrong_place", .id = "GetImage", .path = "{\"imageBuildVersionArn\":\"" ARN "\"}",
      .error = "GetImage: parameter imageBuildVersionArn belongs in query, not in path", .rc = IB_EUSAGE },
    { .name = "a_body_parameter_in_the_query", .id = "CancelImageCreation", .query = "{\"clientToken\":\"t\"}",
      .error = "CancelImageCreation: parameter clientToken belongs in the body, not in query", .rc = IB_EUSAGE },
    { .name = "a_path_parameter_that_the_path_does_not_have", .id = "New",
      .openapi = FROM_OPENAPI("GET", "/New", HERE), .path = "{\"id\":\"x\"}", .error = "New has no path parameter id", .rc = IB_EUSAGE },
    { .name = "a_path_parameter_that_is_missing", .id = "ListTagsForResource", .error = "parameter resourceArn is missing", .rc = IB_EUSAGE },
    { .name = "a_header_parameter", .id = "GetImage", .headers = "{\"Authorization\":\"x\"}",
      .error = "Image Builder takes no header parameters (Authorization)", .rc = IB_EUSAGE },
    { .name = "a_cookie_parameter", .id = "GetImage", .cookies = "{\"c\":\"x\"}",
      .error = "Image Builder takes no cookie parameters (c)", .rc = IB_EUSAGE },
    { .name = "another_content_type", .id = "ListImages", .body = "{}", .content_type = "application/xml",
      .error = "Image Builder takes application/json, not application/xml", .rc = IB_EUSAGE },
    { .name = "a_body_for_a_read", .id = "GetImage", .body = "{}", .error = "GetImage takes no body", .rc = IB_EUSAGE },
    { .name = "what_is_read_must_be_an_ARN", .id = "GetImage", .query = "{\"imageBuildVersionArn\":\"web-server\"}",
      .error = "imageBuildVersionArn", .rc = IB_EUSAGE },
    { .name = "what_is_read_must_be_text", .id = "GetImage", .query = "{\"imageBuildVersionArn\":7}",
      .error = "imageBuildVersionArn must be text, not integer", .rc = IB_EUSAGE },
    { .name = "a_version_cannot_be_cancelled", .id = "CancelImageCreation",
      .body = "{\"imageBuildVersionArn\":\"arn:aws:imagebuilder:eu-central-1:123456789012:image/web/1.4.2\"}",
      .error = "imageBuildVersionArn", .rc = IB_EUSAGE },
};

struct call {
    struct ib_arazzo_call call;
    struct ib_value *parts[5];
};

static void make_call(const struct row *r, struct call *c)
{
    const char *const texts[] = { r->path, r->query, r->headers, r->cookies, r->body };

    for (size_t i = 0; i < IB_ARRAY_LEN(texts); i++) {
        c->parts[i] = json(texts[i] != NULL || i == 4 ? texts[i] : "{}");
    }
    c->call = (struct ib_arazzo_call){
        .step_id = IB_STR("step"),
        .operation_id = ib_str_from(r->id),
        .openapi = r->openapi.method.p == NULL ? NULL : &r->openapi,
        .path = c->parts[0],
        .query = c->parts[1],
        .headers = c->parts[2],
        .cookies = c->parts[3],
        .body = c->parts[4],
        .content_type = ib_str_from(r->content_type),
    };
}

static void end_call(struct call *c)
{
    for (size_t i = 0; i < IB_ARRAY_LEN(c->parts); i++) {
        ib_value_unref(c->parts[i]);
    }
}

static void test_row(void **state)
{
    const struct row *r = *state;
    struct call c;
    struct ib_buf out = IB_BUF_INIT(8192);
    struct ib_error err = IB_ERROR_INIT;

    make_call(r, &c);
    assert_rc(ib_sender_describe(&c.call, &out, &err), r->rc, &err);
    if (r->sent != NULL) {
        assert_string_equal(ib_buf_c(&out), r->sent);
    } else {
        assert_contains(err.text, r->error);
    }
    ib_buf_fini(&out);
    end_call(&c);
}

/* --- servers ------------------------------------------------------------------------------------ */

struct server_row {
    const char *name;
    const char *server;
    bool good;
};

static const struct server_row server_rows[] = {
    { "the_endpoint_of_any_region", "https://imagebuilder.{region}.amazonaws.com", true },
    { "the_endpoint_of_one_region", "https://imagebuilder.eu-central-1.amazonaws.com/", true },
    { "the_endpoint_of_china", "https://imagebuilder.cn-north-1.amazonaws.com.cn", true },
    { "the_fips_endpoint", "https://imagebuilder-fips.us-gov-west-1.amazonaws.com", true },
    { "the_dual_stack_endpoint", "https://imagebuilder.eu-central-1.api.aws", true },
    { "plain_http_names_the_host_only", "http://imagebuilder.us-east-1.amazonaws.com", true },
    { "a_relative_server_is_the_endpoint", "/", true },
    { "another_service_is_refused", "https://ec2.eu-central-1.amazonaws.com", false },
    { "another_host_is_refused", "https://example.com", false },
    { "a_name_that_only_begins_well_is_refused", "https://imagebuilder.eu-central-1.amazonaws.com.example.com", false },
    { "a_name_with_more_before_the_suffix_is_refused", "https://imagebuilder.evil.example/amazonaws.com", false },
    { "a_suffix_without_its_dot_is_refused", "https://imagebuilder.eu-central-1.evilamazonaws.com", false },
    { "a_port_is_refused", "https://imagebuilder.eu-central-1.amazonaws.com:8443", false },
    { "a_user_is_refused", "https://imagebuilder.x@example.com", false },
    { "a_path_is_refused", "https://imagebuilder.eu-central-1.amazonaws.com/v2", false },
    { "another_scheme_is_refused", "ftp://imagebuilder.eu-central-1.amazonaws.com", false },
    { "an_empty_region_is_refused", "https://imagebuilder..amazonaws.com", false },
    { "two_labels_as_a_region_are_refused", "https://imagebuilder.a.b.amazonaws.com", false },
};

static void test_server(void **state)
{
    const struct server_row *r = *state;
    const struct row row = {
        .id = "ListImages",
        .openapi = { .method = VIEW("POST"), .path = VIEW("/ListImages"),
                     .server = ib_str_from(r->server) },
    };
    struct ib_sender sender = { .client = NULL };
    struct ib_arazzo_reply reply = { .status = 0 };
    struct ib_error err = IB_ERROR_INIT;
    struct call c;

    make_call(&row, &c);
    if (r->good) {
        assert_ok(ib_sender_call(&sender, &c.call, &reply, &err), &err);
        assert_true(reply.withheld);
    } else {
        assert_rc(ib_sender_call(&sender, &c.call, &reply, &err), IB_EREFUSED, &err);
        assert_contains(err.text, "is not the endpoint of Image Builder: no request is signed for it");
    }
    end_call(&c);
}

/* --- the gate ----------------------------------------------------------------------------------- */

static enum ib_rc refuse_changes(void *ctx, const struct ib_arazzo_call *call,
                                 const struct ib_operation *operation, bool changes,
                                 struct ib_error *err)
{
    (void)call;
    ++*(int *)ctx;
    assert_non_null(operation);
    return changes ? ib_fail(err, IB_EREFUSED, "not this one") : IB_OK;
}

static void a_gate_keeps_a_change_from_being_sent(void **state)
{
    const struct row read = { .id = "ListImages" };
    const struct row change = { .id = "StartImagePipelineExecution" };
    int asked = 0;
    struct ib_sender sender = { .gate = refuse_changes, .ctx = &asked };
    struct ib_arazzo_reply reply = { .status = 0 };
    struct ib_error err = IB_ERROR_INIT;
    struct call c;

    (void)state;
    make_call(&read, &c);
    assert_ok(ib_sender_call(&sender, &c.call, &reply, &err), &err);
    assert_false(ib_sender_changes(&c.call));
    end_call(&c);
    make_call(&change, &c);
    assert_rc(ib_sender_call(&sender, &c.call, &reply, &err), IB_EREFUSED, &err);
    assert_true(ib_sender_changes(&c.call));
    assert_string_equal(err.text, "not this one");
    assert_int_equal(asked, 2);
    end_call(&c);
}

static void every_operation_of_the_table_is_known_and_described(void **state)
{
    (void)state;
    for (size_t i = 0; i < IB_OPERATION_COUNT; i++) {
        const struct ib_operation *op = ib_operation_at(i);
        const struct row row = { .id = op->name,
                                 .path = op->path_params[0] == '\0' ? NULL
                                                                    : "{\"resourceArn\":\"a\"}" };
        struct ib_buf out = IB_BUF_INIT(1024);
        struct ib_error err = IB_ERROR_INIT;
        struct call c;
        make_call(&row, &c);
        assert_true(ib_sender_knows(NULL, ib_str_from(op->name)));
        assert_ok(ib_sender_describe(&c.call, &out, &err), &err);
        assert_true(ib_str_starts(ib_buf_str(&out), ib_str_from(op->method)));
        assert_int_equal(ib_sender_changes(&c.call), !ib_operation_reads(op));
        ib_buf_fini(&out);
        end_call(&c);
    }
    assert_false(ib_sender_knows(NULL, IB_STR("getImage")));
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_ROWS(server_rows, test_server);
    IB_TEST_CASE(a_gate_keeps_a_change_from_being_sent);
    IB_TEST_CASE(every_operation_of_the_table_is_known_and_described);
    return IB_TEST_RUN();
}
