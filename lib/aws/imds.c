/* SPDX-License-Identifier: MIT */
/* The EC2 instance metadata service. */
#include "lib/aws/imds.h"

#include "lib/aws/url.h"
#include "lib/base/num.h"

#define TOKEN_TTL "21600" /* seconds, the longest that EC2 gives */

void ib_imds_fini(struct ib_imds *imds)
{
    explicit_bzero(imds->token, sizeof imds->token);
    ib_buf_fini(&imds->endpoint);
}

/* Environment, else the selected profile. */
static const char *setting(const struct ib_cred_context *ctx, const char *variable, const char *key,
                           const char **ret_source)
{
    const char *value = IB_OUTSIDE_ENV(ctx->outside, variable);

    *ret_source = variable;
    if (value == NULL && key != NULL) {
        value = ib_profile_get(ctx->profiles, ctx->profile, key);
        *ret_source = key;
    }
    return value;
}

static enum ib_rc endpoint_of_mode(const char *mode, const char *source, struct ib_buf *ret,
                                   struct ib_error *err)
{
    if (mode == NULL || ib_str_ieq_c(ib_str_from(mode), "IPv4")) {
        ib_buf_add_c(ret, "http://169.254.169.254");
        return IB_OK;
    }
    if (ib_str_ieq_c(ib_str_from(mode), "IPv6")) {
        ib_buf_add_c(ret, "http://[fd00:ec2::254]");
        return IB_OK;
    }
    return ib_fail(err, IB_ECONFIG, "%s: \"%.40s\" is neither IPv4 nor IPv6", source, mode);
}

