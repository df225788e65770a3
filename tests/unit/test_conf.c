/* SPDX-License-Identifier: MIT */
/* lib/data/conf.c: configuration text, and tables of keys. */
#include "ib_test.h"

#include "lib/base/time.h"
#include "lib/data/conf.h"

struct bad_row {
    const char *name, *text, *words;
};
static const struct bad_row bad_rows[] = {
    { "include_is_refused", "a = 1;\n@include \"/etc/passwd\"\n", "f:2: @include is not allowed" },
    { "integer_that_would_wrap", "a = 1;\nb = 3000000000;\n", "f:2: 3000000000 is not a whole number of 32 bits" },
    { "negative_integer_that_would_wrap", "b = -3000000000;\n", "f:1: -3000000000 is not" },
    { "long_integer_that_would_wrap", "a = 99999999999999999999L;\n", "64 bits" },
    { "integer_with_leading_zero", "a = 010;\n", "f:1: 010: numbers do not begin with 0" },
    { "hexadecimal", "a = 0x10;\n", "hexadecimal" },
    { "infinite_float", "a = 1e400;\n", "not a number of ordinary size" },
    { "number_with_letters", "a = 10abc;\n", "f:1: 10abc is not a whole number" },
    { "string_without_end", "a = \"x;\nb = 1;\n", "f:1: a string has no end" },
    { "comment_without_end", "a = 1; /* x\n", "f:1: a comment has no end" },
    { "syntax_error", "a = ;\n", "f:1: syntax error" },
    { "duplicate_name", "a = 1;\na = 2;\n", "f:2: duplicate" },
    { "duplicate_group", "t: { };\nt: { };\n", "f:2: duplicate" },
    { "escaped_nul", "b = 1;\na = \"x\\x00y\";\n", "f:2: \\x in a string is for 20 to 7f only" },
    { "escaped_byte_that_is_not_utf8", "a = \"\\xFF\";\n", "f:1: \\x in a string is for 20 to 7f only" },
    { "not_utf8", "a = \"\xFF\";\n", "is not UTF-8" },
    { "mixed_array", "a = [ 1, \"x\" ];\n", "f:1: " },
    { "depth", "a = ((((((((((((((((( 1 )))))))))))))))));\n", "nested deeper than 16" },
};

static void bad_row(void **state)
{
    const struct bad_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;

    assert_rc(ib_conf_parse(ib_str_from(r->text), "f", &v, &err), IB_ECONFIG, &err);
    assert_contains(err.text, r->words);
}

static void megabyte_of_brackets_is_refused_at_once(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT(2000000);

    ib_buf_add_c(&b, "a = ");
    for (int i = 0; i < 200000; i++) {
        ib_buf_add_char(&b, '(');
    }
    int64_t began_ms = ib_time_mono_ms();
    assert_rc(ib_conf_parse(ib_buf_str(&b), "f", &v, &err), IB_ECONFIG, &err);
    assert_contains(err.text, "nested deeper");
    for (int i = 0; i < 800000; i++) {
        ib_buf_add_char(&b, '(');
    }
    assert_rc(ib_conf_parse(ib_buf_str(&b), "f", &v, &err), IB_ECONFIG, &err);
    assert_contains(err.text, "is larger than 262144 bytes");
    assert_true(ib_time_mono_ms() - began_ms < 20000);
    assert_rc(ib_conf_parse((struct ib_str){ "a = 1;\0b", 8 }, "f", &v, &err), IB_ECONFIG, &err);
    assert_contains(err.text, "NUL byte");
}

struct sample {
    bool on;
    int64_t count, wait_ms;
    const char *name;
    struct ib_conf_texts allow;
    int mode;
    const struct ib_value *phases;
    uint32_t count_line;
    int64_t deep;
};
static const char *const modes[] = { "ok", "critical", NULL };
static const struct ib_conf_key inner_keys[] = {
    { .name = "deep", .kind = IB_CONF_INT, .offset = offsetof(struct sample, deep), .min = 0, .max = 9 },
};
static const struct ib_conf_key keys[] = {
    { .name = "enabled", .kind = IB_CONF_BOOL, .offset = offsetof(struct sample, on) },
    { .name = "max_per_hour", .kind = IB_CONF_INT, .offset = offsetof(struct sample, count), .min = 0, .max = 100,
      .line_offset = offsetof(struct sample, count_line) },
    { .name = "confirm", .kind = IB_CONF_DURATION, .offset = offsetof(struct sample, wait_ms), .min = 1000,
      .max = IB_HOUR_MS },
    { .name = "region", .kind = IB_CONF_TEXT, .offset = offsetof(struct sample, name) },
    { .name = "allow", .kind = IB_CONF_TEXTS, .offset = offsetof(struct sample, allow) },
    { .name = "none", .kind = IB_CONF_CHOICE, .offset = offsetof(struct sample, mode), .choices = modes },
    { .name = "phases", .kind = IB_CONF_VALUE, .offset = offsetof(struct sample, phases) },
    { .name = "cancel", .kind = IB_CONF_GROUP, .keys = inner_keys, .key_count = 1 },
};

