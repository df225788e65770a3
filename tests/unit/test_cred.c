/* SPDX-License-Identifier: MIT */
/* The credential providers that ask nobody, the chain, and its sentences, in made-up worlds. */
#include "cred_world.h"

#define KEY    "AKIAEXAMPLE00001"
#define SECRET "geheim/MDENG+bPxRfiCYEXAMPLEKEY"
#define TOKEN  "geheimToken=="
#define NONE_THERE                                                                                  \
    {                                                                                               \
        { "GET", "http", IB_ENET, 0, "", 0, 0 }, { "PUT", "http", IB_ENET, 0, "", 0, 0 }            \
    }

struct row {
    const char *name;
    struct world world;
    struct ib_aws_options options;
    enum ib_rc rc;
    const char *words;    /* whole error sentence, or "" */
    const char *provider; /* that answered */
    const char *key, *token, *account;
};

static const struct row rows[] = {
    { "environment_answers_first",
      { .env = { { "AWS_ACCESS_KEY_ID", KEY }, { "AWS_SECRET_ACCESS_KEY", SECRET }, { "AWS_SESSION_TOKEN", TOKEN },
                 { "AWS_ACCOUNT_ID", "123456789012" }, { "HOME", "/h" } },
        .files = { { "/h/.aws/credentials", "[default]\naws_access_key_id=AKIAOTHER\naws_secret_access_key=geheim\n", 0, 0 } } },
      { 0 }, IB_OK, "", "environment", KEY, TOKEN, "123456789012" },
    { "the_old_name_of_the_token_serves_too",
      { .env = { { "AWS_ACCESS_KEY_ID", KEY }, { "AWS_SECRET_ACCESS_KEY", SECRET }, { "AWS_SECURITY_TOKEN", TOKEN } } },
      { 0 }, IB_OK, "", "environment", KEY, TOKEN, NULL },
    { "keys_in_the_environment_win_over_aws_profile",
      { .env = { { "AWS_ACCESS_KEY_ID", KEY }, { "AWS_SECRET_ACCESS_KEY", SECRET }, { "HOME", "/h" }, { "AWS_PROFILE", "mon" } },
        .files = { { "/h/.aws/credentials", "[mon]\naws_access_key_id=AKIAOTHER\naws_secret_access_key=geheim\n", 0, 0 } } },
      { 0 }, IB_OK, "", "environment", KEY, NULL, NULL },
    { "the_profile_option_skips_the_environment",
      { .env = { { "AWS_ACCESS_KEY_ID", KEY }, { "AWS_SECRET_ACCESS_KEY", SECRET }, { "HOME", "/h" } },
        .files = { { "/h/.aws/credentials", "[mon]\naws_access_key_id=AKIAOTHER\naws_secret_access_key=geheim\n", 0, 0 } } },
      { .profile = "mon" }, IB_OK, "", "profile keys", "AKIAOTHER", NULL, NULL },
    { "keys_in_the_config_file_serve_too",
      { .env = { { "HOME", "/h" } },
        .files = { { "/h/.aws/config", "[default]\naws_access_key_id=AKIAOTHER\naws_secret_access_key=geheim\n"
                                       "aws_session_token=geheim2\naws_account_id=1\n", 0, 0 } } },
      { 0 }, IB_OK, "", "profile keys", "AKIAOTHER", "geheim2", "1" },
    { "half_set_environment_without_secret",
      { .env = { { "AWS_ACCESS_KEY_ID", KEY } } }, { 0 }, IB_ECRED,
      "environment: AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not", NULL, NULL, NULL, NULL },
    { "half_set_environment_without_id",
      { .env = { { "AWS_SECRET_ACCESS_KEY", SECRET } } }, { 0 }, IB_ECRED,
      "environment: AWS_SECRET_ACCESS_KEY is set but AWS_ACCESS_KEY_ID is not", NULL, NULL, NULL, NULL },
    { "a_line_end_in_a_key_is_refused_without_showing_it",
      { .env = { { "AWS_ACCESS_KEY_ID", KEY }, { "AWS_SECRET_ACCESS_KEY", SECRET "\n" } } }, { 0 }, IB_ECRED,
      "environment: the secret access key has a blank, a line end or another character that no secret access key has",
      NULL, NULL, NULL, NULL },
    { "an_expired_environment_says_when",
      { .env = { { "AWS_ACCESS_KEY_ID", KEY }, { "AWS_SECRET_ACCESS_KEY", SECRET },
                 { "AWS_CREDENTIAL_EXPIRATION", "2026-09-03T05:00:00Z" } } }, { 0 }, IB_ECRED,
      "environment: the credentials expired at 2026-09-03T05:00:00Z; AWS_CREDENTIAL_EXPIRATION says so",
      NULL, NULL, NULL, NULL },
    { "half_set_profile",
      { .env = { { "HOME", "/h" } }, .files = { { "/h/.aws/credentials", "[default]\naws_access_key_id=AKIAOTHER\n", 0, 0 } } },
      { 0 }, IB_ECRED, "profile \"default\" has aws_access_key_id but no aws_secret_access_key", NULL, NULL, NULL, NULL },
    { "a_profile_that_was_named_and_is_not_there",
      { .env = { { "HOME", "/h" } }, .files = { { "/h/.aws/config", "[profile other]\nregion=x\n", 0, 0 } } },
      { .profile = "mon" }, IB_ECRED,
      "profile \"mon\" (--profile) does not exist; looked in /h/.aws/config, /h/.aws/credentials (missing)",
      NULL, NULL, NULL, NULL },
    { "a_profile_named_by_the_environment_and_not_there",
      { .env = { { "HOME", "/h" }, { "AWS_PROFILE", "mon" } } }, { 0 }, IB_ECRED,
      "profile \"mon\" (AWS_PROFILE) does not exist; looked in /h/.aws/config (missing), /h/.aws/credentials (missing)",
      NULL, NULL, NULL, NULL },
    { "nothing_anywhere_says_everything_that_was_tried",
      { .env = { { "HOME", "/h" } }, .answers = NONE_THERE }, { 0 }, IB_ECRED,
      "no AWS credentials: environment: AWS_ACCESS_KEY_ID is not set; profile: none named \"default\" in "
      "/h/.aws/config (missing), /h/.aws/credentials (missing); web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not "
      "set; container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are not set; "
      "instance metadata: nobody at http://169.254.169.254", NULL, NULL, NULL, NULL },
    { "metadata_that_is_switched_off_is_not_asked",
      { .env = { { "HOME", "/h" }, { "AWS_EC2_METADATA_DISABLED", "True" } },
        .answers = { { "PUT", "http", IB_EBUG, 0, "", 0, 0 } } }, { .profile = NULL }, IB_ECRED,
      "no AWS credentials: environment: AWS_ACCESS_KEY_ID is not set; profile: none named \"default\" in "
      "/h/.aws/config (missing), /h/.aws/credentials (missing); web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not "
      "set; container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are not set; "
      "instance metadata: switched off by AWS_EC2_METADATA_DISABLED", NULL, NULL, NULL, NULL },
    /* credential_process */
    { "a_program_answers",
      { .env = { { "HOME", "/h" } },
        .files = { { "/h/.aws/config", "[default]\ncredential_process = /opt/x \"a b\"\n", 0, 0 } },
        .run_out = "{\"Version\":1,\"AccessKeyId\":\"AKIAOTHER\",\"SecretAccessKey\":\"geheim\",\"SessionToken\":\"geheim2\","
                   "\"Expiration\":\"2026-09-03T11:22:33Z\",\"AccountId\":\"1\"}" },
      { 0 }, IB_OK, "", "credential_process", "AKIAOTHER", "geheim2", "1" },
    { "a_program_named_in_a_file_of_others_is_not_run",
      { .env = { { "HOME", "/h" } },
        .files = { { "/h/.aws/config", "[default]\ncredential_process = /opt/x\n", 0, true } } },
      { 0 }, IB_ECRED, "profile \"default\": credential_process is not run: /h/.aws/config: others may write it",
      NULL, NULL, NULL, NULL },
    { "a_program_that_fails_is_quoted",
      { .env = { { "HOME", "/h" } },
        .files = { { "/h/.aws/config", "[default]\ncredential_process = /opt/x\n", 0, 0 } },
        .run_out = "", .run_err = "token\n has | expired\n", .run_status = 7 },
      { 0 }, IB_ECRED, "credential_process of profile \"default\": it ended with exit status 7: token has | expired",
      NULL, NULL, NULL, NULL },
    { "a_program_of_another_version",
      { .env = { { "HOME", "/h" } },
        .files = { { "/h/.aws/config", "[default]\ncredential_process = /opt/x\n", 0, 0 } },
        .run_out = "{\"Version\":2,\"AccessKeyId\":\"AKIAOTHER\",\"SecretAccessKey\":\"geheim\"}" },
      { 0 }, IB_ECRED, "credential_process of profile \"default\": its answer has no \"Version\": 1, the only one known",
      NULL, NULL, NULL, NULL },
    { "a_program_without_secret",
      { .env = { { "HOME", "/h" } },
        .files = { { "/h/.aws/config", "[default]\ncredential_process = /opt/x\n", 0, 0 } },
        .run_out = "{\"Version\":1,\"AccessKeyId\":\"AKIAOTHER\"}" },
      { 0 }, IB_ECRED, "credential_process of profile \"default\": no SecretAccessKey", NULL, NULL, NULL, NULL },
    { "a_program_with_expired_credentials",
      { .env = { { "HOME", "/h" } },
        .files = { { "/h/.aws/config", "[default]\ncredential_process = /opt/x\n", 0, 0 } },
        .run_out = "{\"Version\":1,\"AccessKeyId\":\"AKIAOTHER\",\"SecretAccessKey\":\"geheim\",\"Expiration\":\"2020-01-01T00:00:00Z\"}" },
      { 0 }, IB_ECRED, "credential_process of profile \"default\": the credentials expired at 2020-01-01T00:00:00Z",
      NULL, NULL, NULL, NULL },
    { "a_program_that_is_killed_at_the_deadline",
      { .env = { { "HOME", "/h" } },
        .files = { { "/h/.aws/config", "[default]\ncredential_process = /opt/x\n", 0, 0 } }, .run_rc = IB_ETIMEOUT },
      { 0 }, IB_ETIMEOUT, "credential_process of profile \"default\": made-up failure (timeout)", NULL, NULL, NULL, NULL },
    { "a_program_through_a_source_profile_is_run",
      { .env = { { "HOME", "/h" } },
        .files = { { "/h/.aws/config", "[default]\nrole_arn=arn:aws:iam::123456789012:role/r\nsource_profile=p\nregion=eu-central-1\n"
                                       "[profile p]\ncredential_process = /opt/x\n", 0, 0 } },
        .run_out = "", .run_status = 1 },
      { 0 }, IB_ECRED, "credential_process of profile \"p\": it ended with exit status 1", NULL, NULL, NULL, NULL },
};

static void row(void **state)
{
    const struct row *r = *state;
    struct world w = r->world;
    IB_CLEANUP(ib_aws_config_cleanup) struct ib_aws_config *config = NULL;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials found = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;
    enum ib_rc rc = world_resolve(&w, &r->options, &config, &found, &err);

    assert_no_secret(err.text);
    for (size_t i = 0; config != NULL && i < config->trail->count; i++) {
        assert_no_secret(config->trail->rows[i].text);
    }
    if (r->rc != IB_OK) {
        assert_rc(rc, r->rc, &err);
        assert_string_equal(err.text, r->words);
        return;
    }
    assert_ok(rc, &err);
    assert_string_equal(found.provider, r->provider);
    assert_string_equal(found.access_key_id, r->key);
    assert_string_equal(found.session_token == NULL ? "" : found.session_token,
                        r->token == NULL ? "" : r->token);
    assert_string_equal(found.account_id == NULL ? "" : found.account_id,
                        r->account == NULL ? "" : r->account);
    assert_contains(found.secret_access_key, WORLD_SECRET);
}

int main(void)
{
    IB_TEST_ROWS(rows, row);
    return IB_TEST_RUN();
}
