/* SPDX-License-Identifier: MIT */
/* lib/aws/cred_container.c: the SDKs' URL vectors; hosts, tokens, refusals. */
#include "cred_world.h"
#include "ib_vectors.h"

#include "lib/data/json.h"

#define RELATIVE "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
#define FULL     "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define TOKEN    "AWS_CONTAINER_AUTHORIZATION_TOKEN"
#define FILE_VAR "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
#define GOOD                                                                                        \
    "{\"AccessKeyId\":\"ASIAEXAMPLE0001\",\"SecretAccessKey\":\"geheim1\",\"Token\":\"geheim2\","            \
    "\"Expiration\":\"2026-09-03T11:22:33Z\",\"AccountId\":\"123456789012\"}"

static const struct {
    const char *theirs, *ours;
    enum ib_rc rc;
} errors[] = {
    { "No environment variables were set", RELATIVE " and " FULL " are not set", IB_ENOENT },
    { "URI did not specify a host", FULL ": it names no host", IB_ECONFIG },
};

static void vector(void **state)
{
    const struct ib_value *v = *state;
    const struct ib_value *env = ib_value_get_c(v, "env");
    const struct ib_value *want = ib_value_path(v, "result.Ok");
    const struct ib_value *trouble = ib_value_path(v, "result.ErrorContains");
    struct world w = { .passwd_home = NULL };
    IB_CLEANUP(ib_buf_fini) struct ib_buf url = IB_BUF_INIT(2048);
    struct ib_error err = IB_ERROR_INIT;
    bool is_metadata;
    enum ib_rc rc;

    for (size_t i = 0; i < ib_value_count(env); i++) {
        w.env[i] = (struct world_text){ ib_value_key_at(env, i).p,
                                        ib_value_as_str(ib_value_at(env, i)).p };
    }
    rc = ib_cred_container_url(world_open(&w), &url, &is_metadata, &err);
    if (want != NULL) {
        assert_ok(rc, &err);
        assert_string_equal(ib_buf_c(&url), ib_value_as_str(want).p);
        return;
    }
    for (size_t i = 0; i < IB_ARRAY_LEN(errors); i++) {
        if (strstr(ib_value_as_str(trouble).p, errors[i].theirs) != NULL) {
            assert_int_equal(rc, errors[i].rc);
            assert_string_equal(err.text, errors[i].ours);
            return;
        }
    }
    fail_msg("no sentence of ours is known for \"%s\"", ib_value_as_str(trouble).p);
}

struct row {
    const char *name;
    struct world world;
    enum ib_rc rc;
    const char *words;  /* whole sentence */
    const char *url;    /* that was asked */
    const char *authorization;
    size_t requests;
};

#define ANSWERS(status, body) { { "GET", "http", IB_OK, status, body, 0, 0 } }

