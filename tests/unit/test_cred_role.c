/* SPDX-License-Identifier: MIT */
/* Roles through STS: chains, --role-arn, web identity, refusals, in made-up worlds. */
#include "cred_world.h"

#include "lib/aws/sts.h"
#include "lib/aws/url.h"

#define STS_XML(action, key, extra)                                                                 \
    "<" action "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" action "Result>"         \
    "<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/mon/x</Arn></AssumedRoleUser>"          \
    "<Credentials><AccessKeyId>" key "</AccessKeyId><SecretAccessKey>geheim-" key "</SecretAccessKey>"     \
    "<SessionToken>geheim&#43;token</SessionToken>" extra "</Credentials></" action "Result></" action "Response>"
#define END "<Expiration>2026-09-03T11:22:33Z</Expiration>"
#define ERROR_XML(code, message)                                                                    \
    "<ErrorResponse><Error><Type>Sender</Type><Code>" code "</Code><Message>" message "</Message></Error>" \
    "<RequestId>r-1</RequestId></ErrorResponse>"
#define STS(status, body) { "POST", "sts.", IB_OK, status, body, 0, 0 }
#define GOOD STS(200, STS_XML("AssumeRole", "ASIAROLE1", END))
#define WEB  STS(200, STS_XML("AssumeRoleWithWebIdentity", "ASIAROLE1", END))

#define ROLE  "arn:aws:iam::123456789012:role/mon"
#define ROLE2 "arn:aws:iam::210987654321:role/second"
#define BASE  "[base]\naws_access_key_id=AKIABASE\naws_secret_access_key=geheim-base\n"
#define PROFILE_OF(more)                                                                            \
    { .env = { { "HOME", "/h" }, { "AWS_REGION", "eu-central-1" } },                                   \
      .files = { { "/h/.aws/config", "[default]\nrole_arn=" ROLE "\nsource_profile=base\n" more, 0, 0 },  \
                 { "/h/.aws/credentials", BASE, 0, 0 } },                                             \
      .answers = { GOOD } }

struct row {
    const char *name;
    struct world world;
    struct ib_aws_options options;
    enum ib_rc rc;
    const char *words;          /* whole sentence, or part of it when it begins with "..." */
    size_t requests;
    const char *url, *sent[5];  /* of the first request: parts of its body; "!" in front: not in it */
};

