/* SPDX-License-Identifier: MIT */
/* lib/aws/awsconfig.c: every setting with who said so; region of a call; endpoint of a service. */
#include "cred_world.h"

#include "lib/aws/awsconfig.h"

#define CONFIG(text) { { "/h/.aws/config", text, 0, 0 } }
#define HOME { "HOME", "/h" }

/* --- region -------------------------------------------------------------------------------------------- */

struct region_row {
    const char *name;
    struct world world;
    struct ib_aws_options options;
    const char *arn_region;
    const char *value, *source; /* NULL: an error with these words */
    const char *words;
};
static const struct region_row region_rows[] = {
    { "region_of_the_option", { .env = { { "AWS_REGION", "eu-west-1" } } }, { .region = "eu-central-1" }, NULL,
      "eu-central-1", "--region", NULL },
    { "option_and_arn_agree", { .env = { { NULL, NULL } } }, { .region = "eu-central-1" }, "eu-central-1", "eu-central-1",
      "--region", NULL },
    { "option_and_arn_disagree", { .env = { { NULL, NULL } } }, { .region = "eu-west-1" }, "eu-central-1", NULL, NULL,
      "--region is eu-west-1, but the ARN names region eu-central-1" },
    { "the_arn_comes_before_the_environment", { .env = { { "AWS_REGION", "eu-west-1" } } }, { 0 }, "eu-central-1",
      "eu-central-1", "ARN", NULL },
    { "the_configurations_default_comes_behind_the_arn", { .env = { { NULL, NULL } } }, { .default_region = "eu-west-1" },
      "eu-central-1", "eu-central-1", "ARN", NULL },
    { "the_configurations_default_comes_before_the_environment", { .env = { { "AWS_REGION", "us-east-1" } } },
      { .default_region = "eu-west-1" }, NULL, "eu-west-1", "ib-plugins.conf", NULL },
    { "aws_region_comes_before_aws_default_region",
      { .env = { { "AWS_DEFAULT_REGION", "us-east-1" }, { "AWS_REGION", "eu-west-1" } } }, { 0 }, NULL, "eu-west-1", "AWS_REGION", NULL },
    { "aws_default_region", { .env = { { "AWS_DEFAULT_REGION", "us-east-1" }, HOME }, .files = CONFIG("[default]\nregion=eu-west-1\n") },
      { 0 }, NULL, "us-east-1", "AWS_DEFAULT_REGION", NULL },
    { "region_of_the_profile", { .env = { HOME }, .files = CONFIG("[profile mon]\nregion=cn-north-1\n") }, { .profile = "mon" }, NULL,
      "cn-north-1", "profile mon (/h/.aws/config)", NULL },
    { "a_region_that_is_none_names_who_said_it", { .env = { { "AWS_REGION", "Frankfurt am Main" } } }, { 0 }, NULL, NULL, NULL,
      "AWS_REGION: \"Frankfurt am Main\" is no region like eu-central-1" },
    { "a_region_that_would_be_another_host", { .env = { { NULL, NULL } } }, { .region = "x.evil.example/" }, NULL, NULL, NULL,
      "--region: \"x.evil.example/\" is no region like eu-central-1" },
    { "no_region_says_where_one_could_be", { .env = { HOME } }, { 0 }, NULL, NULL, NULL,
      "no region: give --region, AWS_REGION, AWS_DEFAULT_REGION or \"region\" in profile default (instance metadata: nobody at "
      "http://169.254.169.254)" },
    { "no_region_and_metadata_switched_off", { .env = { { "AWS_EC2_METADATA_DISABLED", "true" } } }, { 0 }, NULL, NULL, NULL,
      "no region: give --region, AWS_REGION, AWS_DEFAULT_REGION or \"region\" in profile default (instance metadata: switched off "
      "by AWS_EC2_METADATA_DISABLED)" },
};

static void region_row(void **state)
{
    const struct region_row *r = *state;
    struct world w = r->world;
    const struct ib_deadline deadline = ib_deadline_in(20000);
    IB_CLEANUP(ib_aws_config_cleanup) struct ib_aws_config *config = NULL;
    IB_CLEANUP(ib_aws_setting_fini) struct ib_aws_setting region = { NULL, NULL };
    struct ib_error err = IB_ERROR_INIT;
    enum ib_rc rc = ib_aws_config_load(&r->options, world_open(&w), &config, &err);

    if (rc == IB_OK) {
        rc = ib_aws_config_region(config, r->arn_region, &deadline, &region, &err);
    }
    if (r->words != NULL) {
        assert_rc(rc, IB_EUSAGE, &err);
        assert_string_equal(err.text, r->words);
        return;
    }
    assert_ok(rc, &err);
    assert_string_equal(region.value, r->value);
    assert_string_equal(region.source, r->source);
    assert_int_equal(w.request_count, 0);
}

/* --- endpoints ------------------------------------------------------------------------------------------ */

