/* SPDX-License-Identifier: MIT */
/*
 * lib/aws/cred_login.c: the SDKs' vectors of `aws login`. Where they renew a session, ours says what to
 * run: renewing is left to the person who logged in.
 */
#include "cred_world.h"
#include "ib_vectors.h"

#include "lib/data/json.h"

static const char *text_at(const struct ib_value *v, const char *path)
{
    const struct ib_value *found = ib_value_path(v, path);

    return found == NULL ? NULL : ib_value_as_str(found).p;
}

static void vector(void **state)
{
    const struct ib_value *v = *state;
    const struct ib_value *cache = ib_value_get_c(v, "cacheContents");
    const struct ib_value *outcome = ib_value_at(ib_value_get_c(v, "outcomes"), 0);
    const struct ib_aws_options options = { .profile = "signin" };
    struct world w = { .env = { { "HOME", "/h" } },
                       .files = { { "/h/.aws/config", text_at(v, "configContents"), 0, 0 } } };
    IB_CLEANUP(ib_buf_fini) struct ib_buf content = IB_BUF_INIT(65536);
    IB_CLEANUP(ib_aws_config_cleanup) struct ib_aws_config *config = NULL;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials found = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;
    char path[256];
    enum ib_rc rc;

    if (ib_value_count(cache) > 0) {
        (void)snprintf(path, sizeof path, "/h/.aws/login/cache/%s", ib_value_key_at(cache, 0).p);
        ib_json_print(ib_value_at(cache, 0), IB_JSON_COMPACT, &content);
        w.files[1] = (struct world_file){ path, ib_buf_c(&content), 0, 0 };
    }
    rc = world_resolve(&w, &options, &config, &found, &err);
    assert_int_equal(w.request_count, 0);
    if (strcmp(text_at(outcome, "result"), "credentials") == 0 &&
        ib_value_get_c(v, "mockApiCalls") == NULL) {
        assert_ok(rc, &err);
        assert_string_equal(found.access_key_id, text_at(outcome, "accessKeyId"));
        assert_string_equal(found.secret_access_key, text_at(outcome, "secretAccessKey"));
        assert_string_equal(found.session_token, text_at(outcome, "sessionToken"));
        assert_string_equal(found.account_id, text_at(outcome, "accountId"));
        return;
    }
    assert_rc(rc, IB_ECRED, &err);
    assert_contains(err.text, "profile \"signin\": ");
    assert_contains(err.text, ": aws login --profile signin");
}

static void another_cache_directory_is_looked_into(void **state)
{
    /* SHA-256 of "me" */
    struct world w = {
        .env = { { "HOME", "/h" }, { "AWS_LOGIN_CACHE_DIRECTORY", "/c" } },
        .files = { { "/h/.aws/config", "[default]\nlogin_session=me\n", 0, 0 },
                   { "/c/2744ccd10c7533bd736ad890f9dd5cab2adb27b07d500b9493f29cdc420cb2e0.json",
                     "{\"accessToken\":{\"accessKeyId\":\"ASIALOGIN\",\"secretAccessKey\":\"geheim\","
                     "\"sessionToken\":\"geheim\",\"expiresAt\":\"2026-09-03T06:00:00Z\"}}", 0, 0 } },
    };
    const struct ib_aws_options options = { .profile = NULL };
    IB_CLEANUP(ib_aws_config_cleanup) struct ib_aws_config *config = NULL;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials found = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    assert_ok(world_resolve(&w, &options, &config, &found, &err), &err);
    assert_string_equal(found.access_key_id, "ASIALOGIN");
    assert_string_equal(found.provider, "aws login");
}

static void an_expired_session_says_when_and_what_to_run(void **state)
{
    struct world w = {
        .env = { { "HOME", "/h" }, { "AWS_LOGIN_CACHE_DIRECTORY", "/c" } },
        .files = { { "/h/.aws/config", "[default]\nlogin_session=me\n", 0, 0 },
                   { "/c/2744ccd10c7533bd736ad890f9dd5cab2adb27b07d500b9493f29cdc420cb2e0.json",
                     "{\"accessToken\":{\"accessKeyId\":\"ASIALOGIN\",\"secretAccessKey\":\"geheim\","
                     "\"sessionToken\":\"geheim\",\"expiresAt\":\"2026-09-03T05:00:00Z\"}}", 0, 0 } },
    };
    const struct ib_aws_options options = { .profile = NULL };
    IB_CLEANUP(ib_aws_config_cleanup) struct ib_aws_config *config = NULL;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials found = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;
    char want[256];

    (void)state;
    assert_rc(world_resolve(&w, &options, &config, &found, &err), IB_ECRED, &err);
    world_with_uid("profile \"default\": the session of aws login expired at 2026-09-03T05:00:00Z; run as user id UID: "
                   "aws login --profile default", want, sizeof want);
    assert_string_equal(err.text, want);
}

int main(void)
{
    struct ib_buf text = IB_BUF_INIT(IB_VECTORS_FILE_MAX);
    struct ib_value *vectors = NULL;
    struct ib_error err = IB_ERROR_INIT;
    char path[1024];
    int failed;

    IB_TEST_CASE(another_cache_directory_is_looked_into);
    IB_TEST_CASE(an_expired_session_says_when_and_what_to_run);
    if (!ib_vectors_read(ib_vectors_shared("aws-vectors/login-provider-test-cases.json", path, sizeof path), &text)) {
        IB_TEST_SKIP_ROW("login_vectors", "no $IB_SHARED/aws-vectors/login-provider-test-cases.json");
    } else if (ib_json_parse(ib_buf_str(&text), path, NULL, &vectors, &err) != IB_OK) {
        (void)printf("Bail out! %s\n", err.text);
        return 1;
    }
    (void)ib_vectors_least(vectors, 8, path);
    for (size_t i = 0; i < ib_value_count(vectors); i++) {
        const struct ib_value *v = ib_value_at(vectors, i);

        ib_test_add(text_at(v, "documentation"), vector, v);
    }
    failed = IB_TEST_RUN();
    ib_value_unref(vectors);
    ib_buf_fini(&text);
    return failed;
}
