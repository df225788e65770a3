/* SPDX-License-Identifier: MIT */
/* lib/arazzo/simple.c: grammar, coercion and missing operands of simple conditions. */
#include "arazzo_test.h"

#include "lib/arazzo/simple.h"

/* One scope for all rows. */
#define RESPONSE_BODY                                                                             \
    "{\"status\":\"BUILDING\",\"n\":5,\"s5\":\"5\",\"t\":true,\"f\":false,\"z\":null,\"e\":\"\"," \
    "\"zero\":0,\"a\":{\"b\":[10,{\"c\":\"x\"}]},\"a.b\":\"dotted\",\"a-b\":\"hyphen\",\"o\":{}," \
    "\"big\":9007199254740993,\"big2\":9007199254740992,\"l\":[1,2],\"l2\":[1.0,2],"              \
    "\"q\":\"it's\",\"yes\":\"TRUE\"}"

struct row {
    const char *name, *condition;
    enum ib_verdict verdict;
    const char *note; /* NULL: none */
};
static const struct row rows[] = {
    {"status_code_equals", "$statusCode == 200", IB_VERDICT_PASS, NULL},
    {"status_code_equals_numeric_text", "$statusCode == '200'", IB_VERDICT_PASS, NULL},
    {"status_code_differs", "$statusCode != 200", IB_VERDICT_FAIL, NULL},
    {"blanks_do_not_matter", "  $statusCode==200\t\n", IB_VERDICT_PASS, NULL},
    {"range_of_codes", "$statusCode >= 200 && $statusCode < 300", IB_VERDICT_PASS, NULL},
    {"text_compares_without_case", "$response.body#/status == 'building'", IB_VERDICT_PASS, NULL},
    {"unequal_without_case", "$response.body#/status != 'building'", IB_VERDICT_FAIL, NULL},
    {"text_orders_without_case", "$response.body#/status < 'c'", IB_VERDICT_PASS, NULL},
    {"text_literals_compare", "'building' == 'BUILDING'", IB_VERDICT_PASS, NULL},
    {"only_ascii_letters_fold", "'\xc3\xa9' == '\xc3\x89'", IB_VERDICT_FAIL, NULL},
    {"prefix_is_less", "'ab' < 'abc' && 'abc' > 'ab' && 'ab' <= 'AB'", IB_VERDICT_PASS, NULL},
    {"quote_is_doubled", "$response.body#/q == 'it''s'", IB_VERDICT_PASS, NULL},
    {"empty_text", "$response.body#/e == ''", IB_VERDICT_PASS, NULL},

    {"number_equals_text", "$response.body#/n == $response.body#/s5", IB_VERDICT_PASS, NULL},
    {"number_orders_with_text", "$response.body#/s5 < 10", IB_VERDICT_PASS, NULL},
    {"text_orders_as_text", "'10' < '9'", IB_VERDICT_PASS, NULL},
    {"number_and_other_text_are_unequal", "5 == 'five'", IB_VERDICT_FAIL, NULL},
    {"number_and_other_text_differ", "5 != 'five'", IB_VERDICT_PASS, NULL},
    {"number_and_other_text_have_no_order", "5 < 'five' || 5 >= 'five'", IB_VERDICT_FAIL, NULL},
    {"empty_text_is_no_number", "0 == ''", IB_VERDICT_FAIL, NULL},
    {"text_with_blanks_is_a_number", "5 == ' 5 '", IB_VERDICT_PASS, NULL},
    {"hexadecimal_text_is_no_number", "16 == '0x10'", IB_VERDICT_FAIL, NULL},
    {"fractions", "1.50 == 1.5 && 1e3 == 1000 && -1 < -0.5", IB_VERDICT_PASS, NULL},
    {"large_integers_are_not_rounded", "$response.body#/big == $response.body#/big2",
     IB_VERDICT_FAIL, NULL},
    {"true_equals_its_text", "$response.body#/t == 'True'", IB_VERDICT_PASS, NULL},
    {"true_equals_upper_case_text", "$response.body#/yes == true", IB_VERDICT_PASS, NULL},
    {"true_is_not_one", "true == 1", IB_VERDICT_FAIL, NULL},
    {"true_is_not_any_text", "true == 'yes'", IB_VERDICT_FAIL, NULL},
    {"booleans_have_no_order", "false < true", IB_VERDICT_FAIL, NULL},

    {"null_equals_null", "$response.body#/z == null", IB_VERDICT_PASS, NULL},
    {"null_differs_from_text", "$response.body#/z != 'x'", IB_VERDICT_PASS, NULL},
    {"null_is_not_empty_text", "$response.body#/z == ''", IB_VERDICT_FAIL, NULL},
    {"null_is_not_false", "$response.body#/z == false", IB_VERDICT_FAIL, NULL},
    {"null_is_not_zero", "$response.body#/z == 0", IB_VERDICT_FAIL, NULL},
    {"null_has_no_order", "$response.body#/z < 1 || $response.body#/z >= 0 || null <= null",
     IB_VERDICT_FAIL, NULL},
    {"missing_equals_null_and_tells", "$response.body#/no == null", IB_VERDICT_PASS,
     "$response.body#/no is not there"},
    {"missing_differs_and_tells", "$response.body#/no != 'x'", IB_VERDICT_PASS,
     "$response.body#/no is not there"},
    {"missing_does_not_equal_and_tells", "$response.body#/no == 'x'", IB_VERDICT_FAIL,
     "$response.body#/no is not there"},
    {"missing_has_no_order", "$response.body#/no < 1", IB_VERDICT_FAIL,
     "$response.body#/no is not there"},
    {"present_differs_from_null", "$response.body#/n != null", IB_VERDICT_PASS, NULL},
    {"step_that_never_ran_is_missing", "$steps.never.outputs.x == null", IB_VERDICT_PASS,
     "$steps.never.outputs.x is not there"},

    {"bare_text_holds", "$response.body#/status", IB_VERDICT_PASS, NULL},
    {"bare_empty_text_holds", "$response.body#/e", IB_VERDICT_PASS, NULL},
    {"bare_zero_holds", "$response.body#/zero", IB_VERDICT_PASS, NULL},
    {"bare_object_holds", "$response.body#/o", IB_VERDICT_PASS, NULL},
    {"bare_null_does_not", "$response.body#/z", IB_VERDICT_FAIL, NULL},
    {"bare_false_does_not", "$response.body#/f", IB_VERDICT_FAIL, NULL},
    {"bare_missing_does_not", "$response.body#/no", IB_VERDICT_FAIL,
     "$response.body#/no is not there"},
    {"literal_true", "true", IB_VERDICT_PASS, NULL},
    {"literal_false", "false", IB_VERDICT_FAIL, NULL},

    {"not_of_a_bare_operand", "!$response.body#/f", IB_VERDICT_PASS, NULL},
    {"not_of_parentheses", "!($statusCode == 200)", IB_VERDICT_FAIL, NULL},
    {"not_of_not", "!!$response.body#/t", IB_VERDICT_PASS, NULL},
    {"blank_behind_not", "! ( $statusCode == 404 )", IB_VERDICT_PASS, NULL},
    {"and_binds_before_or", "$statusCode == 200 || $statusCode == 201 && false", IB_VERDICT_PASS,
     NULL},
    {"and_binds_before_or_the_other_way", "false && false || true", IB_VERDICT_PASS, NULL},
    {"parentheses_bind_first", "(true || true) && false", IB_VERDICT_FAIL, NULL},
    {"nested_parentheses", "((($statusCode) )) && (($statusCode==200))", IB_VERDICT_PASS, NULL},
    {"skipped_operand_is_not_told", "true || $response.body#/no == 1", IB_VERDICT_PASS, NULL},
    {"first_missing_operand_is_told", "$response.body#/no1 == 1 || $response.body#/no2 == 1",
     IB_VERDICT_FAIL, "$response.body#/no1 is not there"},

    {"arrays_compare_deeply", "$response.body#/l == $response.body#/l2", IB_VERDICT_PASS, NULL},
    {"array_and_text_are_unequal", "$response.body#/l == 'x'", IB_VERDICT_FAIL, NULL},
    {"arrays_have_no_order", "$response.body#/l <= $response.body#/l2", IB_VERDICT_FAIL, NULL},

    {"member_navigation", "$response.body.n == 5", IB_VERDICT_PASS, NULL},
    {"deep_navigation", "$response.body.a.b[1].c == 'x'", IB_VERDICT_PASS, NULL},
    {"element_navigation", "$response.body.l[0] == 1", IB_VERDICT_PASS, NULL},
    {"quoted_member_navigation", "$response.body['a']['b'][0] == 10", IB_VERDICT_PASS, NULL},
    {"exact_key_with_dot_wins", "$response.body.a.b == 'dotted'", IB_VERDICT_PASS, NULL},
    {"key_with_hyphen", "$response.body.a-b == 'hyphen'", IB_VERDICT_PASS, NULL},
    {"navigation_past_the_end", "$response.body.l[2] == null", IB_VERDICT_PASS,
     "$response.body.l[2] is not there"},
    {"navigation_into_a_scalar", "$response.body.n.x == null", IB_VERDICT_PASS,
     "$response.body.n.x is not there"},
    {"pointer_with_escape", "$response.body#/a/b/1/c == 'X'", IB_VERDICT_PASS, NULL},
    {"input_with_hyphen", "$inputs.x-store-id == 'S1'", IB_VERDICT_PASS, NULL},
    {"input_with_dot", "$inputs.my.org == 'acme'", IB_VERDICT_PASS, NULL},
    {"member_of_an_input", "$inputs.obj.k == 1", IB_VERDICT_PASS, NULL},
    {"output_of_a_step", "$steps.get-image.outputs.status == 'building'", IB_VERDICT_PASS, NULL},
    {"element_of_an_output", "$steps.get-image.outputs.list[1].id == 2", IB_VERDICT_PASS, NULL},
    {"pointer_behind_an_output", "$steps.get-image.outputs.list#/1/id == 2", IB_VERDICT_PASS, NULL},
    {"header_without_case", "$response.header.X-Amzn-RequestId == 'abc'", IB_VERDICT_PASS, NULL},
    {"method_and_url", "$method == 'get' && $url == 'https://h/GetImage'", IB_VERDICT_PASS, NULL},
    {"double_quotes_are_text", "$response.body#/status == \"BUILDING\"", IB_VERDICT_PASS, NULL},
    {"double_quote_is_doubled", "'a\"b' == \"a\"\"b\"", IB_VERDICT_PASS, NULL},
    {"backslash_is_itself", "'a\\' == \"a\\\"", IB_VERDICT_PASS, NULL},
    {"braces_around_an_expression", "{$statusCode} == 200", IB_VERDICT_PASS, NULL},
    {"operators_inside_of_quotes", "'a && b' == 'A && B'", IB_VERDICT_PASS, NULL},
};

