/* SPDX-License-Identifier: MIT */
/* lib/aws/profile.c: which files, which profile, and the SDKs' parser vectors through both files. */
#include "cred_world.h"
#include "ib_vectors.h"

#include "lib/aws/profile.h"
#include "lib/data/json.h"

#define CONFIG      "/home/user/.aws/config"
#define CREDENTIALS "/home/user/.aws/credentials"

/* --- parser vectors -------------------------------------------------------------------------------- */

static const char *text_at(const struct ib_value *v, const char *path)
{
    const struct ib_value *found = ib_value_path(v, path);

    return found == NULL ? NULL : ib_value_as_str(found).p;
}

static void compare_sections(const struct ib_profiles *p, enum ib_profile_kind kind,
                             const struct ib_value *want)
{
    size_t count = 0;

    while (ib_profiles_name_at(p, kind, count) != NULL) {
        count++;
    }
    assert_int_equal(count, ib_value_count(want));
    for (size_t i = 0; i < count; i++) {
        const struct ib_value *section = ib_value_at(want, i);
        const char *name = ib_value_key_at(want, i).p;

        assert_true(ib_profiles_has(p, kind, name));
        assert_int_equal(ib_profiles_size(p, kind, name), ib_value_count(section));
        for (size_t k = 0; k < ib_value_count(section); k++) {
            const char *got = ib_profiles_get(p, kind, name, ib_value_key_at(section, k).p);

            assert_string_equal(got == NULL ? "" : got,
                                ib_value_as_str(ib_value_at(section, k)).p);
        }
    }
}

static void parser_vector(void **state)
{
    const struct ib_value *v = *state;
    const char *config = text_at(v, "input.configFile");
    const char *credentials = text_at(v, "input.credentialsFile");
    struct world w = { .env = { { "HOME", "/home/user" } } };
    IB_CLEANUP(ib_profiles_cleanup) struct ib_profiles *p = NULL;
    struct ib_error err = IB_ERROR_INIT;
    size_t n = 0;

    if (config != NULL) {
        w.files[n++] = (struct world_file){ CONFIG, config, false, false };
    }
    if (credentials != NULL) {
        w.files[n++] = (struct world_file){ CREDENTIALS, credentials, false, false };
    }
    if (ib_value_path(v, "output.errorContaining") != NULL) {
        assert_rc(ib_profiles_load(world_open(&w), &p, &err), IB_ECONFIG, &err);
        assert_contains(err.text, config != NULL ? CONFIG ":" : CREDENTIALS ":");
        return;
    }
    assert_ok(ib_profiles_load(world_open(&w), &p, &err), &err);
    compare_sections(p, IB_PROFILE, ib_value_path(v, "output.config.profiles"));
    if (ib_value_path(v, "output.config.sso_sessions") != NULL) {
        compare_sections(p, IB_PROFILE_SSO_SESSION, ib_value_path(v, "output.config.sso_sessions"));
    }
}

/* --- location vectors ------------------------------------------------------------------------------- */

static void location_vector(void **state)
{
    const struct ib_value *v = *state;
    const struct ib_value *env = ib_value_get_c(v, "environment");
    bool is_windows = strcmp(text_at(v, "platform"), "windows") == 0;
    struct world w = { .passwd_home = is_windows ? NULL : "/passwd/home" };
    struct ib_profile_file file;
    const char *profile = text_at(v, "profile");

    for (size_t i = 0; i < ib_value_count(env); i++) {
        w.env[i] = (struct world_text){ ib_value_key_at(env, i).p,
                                        ib_value_as_str(ib_value_at(env, i)).p };
    }
    (void)world_open(&w);
    w.outside.is_windows = is_windows;
    ib_profile_locate(&w.outside, IB_PROFILE_CONFIG, &file);
    assert_string_equal(file.path, text_at(v, "configLocation"));
    ib_profile_locate(&w.outside, IB_PROFILE_CREDENTIALS, &file);
    assert_string_equal(file.path, text_at(v, "credentialsLocation"));
    if (profile != NULL) {
        assert_string_equal(ib_profile_choose(&w.outside, NULL).name, profile);
    }
}

/* --- a daemon's life ---------------------------------------------------------------------------------- */

struct row {
    const char *name;
    struct world world;
    enum ib_rc rc;
    const char *words; /* of the error, or of the description of the files */
    const char *key;   /* aws_access_key_id of the default profile; NULL: none */
};

