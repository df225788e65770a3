/* SPDX-License-Identifier: MIT */
/* A role assumed with a token that somebody else vouches for: IAM roles for service accounts, OIDC.
 */
#include "lib/aws/cred.h"

#include "lib/aws/arn.h"
#include "lib/aws/cred_cache.h"
#include "lib/aws/sts.h"
#include "lib/aws/url.h"

#define FILE_VARIABLE "AWS_WEB_IDENTITY_TOKEN_FILE"
#define ROLE_VARIABLE "AWS_ROLE_ARN"
#define TOKEN_MAX     20000 /* bytes; STS API, AssumeRoleWithWebIdentity */
#define QUERY_MAX     ((size_t)70 * 1024)

struct request {
    struct ib_cred_role role;
    const char *token_file;
};

static enum ib_rc read_token(const struct ib_cred_context *ctx, const struct request *r,
                             struct ib_buf *ret, struct ib_error *err)
{
    enum ib_rc rc = ctx->outside->read(ctx->outside->ctx, r->token_file, ret, NULL, err);

    if (rc != IB_OK) {
        (void)ib_error_context(err, "%s: web identity token", r->role.where);
        return ib_cred_blame(err, rc);
    }
    struct ib_str token = ib_str_trim(ib_buf_str(ret));

    if (token.n == 0) {
        return ib_fail(err, IB_ECRED, "%s: web identity token file %s is empty", r->role.where,
                       r->token_file);
    }
    /* Tokens of all issuers are printable; anything else is a damaged or a wrong file. */
    for (size_t i = 0; i < token.n; i++) {
        if (token.p[i] <= ' ' || token.p[i] >= 0x7f) {
            return ib_fail(err, IB_ECRED, "%s: web identity token file %s holds no token: its byte "
                           "%zu is not printable", r->role.where, r->token_file, i + 1);
        }
    }
    return IB_OK;
}

/* Never signed: the token is what proves us. Read at each call, because others renew it. */
static enum ib_rc fetch(const struct ib_cred_context *ctx, void *arg, struct ib_credentials *ret,
                        struct ib_error *err)
{
    const struct request *r = arg;
    IB_CLEANUP(ib_buf_fini) struct ib_buf token = IB_BUF_INIT_SECRET(TOKEN_MAX);
    IB_CLEANUP(ib_buf_fini) struct ib_buf query = IB_BUF_INIT_SECRET(QUERY_MAX);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *result = NULL;
    char name[65], source[IB_ARN_MAX + 128];
    enum ib_rc rc = read_token(ctx, r, &token, err);

    if (rc != IB_OK) {
        return rc;
    }
    ib_cred_session_name(name, sizeof name);
    ib_url_add_query(&query, IB_STR("Action"), IB_STR("AssumeRoleWithWebIdentity"));
    ib_url_add_query(&query, IB_STR("Version"), IB_STR("2011-06-15"));
    ib_url_add_query(&query, IB_STR("RoleArn"), ib_str_from(r->role.arn));
    ib_url_add_query(&query, IB_STR("RoleSessionName"),
                     ib_str_from(r->role.session_name != NULL ? r->role.session_name : name));
    if (r->role.duration != NULL) {
        ib_url_add_query(&query, IB_STR("DurationSeconds"), ib_str_from(r->role.duration));
    }
    ib_url_add_query(&query, IB_STR("WebIdentityToken"), ib_str_trim(ib_buf_str(&token)));
    rc = ib_buf_ok(&query, "AssumeRoleWithWebIdentity request", err);
    if (rc == IB_OK) {
        rc = ib_sts_call(ctx, "AssumeRoleWithWebIdentity", ib_buf_str(&query), NULL, &result, err);
    }
    if (rc != IB_OK) {
        return ib_error_context(err, "role %s (%s, token of %s)", r->role.arn, r->role.where,
                                r->token_file);
    }
    (void)snprintf(source, sizeof source, "role %s by web identity", r->role.arn);
    return ib_sts_credentials(ctx, result, IB_CRED_WEB_IDENTITY, source, ret, err);
}

static enum ib_rc from_environment(const struct ib_cred_context *ctx, struct request *ret,
                                   struct ib_error *err)
{
    ret->token_file = IB_OUTSIDE_ENV(ctx->outside, FILE_VARIABLE);
    ret->role = (struct ib_cred_role){
        .arn = IB_OUTSIDE_ENV(ctx->outside, ROLE_VARIABLE),
        .session_name = IB_OUTSIDE_ENV(ctx->outside, "AWS_ROLE_SESSION_NAME"),
        .where = "environment",
    };
    if (ret->token_file == NULL) {
        return ib_fail(err, IB_ENOENT, "%s is not set", FILE_VARIABLE);
    }
    if (ret->role.arn == NULL) {
        return ib_fail(err, IB_ECRED, "environment: %s is set but %s is not", FILE_VARIABLE,
                       ROLE_VARIABLE);
    }
    return IB_OK;
}

enum ib_rc ib_cred_web_identity(const struct ib_cred_context *ctx, const char *profile,
                                struct ib_credentials *ret, struct ib_error *err)
{
    struct request r = {.token_file = NULL};
    IB_CLEANUP(ib_buf_fini) struct ib_buf description = IB_BUF_INIT(16384);
    struct ib_cred_ask ask;
    char where[256];
    enum ib_rc rc = IB_OK;

    if (profile == NULL) {
        rc = from_environment(ctx, &r, err);
    } else {
        ib_cred_role_of_profile(ctx, profile, where, sizeof where, &r.role);
        r.token_file = ib_profile_get(ctx->profiles, profile, "web_identity_token_file");
        if (r.token_file == NULL) {
            return ib_fail(err, IB_ENOENT, "profile \"%s\" has no web_identity_token_file",
                           profile);
        }
    }
    if (rc == IB_OK) {
        rc = ib_cred_role_check(&r.role, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    ib_buf_addf(&description, "web-identity=%s\n", r.token_file);
    ib_cred_role_describe(ctx, &r.role, &description);
    rc = ib_buf_ok(&description, "web identity", err);
    if (rc != IB_OK) {
        return rc;
    }
    ask = (struct ib_cred_ask){IB_CRED_WEB_IDENTITY, ib_buf_str(&description), fetch, &r};
    return ib_cred_cache_get(ctx, &ask, ret, err);
}