struct fixture {
    struct ib_value *parts[8];
    size_t count;
    struct ib_scope scope;
};

static struct ib_value *keep(struct fixture *f, const char *text)
{
    return f->parts[f->count++] = json(text);
}

static void fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->scope.inputs = keep(f, "{\"x-store-id\":\"S1\",\"my.org\":\"acme\",\"my\":{\"org\":\"no\"},"
                              "\"obj\":{\"k\":1}}");
    f->scope.steps =
        keep(f, "{\"get-image\":{\"status\":\"BUILDING\",\"list\":[{\"id\":1},{\"id\":2}]}}");
    f->scope.request.url = keep(f, "\"https://h/GetImage\"");
    f->scope.request.method = keep(f, "\"GET\"");
    f->scope.response.status = keep(f, "200");
    f->scope.response.headers = keep(f, "{\"x-amzn-requestid\":\"abc\"}");
    f->scope.response.body = keep(f, RESPONSE_BODY);
}

static void fixture_fini(struct fixture *f)
{
    for (size_t i = 0; i < f->count; i++) {
        ib_value_unref(f->parts[i]);
    }
}

static void test_row(void **state)
{
    const struct row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_verdict_note note;
    IB_CLEANUP(fixture_fini) struct fixture f;
    IB_CLEANUP(ib_simple_cleanup) struct ib_simple *s = NULL;

    fixture_init(&f);
    assert_ok(ib_simple_compile(ib_str_from(r->condition), NULL, &s, NULL, &err), &err);
    assert_string_equal(ib_verdict_name(ib_simple_test(s, &f.scope, &note, &err)),
                        ib_verdict_name(r->verdict));
    assert_string_equal(note.text, r->note == NULL ? "" : r->note);
    assert_int_equal(note.operand_missing, r->note != NULL);
    assert_false(note.context_missing);
}

