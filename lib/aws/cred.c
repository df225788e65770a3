/* SPDX-License-Identifier: MIT */
/* What the credential providers share: the door for credentials, JSON forms, the trail. */
#include "lib/aws/cred.h"

#include <errno.h>

#include "lib/base/text.h"
#include "lib/base/time.h"

void ib_cred_trail_add(struct ib_cred_trail *trail, const char *provider,
                       enum ib_cred_outcome outcome, const char *fmt, ...)
{
    struct ib_cred_trail_row *row;
    char text[IB_ERROR_TEXT_MAX];
    va_list ap;
    int n;

    if (trail == NULL || trail->count == IB_CRED_TRAIL_MAX) {
        return;
    }
    row = &trail->rows[trail->count++];
    *row = (struct ib_cred_trail_row){.provider = provider, .outcome = outcome};
    va_start(ap, fmt);
    n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n > 0) {
        (void)ib_text_clean(text, strlen(text), row->text, sizeof row->text);
    }
}

bool ib_cred_is_true(const char *value)
{
    return value != NULL && ib_str_ieq_c(ib_str_trim(ib_str_from(value)), "true");
}

/* --- the door ------------------------------------------------------------------------------- */

static enum ib_rc check_text(struct ib_str text, size_t max, const char *name, const char *source,
                             struct ib_error *err)
{
    if (text.n == 0) {
        return ib_fail(err, IB_ECRED, "%s: no %s", source, name);
    }
    if (text.n > max) {
        return ib_fail(err, IB_ECRED, "%s: the %s has %zu bytes, more than the %zu that make sense",
                       source, name, text.n, max);
    }
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c <= ' ' || c >= 0x7f) {
            return ib_fail(err, IB_ECRED,
                           "%s: the %s has a blank, a line end or another character that no %s has",
                           source, name, name);
        }
    }
    return IB_OK;
}

static enum ib_rc check_fields(const struct ib_cred_fields *f, const char *source,
                               struct ib_error *err)
{
    enum ib_rc rc = check_text(f->access_key_id, IB_CRED_KEY_MAX, "access key id", source, err);

    if (rc == IB_OK) {
        rc = check_text(f->secret_access_key, IB_CRED_SECRET_MAX, "secret access key", source, err);
    }
    if (rc == IB_OK && f->session_token.n > 0) {
        rc = check_text(f->session_token, IB_CRED_TOKEN_MAX, "session token", source, err);
    }
    if (rc == IB_OK && f->account_id.n > 0) {
        rc = check_text(f->account_id, 64, "account id", source, err);
    }
    return rc;
}

enum ib_rc ib_cred_accept(const struct ib_cred_fields *fields, const char *provider,
                          const char *source, struct ib_credentials *ret, struct ib_error *err)
{
    struct ib_credentials c = IB_CREDENTIALS_INIT;
    enum ib_rc rc = check_fields(fields, source, err);

    if (rc != IB_OK) {
        return rc;
    }
    c.access_key_id = ib_str_dup(fields->access_key_id);
    c.secret_access_key = ib_str_dup(fields->secret_access_key);
    c.session_token = fields->session_token.n > 0 ? ib_str_dup(fields->session_token) : NULL;
    c.account_id = fields->account_id.n > 0 ? ib_str_dup(fields->account_id) : NULL;
    c.source = ib_str_dup(ib_str_from(source));
    c.expiration_ms = fields->expiration_ms;
    c.provider = provider;
    if (c.access_key_id == NULL || c.secret_access_key == NULL || c.source == NULL ||
        (c.session_token == NULL && fields->session_token.n > 0) ||
        (c.account_id == NULL && fields->account_id.n > 0)) {
        ib_credentials_fini(&c);
        return ib_fail_nomem(err);
    }
    *ret = c;
    return IB_OK;
}

enum ib_rc ib_cred_check_expired(const struct ib_credentials *c, int64_t now_ms, const char *advice,
                                 struct ib_error *err)
{
    char end[IB_TIME_TEXT_MAX];

    if (c->expiration_ms == 0 || c->expiration_ms > now_ms) {
        return IB_OK;
    }
    return ib_fail(err, IB_ECRED, "%s: the credentials expired at %s%s%s", c->source,
                   ib_time_fmt_iso8601(c->expiration_ms, end, sizeof end),
                   advice[0] == '\0' ? "" : "; ", advice);
}

enum ib_rc ib_cred_blame(struct ib_error *err, enum ib_rc rc)
{
    if (rc == IB_ENOMEM || rc == IB_ETIMEOUT || rc == IB_EBUG) {
        return rc;
    }
    return ib_fail(err, IB_ECRED, "%s", err == NULL ? "" : err->text);
}

/* --- JSON ------------------------------------------------------------------------------------ */

