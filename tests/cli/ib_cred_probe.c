/* SPDX-License-Identifier: MIT */
/*
 * For tests: looks for credentials as every program of the project does, with the common options,
 * and says which provider answered. Never a secret.
 */
#include "lib/aws/arn.h"
#include "lib/aws/awsconfig.h"
#include "lib/aws/cred.h"
#include "lib/aws/http.h"
#include "lib/aws/outside.h"
#include "lib/base/time.h"
#include "lib/imagebuilder/permission.h"
#include "lib/plugin/common.h"
#include "lib/plugin/start.h"
#include "lib/sys/watchdog.h"

struct probe {
    const char *cache_dir, *arn;
    bool fresh, region;
};

static const struct ib_option rows[] = {
    {.long_name = "cache-dir",
     .kind = IB_OPTION_TEXT,
     .offset = offsetof(struct probe, cache_dir),
     .arg = "DIR",
     .help = "keep role credentials there"},
    {.long_name = "arn",
     .kind = IB_OPTION_TEXT,
     .offset = offsetof(struct probe, arn),
     .arg = "ARN",
     .help = "image for --diagnose"},
    {.long_name = "fresh",
     .kind = IB_OPTION_FLAG,
     .offset = offsetof(struct probe, fresh),
     .help = "ask twice, the second time as if AWS had called the first ones expired"},
    {.long_name = "find-region",
     .kind = IB_OPTION_FLAG,
     .offset = offsetof(struct probe, region),
     .help = "say the region instead"},
};

static const char *const usage[] = {"[options]", NULL};
static const struct ib_program program = {
    .name = "ib_cred_probe",
    .prefix = "IB_CRED",
    .summary = "Find credentials.",
    .usage = usage,
    .help_state = IB_STATE_OK,
};

static void print_trace(void *ctx, const char *line)
{
    (void)ctx;
    (void)printf("%s\n", line);
}

static void print_trail(const struct ib_aws_config *config)
{
    static const char *const outcomes[] = {
        [IB_CRED_ANSWERED] = "answered",
        [IB_CRED_PASSED_OVER] = "passed over",
        [IB_CRED_FAILED] = "failed",
        [IB_CRED_NOT_ASKED] = "not asked",
    };

    for (size_t i = 0; i < config->trail->count; i++) {
        const struct ib_cred_trail_row *row = &config->trail->rows[i];

        (void)printf("%s: %s: %s\n", row->provider, outcomes[row->outcome], row->text);
    }
}

static enum ib_rc show_region(struct ib_aws_config *config, const struct ib_deadline *deadline,
                              struct ib_error *err)
{
    IB_CLEANUP(ib_aws_setting_fini) struct ib_aws_setting region = {NULL, NULL};
    enum ib_rc rc = ib_aws_config_region(config, NULL, deadline, &region, err);

    if (rc == IB_OK) {
        (void)printf("IB_CRED OK - region %s (%s)\n", region.value, region.source);
    }
    return rc;
}

static enum ib_rc show_credentials(struct ib_aws_config *config, const struct probe *probe,
                                   const struct ib_deadline *deadline, struct ib_error *err)
{
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials c = IB_CREDENTIALS_INIT;
    char end[IB_TIME_TEXT_MAX];
    enum ib_rc rc = ib_credentials_resolve(config, /* fresh= */ false, deadline, &c, err);

    if (rc == IB_OK && probe->fresh) {
        ib_credentials_fini(&c);
        rc = ib_credentials_resolve(config, /* fresh= */ true, deadline, &c, err);
    }
    if (rc == IB_OK) {
        (void)printf(
            "IB_CRED OK - %s (%s), access key %.4s...%s, %s, until %s\n", c.provider, c.source,
            c.access_key_id, ib_cred_key_tail(&c), c.session_token == NULL ? "no token" : "token",
            c.expiration_ms == 0 ? "ever" : ib_time_fmt_iso8601(c.expiration_ms, end, sizeof end));
    }
    return rc;
}

