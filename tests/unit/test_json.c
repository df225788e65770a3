/* SPDX-License-Identifier: MIT */
/* lib/data/json.c: what is JSON and what is not, where values stand, and printing. */
#include "ib_parse_rows.h"
#include "ib_vectors.h"

static const struct ib_parse_row rows[] = {
    GOOD("null_is_a_text", "null", "null"),
    GOOD("true_with_blanks_around", " \t\r\n true \n", "true"),
    GOOD("number_alone", "12", "12"),
    GOOD("negative_zero_is_the_integer_0", "-0", "0"),
    GOOD("real_keeps_its_value", "0.1", "0.1"),
    GOOD("exponent_makes_a_real", "1e3", "1000"),
    GOOD("largest_int64", "9223372036854775807", "9223372036854775807"),
    GOOD("smallest_int64", "-9223372036854775808", "-9223372036854775808"),
    GOOD("integer_beyond_int64_is_a_real", "9223372036854775808", "9.223372036854776e+18"),
    GOOD("integer_beyond_uint64_is_a_real", "99999999999999999999", "1e+20"),
    GOOD("tiny_number_is_zero", "1e-400", "0"),
    GOOD("empty_string", "\"\"", "\"\""),
    GOOD("escapes_are_decoded", "\"\\u0041\\n\\\"\\\\\\/\\b\\f\\r\\t\"", "\"A\\n\\\"\\\\/\\b\\f\\r\\t\""),
    GOOD("surrogate_pair_is_one_character", "\"\\uD83D\\uDE02\"", "\"\xF0\x9F\x98\x82\""),
    GOOD("escapes_of_two_and_three_bytes", "\"\\u00e9\\u20ac\"", "\"\xC3\xA9\xE2\x82\xAC\""),
    GOOD("control_characters_are_printed_as_escapes", "\"\\u0001\\u001f\\u007f\"",
         "\"\\u0001\\u001f\x7F\""),
    GOOD("utf8_stays", "\"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC\"", "\"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC\""),
    GOOD("empty_containers", "[{},[],[ ],{ }]", "[{},[],[],{}]"),
    GOOD("members_keep_their_order", "{\"b\":1,\"a\":[true,null,{\"c\":\"d\"}]}",
         "{\"b\":1,\"a\":[true,null,{\"c\":\"d\"}]}"),
    GOOD("empty_name", "{\"\":1}", "{\"\":1}"),
    GOOD("name_with_escape", "{\"a\\\"b\":1}", "{\"a\\\"b\":1}"),
    GOOD("many_members", "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,"
                         "\"j\":10,\"k\":11,\"l\":12,\"m\":13,\"n\":14,\"o\":15,\"p\":16,\"q\":17}",
         "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,"
         "\"j\":10,\"k\":11,\"l\":12,\"m\":13,\"n\":14,\"o\":15,\"p\":16,\"q\":17}"),
    GOOD("five_levels_are_allowed", "[[[[[1]]]]]", "[[[[[1]]]]]"),

    BAD("empty_text", "", "1:1: empty where a JSON value should be"),
    BAD("blank_text", " \n ", "2:2: empty where a JSON value should be"),
    BAD("byte_order_mark", "\xEF\xBB\xBF{}", "1:1: begins with a byte order mark"),
    BAD("text_behind", "{} x", "1:4: text after the end of the JSON value"),
    BAD("second_value", "1\n2", "2:1: text after the end of the JSON value"),
    BAD("single_quotes", "{'a':1}", "1:2: ''' where a member's name in double quotes should be"),
    BAD("name_without_quotes", "{a:1}", "1:2: 'a' where a member's name in double quotes should be"),
    BAD("not_a_number", "[NaN]", "1:2: 'N' where a JSON value should be"),
    BAD("minus_infinity", "[-Infinity]",
        "1:2: JSON number: \"-Infinity\" is not valid"),
    BAD("word_in_capitals", "TRUE", "1:1: 'T' where a JSON value should be"),
    BAD("cut_word", "[tru]", "1:2: 't' where a JSON value should be"),
    BAD("word_with_a_tail", "nullx", "1:5: text after the end of the JSON value"),
    BAD("leading_zero", "[1,012]", "1:4: JSON number: \"012\" is not valid"),
    BAD("plus_sign", "+1", "1:1: '+' where a JSON value should be"),
    BAD("point_without_digits", "1.", "1:1: JSON number: \"1.\" is not valid"),
    BAD("hexadecimal", "0x10", "1:1: JSON number: \"0x10\" is not valid"),
    BAD("number_too_large_for_a_double", "1e400", "1:1: JSON number 1e400 is too large"),
    BAD("comma_behind_the_last_element", "[1,]", "1:4: ']' where a JSON value should be"),
    BAD("comma_behind_the_last_member", "{\"a\":1,}",
        "1:8: '}' where a member's name in double quotes should be"),
    BAD("missing_comma", "[1 2]", "1:4: '2' where ',' or ']' should be"),
    BAD("missing_colon", "{\"a\" 1}", "1:6: '1' where a colon should be"),
    BAD("wrong_closing_bracket", "[1}", "1:3: '}' where ',' or ']' should be"),
    BAD("comment", "/* x */ 1", "1:1: '/' where a JSON value should be"),
    BAD("other_blank", "\xC2\xA0" "1", "1:1: byte 0xC2 where a JSON value should be"),
    BAD("control_character_in_a_string", "\"a\nb\"", "1:3: control character 0x0A in a string"),
    BAD("unknown_escape", "\"\\x41\"", "1:3: 'x' where an escape of JSON (one of \"\\/bfnrtu) should be"),
    BAD("short_escape", "\"\\u12\"", "1:3: \\u is not followed by four hexadecimal digits"),
    BAD("escaped_nul", "\"a\\u0000\"", "1:4: a string holds a NUL character"),
    BAD("first_surrogate_alone", "\"\\ud83dx\"",
        "1:8: first half of a surrogate pair without the second"),
    BAD("first_surrogate_twice", "\"\\ud83d\\ud83d\"",
        "1:8: first half of a surrogate pair without the second"),
    BAD("second_surrogate_alone", "\"\\ude02\"",
        "1:3: second half of a surrogate pair without the first"),
    BAD("latin1_in_a_string", "\"\xFC\"", "1:2: a string is not valid UTF-8"),
    BAD("overlong_utf8", "\"\xC0\xAF\"", "1:2: a string is not valid UTF-8"),
    BAD("surrogate_in_utf8", "\"\xED\xA0\x80\"", "1:2: a string is not valid UTF-8"),
    BAD("cut_in_a_string", "{\"a\":\"b", "1:8: the text ends inside a string"),
    BAD("cut_behind_a_backslash", "\"\\", "1:3: the text ends inside a string"),
    BAD("cut_in_an_object", "{\"a\":1", "1:7: the text ends inside an object"),
    BAD("cut_behind_a_name", "{\"a\"", "1:5: the text ends inside an object"),
    BAD("cut_behind_a_colon", "{\"a\":", "1:6: the text ends where a JSON value should be"),
    BAD("cut_in_an_array", "[\n1,\n", "3:1: the text ends inside an array"),
    BAD("open_bracket_alone", "[", "1:2: the text ends inside an array"),
    BAD("duplicate_name", "{\"a\":1,\n \"b\":[{\"x\":{}}],\n \"a\":2}", "3:2: duplicate key \"a\""),
    BAD("duplicate_name_written_otherwise", "{\"a\":1,\"\\u0061\":2}", "1:8: duplicate key \"a\""),
    BAD("duplicate_name_deep_inside", "[1,{\"q\":{\"z\":[],\"z\":1}}]", "1:17: duplicate key \"z\""),
    LIMIT("six_levels_are_too_deep", "[[[[[[1]]]]]]", "1:6: nested deeper than 5 levels"),
    LIMIT("six_levels_of_objects_are_too_deep",
          "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}", "1:26: nested deeper than 5 levels"),
};

