/* SPDX-License-Identifier: MIT */
/* Settings from options, environment and profile, each with who said so. */
#include "lib/aws/awsconfig.h"

#include "lib/aws/cred.h"
#include "lib/aws/endpoint.h"
#include "lib/aws/imds.h"
#include "lib/aws/profile.h"
#include "lib/base/num.h"
#include "lib/base/text.h"

void ib_aws_setting_fini(struct ib_aws_setting *s)
{
    free(s->value);
    free(s->source);
    *s = (struct ib_aws_setting){NULL, NULL};
}

void ib_aws_config_free(struct ib_aws_config *config)
{
    if (config == NULL) {
        return;
    }
    ib_profiles_free(config->profiles);
    ib_aws_setting_fini(&config->profile);
    ib_aws_setting_fini(&config->region);
    ib_aws_setting_fini(&config->ca_bundle);
    ib_aws_setting_fini(&config->app_id);
    ib_aws_setting_fini(&config->fips);
    ib_aws_setting_fini(&config->dualstack);
    ib_aws_setting_fini(&config->imds_region);
    free(config->refused_key);
    free(config->trail);
    free(config);
}

void ib_aws_config_cleanup(struct ib_aws_config **config)
{
    ib_aws_config_free(*config);
    *config = NULL;
}

/* --- one setting ------------------------------------------------------------------------------ */

static enum ib_rc set(struct ib_aws_setting *ret, struct ib_str value, const char *source,
                      struct ib_error *err)
{
    struct ib_aws_setting s = {ib_str_dup(value), ib_str_dup(ib_str_from(source))};

    if (s.value == NULL || s.source == NULL) {
        ib_aws_setting_fini(&s);
        return ib_fail_nomem(err);
    }
    ib_aws_setting_fini(ret);
    *ret = s;
    return IB_OK;
}

/* "profile monitoring (/etc/nagios/.aws/config)" */
static enum ib_rc set_from_profile(const struct ib_aws_config *c, const char *key,
                                   const char *value, struct ib_aws_setting *ret,
                                   struct ib_error *err)
{
    const struct ib_profile_file *file =
        ib_profiles_file(c->profiles, ib_profile_origin(c->profiles, c->profile.value, key));
    IB_CLEANUP(ib_buf_fini) struct ib_buf source = IB_BUF_INIT(IB_PROFILE_PATH_MAX + 512);
    enum ib_rc rc;

    ib_buf_addf(&source, "profile %s (%s)", c->profile.value, file == NULL ? "" : file->path);
    rc = ib_buf_ok(&source, "source of a setting", err);
    return rc != IB_OK ? rc : set(ret, ib_str_from(value), ib_buf_c(&source), err);
}

/* The first that says something: option, environment variables, profile, a last variable. NULL: no
 * such place. */
struct places {
    const char *option, *option_name;
    const char *variables[2];
    const char *profile_key;
    const char *last_variable;
};

static enum ib_rc look_up(const struct ib_aws_config *c, const struct places *places,
                          struct ib_aws_setting *ret, struct ib_error *err)
{
    const char *value;

    if (places->option != NULL) {
        return set(ret, ib_str_from(places->option), places->option_name, err);
    }
    for (size_t i = 0; i < IB_ARRAY_LEN(places->variables); i++) {
        value =
            places->variables[i] == NULL ? NULL : IB_OUTSIDE_ENV(c->outside, places->variables[i]);
        if (value != NULL) {
            return set(ret, ib_str_trim(ib_str_from(value)), places->variables[i], err);
        }
    }
    value = places->profile_key == NULL
                ? NULL
                : ib_profile_get(c->profiles, c->profile.value, places->profile_key);
    if (value != NULL) {
        return set_from_profile(c, places->profile_key, value, ret, err);
    }
    value =
        places->last_variable == NULL ? NULL : IB_OUTSIDE_ENV(c->outside, places->last_variable);
    return value == NULL ? IB_OK : set(ret, ib_str_from(value), places->last_variable, err);
}

/* --- the settings ----------------------------------------------------------------------------- */