static const struct row rows[] = {
    { "a_role_of_the_profile_is_assumed_by_its_source", PROFILE_OF(""), { 0 }, IB_OK, "", 1,
      "https://sts.eu-central-1.amazonaws.com/",
      { "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fmon&RoleSessionName=ib-plugins-",
        "!ExternalId", "!DurationSeconds" } },
    { "external_id_duration_and_session_name_are_sent",
      PROFILE_OF("external_id=ext/1\nduration_seconds=900\nrole_session_name=icinga@host\n"), { 0 }, IB_OK, "", 1,
      "https://sts.eu-central-1.amazonaws.com/",
      { "ExternalId=ext%2F1", "DurationSeconds=900", "RoleSessionName=icinga%40host" } },
    { "the_role_option_is_assumed_on_top_of_the_environment",
      { .env = { { "AWS_ACCESS_KEY_ID", "AKIAENV" }, { "AWS_SECRET_ACCESS_KEY", "geheim" }, { "AWS_REGION", "us-gov-west-1" } },
        .answers = { GOOD } },
      { .role_arn = ROLE, .external_id = "ext" }, IB_OK, "", 1, "https://sts.us-gov-west-1.amazonaws.com/",
      { "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fmon", "ExternalId=ext" } },
    { "the_role_option_is_assumed_on_top_of_a_profiles_role", PROFILE_OF(""), { .role_arn = ROLE2 }, IB_OK, "", 2,
      "https://sts.eu-central-1.amazonaws.com/", { "role%2Fmon" } },
    { "without_a_region_the_global_sts_is_asked",
      { .env = { { "AWS_ACCESS_KEY_ID", "AKIAENV" }, { "AWS_SECRET_ACCESS_KEY", "geheim" } }, .answers = { GOOD } },
      { .role_arn = ROLE }, IB_OK, "", 1, "https://sts.amazonaws.com/", { "RoleArn" } },
    { "legacy_regional_endpoints_mean_the_global_sts",
      { .env = { { "AWS_ACCESS_KEY_ID", "AKIAENV" }, { "AWS_SECRET_ACCESS_KEY", "geheim" }, { "AWS_REGION", "eu-west-1" },
                 { "AWS_STS_REGIONAL_ENDPOINTS", "legacy" } }, .answers = { GOOD } },
      { .role_arn = ROLE }, IB_OK, "", 1, "https://sts.amazonaws.com/", { "RoleArn" } },
    { "legacy_means_nothing_to_newer_regions",
      { .env = { { "AWS_ACCESS_KEY_ID", "AKIAENV" }, { "AWS_SECRET_ACCESS_KEY", "geheim" }, { "AWS_REGION", "eu-south-1" },
                 { "AWS_STS_REGIONAL_ENDPOINTS", "legacy" } }, .answers = { GOOD } },
      { .role_arn = ROLE }, IB_OK, "", 1, "https://sts.eu-south-1.amazonaws.com/", { "RoleArn" } },
    { "a_configured_endpoint_of_sts_is_asked",
      { .env = { { "AWS_ACCESS_KEY_ID", "AKIAENV" }, { "AWS_SECRET_ACCESS_KEY", "geheim" }, { "AWS_REGION", "eu-west-1" },
                 { "AWS_ENDPOINT_URL_STS", "https://vpce-1.sts.eu-west-1.vpce.amazonaws.com" } }, .answers = { GOOD } },
      { .role_arn = ROLE, .endpoint_url = "https://vpce-2.imagebuilder.eu-west-1.vpce.amazonaws.com" }, IB_OK, "", 1,
      "https://vpce-1.sts.eu-west-1.vpce.amazonaws.com/", { "RoleArn" } },
    { "a_stand_in_on_loopback_speaks_for_sts_too",
      { .env = { { "AWS_ACCESS_KEY_ID", "AKIAENV" }, { "AWS_SECRET_ACCESS_KEY", "geheim" }, { "AWS_REGION", "eu-west-1" } },
        .answers = { { "POST", "127.0.0.1", IB_OK, 200, STS_XML("AssumeRole", "ASIAROLE1", END), 0, 0 } } },
      { .role_arn = ROLE, .endpoint_url = "http://127.0.0.1:9" }, IB_OK, "", 1, "http://127.0.0.1:9/", { "RoleArn" } },
    { "mfa_fails_clearly_and_asks_nobody", PROFILE_OF("mfa_serial=arn:aws:iam::123456789012:mfa/me\n"), { 0 }, IB_ECRED,
      "profile \"default\": role " ROLE " demands MFA (mfa_serial), and nobody is here to type a code; give monitoring a role "
      "that trusts it without", 0, NULL, { 0 } },
    { "a_duration_that_is_no_number", PROFILE_OF("duration_seconds=1h\n"), { 0 }, IB_ECRED,
      "profile \"default\": duration_seconds \"1h\" is no number from 900 to 43200", 0, NULL, { 0 } },
    { "a_session_name_that_sts_would_refuse", PROFILE_OF("role_session_name=a b\n"), { 0 }, IB_ECRED,
      "...role session name \"a b\" has other than 2 to 64 characters", 0, NULL, { 0 } },
    { "a_role_option_that_is_no_role",
      { .env = { { "AWS_ACCESS_KEY_ID", "AKIAENV" }, { "AWS_SECRET_ACCESS_KEY", "geheim" } } },
      { .role_arn = "arn:aws:iam::123456789012:user/mon" }, IB_ECRED,
      "--role-arn: \"arn:aws:iam::123456789012:user/mon\" is no role; one looks like arn:aws:iam::123456789012:role/NAME",
      0, NULL, { 0 } },
    { "a_role_that_may_not_be_assumed_names_both_sides",
      { .env = { { "HOME", "/h" }, { "AWS_REGION", "eu-central-1" } },
        .files = { { "/h/.aws/config", "[default]\nrole_arn=" ROLE "\nsource_profile=base\n", 0, 0 },
                   { "/h/.aws/credentials", BASE, 0, 0 } },
        .answers = { STS(403, ERROR_XML("AccessDenied", "User: arn:aws:iam::1:user/mon is not authorized to perform: "
                                                        "sts:AssumeRole on resource: " ROLE)) } },
      { 0 }, IB_EAWS, "...role " ROLE " (profile \"default\", by profile keys): ", 1,
      "https://sts.eu-central-1.amazonaws.com/", { 0 } },
    { "an_answer_that_expired_already",
      { .env = { { "AWS_ACCESS_KEY_ID", "AKIAENV" }, { "AWS_SECRET_ACCESS_KEY", "geheim" } },
        .answers = { STS(200, STS_XML("AssumeRole", "ASIAROLE1", "<Expiration>2020-01-01T00:00:00Z</Expiration>")) } },
      { .role_arn = ROLE }, IB_ECRED,
      "role " ROLE ": the credentials expired at 2020-01-01T00:00:00Z; is the clock of this host right?", 1,
      "https://sts.amazonaws.com/", { 0 } },
    { "an_answer_without_secret",
      { .env = { { "AWS_ACCESS_KEY_ID", "AKIAENV" }, { "AWS_SECRET_ACCESS_KEY", "geheim" } },
        .answers = { STS(200, "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId></Credentials>"
                              "</AssumeRoleResult></AssumeRoleResponse>") } },
      { .role_arn = ROLE }, IB_ECRED, "answer of STS: no SecretAccessKey", 1, "https://sts.amazonaws.com/", { 0 } },
    { "an_answer_that_is_a_page",
      { .env = { { "AWS_ACCESS_KEY_ID", "AKIAENV" }, { "AWS_SECRET_ACCESS_KEY", "geheim" } },
        .answers = { STS(200, "<html><body>log in</body></html>") } },
      { .role_arn = ROLE }, IB_EPARSE, "...answer of STS: no AssumeRoleResult in it", 1, "https://sts.amazonaws.com/", { 0 } },
    { "a_redirect_is_not_followed",
      { .env = { { "AWS_ACCESS_KEY_ID", "AKIAENV" }, { "AWS_SECRET_ACCESS_KEY", "geheim" } }, .answers = { STS(302, "") } },
      { .role_arn = ROLE }, IB_EHTTP, "...302", 1, "https://sts.amazonaws.com/", { 0 } },
    { "throttling_is_tried_again",
      { .env = { { "AWS_ACCESS_KEY_ID", "AKIAENV" }, { "AWS_SECRET_ACCESS_KEY", "geheim" } },
        .answers = { { "POST", "sts.", IB_OK, 400, ERROR_XML("Throttling", "Rate exceeded"), 1, 0 }, GOOD } },
      { .role_arn = ROLE }, IB_OK, "", 2, "https://sts.amazonaws.com/", { "RoleArn" } },
    { "a_source_that_has_nothing_is_named",
      { .env = { { "HOME", "/h" }, { "AWS_REGION", "eu-central-1" } },
        .files = { { "/h/.aws/config", "[default]\nrole_arn=" ROLE "\ncredential_source=EcsContainer\n", 0, 0 } } },
      { 0 }, IB_ECRED, "profile \"default\": no credentials to assume role " ROLE " with: "
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are not set", 0, NULL, { 0 } },
    /* web identity */
    { "a_web_identity_of_the_environment",
      { .env = { { "AWS_WEB_IDENTITY_TOKEN_FILE", "/var/t" }, { "AWS_ROLE_ARN", ROLE }, { "AWS_ROLE_SESSION_NAME", "pod" },
                 { "AWS_REGION", "eu-central-1" } },
        .files = { { "/var/t", "geheim.jwt\n", 0, 0 } }, .answers = { WEB } },
      { 0 }, IB_OK, "", 1, "https://sts.eu-central-1.amazonaws.com/",
      { "Action=AssumeRoleWithWebIdentity", "RoleSessionName=pod", "WebIdentityToken=geheim.jwt" } },
    { "a_web_identity_of_the_profile",
      { .env = { { "HOME", "/h" }, { "AWS_REGION", "eu-central-1" } },
        .files = { { "/h/.aws/config", "[default]\nrole_arn=" ROLE "\nweb_identity_token_file=/var/t\n", 0, 0 },
                   { "/var/t", "geheim.jwt", 0, 0 } },
        .answers = { WEB } },
      { 0 }, IB_OK, "", 1, "https://sts.eu-central-1.amazonaws.com/", { "WebIdentityToken=geheim.jwt" } },
    { "the_profile_option_skips_the_environments_web_identity",
      { .env = { { "AWS_WEB_IDENTITY_TOKEN_FILE", "/var/t" }, { "AWS_ROLE_ARN", ROLE }, { "HOME", "/h" } },
        .files = { { "/var/t", "geheim.jwt\n", 0, 0 }, { "/h/.aws/credentials", BASE, 0, 0 } } },
      { .profile = "base" }, IB_OK, "", 0, NULL, { 0 } },
    { "a_web_identity_without_role",
      { .env = { { "AWS_WEB_IDENTITY_TOKEN_FILE", "/var/t" } } }, { 0 }, IB_ECRED,
      "environment: AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not", 0, NULL, { 0 } },
    { "a_web_identity_file_that_is_missing",
      { .env = { { "AWS_WEB_IDENTITY_TOKEN_FILE", "/var/t" }, { "AWS_ROLE_ARN", ROLE } } }, { 0 }, IB_ECRED,
      "environment: web identity token: /var/t: not there", 0, NULL, { 0 } },
    { "a_web_identity_file_that_is_empty",
      { .env = { { "AWS_WEB_IDENTITY_TOKEN_FILE", "/var/t" }, { "AWS_ROLE_ARN", ROLE } }, .files = { { "/var/t", "\n", 0, 0 } } },
      { 0 }, IB_ECRED, "environment: web identity token file /var/t is empty", 0, NULL, { 0 } },
    { "a_web_identity_token_that_expired_is_named",
      { .env = { { "AWS_WEB_IDENTITY_TOKEN_FILE", "/var/t" }, { "AWS_ROLE_ARN", ROLE } },
        .files = { { "/var/t", "geheim.jwt", 0, 0 } },
        .answers = { STS(400, ERROR_XML("ExpiredTokenException", "Token expired")) } },
      { 0 }, IB_EAWS, "...role " ROLE " (environment, token of /var/t): AssumeRoleWithWebIdentity: ExpiredTokenException", 1,
      "https://sts.amazonaws.com/", { 0 } },
    { "an_identity_provider_that_is_not_reached_is_tried_again",
      { .env = { { "AWS_WEB_IDENTITY_TOKEN_FILE", "/var/t" }, { "AWS_ROLE_ARN", ROLE } },
        .files = { { "/var/t", "geheim.jwt", 0, 0 } },
        .answers = { { "POST", "sts.", IB_OK, 400, ERROR_XML("IDPCommunicationError", "x"), 1, 0 }, WEB } },
      { 0 }, IB_OK, "", 2, "https://sts.amazonaws.com/", { 0 } },
};

static void compare_requests(const struct row *r, const struct world *w)
{
    assert_int_equal(w->request_count, r->requests);
    if (r->requests == 0) {
        return;
    }
    assert_string_equal(w->requests[0].url, r->url);
    for (size_t i = 0; i < IB_ARRAY_LEN(r->sent) && r->sent[i] != NULL; i++) {
        if (r->sent[i][0] == '!') {
            assert_null(strstr(w->requests[0].body, r->sent[i] + 1));
        } else {
            assert_contains(w->requests[0].body, r->sent[i]);
        }
    }
    /* A web identity proves itself; everything else is signed. */
    if (strstr(w->requests[0].body, "WebIdentity") != NULL) {
        assert_string_equal(w->requests[0].authorization, "");
    } else {
        assert_contains(w->requests[0].authorization, "AWS4-HMAC-SHA256 Credential=AKIA");
    }
}

static void row(void **state)
{
    const struct row *r = *state;
    struct world w = r->world;
    IB_CLEANUP(ib_aws_config_cleanup) struct ib_aws_config *config = NULL;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials found = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;
    enum ib_rc rc = world_resolve(&w, &r->options, &config, &found, &err);

    assert_no_secret(err.text);
    assert_rc(rc, r->rc, &err);
    compare_requests(r, &w);
    if (r->rc != IB_OK) {
        if (strncmp(r->words, "...", 3) == 0) {
            assert_contains(err.text, r->words + 3);
        } else {
            assert_string_equal(err.text, r->words);
        }
        return;
    }
    if (r->requests > 0) {
        assert_string_equal(found.access_key_id, "ASIAROLE1");
        assert_string_equal(found.session_token, "geheim+token");
        assert_string_equal(found.account_id, "123456789012");
        assert_int_equal(found.expiration_ms, INT64_C(1788434553000));
    }
}

int main(void)
{
    IB_TEST_ROWS(rows, row);
    return IB_TEST_RUN();
}
