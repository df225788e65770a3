/* SPDX-License-Identifier: MIT */
/*
 * What the AWS half of a run works with: options of the command line first, then environment, then
 * profile; and for each setting who said so.
 */
#ifndef IB_AWS_AWSCONFIG_H
#define IB_AWS_AWSCONFIG_H

#include <stdbool.h>

#include "lib/aws/credentials.h"
#include "lib/sys/deadline.h"

/* One line for -vvv and --trace; never holds a secret. */
typedef void (*ib_aws_trace_fn)(void *ctx, const char *line);

/* As given on the command line or in ib-plugins.conf; NULL = not given. Borrowed for the whole run. */
struct ib_aws_options {
    const char *profile, *region, *role_arn, *external_id, *endpoint_url, *ca_bundle, *proxy;
    const char *default_region; /* from ib-plugins.conf: behind the ARN, in front of the environment */
    const char *cache_dir; /* where role credentials are kept between runs; NULL = nowhere */
    ib_aws_trace_fn trace; /* NULL = nobody listens */
    void *trace_ctx;
};

/* A setting and who said so: "--region", "AWS_REGION", "profile monitoring (/x/.aws/config)". */
struct ib_aws_setting {
    char *value;  /* NULL = not set */
    char *source; /* NULL when value is */
};

enum ib_aws_retry_mode {
    IB_AWS_RETRY_STANDARD,
    IB_AWS_RETRY_LEGACY,
    IB_AWS_RETRY_ADAPTIVE, /* as standard: one short run has nothing to adapt to */
};

struct ib_outside;
struct ib_profiles;
struct ib_cred_trail;

struct ib_aws_config {
    struct ib_aws_options options;
    const struct ib_outside *outside; /* borrowed */
    struct ib_profiles *profiles;     /* the files, merged */
    struct ib_aws_setting profile;    /* always set: "default" at the least */
    struct ib_aws_setting region;     /* without ARN and IMDS; value NULL when nobody says */
    struct ib_aws_setting ca_bundle;  /* --ca-bundle, AWS_CA_BUNDLE, ca_bundle, REQUESTS_CA_BUNDLE */
    struct ib_aws_setting app_id;     /* AWS_SDK_UA_APP_ID, sdk_ua_app_id */
    struct ib_aws_setting fips;       /* AWS_USE_FIPS_ENDPOINT, use_fips_endpoint; "true", "false" */
    struct ib_aws_setting dualstack;
    bool use_fips, use_dualstack;
    enum ib_aws_retry_mode retry_mode;
    int max_attempts;                 /* tries in all, 1 or more */
    struct ib_aws_setting imds_region; /* what instance metadata said, when it was asked */
    bool imds_asked;
    char call_region[64];             /* of the last ib_aws_config_region(); "" before it */
    char *refused_key;                /* access key id that AWS called expired; NULL = none */
    struct ib_cred_trail *trail;      /* of the last ib_credentials_resolve(); see cred.h */
};

/*
 * Read the files and the environment; no network. Errors: IB_ECRED a named profile that is not
 * there, IB_ECONFIG malformed files or settings (with who said so).
 * Owner frees with ib_aws_config_free().
 */
IB_NODISCARD enum ib_rc ib_aws_config_load(const struct ib_aws_options *options,
                                           const struct ib_outside *outside,
                                           struct ib_aws_config **ret, struct ib_error *err);
void ib_aws_config_free(struct ib_aws_config *config);
void ib_aws_config_cleanup(struct ib_aws_config **config);

/*
 * Region of a call: --region, the ARN (arn_region, NULL = no ARN), the configuration's default,
 * AWS_REGION, AWS_DEFAULT_REGION, profile, IMDS (the only one that uses the network; asked once,
 * remembered). ret is filled with copies; end with ib_aws_setting_fini(). Errors: IB_EUSAGE when
 * --region and the ARN disagree (names both) or nobody says (names everything that was looked at).
 */
IB_NODISCARD enum ib_rc ib_aws_config_region(struct ib_aws_config *config, const char *arn_region,
                                             const struct ib_deadline *deadline,
                                             struct ib_aws_setting *ret, struct ib_error *err);

/*
 * Endpoint that the user configured for a service ("imagebuilder", "sts", "sso", "sso-oidc"):
 * --endpoint-url, AWS_ENDPOINT_URL_SERVICE, AWS_ENDPOINT_URL, services block, profile; value NULL
 * when none. As in the AWS CLI, --endpoint-url speaks of imagebuilder alone: it may be a VPC endpoint. One
 * on loopback is a stand-in and speaks of all services, so that nothing meant for it reaches AWS.
 * AWS_IGNORE_CONFIGURED_ENDPOINT_URLS switches off all but the option.
 */
IB_NODISCARD enum ib_rc ib_aws_config_endpoint_url(const struct ib_aws_config *config,
                                                   const char *service, struct ib_aws_setting *ret,
                                                   struct ib_error *err);

void ib_aws_setting_fini(struct ib_aws_setting *s);

/*
 * Credentials by the chain of providers. fresh = true: what was remembered or cached was refused
 * as expired by AWS, ask the provider again. Errors: IB_ECRED with every provider that was
 * passed over, and why.
 */
IB_NODISCARD enum ib_rc ib_credentials_resolve(struct ib_aws_config *config, bool fresh,
                                               const struct ib_deadline *deadline,
                                               struct ib_credentials *ret, struct ib_error *err);

#endif
