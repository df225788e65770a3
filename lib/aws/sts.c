/* SPDX-License-Identifier: MIT */
/* Calls to STS that hand out credentials. */
#include "lib/aws/sts.h"

#include "lib/aws/awserror.h"
#include "lib/aws/endpoint.h"
#include "lib/aws/retry.h"
#include "lib/aws/sigv4.h"
#include "lib/aws/xml.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/sys/random.h"

#define TRY_MAX_MS (10 * IB_SECOND_MS) /* STS answers in well under a second */

/* --- where ---------------------------------------------------------------------------------------
 */

bool ib_sts_is_legacy_region(const char *region)
{
    static const char *const old[] = {
        "ap-northeast-1", "ap-south-1",   "ap-southeast-1", "ap-southeast-2",
        "aws-global",     "ca-central-1", "eu-central-1",   "eu-north-1",
        "eu-west-1",      "eu-west-2",    "eu-west-3",      "sa-east-1",
        "us-east-1",      "us-east-2",    "us-west-1",      "us-west-2",
    };

    for (size_t i = 0; i < IB_ARRAY_LEN(old); i++) {
        if (strcmp(region, old[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool wants_global(const struct ib_cred_context *ctx, const char *region)
{
    const char *mode = IB_OUTSIDE_ENV(ctx->outside, "AWS_STS_REGIONAL_ENDPOINTS");

    if (region == NULL) {
        return true;
    }
    if (mode == NULL) {
        mode = ib_profile_get(ctx->profiles, ctx->profile, "sts_regional_endpoints");
    }
    return mode != NULL && ib_str_ieq_c(ib_str_from(mode), "legacy") &&
           ib_sts_is_legacy_region(region);
}

/* Option, environment, profile, else the region of the ARN at hand. NULL when nobody said. */
static const char *region_of(const struct ib_cred_context *ctx)
{
    if (ctx->config->region.value != NULL) {
        return ctx->config->region.value;
    }
    return ctx->config->call_region[0] != '\0' ? ctx->config->call_region : NULL;
}

enum ib_rc ib_sts_endpoint(const struct ib_cred_context *ctx, struct ib_url *ret,
                           char ret_region[64], struct ib_error *err)
{
    IB_CLEANUP(ib_aws_setting_fini) struct ib_aws_setting custom = {NULL, NULL};
    const char *region = region_of(ctx);
    struct ib_endpoint_params params = {.service = "sts", .region = region};
    enum ib_rc rc = ib_aws_config_endpoint_url(ctx->config, "sts", &custom, err);

    if (rc != IB_OK) {
        return rc;
    }
    if (custom.value != NULL) {
        params.custom_url = custom.value;
        params.custom_source = custom.source;
    } else if (wants_global(ctx, region)) {
        params.custom_url = "https://sts.amazonaws.com";
        region = "us-east-1";
    } else {
        params.use_fips = ctx->config->use_fips;
        params.use_dualstack = ctx->config->use_dualstack;
    }
    if (!ib_text_copy(ret_region, 64, ib_str_from(region == NULL ? "us-east-1" : region))) {
        return ib_fail(err, IB_EUSAGE, "a region's name of more than 63 bytes");
    }
    return ib_endpoint_resolve(&params, ret, err);
}

/* --- one try -------------------------------------------------------------------------------------
 */

struct call {
    const struct ib_cred_context *ctx;
    const char *action;
    struct ib_str query;
    const struct ib_credentials *by;
    struct ib_url url;
    char region[64];
    int64_t skew_ms;
};

static enum ib_rc build_headers(const struct call *c, struct ib_headers *headers,
                                struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf host = IB_BUF_INIT(IB_URL_HOST_MAX + 16);
    IB_CLEANUP(ib_buf_fini) struct ib_buf path = IB_BUF_INIT(IB_URL_PATH_MAX + 2);
    struct ib_sigv4_key key;
    struct ib_sigv4_request request;
    enum ib_rc rc;

    ib_url_add_host(&c->url, &host);
    ib_buf_addf(&path, "%s/", c->url.path);
    rc = ib_headers_add(headers, "Host", ib_buf_str(&host), err);
    if (rc == IB_OK) {
        rc = ib_headers_add(headers, "Content-Type",
                            IB_STR("application/x-www-form-urlencoded; charset=utf-8"), err);
    }
    if (rc != IB_OK || c->by == NULL) {
        return rc;
    }
    key = (struct ib_sigv4_key){.access_key_id = c->by->access_key_id,
                                .secret_access_key = c->by->secret_access_key,
                                .session_token = c->by->session_token,
                                .region = c->region,
                                .service = "sts"};
    request = (struct ib_sigv4_request){
        .method = "POST",
        .path = ib_buf_str(&path),
        .query = {NULL, 0},
        .body = c->query,
        .now_ms = IB_OUTSIDE_NOW(c->ctx->outside) + c->skew_ms,
    };
    return ib_sigv4_sign(&key, &request, headers, NULL, err);
}

static enum ib_rc try_once(const struct call *c, struct ib_http_response *ret, struct ib_error *err)
{
    IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf url = IB_BUF_INIT(IB_URL_HOST_MAX + IB_URL_PATH_MAX + 32);
    enum ib_rc rc = build_headers(c, &headers, err);
    struct ib_http_request request;

    if (rc != IB_OK) {
        return rc;
    }
    ib_url_add(&c->url, &url);
    ib_buf_add_c(&url, "/");
    rc = ib_buf_ok(&url, "STS URL", err);
    if (rc != IB_OK) {
        return rc;
    }
    request = (struct ib_http_request){
        .method = "POST",
        .url = ib_buf_c(&url),
        .headers = &headers,
        .body = c->query,
        .deadline = c->ctx->deadline,
        .timeout_ms = TRY_MAX_MS,
        .max_body = IB_OUTSIDE_REPLY_MAX,
        .flags = IB_HTTP_SECRET,
    };
    return c->ctx->outside->fetch(c->ctx->outside->ctx, &request, ret, err);
}

/* --- the answer ----------------------------------------------------------------------------------
 */

static enum ib_rc take_result(const struct call *c, const struct ib_http_response *answer,
                              struct ib_value **ret, struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *root = NULL;
    struct ib_value *result;
    char name[128];
    enum ib_rc rc = ib_xml_parse(ib_buf_str(&answer->body), "answer of STS", NULL, &root, err);

    if (rc != IB_OK) {
        return rc;
    }
    (void)snprintf(name, sizeof name, "%sResult", c->action);
    result = ib_value_get_c(root, name);
    if (!ib_value_is(result, IB_VALUE_OBJECT)) {
        return ib_fail(err, IB_EPARSE, "answer of STS: no %s in it", name);
    }
    *ret = ib_value_ref(result);
    return IB_OK;
}

/* Sign by the service's clock from now on, and say so. */
static void correct_clock(struct call *c, const struct ib_http_response *answer, int64_t now_ms)
{
    char theirs[IB_TIME_TEXT_MAX], ours[IB_TIME_TEXT_MAX];

    c->skew_ms = answer->date_ms - now_ms;
    ib_cred_trail_add(c->ctx->trail, "clock", IB_CRED_PASSED_OVER,
                      "this host says %s, STS says %s: signed by the clock of STS",
                      ib_time_fmt_iso8601(now_ms, ours, sizeof ours),
                      ib_time_fmt_iso8601(answer->date_ms, theirs, sizeof theirs));
}

static enum ib_retry_kind judge(const struct call *c, enum ib_rc rc,
                                const struct ib_http_response *answer, int64_t now_ms,
                                struct ib_awserror *ret_said)
{
    struct ib_retry_facts facts = {
        .transport = rc, .status = answer->status, .code = "", .message = ""};

    *ret_said = (struct ib_awserror){.code = ""};
    if (rc == IB_OK && answer->status != 200) {
        ib_awserror_read(&answer->headers, ib_buf_str(&answer->body), NULL, ret_said);
        facts.code = ret_said->code;
        facts.message = ret_said->message;
        facts.skew_known = answer->date_ms != 0 && c->by != NULL;
        facts.skew_ms = answer->date_ms - now_ms - c->skew_ms;
    }
    return ib_retry_classify(&facts);
}

/* Wait for the next try; false: there is none. */
static bool may_try_again(const struct call *c, enum ib_retry_kind kind, int tries,
                          const struct ib_http_response *answer, int64_t now_ms)
{
    int64_t server_ms = ib_retry_after_ms(&answer->headers, now_ms);

    switch (kind) {
    case IB_RETRY_NEVER:
    case IB_RETRY_EXPIRED:
    case IB_RETRY_SKEW:
        return false;
    case IB_RETRY_TRANSIENT:
    case IB_RETRY_TIMEOUT:
    case IB_RETRY_THROTTLE:
        break;
    }
    return tries < c->ctx->config->max_attempts &&
           ib_deadline_sleep(&c->ctx->deadline,
                             ib_retry_wait_ms(tries - 1, ib_random_unit(), server_ms),
                             NULL) == IB_OK;
}

enum ib_rc ib_sts_call(const struct ib_cred_context *ctx, const char *action, struct ib_str query,
                       const struct ib_credentials *by, struct ib_value **ret, struct ib_error *err)
{
    struct call c = {.ctx = ctx, .action = action, .query = query, .by = by};
    IB_CLEANUP(ib_http_response_fini) struct ib_http_response answer = IB_HTTP_RESPONSE_INIT;
    struct ib_awserror said = {.code = ""};
    enum ib_rc rc = ib_sts_endpoint(ctx, &c.url, c.region, err);

    if (rc != IB_OK) {
        return rc;
    }
    for (int tries = 1;; tries++) {
        int64_t now_ms = IB_OUTSIDE_NOW(ctx->outside);
        enum ib_retry_kind kind;

        ib_http_response_fini(&answer);
        rc = try_once(&c, &answer, err);
        kind = judge(&c, rc, &answer, now_ms, &said);
        if (kind == IB_RETRY_SKEW && c.skew_ms == 0) {
            correct_clock(&c, &answer, now_ms);
            continue;
        }
        if (!may_try_again(&c, kind, tries, &answer, now_ms)) {
            break;
        }
    }
    if (rc != IB_OK) {
        return ib_error_context(err, "%s", action);
    }
    if (answer.status != 200) {
        return ib_awserror_fail(err, &said, "sts", action, answer.status);
    }
    return take_result(&c, &answer, ret, err);
}

enum ib_rc ib_sts_credentials(const struct ib_cred_context *ctx, const struct ib_value *result,
                              const char *provider, const char *source, struct ib_credentials *ret,
                              struct ib_error *err)
{
    static const struct ib_cred_json_names names = {
        .access_key_id = "AccessKeyId",
        .secret_access_key = "SecretAccessKey",
        .session_token = "SessionToken",
        .expiration = "Expiration",
        .needs_token = true,
        .needs_expiration = true,
    };
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials found = IB_CREDENTIALS_INIT;
    struct ib_cred_fields fields;
    struct ib_str who = {NULL, 0};
    enum ib_rc rc = ib_cred_json_fields(ib_value_get_c(result, "Credentials"), "answer of STS",
                                        &names, &fields, err);

    if (rc != IB_OK) {
        return rc;
    }
    /* arn:aws:sts::123456789012:assumed-role/NAME/SESSION */
    if (ib_value_opt_str(result, "AssumedRoleUser.Arn", 2048, &who, NULL) == IB_OK) {
        for (int i = 0; i < 4 && who.p != NULL; i++) {
            (void)ib_str_split(&who, ':');
        }
        fields.account_id = ib_str_split(&who, ':');
    }
    rc = ib_cred_accept(&fields, provider, source, &found, err);
    if (rc == IB_OK) {
        rc = ib_cred_check_expired(&found, IB_OUTSIDE_NOW(ctx->outside),
                                   "is the clock of this host right?", err);
    }
    if (rc == IB_OK) {
        *ret = found;
        found = (struct ib_credentials)IB_CREDENTIALS_INIT;
    }
    return rc;
}
