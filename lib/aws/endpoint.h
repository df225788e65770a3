/* SPDX-License-Identifier: MIT */
/*
 * Which host serves a service in a region.
 *
 * Source: endpoint rule set and partitions of the AWS SDKs (botocore 1.43.11, imagebuilder
 * 2019-12-02, partitions.json). A region that no partition knows is taken as one of "aws".
 */
#ifndef IB_AWS_ENDPOINT_H
#define IB_AWS_ENDPOINT_H

#include "lib/aws/url.h"

struct ib_partition {
    const char *name;             /* "aws-cn" */
    const char *suffix;           /* "amazonaws.com.cn" */
    const char *dualstack_suffix; /* "api.amazonwebservices.com.cn" */
};

/* Partition of a region by its name; never NULL. */
const struct ib_partition *ib_partition_of(const char *region);
/* Partition i, NULL behind the last. */
const struct ib_partition *ib_partition_at(size_t i);

/* A region's name fit to stand in a host name? [a-z0-9-], 1 to 63 bytes, no dash at the ends. */
bool ib_region_is_valid(struct ib_str region);

struct ib_endpoint_params {
    const char *service;       /* "imagebuilder", "sts", "sso", "sso-oidc" */
    const char *region;        /* NULL = unknown */
    bool use_fips, use_dualstack;
    const char *custom_url;    /* NULL = by rules */
    const char *custom_source; /* who said so, for errors; NULL = "endpoint URL" */
};

/*
 * Errors: IB_EUSAGE no region and no custom URL; custom URL together with FIPS or dual stack;
 * a malformed region or URL; plain http to a host that is not loopback.
 */
IB_NODISCARD enum ib_rc ib_endpoint_resolve(const struct ib_endpoint_params *params,
                                            struct ib_url *ret, struct ib_error *err);

#endif