static enum ib_rc load_switch(const struct ib_aws_config *c, const char *variable, const char *key,
                              struct ib_aws_setting *ret, bool *ret_on, struct ib_error *err)
{
    struct places places = {.variables = {variable}, .profile_key = key};
    enum ib_rc rc = look_up(c, &places, ret, err);

    *ret_on = false;
    if (rc != IB_OK || ret->value == NULL) {
        return rc;
    }
    *ret_on = ib_cred_is_true(ret->value);
    if (!*ret_on && !ib_str_ieq_c(ib_str_from(ret->value), "false")) {
        return ib_fail(err, IB_ECONFIG, "%s, %s: \"%s\" is neither true nor false", ret->source,
                       key, ret->value);
    }
    return IB_OK;
}

static enum ib_rc load_retry(struct ib_aws_config *c, struct ib_error *err)
{
    static const char *const modes[] = {[IB_AWS_RETRY_STANDARD] = "standard",
                                        [IB_AWS_RETRY_LEGACY] = "legacy",
                                        [IB_AWS_RETRY_ADAPTIVE] = "adaptive"};
    const struct places mode_places = {.variables = {"AWS_RETRY_MODE"},
                                       .profile_key = "retry_mode"};
    const struct places tries_places = {.variables = {"AWS_MAX_ATTEMPTS"},
                                        .profile_key = "max_attempts"};
    IB_CLEANUP(ib_aws_setting_fini) struct ib_aws_setting mode = {NULL, NULL};
    IB_CLEANUP(ib_aws_setting_fini) struct ib_aws_setting tries = {NULL, NULL};
    size_t i = 0;
    int64_t n;
    enum ib_rc rc = look_up(c, &mode_places, &mode, err);

    if (rc == IB_OK && mode.value != NULL) {
        while (i < IB_ARRAY_LEN(modes) && !ib_str_ieq_c(ib_str_from(mode.value), modes[i])) {
            i++;
        }
        if (i == IB_ARRAY_LEN(modes)) {
            return ib_fail(err, IB_ECONFIG,
                           "%s: retry mode \"%s\" is none of standard, legacy, adaptive",
                           mode.source, mode.value);
        }
        c->retry_mode = (enum ib_aws_retry_mode)i;
    }
    c->max_attempts = c->retry_mode == IB_AWS_RETRY_LEGACY ? 5 : 3;
    if (rc == IB_OK) {
        rc = look_up(c, &tries_places, &tries, err);
    }
    if (rc != IB_OK || tries.value == NULL) {
        return rc;
    }
    if (ib_num_i64(ib_str_from(tries.value), 1, 100, "max_attempts", &n, NULL) != IB_OK) {
        return ib_fail(err, IB_ECONFIG, "%s: max_attempts \"%s\" is no number from 1 to 100",
                       tries.source, tries.value);
    }
    c->max_attempts = (int)n;
    return IB_OK;
}

static enum ib_rc check_region(const struct ib_aws_setting *region, struct ib_error *err)
{
    if (region->value == NULL || ib_region_is_valid(ib_str_from(region->value))) {
        return IB_OK;
    }
    return ib_fail(err, IB_EUSAGE, "%s: \"%s\" is no region like eu-central-1", region->source,
                   region->value);
}

static enum ib_rc load_settings(struct ib_aws_config *c, struct ib_error *err)
{
    const struct places region = {.option = c->options.region,
                                  .option_name = "--region",
                                  .variables = {"AWS_REGION", "AWS_DEFAULT_REGION"},
                                  .profile_key = "region"};
    const struct places ca = {.option = c->options.ca_bundle,
                              .option_name = "--ca-bundle",
                              .variables = {"AWS_CA_BUNDLE"},
                              .profile_key = "ca_bundle",
                              .last_variable = "REQUESTS_CA_BUNDLE"};
    const struct places app_id = {.variables = {"AWS_SDK_UA_APP_ID"},
                                  .profile_key = "sdk_ua_app_id"};
    enum ib_rc rc;

