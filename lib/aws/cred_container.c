/* SPDX-License-Identifier: MIT */
/* Credentials of a container: ECS tasks, EKS Pod Identity, Greengrass. */
#include "lib/aws/cred.h"

#include "lib/aws/url.h"
#include "lib/base/text.h"
#include "lib/data/json.h"

#define RELATIVE   "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
#define FULL       "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define TOKEN      "AWS_CONTAINER_AUTHORIZATION_TOKEN"
#define TOKEN_FILE "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"

#define ECS_HOST   "169.254.170.2"
#define URL_MAX    2048 /* bytes */
#define TIMEOUT_MS 2000 /* of one try, as in the SDKs */
#define TRIES      3

/* --- where ------------------------------------------------------------------------------------ */

static enum ib_rc check_characters(struct ib_str url, const char *variable, struct ib_error *err)
{
    for (size_t i = 0; i < url.n; i++) {
        if (url.p[i] <= ' ' || (unsigned char)url.p[i] >= 0x7f || url.p[i] == '#') {
            return ib_fail(err, IB_ECONFIG, "%s: a blank, '#' or control character in a URL",
                           variable);
        }
    }
    return url.n <= URL_MAX ? IB_OK
                            : ib_fail(err, IB_ECONFIG, "%s: a URL of %zu bytes", variable, url.n);
}

/* Plain http would show the token and the keys to whoever sits on the way: these hosts have no way.
 */
static bool may_be_plain(const char *host)
{
    static const char *const known[] = {ECS_HOST, "169.254.170.23", "fd00:ec2::23"};

    for (size_t i = 0; i < IB_ARRAY_LEN(known); i++) {
        if (strcmp(host, known[i]) == 0) {
            return true;
        }
    }
    return ib_host_is_loopback(host);
}

static enum ib_rc full_url(struct ib_str text, struct ib_buf *ret, bool *ret_is_metadata,
                           struct ib_error *err)
{
    struct ib_str scheme_less = text;
    struct ib_url url;
    size_t path;
    enum ib_rc rc = check_characters(text, FULL, err);

    if (rc != IB_OK) {
        return rc;
    }
    /* The parser of endpoints knows no query, so it gets what stands in front of the path. */
    path = ib_str_find(text, ':');
    scheme_less = ib_str_skip(text, path + 3);
    if (path + 3 > text.n || memcmp(text.p + path, "://", 3) != 0 || scheme_less.n == 0) {
        return ib_fail(err, IB_ECONFIG, "%s: it names no host", FULL);
    }
    path = 0;
    while (path < scheme_less.n && scheme_less.p[path] != '/' && scheme_less.p[path] != '?') {
        path++;
    }
    rc = ib_url_parse(ib_str_head(text, text.n - scheme_less.n + path), FULL, &url, err);
    if (rc != IB_OK) {
        return ib_fail(err, IB_ECONFIG, "%s", err == NULL ? "" : err->text);
    }
    if (!url.is_https && !may_be_plain(url.host)) {
        return ib_fail(
            err, IB_ECONFIG,
            "%s: plain http is allowed to loopback and to the hosts of ECS and EKS only, not "
            "to %s",
            FULL, url.host);
    }
    *ret_is_metadata = !url.is_https;
    ib_url_add(&url, ret);
    ib_buf_add_str(ret, ib_str_skip(scheme_less, path));
    return ib_buf_ok(ret, FULL, err);
}

enum ib_rc ib_cred_container_url(const struct ib_outside *outside, struct ib_buf *ret,
                                 bool *ret_is_metadata, struct ib_error *err)
{
    struct ib_str relative = ib_str_from(IB_OUTSIDE_ENV(outside, RELATIVE));
    struct ib_str full = ib_str_from(IB_OUTSIDE_ENV(outside, FULL));
    enum ib_rc rc;

    if (relative.n > 0) {
        rc = check_characters(relative, RELATIVE, err);
        if (rc != IB_OK) {
            return rc;
        }
        if (relative.p[0] != '/') {
            return ib_fail(err, IB_ECONFIG, "%s: it does not begin with '/'", RELATIVE);
        }
        *ret_is_metadata = true;
        ib_buf_addf(ret, "http://%s%.*s", ECS_HOST, IB_STR_ARG(relative));
        return ib_buf_ok(ret, RELATIVE, err);
    }
    if (full.n > 0) {
        return full_url(full, ret, ret_is_metadata, err);
    }
    return ib_fail(err, IB_ENOENT, "%s and %s are not set", RELATIVE, FULL);
}

/* --- with which token ---------------------------------------------------------------------------
 */

static enum ib_rc read_token(const struct ib_outside *outside, struct ib_buf *ret,
                             struct ib_error *err)
{
    const char *path = IB_OUTSIDE_ENV(outside, TOKEN_FILE);
    const char *token = IB_OUTSIDE_ENV(outside, TOKEN);
    enum ib_rc rc;

