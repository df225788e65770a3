/* SPDX-License-Identifier: MIT */
/* What a profile says about where its credentials come from. */
#include "lib/aws/profile_chain.h"

static const char *get(const struct ib_profiles *p, const char *profile, const char *key)
{
    return ib_profile_get(p, profile, key);
}

const char *ib_profile_sso_get(const struct ib_profiles *profiles, const char *profile,
                               const char *key)
{
    const char *session = get(profiles, profile, "sso_session");

    return session == NULL ? get(profiles, profile, key)
                           : ib_profiles_get(profiles, IB_PROFILE_SSO_SESSION, session, key);
}

/* --- sources: each tells whether the profile asks for it, and whether it asks completely --------
 */

static enum ib_rc static_link(const struct ib_profiles *p, const char *profile, bool *ret_is,
                              struct ib_error *err)
{
    const char *id = get(p, profile, "aws_access_key_id");
    const char *secret = get(p, profile, "aws_secret_access_key");

    if ((id == NULL) != (secret == NULL)) {
        return ib_fail(err, IB_ECRED, "profile \"%s\" has %s but no %s", profile,
                       id != NULL ? "aws_access_key_id" : "aws_secret_access_key",
                       id != NULL ? "aws_secret_access_key" : "aws_access_key_id");
    }
    *ret_is = id != NULL;
    return IB_OK;
}

static enum ib_rc web_identity_link(const struct ib_profiles *p, const char *profile, bool *ret_is,
                                    struct ib_error *err)
{
    bool is = get(p, profile, "web_identity_token_file") != NULL;

    if (is && get(p, profile, "role_arn") == NULL) {
        return ib_fail(err, IB_ECRED, "profile \"%s\" has web_identity_token_file but no role_arn",
                       profile);
    }
    *ret_is = is;
    return IB_OK;
}

static enum ib_rc sso_session_check(const struct ib_profiles *p, const char *profile,
                                    struct ib_error *err)
{
    static const char *const shared[] = {"sso_region", "sso_start_url"};
    const char *session = get(p, profile, "sso_session");

    if (!ib_profiles_has(p, IB_PROFILE_SSO_SESSION, session)) {
        return ib_fail(err, IB_ECRED,
                       "profile \"%s\" names sso_session \"%s\", but no file has a section "
                       "[sso-session %s]",
                       profile, session, session);
    }
    for (size_t i = 0; i < IB_ARRAY_LEN(shared); i++) {
        const char *own = get(p, profile, shared[i]);
        const char *of_session = ib_profiles_get(p, IB_PROFILE_SSO_SESSION, session, shared[i]);

        if (of_session == NULL) {
            return ib_fail(err, IB_ECRED, "section [sso-session %s] has no %s%s", session,
                           shared[i], own != NULL ? "; it belongs there, not in the profile" : "");
        }
        /* The AWS CLI writes both forms side by side: the same value twice is no contradiction. */
        if (own != NULL && strcmp(own, of_session) != 0) {
            return ib_fail(
                err, IB_ECRED,
                "profile \"%s\" and section [sso-session %s] have different values of %s", profile,
                session, shared[i]);
        }
    }
    return IB_OK;
}

static enum ib_rc sso_link(const struct ib_profiles *p, const char *profile, bool *ret_is,
                           struct ib_error *err)
{
    static const char *const needed[] = {"sso_account_id", "sso_role_name", "sso_region",
                                         "sso_start_url"};
    const char *account = get(p, profile, "sso_account_id");
    const char *role = get(p, profile, "sso_role_name");
    const char *session = get(p, profile, "sso_session");

