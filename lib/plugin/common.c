/* SPDX-License-Identifier: MIT */
/* The table fragment that all programs share. */
#include "lib/plugin/common.h"

#include "lib/base/time.h"

#define AT(member) offsetof(struct ib_common, member)

static const char *const forms[] = { "text", "json", NULL };

static const struct ib_option aws_rows[] = {
    { .long_name = "region", .short_name = 'r', .kind = IB_OPTION_TEXT, .offset = AT(region),
      .arg = "REGION", .help = "AWS Region (else from the ARN, the environment, the profile)" },
    { .long_name = "profile", .kind = IB_OPTION_TEXT, .offset = AT(profile), .arg = "NAME",
      .help = "profile of the AWS configuration files" },
    { .long_name = "role-arn", .kind = IB_OPTION_TEXT, .offset = AT(role_arn), .arg = "ARN",
      .help = "assume this role with the credentials found" },
    { .long_name = "external-id", .kind = IB_OPTION_TEXT, .offset = AT(external_id), .arg = "ID",
      .help = "external id for --role-arn" },
    { .long_name = "endpoint-url", .kind = IB_OPTION_TEXT, .offset = AT(endpoint_url),
      .arg = "URL", .help = "Image Builder endpoint to use, such as that of a VPC endpoint" },
    { .long_name = "ca-bundle", .kind = IB_OPTION_TEXT, .offset = AT(ca_bundle), .arg = "FILE",
      .help = "trust the certificate authorities in this PEM file" },
    { .long_name = "proxy", .kind = IB_OPTION_TEXT, .offset = AT(proxy), .arg = "URL",
      .help = "HTTP proxy (else from the environment)" },
};

static const struct ib_option rows[] = {
    { .long_name = "timeout", .short_name = 't', .kind = IB_OPTION_DURATION,
      .offset = AT(timeout_ms), .arg = "DUR", .min = IB_SECOND_MS, .max = IB_HOUR_MS,
      .help = "end after this time whatever happens: 90, 90s, 5m" },
    { .long_name = "config", .kind = IB_OPTION_TEXT, .offset = AT(config), .arg = "FILE",
      .help = "configuration file (default " IB_SYSCONFDIR "/ib-plugins.conf when it is there)" },
    { .long_name = "output", .kind = IB_OPTION_CHOICE, .offset = AT(output), .arg = "text|json",
      .choices = forms, .help = "form of the output", .def = "text" },
    { .long_name = "diagnose", .kind = IB_OPTION_FLAG, .offset = AT(diagnose),
      .help = "show which settings and credentials would be used and where each came from, and whether "
              "builds may be read and cancelled (asked for a build that does not exist); shows no "
              "secret" },
    { .long_name = "verbose", .short_name = 'v', .kind = IB_OPTION_COUNT, .offset = AT(verbose),
      .max = 3,
      .help = "say more; twice: where credentials came from and what was tried again; three times: "
              "every request and answer too; no secret in it" },
    { .long_name = "version", .short_name = 'V', .kind = IB_OPTION_VERSION,
      .help = "show the version" },
    { .long_name = "help", .short_name = 'h', .kind = IB_OPTION_HELP, .help = "show this help" },
};

struct ib_option_group ib_common_aws_group(struct ib_common *common)
{
    return (struct ib_option_group){ "AWS", aws_rows, IB_ARRAY_LEN(aws_rows), common };
}

struct ib_option_group ib_common_group(struct ib_common *common)
{
    return (struct ib_option_group){ "General", rows, IB_ARRAY_LEN(rows), common };
}
