/* SPDX-License-Identifier: MIT */
/*
 * IAM Identity Center: the token that `aws sso login` left, renewed through SSO OIDC where it can
 * be, turned into credentials of one role in one account.
 *
 * A refresh token serves once, so a renewed token is written back to where the AWS CLI keeps it.
 */
#include "lib/aws/cred.h"

#include "lib/aws/cred_cache.h"
#include "lib/aws/endpoint.h"
#include "lib/aws/profile_chain.h"
#include "lib/aws/sha.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

#define TOKEN_FILE_MAX ((size_t)256 * 1024)
#define TOKEN_MAX      16384               /* bytes of one member */
#define RENEW_EARLY_MS (15 * IB_MINUTE_MS) /* as the AWS CLI */
#define TRY_MAX_MS     (10 * IB_SECOND_MS)
#define LOOK_AGAIN     5
#define LOOK_AGAIN_MS  100

struct sso {
    const char *profile, *session; /* session NULL: the old form */
    const char *account, *role, *region, *start_url;
};

struct token {
    struct ib_value *file; /* what the file holds */
    struct ib_file_facts facts;
    char path[IB_PROFILE_PATH_MAX];
    struct ib_str access;
    int64_t expires_ms;
};

static void token_fini(struct token *t)
{
    ib_value_cleanup(&t->file);
}

static enum ib_rc log_in(struct ib_error *err, const struct sso *sso, const char *why)
{
    return ib_fail(err, IB_ECRED,
                   "profile \"%s\": %s; run as user id %ld: aws sso login --profile %s",
                   sso->profile, why, (long)geteuid(), sso->profile);
}

/* --- the token
 * ------------------------------------------------------------------------------------ */

static enum ib_rc take_token(const struct sso *sso, struct token *t, struct ib_error *err)
{
    struct ib_str expires = {NULL, 0};
    enum ib_rc rc = ib_value_need_str(t->file, "accessToken", TOKEN_MAX, &t->access, err);

    if (rc == IB_OK) {
        rc = ib_value_need_str(t->file, "expiresAt", 64, &expires, err);
    }
    if (rc == IB_OK) {
        rc = ib_time_parse_iso8601(expires, &t->expires_ms, err);
        /* Written by CLI version 1: "2020-06-17T10:00:00UTC". */
        if (rc != IB_OK && ib_str_ends(expires, IB_STR("UTC"))) {
            char zulu[64];

            (void)snprintf(zulu, sizeof zulu, "%.*sZ",
                           IB_STR_ARG(ib_str_head(expires, expires.n - 3)));
            rc = ib_time_parse_iso8601(ib_str_from(zulu), &t->expires_ms, err);
        }
    }
    if (rc != IB_OK) {
        (void)ib_error_context(err, "profile \"%s\": SSO token %s", sso->profile, t->path);
        return ib_cred_blame(err, rc);
    }
    return IB_OK;
}

static enum ib_rc read_token(const struct ib_cred_context *ctx, const struct sso *sso,
                             struct token *ret, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT_SECRET(TOKEN_FILE_MAX);
    struct ib_error why = IB_ERROR_INIT;
    char name[IB_SHA1_HEX_MAX], rest[128], words[IB_ERROR_TEXT_MAX + 64];
    enum ib_rc rc =
        ib_sha1_hex(ib_str_from(sso->session != NULL ? sso->session : sso->start_url), name, err);

    if (rc != IB_OK) {
        return rc;
    }
    (void)snprintf(rest, sizeof rest, "/.aws/sso/cache/%s.json", name);
    rc = ib_cred_read_below_home(ctx, rest, &text, ret->path, &ret->facts, &why);
    if (rc == IB_ENOMEM) {
        return ib_fail_nomem(err);
    }
    if (rc != IB_OK) {
        (void)snprintf(words, sizeof words, "no SSO token (%s)", why.text);
        return log_in(err, sso, words);
    }
    rc = ib_json_parse(ib_buf_str(&text), ret->path, NULL, &ret->file, err);
    if (rc != IB_OK) {
        (void)ib_error_context(err, "profile \"%s\": SSO token", sso->profile);
        return ib_cred_blame(err, rc);
    }
    return take_token(sso, ret, err);
}

