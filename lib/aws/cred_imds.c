/* SPDX-License-Identifier: MIT */
/* Credentials of the role attached to this EC2 instance. */
#include "lib/aws/cred.h"

#include "lib/aws/imds.h"
#include "lib/base/text.h"
#include "lib/data/json.h"

#define ROLES    "/latest/meta-data/iam/security-credentials/"
#define ROLE_MAX 128 /* bytes with NUL; IAM allows 64 */

/* The first line names the role; IAM role names have these characters only. */
static enum ib_rc take_role(const struct ib_http_response *answer, char ret[ROLE_MAX],
                            struct ib_error *err)
{
    struct ib_str rest = ib_str_trim(ib_buf_str(&answer->body));
    struct ib_str role = ib_str_trim(ib_str_split(&rest, '\n'));

    for (size_t i = 0; i < role.n; i++) {
        if (!ib_ascii_alnum(role.p[i]) && strchr("+=,.@_-", role.p[i]) == NULL) {
            role.n = 0;
        }
    }
    if (role.n == 0 || !ib_text_copy(ret, ROLE_MAX, role)) {
        return ib_fail(err, IB_ECRED, "instance metadata: what it lists is no role name");
    }
    return IB_OK;
}

static enum ib_rc take_credentials(const struct ib_cred_context *ctx, const char *role,
                                   const struct ib_http_response *answer,
                                   struct ib_credentials *ret, struct ib_error *err)
{
    static const struct ib_cred_json_names names = {
        .access_key_id = "AccessKeyId",
        .secret_access_key = "SecretAccessKey",
        .session_token = "Token",
        .expiration = "Expiration",
        .account_id = "AccountId",
        .needs_token = true,
        .needs_expiration = true,
    };
    IB_CLEANUP(ib_value_cleanup) struct ib_value *object = NULL;
    struct ib_cred_fields fields;
    struct ib_str code = {NULL, 0}, message = {NULL, 0};
    char source[ROLE_MAX + 64];
    enum ib_rc rc =
        ib_json_parse(ib_buf_str(&answer->body), "instance metadata", NULL, &object, err);

    if (rc != IB_OK) {
        return ib_cred_blame(err, rc);
    }
    if (ib_value_opt_str(object, "Code", 128, &code, NULL) == IB_OK && code.p != NULL &&
        !ib_str_eq_c(code, "Success")) {
        (void)!ib_value_opt_str(object, "Message", 512, &message, NULL);
        return ib_fail(err, IB_ECRED, "instance metadata has no credentials of role %s: %.*s%s%.*s",
                       role, IB_STR_ARG(code), message.n > 0 ? ": " : "", IB_STR_ARG(message));
    }
    rc = ib_cred_json_fields(object, "instance metadata", &names, &fields, err);
    if (rc != IB_OK) {
        return rc;
    }
    (void)snprintf(source, sizeof source, "role %s of this EC2 instance", role);
    rc = ib_cred_accept(&fields, IB_CRED_IMDS, source, ret, err);
    /* During an outage EC2 hands out what has expired, and the services go on to take it. */
    if (rc == IB_OK && ret->expiration_ms <= IB_OUTSIDE_NOW(ctx->outside)) {
        ib_cred_trail_add(ctx->trail, IB_CRED_IMDS, IB_CRED_ANSWERED,
                          "the credentials are past their end; used all the same, as EC2 means it");
    }
    return rc;
}

enum ib_rc ib_cred_imds(const struct ib_cred_context *ctx, struct ib_credentials *ret,
                        struct ib_error *err)
{
    IB_CLEANUP(ib_imds_fini) struct ib_imds imds = IB_IMDS_INIT;
    IB_CLEANUP(ib_http_response_fini) struct ib_http_response roles = IB_HTTP_RESPONSE_INIT;
    IB_CLEANUP(ib_http_response_fini) struct ib_http_response answer = IB_HTTP_RESPONSE_INIT;
    char role[ROLE_MAX], path[sizeof ROLES + ROLE_MAX];
    enum ib_rc rc = ib_imds_open(ctx, &imds, err);

    if (rc == IB_OK) {
        rc = ib_imds_get(ctx, &imds, ROLES, &roles, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    if (roles.status == 404) {
        return ib_fail(err, IB_ENOENT, "no IAM role is attached to this EC2 instance");
    }
    if (roles.status == 403) {
        return ib_fail(err, IB_ENOENT, "%s may not be read (HTTP status 403)",
                       ib_buf_c(&imds.endpoint));
    }
    if (roles.status != 200) {
        return ib_fail(err, IB_ECRED, "instance metadata at %s: HTTP status %d instead of the role",
                       ib_buf_c(&imds.endpoint), roles.status);
    }
    rc = take_role(&roles, role, err);
    if (rc != IB_OK) {
        return rc;
    }
    (void)snprintf(path, sizeof path, "%s%s", ROLES, role);
    rc = ib_imds_get(ctx, &imds, path, &answer, err);
    if (rc != IB_OK) {
        return rc;
    }
    if (answer.status != 200) {
        return ib_fail(err, IB_ECRED,
                       "instance metadata at %s: HTTP status %d instead of credentials of role %s",
                       ib_buf_c(&imds.endpoint), answer.status, role);
    }
    return take_credentials(ctx, role, &answer, ret, err);
}
