/* SPDX-License-Identifier: MIT */
/*
 * The session of `aws login`: what it left in its cache is used while it is good, never renewed.
 * Renewing needs the private key of the session and takes its refresh token away from the person
 * who logged in; a monitoring check should not.
 */
#include "lib/aws/cred.h"

#include "lib/aws/sha.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

#define FILE_MAX_BYTES ((size_t)256 * 1024)

static enum ib_rc log_in(struct ib_error *err, const char *profile, const char *why)
{
    return ib_fail(err, IB_ECRED, "profile \"%s\": %s; run as user id %ld: aws login --profile %s",
                   profile, why, (long)geteuid(), profile);
}

static enum ib_rc read_cache(const struct ib_cred_context *ctx, const char *profile,
                             const char *session, struct ib_buf *ret, char *ret_path,
                             struct ib_error *err)
{
    const char *dir = IB_OUTSIDE_ENV(ctx->outside, "AWS_LOGIN_CACHE_DIRECTORY");
    struct ib_error why = IB_ERROR_INIT;
    char name[IB_SHA256_HEX_MAX], rest[128], words[IB_ERROR_TEXT_MAX + 64];
    enum ib_rc rc = ib_sha256_hex(ib_str_trim(ib_str_from(session)), name, err);

    if (rc != IB_OK) {
        return rc;
    }
    if (dir != NULL) {
        (void)snprintf(ret_path, IB_PROFILE_PATH_MAX, "%s/%s.json", dir, name);
        rc = ctx->outside->read(ctx->outside->ctx, ret_path, ret, NULL, &why);
    } else {
        (void)snprintf(rest, sizeof rest, "/.aws/login/cache/%s.json", name);
        rc = ib_cred_read_below_home(ctx, rest, ret, ret_path, NULL, &why);
    }
    if (rc == IB_OK) {
        return IB_OK;
    }
    if (rc == IB_ENOMEM) {
        return ib_fail_nomem(err);
    }
    (void)snprintf(words, sizeof words, "no session of aws login (%s)", why.text);
    return log_in(err, profile, words);
}

enum ib_rc ib_cred_login(const struct ib_cred_context *ctx, const char *profile,
                         struct ib_credentials *ret, struct ib_error *err)
{
    static const struct ib_cred_json_names names = {
        .access_key_id = "accessKeyId",
        .secret_access_key = "secretAccessKey",
        .session_token = "sessionToken",
        .expiration = "expiresAt",
        .account_id = "accountId",
        .needs_token = true,
        .needs_expiration = true,
    };
    const char *session = ib_profile_get(ctx->profiles, profile, "login_session");
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT_SECRET(FILE_MAX_BYTES);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *object = NULL;
    struct ib_cred_fields fields;
    char path[IB_PROFILE_PATH_MAX], words[128], end[IB_TIME_TEXT_MAX];
    enum ib_rc rc;

    if (session == NULL) {
        return ib_fail(err, IB_ENOENT, "profile \"%s\" has no login_session", profile);
    }
    rc = read_cache(ctx, profile, session, &text, path, err);
    if (rc == IB_OK) {
        rc = ib_json_parse(ib_buf_str(&text), path, NULL, &object, err);
    }
    if (rc == IB_OK && ib_value_get_c(object, "accessToken") == NULL) {
        return log_in(err, profile, "the session of aws login holds no credentials");
    }
    if (rc == IB_OK) {
        rc = ib_cred_json_fields(ib_value_get_c(object, "accessToken"), path, &names, &fields, err);
    }
    if (rc != IB_OK) {
        return ib_cred_blame(err, rc);
    }
    if (fields.expiration_ms <= IB_OUTSIDE_NOW(ctx->outside)) {
        (void)snprintf(words, sizeof words, "the session of aws login expired at %s",
                       ib_time_fmt_iso8601(fields.expiration_ms, end, sizeof end));
        return log_in(err, profile, words);
    }
    (void)snprintf(words, sizeof words, "aws login session of profile \"%.60s\"", profile);
    return ib_cred_accept(&fields, IB_CRED_LOGIN, words, ret, err);
}