static const struct row rows[] = {
    { "home_of_the_password_database_serves_where_home_is_not_set",
      { .passwd_home = "/var/lib/nagios",
        .files = { { "/var/lib/nagios/.aws/credentials", "[default]\naws_access_key_id=K1", false, false } } },
      IB_OK, "/var/lib/nagios/.aws/config (missing), /var/lib/nagios/.aws/credentials", "K1" },
    { "no_home_at_all_is_said", { .passwd_home = NULL }, IB_OK,
      "no config file (HOME is not set and user id", NULL },
    { "home_of_root_that_may_not_be_entered_is_left_for_ones_own",
      { .env = { { "HOME", "/root" } }, .passwd_home = "/var/lib/nagios",
        .files = { { "/root/.aws/config", "", true, false }, { "/root/.aws/credentials", "", true, false },
                   { "/var/lib/nagios/.aws/credentials", "[default]\naws_access_key_id=K2", false, false } } },
      IB_OK, "/root/.aws/credentials (may not be read by user id", "K2" },
    { "forbidden_files_without_another_home_do_not_fail",
      { .env = { { "HOME", "/root" } },
        .files = { { "/root/.aws/config", "", true, false }, { "/root/.aws/credentials", "", true, false } } },
      IB_OK, "/root/.aws/config (may not be read by user id", NULL },
    { "a_forbidden_file_that_was_named_fails",
      { .env = { { "AWS_SHARED_CREDENTIALS_FILE", "/etc/mon/aws" } },
        .files = { { "/etc/mon/aws", "", true, false } } },
      IB_ECRED, "/etc/mon/aws (named by AWS_SHARED_CREDENTIALS_FILE) may not be read by user id", NULL },
    { "homes_of_windows_mean_nothing_here",
      { .env = { { "USERPROFILE", "C:\\u" }, { "HOMEDRIVE", "C:" }, { "HOMEPATH", "\\u" } },
        .passwd_home = "/var/lib/nagios" },
      IB_OK, "/var/lib/nagios/.aws/config (missing), /var/lib/nagios/.aws/credentials (missing)", NULL },
    { "a_missing_file_that_was_named_is_noted",
      { .env = { { "AWS_CONFIG_FILE", "/etc/mon/config" }, { "HOME", "/h" } } },
      IB_OK, "/etc/mon/config (missing), /h/.aws/credentials (missing)", NULL },
    { "tilde_is_the_home_directory",
      { .env = { { "AWS_SHARED_CREDENTIALS_FILE", "~/mon" }, { "HOME", "/h" } },
        .files = { { "/h/mon", "[default]\naws_access_key_id=K3", false, false } } },
      IB_OK, "/h/mon", "K3" },
    { "a_malformed_file_names_its_line",
      { .env = { { "HOME", "/h" } }, .files = { { "/h/.aws/config", "[default]\nregion\n", false, false } } },
      IB_ECONFIG, "/h/.aws/config:2: ", NULL },
};

static void row(void **state)
{
    const struct row *r = *state;
    struct world w = r->world;
    IB_CLEANUP(ib_profiles_cleanup) struct ib_profiles *p = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf words = IB_BUF_INIT(4096);
    struct ib_error err = IB_ERROR_INIT;

    if (r->rc != IB_OK) {
        assert_rc(ib_profiles_load(world_open(&w), &p, &err), r->rc, &err);
        assert_contains(err.text, r->words);
        return;
    }
    assert_ok(ib_profiles_load(world_open(&w), &p, &err), &err);
    ib_profiles_describe_files(p, &words);
    assert_contains(ib_buf_c(&words), r->words);
    if (r->key == NULL) {
        assert_null(ib_profile_get(p, "default", "aws_access_key_id"));
    } else {
        assert_string_equal(ib_profile_get(p, "default", "aws_access_key_id"), r->key);
    }
}

static void the_profile_is_the_options_then_the_environments_then_default(void **state)
{
    struct world both = { .env = { { "AWS_PROFILE", "a" }, { "AWS_DEFAULT_PROFILE", "b" } } };
    struct world old = { .env = { { "AWS_DEFAULT_PROFILE", "b" } } };
    struct world none = { .env = { { NULL, NULL } } };

    (void)state;
    assert_string_equal(ib_profile_choose(world_open(&both), "c").name, "c");
    assert_true(ib_profile_choose(&both.outside, "c").by_option);
    assert_string_equal(ib_profile_choose(&both.outside, NULL).name, "a");
    assert_false(ib_profile_choose(&both.outside, NULL).by_option);
    assert_string_equal(ib_profile_choose(world_open(&old), NULL).source, "AWS_DEFAULT_PROFILE");
    assert_string_equal(ib_profile_choose(world_open(&none), NULL).name, "default");
    assert_false(ib_profile_choose(&none.outside, NULL).is_named);
}

