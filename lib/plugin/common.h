/* SPDX-License-Identifier: MIT */
/* The options that all four programs share, as one group of the option table. */
#ifndef IB_PLUGIN_COMMON_H
#define IB_PLUGIN_COMMON_H

#include "lib/plugin/option.h"

enum ib_output_form { IB_OUTPUT_FORM_TEXT, IB_OUTPUT_FORM_JSON };

/* NULL members were not given. Set timeout_ms to the program's default before parsing. */
struct ib_common {
    int64_t timeout_ms;
    const char *region, *profile, *role_arn, *external_id, *endpoint_url, *ca_bundle, *proxy;
    const char *config;
    int output;    /* enum ib_output_form */
    bool diagnose;
    int verbose;   /* 0..3 */
};

#define IB_COMMON_INIT(timeout) { .timeout_ms = (timeout) }

/* The AWS options (region, profile, role ...). */
struct ib_option_group ib_common_aws_group(struct ib_common *common);
/* The rest: timeout, configuration, output, diagnose, verbose, version, help. */
struct ib_option_group ib_common_group(struct ib_common *common);

#endif
