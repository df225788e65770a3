/* SPDX-License-Identifier: MIT */
/* lib/arazzo/jsonpath.h: what the compliance suite does not ask: conditions, columns, limits. */
#include "arazzo_test.h"

#include "lib/arazzo/jsonpath.h"
#include "lib/base/text.h"

/* The two conditions of the workflow that the project is about, letter for letter. */
#define CANCELLABLE                                                                   \
    "$.image.state.status != \"AVAILABLE\" && $.image.state.status != \"FAILED\" && " \
    "$.image.state.status != \"CANCELLED\""
#define TERMINAL                                                                      \
    "$.image.state.status == \"AVAILABLE\" || $.image.state.status == \"FAILED\" || " \
    "$.image.state.status == \"CANCELLED\""
#define BODY(status) "{\"requestId\":\"r\",\"image\":{\"state\":{\"status\":\"" status "\"}}}"

struct test_row {
    const char *name, *condition, *value;
    enum ib_verdict verdict;
    const char *note; /* NULL: no note */
};
static const struct test_row test_rows[] = {
    {"seed_cancels_pending", CANCELLABLE, BODY("PENDING"), IB_VERDICT_PASS, NULL},
    {"seed_cancels_creating", CANCELLABLE, BODY("CREATING"), IB_VERDICT_PASS, NULL},
    {"seed_cancels_building", CANCELLABLE, BODY("BUILDING"), IB_VERDICT_PASS, NULL},
    {"seed_cancels_testing", CANCELLABLE, BODY("TESTING"), IB_VERDICT_PASS, NULL},
    {"seed_cancels_distributing", CANCELLABLE, BODY("DISTRIBUTING"), IB_VERDICT_PASS, NULL},
    {"seed_cancels_integrating", CANCELLABLE, BODY("INTEGRATING"), IB_VERDICT_PASS, NULL},
    {"seed_cancels_deprecated_as_it_is_written", CANCELLABLE, BODY("DEPRECATED"), IB_VERDICT_PASS,
     NULL},
    {"seed_cancels_deleted_as_it_is_written", CANCELLABLE, BODY("DELETED"), IB_VERDICT_PASS, NULL},
    {"seed_cancels_disabled_as_it_is_written", CANCELLABLE, BODY("DISABLED"), IB_VERDICT_PASS,
     NULL},
    {"seed_does_not_cancel_available", CANCELLABLE, BODY("AVAILABLE"), IB_VERDICT_FAIL, NULL},
    {"seed_does_not_cancel_failed", CANCELLABLE, BODY("FAILED"), IB_VERDICT_FAIL, NULL},
    {"seed_does_not_cancel_cancelled", CANCELLABLE, BODY("CANCELLED"), IB_VERDICT_FAIL, NULL},
    {"seed_cancels_lower_case_since_text_is_compared_as_it_is", CANCELLABLE, BODY("available"),
     IB_VERDICT_PASS, NULL},
    {"seed_cancellable_without_status_passes_and_tells", CANCELLABLE,
     "{\"requestId\":\"r\",\"image\":{\"state\":{}}}", IB_VERDICT_PASS,
     "$.image.state.status is not there"},
    {"seed_cancellable_of_empty_object_passes_and_tells", CANCELLABLE, "{}", IB_VERDICT_PASS,
     "$.image.state.status is not there"},
    {"seed_cancellable_of_null_status_passes", CANCELLABLE,
     "{\"image\":{\"state\":{\"status\":null}}}", IB_VERDICT_PASS, NULL},
    {"seed_cancellable_of_text_passes_and_tells", CANCELLABLE, "\"<html>\"", IB_VERDICT_PASS,
     "$.image.state.status is not there"},
    {"seed_terminal_available", TERMINAL, BODY("AVAILABLE"), IB_VERDICT_PASS, NULL},
    {"seed_terminal_failed", TERMINAL, BODY("FAILED"), IB_VERDICT_PASS, NULL},
    {"seed_terminal_cancelled", TERMINAL, BODY("CANCELLED"), IB_VERDICT_PASS, NULL},
    {"seed_terminal_is_not_building", TERMINAL, BODY("BUILDING"), IB_VERDICT_FAIL, NULL},
    {"seed_terminal_is_not_deleted_as_it_is_written", TERMINAL, BODY("DELETED"), IB_VERDICT_FAIL,
     NULL},
    {"seed_terminal_without_status_fails_and_tells", TERMINAL, "{\"image\":{}}", IB_VERDICT_FAIL,
     "$.image.state.status is not there"},
    {"seed_terminal_of_null_fails_and_tells", TERMINAL, "null", IB_VERDICT_FAIL,
     "$.image.state.status is not there"},

    {"query_is_an_existence_test", "$.image.state", BODY("X"), IB_VERDICT_PASS, NULL},
    {"query_that_selects_null_passes", "$.a", "{\"a\":null}", IB_VERDICT_PASS, NULL},
    {"query_that_selects_false_passes", "$.a", "{\"a\":false}", IB_VERDICT_PASS, NULL},
    {"query_that_selects_nothing_fails", "$.b", "{\"a\":1}", IB_VERDICT_FAIL, NULL},
    {"query_with_filter_is_strict_about_children", "$[?count(@.pets) > 0]", "{\"pets\":[1,2]}",
     IB_VERDICT_FAIL, NULL},
    {"query_with_filter_passes_on_a_wrapped_body", "$[?count(@.pets) > 0]", "[{\"pets\":[1,2]}]",
     IB_VERDICT_PASS, NULL},
    {"descendants_are_a_query_too", "$..state[?@ == \"AVAILABLE\"]", BODY("AVAILABLE"),
     IB_VERDICT_PASS, NULL},
    {"several_nodes_are_an_existence_test", "$.images[*].arn", "{\"images\":[{\"arn\":1}]}",
     IB_VERDICT_PASS, NULL},
    {"root_alone_exists", "$", "null", IB_VERDICT_PASS, NULL},
    {"root_can_be_compared", "$ == 'pong'", "\"pong\"", IB_VERDICT_PASS, NULL},
    {"at_sign_is_the_value_itself", "@.a == 1 && $.a == 1", "{\"a\":1}", IB_VERDICT_PASS, NULL},
    {"literals_compare", "1 == 1.0", "{}", IB_VERDICT_PASS, NULL},
    {"blanks_around_are_skipped", " \t\r\n$.a == 1 \n", "{\"a\":1}", IB_VERDICT_PASS, NULL},
    {"parentheses_and_not", "!($.a == 1 || $.b) && ($.c)", "{\"a\":2,\"c\":0}", IB_VERDICT_PASS,
     NULL},
    {"not_of_a_query", "!$.b", "{\"a\":1}", IB_VERDICT_PASS, NULL},
    {"and_binds_before_or", "$.a == 1 || $.b == 1 && $.c == 1", "{\"a\":1}", IB_VERDICT_PASS, NULL},
    {"two_ands_in_a_row", "$.a == 1 && $.b == 1 && $.c == 1", "{\"a\":1,\"b\":1,\"c\":2}",
     IB_VERDICT_FAIL, NULL},
    {"count_of_a_query", "count($.images[*]) >= 2", "{\"images\":[1,2]}", IB_VERDICT_PASS, NULL},
    {"length_of_a_missing_thing_is_nothing", "length($.a) == 0", "{}", IB_VERDICT_FAIL,
     "$.a is not there"},
    {"match_is_whole", "match($.a, 'b')", "{\"a\":\"abc\"}", IB_VERDICT_FAIL, NULL},
    {"search_is_not", "search($.a, 'b')", "{\"a\":\"abc\"}", IB_VERDICT_PASS, NULL},
    {"value_of_one_node", "value($..status) == 'X'", BODY("X"), IB_VERDICT_PASS, NULL},
    {"pattern_from_the_value", "match($.a, $.re)", "{\"a\":\"abc\",\"re\":\"a.c\"}",
     IB_VERDICT_PASS, NULL},
    {"patterns_from_the_value_one_for_each_node", "$.v[?match(@.a, @.re) && @.want == 2]",
     "{\"v\":[{\"a\":\"x\",\"re\":\"x\",\"want\":1},{\"a\":\"y\",\"re\":\"y\",\"want\":2}]}",
     IB_VERDICT_PASS, NULL},
    {"pattern_of_the_node_before_is_not_used", "$.v[?match(@.a, @.re) && @.want == 2]",
     "{\"v\":[{\"a\":\"x\",\"re\":\"x\",\"want\":1},{\"a\":\"x\",\"re\":\"y\",\"want\":2}]}",
     IB_VERDICT_FAIL, NULL},
    {"one_pattern_matched_then_searched", "match($.a, $.re) || search($.a, $.re)",
     "{\"a\":\"abc\",\"re\":\"b\"}", IB_VERDICT_PASS, NULL},
    {"one_pattern_searched_then_matched", "search($.a, $.re) && match($.a, $.re)",
     "{\"a\":\"abc\",\"re\":\"b\"}", IB_VERDICT_FAIL, NULL},
    {"bad_pattern_from_the_value_is_an_error", "match($.a, $.re)",
     "{\"a\":\"abc\",\"re\":\"\\\\d\"}", IB_VERDICT_ERROR, NULL},
    {"missing_operand_in_a_filter_is_usual", "$.l[?@.x == 1]", "{\"l\":[{},{\"x\":1}]}",
     IB_VERDICT_PASS, NULL},
    {"both_missing_are_equal", "$.a == $.b", "{}", IB_VERDICT_PASS, "$.a is not there"},
    {"missing_is_not_less", "$.a < 1", "{}", IB_VERDICT_FAIL, "$.a is not there"},
    {"skipped_operand_is_not_told", "$.a == 1 || $.b == 1", "{\"a\":1}", IB_VERDICT_PASS, NULL},
    {"text_orders_by_code_point", "$.a < 'b'", "{\"a\":\"B\"}", IB_VERDICT_PASS, NULL},
    {"types_do_not_mix", "$.a == '200'", "{\"a\":200}", IB_VERDICT_FAIL, NULL},
    {"large_integers_are_not_rounded", "$.a == $.b",
     "{\"a\":9007199254740993,\"b\":9007199254740992}", IB_VERDICT_FAIL, NULL},
    {"deep_values_compare", "$.a == $.b",
     "{\"a\":[{\"x\":[1,{\"y\":null}]}],\"b\":[{\"x\":[1.0,{\"y\":null}]}]}", IB_VERDICT_PASS,
     NULL},
    {"deep_values_differ_in_one_key", "$.a == $.b", "{\"a\":{\"x\":1},\"b\":{\"y\":1}}",
     IB_VERDICT_FAIL, NULL},
    {"surrogate_pairs_at_both_ends", "$['\\uD800\\uDC00'] && $['\\uDBFF\\uDFFF']",
     "{\"\\ud800\\udc00\":1,\"\\udbff\\udfff\":1}", IB_VERDICT_PASS, NULL},
    {"hyphenated_name_in_brackets", "$['x-id'] == 'a'", "{\"x-id\":\"a\"}", IB_VERDICT_PASS, NULL},
};

