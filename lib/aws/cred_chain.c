/* SPDX-License-Identifier: MIT */
/*
 * The chain of providers, in the order of the AWS CLI: environment; a profile's role; web identity
 * by environment; what else the profile says; container; instance metadata. Then --role-arn on top.
 */
#include "lib/aws/cred.h"

#include "lib/aws/cred_cache.h"
#include "lib/aws/profile_chain.h"
#include "lib/aws/trace.h"

static enum ib_rc note(const struct ib_cred_context *ctx, const char *provider, enum ib_rc rc,
                       const struct ib_credentials *found, const struct ib_error *err)
{
    if (rc == IB_OK) {
        ib_cred_trail_add(ctx->trail, provider, IB_CRED_ANSWERED, "%s, access key ...%s",
                          found->source, ib_cred_key_tail(found));
    } else {
        ib_cred_trail_add(ctx->trail, provider,
                          rc == IB_ENOENT ? IB_CRED_PASSED_OVER : IB_CRED_FAILED, "%s", err->text);
    }
    return rc;
}

/* The last characters of an access key id: enough to tell keys apart, and no secret. */
const char *ib_cred_key_tail(const struct ib_credentials *c)
{
    size_t n = strlen(c->access_key_id);

    return c->access_key_id + (n > 4 ? n - 4 : 0);
}

/* --- what a profile says
 * ---------------------------------------------------------------------------- */

static enum ib_rc from_source(const struct ib_cred_context *ctx, const struct ib_profile_link *link,
                              struct ib_credentials *ret, struct ib_error *err)
{
    switch (link->kind) {
    case IB_LINK_STATIC:
        return note(ctx, IB_CRED_SHARED, ib_cred_shared(ctx, link->profile, ret, err), ret, err);
    case IB_LINK_WEB_IDENTITY:
        return note(ctx, IB_CRED_WEB_IDENTITY, ib_cred_web_identity(ctx, link->profile, ret, err),
                    ret, err);
    case IB_LINK_SSO:
        return note(ctx, IB_CRED_SSO, ib_cred_sso(ctx, link->profile, ret, err), ret, err);
    case IB_LINK_LOGIN:
        return note(ctx, IB_CRED_LOGIN, ib_cred_login(ctx, link->profile, ret, err), ret, err);
    case IB_LINK_PROCESS:
        return note(ctx, IB_CRED_PROCESS, ib_cred_process(ctx, link->profile, ret, err), ret, err);
    case IB_LINK_FROM_ENVIRONMENT:
        return note(ctx, IB_CRED_ENV, ib_cred_env(ctx, ret, err), ret, err);
    case IB_LINK_FROM_IMDS:
        return note(ctx, IB_CRED_IMDS, ib_cred_imds(ctx, ret, err), ret, err);
    case IB_LINK_FROM_CONTAINER:
        return note(ctx, IB_CRED_CONTAINER, ib_cred_container(ctx, ret, err), ret, err);
    case IB_LINK_ASSUME_ROLE:
        break;
    }
    return ib_fail(err, IB_EBUG, "a role as source of credentials");
}

/* Lines that tell one source from another without asking it. Nothing secret: key ids, names,
 * places. */
static void describe_source(const struct ib_cred_context *ctx, const struct ib_profile_link *link,
                            struct ib_buf *out)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf url = IB_BUF_INIT(4096);
    const char *id;
    bool is_metadata;

    switch (link->kind) {
    case IB_LINK_STATIC:
        ib_buf_addf(out, "key=%s\n",
                    ib_profile_get(ctx->profiles, link->profile, "aws_access_key_id"));
        return;
    case IB_LINK_FROM_ENVIRONMENT:
        id = IB_OUTSIDE_ENV(ctx->outside, "AWS_ACCESS_KEY_ID");
        ib_buf_addf(out, "key=%s\n", id == NULL ? "" : id);
        return;
    case IB_LINK_FROM_CONTAINER:
        if (ib_cred_container_url(ctx->outside, &url, &is_metadata, NULL) == IB_OK) {
            ib_buf_addf(out, "container=%s\n", ib_buf_c(&url));
        }
        return;
    case IB_LINK_WEB_IDENTITY:
    case IB_LINK_SSO:
    case IB_LINK_LOGIN:
    case IB_LINK_PROCESS:
    case IB_LINK_FROM_IMDS:
    case IB_LINK_ASSUME_ROLE:
        break;
    }
    ib_buf_addf(out, "kind=%d profile=%s\n", (int)link->kind, link->profile);
}

