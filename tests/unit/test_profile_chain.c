/* SPDX-License-Identifier: MIT */
/* lib/aws/profile_chain.c against the assume-role vectors of the AWS SDKs, and more. */
#include "ib_test.h"
#include "ib_vectors.h"

#include "lib/aws/profile_chain.h"
#include "lib/data/json.h"

/* What our sentence has for each of the vectors' errors, by a word of the vector's. */
static const struct {
    const char *theirs, *ours;
} errors[] = {
    { "must contain `source_profile`", "neither source_profile nor credential_source" },
    { "both source_profile and credential_source", "both source_profile and credential_source" },
    { "missing aws_secret_access_key", "has aws_access_key_id but no aws_secret_access_key" },
    { "missing aws_access_key_id", "has aws_secret_access_key but no aws_access_key_id" },
    { "profile `B` did not contain", "source_profile \"B\", which has nothing about credentials" },
    { "profile `A` did not contain", "\"A\" has nothing about credentials" },
    { "could not find source profile B", "source_profile \"B\", which no file has" },
    { "No profiles were defined", "\"A\" is in none of the files" },
    { "infinite loop", "in a loop" },
    { "`role_arn` was missing", "web_identity_token_file but no role_arn" },
    { "`sso_account_id` must also be set", "no sso_account_id" },
    { "`sso_role_name` must also be set", "no sso_role_name" },
    { "`sso_region` can only be specified", "has no sso_region; it belongs there" },
    { "sso-session named `oops`", "no file has a section [sso-session oops]" },
};

static void fill(struct ib_profiles *p, enum ib_profile_kind kind, const struct ib_value *sections)
{
    struct ib_error err = IB_ERROR_INIT;

    for (size_t i = 0; i < ib_value_count(sections); i++) {
        const struct ib_value *section = ib_value_at(sections, i);
        struct ib_str name = ib_value_key_at(sections, i);

        assert_ok(ib_profiles_define(p, kind, name, &err), &err);
        for (size_t k = 0; k < ib_value_count(section); k++) {
            assert_ok(ib_profiles_set(p, kind, name, IB_PROFILE_CREDENTIALS,
                                      ib_value_key_at(section, k),
                                      ib_value_as_str(ib_value_at(section, k)), &err),
                      &err);
        }
    }
}

/* The vectors name properties after their own structs; ours are those of the files. */
static const char *key_of(struct ib_str theirs, char *buf, size_t cap)
{
    static const char *const keys[][2] = {
        { "access_key_id", "aws_access_key_id" },
        { "secret_access_key", "aws_secret_access_key" },
        { "account_id", "aws_account_id" },
    };

    for (size_t i = 0; i < IB_ARRAY_LEN(keys); i++) {
        if (ib_str_eq_c(theirs, keys[i][0])) {
            return keys[i][1];
        }
    }
    (void)snprintf(buf, cap, "%.*s", IB_STR_ARG(theirs));
    return buf;
}

static const char *kind_of(enum ib_profile_link_kind kind)
{
    switch (kind) {
    case IB_LINK_STATIC:
        return "AccessKey";
    case IB_LINK_WEB_IDENTITY:
        return "WebIdentityToken";
    case IB_LINK_SSO:
        return "Sso";
    case IB_LINK_ASSUME_ROLE:
        return "AssumeRole";
    case IB_LINK_FROM_ENVIRONMENT:
    case IB_LINK_FROM_IMDS:
    case IB_LINK_FROM_CONTAINER:
        return "NamedSource";
    case IB_LINK_LOGIN:
    case IB_LINK_PROCESS:
        break;
    }
    return "another";
}

static void compare_link(const struct ib_profiles *p, const struct ib_profile_link *link,
                         const struct ib_value *want)
{
    const struct ib_value *properties = ib_value_at(want, 0);
    char buf[128];

    assert_true(ib_str_eq_c(ib_value_key_at(want, 0), kind_of(link->kind)));
    if (ib_value_is(properties, IB_VALUE_STRING)) {
        assert_string_equal(ib_profile_get(p, link->profile, "credential_source"),
                            ib_value_as_str(properties).p);
        return;
    }
    for (size_t i = 0; i < ib_value_count(properties); i++) {
        const char *key = key_of(ib_value_key_at(properties, i), buf, sizeof buf);
        const char *got = link->kind == IB_LINK_SSO && strncmp(key, "sso_", 4) == 0 &&
                                  (strcmp(key, "sso_region") == 0 || strcmp(key, "sso_start_url") == 0)
                              ? ib_profile_sso_get(p, link->profile, key)
                              : ib_profile_get(p, link->profile, key);

        assert_non_null(got);
        assert_string_equal(got, ib_value_as_str(ib_value_at(properties, i)).p);
    }
}