static void test_of_a_condition(void **state)
{
    const struct test_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_verdict_note note;
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *q = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = json(r->value);

    assert_ok(ib_jsonpath_compile_condition(ib_str_from(r->condition), &q, NULL, &err), &err);
    enum ib_verdict verdict = ib_jsonpath_test(q, v, &note, &err);
    assert_string_equal(ib_verdict_name(verdict), ib_verdict_name(r->verdict));
    assert_string_equal(note.text, r->note == NULL ? "" : r->note);
    assert_int_equal(note.operand_missing, r->note != NULL);
    assert_int_equal(err.rc == IB_OK, r->verdict != IB_VERDICT_ERROR);
    assert_int_equal(ib_jsonpath_test(q, v, NULL, &err), r->verdict);
}

struct bad_row {
    const char *name, *condition;
    size_t column;
    const char *words;
};
static const struct bad_row bad_rows[] = {
    {"empty_condition", "", 1, "the condition is empty"},
    {"blank_condition", "  ", 1, "the condition is empty"},
    {"single_equals_sign", "$.a = 1", 5, "equality is written =="},
    {"single_ampersand", "$.a & $.b", 5, "\"and\" is written &&"},
    {"single_bar", "$.a | $.b", 5, "\"or\" is written ||"},
    {"word_between", "$.a and $.b", 5, "an operator or the end of the condition is wanted"},
    {"operand_missing_behind_operator", "$.a == ", 7, "is wanted, not the end"},
    {"word_without_quotes", "$.status == AVAILABLE", 13, "\"AVAILABLE\" means nothing here"},
    {"literal_alone", "'x'", 1, "a literal alone is no test"},
    {"true_alone", "true", 1, "a literal alone is no test"},
    {"value_function_alone", "length($.a)", 1, "gives a value, which is no test"},
    {"test_function_compared", "match($.a,'x') == true", 1,
     "match() and search() cannot be compared"},
    {"several_nodes_compared", "$.a == 1 && $.b[*] == 1", 13, "may select several nodes"},
    {"not_over_comparison", "!$.a == 1", 6, "write !( ... )"},
    {"two_nots", "!!$.a", 2, "\"!\""},
    {"chained_comparison", "$.a == 1 == 1", 10, "comparisons do not chain"},
    {"paren_not_closed", "($.a == 1", 1, "this '(' is not closed"},
    {"paren_not_opened", "$.a == 1)", 9, "an operator or the end"},
    {"comparison_in_parens_compared", "($.a == 1) == true", 12, "comparisons do not chain"},
    {"bracket_not_closed", "$.a['x'", 4, "this '[' is not closed"},
    {"quote_not_closed", "$['x]", 3, "this ' is not closed"},
    {"hyphen_in_shorthand", "$.a-b == 1", 4, "\"-\""},
    {"dot_at_the_end", "$.", 3, "['a-b']"},
    {"blank_behind_dot", "$. a", 3, "right after the dot"},
    {"unknown_function", "foo($.a)", 1, "no function foo()"},
    {"blank_before_parenthesis_of_function", "count ($.a)", 1, "\"count\" means nothing here"},
    {"too_few_arguments", "match($.a)", 10, "match() takes 2 arguments"},
    {"too_many_arguments", "length($.a, 1)", 11, "length() takes 1 argument"},
    {"count_of_a_literal", "count(1) == 1", 7, "argument 1 of count() must be a query"},
    {"length_of_several", "length($[*]) == 1", 8, "argument 1 of length() must be a single value"},
    {"pattern_is_no_iregexp", "search($.a, '\\\\d+')", 13, "no \\d; write [0-9]"},
    {"index_with_leading_zero", "$[01]", 3, "without leading zeros"},
    {"index_minus_zero", "$[-0]", 3, "without leading zeros"},
    {"index_too_large", "$[9007199254740992]", 3, "beyond 2^53 - 1"},
    {"number_too_large", "$.a == 1e400", 8, "too large"},
    {"number_with_leading_zero", "$.a == 01", 8, "no number as JSON writes it"},
    {"unknown_escape", "$['\\a']", 4, "no escape of JSONPath"},
    {"other_quote_escaped", "$['\\\"']", 4, "no escape of JSONPath"},
    {"lone_high_surrogate", "$['\\uD800']", 4, "half of a surrogate pair"},
    {"two_high_surrogates", "$['\\uD800\\uD800']", 4, "half of a surrogate pair"},
    {"high_surrogate_and_another_character", "$['\\uDBFF\\uE000']", 4, "half of a surrogate pair"},
    {"lone_low_surrogate", "$['\\uDC00']", 4, "half of a surrogate pair"},
    {"control_character_in_quotes", "$['\x01']", 4, "\\u0001"},
    {"invalid_utf8", "$.a == '\xff'", 9, "not valid UTF-8"},
    {"escaped_nul_in_text", "$.a == '\\u0000'", 8, "NUL"},
    {"empty_brackets", "$[]", 3, "a selector"},
    {"comma_at_the_end", "$[1,]", 5, "a selector"},
    {"braces", "{$.a}", 1, "is wanted, not \"{\""},
};

