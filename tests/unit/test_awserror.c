/* SPDX-License-Identifier: MIT */
/* lib/aws/awserror.c: the protocol's error tests, our envelopes, and the sentences for people. */
#include "ib_test.h"

#include <dirent.h>

#include "ib_vectors.h"
#include "lib/aws/awserror.h"

/* Headers of a vector as a list. */
static void fill_headers(const struct ib_value *object, struct ib_headers *headers)
{
    struct ib_error err = IB_ERROR_INIT;

    for (size_t i = 0; i < ib_value_count(object); i++) {
        assert_ok(ib_headers_add(headers, ib_value_key_at(object, i).p,
                                 ib_value_as_str(ib_value_at(object, i)), &err),
                  &err);
    }
}

/* What the client does: JSON when it parses, else only text. */
static void read_error(const struct ib_value *headers, const char *body, struct ib_awserror *ret)
{
    IB_CLEANUP(ib_headers_fini) struct ib_headers h = IB_HEADERS_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *json = NULL;

    fill_headers(headers, &h);
    if (body != NULL && body[0] == '{') {
        (void)(ib_json_parse(ib_str_from(body), "body", NULL, &json, NULL) == IB_OK);
    }
    ib_awserror_read(&h, ib_str_from(body == NULL ? "" : body), json, ret);
}

/* --- the protocol's vectors --- */

static const struct ib_value *vectors;

static void vector_row(void **state)
{
    const struct ib_value *v = *state;
    const char *message = ib_vectors_str(v, "errorMessage");
    struct ib_awserror e;

    read_error(ib_value_path(v, "response.headers"), ib_vectors_str(v, "response.body"), &e);
    assert_string_equal(e.code, ib_vectors_str(v, "errorCode"));
    assert_string_equal(e.message, message == NULL ? "" : message);
}

static void all_12_vectors_were_found(void **state)
{
    (void)state;
    assert_int_equal(ib_value_count(vectors), 12);
}

/* --- our envelopes --- */

struct envelope_row {
    const char *name; /* file below samples/errors */
    const char *code, *message;
    enum ib_rc want;
    const char *sentence;
};
static const struct envelope_row envelope_rows[] = {
    {"access-denied-403-capital-message", "AccessDeniedException",
     "User: arn:aws:sts::123456789012:assumed-role/mon/host is not authorized to perform: "
     "imagebuilder:CancelImageCreation on resource: "
     "arn:aws:imagebuilder:us-west-2:123456789012:image/golden-al2023/1.0.0/1 because no "
     "identity-based policy allows the imagebuilder:CancelImageCreation action",
     IB_EAWS,
     "CancelImageCreation: access denied, the permission imagebuilder:CancelImageCreation is "
     "needed: User: arn:aws:sts"},
    {"cancel-terminal-400", "InvalidParameterValueException", NULL, IB_EAWS,
     "InvalidParameterValueException: "},
    {"client-400", "ClientException", NULL, IB_EAWS, "ClientException: "},
    {"code-in-body", "InvalidRequestException", "bad", IB_EAWS,
     "CancelImageCreation: InvalidRequestException: bad"},
    {"empty-404", "", "", IB_EHTTP, "HTTP 404 without an explanation"},
    {"empty-500", "", "", IB_EHTTP, "HTTP 500 without an explanation"},
    {"expired-token-403", "ExpiredTokenException", NULL, IB_EAWS, "credentials have expired"},
    {"forbidden-403", "ForbiddenException", NULL, IB_EAWS,
     "the permission imagebuilder:CancelImageCreation is needed"},
    {"html-502", "", "", IB_EHTTP, "HTTP 502 with a web page"},
    {"idempotent-mismatch-400", "IdempotentParameterMismatchException", NULL, IB_EAWS,
     "same client token"},
    {"invalid-pagination-token-400", "InvalidPaginationTokenException", NULL, IB_EAWS,
     "InvalidPaginationTokenException"},
    {"invalid-request-400", "InvalidRequestException", NULL, IB_EAWS, "InvalidRequestException"},
    {"message-multiline-pipe", "InvalidRequestException", "line one | has a pipe line two; semi",
     IB_EAWS, "line one | has a pipe line two"},
    {"message-null", "InvalidRequestException", "", IB_EAWS,
     "CancelImageCreation: InvalidRequestException"},
    {"missing-auth-403", "MissingAuthenticationTokenException", NULL, IB_EAWS,
     "check the endpoint URL"},
    {"not-found-404", "ResourceNotFoundException", NULL, IB_EAWS, "ResourceNotFoundException"},
    {"proxy-407", "", "", IB_EHTTP, "HTTP 407"},
    {"resource-in-use-400", "ResourceInUseException", NULL, IB_EAWS, "ResourceInUseException"},
    {"service-500", "ServiceException", NULL, IB_EAWS, "ServiceException"},
    {"service-quota-402", "ServiceQuotaExceededException", NULL, IB_EAWS,
     "ServiceQuotaExceededException"},
    {"signature-expired-403", "InvalidSignatureException", NULL, IB_EAWS, "clock of this machine"},
    {"signature-mismatch-403", "InvalidSignatureException", NULL, IB_EAWS,
     "secret key does not fit"},
    {"throttle-400-front-end", "ThrottlingException", NULL, IB_EAWS, "ThrottlingException"},
    {"throttle-429-retry-after", "CallRateLimitExceededException", "Rate exceeded", IB_EAWS,
     "CallRateLimitExceededException"},
    {"throttle-429-toomany", "TooManyRequestsException", NULL, IB_EAWS, "TooManyRequestsException"},
    {"throttle-429", "CallRateLimitExceededException", NULL, IB_EAWS,
     "CallRateLimitExceededException"},
    {"type-header-with-namespace", "InvalidRequestException", NULL, IB_EAWS,
     "InvalidRequestException"},
    {"type-header-with-uri", "InvalidRequestException", NULL, IB_EAWS, "InvalidRequestException"},
    {"type-in-body-namespace", "InvalidRequestException", "bad", IB_EAWS,
     "InvalidRequestException: bad"},
    {"unavailable-503", "ServiceUnavailableException", NULL, IB_EAWS,
     "ServiceUnavailableException"},
    {"unknown-operation-403", "AccessDeniedException", NULL, IB_EAWS,
     "does not know this operation"},
    {"unrecognized-client-403", "UnrecognizedClientException", NULL, IB_EAWS,
     "does not know the access key"},
    {"xml-403", "AccessDeniedException", "denied", IB_EAWS,
     "the permission imagebuilder:CancelImageCreation is needed: denied"},
};

