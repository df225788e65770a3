/* SPDX-License-Identifier: MIT */
/*
 * What a profile says about where its credentials come from, as a chain: one link that is a source
 * of credentials, then the roles to assume on top, in the order in which they are assumed.
 *
 * Pure: nothing is read or called here. Rules (aws.md §3.1, SDK reference "Assume role credential
 * provider"): the selected profile's own role comes before its keys, in a source profile static keys come
 * before its own role; web identity is a source, not a role on top; a loop is an error, and a profile
 * that names itself as source must hold static keys.
 */
#ifndef IB_AWS_PROFILE_CHAIN_H
#define IB_AWS_PROFILE_CHAIN_H

#include "lib/aws/profile.h"

#define IB_PROFILE_CHAIN_MAX 16 /* links; each costs a call to STS */

enum ib_profile_link_kind {
    /* sources */
    IB_LINK_STATIC,
    IB_LINK_WEB_IDENTITY,
    IB_LINK_SSO,
    IB_LINK_LOGIN,
    IB_LINK_PROCESS,
    IB_LINK_FROM_ENVIRONMENT, /* credential_source = Environment */
    IB_LINK_FROM_IMDS,        /* credential_source = Ec2InstanceMetadata */
    IB_LINK_FROM_CONTAINER,   /* credential_source = EcsContainer */
    /* on top of what stands before */
    IB_LINK_ASSUME_ROLE,
};

struct ib_profile_link {
    enum ib_profile_link_kind kind;
    const char *profile; /* whose properties describe the link; borrowed from the set */
};

struct ib_profile_chain {
    struct ib_profile_link links[IB_PROFILE_CHAIN_MAX];
    size_t count;
};

/*
 * Chain of one profile. Errors: IB_ENOENT, the profile is not there or holds nothing about
 * credentials (the caller goes on to the next provider); IB_ECRED, what it holds is contradictory
 * or incomplete (the caller stops: going on would use credentials that nobody meant);
 * IB_ELIMIT, more than IB_PROFILE_CHAIN_MAX links.
 */
IB_NODISCARD enum ib_rc ib_profile_chain_plan(const struct ib_profiles *profiles,
                                              const char *profile, struct ib_profile_chain *ret,
                                              struct ib_error *err);

/* Where an SSO profile gets its start URL and region: the session's when it names one, else its own. */
const char *ib_profile_sso_get(const struct ib_profiles *profiles, const char *profile,
                               const char *key);

#endif
