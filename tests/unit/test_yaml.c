/* SPDX-License-Identifier: MIT */
/* lib/data/yaml.c: types of plain scalars, what is refused and where. Results are shown as JSON. */
#include "ib_parse_rows.h"
#include "ib_vectors.h"

#include "lib/base/time.h"
#include "lib/data/yaml.h"

static const struct ib_parse_row rows[] = {
    GOOD("null_words", "[null, Null, NULL, ~, ]", "[null,null,null,null]"),
    GOOD("absent_value_is_null", "a:\nb: ~\n", "{\"a\":null,\"b\":null}"),
    GOOD("nUll_is_a_string", "nUll", "\"nUll\""),
    GOOD("booleans", "[true, True, TRUE, false, False, FALSE]", "[true,true,true,false,false,false]"),
    GOOD("yes_no_on_off_are_strings", "[yes, no, on, off, Y, n, tRUE]",
         "[\"yes\",\"no\",\"on\",\"off\",\"Y\",\"n\",\"tRUE\"]"),
    GOOD("integers", "[0, 12, -7, +3, 010, -007, 00]", "[0,12,-7,3,10,-7,0]"),
    GOOD("octal_and_hexadecimal", "[0o17, 0x1F, 0xff]", "[15,31,255]"),
    GOOD("bad_octal_is_a_string", "[0o18, 0x, 0o, 0xg, -0x1, 0b1]",
         "[\"0o18\",\"0x\",\"0o\",\"0xg\",\"-0x1\",\"0b1\"]"),
    GOOD("integer_beyond_int64_is_a_real", "[9223372036854775807, 9223372036854775808]",
         "[9223372036854775807,9.223372036854776e+18]"),
    GOOD("hexadecimal_beyond_int64_is_a_real", "0x8000000000000000", "9.223372036854776e+18"),
    GOOD("reals", "[1.5, .5, 1., -.5e1, 1e3, 1E-2, +1.25, 00.5]", "[1.5,0.5,1,-5,1000,0.01,1.25,0.5]"),
    GOOD("nearly_numbers_are_strings", "[1.0.0, 1e, ., +, -, 1_000, 190:20:30, 2026-09-03, 1.2.3/4]",
         "[\"1.0.0\",\"1e\",\".\",\"+\",\"-\",\"1_000\",\"190:20:30\",\"2026-09-03\",\"1.2.3/4\"]"),
    GOOD("a_quoted_scalar_is_a_string", "['1', \"true\", 'null', \"\", '~', 'yes']",
         "[\"1\",\"true\",\"null\",\"\",\"~\",\"yes\"]"),
    GOOD("a_block_scalar_is_a_string", "a: |\n  1\nb: >-\n  2\n  3\n", "{\"a\":\"1\\n\",\"b\":\"2 3\"}"),
    GOOD("plain_text_over_lines_is_folded", "a: one\n  two\n", "{\"a\":\"one two\"}"),
    GOOD("quoted_text_decodes_escapes", "\"a\\tb\\x41\\u20AC\\N\"", "\"a\\tbA\xE2\x82\xAC\xC2\x85\""),
    GOOD("block_and_flow_together", "a:\n  - {x: 1, y: [2, 3]}\n  - z\n", "{\"a\":[{\"x\":1,\"y\":[2,3]},\"z\"]}"),
    GOOD("json_is_yaml", "{\"a\":[1,2.5,\"x\",null,true],\"b\":{}}", "{\"a\":[1,2.5,\"x\",null,true],\"b\":{}}"),
    GOOD("comments_are_skipped", "# x\na: 1 # y\n", "{\"a\":1}"),
    GOOD("document_markers", "%YAML 1.2\n---\na: 1\n...\n", "{\"a\":1}"),
    GOOD("yaml_1_1_directive", "%YAML 1.1\n---\na: 1\n", "{\"a\":1}"),
    GOOD("byte_order_mark_is_skipped", "\xEF\xBB\xBF" "a: 1", "{\"a\":1}"),
    GOOD("digits_as_key", "200:\n  x: 1\n", "{\"200\":{\"x\":1}}"),
    GOOD("quoted_words_as_keys", "'true': 1\n\"null\": 2\n'1.5': 3\n'': 4\n",
         "{\"true\":1,\"null\":2,\"1.5\":3,\"\":4}"),
    GOOD("core_strings_as_keys", "on: 1\nyes: 2\ny: 3\n", "{\"on\":1,\"yes\":2,\"y\":3}"),
    GOOD("key_that_looks_like_a_merge_but_is_quoted", "'<<': 1", "{\"<<\":1}"),
    GOOD("explicit_null_document", "---\n", "null"),
    GOOD("windows_line_ends", "a: 1\r\nb:\r\n  - x\r\n", "{\"a\":1,\"b\":[\"x\"]}"),
    GOOD("expressions_of_workflows_stay_text", "a: $steps.getImage.outputs.status\nb: \"{$inputs.x}\"\n",
         "{\"a\":\"$steps.getImage.outputs.status\",\"b\":\"{$inputs.x}\"}"),

    BAD("empty_text", "", "1:1: empty where a YAML document should be"),
    BAD("comment_alone", "# nothing\n", "1:1: empty where a YAML document should be"),
    BAD("infinity", "a: [.inf]", "1:5: .inf has no value in JSON; quote it if it is a text"),
    BAD("not_a_number", "a: .NaN", "1:4: .NaN has no value in JSON; quote it if it is a text"),
    BAD("number_too_large_for_a_double", "a: 1e400", "1:4: JSON number 1e400 is too large"),
    BAD("anchor", "a: &x 1", "1:4: anchors (&x) are not allowed"),
    BAD("anchor_on_a_mapping", "a: &x\n  b: 1", "1:4: anchors (&x) are not allowed"),
    BAD("anchor_on_a_sequence", "&x [1]", "1:1: anchors (&x) are not allowed"),
    BAD("alias", "a: *x", "1:4: aliases (*x) are not allowed"),
    BAD("alias_as_key", "? *x\n: 1", "1:3: aliases (*x) are not allowed"),
    BAD("alias_bomb", "a: &a [x,x]\nb: &b [*a,*a]\n", "1:4: anchors (&a) are not allowed"),
    BAD("cyclic_alias", "&a [*a]", "1:1: anchors (&a) are not allowed"),
    BAD("tag", "a: !!str 1", "1:4: tags (tag:yaml.org,2002:str) are not allowed"),
    BAD("tag_of_somebody", "!<tag:x> {}", "1:1: tags (tag:x) are not allowed"),
    BAD("bare_tag", "a: ! x", "1:4: tags (!) are not allowed"),
    BAD("merge_key", "a:\n  <<: {b: 1}", "2:3: merge keys (<<) are not allowed"),
    BAD("tag_directive", "%TAG ! tag:x,2000:\n---\na: 1", "1:1: %TAG directives are not allowed"),
    BAD("unknown_yaml_version", "%YAML 2.0\n---\na: 1", "1:1: found incompatible YAML document"),
    BAD("second_document", "a: 1\n---\nb: 2\n", "2:1: a second document begins; only one is allowed"),
    BAD("duplicate_key", "a: 1\nb: 2\na: 3\n", "3:1: duplicate key \"a\""),
    BAD("duplicate_key_in_another_style", "{a: 1, \"a\": 2}", "1:8: duplicate key \"a\""),
    BAD("key_null", "~: 1", "1:1: the key ~ is null, not a string; quote it"),
    BAD("key_boolean", "true: 1", "1:1: the key true is boolean, not a string; quote it"),
    BAD("key_real", "1.5: 1", "1:1: the key 1.5 is number, not a string; quote it"),
    BAD("key_negative", "-1: 1", "1:1: the key -1 is integer, not a string; quote it"),
    BAD("key_infinity", ".inf: 1", "1:1: the key .inf is no text, not a string; quote it"),
    BAD("key_absent", "?\n: 1", "1:2: the key is absent"),
    BAD("key_sequence", "? [a]\n: 1", "1:3: a key is array, not a string"),
    BAD("key_mapping", "{{a: 1}: 2}", "1:2: a key is object, not a string"),
    BAD("tab_as_indentation", "a:\n\tb: 1", "2:1: found character that cannot start any token, while scanning for the next token"),
    BAD("bracket_left_open", "a: [1,\nb", "2:2: did not find expected ',' or ']', while parsing a flow sequence"),
    BAD("quote_left_open", "a: \"x\nb", "2:2: found unexpected end of stream, while scanning a quoted scalar"),
    BAD("bad_indentation", "a: 1\n  b: 2\n", "2:4: mapping values are not allowed in this context"),
    BAD("percent_at_a_start", "a: %x", "1:4: found character that cannot start any token, while scanning for the next token"),
    BAD("columns_count_bytes", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x82: *x", "1:12: aliases (*x) are not allowed"),
    BAD("control_character", "a: \"\x01\"",
        "1:5: a character that YAML does not allow (control character or byte order mark)"),
    BAD("delete_character", "a: \x7F", "1:4: a character that YAML does not allow (control character or byte order mark)"),
    BAD("next_line_character", "a: 1\nb: \xC2\x85",
        "2:4: a line separator of YAML 1.1 (U+0085, U+2028 or U+2029); write it as an escape"),
    BAD("line_separator", "\xE2\x80\xA8",
        "1:1: a line separator of YAML 1.1 (U+0085, U+2028 or U+2029); write it as an escape"),
    BAD("invalid_utf8", "a: 1\nb: \xFF", "2:4: not valid UTF-8"),
    BAD("utf16", "\xFF\xFE" "a", "1:1: UTF-16; save it as UTF-8"),
    BAD("escaped_nul_in_a_string", "a: \"x\\0\"", "1:4: a string holds a NUL character"),
    BAD("escaped_nul_in_a_key", "\"x\\0\": 1", "1:1: a key holds a NUL character"),
    BAD("byte_order_mark_inside", "a: \xEF\xBB\xBF", "1:4: a character that YAML does not allow (control character or byte order mark)"),
};

static void test_row(void **state)
{
    const struct ib_parse_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    enum ib_rc rc = ib_yaml_parse(ib_str_from(r->text), "t", &v, &err);

    ib_parse_row_check(r, rc, v, &err);
}

static void every_value_knows_its_place(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    struct ib_str text = IB_STR("# head\na:\n  - \xC3\xA9: {x: 1, y:   2}\r\n  - 'z'\nb: |\n  t\nc: 9\n");

    assert_ok(ib_yaml_parse(text, "t", &v, &err), &err);
    const struct ib_value *inner = ib_value_get(ib_value_at(ib_value_get_c(v, "a"), 0), IB_STR("\xC3\xA9"));
    assert_int_equal(ib_value_mark(v).line, 2);
    assert_int_equal(ib_value_key_mark_at(v, 0).line, 2);
    assert_int_equal(ib_value_mark(inner).line, 3);
    assert_int_equal(ib_value_mark(inner).column, 9);
    assert_int_equal(ib_value_key_mark_at(inner, 1).column, 16);
    assert_int_equal(ib_value_mark(ib_value_at(inner, 1)).column, 21);
    assert_int_equal(ib_value_mark(ib_value_at(ib_value_get_c(v, "a"), 1)).line, 4);
    assert_int_equal(ib_value_mark(ib_value_get_c(v, "b")).line, 5);
    assert_int_equal(ib_value_mark(ib_value_get_c(v, "c")).line, 7);
    assert_int_equal(ib_value_mark(ib_value_get_c(v, "c")).column, 4);
}

/* Texts that cost a careless reader minutes or gigabytes. Each must end at once, with one line. */
struct bomb {
    const char *name;
    const char *unit; /* repeated up to the size */
    size_t bytes;
    const char *error; /* NULL: it is read */
};
static const struct bomb bombs[] = {
    { "a_megabyte_of_brackets", "[", (size_t)1024 * 1024, "t: YAML of 1048576 bytes, more than 262144" },
    { "a_quarter_megabyte_of_brackets", "[", IB_YAML_BYTES_MAX, "t:1:65: nested deeper than 64 levels" },
    { "a_quarter_megabyte_of_braces", "{", IB_YAML_BYTES_MAX, "t:1:2: a key is object, not a string" },
    { "a_quarter_megabyte_of_dashes", "- ", IB_YAML_BYTES_MAX, "t:1:129: nested deeper than 64 levels" },
    { "a_quarter_megabyte_of_question_marks", "? ", IB_YAML_BYTES_MAX, "t:1:3: a key is object, not a string" },
    { "a_quarter_megabyte_of_empty_items", "-\n", IB_YAML_BYTES_MAX, "t:99998:2: more than 100000 values" },
    { "a_quarter_megabyte_of_anchors", "&a ", IB_YAML_BYTES_MAX, "t:1:1: anchors (&a) are not allowed" },
    { "a_quarter_megabyte_of_empty_lines", "\n", IB_YAML_BYTES_MAX, "t:1:1: empty where a YAML document should be" },
    { "a_quarter_megabyte_of_letters", "x", IB_YAML_BYTES_MAX, NULL },
    { "a_quarter_megabyte_of_quotes", "'", IB_YAML_BYTES_MAX, NULL },
    { "a_quarter_megabyte_of_documents", "---\n", IB_YAML_BYTES_MAX, "t:2:1: a second document begins; only one is allowed" },
    { "a_quarter_megabyte_of_colons", "a:\n", IB_YAML_BYTES_MAX, "t:2:1: duplicate key \"a\"" },
    { "a_quarter_megabyte_of_words", "x, ", IB_YAML_BYTES_MAX, NULL },
    { "a_quarter_megabyte_of_backslashes", "\"\\", IB_YAML_BYTES_MAX, "t:1:262144: found unknown escape character" },
};

static void test_bomb(void **state)
{
    const struct bomb *b = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT((size_t)2 * 1024 * 1024);

    while (text.len + strlen(b->unit) <= b->bytes) {
        ib_buf_add_c(&text, b->unit);
    }
    int64_t begin = ib_time_mono_ms();
    enum ib_rc rc = ib_yaml_parse(ib_buf_str(&text), "t", &v, &err);
    int64_t took = ib_time_mono_ms() - begin;
    if (b->error == NULL) {
        assert_ok(rc, &err);
    } else {
        assert_int_not_equal(rc, IB_OK);
        assert_contains(err.text, b->error);
    }
    /* Milliseconds; the bound leaves room for sanitizers and a busy machine. */
    assert_true(took < 20000);
}

static void the_event_cap_and_ten_thousand_items(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_YAML_BYTES_MAX);

    for (int i = 0; i < 10000; i++) {
        ib_buf_addf(&text, "- stepId: s%d\n", i);
    }
    assert_ok(ib_yaml_parse(ib_buf_str(&text), "t", &v, &err), &err);
    assert_int_equal(ib_value_count(v), 10000);
    assert_int_equal(ib_value_mark(ib_value_at(v, 9999)).line, 10000);
}