/* What a role is assumed with: the links in front of it, or any other way to credentials. */
struct step {
    const struct ib_profile_chain *chain;
    size_t at; /* link to resolve */
};

static enum ib_rc resolve_link(const struct ib_cred_context *ctx,
                               const struct ib_profile_chain *chain, size_t at,
                               struct ib_credentials *ret, struct ib_error *err);

static enum ib_rc fetch_role(const struct ib_cred_context *ctx, void *arg,
                             struct ib_credentials *ret, struct ib_error *err)
{
    const struct step *step = arg;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials by = IB_CREDENTIALS_INIT;
    struct ib_cred_role role;
    char where[256];
    enum ib_rc rc;

    ib_cred_role_of_profile(ctx, step->chain->links[step->at].profile, where, sizeof where, &role);
    rc = ib_cred_role_check(&role, err);
    if (rc == IB_OK) {
        rc = resolve_link(ctx, step->chain, step->at - 1, &by, err);
    }
    if (rc != IB_OK) {
        /* A source that has nothing is no reason to go on: this profile asked for it by name. */
        return rc != IB_ENOENT
                   ? rc
                   : ib_fail(err, IB_ECRED, "%s: no credentials to assume role %s with: %s",
                             role.where, role.arn, err->text);
    }
    return ib_cred_assume_role(ctx, &role, &by, ret, err);
}

static void describe_links(const struct ib_cred_context *ctx, const struct ib_profile_chain *chain,
                           size_t last, struct ib_buf *out)
{
    for (size_t i = 0; i <= last; i++) {
        struct ib_cred_role role;
        char where[256];

        if (chain->links[i].kind != IB_LINK_ASSUME_ROLE) {
            describe_source(ctx, &chain->links[i], out);
            continue;
        }
        ib_cred_role_of_profile(ctx, chain->links[i].profile, where, sizeof where, &role);
        ib_cred_role_describe(ctx, &role, out);
    }
}

static enum ib_rc resolve_link(const struct ib_cred_context *ctx,
                               const struct ib_profile_chain *chain, size_t at,
                               struct ib_credentials *ret, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf description = IB_BUF_INIT((size_t)64 * 1024);
    struct step step = {chain, at};
    enum ib_rc rc;

    if (chain->links[at].kind != IB_LINK_ASSUME_ROLE) {
        return from_source(ctx, &chain->links[at], ret, err);
    }
    describe_links(ctx, chain, at, &description);
    rc = ib_buf_ok(&description, "chain of roles", err);
    if (rc == IB_OK) {
        const struct ib_cred_ask ask = {IB_CRED_ASSUME_ROLE, ib_buf_str(&description), fetch_role,
                                        &step};

        rc = ib_cred_cache_get(ctx, &ask, ret, err);
    }
    return note(ctx, IB_CRED_ASSUME_ROLE, rc, ret, err);
}

/* --- the order
 * ------------------------------------------------------------------------------------------ */

static bool profile_was_asked_for(const struct ib_cred_context *ctx)
{
    return ctx->config->options.profile != NULL;
}

