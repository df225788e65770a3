/* SPDX-License-Identifier: MIT */
/*
 * lib/data/ini.c: the AWS profile files. The SDKs' own parser tests are read from IB_SHARED; both
 * files are merged here as lib/aws does it: config first, the last value of a key counts.
 */
#include "ib_test.h"
#include "ib_vectors.h"

#include "lib/data/ini.h"
#include "lib/data/json.h"

#define VECTORS "aws-vectors/profile-parser-tests.json"

static const char *const section_names[] = {
    [IB_INI_PROFILE] = "profiles",
    [IB_INI_SSO_SESSION] = "sso_sessions",
    [IB_INI_SERVICES] = "services",
};

/* Keeps {"profiles": {"name": {"key": "value"}}, ...}. */
static enum ib_rc keep(void *ctx, const struct ib_ini_entry *entry, struct ib_error *err)
{
    struct ib_value *all = ctx;
    const char *kind = section_names[entry->section];
    struct ib_value *sections = ib_value_get_c(all, kind);
    enum ib_rc rc = IB_OK;

    if (sections == NULL) {
        sections = ib_value_object();
        rc = ib_value_set(all, ib_str_from(kind), sections, err);
    }
    struct ib_value *section = rc == IB_OK ? ib_value_get(sections, entry->name) : NULL;
    if (rc == IB_OK && section == NULL) {
        section = ib_value_object();
        rc = ib_value_set(sections, entry->name, section, err);
    }
    if (rc == IB_OK && entry->key.p != NULL) {
        rc = ib_value_set(section, entry->key, ib_value_string(entry->value), err);
    }
    return rc;
}

/* --- the SDKs' vectors -------------------------------------------------------------------------- */

/* What the vectors call an error, and the rule that ours names. */
static const struct {
    const char *theirs, *ours;
} sentences[] = {
    { "Profile definition must end with ']'", "a section's heading has no ']'" },
    { "Expected a profile definition", "a property stands before the first section" },
    { "Property did not have a name", "a property has no name before its '='" },
    { "Expected an '=' sign defining a property", "a property has no '='" },
    { "Expected a property definition, found continuation",
      "a line that begins with a blank continues a property, but none is there" },
    { "Expected a property definition",
      "a line that begins with a blank continues a property, but none is there" },
    { "Expected an '=' sign defining a sub-property", "a nested property has no '='" },
    { "Sub-property did not have a name", "a nested property has no name before its '='" },
};

static const char *ours_for(struct ib_str theirs)
{
    for (size_t i = 0; i < IB_ARRAY_LEN(sentences); i++) {
        if (ib_str_eq_c(theirs, sentences[i].theirs)) {
            return sentences[i].ours;
        }
    }
    fail_msg("the vectors know an error that this test does not: %.*s", IB_STR_ARG(theirs));
    return NULL;
}

static enum ib_rc read_both(const struct ib_value *input, struct ib_value *all, struct ib_error *err)
{
    const struct ib_value *config = ib_value_get_c(input, "configFile");
    const struct ib_value *credentials = ib_value_get_c(input, "credentialsFile");
    enum ib_rc rc = IB_OK;

    if (config != NULL) {
        rc = ib_ini_parse(ib_value_as_str(config), "config", IB_INI_CONFIG, keep, all, err);
    }
    if (rc == IB_OK && credentials != NULL) {
        rc = ib_ini_parse(ib_value_as_str(credentials), "credentials", IB_INI_CREDENTIALS, keep, all,
                          err);
    }
    return rc;
}

/* Kinds that a vector does not speak of are empty. */
static void compare(const struct ib_value *want, const struct ib_value *got)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *empty = ib_value_object();

    for (size_t i = 0; i < IB_ARRAY_LEN(section_names); i++) {
        const struct ib_value *w = ib_value_get_c(want, section_names[i]);
        const struct ib_value *g = ib_value_get_c(got, section_names[i]);
        IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(10000);
        ib_json_print(g == NULL ? empty : g, IB_JSON_COMPACT, &text);
        if (!ib_value_equal(w == NULL ? empty : w, g == NULL ? empty : g)) {
            fail_msg("%s: got %s", section_names[i], ib_buf_c(&text));
        }
    }
}