enum ib_rc ib_imds_endpoint(const struct ib_cred_context *ctx,
                            const struct ib_imds_override *override, struct ib_buf *ret,
                            bool *ret_plain, struct ib_error *err)
{
    const char *source = "endpoint";
    const char *endpoint = override->endpoint;
    const char *mode = override->mode;
    struct ib_url url;
    enum ib_rc rc;

    *ret_plain = false;
    if (endpoint == NULL) {
        endpoint = setting(ctx, "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                           "ec2_metadata_service_endpoint", &source);
    }
    if (endpoint == NULL) {
        source = "endpoint mode";
        if (mode == NULL) {
            mode = setting(ctx, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
                           "ec2_metadata_service_endpoint_mode", &source);
        }
        return endpoint_of_mode(mode, source, ret, err);
    }
    rc = ib_url_parse(ib_str_trim(ib_str_from(endpoint)), source, &url, err);
    if (rc != IB_OK) {
        return ib_fail(err, IB_ECONFIG, "%s", err == NULL ? "" : err->text);
    }
    *ret_plain = !url.is_https;
    ib_url_add(&url, ret);
    return ib_buf_ok(ret, source, err);
}

static enum ib_rc read_settings(const struct ib_cred_context *ctx, struct ib_imds *imds,
                                struct ib_error *err)
{
    const struct ib_imds_override none = {NULL, NULL};
    const char *source;
    const char *text =
        setting(ctx, "AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout", &source);
    double seconds = 1.0;
    enum ib_rc rc;

    if (text != NULL &&
        ib_num_double(ib_str_from(text), 0.01, 60, source, &seconds, err) != IB_OK) {
        return ib_fail(err, IB_ECONFIG, "%s: \"%.40s\" is no number of seconds up to 60", source,
                       text);
    }
    imds->timeout_ms = (int64_t)(seconds * 1000.0);
    text =
        setting(ctx, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts", &source);
    imds->attempts = 1;
    if (text != NULL &&
        ib_num_i64(ib_str_from(text), 1, 10, source, &imds->attempts, err) != IB_OK) {
        return ib_fail(err, IB_ECONFIG, "%s: \"%.40s\" is no number from 1 to 10", source, text);
    }
    ib_buf_reset(&imds->endpoint);
    rc = ib_imds_endpoint(ctx, &none, &imds->endpoint, &imds->plain, err);
    return rc != IB_OK ? rc : ib_buf_ok(&imds->endpoint, "metadata endpoint", err);
}

/* One request, tried again on silence, broken connections and 5xx. */
static enum ib_rc exchange(const struct ib_cred_context *ctx, const struct ib_imds *imds,
                           const char *method, const char *path, const struct ib_headers *headers,
                           struct ib_http_response *ret, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf url = IB_BUF_INIT(2400);
    enum ib_rc rc;

    ib_buf_addf(&url, "%s%s", ib_buf_c(&imds->endpoint), path);
    rc = ib_buf_ok(&url, "metadata URL", err);
    for (int64_t i = 0; rc == IB_OK && i < imds->attempts; i++) {
        const struct ib_http_request request = {
            .method = method,
            .url = ib_buf_c(&url),
            .headers = headers,
            .deadline = ctx->deadline,
            .timeout_ms = imds->timeout_ms,
            .connect_timeout_ms = imds->timeout_ms,
            .max_body = IB_OUTSIDE_REPLY_MAX,
            .flags = IB_HTTP_METADATA | IB_HTTP_SECRET | (imds->plain ? IB_HTTP_PLAIN : 0u),
        };
        enum ib_rc tried;

        ib_http_response_fini(ret);
        tried = ctx->outside->fetch(ctx->outside->ctx, &request, ret, err);
        if ((tried == IB_OK && ret->status < 500) ||
            (tried != IB_OK && tried != IB_ENET && tried != IB_ETIMEOUT)) {
            return tried;
        }
        if (i + 1 == imds->attempts || ib_deadline_passed(&ctx->deadline)) {
            return tried;
        }
    }
    return rc;
}

static enum ib_rc take_token(struct ib_imds *imds, const struct ib_http_response *answer,
                             struct ib_error *err)
{
    struct ib_str token = ib_str_trim(ib_buf_str(&answer->body));

    if (token.n == 0 || token.n >= sizeof imds->token) {
        return ib_fail(err, IB_ECRED, "instance metadata at %s: answered with a token of %zu bytes",
                       ib_buf_c(&imds->endpoint), token.n);
    }
    for (size_t i = 0; i < token.n; i++) {
        if (token.p[i] <= ' ' || (unsigned char)token.p[i] >= 0x7f) {
            return ib_fail(err, IB_ECRED, "instance metadata at %s: what it answered is no token",
                           ib_buf_c(&imds->endpoint));
        }
    }
    memcpy(imds->token, token.p, token.n);
    imds->token[token.n] = '\0';
    imds->has_token = true;
    return IB_OK;
}

/* The token's request was not honoured: may the old way be tried? */
static enum ib_rc fall_back(const struct ib_cred_context *ctx, const struct ib_imds *imds,
                            const char *why, struct ib_error *err)
{
    const char *source;
    const char *disabled =
        setting(ctx, "AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled", &source);

    if (!ib_cred_is_true(disabled)) {
        return IB_OK;
    }
    return ib_fail(err, imds->token_silent ? IB_ENOENT : IB_ECRED,
                   "instance metadata at %s: no token (%s), and %s forbids to ask without",
                   ib_buf_c(&imds->endpoint), why, source);
}

static enum ib_rc get_token(const struct ib_cred_context *ctx, struct ib_imds *imds,
                            struct ib_error *err)
{
    IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;
    IB_CLEANUP(ib_http_response_fini) struct ib_http_response answer = IB_HTTP_RESPONSE_INIT;
    char why[64];
    enum ib_rc rc =
        ib_headers_add(&headers, "X-aws-ec2-metadata-token-ttl-seconds", IB_STR(TOKEN_TTL), err);

    if (rc != IB_OK) {
        return rc;
    }
    rc = exchange(ctx, imds, "PUT", "/latest/api/token", &headers, &answer, err);
    if (rc == IB_ETIMEOUT) {
        if (ib_deadline_passed(&ctx->deadline)) {
            return rc;
        }
        imds->token_silent = true;
        return fall_back(ctx, imds, "nobody answered", err);
    }
    if (rc == IB_ENET) {
        return ib_fail(err, IB_ENOENT, "nobody at %s", ib_buf_c(&imds->endpoint));
    }
    if (rc != IB_OK) {
        (void)ib_error_context(err, "instance metadata");
        return ib_cred_blame(err, rc);
    }
    if (answer.status == 200) {
        return take_token(imds, &answer, err);
    }
    (void)snprintf(why, sizeof why, "HTTP status %d", answer.status);
    if (answer.status == 403 || answer.status == 404 || answer.status == 405) {
        return fall_back(ctx, imds, why, err);
    }
    return ib_fail(err, IB_ECRED, "instance metadata at %s: %s instead of a token",
                   ib_buf_c(&imds->endpoint), why);
}

enum ib_rc ib_imds_open(const struct ib_cred_context *ctx, struct ib_imds *imds,
                        struct ib_error *err)
{
    enum ib_rc rc;

    if (ib_cred_is_true(IB_OUTSIDE_ENV(ctx->outside, "AWS_EC2_METADATA_DISABLED"))) {
        return ib_fail(err, IB_ENOENT, "switched off by AWS_EC2_METADATA_DISABLED");
    }
    rc = read_settings(ctx, imds, err);
    return rc != IB_OK ? rc : get_token(ctx, imds, err);
}

/* 401 to a request without token: IMDSv2 alone is allowed, and its token did not reach us. */
static enum ib_rc refused(const struct ib_imds *imds, struct ib_error *err)
{
    if (imds->token_silent) {
        return ib_fail(
            err, IB_ECRED,
            "instance metadata at %s: it demands a token, and its answer to the request for "
            "one never came: in a container the hop limit of 1 ends it; allow 2 with: aws ec2 "
            "modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2",
            ib_buf_c(&imds->endpoint));
    }
    return ib_fail(err, IB_ECRED, "instance metadata at %s: HTTP status 401, token %s",
                   ib_buf_c(&imds->endpoint), imds->has_token ? "refused" : "demanded");
}

enum ib_rc ib_imds_get(const struct ib_cred_context *ctx, struct ib_imds *imds, const char *path,
                       struct ib_http_response *ret, struct ib_error *err)
{
    IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;
    enum ib_rc rc = IB_OK;

    if (imds->has_token) {
        rc = ib_headers_add(&headers, "X-aws-ec2-metadata-token", ib_str_from(imds->token), err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    rc = exchange(ctx, imds, "GET", path, &headers, ret, err);
    if (rc == IB_ETIMEOUT && !ib_deadline_passed(&ctx->deadline)) {
        return ib_fail(
            err, imds->has_token ? IB_ECRED : IB_ENOENT, "no answer from %s in %lld ms%s",
            ib_buf_c(&imds->endpoint), (long long)imds->timeout_ms,
            imds->has_token ? ""
                            : " (not an EC2 instance, or a container behind a hop limit of 1)");
    }
    if (rc == IB_ENET) {
        return ib_fail(err, imds->has_token ? IB_ECRED : IB_ENOENT, "nobody at %s",
                       ib_buf_c(&imds->endpoint));
    }
    if (rc == IB_OK && ret->status == 401) {
        return refused(imds, err);
    }
    return rc;
}

enum ib_rc ib_imds_region(const struct ib_cred_context *ctx, struct ib_buf *ret,
                          struct ib_error *err)
{
    IB_CLEANUP(ib_imds_fini) struct ib_imds imds = IB_IMDS_INIT;
    IB_CLEANUP(ib_http_response_fini) struct ib_http_response answer = IB_HTTP_RESPONSE_INIT;
    enum ib_rc rc = ib_imds_open(ctx, &imds, err);

    if (rc == IB_OK) {
        rc = ib_imds_get(ctx, &imds, "/latest/meta-data/placement/region", &answer, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    if (answer.status != 200) {
        return ib_fail(err, IB_ENOENT, "HTTP status %d", answer.status);
    }
    ib_buf_add_str(ret, ib_str_trim(ib_buf_str(&answer.body)));
    return ib_buf_ok(ret, "region of the instance", err);
}