/* Everything said in one sentence: which provider was passed over, and why. */
static enum ib_rc nothing_found(const struct ib_cred_context *ctx, size_t from,
                                struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(4096);

    for (size_t i = from; i < ctx->trail->count; i++) {
        const struct ib_cred_trail_row *row = &ctx->trail->rows[i];

        if (row->outcome == IB_CRED_PASSED_OVER) {
            ib_buf_addf(&text, "%s%s: %s", text.len == 0 ? "" : "; ", row->provider, row->text);
        }
    }
    return ib_fail(err, IB_ECRED, "no AWS credentials: %s", ib_buf_c(&text));
}

static enum ib_rc try_environment(const struct ib_cred_context *ctx, struct ib_credentials *ret,
                                  struct ib_error *err)
{
    if (profile_was_asked_for(ctx)) {
        return note(ctx, IB_CRED_ENV,
                    ib_fail(err, IB_ENOENT, "skipped, because --profile was given"), ret, err);
    }
    return note(ctx, IB_CRED_ENV, ib_cred_env(ctx, ret, err), ret, err);
}

static enum ib_rc plan_profile(const struct ib_cred_context *ctx, struct ib_profile_chain *ret,
                               struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf files = IB_BUF_INIT(4096);
    enum ib_rc rc = ib_profile_chain_plan(ctx->profiles, ctx->profile, ret, err);

    if (rc == IB_ENOENT && !ib_profiles_has(ctx->profiles, IB_PROFILE, ctx->profile)) {
        ib_profiles_describe_files(ctx->profiles, &files);
        return ib_fail(err, rc, "none named \"%s\" in %s", ctx->profile, ib_buf_c(&files));
    }
    return rc;
}

static enum ib_rc try_profile(const struct ib_cred_context *ctx, struct ib_credentials *ret,
                              struct ib_error *err)
{
    struct ib_profile_chain chain = {.count = 0};
    enum ib_rc planned = plan_profile(ctx, &chain, err);
    enum ib_rc rc = IB_ENOENT;

    if (planned != IB_OK && planned != IB_ENOENT) {
        return note(ctx, "profile", planned, ret, err);
    }
    if (planned == IB_OK && chain.links[chain.count - 1].kind == IB_LINK_ASSUME_ROLE) {
        return resolve_link(ctx, &chain, chain.count - 1, ret, err);
    }
    if (planned == IB_ENOENT) {
        (void)note(ctx, "profile", planned, ret, err);
    }
    if (!profile_was_asked_for(ctx)) {
        rc = note(ctx, IB_CRED_WEB_IDENTITY, ib_cred_web_identity(ctx, NULL, ret, err), ret, err);
    }
    if (rc != IB_ENOENT || planned == IB_ENOENT) {
        return rc;
    }
    return resolve_link(ctx, &chain, chain.count - 1, ret, err);
}

static enum ib_rc find_base(const struct ib_cred_context *ctx, struct ib_credentials *ret,
                            struct ib_error *err)
{
    size_t from = ctx->trail->count;
    enum ib_rc rc = try_environment(ctx, ret, err);

    if (rc == IB_ENOENT) {
        rc = try_profile(ctx, ret, err);
    }
    if (rc == IB_ENOENT) {
        rc = note(ctx, IB_CRED_CONTAINER, ib_cred_container(ctx, ret, err), ret, err);
    }
    if (rc == IB_ENOENT) {
        rc = note(ctx, IB_CRED_IMDS, ib_cred_imds(ctx, ret, err), ret, err);
    }
    return rc == IB_ENOENT ? nothing_found(ctx, from, err) : rc;
}

/* --- --role-arn on top
 * ------------------------------------------------------------------------------------ */