struct url_row {
    const char *name;
    struct world world;
    struct ib_aws_options options;
    const char *service, *value, *source; /* value NULL: none */
};
#define SERVICES                                                                                    \
    "[default]\nservices=mine\nendpoint_url=https://all.example\n[services mine]\nimagebuilder =\n"         \
    "  endpoint_url = https://ib.example\nsso_oidc =\n  endpoint_url = https://oidc.example\n"
static const struct url_row url_rows[] = {
    { "nobody_configured_one", { .env = { HOME } }, { 0 }, "imagebuilder", NULL, NULL },
    { "the_option_comes_first", { .env = { { "AWS_ENDPOINT_URL_IMAGEBUILDER", "https://a.example" } } },
      { .endpoint_url = "https://b.example" }, "imagebuilder", "https://b.example", "--endpoint-url" },
    { "the_option_does_not_speak_of_sts", { .env = { { NULL, NULL } } }, { .endpoint_url = "https://b.example" }, "sts", NULL, NULL },
    { "an_option_on_loopback_speaks_of_all", { .env = { { NULL, NULL } } }, { .endpoint_url = "http://[::1]:99" }, "sts",
      "http://[::1]:99", "--endpoint-url" },
    { "the_services_variable_comes_before_the_general_one",
      { .env = { { "AWS_ENDPOINT_URL", "https://all.example" }, { "AWS_ENDPOINT_URL_IMAGEBUILDER", "https://a.example" } } }, { 0 },
      "imagebuilder", "https://a.example", "AWS_ENDPOINT_URL_IMAGEBUILDER" },
    { "the_general_variable_comes_before_the_profile",
      { .env = { { "AWS_ENDPOINT_URL", "https://env.example" }, HOME }, .files = CONFIG(SERVICES) }, { 0 }, "imagebuilder",
      "https://env.example", "AWS_ENDPOINT_URL" },
    { "the_services_block_comes_before_the_profiles_own", { .env = { HOME }, .files = CONFIG(SERVICES) }, { 0 }, "imagebuilder",
      "https://ib.example", "[services mine] of profile default" },
    { "a_service_that_the_block_does_not_have", { .env = { HOME }, .files = CONFIG(SERVICES) }, { 0 }, "sts", "https://all.example",
      "profile default (/h/.aws/config)" },
    { "sso_oidc_has_an_underscore", { .env = { HOME }, .files = CONFIG(SERVICES) }, { 0 }, "sso-oidc", "https://oidc.example",
      "[services mine] of profile default" },
    { "sso_oidc_by_variable", { .env = { { "AWS_ENDPOINT_URL_SSO_OIDC", "https://v.example" } } }, { 0 }, "sso-oidc",
      "https://v.example", "AWS_ENDPOINT_URL_SSO_OIDC" },
    { "configured_ones_can_be_ignored_by_variable",
      { .env = { { "AWS_ENDPOINT_URL", "https://env.example" }, { "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true" }, HOME },
        .files = CONFIG(SERVICES) }, { 0 }, "imagebuilder", NULL, NULL },
    { "configured_ones_can_be_ignored_by_profile",
      { .env = { { "AWS_ENDPOINT_URL", "https://env.example" }, HOME },
        .files = CONFIG("[default]\nignore_configured_endpoint_urls = true\n") }, { 0 }, "imagebuilder", NULL, NULL },
    { "the_variable_can_take_the_profiles_ignoring_back",
      { .env = { { "AWS_ENDPOINT_URL", "https://env.example" }, { "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false" }, HOME },
        .files = CONFIG("[default]\nignore_configured_endpoint_urls = true\n") }, { 0 }, "imagebuilder", "https://env.example",
      "AWS_ENDPOINT_URL" },
    { "the_option_is_never_ignored", { .env = { { "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true" } } },
      { .endpoint_url = "https://b.example" }, "imagebuilder", "https://b.example", "--endpoint-url" },
};

static void url_row(void **state)
{
    const struct url_row *r = *state;
    struct world w = r->world;
    IB_CLEANUP(ib_aws_config_cleanup) struct ib_aws_config *config = NULL;
    IB_CLEANUP(ib_aws_setting_fini) struct ib_aws_setting url = { NULL, NULL };
    struct ib_error err = IB_ERROR_INIT;

    assert_ok(ib_aws_config_load(&r->options, world_open(&w), &config, &err), &err);
    assert_ok(ib_aws_config_endpoint_url(config, r->service, &url, &err), &err);
    if (r->value == NULL) {
        assert_null(url.value);
        return;
    }
    assert_string_equal(url.value, r->value);
    assert_string_equal(url.source, r->source);
}

/* --- the rest ------------------------------------------------------------------------------------------- */

