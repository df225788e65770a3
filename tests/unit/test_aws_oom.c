/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out in lib/aws: each scene is run with the n-th allocation of our code failing,
 * for n = 1, 2, ... until none is left to fail. Every run ends with IB_ENOMEM or with the right
 * result; the sanitizers' leak checker watches what is left.
 */
#include "ib_oom.h"

#include "lib/aws/client.h"
#include "lib/aws/http.h"
#include "lib/aws/sigv4.h"
#include "lib/aws/xml.h"

#undef setenv

/* --- scenes: the right result is IB_OK --- */

static enum ib_rc sign(struct ib_error *err)
{
    IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;
    struct ib_sigv4_key key = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token",
                               "us-west-2", "imagebuilder"};
    struct ib_sigv4_request request = {.method = "PUT",
                                       .path = IB_STR("/a/../b"),
                                       .query = IB_STR("b=1&a=%2f"),
                                       .body = IB_STR("{}"),
                                       .now_ms = INT64_C(1788414261000)};
    IB_CLEANUP(ib_sigv4_steps_fini) struct ib_sigv4_steps steps = IB_SIGV4_STEPS_INIT;
    enum ib_rc rc = ib_headers_add(&headers, "Host", IB_STR("h"), err);

    if (rc == IB_OK) {
        rc = ib_sigv4_sign(&key, &request, &headers, &steps, err);
    }
    if (rc == IB_OK) {
        assert_string_equal(ib_buf_c(&steps.canonical_request),
                            "PUT\n/b\na=%2F&b=1\nhost:h\nx-amz-date:20260903T054421Z\n"
                            "x-amz-security-token:token\n\nhost;x-amz-date;x-amz-security-token\n"
                            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    }
    return rc;
}

static enum ib_rc read_xml(struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    enum ib_rc rc = ib_xml_parse(IB_STR("<a><b>1</b><b>2</b><b>3</b><c><d>x</d><e/></c></a>"),
                                 "answer", NULL, &v, err);

    if (rc == IB_OK) {
        assert_int_equal(ib_value_count(ib_value_get_c(v, "b")), 3);
        assert_string_equal(ib_value_as_str(ib_value_path(v, "c.d")).p, "x");
    }
    return rc;
}

static enum ib_rc begin_exchange(struct ib_error *err)
{
    IB_CLEANUP(ib_http_cleanup) struct ib_http *http = NULL;
    IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;
    struct ib_http_options options = {.user_agent = "test"};
    struct ib_http_request request = {.method = "PUT",
                                      .url = "http://127.0.0.1:1/",
                                      .headers = &headers,
                                      .body = IB_STR("{}"),
                                      .deadline = ib_deadline_in(1000)};
    struct ib_http_transfer *transfer;
    enum ib_rc rc = ib_headers_add(&headers, "Host", IB_STR("127.0.0.1:1"), err);

    if (rc == IB_OK) {
        rc = ib_http_new(&options, &http, err);
    }
    if (rc == IB_OK) {
        rc = ib_http_begin(http, &request, &transfer, err);
    }
    return rc;
}

/* Nobody listens at port 1: everything but the answer happens. */
static enum ib_rc call(struct ib_error *err)
{
    IB_CLEANUP(ib_aws_client_cleanup) struct ib_aws_client *client = NULL;
    IB_CLEANUP(ib_aws_response_fini) struct ib_aws_response response = IB_AWS_RESPONSE_INIT;
    struct ib_aws_options options = {.endpoint_url = "http://127.0.0.1:1",
                                     .region = "eu-central-1"};
    struct ib_aws_request request = {.service = "imagebuilder",
                                     .operation = "GetImage",
                                     .method = "PUT",
                                     .path = IB_STR("/GetImage"),
                                     .query = IB_STR("a=b"),
                                     .body = IB_STR("{}"),
                                     .region = "eu-central-1"};
    enum ib_rc rc = ib_aws_client_new(&options, ib_deadline_in(5000), &client, err);

    if (rc == IB_OK) {
        rc = ib_aws_call(client, &request, &response, err);
    }
    return rc == IB_ENET ? IB_OK : rc;
}

struct scene_row {
    const char *name;
    enum ib_rc (*run)(struct ib_error *err);
    long at_least; /* allocations that the scene makes */
};
static const struct scene_row scene_rows[] = {
    {"memory_runs_out_while_signing", sign, 10},
    {"memory_runs_out_while_reading_xml", read_xml, 10},
    {"memory_runs_out_while_beginning_an_exchange", begin_exchange, 5},
    {"memory_runs_out_in_a_call", call, 30},
};

static void scene_row(void **state)
{
    const struct scene_row *r = *state;
    long n = 0;

    for (bool struck = true; struck; n++) {
        struct ib_error err = IB_ERROR_INIT;

        ib_oom_arm((size_t)n + 1);
        enum ib_rc rc = r->run(&err);
        struck = ib_oom_disarm();
        if (rc != IB_OK && (rc != IB_ENOMEM || !struck)) {
            fail_msg("allocation %ld: %s (%s)", n + 1, err.text, ib_rc_name(rc));
        }
        assert_true(n < 10000);
    }
    assert_true(n > r->at_least);
}

int main(void)
{
    (void)setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    (void)setenv("AWS_MAX_ATTEMPTS", "1", 1);
    IB_TEST_ROWS(scene_rows, scene_row);
    return IB_TEST_RUN();
}