static void test_bad(void **state)
{
    const struct bad_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_jsonpath *q = NULL;
    size_t column = 0;
    char prefix[32];

    assert_rc(ib_jsonpath_compile_condition(ib_str_from(r->condition), &q, &column, &err),
              IB_EPARSE, &err);
    assert_null(q);
    if (column != r->column) {
        fail_msg("column %zu: %s", column, err.text);
    }
    (void)snprintf(prefix, sizeof prefix, "column %zu: ", column);
    assert_memory_equal(err.text, prefix, strlen(prefix));
    assert_contains(err.text, r->words);
    assert_int_equal(ib_jsonpath_compile_condition(ib_str_from(r->condition), &q, NULL, NULL),
                     IB_EPARSE);
}

static void query_takes_no_blanks_around(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_jsonpath *q = NULL;

    assert_rc(ib_jsonpath_compile(IB_STR(" $"), &q, NULL, &err), IB_EPARSE, &err);
    assert_rc(ib_jsonpath_compile(IB_STR("$ "), &q, NULL, &err), IB_EPARSE, &err);
    assert_rc(ib_jsonpath_compile(IB_STR("$.a == 1"), &q, NULL, &err), IB_EPARSE, &err);
}

static void nul_byte_in_text_is_refused(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_jsonpath *q = NULL;
    size_t column = 0;

    assert_rc(ib_jsonpath_compile((struct ib_str){"$.a\0b", 5}, &q, &column, &err), IB_EPARSE,
              &err);
    assert_int_equal(column, 4);
}

