/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the two profile files (a NUL byte between them): what a profile says is a chain of
 * bounded length whose links are profiles that are there, or a sentence; settings load or say why.
 */
#include "fuzz.h"

#include "lib/aws/awsconfig.h"
#include "lib/aws/outside.h"
#include "lib/aws/profile_chain.h"

struct world {
    struct ib_str config, credentials;
};

static const char *get_env(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "HOME") == 0 ? "/h"
           : strcmp(name, "AWS_EC2_METADATA_DISABLED") == 0 ? "true" : NULL;
}

static const char *no_home(void *ctx)
{
    (void)ctx;
    return NULL;
}

static enum ib_rc read_file(void *ctx, const char *path, struct ib_buf *ret,
                            struct ib_file_facts *ret_facts, struct ib_error *err)
{
    const struct world *w = ctx;

    if (ret_facts != NULL) {
        *ret_facts = (struct ib_file_facts){ .others_may_read = false };
    }
    ib_buf_add_str(ret, strcmp(path, "/h/.aws/config") == 0 ? w->config : w->credentials);
    return ib_buf_ok(ret, path, err);
}

static void check_chain(const struct ib_profiles *profiles, const char *name)
{
    struct ib_profile_chain chain = { .count = 0 };
    struct ib_error err = IB_ERROR_INIT;
    enum ib_rc rc = ib_profile_chain_plan(profiles, name, &chain, &err);

    if (rc != IB_OK) {
        IB_ASSERT(rc == IB_ENOENT || rc == IB_ECRED || rc == IB_ELIMIT);
        IB_ASSERT(err.text[0] != '\0');
        return;
    }
    IB_ASSERT(chain.count > 0 && chain.count <= IB_PROFILE_CHAIN_MAX);
    IB_ASSERT(chain.links[0].kind != IB_LINK_ASSUME_ROLE);
    for (size_t i = 0; i < chain.count; i++) {
        IB_ASSERT(ib_profiles_has(profiles, IB_PROFILE, chain.links[i].profile));
        IB_ASSERT(i == 0 || chain.links[i].kind == IB_LINK_ASSUME_ROLE);
    }
}

static void check_settings(struct ib_aws_config *config)
{
    static const char *const services[] = { "imagebuilder", "sts", "sso", "sso-oidc" };

    for (size_t i = 0; i < IB_ARRAY_LEN(services); i++) {
        IB_CLEANUP(ib_aws_setting_fini) struct ib_aws_setting url = { NULL, NULL };

        IB_ASSERT(ib_aws_config_endpoint_url(config, services[i], &url, NULL) == IB_OK);
        IB_ASSERT((url.value == NULL) == (url.source == NULL));
    }
    IB_ASSERT(config->max_attempts >= 1 && config->max_attempts <= 100);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *gap = n == 0 ? NULL : memchr(data, '\0', n);
    size_t first = gap == NULL ? n : (size_t)(gap - data);
    struct world w = {
        .config = { (const char *)data, first },
        .credentials = { (const char *)data + first + (gap == NULL ? 0 : 1),
                         gap == NULL ? 0 : n - first - 1 },
    };
    const struct ib_outside outside = { .ctx = &w, .env = get_env, .passwd_home = no_home,
                                        .read = read_file };
    const struct ib_aws_options options = { .region = NULL };
    IB_CLEANUP(ib_aws_config_cleanup) struct ib_aws_config *config = NULL;
    IB_CLEANUP(ib_profiles_cleanup) struct ib_profiles *profiles = NULL;
    struct ib_error err = IB_ERROR_INIT;
    enum ib_rc rc = ib_profiles_load(&outside, &profiles, &err);
    const char *name;

    IB_ASSERT(rc == IB_OK || rc == IB_ECONFIG || rc == IB_ELIMIT);
    for (size_t i = 0; rc == IB_OK; i++) {
        name = ib_profiles_name_at(profiles, IB_PROFILE, i);
        if (name == NULL) {
            break;
        }
        check_chain(profiles, name);
    }
    rc = ib_aws_config_load(&options, &outside, &config, &err);
    if (rc == IB_OK) {
        check_settings(config);
    } else {
        IB_ASSERT(err.text[0] != '\0' && rc != IB_EBUG);
    }
    return 0;
}
