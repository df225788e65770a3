/* SPDX-License-Identifier: MIT */
/*
 * The EC2 instance metadata service: session tokens (IMDSv2), the older way without where it is allowed.
 *
 * Settings: AWS_EC2_METADATA_DISABLED, AWS_EC2_METADATA_V1_DISABLED (ec2_metadata_v1_disabled),
 * AWS_EC2_METADATA_SERVICE_ENDPOINT and _ENDPOINT_MODE (ec2_metadata_service_endpoint, _mode),
 * AWS_METADATA_SERVICE_TIMEOUT and _NUM_ATTEMPTS (metadata_service_timeout, _num_attempts): 1 s and
 * one attempt, because most monitoring hosts are not EC2 instances and would wait in vain.
 * Source: SDK reference guide "IMDS credential provider"; EC2 User Guide "How IMDSv2 works".
 */
#ifndef IB_AWS_IMDS_H
#define IB_AWS_IMDS_H

#include "lib/aws/cred.h"

/* Given by code instead of environment and profile; NULL = not given. */
struct ib_imds_override {
    const char *endpoint, *mode;
};

/*
 * Append the endpoint (scheme://host[:port][/path]). *ret_plain: plain http to a host of the user's
 * choice. Errors: IB_ECONFIG a mode that is neither IPv4 nor IPv6, a URL that is none.
 */
IB_NODISCARD enum ib_rc ib_imds_endpoint(const struct ib_cred_context *ctx,
                                         const struct ib_imds_override *override,
                                         struct ib_buf *ret, bool *ret_plain, struct ib_error *err);

#define IB_IMDS_TOKEN_MAX 1024 /* bytes with NUL; today 56 */

struct ib_imds {
    struct ib_buf endpoint;
    bool plain;
    int64_t timeout_ms, attempts;
    bool has_token;    /* IMDSv2 */
    bool token_silent; /* nobody answered the request for a token: the hop limit's sign */
    char token[IB_IMDS_TOKEN_MAX];
};
#define IB_IMDS_INIT { .endpoint = IB_BUF_INIT(1200) }
void ib_imds_fini(struct ib_imds *imds);

/*
 * Read the settings and get a token. Errors: IB_ENOENT switched off or nobody there (why in err);
 * IB_ECRED it answered, but not so that it can be used; IB_ECONFIG.
 */
IB_NODISCARD enum ib_rc ib_imds_open(const struct ib_cred_context *ctx, struct ib_imds *imds,
                                     struct ib_error *err);
/* GET path below the endpoint; any status is IB_OK but 401, explained. Errors as ib_imds_open(). */
IB_NODISCARD enum ib_rc ib_imds_get(const struct ib_cred_context *ctx, struct ib_imds *imds,
                                    const char *path, struct ib_http_response *ret,
                                    struct ib_error *err);
/* Append the region that the instance runs in. Errors as ib_imds_get(). */
IB_NODISCARD enum ib_rc ib_imds_region(const struct ib_cred_context *ctx, struct ib_buf *ret,
                                       struct ib_error *err);

#endif
