/* SPDX-License-Identifier: MIT */
/* lib/aws/imds.c and cred_imds.c: the SDKs' endpoint vectors; tokens, fallback, hop limit, refusals. */
#include "cred_world.h"
#include "ib_vectors.h"

#include "lib/aws/imds.h"
#include "lib/data/json.h"

#define TOKEN_PATH "/latest/api/token"
#define ROLES_PATH "/security-credentials/"
#define ROLE_PATH  "/security-credentials/Mon"
#define GOOD                                                                                        \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIAEXAMPLE0001\",\"SecretAccessKey\":\"geheim1\","            \
    "\"Token\":\"geheim2\",\"Expiration\":\"2026-09-03T11:22:33Z\"}"

/* --- endpoint vectors ------------------------------------------------------------------------------ */

static const struct {
    const char *theirs, *ours;
} errors[] = {
    { "`error` is not a valid endpoint mode", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: \"error\" is neither IPv4 nor IPv6" },
    { "`IPv7` is not a valid endpoint mode", "ec2_metadata_service_endpoint_mode: \"IPv7\" is neither IPv4 nor IPv6" },
    { "invalid uri character", "AWS_EC2_METADATA_SERVICE_ENDPOINT" },
};

static const char *text_of(const struct ib_value *v)
{
    return v == NULL ? NULL : ib_value_as_str(v).p;
}

static void vector(void **state)
{
    const struct ib_value *v = *state;
    const struct ib_value *env = ib_value_get_c(v, "env"), *fs = ib_value_get_c(v, "fs");
    const struct ib_imds_override override = { text_of(ib_value_get_c(v, "endpoint_override")),
                                               text_of(ib_value_get_c(v, "mode_override")) };
    const char *want = text_of(ib_value_path(v, "result.Ok"));
    const char *trouble = text_of(ib_value_path(v, "result.Err"));
    struct world w = { .passwd_home = NULL };
    const struct ib_aws_options options = { .profile = NULL };
    IB_CLEANUP(ib_aws_config_cleanup) struct ib_aws_config *config = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf url = IB_BUF_INIT(2048);
    struct ib_cred_context ctx = { .outside = world_open(&w) };
    struct ib_error err = IB_ERROR_INIT;
    bool plain = false;

    for (size_t i = 0; i < ib_value_count(env); i++) {
        w.env[i] = (struct world_text){ ib_value_key_at(env, i).p, text_of(ib_value_at(env, i)) };
    }
    for (size_t i = 0; i < ib_value_count(fs); i++) {
        w.files[i] = (struct world_file){ ib_value_key_at(fs, i).p, text_of(ib_value_at(fs, i)), 0, 0 };
    }
    assert_ok(ib_aws_config_load(&options, &w.outside, &config, &err), &err);
    ctx.config = config;
    ctx.profiles = config->profiles;
    ctx.profile = config->profile.value;
    if (want != NULL) {
        assert_ok(ib_imds_endpoint(&ctx, &override, &url, &plain, &err), &err);
        ib_buf_add_c(&url, TOKEN_PATH);
        assert_string_equal(ib_buf_c(&url), want);
        return;
    }
    assert_rc(ib_imds_endpoint(&ctx, &override, &url, &plain, &err), IB_ECONFIG, &err);
    for (size_t i = 0; i < IB_ARRAY_LEN(errors); i++) {
        if (strstr(trouble, errors[i].theirs) != NULL) {
            assert_contains(err.text, errors[i].ours);
            return;
        }
    }
    fail_msg("no sentence of ours is known for \"%s\"", trouble);
}

/* --- conversations ------------------------------------------------------------------------------------ */

struct row {
    const char *name;
    struct world world;
    enum ib_rc rc;
    const char *words;     /* whole sentence */
    size_t requests;
    const char *sent_token; /* with the last request */
};