static void no_response_is_missing_and_told(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_verdict_note note;
    struct ib_scope scope = {.inputs = NULL};
    IB_CLEANUP(ib_simple_cleanup) struct ib_simple *s = NULL;

    assert_ok(ib_simple_compile(IB_STR("$statusCode == 200"), NULL, &s, NULL, &err), &err);
    assert_int_equal(ib_simple_test(s, &scope, &note, &err), IB_VERDICT_FAIL);
    assert_string_equal(note.text, "$statusCode is not there");
}

struct bad_row {
    const char *name, *condition;
    size_t column;
    const char *words;
};
static const struct bad_row bad_rows[] = {
    {"empty", "", 1, "the condition is empty"},
    {"blank", " \t", 1, "the condition is empty"},
    {"single_equals_sign", "$statusCode = 200", 13, "equality is written =="},
    {"triple_equals_sign", "$statusCode === 200", 13, "no === or !==; write =="},
    {"strict_inequality", "$statusCode !== 200", 13, "no === or !==; write !="},
    {"single_ampersand", "true & true", 6, "\"and\" is written &&"},
    {"single_bar", "true | true", 6, "\"or\" is written ||"},
    {"word_and", "$statusCode == 200 and true", 20, "\"and\" is written &&"},
    {"word_or", "$statusCode == 200 OR true", 20, "\"OR\" is written ||"},
    {"word_without_quotes", "$response.body#/s == building", 22, "\"building\" is no operand"},
    {"python_true", "$response.body#/s == True", 22, "\"True\" is no operand"},
    {"operand_missing", "$statusCode ==", 15, "the condition ends where an operand is wanted"},
    {"operand_missing_in_front", "== 200", 1, "an operand is wanted, not '='"},
    {"quote_not_closed", "$x == 'a", 1, "no runtime expression"},
    {"quote_not_closed_on_the_right", "$statusCode == 'a", 16, "this ' is not closed"},
    {"quote_ends_in_a_doubled_one", "$statusCode == 'a''", 16, "this ' is not closed"},
    {"paren_not_closed", "true && ($statusCode == 200", 9, "this '(' is not closed"},
    {"paren_closes_nothing", "$statusCode == 200)", 19, "this ')' closes nothing"},
    {"empty_parens", "()", 2, "an operand is wanted, not ')'"},
    {"comparison_chained", "1 < $statusCode < 3", 17, "comparisons do not chain"},
    {"not_over_a_comparison", "!$statusCode == 200", 14, "write !( ... )"},
    {"number_alone", "200", 1, "a literal alone is no condition"},
    {"text_alone", "'x'", 1, "a literal alone is no condition"},
    {"null_alone", "null", 1, "a literal alone is no condition"},
    {"number_with_leading_zero", "$statusCode == 0200", 16, "\"0200\" is no number"},
    {"number_too_large", "$statusCode == 1e999", 16, "too large"},
    {"unknown_root", "$foo.bar == 1", 1, "no runtime expression"},
    {"misspelt_source", "$response.bdy == 1", 11, "header.NAME, query.NAME, path.NAME or body"},
    {"step_without_outputs", "true && $steps.a.b == 1", 16, "STEP.outputs.NAME is wanted"},
    {"bad_pointer", "$response.body#a == 1", 16, "does not start with '/'"},
    {"bad_escape_in_pointer", "$response.body#/a~2 == 1", 16, "'~' is not followed by 0 or 1"},
    {"bad_navigation", "$response.body.a[x] == 1", 17, "an element is written [0]"},
    {"navigation_ends_in_a_quote", "$response.body['a'", 15, "an element is written [0]"},
    {"navigation_ends_in_a_quoted_name", "$response.body['a", 15, "an element is written [0]"},
    {"navigation_ends_in_a_bracket", "$response.body[", 15, "an element is written [0]"},
    {"navigation_ends_in_a_number", "$response.body[12", 15, "an element is written [0]"},
    {"navigation_goes_on_with_a_word", "$response.body[1]a", 18, "'.' or '[' is wanted"},
    {"navigation_ends_in_a_dot", "$response.body. == 1", 16, "a name is wanted behind the dot"},
    {"brace_not_closed", "{$statusCode == 200", 1, "this '{' is not closed"},
    {"brace_around_no_expression", "{200} == 200", 1, "only around an expression"},
    {"two_operands", "$statusCode 200", 13, "an operator or the end"},
    {"plus", "$statusCode + 1 == 201", 13, "an operator or the end"},
    {"semicolon", "$statusCode == 200;", 16, "\"200;\" is no number"},
    {"invalid_utf8", "'\xff' == 'a'", 1, "not valid UTF-8"},
};

