/* SPDX-License-Identifier: MIT */
/* lib/arazzo/template.c: strings with expressions in them. */
#include "arazzo_test.h"

#include "lib/arazzo/template.h"

static const char inputs_text[] = "{\"n\":5,\"r\":0.5,\"b\":false,\"z\":null,\"s\":\"te xt\","
                                  "\"o\":{\"k\":[1,\"x\"]},\"l\":[1,2],\"e\":\"\"}";

struct row {
    const char *name, *text;
    enum ib_template_kind kind;
    const char *want;    /* JSON of the value */
    const char *missing; /* expression that was not there, NULL */
    size_t doubt;        /* column, 0: none */
};
static const struct row rows[] = {
    {"empty_text", "", IB_TEMPLATE_LITERAL, "\"\"", NULL, 0},
    {"plain_text", "abc", IB_TEMPLATE_LITERAL, "\"abc\"", NULL, 0},
    {"whole_expression_keeps_number", "$inputs.n", IB_TEMPLATE_EXPR, "5", NULL, 0},
    {"whole_expression_keeps_boolean", "$inputs.b", IB_TEMPLATE_EXPR, "false", NULL, 0},
    {"whole_expression_keeps_null", "$inputs.z", IB_TEMPLATE_EXPR, "null", NULL, 0},
    {"whole_expression_keeps_object", "$inputs.o", IB_TEMPLATE_EXPR, "{\"k\":[1,\"x\"]}", NULL, 0},
    {"whole_expression_that_is_not_there", "$inputs.no", IB_TEMPLATE_EXPR, "nothing", "$inputs.no",
     0},
    {"embedded_alone_is_text", "{$inputs.n}", IB_TEMPLATE_MIXED, "\"5\"", NULL, 0},
    {"embedded_in_text", "a{$inputs.s}b", IB_TEMPLATE_MIXED, "\"ate xtb\"", NULL, 0},
    {"embedded_twice", "{$inputs.n}-{$inputs.r}", IB_TEMPLATE_MIXED, "\"5-0.5\"", NULL, 0},
    {"embedded_without_text_between", "{$inputs.n}{$inputs.b}{$inputs.z}{$inputs.e}",
     IB_TEMPLATE_MIXED, "\"5falsenull\"", NULL, 0},
    {"embedded_array_is_json", "x={$inputs.l}", IB_TEMPLATE_MIXED, "\"x=[1,2]\"", NULL, 0},
    {"embedded_object_is_json", "{$inputs.o};", IB_TEMPLATE_MIXED, "\"{\\\"k\\\":[1,\\\"x\\\"]};\"",
     NULL, 0},
    {"embedded_pointer", "{$inputs.o#/k/1}", IB_TEMPLATE_MIXED, "\"x\"", NULL, 0},
    {"embedded_that_is_not_there", "a{$inputs.n}{$inputs.no}{$inputs.no2}", IB_TEMPLATE_MIXED,
     "nothing", "$inputs.no", 0},
    {"dollar_text_is_a_literal", "$5.00", IB_TEMPLATE_LITERAL, "\"$5.00\"", NULL, 0},
    {"dollar_text_with_embedded", "$5 for {$inputs.n}", IB_TEMPLATE_MIXED, "\"$5 for 5\"", NULL, 0},
    {"jsonpath_is_a_literal", "$.a.b", IB_TEMPLATE_LITERAL, "\"$.a.b\"", NULL, 0},
    {"braces_without_dollar", "{a}{}", IB_TEMPLATE_LITERAL, "\"{a}{}\"", NULL, 0},
    {"braces_around_no_expression", "{$x}", IB_TEMPLATE_LITERAL, "\"{$x}\"", NULL, 0},
    {"brace_not_closed", "{$", IB_TEMPLATE_LITERAL, "\"{$\"", NULL, 0},
    {"json_text_with_embedded", "{\"n\":{$inputs.n}}", IB_TEMPLATE_MIXED, "\"{\\\"n\\\":5}\"", NULL,
     0},
    {"brace_before_embedded", "{{$inputs.n}}", IB_TEMPLATE_MIXED, "\"{5}\"", NULL, 0},
    {"expression_without_braces_in_text_is_text", "id $inputs.n", IB_TEMPLATE_LITERAL,
     "\"id $inputs.n\"", NULL, 0},
    {"doubt_step_without_outputs", "$steps.a.b", IB_TEMPLATE_LITERAL, "\"$steps.a.b\"", NULL, 8},
    {"doubt_body_with_member", "$response.body.image", IB_TEMPLATE_LITERAL,
     "\"$response.body.image\"", NULL, 15},
    {"doubt_two_expressions", "$inputs.n $inputs.s", IB_TEMPLATE_LITERAL, "\"$inputs.n $inputs.s\"",
     NULL, 10},
    {"doubt_inside_of_braces", "ab{$steps.a}{$inputs.n}", IB_TEMPLATE_MIXED, "\"ab{$steps.a}5\"",
     NULL, 11},
    {"doubt_brace_not_closed", "ab{$inputs.n", IB_TEMPLATE_LITERAL, "\"ab{$inputs.n\"", NULL, 3},
    {"first_doubt_is_kept", "{$steps.a}{$steps.b}", IB_TEMPLATE_LITERAL, "\"{$steps.a}{$steps.b}\"",
     NULL, 9},
};

