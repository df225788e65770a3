/* SPDX-License-Identifier: MIT */
/*
 * Calls to STS that hand out credentials. Apart from client.h: they are made while there are no
 * credentials yet, or with others than those of the run.
 */
#ifndef IB_AWS_STS_H
#define IB_AWS_STS_H

#include "lib/aws/cred.h"
#include "lib/aws/url.h"

/* Lists of regions where AWS_STS_REGIONAL_ENDPOINTS=legacy means the one global endpoint. */
bool ib_sts_is_legacy_region(const char *region);

/*
 * Base URL of STS for the run: configured, by region, or the global one (when no region is known, or
 * AWS_STS_REGIONAL_ENDPOINTS=legacy says so). ret_region is the region to sign for (64 bytes).
 */
IB_NODISCARD enum ib_rc ib_sts_endpoint(const struct ib_cred_context *ctx, struct ib_url *ret,
                                        char ret_region[64], struct ib_error *err);

/*
 * POST one query (Action and Version included) with retries inside the deadline. by NULL: unsigned.
 * ret is the content of the answer's ...Result element. Errors: IB_EAWS and IB_EHTTP as
 * ib_awserror_fail() writes them; IB_ENET, IB_ETLS, IB_ETIMEOUT; IB_EPARSE an answer that is not STS's.
 */
IB_NODISCARD enum ib_rc ib_sts_call(const struct ib_cred_context *ctx, const char *action,
                                    struct ib_str query, const struct ib_credentials *by,
                                    struct ib_value **ret, struct ib_error *err);

/* Credentials out of a ...Result element. */
IB_NODISCARD enum ib_rc ib_sts_credentials(const struct ib_cred_context *ctx,
                                           const struct ib_value *result, const char *provider,
                                           const char *source, struct ib_credentials *ret,
                                           struct ib_error *err);

#endif