static void envelope_row(void **state)
{
    const struct envelope_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_awserror e;
    char name[128], path[512];

    (void)snprintf(name, sizeof name, "samples/errors/%s.json", r->name);
    IB_CLEANUP(ib_value_cleanup)
    struct ib_value *v = ib_vectors_json(ib_vectors_ours(name, path, sizeof path));
    assert_non_null(v);
    int status = (int)ib_value_as_int(ib_value_get_c(v, "status"));
    const char *id = ib_vectors_str(v, "headers.x-amzn-RequestId");
    read_error(ib_value_get_c(v, "headers"), ib_vectors_str(v, "body"), &e);
    assert_string_equal(e.code, r->code);
    if (r->message != NULL) {
        assert_string_equal(e.message, r->message);
    } else {
        assert_true(e.message[0] != '\0');
    }
    assert_string_equal(e.request_id, id == NULL ? "" : id);
    assert_rc(ib_awserror_fail(&err, &e, "imagebuilder", "CancelImageCreation", status), r->want,
              &err);
    assert_contains(err.text, r->sentence);
    assert_int_equal(err.http_status, status);
    assert_string_equal(err.aws_code, r->code);
    assert_string_equal(err.request_id, id == NULL ? "" : id);
}

static void every_envelope_has_a_row(void **state)
{
    (void)state;
    char path[512];
    size_t files = 0;
    DIR *d = opendir(ib_vectors_ours("samples/errors", path, sizeof path));

    assert_non_null(d);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        files += strstr(e->d_name, ".json") != NULL;
    }
    (void)closedir(d);
    assert_int_equal(files, IB_ARRAY_LEN(envelope_rows));
}

/* --- other forms --- */

struct form_row {
    const char *name, *type, *error_type, *body;
    const char *code, *message;
    bool is_html;
};
static const struct form_row form_rows[] = {
    {"form_sts", "text/xml", NULL,
     "<ErrorResponse "
     "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</"
     "Type><Code>ExpiredTokenException</Code><Message>late</Message></Error><RequestId>r</"
     "RequestId></ErrorResponse>",
     "ExpiredTokenException", "late", false},
    {"form_ec2_style", "text/xml", NULL,
     "<Response><Errors><Error><Code>AuthFailure</Code><Message>no</Message></Error></Errors></"
     "Response>",
     "AuthFailure", "no", false},
    {"form_page_without_type", NULL, NULL, "  <!DOCTYPE html><html><body>x</body></html>", "", "",
     true},
    {"form_page_with_error_name", "text/html; charset=utf-8", "FooException", "<html>",
     "FooException", "", true},
    {"form_plain_text", "text/plain", NULL, "upstream connect error\nor disconnect", "",
     "upstream connect error or disconnect", false},
    {"form_json_array", "application/json", NULL, "[1]", "", "[1]", false},
    {"form_message_is_a_number", "application/json", "E", "{\"message\": 5}", "E", "", false},
    {"form_error_name_with_blanks", NULL, "  FooException ", "", "FooException", "", false},
    {"form_error_name_with_markup_is_dropped", NULL, "<b>x</b>", "", "", "", false},
    {"form_error_name_too_long_is_dropped", NULL,
     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "", "", "",
     false},
    {"form_broken_xml", "text/xml", NULL, "<Error><Code>x", "", "", false},
    {"form_control_bytes", "text/plain", NULL,
     "a\x1b[31mb\x01"
     "c",
     "", "a [31mb c", false},
};