    if (path == NULL) {
        ib_buf_add_c(ret, token == NULL ? "" : token);
    } else {
        rc = outside->read(outside->ctx, path, ret, NULL, err);
        if (rc != IB_OK) {
            (void)ib_error_context(err, "%s", TOKEN_FILE);
            return ib_cred_blame(err, rc);
        }
        /* One line end behind it is an editor's, not the token's. */
        while (ret->len > 0 &&
               (ret->data[ret->len - 1] == '\n' || ret->data[ret->len - 1] == '\r')) {
            ib_buf_cut(ret, ret->len - 1);
        }
    }
    for (size_t i = 0; i < ret->len; i++) {
        if ((unsigned char)ret->data[i] < ' ' || ret->data[i] == 0x7f) {
            return ib_fail(err, IB_ECRED, "%s: a line end or control character in the token",
                           path != NULL ? TOKEN_FILE : TOKEN);
        }
    }
    return ib_buf_ok(ret, TOKEN, err);
}

/* --- the answer ---------------------------------------------------------------------------------
 */

static enum ib_rc refusal(const struct ib_http_response *answer, const char *url,
                          struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *object = NULL;
    struct ib_str code = {NULL, 0}, message = {NULL, 0};

    if (ib_json_parse(ib_buf_str(&answer->body), url, NULL, &object, NULL) == IB_OK) {
        (void)!ib_value_opt_str(object, "code", 128, &code, NULL);
        (void)!ib_value_opt_str(object, "message", 512, &message, NULL);
    }
    return ib_fail(err, IB_ECRED, "container credentials at %s: HTTP status %d%s%.*s%s%.*s", url,
                   answer->status, code.n > 0 ? " " : "", IB_STR_ARG(code),
                   message.n > 0 ? ": " : "", IB_STR_ARG(message));
}

static enum ib_rc take_credentials(const struct ib_cred_context *ctx, const char *url,
                                   const struct ib_http_response *answer,
                                   struct ib_credentials *ret, struct ib_error *err)
{
    static const struct ib_cred_json_names names = {
        .access_key_id = "AccessKeyId",
        .secret_access_key = "SecretAccessKey",
        .session_token = "Token",
        .expiration = "Expiration",
        .account_id = "AccountId",
        .needs_expiration = true,
    };
    IB_CLEANUP(ib_value_cleanup) struct ib_value *object = NULL;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials found = IB_CREDENTIALS_INIT;
    struct ib_cred_fields fields;
    char what[256];
    enum ib_rc rc;

    (void)snprintf(what, sizeof what, "container credentials at %s", url);
    if (answer->status != 200) {
        return refusal(answer, url, err);
    }
    rc = ib_json_parse(ib_buf_str(&answer->body), what, NULL, &object, err);
    if (rc != IB_OK) {
        return ib_cred_blame(err, rc);
    }
    rc = ib_cred_json_fields(object, what, &names, &fields, err);
    if (rc == IB_OK) {
        rc = ib_cred_accept(&fields, IB_CRED_CONTAINER, what, &found, err);
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

static bool is_worth_another(enum ib_rc rc, int status)
{
    return rc == IB_ENET || rc == IB_ETIMEOUT || (rc == IB_OK && (status >= 500 || status == 429));
}

enum ib_rc ib_cred_container(const struct ib_cred_context *ctx, struct ib_credentials *ret,
                             struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf url = IB_BUF_INIT(URL_MAX + 64);
    IB_CLEANUP(ib_buf_fini) struct ib_buf shown = IB_BUF_INIT(URL_MAX + 64);
    IB_CLEANUP(ib_http_response_fini) struct ib_http_response answer = IB_HTTP_RESPONSE_INIT;
    bool is_metadata = false;
    const enum ib_rc url_rc = ib_cred_container_url(ctx->outside, &url, &is_metadata, err);
    enum ib_rc rc = url_rc;

    for (int i = 0; rc == IB_OK && i < TRIES; i++) {
        IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;
        /* Read again for each try: the file is replaced while the old token runs out. */
        IB_CLEANUP(ib_buf_fini) struct ib_buf token = IB_BUF_INIT_SECRET(IB_CRED_TOKEN_MAX);
        const struct ib_http_request request = {
            .method = "GET",
            .url = ib_buf_c(&url),
            .headers = &headers,
            .deadline = ctx->deadline,
            .timeout_ms = TIMEOUT_MS,
            .max_body = IB_OUTSIDE_REPLY_MAX,
            .flags = IB_HTTP_SECRET | (is_metadata ? IB_HTTP_METADATA : 0u),
        };

        rc = read_token(ctx->outside, &token, err);
        if (rc == IB_OK && token.len > 0) {
            rc = ib_headers_add(&headers, "Authorization", ib_buf_str(&token), err);
        }
        if (rc != IB_OK) {
            return rc;
        }
        ib_http_response_fini(&answer);
        rc = ctx->outside->fetch(ctx->outside->ctx, &request, &answer, err);
        if (!is_worth_another(rc, answer.status) || i + 1 == TRIES ||
            ib_deadline_passed(&ctx->deadline)) {
            break;
        }
        rc = IB_OK;
    }
    if (rc != IB_OK) {
        return url_rc != IB_OK ? rc : ib_error_context(err, "container credentials");
    }
    /* A query may hold a token. */
    ib_buf_add_str(&shown, ib_str_head(ib_buf_str(&url), ib_str_find(ib_buf_str(&url), '?')));
    return take_credentials(ctx, ib_buf_c(&shown), &answer, ret, err);
}