    if (c->options.region == NULL && c->options.default_region != NULL) {
        rc = set(&c->region, ib_str_from(c->options.default_region), "ib-plugins.conf", err);
    } else {
        rc = look_up(c, &region, &c->region, err);
    }
    if (rc == IB_OK) {
        rc = check_region(&c->region, err);
    }
    if (rc == IB_OK) {
        rc = look_up(c, &ca, &c->ca_bundle, err);
    }
    if (rc == IB_OK) {
        rc = look_up(c, &app_id, &c->app_id, err);
    }
    if (rc == IB_OK) {
        rc = load_switch(c, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", &c->fips, &c->use_fips,
                         err);
    }
    if (rc == IB_OK) {
        rc = load_switch(c, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", &c->dualstack,
                         &c->use_dualstack, err);
    }
    return rc != IB_OK ? rc : load_retry(c, err);
}

static enum ib_rc load_profile(struct ib_aws_config *c, struct ib_error *err)
{
    struct ib_profile_choice choice = ib_profile_choose(c->outside, c->options.profile);
    IB_CLEANUP(ib_buf_fini) struct ib_buf files = IB_BUF_INIT(IB_ERROR_TEXT_MAX);
    enum ib_rc rc = set(&c->profile, ib_str_from(choice.name), choice.source, err);

    if (rc == IB_OK) {
        rc = ib_profiles_load(c->outside, &c->profiles, err);
    }
    if (rc != IB_OK || !choice.is_named || ib_profiles_has(c->profiles, IB_PROFILE, choice.name)) {
        return rc;
    }
    ib_profiles_describe_files(c->profiles, &files);
    return ib_fail(err, IB_ECRED, "profile \"%s\" (%s) does not exist; looked in %s", choice.name,
                   choice.source, ib_buf_c(&files));
}

enum ib_rc ib_aws_config_load(const struct ib_aws_options *options,
                              const struct ib_outside *outside, struct ib_aws_config **ret,
                              struct ib_error *err)
{
    IB_CLEANUP(ib_aws_config_cleanup) struct ib_aws_config *c = calloc(1, sizeof *c);
    enum ib_rc rc;

    if (c == NULL) {
        return ib_fail_nomem(err);
    }
    c->options = *options;
    c->outside = outside;
    c->trail = calloc(1, sizeof *c->trail);
    if (c->trail == NULL) {
        return ib_fail_nomem(err);
    }
    rc = load_profile(c, err);
    if (rc == IB_OK) {
        rc = load_settings(c, err);
    }
    if (rc == IB_OK) {
        *ret = c;
        c = NULL;
    }
    return rc;
}

/* --- region of a call --------------------------------------------------------------------------
 */

static enum ib_rc no_region(const struct ib_aws_config *c, const char *imds, struct ib_error *err)
{
    return ib_fail(
        err, IB_EUSAGE,
        "no region: give --region, AWS_REGION, AWS_DEFAULT_REGION or \"region\" in profile "
        "%s (instance metadata: %s)",
        c->profile.value, imds);
}

static enum ib_rc region_of_instance(struct ib_aws_config *c, const struct ib_deadline *deadline,
                                     struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf region = IB_BUF_INIT(64);
    struct ib_error why = IB_ERROR_INIT;
    struct ib_cred_context ctx = {.config = c,
                                  .outside = c->outside,
                                  .profiles = c->profiles,
                                  .profile = c->profile.value,
                                  .deadline = *deadline};
    enum ib_rc rc;

    if (c->imds_asked) {
        return c->imds_region.value != NULL ? IB_OK : no_region(c, "no answer", err);
    }
    c->imds_asked = true;
    rc = ib_imds_region(&ctx, &region, &why);
    if (rc != IB_OK) {
        return no_region(c, why.text, err);
    }
    return set(&c->imds_region, ib_str_trim(ib_buf_str(&region)), "instance metadata", err);
}

enum ib_rc ib_aws_config_region(struct ib_aws_config *config, const char *arn_region,
                                const struct ib_deadline *deadline, struct ib_aws_setting *ret,
                                struct ib_error *err)
{
    const struct ib_aws_setting *found = &config->region;
    struct ib_aws_setting copy = {NULL, NULL};
    enum ib_rc rc = IB_OK;