#define SEED "seed/cancel-running-image-build.arazzo.yaml"

static void the_workflow_that_was_asked_for_is_read(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_YAML_BYTES_MAX);

    char path[4096];
    assert_true(ib_vectors_read(ib_vectors_shared(SEED, path, sizeof path), &text));
    assert_ok(ib_yaml_parse(ib_buf_str(&text), "seed", &v, &err), &err);
    const struct ib_value *version = ib_value_get_c(v, "arazzo");
    assert_true(ib_value_is(version, IB_VALUE_STRING));
}

int main(void)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf seed = IB_BUF_INIT(IB_YAML_BYTES_MAX);
    char path[4096];

    IB_TEST_ROWS(rows, test_row);
    IB_TEST_CASE(every_value_knows_its_place);
    IB_TEST_ROWS(bombs, test_bomb);
    IB_TEST_CASE(the_event_cap_and_ten_thousand_items);
    if (ib_vectors_read(ib_vectors_shared(SEED, path, sizeof path), &seed)) {
        IB_TEST_CASE(the_workflow_that_was_asked_for_is_read);
    } else {
        IB_TEST_SKIP_ROW("the_workflow_that_was_asked_for_is_read", "no " SEED " in IB_SHARED");
    }
    return IB_TEST_RUN();
}