static void nested_properties_are_read_by_name(void **state)
{
    struct world w = { .env = { { "HOME", "/h" } },
                       .files = { { "/h/.aws/config",
                                    "[services mine]\nsts =\n  endpoint_url = https://sts.example\n"
                                    "imagebuilder =\n  other = 1\n  endpoint_url = https://a.example\n"
                                    "  ENDPOINT_URL = https://b.example\nflat = endpoint_url = x\n",
                                    false, false } } };
    IB_CLEANUP(ib_profiles_cleanup) struct ib_profiles *p = NULL;
    struct ib_error err = IB_ERROR_INIT;
    char buf[64], small[8];

    (void)state;
    assert_ok(ib_profiles_load(world_open(&w), &p, &err), &err);
    assert_string_equal(ib_profiles_get_sub(p, IB_PROFILE_SERVICES, "mine", "imagebuilder",
                                            "endpoint_url", buf, sizeof buf),
                        "https://b.example");
    assert_null(ib_profiles_get_sub(p, IB_PROFILE_SERVICES, "mine", "flat", "endpoint_url", buf,
                                    sizeof buf));
    assert_null(ib_profiles_get_sub(p, IB_PROFILE_SERVICES, "mine", "sso", "endpoint_url", buf,
                                    sizeof buf));
    assert_null(ib_profiles_get_sub(p, IB_PROFILE_SERVICES, "mine", "sts", "endpoint_url", small,
                                    sizeof small));
}

/* Files that would take minutes if each section were compared with all others by name. */
static void many_sections_are_found_at_once_or_refused(void **state)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(1024 * 1024);
    IB_CLEANUP(ib_profiles_cleanup) struct ib_profiles *p = NULL;
    struct world w = { .env = { { "HOME", "/h" } } };
    struct ib_error err = IB_ERROR_INIT;
    int64_t begin_ms = ib_time_mono_ms();

    (void)state;
    for (int i = 0; i < 10000; i++) {
        ib_buf_addf(&text, "[profile p%d]\nregion=r%d\nsso_session=s\noutput=json\n", i, i);
    }
    w.files[0] = (struct world_file){ "/h/.aws/config", ib_buf_c(&text), false, false };
    assert_ok(ib_profiles_load(world_open(&w), &p, &err), &err);
    assert_string_equal(ib_profile_get(p, "p9999", "region"), "r9999");
    ib_profiles_cleanup(&p);
    ib_buf_reset(&text);
    for (int i = 0; i < 30000; i++) {
        ib_buf_addf(&text, "[profile p%d]\n", i);
    }
    w.files[0].content = ib_buf_c(&text);
    assert_rc(ib_profiles_load(&w.outside, &p, &err), IB_ELIMIT, &err);
    assert_string_equal(err.text, "profile files: more than 20000 profiles");
    ib_buf_reset(&text);
    ib_buf_add_c(&text, "[default]\n");
    for (int i = 0; i < 30000; i++) {
        ib_buf_addf(&text, "k%d=\n", i);
    }
    w.files[0].content = ib_buf_c(&text);
    assert_rc(ib_profiles_load(&w.outside, &p, &err), IB_ELIMIT, &err);
    assert_string_equal(err.text, "profile files: more than 1000 properties in [default]");
    /* Three of them in far less than the minutes that it took: generous, for a loaded machine. */
    assert_true(ib_time_mono_ms() - begin_ms < 20000);
}

/* --- adding the vectors ------------------------------------------------------------------------------- */

static struct ib_value *load_vectors(const char *name)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_VECTORS_FILE_MAX);
    struct ib_value *v = NULL;
    struct ib_error err = IB_ERROR_INIT;
    char path[1024];

    if (ib_vectors_read(ib_vectors_shared(name, path, sizeof path), &text) &&
        ib_json_parse(ib_buf_str(&text), path, NULL, &v, &err) != IB_OK) {
        (void)printf("Bail out! %s\n", err.text);
    }
    return v;
}

int main(void)
{
    struct ib_value *parser = load_vectors("aws-vectors/profile-parser-tests.json");
    struct ib_value *location = load_vectors("aws-vectors/file-location-tests.json");
    const struct ib_value *tests = ib_vectors_least(ib_value_get_c(parser, "tests"), 65, "parser");
    int failed;

    IB_TEST_ROWS(rows, row);
    IB_TEST_CASE(the_profile_is_the_options_then_the_environments_then_default);
    IB_TEST_CASE(nested_properties_are_read_by_name);
    IB_TEST_CASE(many_sections_are_found_at_once_or_refused);
    for (size_t i = 0; i < ib_value_count(tests); i++) {
        ib_test_add(text_at(ib_value_at(tests, i), "name"), parser_vector, ib_value_at(tests, i));
    }
    tests = ib_vectors_least(ib_value_get_c(location, "tests"), 9, "location");
    for (size_t i = 0; i < ib_value_count(tests); i++) {
        const struct ib_value *v = ib_value_at(tests, i);

        ib_test_add(text_at(v, "name"), location_vector, v);
    }
    if (parser == NULL || location == NULL) {
        IB_TEST_SKIP_ROW("profile_vectors", "no profile vectors below $IB_SHARED/aws-vectors");
    }
    failed = IB_TEST_RUN();
    ib_value_unref(parser);
    ib_value_unref(location);
    return failed;
}
