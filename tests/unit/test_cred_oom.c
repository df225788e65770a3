/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out while credentials are looked for: each provider with the n-th allocation of
 * our code failing, for n = 1, 2, ... until none is left to fail. Every run ends with IB_ENOMEM
 * or with the right credentials; the sanitizers' leak checker watches what is left.
 */
#include "cred_world.h"
#include "ib_oom.h"

#define ROLE "arn:aws:iam::123456789012:role/mon"
#define STS                                                                                         \
    "<XResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAGOOD</AccessKeyId>"                       \
    "<SecretAccessKey>geheim</SecretAccessKey><SessionToken>geheim</SessionToken>"                        \
    "<Expiration>2026-09-03T11:22:33Z</Expiration></Credentials></AssumeRoleResult></XResponse>"
#define JSON                                                                                        \
    "{\"Version\":1,\"Code\":\"Success\",\"AccessKeyId\":\"ASIAGOOD\",\"SecretAccessKey\":\"geheim\","          \
    "\"Token\":\"geheim\",\"SessionToken\":\"geheim\",\"Expiration\":\"2026-09-03T11:22:33Z\"}"
#define SSO_FILE "/h/.aws/sso/cache/33febd43e85e7055634d1bbdb1289705ac4fa42a.json" /* SHA-1 of "mon" */

struct row {
    const char *name;
    struct world world;
    struct ib_aws_options options;
    long at_least; /* allocations that the scene makes */
};
static struct row rows[] = {
    { "memory_runs_out_with_the_environment",
      { .env = { { "AWS_ACCESS_KEY_ID", "ASIAGOOD" }, { "AWS_SECRET_ACCESS_KEY", "geheim" } } }, { 0 }, 5 },
    { "memory_runs_out_with_a_chain_of_roles",
      { .env = { { "HOME", "/h" }, { "AWS_REGION", "eu-central-1" } },
        .files = { { "/h/.aws/config", "[default]\nrole_arn=" ROLE "\nsource_profile=b\nexternal_id=ext\n[profile b]\n"
                                       "role_arn=" ROLE "\nsource_profile=c\n", 0, 0 },
                   { "/h/.aws/credentials", "[c]\naws_access_key_id=AKIA\naws_secret_access_key=geheim\n", 0, 0 } },
        .answers = { { "POST", "sts.", IB_OK, 200, STS, 0, 0 } } }, { .role_arn = ROLE }, 100 },
    { "memory_runs_out_with_sso",
      { .env = { { "HOME", "/h" } },
        .files = { { "/h/.aws/config", "[default]\nsso_session=mon\nsso_account_id=1\nsso_role_name=r\n[sso-session mon]\n"
                                       "sso_region=eu-west-1\nsso_start_url=https://s.example\n", 0, 0 },
                   { SSO_FILE, "{\"accessToken\":\"geheim\",\"expiresAt\":\"2026-01-01T00:00:00Z\",\"clientId\":\"c\","
                               "\"clientSecret\":\"geheim\",\"refreshToken\":\"geheim\"}", 0, 0 } },
        .answers = { { "POST", "oidc.", IB_OK, 200, "{\"accessToken\":\"geheim\",\"expiresIn\":28800,\"refreshToken\":\"geheim\"}", 0, 0 },
                     { "GET", "portal.sso.", IB_OK, 200,
                       "{\"roleCredentials\":{\"accessKeyId\":\"ASIAGOOD\",\"secretAccessKey\":\"geheim\",\"sessionToken\":\"geheim\","
                       "\"expiration\":1788434553000}}", 0, 0 } } }, { 0 }, 60 },
    { "memory_runs_out_with_a_program",
      { .env = { { "HOME", "/h" } }, .files = { { "/h/.aws/config", "[default]\ncredential_process=x\n", 0, 0 } }, .run_out = JSON },
      { 0 }, 20 },
    { "memory_runs_out_with_a_container",
      { .env = { { "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c" }, { "AWS_CONTAINER_AUTHORIZATION_TOKEN", "geheim" } },
        .answers = { { "GET", "/c", IB_OK, 200, JSON, 0, 0 } } }, { 0 }, 20 },
    { "memory_runs_out_with_instance_metadata",
      { .answers = { { "PUT", "token", IB_OK, 200, "token", 0, 0 }, { "GET", "credentials/Mon", IB_OK, 200, JSON, 0, 0 },
                     { "GET", "credentials/", IB_OK, 200, "Mon", 0, 0 } } }, { 0 }, 20 },
};

static void row(void **state)
{
    const struct row *r = *state;
    long n = 0;

    for (bool struck = true; struck; n++) {
        struct world w = r->world;
        struct ib_aws_config *config = NULL;
        struct ib_credentials found = IB_CREDENTIALS_INIT;
        struct ib_error err = IB_ERROR_INIT;

        ib_oom_arm((size_t)n + 1);
        enum ib_rc rc = world_resolve(&w, &r->options, &config, &found, &err);
        struck = ib_oom_disarm();
        if (rc == IB_OK) {
            assert_string_equal(found.access_key_id, "ASIAGOOD");
        } else if (rc != IB_ENOMEM || !struck) {
            fail_msg("allocation %ld: %s (%s)", n + 1, err.text, ib_rc_name(rc));
        }
        ib_credentials_fini(&found);
        ib_aws_config_free(config);
        assert_true(n < 20000);
    }
    assert_true(n > r->at_least);
}

int main(void)
{
    IB_TEST_ROWS(rows, row);
    return IB_TEST_RUN();
}
