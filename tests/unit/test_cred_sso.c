/* SPDX-License-Identifier: MIT */
/* lib/aws/cred_sso.c: token files of both forms, renewal, refusals. */
#include "cred_world.h"

/* SHA-1 of "mon" and of "https://start.example" */
#define SESSION_FILE "/h/.aws/sso/cache/33febd43e85e7055634d1bbdb1289705ac4fa42a.json"
#define OLD_FILE     "/h/.aws/sso/cache/1c5a689b7bb92284d0c514c4b1c1e1ce96d9621f.json"
#define SESSION_TEXT                                                                                \
    "[default]\nsso_session=mon\nsso_account_id=123456789012\nsso_role_name=Mon\n"                        \
    "[sso-session mon]\nsso_region=eu-west-1\nsso_start_url=https://start.example\n"
#define OLD_TEXT                                                                                    \
    "[default]\nsso_account_id=123456789012\nsso_role_name=Mon\nsso_region=eu-west-1\n"                   \
    "sso_start_url=https://start.example\n"

#define TOKEN_UNTIL(end)                                                                            \
    "{\"startUrl\":\"https://start.example\",\"region\":\"eu-west-1\",\"accessToken\":\"geheimA\",\"expiresAt\":\"" end "\"}"
#define RENEWABLE_UNTIL(end, registration)                                                          \
    "{\"accessToken\":\"geheimA\",\"expiresAt\":\"" end "\",\"clientId\":\"c\",\"clientSecret\":\"geheimC\","       \
    "\"refreshToken\":\"geheimR\",\"registrationExpiresAt\":\"" registration "\",\"more\":[1]}"
#define ROLE_ANSWER                                                                                 \
    "{\"roleCredentials\":{\"accessKeyId\":\"ASIASSO1\",\"secretAccessKey\":\"geheimS\","                      \
    "\"sessionToken\":\"geheimT\",\"expiration\":1788434553000}}"
#define NEW_TOKEN "{\"accessToken\":\"geheimA2\",\"tokenType\":\"Bearer\",\"expiresIn\":28800,\"refreshToken\":\"geheimR2\"}"
#define ROLE_GIVES(status, body) { "GET", "portal.sso.eu-west-1.amazonaws.com/federation/credentials?", IB_OK, status, body, 0, 0 }
#define OIDC_GIVES(status, body) { "POST", "oidc.eu-west-1.amazonaws.com/token", IB_OK, status, body, 0, 0 }

#define LATE    "2026-09-03T11:22:33Z" /* hours after the clock */
#define SOON    "2026-09-03T05:50:00Z" /* minutes after it */
#define PAST    "2026-09-03T05:00:00Z"
#define RUN     "; run as user id UID: aws sso login --profile default"

struct row {
    const char *name, *config;
    bool old_form;
    const char *token; /* content of the token file; NULL: none */
    struct world_answer answers[4];
    enum ib_rc rc;
    const char *words; /* whole sentence; UID stands for the user id */
    const char *bearer;
    size_t requests;
    const char *written; /* part of the token file that was written back; NULL: none */
};