static void form_row(void **state)
{
    const struct form_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_headers_fini) struct ib_headers h = IB_HEADERS_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *json = NULL;
    struct ib_awserror e;

    if (r->type != NULL) {
        assert_ok(ib_headers_add(&h, "content-type", ib_str_from(r->type), &err), &err);
    }
    if (r->error_type != NULL) {
        assert_ok(ib_headers_add(&h, "X-Amzn-Errortype", ib_str_from(r->error_type), &err), &err);
    }
    if (r->body[0] == '{' || r->body[0] == '[') {
        assert_ok(ib_json_parse(ib_str_from(r->body), "body", NULL, &json, &err), &err);
    }
    ib_awserror_read(&h, ib_str_from(r->body), json, &e);
    assert_string_equal(e.code, r->code);
    assert_string_equal(e.message, r->message);
    assert_int_equal(e.is_html, r->is_html);
}

static void a_redirect_is_told_as_such(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_awserror e = {.code = ""};

    assert_rc(ib_awserror_fail(&err, &e, "imagebuilder", "GetImage", 302), IB_EHTTP, &err);
    assert_contains(err.text, "GetImage: HTTP 302: a redirect");
}

static void reading_and_cancelling_are_told_apart_when_denied(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_awserror e = {.code = "AccessDeniedException"};

    assert_rc(ib_awserror_fail(&err, &e, "imagebuilder", "GetImage", 403), IB_EAWS, &err);
    assert_contains(err.text,
                    "GetImage: access denied, the permission imagebuilder:GetImage is needed");
    assert_rc(ib_awserror_fail(&err, &e, "imagebuilder", "CancelImageCreation", 403), IB_EAWS,
              &err);
    assert_contains(err.text, "imagebuilder:CancelImageCreation is needed");
    assert_true(ib_awserror_is_denied(err.aws_code, err.http_status));
}

struct denied_row {
    const char *name, *message, *sentence;
};
static const struct denied_row denied_rows[] = {
    {"denied_by_another_action_names_that",
     "User: arn:aws:iam::1:user/x is not authorized to perform: "
     "iam:PassRole on resource: arn:aws:iam::1:role/r",
     "permission iam:PassRole is needed: User"},
    {"denied_at_the_end_of_the_text", "x is not authorized to perform: sts:AssumeRole",
     "permission sts:AssumeRole is needed: x is"},
    {"denied_without_an_action_names_the_operations", "not authorized to perform: this on that",
     "permission imagebuilder:CreateImage is needed: not authorized"},
    {"denied_with_nothing_behind_names_the_operations", "not authorized to perform: ",
     "permission imagebuilder:CreateImage is needed: not authorized"},
};
static void denied_row(void **state)
{
    const struct denied_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_awserror e = {.code = "AccessDeniedException"};

    (void)snprintf(e.message, sizeof e.message, "%s", r->message);
    assert_rc(ib_awserror_fail(&err, &e, "imagebuilder", "CreateImage", 403), IB_EAWS, &err);
    assert_contains(err.text, r->sentence);
}

int main(void)
{
    char path[512];
    IB_CLEANUP(ib_value_cleanup)
    struct ib_value *file = ib_vectors_json(
        ib_vectors_shared("aws-vectors/rest-json-error-tests.json", path, sizeof path));

    vectors = ib_value_get_c(file, "tests");
    for (size_t i = 0; i < ib_value_count(vectors); i++) {
        const struct ib_value *v = ib_value_at(vectors, i);
        ib_test_add(ib_vectors_str(v, "id"), vector_row, v);
    }
    if (file == NULL) {
        IB_TEST_SKIP_ROW("the_protocols_error_tests", "no aws-vectors below $IB_SHARED");
    } else {
        IB_TEST_CASE(all_12_vectors_were_found);
    }
    IB_TEST_ROWS(envelope_rows, envelope_row);
    IB_TEST_CASE(every_envelope_has_a_row);
    IB_TEST_ROWS(form_rows, form_row);
    IB_TEST_CASE(a_redirect_is_told_as_such);
    IB_TEST_CASE(reading_and_cancelling_are_told_apart_when_denied);
    IB_TEST_ROWS(denied_rows, denied_row);
    return IB_TEST_RUN();
}
