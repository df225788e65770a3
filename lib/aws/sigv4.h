/* SPDX-License-Identifier: MIT */
/*
 * AWS Signature Version 4 in the Authorization header.
 *
 * Pure: no clock, no environment. Sign each attempt anew. Derived keys are wiped.
 * Source: IAM User Guide, "Create a signed AWS API request".
 */
#ifndef IB_AWS_SIGV4_H
#define IB_AWS_SIGV4_H

#include <stdint.h>

#include "lib/aws/headers.h"
#include "lib/aws/sha.h"
#include "lib/base/buf.h"

#define IB_SIGV4_TEXT_MAX  ((size_t)128 * 1024) /* bytes of a canonical request */

struct ib_sigv4_key {
    const char *access_key_id, *secret_access_key;
    const char *session_token; /* NULL = none */
    const char *region, *service;
};

struct ib_sigv4_request {
    const char *method;
    struct ib_str path;  /* exactly as it will be sent: percent-encoded, begins with '/' */
    struct ib_str query; /* exactly as it will be sent, without '?' */
    struct ib_str body;
    int64_t now_ms;      /* one reading of the clock (corrected for skew) for date and time */
    bool keep_path;      /* leave dots and double slashes (S3, and half of the suite) */
    bool sign_body_hash; /* add x-amz-content-sha256 (S3, and some of the test suite) */
    bool token_unsigned; /* x-amz-security-token is added after signing */
};

/* The steps, for tests and the trace; no secret in them but the token in a signed header. */
struct ib_sigv4_steps {
    struct ib_buf canonical_request, string_to_sign, authorization;
    char signature[IB_SHA256_HEX_MAX];
};
#define IB_SIGV4_STEPS_INIT                                   \
    {                                                         \
        .canonical_request = IB_BUF_INIT_SECRET(IB_SIGV4_TEXT_MAX), \
        .string_to_sign = IB_BUF_INIT(1024), .authorization = IB_BUF_INIT(8192), \
    }
void ib_sigv4_steps_fini(struct ib_sigv4_steps *steps);

/*
 * Sign: headers must hold Host and everything else that is to be signed; X-Amz-Date,
 * X-Amz-Security-Token (when there is a token) and Authorization are set in it. steps may be NULL.
 * Headers that proxies and libraries change (user-agent, expect, connection ...) are not signed.
 * Errors: IB_EUSAGE no Host, IB_ELIMIT, IB_ENOMEM, IB_EBUG (OpenSSL refused).
 */
IB_NODISCARD enum ib_rc ib_sigv4_sign(const struct ib_sigv4_key *key,
                                      const struct ib_sigv4_request *request,
                                      struct ib_headers *headers, struct ib_sigv4_steps *steps,
                                      struct ib_error *err);

#endif