#define TOKEN_OK    { "PUT", TOKEN_PATH, IB_OK, 200, "AQAEAtoken==", 0, 0 }
#define ROLE_OK     { "GET", ROLE_PATH, IB_OK, 200, GOOD, 0, 0 }
#define ROLES_OK    { "GET", ROLES_PATH, IB_OK, 200, "Mon\n", 0, 0 }
#define TOKEN_GIVES(status, body) { "PUT", TOKEN_PATH, IB_OK, status, body, 0, 0 }
#define TOKEN_FAILS(rc)  { "PUT", TOKEN_PATH, rc, 0, "", 0, 0 }
#define ROLES_GIVES(status, body) { "GET", ROLES_PATH, IB_OK, status, body, 0, 0 }
#define ROLE_GIVES(status, body)  { "GET", ROLE_PATH, IB_OK, status, body, 0, 0 }

static const struct row rows[] = {
    { "a_token_is_asked_for_and_sent", { .answers = { TOKEN_OK, ROLE_OK, ROLES_OK } }, IB_OK, "", 3, "AQAEAtoken==" },
    { "forbidden_tokens_lead_to_the_old_way", { .answers = { TOKEN_GIVES(403, ""), ROLE_OK, ROLES_OK } }, IB_OK, "", 3, "" },
    { "unknown_tokens_lead_to_the_old_way", { .answers = { TOKEN_GIVES(404, ""), ROLE_OK, ROLES_OK } }, IB_OK, "", 3, "" },
    { "a_refused_method_leads_to_the_old_way", { .answers = { TOKEN_GIVES(405, ""), ROLE_OK, ROLES_OK } }, IB_OK, "", 3, "" },
    { "silence_leads_to_the_old_way", { .answers = { TOKEN_FAILS(IB_ETIMEOUT), ROLE_OK, ROLES_OK } }, IB_OK, "", 3, "" },
    { "the_old_way_can_be_forbidden_by_environment",
      { .env = { { "AWS_EC2_METADATA_V1_DISABLED", "true" } }, .answers = { TOKEN_GIVES(403, ""), ROLE_OK, ROLES_OK } },
      IB_ECRED, "instance metadata at http://169.254.169.254: no token (HTTP status 403), and AWS_EC2_METADATA_V1_DISABLED "
      "forbids to ask without", 1, "" },
    { "the_old_way_can_be_forbidden_by_profile",
      { .env = { { "HOME", "/h" } }, .files = { { "/h/.aws/config", "[default]\nec2_metadata_v1_disabled=TRUE\n", 0, 0 } },
        .answers = { TOKEN_FAILS(IB_ETIMEOUT), ROLE_OK, ROLES_OK } },
      IB_ENOENT, "instance metadata at http://169.254.169.254: no token (nobody answered), and ec2_metadata_v1_disabled "
      "forbids to ask without", 1, "" },
    { "a_bad_request_gives_up", { .answers = { TOKEN_GIVES(400, ""), ROLE_OK, ROLES_OK } }, IB_ECRED,
      "instance metadata at http://169.254.169.254: HTTP status 400 instead of a token", 1, "" },
    { "a_failing_service_gives_up", { .answers = { TOKEN_GIVES(500, "") } }, IB_ECRED,
      "instance metadata at http://169.254.169.254: HTTP status 500 instead of a token", 1, "" },
    { "nobody_there", { .answers = { TOKEN_FAILS(IB_ENET) } }, IB_ENOENT, "nobody at http://169.254.169.254", 1, "" },
    { "silence_all_around",
      { .answers = { TOKEN_FAILS(IB_ETIMEOUT), { "GET", ROLES_PATH, IB_ETIMEOUT, 0, "", 0, 0 } } }, IB_ENOENT,
      "no answer from http://169.254.169.254 in 1000 ms (not an EC2 instance, or a container behind a hop limit of 1)", 2, "" },
    { "the_hop_limit_is_explained", { .answers = { TOKEN_FAILS(IB_ETIMEOUT), ROLES_GIVES(401, "") } }, IB_ECRED,
      "instance metadata at http://169.254.169.254: it demands a token, and its answer to the request for one never came: "
      "in a container the hop limit of 1 ends it; allow 2 with: aws ec2 modify-instance-metadata-options --instance-id ID "
      "--http-put-response-hop-limit 2", 2, "" },
    { "a_refused_token", { .answers = { TOKEN_OK, ROLES_GIVES(401, "") } }, IB_ECRED,
      "instance metadata at http://169.254.169.254: HTTP status 401, token refused", 2, "AQAEAtoken==" },
    { "no_role_attached", { .answers = { TOKEN_OK, ROLES_GIVES(404, "<html>") } }, IB_ENOENT,
      "no IAM role is attached to this EC2 instance", 2, "AQAEAtoken==" },
    { "metadata_that_is_forbidden", { .answers = { TOKEN_GIVES(403, ""), ROLES_GIVES(403, "Forbidden") } }, IB_ENOENT,
      "http://169.254.169.254 may not be read (HTTP status 403)", 2, "" },
    { "a_role_that_cannot_be_assumed_is_quoted",
      { .answers = { TOKEN_OK, ROLE_GIVES(200, "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"EC2 cannot assume the role Mon\"}"), ROLES_OK } },
      IB_ECRED, "instance metadata has no credentials of role Mon: AssumeRoleUnauthorizedAccess: EC2 cannot assume the role Mon", 3, "AQAEAtoken==" },
    { "credentials_that_are_missing", { .answers = { TOKEN_OK, ROLE_GIVES(404, ""), ROLES_OK } }, IB_ECRED,
      "instance metadata at http://169.254.169.254: HTTP status 404 instead of credentials of role Mon", 3, "AQAEAtoken==" },
    { "a_page_instead_of_a_role", { .answers = { TOKEN_OK, ROLES_GIVES(200, "<html>log in</html>") } }, IB_ECRED,
      "instance metadata: what it lists is no role name", 2, "AQAEAtoken==" },
    { "a_page_instead_of_a_token", { .answers = { TOKEN_GIVES(200, "<html> </html>") } }, IB_ECRED,
      "instance metadata at http://169.254.169.254: what it answered is no token", 1, "" },
    { "an_empty_token", { .answers = { TOKEN_GIVES(200, "\n") } }, IB_ECRED,
      "instance metadata at http://169.254.169.254: answered with a token of 0 bytes", 1, "" },
    { "a_secret_that_is_missing",
      { .answers = { TOKEN_OK, ROLE_GIVES(200, "{\"Code\":\"Success\",\"AccessKeyId\":\"A\"}"), ROLES_OK } }, IB_ECRED,
      "instance metadata: no SecretAccessKey", 3, "AQAEAtoken==" },
    { "a_number_instead_of_a_token",
      { .answers = { TOKEN_OK, ROLE_GIVES(200, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"geheim\",\"Token\":7}"), ROLES_OK } },
      IB_ECRED, "instance metadata: Token is a JSON integer instead of a string", 3, "AQAEAtoken==" },
    { "an_end_that_is_no_time",
      { .answers = { TOKEN_OK, ROLE_GIVES(200, "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"geheim\",\"Token\":\"t\",\"Expiration\":\"soon\"}"), ROLES_OK } },
      IB_ECRED, "instance metadata: Expiration \"soon\" is no time like 2026-09-03T11:22:33Z", 3, "AQAEAtoken==" },
    { "expired_credentials_are_used_on",
      { .answers = { TOKEN_OK, ROLE_GIVES(200, "{\"AccessKeyId\":\"ASIAEXAMPLE0001\",\"SecretAccessKey\":\"geheim\",\"Token\":\"t\",\"Expiration\":\"2020-01-01T00:00:00Z\"}"), ROLES_OK } },
      IB_OK, "", 3, "AQAEAtoken==" },
    { "more_attempts_by_environment",
      { .env = { { "AWS_METADATA_SERVICE_NUM_ATTEMPTS", "3" } }, .answers = { TOKEN_FAILS(IB_ENET) } }, IB_ENOENT,
      "nobody at http://169.254.169.254", 3, "" },
    { "a_timeout_that_is_no_number", { .env = { { "AWS_METADATA_SERVICE_TIMEOUT", "soon" } } }, IB_ECONFIG,
      "AWS_METADATA_SERVICE_TIMEOUT: \"soon\" is no number of seconds up to 60", 0, "" },
};