static void compare_error(enum ib_rc rc, const struct ib_error *err, const char *want)
{
    assert_int_not_equal(rc, IB_OK);
    for (size_t i = 0; i < IB_ARRAY_LEN(errors); i++) {
        if (strstr(want, errors[i].theirs) != NULL) {
            assert_contains(err->text, errors[i].ours);
            return;
        }
    }
    fail_msg("no sentence of ours is known for \"%s\"", want);
}

static void vector(void **state)
{
    const struct ib_value *v = *state;
    IB_CLEANUP(ib_profiles_cleanup) struct ib_profiles *p = ib_profiles_new();
    const struct ib_value *want = ib_value_path(v, "output.ProfileChain");
    struct ib_profile_chain chain = { .count = 0 };
    struct ib_error err = IB_ERROR_INIT;
    struct ib_str selected = ib_value_as_str(ib_value_path(v, "input.selected_profile"));
    enum ib_rc rc;

    fill(p, IB_PROFILE, ib_value_path(v, "input.profiles"));
    fill(p, IB_PROFILE_SSO_SESSION, ib_value_path(v, "input.sso_sessions"));
    rc = ib_profile_chain_plan(p, selected.p, &chain, &err);
    if (want == NULL) {
        compare_error(rc, &err, ib_value_as_str(ib_value_path(v, "output.Error")).p);
        return;
    }
    assert_ok(rc, &err);
    assert_int_equal(chain.count, ib_value_count(want));
    for (size_t i = 0; i < chain.count; i++) {
        compare_link(p, &chain.links[i], ib_value_at(want, i));
    }
}

/* --- rules that the vectors leave open ------------------------------------------------------------ */

struct row {
    const char *name;
    const char *properties[8][3]; /* profile, key, value */
    enum ib_profile_origin keys_from;
    const char *words;            /* of the error; NULL: the chain below */
    enum ib_rc rc;
    enum ib_profile_link_kind kinds[4];
    size_t count;
};

static const struct row rows[] = {
    { "role_of_a_web_identity_profile_is_not_assumed_twice",
      { { "A", "role_arn", "r" }, { "A", "web_identity_token_file", "/t" }, { "A", "source_profile", "B" } },
      IB_PROFILE_CONFIG, NULL, IB_OK, { IB_LINK_WEB_IDENTITY }, 1 },
    { "process_in_a_source_profile_is_found",
      { { "A", "role_arn", "r" }, { "A", "source_profile", "B" }, { "B", "credential_process", "x" } },
      IB_PROFILE_CONFIG, NULL, IB_OK, { IB_LINK_PROCESS, IB_LINK_ASSUME_ROLE }, 2 },
    { "login_session_in_a_source_profile_is_found",
      { { "A", "role_arn", "r" }, { "A", "source_profile", "B" }, { "B", "login_session", "x" } },
      IB_PROFILE_CONFIG, NULL, IB_OK, { IB_LINK_LOGIN, IB_LINK_ASSUME_ROLE }, 2 },
    { "keys_in_the_credentials_file_come_before_a_process",
      { { "A", "credential_process", "x" }, { "A", "aws_access_key_id", "k" }, { "A", "aws_secret_access_key", "s" } },
      IB_PROFILE_CREDENTIALS, NULL, IB_OK, { IB_LINK_STATIC }, 1 },
    { "keys_in_the_config_file_come_behind_a_process",
      { { "A", "credential_process", "x" }, { "A", "aws_access_key_id", "k" }, { "A", "aws_secret_access_key", "s" } },
      IB_PROFILE_CONFIG, NULL, IB_OK, { IB_LINK_PROCESS }, 1 },
    { "source_environment", { { "A", "role_arn", "r" }, { "A", "credential_source", "Environment" } },
      IB_PROFILE_CONFIG, NULL, IB_OK, { IB_LINK_FROM_ENVIRONMENT, IB_LINK_ASSUME_ROLE }, 2 },
    { "source_container", { { "A", "role_arn", "r" }, { "A", "credential_source", "EcsContainer" } },
      IB_PROFILE_CONFIG, NULL, IB_OK, { IB_LINK_FROM_CONTAINER, IB_LINK_ASSUME_ROLE }, 2 },
    { "unknown_source_names_the_known_ones",
      { { "A", "role_arn", "r" }, { "A", "credential_source", "environment" } }, IB_PROFILE_CONFIG,
      "credential_source \"environment\" is unknown; it is Environment, Ec2InstanceMetadata or EcsContainer",
      IB_ECRED, { 0 }, 0 },
    { "own_source_without_keys",
      { { "A", "role_arn", "r" }, { "A", "source_profile", "A" }, { "A", "credential_process", "x" } },
      IB_PROFILE_CONFIG, "source_profile leads back to \"A\", which has no keys of its own", IB_ECRED,
      { 0 }, 0 },
    { "half_set_keys_of_the_selected_profile", { { "A", "aws_access_key_id", "k" } }, IB_PROFILE_CONFIG,
      "profile \"A\" has aws_access_key_id but no aws_secret_access_key", IB_ECRED, { 0 }, 0 },
    { "empty_values_are_absent", { { "A", "aws_access_key_id", "" }, { "A", "role_arn", "" } },
      IB_PROFILE_CONFIG, "nothing about credentials", IB_ENOENT, { 0 }, 0 },
};