static void test_bad(void **state)
{
    const struct bad_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_simple *s = NULL;
    size_t column = 0;
    char prefix[32];

    assert_rc(ib_simple_compile(ib_str_from(r->condition), NULL, &s, &column, &err), IB_EPARSE,
              &err);
    if (column != r->column) {
        fail_msg("column %zu: %s", column, err.text);
    }
    (void)snprintf(prefix, sizeof prefix, "column %zu: ", column);
    assert_memory_equal(err.text, prefix, strlen(prefix));
    assert_contains(err.text, r->words);
    assert_null(strstr(err.text + strlen(prefix), "column"));
    assert_int_equal(ib_simple_compile(ib_str_from(r->condition), NULL, &s, NULL, NULL), IB_EPARSE);
}

struct warnings {
    size_t count, column;
    char text[128];
};

static void on_warning(void *ctx, size_t column, const char *text)
{
    struct warnings *w = ctx;

    w->count++;
    w->column = column;
    (void)snprintf(w->text, sizeof w->text, "%s", text);
}

struct warn_row {
    const char *name, *condition;
    size_t count, column;
    const char *words;
};
static const struct warn_row warn_rows[] = {
    {"standard_text_warns_of_nothing", "$statusCode == 200 && $url == 'x'", 0, 0, ""},
    {"double_quotes_warn", "true && $url == \"x\"", 1, 17, "single quotes"},
    {"braces_warn", "true && {$url} == 'x'", 1, 9, "needs no braces"},
};

