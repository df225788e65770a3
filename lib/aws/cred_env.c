/* SPDX-License-Identifier: MIT */
/* Credentials from environment variables. */
#include "lib/aws/cred.h"

#include "lib/base/time.h"

#define ID_NAME     "AWS_ACCESS_KEY_ID"
#define SECRET_NAME "AWS_SECRET_ACCESS_KEY"

enum ib_rc ib_cred_env(const struct ib_cred_context *ctx, struct ib_credentials *ret,
                       struct ib_error *err)
{
    const char *id = IB_OUTSIDE_ENV(ctx->outside, ID_NAME);
    const char *secret = IB_OUTSIDE_ENV(ctx->outside, SECRET_NAME);
    const char *token = IB_OUTSIDE_ENV(ctx->outside, "AWS_SESSION_TOKEN");
    const char *expiration = IB_OUTSIDE_ENV(ctx->outside, "AWS_CREDENTIAL_EXPIRATION");
    struct ib_cred_fields f = {.expiration_ms = 0};
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials found = IB_CREDENTIALS_INIT;
    enum ib_rc rc;

    if (id == NULL && secret == NULL) {
        return ib_fail(err, IB_ENOENT, "%s is not set", ID_NAME);
    }
    if (id == NULL || secret == NULL) {
        return ib_fail(err, IB_ECRED, "environment: %s is set but %s is not",
                       id != NULL ? ID_NAME : SECRET_NAME, id != NULL ? SECRET_NAME : ID_NAME);
    }
    /* The name of before 2014, still exported by old tools. */
    if (token == NULL) {
        token = IB_OUTSIDE_ENV(ctx->outside, "AWS_SECURITY_TOKEN");
    }
    if (expiration != NULL &&
        ib_time_parse_iso8601(ib_str_from(expiration), &f.expiration_ms, NULL) != IB_OK) {
        return ib_fail(err, IB_ECRED,
                       "environment: AWS_CREDENTIAL_EXPIRATION \"%.40s\" is no time like "
                       "2026-09-03T11:22:33Z",
                       expiration);
    }
    f.access_key_id = ib_str_from(id);
    f.secret_access_key = ib_str_from(secret);
    f.session_token = ib_str_from(token);
    f.account_id = ib_str_from(IB_OUTSIDE_ENV(ctx->outside, "AWS_ACCOUNT_ID"));
    rc = ib_cred_accept(&f, IB_CRED_ENV, "environment", &found, err);
    if (rc == IB_OK) {
        rc = ib_cred_check_expired(&found, IB_OUTSIDE_NOW(ctx->outside),
                                   "AWS_CREDENTIAL_EXPIRATION says so", err);
    }
    if (rc == IB_OK) {
        *ret = found;
        found = (struct ib_credentials)IB_CREDENTIALS_INIT;
    }
    return rc;
}