static void test_vector(void **state)
{
    const struct ib_value *vector = *state;
    const struct ib_value *output = ib_value_get_c(vector, "output");
    const struct ib_value *error = ib_value_get_c(output, "errorContaining");
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *all = ib_value_object();
    enum ib_rc rc = read_both(ib_value_get_c(vector, "input"), all, &err);

    if (error != NULL) {
        assert_rc(rc, IB_ECONFIG, &err);
        assert_contains(err.text, ours_for(ib_value_as_str(error)));
        return;
    }
    assert_ok(rc, &err);
    compare(ib_value_get_c(output, "config"), all);
}

/* --- our own rows ------------------------------------------------------------------------------- */

struct row {
    const char *name;
    enum ib_ini_file file;
    const char *text;
    const char *json;  /* NULL: refused */
    const char *error; /* behind "t:" */
};
static const struct row rows[] = {
    { "services_with_nested_properties", IB_INI_CONFIG,
      "[services dev]\nimagebuilder =\n  endpoint_url = http://localhost:1\nsts =\n  endpoint_url = x\n",
      "{\"services\":{\"dev\":{\"imagebuilder\":\"\\nendpoint_url = http://localhost:1\","
      "\"sts\":\"\\nendpoint_url = x\"}}}", NULL },
    { "indented_comment_is_no_value", IB_INI_CONFIG, "[default]\nregion = x\n  # note\n\t; note\nb = c\n",
      "{\"profiles\":{\"default\":{\"region\":\"x\",\"b\":\"c\"}}}", NULL },
    { "indented_comment_behind_a_heading", IB_INI_CONFIG, "[default]\n  # note\nregion = x\n",
      "{\"profiles\":{\"default\":{\"region\":\"x\"}}}", NULL },
    { "windows_line_ends", IB_INI_CONFIG, "[default]\r\ns3 =\r\n  a = b\r\nregion = x\r\n\r\n",
      "{\"profiles\":{\"default\":{\"s3\":\"\\na = b\",\"region\":\"x\"}}}", NULL },
    { "byte_order_mark", IB_INI_CREDENTIALS, "\xEF\xBB\xBF[default]\na=b",
      "{\"profiles\":{\"default\":{\"a\":\"b\"}}}", NULL },
    { "foreign_sections_are_not_judged", IB_INI_CONFIG,
      "[plugins]\nwhatever\n  deeper\n= x\n[default]\na=b\n", "{\"profiles\":{\"default\":{\"a\":\"b\"}}}",
      NULL },
    { "session_in_the_credentials_file_is_left_out", IB_INI_CREDENTIALS, "[sso-session x]\na=b\n", "{}",
      NULL },
    { "value_with_equals_and_quotes_stays", IB_INI_CREDENTIALS,
      "[default]\naws_secret_access_key = wJalr/XUtn+FEMI=\ncredential_process = \"/a b/c\" --x='y'\n",
      "{\"profiles\":{\"default\":{\"aws_secret_access_key\":\"wJalr/XUtn+FEMI=\","
      "\"credential_process\":\"\\\"/a b/c\\\" --x='y'\"}}}", NULL },
    { "comment_alone_is_an_empty_value", IB_INI_CONFIG, "[default]\nregion = # none\n",
      "{\"profiles\":{\"default\":{\"region\":\"\"}}}", NULL },
    { "line_without_end_at_the_end", IB_INI_CONFIG, "[default]\nregion = x",
      "{\"profiles\":{\"default\":{\"region\":\"x\"}}}", NULL },
    { "secret_in_a_bad_line_is_not_shown", IB_INI_CREDENTIALS, "[default]\n\nSECRETSECRET\n", NULL,
      "3: a property has no '='" },
    { "text_behind_a_heading", IB_INI_CONFIG, "[default] x\n", NULL,
      "1: text behind the ']' of a section's heading" },
    { "line_of_a_continuation_error", IB_INI_CONFIG, "# c\n[default]\na =\n  b\n", NULL,
      "4: a nested property has no '='" },
};

