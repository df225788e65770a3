/* SPDX-License-Identifier: MIT */
/*
 * When to try again and how long to wait before. Pure.
 *
 * "standard" of the SDK reference guide (wait = random(0,1) * min(2^i, 20 s), a bucket of 500
 * tokens), plus what AWS's own clients miss here: CallRateLimitExceededException, Image Builder's
 * own throttle, and every other 429. "legacy": up to 5 tries, no bucket.
 */
#ifndef IB_AWS_RETRY_H
#define IB_AWS_RETRY_H

#include "lib/aws/awsconfig.h"
#include "lib/aws/headers.h"

enum ib_retry_kind {
    IB_RETRY_NEVER,     /* trying again gives the same */
    IB_RETRY_TRANSIENT, /* 500, 502, 503, 504, connection broke */
    IB_RETRY_TIMEOUT,   /* no answer in time: costs more tokens */
    IB_RETRY_THROTTLE,  /* asked to be slower */
    IB_RETRY_SKEW,      /* our clock is off: correct it, at once, once */
    IB_RETRY_EXPIRED,   /* credentials expired: new ones, at once, once */
};

/* What came of an attempt. */
struct ib_retry_facts {
    enum ib_rc transport;   /* of the HTTP exchange; IB_OK = there is an answer */
    int status;
    const char *code;       /* of the AWS error, "" = none */
    const char *message;
    int64_t skew_ms;        /* AWS's clock minus the one that was signed with */
    bool skew_known;        /* the answer had a Date */
};
enum ib_retry_kind ib_retry_classify(const struct ib_retry_facts *facts);

/*
 * The error of an answer that was the last of its call: is it a no for now (throttled, failed on AWS's side, credentials
 * expired, a clock that is off), so that the same request may be taken later?
 */
bool ib_retry_may_pass(const struct ib_error *answer);

/*
 * AWS refuses beyond five minutes (IAM guide). Date headers have whole seconds and answers travel,
 * so a refused signature with four minutes and more is taken for a wrong clock.
 */
#define IB_RETRY_SKEW_MIN_MS (INT64_C(4) * 60 * 1000)

/* Tokens of one client, shared by all of its calls. */
struct ib_retry_bucket {
    int tokens;
};
#define IB_RETRY_BUCKET_INIT { 500 }

/* Take what a retry of this kind costs; false: the bucket is too empty. */
bool ib_retry_take(struct ib_retry_bucket *bucket, enum ib_aws_retry_mode mode,
                   enum ib_retry_kind kind, int *ret_taken);
/* A call succeeded: give back what its last retry took, or 1. */
void ib_retry_give(struct ib_retry_bucket *bucket, int taken);

/*
 * Wait before retry number `retry` (0 = the first). unit is random in [0,1). server_ms: what the
 * answer asked for, -1 = nothing; it is kept to [server_ms, server_ms + 5 s].
 */
int64_t ib_retry_wait_ms(int retry, double unit, int64_t server_ms);

/*
 * Read Retry-After (seconds, or an HTTP date seen from now_ms) and x-amz-retry-after
 * (milliseconds, wins); -1 when neither is there or sound. At most a day.
 */
int64_t ib_retry_after_ms(const struct ib_headers *headers, int64_t now_ms);

#endif