static void row(void **state)
{
    const struct row *r = *state;
    struct world w = r->world;
    const struct ib_aws_options options = { .profile = NULL };
    IB_CLEANUP(ib_aws_config_cleanup) struct ib_aws_config *config = NULL;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials found = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_cred_context ctx = { .outside = world_open(&w), .deadline = ib_deadline_in(20000) };

    assert_ok(ib_aws_config_load(&options, &w.outside, &config, &err), &err);
    ctx.config = config;
    ctx.profiles = config->profiles;
    ctx.profile = config->profile.value;
    ctx.trail = config->trail;
    assert_rc(ib_cred_imds(&ctx, &found, &err), r->rc, &err);
    assert_no_secret(err.text);
    assert_int_equal(w.request_count, r->requests);
    for (size_t i = 0; i < w.request_count; i++) {
        assert_true((w.requests[i].flags & IB_HTTP_METADATA) != 0);
        assert_int_equal(w.requests[i].timeout_ms, 1000);
    }
    if (r->requests > 0) {
        assert_string_equal(w.requests[r->requests - 1].token, r->sent_token);
    }
    if (r->rc == IB_OK) {
        assert_string_equal(found.provider, "instance metadata");
        assert_string_equal(found.access_key_id, "ASIAEXAMPLE0001");
        assert_string_equal(found.source, "role Mon of this EC2 instance");
    } else {
        assert_string_equal(err.text, r->words);
    }
}