struct descends_row {
    const char *name, *condition;
    bool descends;
};
static const struct descends_row descends_rows[] = {
    {"root_alone_does_not_descend", "$ == 1", false},
    {"member_descends", "$.a", true},
    {"member_of_at_descends", "(@.a == 1)", true},
    {"filter_descends", "$[?@ == 1]", true},
    {"function_argument_descends", "length($.a) == 1", true},
    {"function_of_root_does_not", "length($) == 1", false},
};

static void test_descends(void **state)
{
    const struct descends_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *q = NULL;

    assert_ok(ib_jsonpath_compile_condition(ib_str_from(r->condition), &q, NULL, &err), &err);
    assert_int_equal(ib_jsonpath_descends(q), r->descends);
}

/* ------------------------------------------------------------------------------------- limits */

static void repeat(struct ib_buf *b, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        ib_buf_add_c(b, text);
    }
}

static enum ib_rc compile_repeated(const char *text, size_t times)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT((size_t)2 * 1024 * 1024);
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *q = NULL;

    repeat(&b, text, times);
    return ib_jsonpath_compile_condition(ib_buf_str(&b), &q, NULL, NULL);
}

static void text_is_bounded(void **state)
{
    (void)state;
    assert_int_equal(compile_repeated("[", 1024 * 1024), IB_ELIMIT);
    assert_int_equal(compile_repeated("$", IB_JSONPATH_TEXT_MAX + 1), IB_ELIMIT);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    assert_int_equal(compile_repeated("(", IB_JSONPATH_DEPTH_MAX), IB_EPARSE);
    assert_int_equal(compile_repeated("(", IB_JSONPATH_DEPTH_MAX + 1), IB_ELIMIT);
    assert_int_equal(compile_repeated("!(", 4000), IB_ELIMIT);
    assert_int_equal(compile_repeated("$[?", 2000), IB_ELIMIT);
    assert_int_equal(compile_repeated("length(", 1000), IB_ELIMIT);
}

