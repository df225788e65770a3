/* SPDX-License-Identifier: MIT */
/* Assuming a role by credentials that were found before. */
#include "lib/aws/cred.h"

#include <sys/utsname.h>

#include "lib/aws/arn.h"
#include "lib/aws/sts.h"
#include "lib/aws/url.h"
#include "lib/base/num.h"
#include "lib/base/text.h"

#define SESSION_NAME_MAX 64 /* STS API, AssumeRole */
#define EXTERNAL_ID_MAX  1224
#define DURATION_MIN     900
#define DURATION_MAX     43200
#define QUERY_MAX        8192

void ib_cred_role_of_profile(const struct ib_cred_context *ctx, const char *profile, char *buf,
                             size_t cap, struct ib_cred_role *ret)
{
    const struct ib_profiles *p = ctx->profiles;

    (void)snprintf(buf, cap, "profile \"%s\"", profile);
    *ret = (struct ib_cred_role){
        .arn = ib_profile_get(p, profile, "role_arn"),
        .session_name = ib_profile_get(p, profile, "role_session_name"),
        .external_id = ib_profile_get(p, profile, "external_id"),
        .mfa_serial = ib_profile_get(p, profile, "mfa_serial"),
        .duration = ib_profile_get(p, profile, "duration_seconds"),
        .where = buf,
    };
}

void ib_cred_role_of_options(const struct ib_cred_context *ctx, struct ib_cred_role *ret)
{
    const struct ib_aws_options *o = &ctx->config->options;

    *ret = (struct ib_cred_role){
        .arn = o->role_arn,
        .external_id = o->external_id,
        .session_name = IB_OUTSIDE_ENV(ctx->outside, "AWS_ROLE_SESSION_NAME"),
        .where = "--role-arn",
    };
}

/* --- checks
 * --------------------------------------------------------------------------------------- */

static bool has_only(const char *text, const char *more)
{
    for (; *text != '\0'; text++) {
        if (!ib_ascii_alnum(*text) && strchr(more, *text) == NULL) {
            return false;
        }
    }
    return true;
}

static enum ib_rc check_arn(const struct ib_cred_role *role, struct ib_error *err)
{
    struct ib_arn arn;
    enum ib_rc rc;

    if (role->arn == NULL) {
        return ib_fail(err, IB_ECRED, "%s: no role_arn", role->where);
    }
    rc = ib_arn_parse(ib_str_from(role->arn), role->where, &arn, err);
    if (rc != IB_OK) {
        return ib_cred_blame(err, rc);
    }
    if (strcmp(arn.service, "iam") != 0 ||
        !ib_str_starts(ib_str_from(arn.resource), IB_STR("role/"))) {
        return ib_fail(err, IB_ECRED,
                       "%s: \"%s\" is no role; one looks like arn:aws:iam::123456789012:role/NAME",
                       role->where, role->arn);
    }
    return IB_OK;
}

enum ib_rc ib_cred_role_check(const struct ib_cred_role *role, struct ib_error *err)
{
    enum ib_rc rc = check_arn(role, err);
    int64_t seconds;

    if (rc != IB_OK) {
        return rc;
    }
    if (role->mfa_serial != NULL) {
        return ib_fail(
            err, IB_ECRED,
            "%s: role %s demands MFA (mfa_serial), and nobody is here to type a code; give "
            "monitoring a role that trusts it without",
            role->where, role->arn);
    }
    if (role->duration != NULL &&
        ib_num_i64(ib_str_from(role->duration), DURATION_MIN, DURATION_MAX, "duration_seconds",
                   &seconds, NULL) != IB_OK) {
        return ib_fail(err, IB_ECRED, "%s: duration_seconds \"%.40s\" is no number from %d to %d",
                       role->where, role->duration, DURATION_MIN, DURATION_MAX);
    }
    if (role->session_name != NULL &&
        (strlen(role->session_name) < 2 || strlen(role->session_name) > SESSION_NAME_MAX ||
         !has_only(role->session_name, "+=,.@_-"))) {
        return ib_fail(
            err, IB_ECRED,
            "%s: role session name \"%.80s\" has other than 2 to %d characters of A-Z a-z "
            "0-9 + = , . @ _ -",
            role->where, role->session_name, SESSION_NAME_MAX);
    }
    if (role->external_id != NULL &&
        (strlen(role->external_id) < 2 || strlen(role->external_id) > EXTERNAL_ID_MAX ||
         !has_only(role->external_id, "+=,.@:/_-"))) {
        return ib_fail(
            err, IB_ECRED,
            "%s: the external id has other than 2 to %d characters of A-Z a-z 0-9 + = , . @ "
            ": / _ -",
            role->where, EXTERNAL_ID_MAX);
    }
    return IB_OK;
}

void ib_cred_session_name(char *buf, size_t cap)
{
    struct utsname host;
    int n = snprintf(buf, cap, "ib-plugins-%s", uname(&host) == 0 ? host.nodename : "host");

    if (n < 0) {
        buf[0] = '\0';
    }
    for (char *c = buf; *c != '\0'; c++) {
        if (!ib_ascii_alnum(*c) && strchr("+=,.@_-", *c) == NULL) {
            *c = '-';
        }
    }
}

/* --- the call
 * -------------------------------------------------------------------------------------- */

void ib_cred_role_describe(const struct ib_cred_context *ctx, const struct ib_cred_role *role,
                           struct ib_buf *out)
{
    struct ib_url url;
    char region[64];

    /* A stand-in's credentials are not AWS's, though the role has the same name. */
    if (ib_sts_endpoint(ctx, &url, region, NULL) == IB_OK) {
        ib_buf_addf(out, "sts=%s:%d%s\n", url.host, url.port, url.path);
    }
    ib_buf_addf(out, "role=%s\nsession=%s\nexternal=%s\nduration=%s\n", role->arn,
                role->session_name == NULL ? "" : role->session_name,
                role->external_id == NULL ? "" : role->external_id,
                role->duration == NULL ? "" : role->duration);
}

static void add(struct ib_buf *query, const char *name, const char *value)
{
    if (value != NULL) {
        ib_url_add_query(query, ib_str_from(name), ib_str_from(value));
    }
}

enum ib_rc ib_cred_assume_role(const struct ib_cred_context *ctx, const struct ib_cred_role *role,
                               const struct ib_credentials *by, struct ib_credentials *ret,
                               struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf query = IB_BUF_INIT(QUERY_MAX);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *result = NULL;
    char name[SESSION_NAME_MAX + 1], source[IB_ARN_MAX + 64];
    enum ib_rc rc = ib_cred_role_check(role, err);

    if (rc != IB_OK) {
        return rc;
    }
    ib_cred_session_name(name, sizeof name);
    add(&query, "Action", "AssumeRole");
    add(&query, "Version", "2011-06-15");
    add(&query, "RoleArn", role->arn);
    add(&query, "RoleSessionName", role->session_name != NULL ? role->session_name : name);
    add(&query, "ExternalId", role->external_id);
    add(&query, "DurationSeconds", role->duration);
    rc = ib_buf_ok(&query, "AssumeRole request", err);
    if (rc == IB_OK) {
        rc = ib_sts_call(ctx, "AssumeRole", ib_buf_str(&query), by, &result, err);
    }
    if (rc != IB_OK) {
        return ib_error_context(err, "role %s (%s, by %s)", role->arn, role->where, by->provider);
    }
    (void)snprintf(source, sizeof source, "role %s", role->arn);
    return ib_sts_credentials(ctx, result, IB_CRED_ASSUME_ROLE, source, ret, err);
}
