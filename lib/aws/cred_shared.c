/* SPDX-License-Identifier: MIT */
/* Credentials written out in a profile. */
#include "lib/aws/cred.h"

enum ib_rc ib_cred_shared(const struct ib_cred_context *ctx, const char *profile,
                          struct ib_credentials *ret, struct ib_error *err)
{
    const char *id = ib_profile_get(ctx->profiles, profile, "aws_access_key_id");
    const char *secret = ib_profile_get(ctx->profiles, profile, "aws_secret_access_key");
    const struct ib_profile_file *file;
    struct ib_cred_fields f = {.expiration_ms = 0};
    IB_CLEANUP(ib_buf_fini) struct ib_buf source = IB_BUF_INIT(2048);

    if (id == NULL || secret == NULL) {
        return ib_fail(err, IB_ENOENT, "profile \"%s\" has no keys", profile);
    }
    file = ib_profiles_file(ctx->profiles,
                            ib_profile_origin(ctx->profiles, profile, "aws_access_key_id"));
    ib_buf_addf(&source, "profile \"%s\"", profile);
    if (file != NULL) {
        ib_buf_addf(&source, " in %s", file->path);
    }
    f.access_key_id = ib_str_from(id);
    f.secret_access_key = ib_str_from(secret);
    f.session_token = ib_str_from(ib_profile_get(ctx->profiles, profile, "aws_session_token"));
    f.account_id = ib_str_from(ib_profile_get(ctx->profiles, profile, "aws_account_id"));
    return ib_cred_accept(&f, IB_CRED_SHARED, ib_buf_c(&source), ret, err);
}