static void test_warnings(void **state)
{
    const struct warn_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct warnings seen = {0, 0, ""};
    struct ib_simple_options options = {on_warning, &seen};
    IB_CLEANUP(ib_simple_cleanup) struct ib_simple *s = NULL;

    assert_ok(ib_simple_compile(ib_str_from(r->condition), &options, &s, NULL, &err), &err);
    assert_int_equal(seen.count, r->count);
    assert_int_equal(seen.column, r->column);
    assert_contains(seen.text, r->words);
}

static void expressions_can_be_listed(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_simple_cleanup) struct ib_simple *s = NULL;

    assert_ok(ib_simple_compile(IB_STR("$statusCode == 200 && !($steps.a.outputs.b == $inputs.c)"),
                                NULL, &s, NULL, &err),
              &err);
    assert_int_equal(ib_simple_expr_count(s), 3);
    assert_int_equal(ib_simple_expr(s, 0)->kind, IB_EXPR_STATUS_CODE);
    assert_int_equal(ib_simple_expr(s, 1)->kind, IB_EXPR_STEP_OUTPUT);
    assert_true(ib_str_eq_c(ib_simple_expr(s, 1)->owner, "a"));
    assert_true(ib_str_eq_c(ib_simple_expr(s, 1)->name, "b"));
    assert_int_equal(ib_simple_expr(s, 2)->kind, IB_EXPR_INPUT);
    assert_null(ib_simple_expr(s, 3));
}