static const struct ib_json_limits test_limits = { .max_depth = 5 };

static void test_row(void **state)
{
    const struct ib_parse_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    enum ib_rc rc = ib_json_parse(ib_str_from(r->text), "t", &test_limits, &v, &err);

    ib_parse_row_check(r, rc, v, &err);
    if (r->json != NULL) {
        /* What we print, we read, and it is the same. */
        IB_CLEANUP(ib_value_cleanup) struct ib_value *again = NULL;
        assert_ok(ib_json_parse(ib_str_from(r->json), "t", &test_limits, &again, &err), &err);
        assert_true(ib_value_equal(v, again));
    }
}

static void a_nul_byte_in_the_text_is_refused(void **state)
{
    (void)state;
    static const char in_string[] = "\"a\0b\"", behind[] = "1\0", between[] = "[1,\0002]";
    struct ib_error err = IB_ERROR_INIT;
    struct ib_value *v = NULL;

    assert_rc(ib_json_parse((struct ib_str){ in_string, 5 }, "t", NULL, &v, &err), IB_EPARSE, &err);
    assert_string_equal(err.text, "t:1:3: control character 0x00 in a string");
    assert_rc(ib_json_parse((struct ib_str){ behind, 2 }, "t", NULL, &v, &err), IB_EPARSE, &err);
    assert_rc(ib_json_parse((struct ib_str){ between, 6 }, "t", NULL, &v, &err), IB_EPARSE, &err);
    assert_string_equal(err.text, "t:1:4: byte 0x00 where a JSON value should be");
}

