/* SPDX-License-Identifier: MIT */
/* Credentials from a program that the profile names (credential_process). */
#include "lib/aws/cred.h"

#include "lib/base/text.h"
#include "lib/data/json.h"

static enum ib_rc check_naming_file(const struct ib_cred_context *ctx, const char *profile,
                                    struct ib_error *err)
{
    const struct ib_profile_file *file = ib_profiles_file(
        ctx->profiles, ib_profile_origin(ctx->profiles, profile, "credential_process"));
    enum ib_rc rc;

    if (file == NULL) {
        return ib_fail(err, IB_EBUG, "profile \"%s\": credential_process from no file", profile);
    }
    rc = ctx->outside->check_trusted(ctx->outside->ctx, file->path, err);
    if (rc != IB_OK) {
        (void)ib_error_context(err, "profile \"%s\": credential_process is not run", profile);
        return ib_cred_blame(err, rc);
    }
    return IB_OK;
}

static enum ib_rc take_credentials(const struct ib_cred_context *ctx, const char *what,
                                   struct ib_str text, struct ib_credentials *ret,
                                   struct ib_error *err)
{
    static const struct ib_cred_json_names names = {
        .access_key_id = "AccessKeyId",
        .secret_access_key = "SecretAccessKey",
        .session_token = "SessionToken",
        .expiration = "Expiration",
        .account_id = "AccountId",
    };
    IB_CLEANUP(ib_value_cleanup) struct ib_value *object = NULL;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials found = IB_CREDENTIALS_INIT;
    struct ib_cred_fields fields;
    const struct ib_value *version;
    enum ib_rc rc = ib_json_parse(text, what, NULL, &object, err);

    if (rc != IB_OK) {
        return ib_cred_blame(err, rc);
    }
    version = ib_value_get_c(object, "Version");
    if (!ib_value_is(version, IB_VALUE_INT) || ib_value_as_int(version) != 1) {
        return ib_fail(err, IB_ECRED, "%s: its answer has no \"Version\": 1, the only one known",
                       what);
    }
    rc = ib_cred_json_fields(object, what, &names, &fields, err);
    if (rc == IB_OK) {
        rc = ib_cred_accept(&fields, IB_CRED_PROCESS, what, &found, err);
    }
    if (rc == IB_OK) {
        rc = ib_cred_check_expired(&found, IB_OUTSIDE_NOW(ctx->outside), "", err);
    }
    if (rc == IB_OK) {
        *ret = found;
        found = (struct ib_credentials)IB_CREDENTIALS_INIT;
    }
    return rc;
}

enum ib_rc ib_cred_process(const struct ib_cred_context *ctx, const char *profile,
                           struct ib_credentials *ret, struct ib_error *err)
{
    const char *command = ib_profile_get(ctx->profiles, profile, "credential_process");
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT_SECRET(IB_OUTSIDE_RUN_MAX);
    IB_CLEANUP(ib_buf_fini) struct ib_buf complaint = IB_BUF_INIT_SECRET(IB_OUTSIDE_RUN_MAX);
    char what[256], said[201];
    int status = 0;
    enum ib_rc rc;

    if (command == NULL) {
        return ib_fail(err, IB_ENOENT, "profile \"%s\" has no credential_process", profile);
    }
    (void)snprintf(what, sizeof what, "credential_process of profile \"%.100s\"", profile);
    rc = check_naming_file(ctx, profile, err);
    if (rc != IB_OK) {
        return rc;
    }
    rc = ctx->outside->run(ctx->outside->ctx, command, ctx->deadline, &out, &complaint, &status,
                           err);
    if (rc != IB_OK) {
        (void)ib_error_context(err, "%s", what);
        return ib_cred_blame(err, rc);
    }
    if (status != 0) {
        (void)ib_text_clean(ib_buf_c(&complaint), complaint.len, said, sizeof said);
        return ib_fail(err, IB_ECRED, "%s: it ended with exit status %d%s%s", what, status,
                       said[0] == '\0' ? "" : ": ", said);
    }
    return take_credentials(ctx, what, ib_buf_str(&out), ret, err);
}