static void the_region_of_the_instance_is_found(void **state)
{
    struct world w = { .answers = { TOKEN_OK, { "GET", "/placement/region", IB_OK, 200, "eu-west-3\n", 0, 0 } } };
    const struct ib_aws_options options = { .profile = NULL };
    const struct ib_deadline deadline = ib_deadline_in(20000);
    IB_CLEANUP(ib_aws_config_cleanup) struct ib_aws_config *config = NULL;
    IB_CLEANUP(ib_aws_setting_fini) struct ib_aws_setting region = { NULL, NULL };
    IB_CLEANUP(ib_aws_setting_fini) struct ib_aws_setting again = { NULL, NULL };
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    assert_ok(ib_aws_config_load(&options, world_open(&w), &config, &err), &err);
    assert_ok(ib_aws_config_region(config, NULL, &deadline, &region, &err), &err);
    assert_string_equal(region.value, "eu-west-3");
    assert_string_equal(region.source, "instance metadata");
    assert_ok(ib_aws_config_region(config, NULL, &deadline, &again, &err), &err);
    assert_int_equal(w.request_count, 2); /* asked once */
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
    IB_TEST_CASE(the_region_of_the_instance_is_found);
    if (!ib_vectors_read(ib_vectors_shared("aws-vectors/imds-endpoint-tests.json", path, sizeof path), &text)) {
        IB_TEST_SKIP_ROW("imds_vectors", "no $IB_SHARED/aws-vectors/imds-endpoint-tests.json");
    } else if (ib_json_parse(ib_buf_str(&text), path, NULL, &vectors, &err) != IB_OK) {
        (void)printf("Bail out! %s\n", err.text);
        return 1;
    }
    tests = ib_vectors_least(ib_value_get_c(vectors, "tests"), 14, path);
    for (size_t i = 0; i < ib_value_count(tests); i++) {
        ib_test_add(text_of(ib_value_get_c(ib_value_at(tests, i), "docs")), vector, ib_value_at(tests, i));
    }
    failed = IB_TEST_RUN();
    ib_value_unref(vectors);
    ib_buf_fini(&text);
    return failed;
}