static enum ib_rc decode(const char *text, struct ib_value **v, struct sample *s, struct ib_error *err)
{
    enum ib_rc rc = ib_conf_parse(ib_str_from(text), "f", v, err);

    return rc != IB_OK ? rc
                       : ib_conf_decode("f", "targets.web", *v,
                                        (struct ib_conf_table){ keys, IB_ARRAY_LEN(keys) }, s, err);
}

static void a_whole_group_is_decoded(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    struct sample s = { 0 };

    assert_ok(decode("# comment @include\nenabled = true; /* x */ // y\nmax_per_hour = 2;\nconfirm = \"20s\";"
                     "region = \"eu-\" \"central-1\"; allow = [ \"a\", \"b@include\" ]; none = \"Critical\";"
                     "phases: { TESTING = [ \"20m\", \"40m\" ]; }; cancel: { deep = 7; };",
                     &v, &s, &err), &err);
    assert_true(s.on);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.count_line, 3);
    assert_int_equal(s.wait_ms, 20000);
    assert_string_equal(s.name, "eu-central-1");
    assert_int_equal(ib_conf_texts_count(&s.allow), 2);
    assert_true(ib_str_eq_c(ib_conf_texts_at(&s.allow, 1), "b@include"));
    assert_int_equal(s.mode, 1);
    assert_int_equal(ib_value_count(ib_value_get_c(s.phases, "TESTING")), 2);
    assert_int_equal(s.deep, 7);
}

static const struct bad_row key_rows[] = {
    { "unknown_key", "colour = 1;", "f:1: targets.web.colour: there is no such key" },
    { "misspelt_key_gets_a_hint", "\nmax_per_hours = 1;", "f:2: targets.web.max_per_hours: there is no such key; \"max_per_hour\" is meant?" },
    { "unknown_key_in_a_group", "cancel: { deeper = 1; };", "targets.web.cancel.deeper" },
    { "text_for_a_number", "max_per_hour = \"2\";", "max_per_hour: is string, not a whole number" },
    { "float_for_a_number", "max_per_hour = 2.5;", "is number, not a whole number" },
    { "number_out_of_range", "max_per_hour = 101;", "101 is outside 0..100" },
    { "negative_number", "max_per_hour = -1;", "-1 is outside 0..100" },
    { "text_for_a_boolean", "enabled = \"true\";", "is string, not true or false" },
    { "number_for_a_text", "region = 5;", "is integer, not a string" },
    { "empty_text", "region = \"\";", "region: is empty" },
    { "bad_duration", "confirm = \"20 s\";", "f:1: targets.web.confirm: \"20 s\" is not a duration" },
    { "duration_out_of_range", "confirm = \"2h\";", "is outside 1s..1h 0m" },
    { "negative_duration", "confirm = -5;", "is outside" },
    { "boolean_for_a_duration", "confirm = true;", "not a duration" },
    { "empty_list", "allow = [ ];", "is an empty list" },
    { "number_in_a_list_of_texts", "allow = ( \"a\", 1 );", "is integer, not a string" },
    { "same_text_twice", "allow = [ \"a\", \"a\" ];", "names \"a\" twice" },
    { "unknown_choice", "none = \"red\";", "\"red\" is none of ok, critical" },
    { "text_for_a_group", "cancel = \"x\";", "is string, not a group" },
};

static void key_row(void **state)
{
    const struct bad_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    struct sample s = { 0 };

    assert_rc(decode(r->text, &v, &s, &err), IB_ECONFIG, &err);
    assert_contains(err.text, r->words);
}

int main(void)
{
    IB_TEST_ROWS(bad_rows, bad_row);
    IB_TEST_CASE(megabyte_of_brackets_is_refused_at_once);
    IB_TEST_CASE(a_whole_group_is_decoded);
    IB_TEST_ROWS(key_rows, key_row);
    return IB_TEST_RUN();
}