    if (session != NULL) {
        enum ib_rc rc = sso_session_check(p, profile, err);

        if (rc != IB_OK) {
            return rc;
        }
        if ((account == NULL) != (role == NULL)) {
            return ib_fail(err, IB_ECRED, "profile \"%s\" has %s but no %s", profile,
                           account != NULL ? "sso_account_id" : "sso_role_name",
                           account != NULL ? "sso_role_name" : "sso_account_id");
        }
        *ret_is = true;
        return IB_OK;
    }
    *ret_is = account != NULL || role != NULL || get(p, profile, "sso_start_url") != NULL;
    for (size_t i = 0; *ret_is && i < IB_ARRAY_LEN(needed); i++) {
        if (get(p, profile, needed[i]) == NULL) {
            return ib_fail(err, IB_ECRED, "profile \"%s\" is set up for SSO but has no %s", profile,
                           needed[i]);
        }
    }
    return IB_OK;
}

static enum ib_rc push(struct ib_profile_chain *chain, enum ib_profile_link_kind kind,
                       const char *profile, struct ib_error *err)
{
    if (chain->count == IB_PROFILE_CHAIN_MAX) {
        return ib_fail(err, IB_ELIMIT,
                       "profile \"%s\": more than %d profiles in one chain of roles",
                       chain->links[0].profile, IB_PROFILE_CHAIN_MAX - 1);
    }
    chain->links[chain->count++] = (struct ib_profile_link){kind, profile};
    return IB_OK;
}

/*
 * The one source of a profile. Static keys of the credentials file come before aws login and
 * credential_process, those of the config file after: the order of the AWS CLI, where a process in
 * the config file is what its author meant last.
 */
static enum ib_rc push_source(const struct ib_profiles *p, const char *profile,
                              struct ib_profile_chain *chain, struct ib_error *err)
{
    bool is_web = false, is_sso = false, is_static = false;
    enum ib_rc rc = web_identity_link(p, profile, &is_web, err);