static void long_rows_need_no_depth(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT(IB_JSONPATH_TEXT_MAX);
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *q = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = json("{\"a\":1}");

    repeat(&b, "$.b||", 1000);
    repeat(&b, "$.a&&", 500);
    ib_buf_add_c(&b, "$.a");
    assert_ok(ib_jsonpath_compile_condition(ib_buf_str(&b), &q, NULL, &err), &err);
    assert_int_equal(ib_jsonpath_test(q, v, NULL, &err), IB_VERDICT_PASS);
}

/* An array of n numbers. */
static struct ib_value *numbers(size_t n)
{
    struct ib_value *a = ib_value_array();

    for (size_t i = 0; i < n; i++) {
        assert_int_equal(ib_value_push(a, ib_value_int((int64_t)i), NULL), IB_OK);
    }
    return a;
}

static void filters_in_filters_end(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *q = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = numbers(2000);

    assert_ok(ib_jsonpath_compile_condition(IB_STR("$[?count($[?count($[?@ > 1]) > 1]) > 1]"), &q,
                                            NULL, &err),
              &err);
    assert_int_equal(ib_jsonpath_test(q, v, NULL, &err), IB_VERDICT_ERROR);
    assert_int_equal(err.rc, IB_ELIMIT);
    assert_contains(err.text, "too many steps");
}