static void show_diagnosis(const struct ib_aws_options *options, const char *arn,
                           struct ib_deadline deadline)
{
    IB_CLEANUP(ib_aws_client_cleanup) struct ib_aws_client *client = NULL;
    IB_CLEANUP(ib_diagnose_fini) struct ib_diagnose d = IB_DIAGNOSE_INIT;
    struct ib_image_arn image = {.name = ""};

    if (arn != NULL &&
        ib_image_arn_parse(ib_str_from(arn), IB_IMAGE_ARN_ANY, "--arn", &image, NULL) != IB_OK) {
        arn = NULL;
    }
    (void)!ib_diagnose_aws(options, deadline, arn == NULL ? NULL : image.arn.region, &d, &client,
                           NULL);
    if (client != NULL) {
        (void)!ib_permission_diagnose(client, arn, false, &d, NULL);
    }
    for (size_t i = 0; i < d.count; i++) {
        (void)printf("%s: %s\n", d.rows[i].topic, d.rows[i].text);
    }
    (void)fflush(stdout);
}

static enum ib_rc run(const struct ib_common *common, const struct probe *probe,
                      struct ib_error *err)
{
    const struct ib_deadline deadline = ib_deadline_in(common->timeout_ms);
    const struct ib_aws_options options = {
        .profile = common->profile,
        .region = common->region,
        .role_arn = common->role_arn,
        .external_id = common->external_id,
        .endpoint_url = common->endpoint_url,
        .ca_bundle = common->ca_bundle,
        .proxy = common->proxy,
        .cache_dir = probe->cache_dir,
        .trace = common->verbose >= 3 ? print_trace : NULL,
    };
    struct ib_outside_real real;

    if (common->diagnose) {
        show_diagnosis(&options, probe->arn, deadline);
        return IB_OK;
    }
    IB_CLEANUP(ib_aws_config_cleanup) struct ib_aws_config *config = NULL;
    IB_CLEANUP(ib_http_cleanup) struct ib_http *http = NULL;
    enum ib_rc rc;

    ib_outside_real_init(&real);
    rc = ib_aws_config_load(&options, &real.outside, &config, err);
    if (rc == IB_OK) {
        const struct ib_http_options http_options = {
            .ca_bundle = config->ca_bundle.value,
            .ca_bundle_source = config->ca_bundle.source,
            .proxy = common->proxy,
            .user_agent = "ib-plugins-test",
        };

        rc = ib_http_new(&http_options, &http, err);
    }
    real.http = http;
    if (rc == IB_OK) {
        rc = probe->region ? show_region(config, &deadline, err)
                           : show_credentials(config, probe, &deadline, err);
    }
    ib_watchdog_stop(); /* the leak check at the end takes its time */
    if (rc != IB_OK) {
        (void)printf("IB_CRED UNKNOWN - %s\n", err->text);
    }
    if (config != NULL && common->verbose > 0) {
        print_trail(config);
    }
    (void)fflush(stdout);
    return rc;
}

int main(int argc, char **argv)
{
    struct ib_common common = IB_COMMON_INIT(30 * IB_SECOND_MS);
    struct probe probe = {.cache_dir = NULL};
    const struct ib_option_group groups[] = {
        {"Probe", rows, IB_ARRAY_LEN(rows), &probe},
        ib_common_aws_group(&common),
        ib_common_group(&common),
    };
    struct ib_option_result result = IB_OPTION_RESULT_INIT;
    struct ib_error err = IB_ERROR_INIT;
    int code;

    ib_start(&program);
    ib_start_options(groups, IB_ARRAY_LEN(groups), argc, argv, &result);
    ib_option_result_fini(&result);
    ib_start_timeout(common.timeout_ms, IB_STATE_UNKNOWN, /* json= */ false);
    code = run(&common, &probe, &err) == IB_OK ? 0 : 3;
    return code;
}