static void test_row(void **state)
{
    const struct row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *all = ib_value_object();
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(10000);
    enum ib_rc rc = ib_ini_parse(ib_str_from(r->text), "t", r->file, keep, all, &err);

    if (r->json == NULL) {
        char want[256];
        (void)snprintf(want, sizeof want, "t:%s", r->error);
        assert_rc(rc, IB_ECONFIG, &err);
        assert_string_equal(err.text, want);
        assert_int_equal(ib_value_count(all), 0); /* nothing was told before the error was known */
        return;
    }
    assert_ok(rc, &err);
    ib_json_print(all, IB_JSON_COMPACT, &text);
    assert_string_equal(ib_buf_c(&text), r->json);
}

static enum ib_rc refuse(void *ctx, const struct ib_ini_entry *entry, struct ib_error *err)
{
    *(unsigned *)ctx = entry->line;
    return entry->key.p == NULL ? IB_OK : ib_fail(err, IB_EREFUSED, "no");
}

static void the_callback_ends_the_reading_and_sees_the_line(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    unsigned line = 0;

    assert_rc(ib_ini_parse(IB_STR("\n[default]\n\na = b\n c\n\nd = e\n"), "t", IB_INI_CONFIG, refuse,
                           &line, &err),
              IB_EREFUSED, &err);
    assert_int_equal(line, 4);
}

static void size_and_nul_bytes_are_refused(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_cleanup_char) char *large = calloc(1, IB_INI_BYTES_MAX + 1);

    assert_non_null(large);
    memset(large, '#', IB_INI_BYTES_MAX);
    assert_ok(ib_ini_parse((struct ib_str){ large, IB_INI_BYTES_MAX }, "t", IB_INI_CONFIG, keep, NULL, &err),
              &err);
    assert_rc(ib_ini_parse((struct ib_str){ large, IB_INI_BYTES_MAX + 1 }, "t", IB_INI_CONFIG, keep, NULL,
                           &err),
              IB_ELIMIT, &err);
    assert_rc(ib_ini_parse((struct ib_str){ "[default]\na=\0", 13 }, "t", IB_INI_CONFIG, keep, NULL, &err),
              IB_ECONFIG, &err);
    assert_string_equal(err.text, "t:2: a NUL byte");
}

static void add_vectors(struct ib_value **vectors)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_VECTORS_FILE_MAX);
    char path[4096];

    if (!ib_vectors_read(ib_vectors_shared(VECTORS, path, sizeof path), &text)) {
        IB_TEST_SKIP_ROW("the_parser_tests_of_the_sdks", "no " VECTORS " in IB_SHARED");
        return;
    }
    if (ib_json_parse(ib_buf_str(&text), path, NULL, vectors, NULL) != IB_OK) {
        ib_test_add("the_parser_tests_of_the_sdks_are_json", test_vector, NULL);
        return;
    }
    const struct ib_value *tests = ib_vectors_least(ib_value_get_c(*vectors, "tests"), 65, path);
    for (size_t i = 0; i < ib_value_count(tests); i++) {
        const struct ib_value *vector = ib_value_at(tests, i);
        ib_test_add(ib_value_as_str(ib_value_get_c(vector, "name")).p, test_vector, vector);
    }
}

int main(void)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *vectors = NULL;

    IB_TEST_ROWS(rows, test_row);
    IB_TEST_CASE(the_callback_ends_the_reading_and_sees_the_line);
    IB_TEST_CASE(size_and_nul_bytes_are_refused);
    add_vectors(&vectors);
    return IB_TEST_RUN();
}