static const struct row rows[] = {
    { "the_token_of_the_environment_is_sent",
      { .env = { { RELATIVE, "/v2/x" }, { TOKEN, "Basic geheim" } }, .answers = ANSWERS(200, GOOD) }, IB_OK, "",
      "http://169.254.170.2/v2/x", "Basic geheim", 1 },
    { "the_token_file_comes_before_the_token",
      { .env = { { FULL, "http://169.254.170.23/v1/credentials" }, { TOKEN, "geheim-old" }, { FILE_VAR, "/var/t" } },
        .files = { { "/var/t", "geheim-new\n", 0, 0 } }, .answers = ANSWERS(200, GOOD) }, IB_OK, "",
      "http://169.254.170.23/v1/credentials", "geheim-new", 1 },
    { "https_to_any_host", { .env = { { FULL, "https://mine.example:8443/c?x=1" } }, .answers = ANSWERS(200, GOOD) },
      IB_OK, "", "https://mine.example:8443/c?x=1", "", 1 },
    { "loopback_addresses_may_be_plain", { .env = { { FULL, "http://127.4.5.6/c" } }, .answers = ANSWERS(200, GOOD) },
      IB_OK, "", "http://127.4.5.6/c", "", 1 },
    { "plain_http_to_another_host_is_refused_before_the_token_is_read",
      { .env = { { FULL, "http://mine.example/c" }, { FILE_VAR, "/missing" } } }, IB_ECONFIG,
      FULL ": plain http is allowed to loopback and to the hosts of ECS and EKS only, not to mine.example", "", "", 0 },
    { "a_relative_uri_without_slash_could_be_a_host",
      { .env = { { RELATIVE, ".evil.example/" } } }, IB_ECONFIG, RELATIVE ": it does not begin with '/'", "", "", 0 },
    { "a_line_end_in_the_token_is_refused",
      { .env = { { RELATIVE, "/c" }, { TOKEN, "geheim\r\nX: y" } } }, IB_ECRED,
      TOKEN ": a line end or control character in the token", "", "", 0 },
    { "a_line_end_inside_the_token_file_is_refused",
      { .env = { { RELATIVE, "/c" }, { FILE_VAR, "/var/t" } }, .files = { { "/var/t", "geheim\nX: y\n", 0, 0 } } },
      IB_ECRED, FILE_VAR ": a line end or control character in the token", "", "", 0 },
    { "a_token_file_that_is_missing", { .env = { { RELATIVE, "/c" }, { FILE_VAR, "/var/t" } } }, IB_ECRED,
      FILE_VAR ": /var/t: not there", "", "", 0 },
    { "a_refusal_is_quoted",
      { .env = { { RELATIVE, "/c" } }, .answers = ANSWERS(401, "{\"code\":\"AuthorizationFailed\",\"message\":\"no\"}") },
      IB_ECRED, "container credentials at http://169.254.170.2/c: HTTP status 401 AuthorizationFailed: no",
      "http://169.254.170.2/c", "", 1 },
    { "failures_of_the_service_are_tried_three_times",
      { .env = { { RELATIVE, "/c" } }, .answers = ANSWERS(500, "oops") }, IB_ECRED,
      "container credentials at http://169.254.170.2/c: HTTP status 500", "http://169.254.170.2/c", "", 3 },
    { "silence_is_tried_three_times",
      { .env = { { RELATIVE, "/c" } }, .answers = { { "GET", "http", IB_ETIMEOUT, 0, "", 0, 0 } } }, IB_ETIMEOUT,
      "container credentials: made-up failure (timeout)", "http://169.254.170.2/c", "", 3 },
    { "a_good_answer_behind_a_bad_one",
      { .env = { { RELATIVE, "/c" } },
        .answers = { { "GET", "http", IB_ENET, 0, "", 1, 0 }, { "GET", "http", IB_OK, 200, GOOD, 0, 0 } } }, IB_OK, "",
      "http://169.254.170.2/c", "", 2 },
    { "redirects_are_not_followed", { .env = { { RELATIVE, "/c" } }, .answers = ANSWERS(302, "") }, IB_ECRED,
      "container credentials at http://169.254.170.2/c: HTTP status 302", "http://169.254.170.2/c", "", 1 },
    { "expired_credentials_are_refused",
      { .env = { { RELATIVE, "/c" } },
        .answers = ANSWERS(200, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"geheim\",\"Token\":\"geheim\",\"Expiration\":\"2020-01-01T00:00:00Z\"}") },
      IB_ECRED, "container credentials at http://169.254.170.2/c: the credentials expired at 2020-01-01T00:00:00Z",
      "http://169.254.170.2/c", "", 1 },
    { "an_array_instead_of_an_object", { .env = { { RELATIVE, "/c" } }, .answers = ANSWERS(200, "[]") }, IB_ECRED,
      "container credentials at http://169.254.170.2/c: a JSON array instead of an object", "http://169.254.170.2/c", "", 1 },
};

static void row(void **state)
{
    const struct row *r = *state;
    struct world w = r->world;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials found = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;
    const struct ib_cred_context ctx = { .outside = world_open(&w), .deadline = ib_deadline_in(20000) };

    assert_rc(ib_cred_container(&ctx, &found, &err), r->rc, &err);
    assert_no_secret(err.text);
    assert_int_equal(w.request_count, r->requests);
    if (r->requests > 0) {
        assert_string_equal(w.requests[0].url, r->url);
        assert_string_equal(w.requests[0].authorization, r->authorization);
    }
    if (r->rc == IB_OK) {
        assert_string_equal(found.provider, "container");
        assert_string_equal(found.access_key_id, "ASIAEXAMPLE0001");
        assert_string_equal(found.account_id, "123456789012");
    } else {
        assert_string_equal(err.text, r->words);
    }
}

int main(void)
{
    struct ib_buf text = IB_BUF_INIT(IB_VECTORS_FILE_MAX);
    struct ib_value *vectors = NULL;
    const struct ib_value *tests;
    struct ib_error err = IB_ERROR_INIT;
    char path[1024];
    int failed;

    IB_TEST_ROWS(rows, row);
    if (!ib_vectors_read(ib_vectors_shared("aws-vectors/ecs-tests.json", path, sizeof path), &text)) {
        IB_TEST_SKIP_ROW("container_vectors", "no $IB_SHARED/aws-vectors/ecs-tests.json");
    } else if (ib_json_parse(ib_buf_str(&text), path, NULL, &vectors, &err) != IB_OK) {
        (void)printf("Bail out! %s\n", err.text);
        return 1;
    }
    tests = ib_vectors_least(ib_value_get_c(vectors, "tests"), 11, path);
    for (size_t i = 0; i < ib_value_count(tests); i++) {
        const struct ib_value *v = ib_value_at(tests, i);

        ib_test_add(ib_value_as_str(ib_value_get_c(v, "docs")).p, vector, v);
    }
    failed = IB_TEST_RUN();
    ib_value_unref(vectors);
    ib_buf_fini(&text);
    return failed;
}
