/* SPDX-License-Identifier: MIT */
/* Retry rules as tables. */
#include "lib/aws/retry.h"

#include "lib/aws/awserror.h"
#include "lib/base/num.h"
#include "lib/base/time.h"

#define BUCKET_MAX      500
#define COST_RETRY      5
#define COST_TIMEOUT    10
#define WAIT_MAX_MS     20000
#define SERVER_SLACK_MS 5000

/* SDK reference guide "Retry behavior", botocore's list, and Image Builder's own. */
static const char *const throttle_codes[] = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "RequestThrottled",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
    "CallRateLimitExceededException",
};
static const char *const transient_codes[] = {
    "RequestTimeout",
    "RequestTimeoutException",
    "InternalFailure",
    "InternalError",
    "InternalServerError",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "ServiceException",
    "IDPCommunicationError",
};
/* Codes that a wrong clock may be behind. */
static const char *const skew_codes[] = {
    "RequestTimeTooSkewed",      "RequestExpired",        "RequestInTheFuture",
    "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure",
};

static bool is_in(const char *code, const char *const *codes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(code, codes[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_skewed(const struct ib_retry_facts *f)
{
    if (!f->skew_known ||
        (f->skew_ms < IB_RETRY_SKEW_MIN_MS && f->skew_ms > -IB_RETRY_SKEW_MIN_MS)) {
        return false;
    }
    return is_in(f->code, skew_codes, IB_ARRAY_LEN(skew_codes));
}

enum ib_retry_kind ib_retry_classify(const struct ib_retry_facts *facts)
{
    if (facts->transport == IB_ETIMEOUT) {
        return IB_RETRY_TIMEOUT;
    }
    if (facts->transport == IB_ENET) {
        return IB_RETRY_TRANSIENT;
    }
    if (facts->transport != IB_OK) {
        return IB_RETRY_NEVER;
    }
    if (facts->status == 429 || is_in(facts->code, throttle_codes, IB_ARRAY_LEN(throttle_codes))) {
        return IB_RETRY_THROTTLE;
    }
    if (facts->status == 500 || facts->status == 502 || facts->status == 503 ||
        facts->status == 504 ||
        (facts->status >= 400 &&
         is_in(facts->code, transient_codes, IB_ARRAY_LEN(transient_codes)))) {
        return IB_RETRY_TRANSIENT;
    }
    if (facts->status < 400) {
        return IB_RETRY_NEVER;
    }
    if (is_skewed(facts)) {
        return IB_RETRY_SKEW;
    }
    return ib_awserror_is_expired(facts->code) ? IB_RETRY_EXPIRED : IB_RETRY_NEVER;
}

bool ib_retry_may_pass(const struct ib_error *answer)
{
    struct ib_retry_facts facts = {.transport = IB_OK,
                                   .status = answer->http_status,
                                   .code = answer->aws_code,
                                   .message = answer->text};

    return ib_retry_classify(&facts) != IB_RETRY_NEVER;
}

bool ib_retry_take(struct ib_retry_bucket *bucket, enum ib_aws_retry_mode mode,
                   enum ib_retry_kind kind, int *ret_taken)
{
    int cost = kind == IB_RETRY_TIMEOUT ? COST_TIMEOUT : COST_RETRY;

    if (mode == IB_AWS_RETRY_LEGACY) {
        *ret_taken = 0;
        return true;
    }
    if (bucket->tokens < cost) {
        return false;
    }
    bucket->tokens -= cost;
    *ret_taken = cost;
    return true;
}

void ib_retry_give(struct ib_retry_bucket *bucket, int taken)
{
    bucket->tokens += taken > 0 ? taken : 1;
    if (bucket->tokens > BUCKET_MAX) {
        bucket->tokens = BUCKET_MAX;
    }
}

int64_t ib_retry_wait_ms(int retry, double unit, int64_t server_ms)
{
    /* 2^5 s is beyond the cap already. */
    int64_t base_ms = retry >= 5 ? WAIT_MAX_MS : INT64_C(1000) << (retry < 0 ? 0 : retry);

    if (base_ms > WAIT_MAX_MS) {
        base_ms = WAIT_MAX_MS;
    }
    int64_t wait_ms = (int64_t)((double)base_ms * unit);
    if (server_ms >= 0) {
        int64_t most = server_ms + SERVER_SLACK_MS;
        wait_ms = wait_ms < server_ms ? server_ms : wait_ms;
        wait_ms = wait_ms > most ? most : wait_ms;
    }
    return wait_ms;
}

int64_t ib_retry_after_ms(const struct ib_headers *headers, int64_t now_ms)
{
    const char *ms_text = ib_headers_get(headers, "x-amz-retry-after");
    const char *text = ib_headers_get(headers, "Retry-After");
    int64_t value;

    if (ms_text != NULL && ms_text[0] != '+' &&
        ib_num_i64(ib_str_from(ms_text), 0, IB_DAY_MS, "x-amz-retry-after", &value, NULL) ==
            IB_OK) {
        return value;
    }
    if (text == NULL) {
        return -1;
    }
    if (text[0] != '+' &&
        ib_num_i64(ib_str_from(text), 0, IB_DAY_MS / 1000, "Retry-After", &value, NULL) == IB_OK) {
        return value * 1000;
    }
    if (ib_time_parse_http(ib_str_from(text), &value, NULL) == IB_OK &&
        value - now_ms <= IB_DAY_MS) {
        return value > now_ms ? value - now_ms : 0;
    }
    return -1;
}