static void every_value_knows_its_place(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    struct ib_str text = IB_STR("{\n  \"a\": [1,\n    \"two\" ],\r\n\t\"\xC3\xA9\": null }");

    assert_ok(ib_json_parse(text, "t", NULL, &v, &err), &err);
    assert_int_equal(ib_value_mark(v).line, 1);
    assert_int_equal(ib_value_mark(v).column, 1);
    const struct ib_value *a = ib_value_get_c(v, "a");
    assert_int_equal(ib_value_mark(a).line, 2);
    assert_int_equal(ib_value_mark(a).column, 8);
    assert_int_equal(ib_value_mark(ib_value_at(a, 0)).column, 9);
    assert_int_equal(ib_value_mark(ib_value_at(a, 1)).line, 3);
    assert_int_equal(ib_value_mark(ib_value_at(a, 1)).column, 5);
    assert_int_equal(ib_value_key_mark_at(v, 1).line, 4);
    assert_int_equal(ib_value_key_mark_at(v, 1).column, 2);
    assert_int_equal(ib_value_mark(ib_value_at(v, 1)).column, 8);
}

static void size_is_capped(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_json_limits limits = { .max_bytes = 4 };
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;

    assert_rc(ib_json_parse(IB_STR("[123]"), "t", &limits, &v, &err), IB_ELIMIT, &err);
    assert_string_equal(err.text, "t: JSON of 5 bytes, more than 4");
    assert_ok(ib_json_parse(IB_STR("[12]"), "t", &limits, &v, &err), &err);
}

static void a_megabyte_of_brackets_ends_with_one_line(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_value *v = NULL;
    size_t n = IB_JSON_BYTES_DEFAULT;
    IB_CLEANUP(ib_cleanup_char) char *text = malloc(n);

    assert_non_null(text);
    memset(text, '[', n);
    assert_rc(ib_json_parse((struct ib_str){ text, n }, "t", NULL, &v, &err), IB_ELIMIT, &err);
    assert_string_equal(err.text, "t:1:65: nested deeper than 64 levels");
}