static enum ib_rc compile_repeated(const char *text, size_t times, const char *end)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT((size_t)2 * 1024 * 1024);
    IB_CLEANUP(ib_simple_cleanup) struct ib_simple *s = NULL;

    for (size_t i = 0; i < times; i++) {
        ib_buf_add_c(&b, text);
    }
    ib_buf_add_c(&b, end);
    return ib_simple_compile(ib_buf_str(&b), NULL, &s, NULL, NULL);
}

static void text_and_nesting_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(compile_repeated("(", 1024 * 1024, ""), IB_ELIMIT);
    assert_int_equal(compile_repeated("(", 8000, ""), IB_ELIMIT);
    assert_int_equal(compile_repeated("!", 8000, "true"), IB_ELIMIT);
    assert_int_equal(compile_repeated("!", IB_SIMPLE_DEPTH_MAX - 1, "true"), IB_OK);
    assert_int_equal(compile_repeated("true&&", 1000, "true"), IB_OK);
    assert_int_equal(compile_repeated("true||", 1000, "true"), IB_OK);
}

/* A body of a million numbers, or of one long text, compared with itself again and again. */
static void large_values_again_and_again_end(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *a = ib_value_array();
    IB_CLEANUP(ib_value_cleanup) struct ib_value *b = ib_value_array();
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT((size_t)1024 * 1024);
    IB_CLEANUP(ib_buf_fini) struct ib_buf condition = IB_BUF_INIT(IB_CRITERION_TEXT_MAX);
    IB_CLEANUP(ib_simple_cleanup) struct ib_simple *s = NULL;

    for (size_t i = 0; i < 100000; i++) {
        assert_ok(ib_value_push(a, ib_value_int(1), &err), &err);
        assert_ok(ib_value_push(b, ib_value_int(1), &err), &err);
        ib_buf_add_c(&text, "abcdefghij");
    }
    IB_CLEANUP(ib_value_cleanup) struct ib_value *x = ib_value_string(ib_buf_str(&text));
    IB_CLEANUP(ib_value_cleanup) struct ib_value *y = ib_value_string(ib_buf_str(&text));
    while (condition.len < IB_CRITERION_TEXT_MAX - 64) {
        ib_buf_add_c(&condition, "$request.body != $response.body||");
    }
    ib_buf_add_c(&condition, "true");
    assert_ok(ib_simple_compile(ib_buf_str(&condition), NULL, &s, NULL, &err), &err);
    struct ib_scope arrays = {.request = {.body = a}, .response = {.body = b}};
    assert_int_equal(ib_simple_test(s, &arrays, NULL, &err), IB_VERDICT_ERROR);
    assert_int_equal(err.rc, IB_ELIMIT);
    struct ib_scope texts = {.request = {.body = x}, .response = {.body = y}};
    assert_int_equal(ib_simple_test(s, &texts, NULL, &err), IB_VERDICT_ERROR);
    assert_int_equal(err.rc, IB_ELIMIT);
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_ROWS(bad_rows, test_bad);
    IB_TEST_ROWS(warn_rows, test_warnings);
    IB_TEST_CASE(no_response_is_missing_and_told);
    IB_TEST_CASE(expressions_can_be_listed);
    IB_TEST_CASE(text_and_nesting_are_bounded);
    IB_TEST_CASE(large_values_again_and_again_end);
    return IB_TEST_RUN();
}