struct rest_row {
    const char *name;
    struct world world;
    struct ib_aws_options options;
    const char *ca, *ca_source; /* NULL: not set */
    bool fips, dualstack;
    enum ib_aws_retry_mode mode;
    int attempts;
    const char *words;          /* an IB_ECONFIG error */
};
static const struct rest_row rest_rows[] = {
    { "defaults", { .env = { HOME } }, { 0 }, NULL, NULL, false, false, IB_AWS_RETRY_STANDARD, 3, NULL },
    { "legacy_tries_five_times", { .env = { { "AWS_RETRY_MODE", "Legacy" } } }, { 0 }, NULL, NULL, false, false,
      IB_AWS_RETRY_LEGACY, 5, NULL },
    { "attempts_by_profile", { .env = { HOME }, .files = CONFIG("[default]\nretry_mode=adaptive\nmax_attempts=7\n") }, { 0 }, NULL,
      NULL, false, false, IB_AWS_RETRY_ADAPTIVE, 7, NULL },
    { "attempts_by_variable_win", { .env = { HOME, { "AWS_MAX_ATTEMPTS", "1" } }, .files = CONFIG("[default]\nmax_attempts=7\n") },
      { 0 }, NULL, NULL, false, false, IB_AWS_RETRY_STANDARD, 1, NULL },
    { "unknown_retry_mode", { .env = { { "AWS_RETRY_MODE", "often" } } }, { 0 }, NULL, NULL, false, false, 0, 0,
      "AWS_RETRY_MODE: retry mode \"often\" is none of standard, legacy, adaptive" },
    { "attempts_that_are_no_number", { .env = { { "AWS_MAX_ATTEMPTS", "0" } } }, { 0 }, NULL, NULL, false, false, 0, 0,
      "AWS_MAX_ATTEMPTS: max_attempts \"0\" is no number from 1 to 100" },
    { "fips_by_variable_dualstack_by_profile",
      { .env = { HOME, { "AWS_USE_FIPS_ENDPOINT", "TRUE" } }, .files = CONFIG("[default]\nuse_dualstack_endpoint=true\n") }, { 0 },
      NULL, NULL, true, true, IB_AWS_RETRY_STANDARD, 3, NULL },
    { "fips_takes_true_and_false_only", { .env = { { "AWS_USE_FIPS_ENDPOINT", "yes" } } }, { 0 }, NULL, NULL, false, false, 0, 0,
      "AWS_USE_FIPS_ENDPOINT, use_fips_endpoint: \"yes\" is neither true nor false" },
    { "ca_of_the_option", { .env = { { "AWS_CA_BUNDLE", "/a" } } }, { .ca_bundle = "/b" }, "/b", "--ca-bundle", false, false,
      IB_AWS_RETRY_STANDARD, 3, NULL },
    { "ca_of_the_variable", { .env = { HOME, { "AWS_CA_BUNDLE", "/a" } }, .files = CONFIG("[default]\nca_bundle=/c\n") }, { 0 }, "/a",
      "AWS_CA_BUNDLE", false, false, IB_AWS_RETRY_STANDARD, 3, NULL },
    { "ca_of_the_profile", { .env = { HOME, { "REQUESTS_CA_BUNDLE", "/d" } }, .files = CONFIG("[default]\nca_bundle=/c\n") }, { 0 },
      "/c", "profile default (/h/.aws/config)", false, false, IB_AWS_RETRY_STANDARD, 3, NULL },
    { "ca_of_the_old_variable", { .env = { { "REQUESTS_CA_BUNDLE", "/d" } } }, { 0 }, "/d", "REQUESTS_CA_BUNDLE", false, false,
      IB_AWS_RETRY_STANDARD, 3, NULL },
};

static void rest_row(void **state)
{
    const struct rest_row *r = *state;
    struct world w = r->world;
    IB_CLEANUP(ib_aws_config_cleanup) struct ib_aws_config *config = NULL;
    struct ib_error err = IB_ERROR_INIT;

    if (r->words != NULL) {
        assert_rc(ib_aws_config_load(&r->options, world_open(&w), &config, &err), IB_ECONFIG, &err);
        assert_string_equal(err.text, r->words);
        return;
    }
    assert_ok(ib_aws_config_load(&r->options, world_open(&w), &config, &err), &err);
    assert_string_equal(config->ca_bundle.value == NULL ? "" : config->ca_bundle.value,
                        r->ca == NULL ? "" : r->ca);
    assert_string_equal(config->ca_bundle.source == NULL ? "" : config->ca_bundle.source,
                        r->ca_source == NULL ? "" : r->ca_source);
    assert_int_equal(config->use_fips, r->fips);
    assert_int_equal(config->use_dualstack, r->dualstack);
    assert_int_equal(config->retry_mode, r->mode);
    assert_int_equal(config->max_attempts, r->attempts);
}

int main(void)
{
    IB_TEST_ROWS(region_rows, region_row);
    IB_TEST_ROWS(url_rows, url_row);
    IB_TEST_ROWS(rest_rows, rest_row);
    return IB_TEST_RUN();
}
