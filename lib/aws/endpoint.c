/* SPDX-License-Identifier: MIT */
/* Endpoint rules: one table of partitions, one of services that are named otherwise. */
#include "lib/aws/endpoint.h"

#include "lib/base/text.h"

struct partition_row {
    struct ib_partition partition;
    const char *prefixes; /* of its regions, by commas; a word, a dash and a number follow */
};

/* Order matters only where a prefix begins another; "us-gov" is not "us" as "gov-east" has no
 * number. */
static const struct partition_row partitions[] = {
    {{"aws", "amazonaws.com", "api.aws"}, "us,eu,ap,sa,ca,me,af,il,mx"},
    {{"aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"}, "cn"},
    {{"aws-us-gov", "amazonaws.com", "api.aws"}, "us-gov"},
    {{"aws-iso", "c2s.ic.gov", "api.aws.ic.gov"}, "us-iso"},
    {{"aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud"}, "us-isob"},
    {{"aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"}, "eu-isoe"},
    {{"aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov"}, "us-isof"},
    {{"aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu"}, "eusc-de"},
};

const struct ib_partition *ib_partition_at(size_t i)
{
    return i < IB_ARRAY_LEN(partitions) ? &partitions[i].partition : NULL;
}

/* The patterns' "-\w+-\d+": what stands behind the prefix. */
static bool is_region_tail(struct ib_str tail)
{
    if (tail.n == 0 || tail.p[0] != '-') {
        return false;
    }
    tail = ib_str_skip(tail, 1);
    size_t dash = ib_str_find(tail, '-');
    struct ib_str word = ib_str_head(tail, dash);
    struct ib_str number = ib_str_skip(tail, dash + 1);
    if (word.n == 0 || number.n == 0) {
        return false;
    }
    for (size_t i = 0; i < word.n; i++) {
        if (!ib_ascii_alnum(word.p[i]) && word.p[i] != '_') {
            return false;
        }
    }
    for (size_t i = 0; i < number.n; i++) {
        if (!ib_ascii_digit(number.p[i])) {
            return false;
        }
    }
    return true;
}

static bool has_region(const struct partition_row *row, struct ib_str region)
{
    struct ib_str rest = ib_str_from(row->prefixes);

    while (rest.p != NULL) {
        struct ib_str prefix = ib_str_split(&rest, ',');

        if (ib_str_starts(region, prefix) && is_region_tail(ib_str_skip(region, prefix.n))) {
            return true;
        }
    }
    return false;
}

const struct ib_partition *ib_partition_of(const char *region)
{
    for (size_t i = 0; i < IB_ARRAY_LEN(partitions); i++) {
        /* "aws-global", "aws-cn-global" ...: the pseudo regions of a partition. */
        struct ib_str global = ib_str_from(region);
        size_t n = strlen(partitions[i].partition.name);

        if (has_region(&partitions[i], global) ||
            (ib_str_starts(global, ib_str_from(partitions[i].partition.name)) &&
             ib_str_eq_c(ib_str_skip(global, n), "-global"))) {
            return &partitions[i].partition;
        }
    }
    return &partitions[0].partition;
}

bool ib_region_is_valid(struct ib_str region)
{
    if (region.n == 0 || region.n > 63 || region.p[0] == '-' || region.p[region.n - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < region.n; i++) {
        if (!ib_ascii_lower(region.p[i]) && !ib_ascii_digit(region.p[i]) && region.p[i] != '-') {
            return false;
        }
    }
    return true;
}

static enum ib_rc use_custom(const struct ib_endpoint_params *p, struct ib_url *ret,
                             struct ib_error *err)
{
    const char *source = p->custom_source == NULL ? "endpoint URL" : p->custom_source;

    if (p->use_fips) {
        return ib_fail(
            err, IB_EUSAGE,
            "%s %s: FIPS and custom endpoint are not supported: name the FIPS host itself, "
            "or turn FIPS off",
            source, p->custom_url);
    }
    if (p->use_dualstack) {
        return ib_fail(
            err, IB_EUSAGE,
            "%s %s: Dualstack and custom endpoint are not supported: name the dual-stack "
            "host itself, or turn dual stack off",
            source, p->custom_url);
    }
    struct ib_url url;
    enum ib_rc rc = ib_url_parse(ib_str_from(p->custom_url), source, &url, err);
    if (rc != IB_OK) {
        return rc;
    }
    if (!url.is_https && !ib_host_is_loopback(url.host)) {
        return ib_fail(
            err, IB_EUSAGE,
            "%s: %s: plain http is for this machine only (localhost, 127.0.0.1, ::1): use https",
            source, p->custom_url);
    }
    *ret = url;
    return IB_OK;
}

/* Services whose hosts are not named like them. */
static const char *host_prefix(const char *service)
{
    if (strcmp(service, "sso-oidc") == 0) {
        return "oidc";
    }
    return strcmp(service, "sso") == 0 ? "portal.sso" : service;
}

static enum ib_rc use_rules(const struct ib_endpoint_params *p, struct ib_url *ret,
                            struct ib_error *err)
{
    const struct ib_partition *partition = ib_partition_of(p->region);
    /* GovCloud's plain hosts are FIPS hosts already, for Image Builder and STS alike. */
    bool is_plain_fips =
        strcmp(partition->name, "aws-us-gov") == 0 && !p->use_dualstack &&
        (strcmp(p->service, "imagebuilder") == 0 || strcmp(p->service, "sts") == 0);
    struct ib_url url = {.is_https = true, .port = 443};
    int n = snprintf(url.host, sizeof url.host, "%s%s.%s.%s", host_prefix(p->service),
                     p->use_fips && !is_plain_fips ? "-fips" : "", p->region,
                     p->use_dualstack ? partition->dualstack_suffix : partition->suffix);

    if (n < 0 || (size_t)n >= sizeof url.host) {
        return ib_fail(err, IB_EUSAGE, "Region \"%s\": the host name would be too long", p->region);
    }
    *ret = url;
    return IB_OK;
}

enum ib_rc ib_endpoint_resolve(const struct ib_endpoint_params *params, struct ib_url *ret,
                               struct ib_error *err)
{
    if (params->custom_url != NULL) {
        return use_custom(params, ret, err);
    }
    if (params->region == NULL || params->region[0] == '\0') {
        return ib_fail(err, IB_EUSAGE,
                       "no Region: give --region, set AWS_REGION, or add region to the profile");
    }
    if (!ib_region_is_valid(ib_str_from(params->region))) {
        return ib_fail(err, IB_EUSAGE, "\"%s\" is not a Region: want something like eu-central-1",
                       params->region);
    }
    return use_rules(params, ret, err);
}