static const struct row rows[] = {
    { "a_good_token_of_a_session_gives_credentials", SESSION_TEXT, false, TOKEN_UNTIL(LATE), { ROLE_GIVES(200, ROLE_ANSWER) },
      IB_OK, "", "geheimA", 1, NULL },
    { "a_good_token_of_the_old_form_gives_credentials", OLD_TEXT, true, TOKEN_UNTIL(LATE), { ROLE_GIVES(200, ROLE_ANSWER) },
      IB_OK, "", "geheimA", 1, NULL },
    { "the_end_may_be_written_with_utc", OLD_TEXT, true, TOKEN_UNTIL("2026-09-03T11:22:33UTC"), { ROLE_GIVES(200, ROLE_ANSWER) },
      IB_OK, "", "geheimA", 1, NULL },
    { "no_token_says_what_to_run", SESSION_TEXT, false, NULL, { { 0 } }, IB_ECRED,
      "profile \"default\": no SSO token (FILE: not there)" RUN, "", 0, NULL },
    { "an_expired_token_says_what_to_run", SESSION_TEXT, false, TOKEN_UNTIL(PAST), { { 0 } }, IB_ECRED,
      "profile \"default\": the SSO session expired at " PAST RUN, "", 0, NULL },
    { "a_token_near_its_end_is_renewed_and_written_back", SESSION_TEXT, false, RENEWABLE_UNTIL(SOON, LATE),
      { OIDC_GIVES(200, NEW_TOKEN), ROLE_GIVES(200, ROLE_ANSWER) }, IB_OK, "", "geheimA2", 2,
      "\"expiresAt\":\"2026-09-03T13:44:21Z\",\"clientId\":\"c\",\"clientSecret\":\"geheimC\",\"refreshToken\":\"geheimR2\"" },
    { "an_expired_token_is_renewed", SESSION_TEXT, false, RENEWABLE_UNTIL(PAST, LATE),
      { OIDC_GIVES(200, NEW_TOKEN), ROLE_GIVES(200, ROLE_ANSWER) }, IB_OK, "", "geheimA2", 2, "geheimA2" },
    { "the_old_form_is_never_renewed", OLD_TEXT, true, RENEWABLE_UNTIL(PAST, LATE), { OIDC_GIVES(200, NEW_TOKEN) }, IB_ECRED,
      "profile \"default\": the SSO session expired at " PAST RUN, "", 0, NULL },
    { "an_expired_registration_cannot_renew", SESSION_TEXT, false, RENEWABLE_UNTIL(PAST, PAST), { OIDC_GIVES(200, NEW_TOKEN) },
      IB_ECRED, "profile \"default\": the SSO session expired at " PAST RUN, "", 0, NULL },
    { "a_refused_renewal_leaves_a_token_that_is_still_good", SESSION_TEXT, false, RENEWABLE_UNTIL(SOON, LATE),
      { OIDC_GIVES(400, "{\"error\":\"invalid_grant\"}"), ROLE_GIVES(200, ROLE_ANSWER) }, IB_OK, "", "geheimA", 2, NULL },
    { "a_refused_renewal_of_an_expired_token_says_what_to_run", SESSION_TEXT, false, RENEWABLE_UNTIL(PAST, LATE),
      { OIDC_GIVES(400, "{\"error\":\"invalid_grant\"}") }, IB_ECRED,
      "profile \"default\": the SSO session expired at " PAST " and was not renewed: SSO OIDC refused to renew it with HTTP "
      "status 400" RUN, "", 1, NULL },
    { "a_token_that_sso_does_not_know", SESSION_TEXT, false, TOKEN_UNTIL(LATE),
      { ROLE_GIVES(401, "{\"message\":\"Session token not found or invalid\"}") }, IB_ECRED,
      "profile \"default\": SSO no longer knows the session" RUN, "geheimA", 1, NULL },
    { "a_role_that_is_not_given", SESSION_TEXT, false, TOKEN_UNTIL(LATE), { ROLE_GIVES(403, "{\"message\":\"No access\"}") }, IB_ECRED,
      "profile \"default\": SSO gives no credentials of role Mon in account 123456789012: HTTP status 403, No access", "geheimA", 1, NULL },
    { "a_token_file_that_is_no_json", SESSION_TEXT, false, "geheim{", { { 0 } }, IB_ECRED, NULL, "", 0, NULL },
    { "a_token_file_without_token", SESSION_TEXT, false, "{\"expiresAt\":\"" LATE "\"}", { { 0 } }, IB_ECRED, NULL, "", 0, NULL },
    { "an_expiration_that_is_text", SESSION_TEXT, false, TOKEN_UNTIL(LATE),
      { ROLE_GIVES(200, "{\"roleCredentials\":{\"accessKeyId\":\"A\",\"secretAccessKey\":\"geheim\",\"sessionToken\":\"geheim\",\"expiration\":\"soon\"}}") },
      IB_ECRED, "answer of SSO: expiration is no number of milliseconds", "geheimA", 1, NULL },
    { "a_profile_for_tokens_alone_is_passed_over",
      "[default]\nsso_session=mon\n[sso-session mon]\nsso_region=eu-west-1\nsso_start_url=https://start.example\n", false,
      TOKEN_UNTIL(LATE), { { "PUT", "http", IB_ENET, 0, "", 0, 0 } }, IB_ECRED, NULL, "", 1, NULL },
};

static void row(void **state)
{
    const struct row *r = *state;
    const struct ib_aws_options options = { .profile = NULL };
    struct world w = { .env = { { "HOME", "/h" } }, .files = { { "/h/.aws/config", r->config, 0, 0 } } };
    IB_CLEANUP(ib_aws_config_cleanup) struct ib_aws_config *config = NULL;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials found = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;
    const char *path = r->old_form ? OLD_FILE : SESSION_FILE;
    char want[IB_ERROR_TEXT_MAX];

    memcpy(w.answers, r->answers, sizeof r->answers);
    if (r->token != NULL) {
        w.files[1] = (struct world_file){ path, r->token, 0, 0 };
    }
    assert_rc(world_resolve(&w, &options, &config, &found, &err), r->rc, &err);
    assert_no_secret(err.text);
    assert_int_equal(w.request_count, r->requests);
    if (r->requests > 0) {
        assert_string_equal(w.requests[w.request_count - 1].bearer, r->bearer);
    }
    assert_string_equal(w.written_path, r->written == NULL ? "" : path);
    if (r->written != NULL) {
        assert_contains(w.written, r->written);
    }
    if (r->rc == IB_OK) {
        assert_string_equal(found.access_key_id, "ASIASSO1");
        assert_string_equal(found.account_id, "123456789012");
        assert_int_equal(found.expiration_ms, INT64_C(1788434553000));
        assert_string_equal(found.provider, "SSO");
        assert_contains(w.requests[w.request_count - 1].url, "role_name=Mon&account_id=123456789012");
        return;
    }
    if (r->words != NULL && strstr(r->words, "(FILE: not there)") != NULL) {
        assert_contains(err.text, path);
    } else if (r->words != NULL) {
        world_with_uid(r->words, want, sizeof want);
        assert_string_equal(err.text, want);
    }
}

int main(void)
{
    IB_TEST_ROWS(rows, row);
    return IB_TEST_RUN();
}