static enum ib_rc json_text(const struct ib_value *object, const char *what, const char *name,
                            bool needed, struct ib_str *ret, struct ib_error *err)
{
    const struct ib_value *v = name == NULL ? NULL : ib_value_get_c(object, name);

    *ret = (struct ib_str){NULL, 0};
    if (v == NULL || ib_value_is(v, IB_VALUE_NULL)) {
        return needed ? ib_fail(err, IB_ECRED, "%s: no %s", what, name) : IB_OK;
    }
    if (!ib_value_is(v, IB_VALUE_STRING)) {
        return ib_fail(err, IB_ECRED, "%s: %s is a JSON %s instead of a string", what, name,
                       ib_value_type_name(v));
    }
    *ret = ib_value_as_str(v);
    return IB_OK;
}

static enum ib_rc json_expiration(const struct ib_value *object, const char *what,
                                  const struct ib_cred_json_names *names, int64_t *ret,
                                  struct ib_error *err)
{
    const struct ib_value *v = ib_value_get_c(object, names->expiration);
    struct ib_str text;
    enum ib_rc rc;

    *ret = 0;
    if (names->expiration_is_ms && v != NULL) {
        if (!ib_value_is(v, IB_VALUE_INT) || ib_value_as_int(v) <= 0) {
            return ib_fail(err, IB_ECRED, "%s: %s is no number of milliseconds", what,
                           names->expiration);
        }
        *ret = ib_value_as_int(v);
        return IB_OK;
    }
    rc = json_text(object, what, names->expiration, names->needs_expiration, &text, err);
    if (rc != IB_OK || text.n == 0) {
        return rc;
    }
    if (ib_time_parse_iso8601(text, ret, NULL) != IB_OK) {
        return ib_fail(err, IB_ECRED, "%s: %s \"%.*s\" is no time like 2026-09-03T11:22:33Z", what,
                       names->expiration, IB_STR_ARG(ib_str_head(text, 40)));
    }
    return IB_OK;
}

enum ib_rc ib_cred_json_fields(const struct ib_value *object, const char *what,
                               const struct ib_cred_json_names *names, struct ib_cred_fields *ret,
                               struct ib_error *err)
{
    struct ib_cred_fields f = {.expiration_ms = 0};
    enum ib_rc rc;

    if (!ib_value_is(object, IB_VALUE_OBJECT)) {
        return ib_fail(err, IB_ECRED, "%s: a JSON %s instead of an object", what,
                       ib_value_type_name(object));
    }
    rc = json_text(object, what, names->access_key_id, true, &f.access_key_id, err);
    if (rc == IB_OK) {
        rc = json_text(object, what, names->secret_access_key, true, &f.secret_access_key, err);
    }
    if (rc == IB_OK) {
        rc = json_text(object, what, names->session_token, names->needs_token, &f.session_token,
                       err);
    }
    if (rc == IB_OK) {
        rc = json_text(object, what, names->account_id, false, &f.account_id, err);
    }
    if (rc == IB_OK && names->expiration != NULL) {
        rc = json_expiration(object, what, names, &f.expiration_ms, err);
    }
    if (rc == IB_OK) {
        *ret = f;
    }
    return rc;
}

/* --- files of the user ------------------------------------------------------------------------ */

struct below_home {
    const struct ib_outside *outside;
    const char *rest;
    struct ib_buf *content;
    char *path;
    struct ib_file_facts *facts;
};

static enum ib_rc read_at(const struct below_home *b, const char *home, struct ib_error *err)
{
    int n = snprintf(b->path, IB_PROFILE_PATH_MAX, "%s%s", home, b->rest);

    if (n < 0 || n >= IB_PROFILE_PATH_MAX) {
        return ib_fail(err, IB_ENOENT, "the path of the home directory is too long");
    }
    ib_buf_reset(b->content);
    return b->outside->read(b->outside->ctx, b->path, b->content, b->facts, err);
}

enum ib_rc ib_cred_read_below_home(const struct ib_cred_context *ctx, const char *rest,
                                   struct ib_buf *ret, char *ret_path,
                                   struct ib_file_facts *ret_facts, struct ib_error *err)
{
    const struct below_home b = {ctx->outside, rest, ret, ret_path, ret_facts};
    struct ib_error why = IB_ERROR_INIT;
    const char *source;
    const char *home = ib_profile_home(ctx->outside, &source);
    const char *own = ctx->outside->passwd_home(ctx->outside->ctx);
    enum ib_rc rc;

    ret_path[0] = '\0';
    if (home == NULL) {
        return ib_fail(err, IB_ENOENT, "HOME is not set and user id %ld has no home directory",
                       (long)geteuid());
    }
    rc = read_at(&b, home, &why);
    if (rc == IB_ESYS && why.sys == EACCES && own != NULL && strcmp(own, home) != 0) {
        return read_at(&b, own, err);
    }
    if (rc != IB_OK && err != NULL) {
        *err = why;
    }
    return rc;
}