/* --- requests
 * --------------------------------------------------------------------------------------- */

/* Appends the base URL of one of SSO's two services in the SSO region. */
static enum ib_rc add_endpoint(const struct ib_cred_context *ctx, const char *service,
                               const char *rule, const char *region, struct ib_buf *ret,
                               struct ib_error *err)
{
    IB_CLEANUP(ib_aws_setting_fini) struct ib_aws_setting custom = {NULL, NULL};
    struct ib_endpoint_params params = {.service = rule, .region = region};
    struct ib_url url;
    enum ib_rc rc = ib_aws_config_endpoint_url(ctx->config, service, &custom, err);

    if (rc != IB_OK) {
        return rc;
    }
    params.custom_url = custom.value;
    params.custom_source = custom.source;
    if (custom.value == NULL) {
        params.use_fips = ctx->config->use_fips;
        params.use_dualstack = ctx->config->use_dualstack;
    }
    rc = ib_endpoint_resolve(&params, &url, err);
    if (rc == IB_OK) {
        ib_url_add(&url, ret);
    }
    return rc;
}

/* With retries on what passes: silence, broken connections, 5xx, 429. */
static enum ib_rc exchange(const struct ib_cred_context *ctx, const struct ib_http_request *request,
                           struct ib_http_response *ret, struct ib_error *err)
{
    enum ib_rc rc = IB_OK;

    for (int i = 1; i <= ctx->config->max_attempts; i++) {
        ib_http_response_fini(ret);
        rc = ctx->outside->fetch(ctx->outside->ctx, request, ret, err);
        if ((rc != IB_OK && rc != IB_ENET && rc != IB_ETIMEOUT) ||
            (rc == IB_OK && ret->status < 500 && ret->status != 429) ||
            i == ctx->config->max_attempts ||
            ib_deadline_sleep(&ctx->deadline, 250 * i, NULL) != IB_OK) {
            break;
        }
    }
    return rc;
}

/* --- renewing
 * ----------------------------------------------------------------------------------------- */

static bool has_text(const struct token *t, const char *member)
{
    const struct ib_value *v = ib_value_get_c(t->file, member);

    return ib_value_is(v, IB_VALUE_STRING) && ib_value_as_str(v).n > 0;
}

static bool can_renew(const struct ib_cred_context *ctx, const struct sso *sso,
                      const struct token *t)
{
    struct ib_str end = {NULL, 0};
    int64_t end_ms = 0;

    /* Root would leave the user a file that is root's. */
    if (sso->session == NULL || t->facts.foreign_owner || !has_text(t, "refreshToken") ||
        !has_text(t, "clientId") || !has_text(t, "clientSecret")) {
        return false;
    }
    if (ib_value_opt_str(t->file, "registrationExpiresAt", 64, &end, NULL) != IB_OK ||
        end.p == NULL) {
        return true;
    }
    return ib_time_parse_iso8601(end, &end_ms, NULL) == IB_OK &&
           end_ms > IB_OUTSIDE_NOW(ctx->outside);
}