/* As find_base() would go, but by looking at settings alone. */
static void describe_base(const struct ib_cred_context *ctx, struct ib_buf *out)
{
    const struct ib_profile_link env = {IB_LINK_FROM_ENVIRONMENT, ""};
    const struct ib_profile_link container = {IB_LINK_FROM_CONTAINER, ""};
    struct ib_profile_chain chain = {.count = 0};
    bool is_role,
        has_plan = ib_profile_chain_plan(ctx->profiles, ctx->profile, &chain, NULL) == IB_OK;

    is_role = has_plan && chain.links[chain.count - 1].kind == IB_LINK_ASSUME_ROLE;
    if (!profile_was_asked_for(ctx) && IB_OUTSIDE_ENV(ctx->outside, "AWS_ACCESS_KEY_ID") != NULL) {
        describe_source(ctx, &env, out);
        return;
    }
    if (!is_role && !profile_was_asked_for(ctx) &&
        IB_OUTSIDE_ENV(ctx->outside, "AWS_WEB_IDENTITY_TOKEN_FILE") != NULL) {
        ib_buf_addf(out, "web-identity=%s\n",
                    IB_OUTSIDE_ENV(ctx->outside, "AWS_WEB_IDENTITY_TOKEN_FILE"));
        return;
    }
    if (has_plan) {
        describe_links(ctx, &chain, chain.count - 1, out);
        return;
    }
    describe_source(ctx, &container, out);
}

static enum ib_rc fetch_on_top(const struct ib_cred_context *ctx, void *arg,
                               struct ib_credentials *ret, struct ib_error *err)
{
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials by = IB_CREDENTIALS_INIT;
    enum ib_rc rc = find_base(ctx, &by, err);

    return rc != IB_OK ? rc : ib_cred_assume_role(ctx, arg, &by, ret, err);
}

static enum ib_rc find_on_top(const struct ib_cred_context *ctx, struct ib_credentials *ret,
                              struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf description = IB_BUF_INIT((size_t)64 * 1024);
    struct ib_cred_role role;
    enum ib_rc rc;

    ib_cred_role_of_options(ctx, &role);
    rc = ib_cred_role_check(&role, err);
    if (rc == IB_OK) {
        describe_base(ctx, &description);
        ib_cred_role_describe(ctx, &role, &description);
        rc = ib_buf_ok(&description, "--role-arn", err);
    }
    if (rc == IB_OK) {
        const struct ib_cred_ask ask = {IB_CRED_ASSUME_ROLE, ib_buf_str(&description), fetch_on_top,
                                        &role};

        rc = ib_cred_cache_get(ctx, &ask, ret, err);
    }
    return note(ctx, IB_CRED_ASSUME_ROLE, rc, ret, err);
}

static void show_trail(const struct ib_aws_config *config)
{
    const struct ib_trace trace = {config->options.trace, config->options.trace_ctx};

    for (size_t i = 0; i < config->trail->count; i++) {
        const struct ib_cred_trail_row *row = &config->trail->rows[i];

        ib_trace_line(&trace, "* credentials: %s: %s%s", row->provider,
                      row->outcome == IB_CRED_ANSWERED ? ""
                      : row->outcome == IB_CRED_FAILED ? "failed: "
                                                       : "passed over: ",
                      row->text);
    }
}

enum ib_rc ib_credentials_resolve(struct ib_aws_config *config, bool fresh,
                                  const struct ib_deadline *deadline, struct ib_credentials *ret,
                                  struct ib_error *err)
{
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials found = IB_CREDENTIALS_INIT;
    struct ib_error why = IB_ERROR_INIT;
    const struct ib_cred_context ctx = {
        .config = config,
        .outside = config->outside,
        .profiles = config->profiles,
        .profile = config->profile.value,
        .deadline = *deadline,
        .fresh = fresh,
        .trail = config->trail,
    };
    enum ib_rc rc;

    config->trail->count = 0;
    rc = config->options.role_arn == NULL ? find_base(&ctx, &found, &why)
                                          : find_on_top(&ctx, &found, &why);
    show_trail(config);
    if (rc != IB_OK) {
        if (err != NULL) {
            *err = why;
        }
        return rc;
    }
    /* If AWS refuses these as expired, the cache must not hand them out again. */
    free(config->refused_key);
    config->refused_key = ib_str_dup(ib_str_from(found.access_key_id));
    *ret = found;
    found = (struct ib_credentials)IB_CREDENTIALS_INIT;
    return IB_OK;
}