static void comparing_large_values_again_and_again_ends(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *q = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = ib_value_array();

    for (size_t i = 0; i < 1500; i++) {
        assert_int_equal(ib_value_push(v, numbers(1500), NULL), IB_OK);
    }
    assert_ok(ib_jsonpath_compile_condition(IB_STR("$[?@ == $[0]]"), &q, NULL, &err), &err);
    assert_int_equal(ib_jsonpath_test(q, v, NULL, &err), IB_VERDICT_ERROR);
    assert_int_equal(err.rc, IB_ELIMIT);
}

/* Hashing a long name costs what it is long. */
static void long_names_end_too(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *q = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_JSONPATH_TEXT_MAX);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = ib_value_array();

    for (size_t i = 0; i < 50000; i++) {
        assert_ok(ib_value_push(v, ib_value_object(), &err), &err);
    }
    ib_buf_add_c(&text, "$[?@['");
    repeat(&text, "a", 8000);
    ib_buf_add_c(&text, "']]");
    assert_ok(ib_jsonpath_compile_condition(ib_buf_str(&text), &q, NULL, &err), &err);
    assert_int_equal(ib_jsonpath_test(q, v, NULL, &err), IB_VERDICT_ERROR);
    assert_int_equal(err.rc, IB_ELIMIT);
}

static void long_keys_compared_again_and_again_end(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *q = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf key = IB_BUF_INIT((size_t)1024 * 1024);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = ib_value_array();

    repeat(&key, "abcdefghij", 50000);
    for (size_t i = 0; i < 20000; i++) {
        struct ib_value *o = ib_value_object();
        struct ib_str name = i == 0 ? ib_buf_str(&key) : IB_STR("a");
        assert_ok(ib_value_set(o, name, ib_value_null(), &err), &err);
        assert_ok(ib_value_push(v, o, &err), &err);
    }
    assert_ok(ib_jsonpath_compile_condition(IB_STR("$[?$[0] == @ && @ == 1]"), &q, NULL, &err),
              &err);
    assert_int_equal(ib_jsonpath_test(q, v, NULL, &err), IB_VERDICT_ERROR);
    assert_int_equal(err.rc, IB_ELIMIT);
}