static void a_megabyte_of_numbers_is_read(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_JSON_BYTES_DEFAULT);

    ib_buf_add_char(&text, '[');
    while (text.len < IB_JSON_BYTES_DEFAULT - 3) {
        ib_buf_add_c(&text, "0,");
    }
    ib_buf_add_c(&text, "0]");
    assert_ok(ib_json_parse(ib_buf_str(&text), "t", NULL, &v, &err), &err);
    assert_int_equal(ib_value_count(v), (text.len - 1) / 2);
}

static void the_deepest_allowed_text_is_read(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    char text[2 * 64 + 1];

    memset(text, '[', 64);
    text[64] = '7';
    memset(text + 65, ']', 64);
    assert_ok(ib_json_parse((struct ib_str){ text, sizeof text }, "t", NULL, &v, &err), &err);
}

static void pretty_text_has_two_blanks_a_level(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(1000);

    assert_ok(ib_json_parse(IB_STR("{\"a\":[1,{}],\"b\":{\"c\":[]}}"), "t", NULL, &v, &err), &err);
    ib_json_print(v, IB_JSON_PRETTY, &out);
    assert_string_equal(ib_buf_c(&out), "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {\n    \"c\": []\n  }\n}");
}

static void bytes_that_are_not_utf8_are_printed_as_replacement(void **state)
{
    (void)state;
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(1000);

    ib_json_print_str(IB_STR("a\xFFz\xE2\x82"), &out);
    assert_string_equal(ib_buf_c(&out), "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

/* Bodies that AWS, or something in between, might send: tests/data/samples/get-image-edge. */
struct edge {
    const char *name;  /* file */
    const char *error; /* NULL: it is JSON */
    enum ib_rc rc;
};
static const struct edge edges[] = {
    { "array.txt", NULL, IB_OK },
    { "empty.txt", "empty.txt:1:1: empty where a JSON value should be", IB_EPARSE },
    { "deep-nesting.txt", "deep-nesting.txt:1:73: nested deeper than 64 levels", IB_ELIMIT },
    { "duplicate-keys.txt", "duplicate key", IB_EPARSE },
    { "not-json.txt", "not-json.txt:1:1: ", IB_EPARSE },
    { "nul-escape-in-reason.txt", "a string holds a NUL character", IB_EPARSE },
    { "state-not-object.txt", NULL, IB_OK },
    { "status-not-string.txt", NULL, IB_OK },
    { "trailing-garbage.txt", "text after the end of the JSON value", IB_EPARSE },
    { "truncated.txt", "the text ends inside", IB_EPARSE },
    { "null-members.json", NULL, IB_OK },
    { "deprecationtime-scientific.json", NULL, IB_OK },
    { "unknown-members.json", NULL, IB_OK },
};

static void test_edge(void **state)
{
    const struct edge *e = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(65536);

    char name[256], path[4096];
    (void)snprintf(name, sizeof name, "samples/get-image-edge/%s", e->name);
    assert_true(ib_vectors_read(ib_vectors_ours(name, path, sizeof path), &text));
    assert_rc(ib_json_parse(ib_buf_str(&text), e->name, NULL, &v, &err), e->rc, &err);
    if (e->error != NULL) {
        assert_contains(err.text, e->error);
    }
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_CASE(a_nul_byte_in_the_text_is_refused);
    IB_TEST_CASE(every_value_knows_its_place);
    IB_TEST_CASE(size_is_capped);
    IB_TEST_CASE(a_megabyte_of_brackets_ends_with_one_line);
    IB_TEST_CASE(a_megabyte_of_numbers_is_read);
    IB_TEST_CASE(the_deepest_allowed_text_is_read);
    IB_TEST_CASE(pretty_text_has_two_blanks_a_level);
    IB_TEST_CASE(bytes_that_are_not_utf8_are_printed_as_replacement);
    IB_TEST_ROWS(edges, test_edge);
    return IB_TEST_RUN();
}