    if (rc == IB_OK && !is_web) {
        rc = sso_link(p, profile, &is_sso, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    if (is_web || is_sso) {
        return push(chain, is_web ? IB_LINK_WEB_IDENTITY : IB_LINK_SSO, profile, err);
    }
    rc = static_link(p, profile, &is_static, err);
    if (rc != IB_OK) {
        return rc;
    }
    if (is_static && ib_profile_origin(p, profile, "aws_access_key_id") == IB_PROFILE_CREDENTIALS) {
        return push(chain, IB_LINK_STATIC, profile, err);
    }
    if (get(p, profile, "login_session") != NULL) {
        return push(chain, IB_LINK_LOGIN, profile, err);
    }
    if (get(p, profile, "credential_process") != NULL) {
        return push(chain, IB_LINK_PROCESS, profile, err);
    }
    if (is_static) {
        return push(chain, IB_LINK_STATIC, profile, err);
    }
    return ib_fail(err, IB_ENOENT, "profile \"%s\" has nothing about credentials", profile);
}

static enum ib_rc push_named_source(const char *profile, const char *name,
                                    struct ib_profile_chain *chain, struct ib_error *err)
{
    static const struct {
        const char *name;
        enum ib_profile_link_kind kind;
    } known[] = {
        {"Environment", IB_LINK_FROM_ENVIRONMENT},
        {"Ec2InstanceMetadata", IB_LINK_FROM_IMDS},
        {"EcsContainer", IB_LINK_FROM_CONTAINER},
    };

    for (size_t i = 0; i < IB_ARRAY_LEN(known); i++) {
        if (strcmp(name, known[i].name) == 0) {
            return push(chain, known[i].kind, profile, err);
        }
    }
    return ib_fail(err, IB_ECRED,
                   "profile \"%s\": credential_source \"%s\" is unknown; it is Environment, "
                   "Ec2InstanceMetadata or EcsContainer",
                   profile, name);
}

static bool asks_for_role(const struct ib_profiles *p, const char *profile)
{
    return get(p, profile, "role_arn") != NULL &&
           get(p, profile, "web_identity_token_file") == NULL;
}

static bool visited(const struct ib_profile_chain *chain, const char *profile)
{
    for (size_t i = 0; i < chain->count; i++) {
        if (strcmp(chain->links[i].profile, profile) == 0) {
            return true;
        }
    }
    return false;
}

static const char *last_profile(const struct ib_profile_chain *chain)
{
    return chain->links[chain->count - 1].profile;
}

/* Push the profile's role; *ret_next is the source profile, NULL when the chain is complete. */
static enum ib_rc push_role(const struct ib_profiles *p, const char *profile,
                            struct ib_profile_chain *chain, const char **ret_next,
                            struct ib_error *err)
{
    const char *source = get(p, profile, "source_profile");
    const char *named = get(p, profile, "credential_source");
    enum ib_rc rc;

    if (source != NULL && named != NULL) {
        return ib_fail(
            err, IB_ECRED,
            "profile \"%s\" has both source_profile and credential_source; role_arn needs "
            "one of them",
            profile);
    }
    if (source == NULL && named == NULL) {
        return ib_fail(err, IB_ECRED,
                       "profile \"%s\" has role_arn, but neither source_profile nor "
                       "credential_source says with which credentials to assume it",
                       profile);
    }
    rc = push(chain, IB_LINK_ASSUME_ROLE, profile, err);
    if (rc != IB_OK) {
        return rc;
    }
    if (named != NULL) {
        *ret_next = NULL;
        return push_named_source(profile, named, chain, err);
    }
    if (!ib_profiles_has(p, IB_PROFILE, source)) {
        return ib_fail(err, IB_ECRED,
                       "profile \"%s\" names source_profile \"%s\", which no file has", profile,
                       source);
    }
    *ret_next = source;
    return IB_OK;
}

/* Links from the selected profile down to the source: the reverse of the order of use. */
static enum ib_rc descend(const struct ib_profiles *p, const char *profile,
                          struct ib_profile_chain *chain, struct ib_error *err)
{
    while (profile != NULL) {
        bool is_static = false;
        bool is_source = chain->count > 0;
        bool is_own_source = is_source && strcmp(last_profile(chain), profile) == 0;
        bool is_loop = visited(chain, profile);
        enum ib_rc rc = IB_OK;

        if (is_source && (is_own_source || !is_loop)) {
            rc = static_link(p, profile, &is_static, err);
        }
        if (rc != IB_OK) {
            return rc;
        }
        if (is_static) {
            return push(chain, IB_LINK_STATIC, profile, err);
        }
        if (is_loop) {
            return ib_fail(err, IB_ECRED, "profile \"%s\": source_profile leads back to \"%s\"%s",
                           last_profile(chain), profile,
                           is_own_source ? ", which has no keys of its own" : " in a loop");
        }
        if (!asks_for_role(p, profile)) {
            rc = push_source(p, profile, chain, err);
            /* Nothing there is the next provider's turn, but not for a profile that was asked to
             * help. */
            if (rc == IB_ENOENT && is_source) {
                return ib_fail(
                    err, IB_ECRED,
                    "profile \"%s\" names source_profile \"%s\", which has nothing about "
                    "credentials",
                    last_profile(chain), profile);
            }
            return rc;
        }
        rc = push_role(p, profile, chain, &profile, err);
        if (rc != IB_OK) {
            return rc;
        }
    }
    return IB_OK;
}

enum ib_rc ib_profile_chain_plan(const struct ib_profiles *profiles, const char *profile,
                                 struct ib_profile_chain *ret, struct ib_error *err)
{
    struct ib_profile_chain down = {.count = 0};
    enum ib_rc rc;

    if (!ib_profiles_has(profiles, IB_PROFILE, profile)) {
        return ib_fail(err, IB_ENOENT, "profile \"%s\" is in none of the files", profile);
    }
    rc = descend(profiles, profile, &down, err);
    if (rc != IB_OK) {
        return rc;
    }
    ret->count = down.count;
    for (size_t i = 0; i < down.count; i++) {
        ret->links[i] = down.links[down.count - 1 - i];
    }
    return IB_OK;
}