static void nodelists_are_bounded(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *q = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = numbers(1000);
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT(IB_JSONPATH_TEXT_MAX);

    ib_buf_add_c(&b, "$[*");
    repeat(&b, ",*", 200);
    ib_buf_add_c(&b, "]");
    assert_ok(ib_jsonpath_compile_condition(ib_buf_str(&b), &q, NULL, &err), &err);
    assert_int_equal(ib_jsonpath_test(q, v, NULL, &err), IB_VERDICT_ERROR);
    assert_int_equal(err.rc, IB_ELIMIT);
    assert_contains(err.text, "more than 100000 nodes");
}

static void descendants_of_descendants_end(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *q = NULL;
    struct ib_value *v = ib_value_array();

    for (size_t i = 0; i < 60; i++) {
        struct ib_value *outer = ib_value_array();
        assert_int_equal(ib_value_push(outer, v, NULL), IB_OK);
        v = outer;
    }
    assert_ok(ib_jsonpath_compile_condition(IB_STR("$..*..*..*..*..*..*..*"), &q, NULL, &err),
              &err);
    assert_int_equal(ib_jsonpath_test(q, v, NULL, &err), IB_VERDICT_ERROR);
    assert_int_equal(err.rc, IB_ELIMIT);
    ib_value_unref(v);
}

static void descent_is_bounded_in_depth(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *q = NULL;
    struct ib_value *v = ib_value_array();

    for (size_t i = 0; i < 100000; i++) {
        struct ib_value *outer = ib_value_array();
        assert_int_equal(ib_value_push(outer, v, NULL), IB_OK);
        v = outer;
    }
    assert_ok(ib_jsonpath_compile_condition(IB_STR("$..x"), &q, NULL, &err), &err);
    assert_int_equal(ib_jsonpath_test(q, v, NULL, &err), IB_VERDICT_ERROR);
    assert_int_equal(err.rc, IB_ELIMIT);
    ib_value_unref(v);
}

static void costly_patterns_share_one_budget(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *q = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = ib_value_array();

    for (size_t i = 0; i < 5000; i++) {
        struct ib_value *s = ib_value_string(IB_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
        assert_int_equal(ib_value_push(v, s, NULL), IB_OK);
    }
    assert_ok(ib_jsonpath_compile_condition(IB_STR("$[?search(@, '(a|aa)+[cd]')]"), &q, NULL, &err),
              &err);
    assert_int_equal(ib_jsonpath_test(q, v, NULL, &err), IB_VERDICT_ERROR);
    assert_int_equal(err.rc, IB_ELIMIT);
    assert_contains(err.text, "too many steps");
}

int main(void)
{
    IB_TEST_ROWS(test_rows, test_of_a_condition);
    IB_TEST_ROWS(bad_rows, test_bad);
    IB_TEST_ROWS(descends_rows, test_descends);
    IB_TEST_CASE(query_takes_no_blanks_around);
    IB_TEST_CASE(nul_byte_in_text_is_refused);
    IB_TEST_CASE(text_is_bounded);
    IB_TEST_CASE(nesting_is_bounded);
    IB_TEST_CASE(long_rows_need_no_depth);
    IB_TEST_CASE(filters_in_filters_end);
    IB_TEST_CASE(comparing_large_values_again_and_again_ends);
    IB_TEST_CASE(long_names_end_too);
    IB_TEST_CASE(long_keys_compared_again_and_again_end);
    IB_TEST_CASE(nodelists_are_bounded);
    IB_TEST_CASE(descendants_of_descendants_end);
    IB_TEST_CASE(descent_is_bounded_in_depth);
    IB_TEST_CASE(costly_patterns_share_one_budget);
    return IB_TEST_RUN();
}