static void test_row(void **state)
{
    const struct row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *inputs = json(inputs_text);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    IB_CLEANUP(ib_template_cleanup) struct ib_template *t = NULL;
    struct ib_scope scope = {.inputs = inputs};
    const struct ib_expr *missing = NULL;
    size_t column = 0;

    assert_ok(ib_template_parse(ib_str_from(r->text), &t, &err), &err);
    assert_int_equal(ib_template_kind(t), r->kind);
    assert_ok(ib_template_eval(t, &scope, &v, &missing, &err), &err);
    IB_CLEANUP(ib_cleanup_char) char *seen = json_text(v);
    assert_string_equal(seen, r->want);
    assert_int_equal(missing == NULL, r->missing == NULL);
    assert_true(missing == NULL || ib_str_eq_c(missing->text, r->missing));
    assert_int_equal(ib_template_doubt(t, &column) != NULL, r->doubt > 0);
    assert_int_equal(column, r->doubt);
    assert_int_equal(ib_template_expr_count(t) > 0, r->kind != IB_TEMPLATE_LITERAL);
}

static void expressions_can_be_listed(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_template_cleanup) struct ib_template *t = NULL;

    assert_ok(ib_template_parse(IB_STR("a{$inputs.n}b{$steps.s.outputs.o}c"), &t, &err), &err);
    assert_int_equal(ib_template_expr_count(t), 2);
    assert_true(ib_str_eq_c(ib_template_expr(t, 0)->text, "$inputs.n"));
    assert_int_equal(ib_template_expr(t, 1)->kind, IB_EXPR_STEP_OUTPUT);
    assert_null(ib_template_expr(t, 2));
    assert_false(ib_template_is_bare(t));
}

static void embedded_form_takes_no_whole_expression(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_template_cleanup) struct ib_template *t = NULL;
    IB_CLEANUP(ib_template_cleanup) struct ib_template *bare = NULL;

    assert_ok(ib_template_parse_embedded(IB_STR("$inputs.n"), &t, &err), &err);
    assert_int_equal(ib_template_kind(t), IB_TEMPLATE_LITERAL);
    assert_ok(ib_template_parse_embedded(IB_STR("{$inputs.n}"), &bare, &err), &err);
    assert_true(ib_template_is_bare(bare));
}

static void size_is_bounded_before_and_after(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_value *v = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT((size_t)4 * 1024 * 1024);
    IB_CLEANUP(ib_template_cleanup) struct ib_template *t = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *inputs = ib_value_object();

    for (size_t i = 0; i < 300 * 1024; i++) {
        ib_buf_add_c(&b, "abcd");
    }
    assert_int_equal(ib_template_parse(ib_buf_str(&b), &t, &err), IB_ELIMIT);
    assert_ok(ib_value_set(inputs, IB_STR("s"), ib_value_string(ib_buf_str(&b)), &err), &err);
    assert_ok(ib_template_parse(IB_STR("{$inputs.s}{$inputs.s}"), &t, &err), &err);
    struct ib_scope scope = {.inputs = inputs};
    assert_int_equal(ib_template_eval(t, &scope, &v, NULL, &err), IB_ELIMIT);
    assert_null(v);
}

static void openings_without_end_are_cheap(void **state)
{
    (void)state;
    static const char *const parts[] = {"{$", "{$inputs.", "{$inputs.a", "{$steps.a}", "{"};
    struct ib_error err = IB_ERROR_INIT;

    for (size_t i = 0; i < IB_ARRAY_LEN(parts); i++) {
        IB_CLEANUP(ib_template_cleanup) struct ib_template *t = NULL;
        IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT(IB_TEMPLATE_TEXT_MAX);
        while (b.len + strlen(parts[i]) < IB_TEMPLATE_TEXT_MAX) {
            ib_buf_add_c(&b, parts[i]);
        }
        ib_buf_add_c(&b, "}");
        assert_ok(ib_template_parse(ib_buf_str(&b), &t, &err), &err);
    }
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_CASE(expressions_can_be_listed);
    IB_TEST_CASE(embedded_form_takes_no_whole_expression);
    IB_TEST_CASE(size_is_bounded_before_and_after);
    IB_TEST_CASE(openings_without_end_are_cheap);
    return IB_TEST_RUN();
}