static void row(void **state)
{
    const struct row *r = *state;
    IB_CLEANUP(ib_profiles_cleanup) struct ib_profiles *p = ib_profiles_new();
    struct ib_profile_chain chain = { .count = 0 };
    struct ib_error err = IB_ERROR_INIT;

    for (size_t i = 0; i < IB_ARRAY_LEN(r->properties) && r->properties[i][0] != NULL; i++) {
        assert_ok(ib_profiles_set(p, IB_PROFILE, ib_str_from(r->properties[i][0]), r->keys_from,
                                  ib_str_from(r->properties[i][1]),
                                  ib_str_from(r->properties[i][2]), &err),
                  &err);
    }
    if (r->words != NULL) {
        assert_rc(ib_profile_chain_plan(p, "A", &chain, &err), r->rc, &err);
        assert_contains(err.text, r->words);
        return;
    }
    assert_ok(ib_profile_chain_plan(p, "A", &chain, &err), &err);
    assert_int_equal(chain.count, r->count);
    for (size_t i = 0; i < r->count; i++) {
        assert_int_equal(chain.links[i].kind, r->kinds[i]);
    }
}

static void a_chain_of_many_roles_ends_at_the_cap(void **state)
{
    IB_CLEANUP(ib_profiles_cleanup) struct ib_profiles *p = ib_profiles_new();
    struct ib_profile_chain chain = { .count = 0 };
    struct ib_error err = IB_ERROR_INIT;
    char name[16], next[16];

    (void)state;
    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "p%d", i);
        (void)snprintf(next, sizeof next, "p%d", i + 1);
        assert_ok(ib_profiles_set(p, IB_PROFILE, ib_str_from(name), IB_PROFILE_CONFIG,
                                  IB_STR("role_arn"), IB_STR("r"), &err),
                  &err);
        assert_ok(ib_profiles_set(p, IB_PROFILE, ib_str_from(name), IB_PROFILE_CONFIG,
                                  IB_STR("source_profile"), ib_str_from(next), &err),
                  &err);
    }
    assert_rc(ib_profile_chain_plan(p, "p0", &chain, &err), IB_ELIMIT, &err);
    assert_contains(err.text, "profile \"p0\": more than 15 profiles");
}

int main(void)
{
    struct ib_buf text = IB_BUF_INIT(IB_VECTORS_FILE_MAX);
    struct ib_value *vectors = NULL;
    struct ib_error err = IB_ERROR_INIT;
    char path[1024];
    int failed;

    IB_TEST_ROWS(rows, row);
    IB_TEST_CASE(a_chain_of_many_roles_ends_at_the_cap);
    if (!ib_vectors_read(ib_vectors_shared("aws-vectors/assume-role-tests.json", path, sizeof path),
                         &text)) {
        IB_TEST_SKIP_ROW("assume_role_vectors", "no $IB_SHARED/aws-vectors/assume-role-tests.json");
    } else if (ib_json_parse(ib_buf_str(&text), path, NULL, &vectors, &err) != IB_OK) {
        (void)printf("Bail out! %s\n", err.text);
        return 1;
    }
    (void)ib_vectors_least(vectors, 28, path);
    for (size_t i = 0; i < ib_value_count(vectors); i++) {
        const struct ib_value *v = ib_value_at(vectors, i);

        ib_test_add(ib_value_as_str(ib_value_get_c(v, "docs")).p, vector, v);
    }
    failed = IB_TEST_RUN();
    ib_value_unref(vectors);
    ib_buf_fini(&text);
    return failed;
}