static enum ib_rc ask_for_token(const struct ib_cred_context *ctx, const struct sso *sso,
                                const struct token *t, struct ib_value **ret, struct ib_error *err)
{
    static const char *const members[] = {"clientId", "clientSecret", "refreshToken"};
    IB_CLEANUP(ib_buf_fini) struct ib_buf url = IB_BUF_INIT(2048);
    IB_CLEANUP(ib_buf_fini) struct ib_buf body = IB_BUF_INIT_SECRET(TOKEN_FILE_MAX);
    IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;
    IB_CLEANUP(ib_http_response_fini) struct ib_http_response answer = IB_HTTP_RESPONSE_INIT;
    struct ib_http_request request;
    enum ib_rc rc = add_endpoint(ctx, "sso-oidc", "oidc", sso->region, &url, err);

    if (rc != IB_OK) {
        return rc;
    }
    ib_buf_add_c(&url, "/token");
    ib_buf_add_c(&body, "{\"grantType\":\"refresh_token\"");
    for (size_t i = 0; i < IB_ARRAY_LEN(members); i++) {
        struct ib_str value = {NULL, 0};

        rc = ib_value_need_str(t->file, members[i], TOKEN_MAX, &value, err);
        if (rc != IB_OK) {
            return rc;
        }
        ib_buf_addf(&body, ",\"%s\":", members[i]);
        ib_json_print_str(value, &body);
    }
    ib_buf_add_c(&body, "}");
    rc = ib_buf_ok(&url, "SSO OIDC URL", err);
    if (rc == IB_OK) {
        rc = ib_buf_ok(&body, "SSO token request", err);
    }
    if (rc == IB_OK) {
        rc = ib_headers_add(&headers, "Content-Type", IB_STR("application/json"), err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    request = (struct ib_http_request){
        .method = "POST",
        .url = ib_buf_c(&url),
        .headers = &headers,
        .body = ib_buf_str(&body),
        .deadline = ctx->deadline,
        .timeout_ms = TRY_MAX_MS,
        .max_body = IB_OUTSIDE_REPLY_MAX,
        .flags = IB_HTTP_SECRET,
    };
    /* Once only: the refresh token is used up by the first that arrives. */
    rc = ctx->outside->fetch(ctx->outside->ctx, &request, &answer, err);
    if (rc != IB_OK) {
        return rc;
    }
    if (answer.status != 200) {
        return ib_fail(err, IB_ECRED, "SSO OIDC refused to renew it with HTTP status %d",
                       answer.status);
    }
    return ib_json_parse(ib_buf_str(&answer.body), "answer of SSO OIDC", NULL, ret, err);
}

/* Put the new members into the file's content. */
static enum ib_rc merge_token(const struct ib_cred_context *ctx, const struct ib_value *answer,
                              struct token *t, struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *merged = ib_value_copy(t->file);
    struct ib_str access = {NULL, 0}, refresh = {NULL, 0};
    int64_t seconds = 0;
    char end[IB_TIME_TEXT_MAX];
    enum ib_rc rc = ib_value_need_str(answer, "accessToken", TOKEN_MAX, &access, err);

    if (rc == IB_OK) {
        rc = ib_value_opt_str(answer, "refreshToken", TOKEN_MAX, &refresh, err);
    }
    if (rc == IB_OK) {
        rc = ib_value_opt_i64(answer, "expiresIn", 1, 10 * 365 * 86400, &seconds, err);
    }
    if (rc == IB_OK && merged == NULL) {
        rc = ib_fail_nomem(err);
    }
    if (rc == IB_OK) {
        rc = ib_value_set(merged, IB_STR("accessToken"), ib_value_string(access), err);
    }
    if (rc == IB_OK) {
        (void)ib_time_fmt_iso8601((IB_OUTSIDE_NOW(ctx->outside) / 1000 + seconds) * 1000, end,
                                  sizeof end);
        rc = ib_value_set(merged, IB_STR("expiresAt"), ib_value_string(ib_str_from(end)), err);
    }
    if (rc == IB_OK && refresh.p != NULL) {
        rc = ib_value_set(merged, IB_STR("refreshToken"), ib_value_string(refresh), err);
    }
    if (rc == IB_OK) {
        ib_value_unref(t->file);
        t->file = merged;
        merged = NULL;
    }
    return rc;
}

static enum ib_rc renew(const struct ib_cred_context *ctx, const struct sso *sso, struct token *t,
                        struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *answer = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT_SECRET(TOKEN_FILE_MAX);
    struct ib_error why = IB_ERROR_INIT;
    enum ib_rc rc = ask_for_token(ctx, sso, t, &answer, err);

    if (rc == IB_OK) {
        rc = merge_token(ctx, answer, t, err);
    }
    if (rc == IB_OK) {
        rc = take_token(sso, t, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    ib_json_print(t->file, IB_JSON_COMPACT, &text);
    rc = ib_buf_ok(&text, "SSO token", err);
    if (rc == IB_OK &&
        ctx->outside->write(ctx->outside->ctx, t->path, ib_buf_str(&text), &why) != IB_OK) {
        ib_cred_trail_add(ctx->trail, IB_CRED_SSO, IB_CRED_FAILED,
                          "the renewed token could not be written back, the next run needs aws sso "
                          "login: %s",
                          why.text);
    }
    return rc;
}

/* Another process may have used the refresh token up: then its answer is in the file, or will be at
 * once. */
static bool was_renewed_by_another(const struct ib_cred_context *ctx, const struct sso *sso,
                                   struct token *t)
{
    for (int i = 0; i < LOOK_AGAIN; i++) {
        struct token again = {.file = NULL};

        if (read_token(ctx, sso, &again, NULL) == IB_OK && again.expires_ms > t->expires_ms) {
            token_fini(t);
            *t = again;
            return true;
        }
        token_fini(&again);
        if (ib_deadline_sleep(&ctx->deadline, LOOK_AGAIN_MS, NULL) != IB_OK) {
            break;
        }
    }
    return false;
}

static enum ib_rc get_token(const struct ib_cred_context *ctx, const struct sso *sso,
                            struct token *t, struct ib_error *err)
{
    struct ib_error why = IB_ERROR_INIT;
    char words[IB_ERROR_TEXT_MAX + 96], end[IB_TIME_TEXT_MAX];
    int64_t now = IB_OUTSIDE_NOW(ctx->outside);
    enum ib_rc rc = read_token(ctx, sso, t, err);

    if (rc != IB_OK || t->expires_ms > now + RENEW_EARLY_MS) {
        return rc;
    }
    if (can_renew(ctx, sso, t)) {
        rc = renew(ctx, sso, t, &why);
        if (rc == IB_OK || (t->expires_ms <= now && was_renewed_by_another(ctx, sso, t))) {
            return IB_OK;
        }
        if (rc == IB_ENOMEM) {
            return ib_fail_nomem(err);
        }
    }
    if (t->expires_ms > now) {
        return IB_OK;
    }
    (void)snprintf(words, sizeof words, "the SSO session expired at %s%s%s",
                   ib_time_fmt_iso8601(t->expires_ms, end, sizeof end),
                   why.text[0] == '\0' ? "" : " and was not renewed: ", why.text);
    return log_in(err, sso, words);
}

/* --- credentials of a role
 * ----------------------------------------------------------------------------- */

static enum ib_rc refusal(const struct sso *sso, const struct ib_http_response *answer,
                          struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *object = NULL;
    struct ib_str message = {NULL, 0};

    if (answer->status == 401) {
        return log_in(err, sso, "SSO no longer knows the session");
    }
    if (ib_json_parse(ib_buf_str(&answer->body), "SSO", NULL, &object, NULL) == IB_OK) {
        (void)!ib_value_opt_str(object, "message", 256, &message, NULL);
    }
    return ib_fail(err, IB_ECRED,
                   "profile \"%s\": SSO gives no credentials of role %s in account %s: "
                   "HTTP status %d%s%.*s",
                   sso->profile, sso->role, sso->account, answer->status, message.n > 0 ? ", " : "",
                   IB_STR_ARG(message));
}

static enum ib_rc take_credentials(const struct ib_cred_context *ctx, const struct sso *sso,
                                   const struct ib_http_response *answer,
                                   struct ib_credentials *ret, struct ib_error *err)
{
    static const struct ib_cred_json_names names = {
        .access_key_id = "accessKeyId",
        .secret_access_key = "secretAccessKey",
        .session_token = "sessionToken",
        .expiration = "expiration",
        .needs_token = true,
        .needs_expiration = true,
        .expiration_is_ms = true,
    };
    IB_CLEANUP(ib_value_cleanup) struct ib_value *object = NULL;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials found = IB_CREDENTIALS_INIT;
    struct ib_cred_fields fields;
    char source[256];
    enum ib_rc rc;

    if (answer->status != 200) {
        return refusal(sso, answer, err);
    }
    rc = ib_json_parse(ib_buf_str(&answer->body), "answer of SSO", NULL, &object, err);
    if (rc != IB_OK) {
        return ib_cred_blame(err, rc);
    }
    rc = ib_cred_json_fields(ib_value_get_c(object, "roleCredentials"), "answer of SSO", &names,
                             &fields, err);
    if (rc == IB_OK) {
        fields.account_id = ib_str_from(sso->account);
        (void)snprintf(source, sizeof source, "SSO role %.100s in account %.32s", sso->role,
                       sso->account);
        rc = ib_cred_accept(&fields, IB_CRED_SSO, source, &found, err);
    }
    if (rc == IB_OK) {
        rc = ib_cred_check_expired(&found, IB_OUTSIDE_NOW(ctx->outside),
                                   "is the clock of this host right?", err);
    }
    if (rc == IB_OK) {
        *ret = found;
        found = (struct ib_credentials)IB_CREDENTIALS_INIT;
    }
    return rc;
}

static enum ib_rc fetch(const struct ib_cred_context *ctx, void *arg, struct ib_credentials *ret,
                        struct ib_error *err)
{
    const struct sso *sso = arg;
    IB_CLEANUP(token_fini) struct token token = {.file = NULL};
    IB_CLEANUP(ib_buf_fini) struct ib_buf url = IB_BUF_INIT(4096);
    IB_CLEANUP(ib_buf_fini) struct ib_buf query = IB_BUF_INIT(2048);
    IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;
    IB_CLEANUP(ib_http_response_fini) struct ib_http_response answer = IB_HTTP_RESPONSE_INIT;
    struct ib_http_request request;
    enum ib_rc rc = get_token(ctx, sso, &token, err);

    if (rc == IB_OK) {
        rc = add_endpoint(ctx, "sso", "sso", sso->region, &url, err);
    }
    if (rc == IB_OK) {
        rc = ib_headers_add(&headers, "x-amz-sso_bearer_token", token.access, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    ib_url_add_query(&query, IB_STR("role_name"), ib_str_from(sso->role));
    ib_url_add_query(&query, IB_STR("account_id"), ib_str_from(sso->account));
    ib_buf_addf(&url, "/federation/credentials?%s", ib_buf_c(&query));
    rc = ib_buf_ok(&url, "SSO URL", err);
    if (rc != IB_OK) {
        return rc;
    }
    request = (struct ib_http_request){
        .method = "GET",
        .url = ib_buf_c(&url),
        .headers = &headers,
        .deadline = ctx->deadline,
        .timeout_ms = TRY_MAX_MS,
        .max_body = IB_OUTSIDE_REPLY_MAX,
        .flags = IB_HTTP_SECRET,
    };
    rc = exchange(ctx, &request, &answer, err);
    if (rc != IB_OK) {
        return ib_error_context(err, "SSO role %s", sso->role);
    }
    return take_credentials(ctx, sso, &answer, ret, err);
}

static void describe(const struct ib_cred_context *ctx, const struct sso *sso, struct ib_buf *out)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf url = IB_BUF_INIT(2048);

    if (add_endpoint(ctx, "sso", "sso", sso->region, &url, NULL) == IB_OK) {
        ib_buf_addf(out, "sso=%s\n", ib_buf_c(&url));
    }
    ib_buf_addf(out, "session=%s\nstart=%s\naccount=%s\nrole=%s\n",
                sso->session == NULL ? "" : sso->session, sso->start_url, sso->account, sso->role);
}

enum ib_rc ib_cred_sso(const struct ib_cred_context *ctx, const char *profile,
                       struct ib_credentials *ret, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf description = IB_BUF_INIT(8192);
    struct sso sso = {
        .profile = profile,
        .session = ib_profile_get(ctx->profiles, profile, "sso_session"),
        .account = ib_profile_get(ctx->profiles, profile, "sso_account_id"),
        .role = ib_profile_get(ctx->profiles, profile, "sso_role_name"),
        .region = ib_profile_sso_get(ctx->profiles, profile, "sso_region"),
        .start_url = ib_profile_sso_get(ctx->profiles, profile, "sso_start_url"),
    };
    struct ib_cred_ask ask;
    enum ib_rc rc;

    if (sso.account == NULL || sso.role == NULL || sso.region == NULL || sso.start_url == NULL) {
        /* A profile for tokens only (CodeCatalyst): no credentials are meant to come of it. */
        return ib_fail(err, IB_ENOENT, "profile \"%s\" has no sso_account_id and sso_role_name",
                       profile);
    }
    describe(ctx, &sso, &description);
    rc = ib_buf_ok(&description, "SSO", err);
    if (rc != IB_OK) {
        return rc;
    }
    ask = (struct ib_cred_ask){IB_CRED_SSO, ib_buf_str(&description), fetch, &sso};
    return ib_cred_cache_get(ctx, &ask, ret, err);
}