    if (arn_region != NULL && arn_region[0] != '\0') {
        if (config->options.region != NULL && strcmp(config->options.region, arn_region) != 0) {
            return ib_fail(err, IB_EUSAGE, "--region is %s, but the ARN names region %s",
                           config->options.region, arn_region);
        }
        if (!ib_region_is_valid(ib_str_from(arn_region))) {
            return ib_fail(err, IB_EUSAGE, "ARN: \"%s\" is no region like eu-central-1",
                           arn_region);
        }
        rc = set(&copy, ib_str_from(arn_region),
                 config->options.region != NULL ? "--region" : "ARN", err);
    } else {
        if (found->value == NULL) {
            rc = region_of_instance(config, deadline, err);
            found = &config->imds_region;
        }
        if (rc == IB_OK) {
            rc = check_region(found, err);
        }
        if (rc == IB_OK) {
            rc = set(&copy, ib_str_from(found->value), found->source, err);
        }
    }
    if (rc == IB_OK) {
        (void)ib_text_copy(config->call_region, sizeof config->call_region,
                           ib_str_from(copy.value));
        *ret = copy;
    }
    return rc;
}

/* --- endpoint of a service -----------------------------------------------------------------------
 */

static bool is_ignoring_configured(const struct ib_aws_config *c)
{
    const char *variable = IB_OUTSIDE_ENV(c->outside, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");

    return ib_cred_is_true(variable != NULL ? variable
                                            : ib_profile_get(c->profiles, c->profile.value,
                                                             "ignore_configured_endpoint_urls"));
}

static bool option_speaks_of(const char *url, const char *service)
{
    struct ib_url parsed;

    if (strcmp(service, "imagebuilder") == 0) {
        return true;
    }
    return ib_url_parse(ib_str_from(url), "--endpoint-url", &parsed, NULL) == IB_OK &&
           ib_host_is_loopback(parsed.host);
}

/* "sso-oidc" is SSO_OIDC in variables and sso_oidc in the services section. */
static void service_id(const char *service, bool upper, char *buf, size_t cap)
{
    size_t n = 0;

    for (; service[n] != '\0' && n + 1 < cap; n++) {
        buf[n] = service[n] == '-' ? '_' : upper ? ib_ascii_toupper(service[n]) : service[n];
    }
    buf[n] = '\0';
}

static enum ib_rc endpoint_from_profile(const struct ib_aws_config *c, const char *service,
                                        struct ib_aws_setting *ret, struct ib_error *err)
{
    const char *block = ib_profile_get(c->profiles, c->profile.value, "services");
    const char *url;
    char id[64], buf[1024], source[512];

    service_id(service, false, id, sizeof id);
    if (block != NULL) {
        url = ib_profiles_get_sub(c->profiles, IB_PROFILE_SERVICES, block, id, "endpoint_url", buf,
                                  sizeof buf);
        if (url != NULL) {
            (void)snprintf(source, sizeof source, "[services %s] of profile %s", block,
                           c->profile.value);
            return set(ret, ib_str_from(url), source, err);
        }
    }
    url = ib_profile_get(c->profiles, c->profile.value, "endpoint_url");
    return url == NULL ? IB_OK : set_from_profile(c, "endpoint_url", url, ret, err);
}

enum ib_rc ib_aws_config_endpoint_url(const struct ib_aws_config *config, const char *service,
                                      struct ib_aws_setting *ret, struct ib_error *err)
{
    struct ib_aws_setting found = {NULL, NULL};
    char id[64], own[128];
    const struct places variables = {.variables = {own, "AWS_ENDPOINT_URL"}};
    enum ib_rc rc = IB_OK;

    service_id(service, true, id, sizeof id);
    (void)snprintf(own, sizeof own, "AWS_ENDPOINT_URL_%s", id);
    if (config->options.endpoint_url != NULL &&
        option_speaks_of(config->options.endpoint_url, service)) {
        rc = set(&found, ib_str_from(config->options.endpoint_url), "--endpoint-url", err);
    } else if (!is_ignoring_configured(config)) {
        rc = look_up(config, &variables, &found, err);
        if (rc == IB_OK && found.value == NULL) {
            rc = endpoint_from_profile(config, service, &found, err);
        }
    }
    if (rc == IB_OK) {
        *ret = found;
    }
    return rc;
}
