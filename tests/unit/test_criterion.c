/* SPDX-License-Identifier: MIT */
/* lib/arazzo/criterion.c: kinds of conditions, what they are about, and three answers. */
#include "arazzo_test.h"

#include "lib/arazzo/criterion.h"

#define CANCELLABLE                                                                   \
    "$.image.state.status != \"AVAILABLE\" && $.image.state.status != \"FAILED\" && " \
    "$.image.state.status != \"CANCELLED\""
#define TERMINAL                                                                      \
    "$.image.state.status == \"AVAILABLE\" || $.image.state.status == \"FAILED\" || " \
    "$.image.state.status == \"CANCELLED\""
#define BODY(status) "{\"requestId\":\"r\",\"image\":{\"state\":{\"status\":\"" status "\"}}}"
#define STATUS       "$response.body#/image/state/status"

struct row {
    const char *name, *type, *context, *condition;
    const char *body; /* JSON; NULL: there is none */
    enum ib_verdict verdict;
    const char *words; /* of the error, or of the note */
};
static const struct row rows[] = {
    /* The trap that the project is about: a body that says nothing must not be cancelled upon. */
    {"seed_cancellable_building", "jsonpath", "$response.body", CANCELLABLE, BODY("BUILDING"),
     IB_VERDICT_PASS, ""},
    {"seed_cancellable_available", "jsonpath", "$response.body", CANCELLABLE, BODY("AVAILABLE"),
     IB_VERDICT_FAIL, ""},
    {"seed_cancellable_failed", "jsonpath", "$response.body", CANCELLABLE, BODY("FAILED"),
     IB_VERDICT_FAIL, ""},
    {"seed_cancellable_cancelled", "jsonpath", "$response.body", CANCELLABLE, BODY("CANCELLED"),
     IB_VERDICT_FAIL, ""},
    {"seed_cancellable_without_status_tells", "jsonpath", "$response.body", CANCELLABLE,
     "{\"message\":null}", IB_VERDICT_PASS, "$.image.state.status is not there"},
    {"seed_cancellable_null_body_is_an_error", "jsonpath", "$response.body", CANCELLABLE, "null",
     IB_VERDICT_ERROR, "the context $response.body is null"},
    {"seed_cancellable_html_body_is_an_error", "jsonpath", "$response.body", CANCELLABLE,
     "\"<html><body>Bad Gateway</body></html>\"", IB_VERDICT_ERROR, "is text, not JSON"},
    {"seed_cancellable_empty_text_is_an_error", "jsonpath", "$response.body", CANCELLABLE, "\"\"",
     IB_VERDICT_ERROR, "is text, not JSON"},
    {"seed_cancellable_number_is_an_error", "jsonpath", "$response.body", CANCELLABLE, "200",
     IB_VERDICT_ERROR, "is integer"},
    {"seed_cancellable_without_body_is_an_error", "jsonpath", "$response.body", CANCELLABLE, NULL,
     IB_VERDICT_ERROR, "the context $response.body is not there"},
    {"seed_cancellable_array_tells", "jsonpath", "$response.body", CANCELLABLE, "[]",
     IB_VERDICT_PASS, "is not there"},
    {"seed_terminal_building", "jsonpath", "$response.body", TERMINAL, BODY("BUILDING"),
     IB_VERDICT_FAIL, ""},
    {"seed_terminal_available", "jsonpath", "$response.body", TERMINAL, BODY("AVAILABLE"),
     IB_VERDICT_PASS, ""},
    {"seed_terminal_failed", "jsonpath", "$response.body", TERMINAL, BODY("FAILED"),
     IB_VERDICT_PASS, ""},
    {"seed_terminal_cancelled", "jsonpath", "$response.body", TERMINAL, BODY("CANCELLED"),
     IB_VERDICT_PASS, ""},
    {"seed_terminal_without_status_tells", "jsonpath", "$response.body", TERMINAL, "{}",
     IB_VERDICT_FAIL, "$.image.state.status is not there"},
    {"seed_terminal_null_body_is_an_error", "jsonpath", "$response.body", TERMINAL, "null",
     IB_VERDICT_ERROR, "is null"},
    {"seed_terminal_html_body_is_an_error", "jsonpath", "$response.body", TERMINAL, "\"<html>\"",
     IB_VERDICT_ERROR, "is text, not JSON"},
    {"seed_terminal_without_body_is_an_error", "jsonpath", "$response.body", TERMINAL, NULL,
     IB_VERDICT_ERROR, "is not there"},

    {"jsonpath_about_text_itself", "jsonpath", "$response.body", "$ == 'pong'", "\"pong\"",
     IB_VERDICT_PASS, ""},
    {"jsonpath_query", "jsonpath", "$response.body", "$.image.state", BODY("X"), IB_VERDICT_PASS,
     ""},
    {"jsonpath_about_a_part", "jsonpath", "$response.body#/image", "$.state.status == 'X'",
     BODY("X"), IB_VERDICT_PASS, ""},
    {"jsonpath_context_missing_in_body", "jsonpath", "$response.body#/no", "$.a", BODY("X"),
     IB_VERDICT_ERROR, "the context $response.body#/no is not there"},
    {"jsonpath_with_quoted_expression", "jsonpath", "$response.body",
     "$.image.state.status == '{$inputs.status}'", BODY("it's"), IB_VERDICT_PASS, ""},
    {"jsonpath_with_other_quotes_before", "jsonpath", "$response.body",
     "$.a != \"it's\" && $.image.state.status == {$inputs.status}", BODY("it's"), IB_VERDICT_PASS,
     "$.a is not there"},
    {"jsonpath_with_escaped_quote_before", "jsonpath", "$response.body",
     "$.image.state.status != 'it\\'s ' && $.image.state.status == {$inputs.status}", BODY("it's"),
     IB_VERDICT_PASS, ""},
    {"jsonpath_with_bare_expression", "jsonpath", "$response.body",
     "$.image.state.status == {$inputs.status}", BODY("it's"), IB_VERDICT_PASS, ""},
    {"jsonpath_with_number", "jsonpath", "$response.body", "$.n == {$inputs.n}", "{\"n\":7}",
     IB_VERDICT_PASS, ""},
    {"jsonpath_with_number_as_index", "jsonpath", "$response.body", "$[{$inputs.one}] == 'b'",
     "[\"a\",\"b\"]", IB_VERDICT_PASS, ""},
    {"jsonpath_value_cannot_break_out_of_quotes", "jsonpath", "$response.body",
     "$.a == '{$inputs.evil}'", "{\"a\":\"x\"}", IB_VERDICT_FAIL, ""},
    {"jsonpath_value_cannot_break_out_of_double_quotes", "jsonpath", "$response.body",
     "$.a == \"{$inputs.evil2}\"", "{\"a\":\"x\"}", IB_VERDICT_FAIL, ""},
    {"jsonpath_expression_that_is_not_there", "jsonpath", "$response.body", "$.a == {$inputs.no}",
     "{\"a\":\"x\"}", IB_VERDICT_ERROR, "$inputs.no in the condition is not there"},
    {"jsonpath_object_cannot_be_filled_in", "jsonpath", "$response.body", "$.a == {$inputs.obj}",
     "{\"a\":\"x\"}", IB_VERDICT_ERROR, "condition with its expressions filled in"},

    {"regex_searches", "regex", STATUS, "VAIL", BODY("AVAILABLE"), IB_VERDICT_PASS, ""},
    {"regex_anchored", "regex", STATUS, "^(?:AVAILABLE|FAILED)$", BODY("NOT AVAILABLE"),
     IB_VERDICT_FAIL, STATUS " is \"NOT AVAILABLE\""},
    {"regex_tells_the_beginning_of_a_long_text", "regex", STATUS, "^AVAILABLE$",
     BODY("a text of which no more than its beginning is shown"), IB_VERDICT_FAIL,
     STATUS " is \"a text of which no more than its beginning i...\""},
    {"regex_tells_no_input", "regex", "$inputs.dots", "^x$", NULL, IB_VERDICT_FAIL, ""},
    {"regex_about_a_number", "regex", "$statusCode", "^200$", NULL, IB_VERDICT_PASS, ""},
    {"regex_about_a_boolean", "regex", "$response.body", "^true$", "true", IB_VERDICT_PASS, ""},
    {"regex_about_an_object_sees_json", "regex", "$response.body", "\\{\"a\":\\[1,2\\]\\}",
     "{\"a\":[1,2]}", IB_VERDICT_PASS, ""},
    {"regex_about_text", "regex", "$response.body", "^<html>", "\"<html>\"", IB_VERDICT_PASS, ""},
    {"regex_about_null_fails_and_tells", "regex", "$response.body", "null", "null", IB_VERDICT_FAIL,
     "$response.body is null"},
    {"regex_about_nothing_is_an_error", "regex", STATUS, "AVAILABLE", "{}", IB_VERDICT_ERROR,
     "the context " STATUS " is not there"},
    {"regex_with_expression_matches_it_literally", "regex", STATUS, "^{$inputs.dots}$", BODY("a.b"),
     IB_VERDICT_PASS, ""},
    {"regex_with_expression_does_not_read_it_as_pattern", "regex", STATUS, "^{$inputs.dots}$",
     BODY("axb"), IB_VERDICT_FAIL, STATUS " is \"axb\""},
    {"regex_that_is_one_expression_is_the_pattern", "regex", STATUS, "{$inputs.dots}", BODY("axb"),
     IB_VERDICT_PASS, ""},
    {"regex_bad_pattern_from_an_input", "regex", STATUS, "{$inputs.badre}", BODY("axb"),
     IB_VERDICT_ERROR, "condition with its expressions filled in"},
    {"regex_with_braces_of_its_own", "regex", STATUS, "^A{1}$", BODY("A"), IB_VERDICT_PASS, ""},
    {"regex_too_costly_is_an_error", "regex", "$response.body", "(a|aa)+[bc]",
     "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
     IB_VERDICT_ERROR, "too many steps"},

    {"simple_by_default", NULL, NULL, "$statusCode == 200", NULL, IB_VERDICT_PASS, ""},
    {"simple_by_name", "simple", "$statusCode", "$statusCode == 200", NULL, IB_VERDICT_PASS, ""},
    {"simple_missing_operand_tells", NULL, NULL, STATUS " != 'x'", "{}", IB_VERDICT_PASS,
     STATUS " is not there"},
};

static void compile(const struct row *r, struct ib_criterion **ret)
{
    struct ib_error err = IB_ERROR_INIT;
    struct ib_criterion_source source = {.condition = ib_str_from(r->condition),
                                         .context = ib_str_from(r->context),
                                         .type = ib_str_from(r->type)};

    assert_ok(ib_criterion_compile(&source, ret, NULL, &err), &err);
}

static void test_row(void **state)
{
    const struct row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_verdict_note note;
    IB_CLEANUP(ib_criterion_cleanup) struct ib_criterion *c = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *body = json(r->body);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *status = json("200");
    IB_CLEANUP(ib_value_cleanup)
    struct ib_value *inputs =
        json("{\"status\":\"it's\",\"n\":7,\"one\":1,\"evil\":\"y' || $.a == 'x\","
             "\"evil2\":\"y\\\" || $.a == \\\"x\",\"obj\":{\"k\":1},\"dots\":\"a.b\","
             "\"badre\":\"(\"}");
    struct ib_scope scope = {.inputs = inputs, .response = {.status = status, .body = body}};

    compile(r, &c);
    enum ib_verdict verdict = ib_criterion_test(c, &scope, /* literal= */ false, &note, &err);
    if (verdict != r->verdict) {
        fail_msg("%s (%s)", ib_verdict_name(verdict), err.text);
    }
    assert_contains(verdict == IB_VERDICT_ERROR ? err.text : note.text, r->words);
    if (r->words[0] == '\0') {
        assert_string_equal(note.text, "");
    }
    assert_int_equal(err.rc == IB_OK, verdict != IB_VERDICT_ERROR);

    /* The literal reading: the same, but what cannot be evaluated fails and says why. */
    struct ib_error none = IB_ERROR_INIT;
    enum ib_verdict literal = ib_criterion_test(c, &scope, /* literal= */ true, &note, &none);
    assert_int_equal(literal, verdict == IB_VERDICT_ERROR ? IB_VERDICT_FAIL : verdict);
    assert_contains(note.text, r->words);
    assert_int_equal(none.rc, IB_OK);
    assert_int_equal(ib_criterion_test(c, &scope, /* literal= */ false, NULL, NULL), r->verdict);
}

struct bad_row {
    const char *name, *type, *version, *context, *condition;
    const char *member;
    size_t column;
    const char *words;
};
static const struct bad_row bad_rows[] = {
    {"xpath_is_refused", "xpath", NULL, "$response.body", "/a", "type", 0,
     "xpath conditions are not supported"},
    {"xpath_with_version_is_refused", "xpath", "xpath-30", "$response.body", "/a", "type", 0,
     "xpath conditions are not supported"},
    {"unknown_type", "jsonPath", NULL, "$response.body", "$", "type", 0,
     "\"jsonPath\" is no type of condition"},
    {"unknown_version", "jsonpath", "rfc9999", "$response.body", "$", "version", 0,
     "\"rfc9999\" is no version of jsonpath"},
    {"version_of_regex", "regex", "1", "$response.body", "a", "version", 0,
     "only jsonpath and xpath"},
    {"version_of_simple", NULL, "1", NULL, "true", "version", 0, "only jsonpath and xpath"},
    {"jsonpath_without_context", "jsonpath", NULL, NULL, "$.a", "context", 0,
     "a jsonpath condition needs a context"},
    {"regex_without_context", "regex", NULL, NULL, "a", "context", 0,
     "a regex condition needs a context"},
    {"context_is_no_expression", "regex", NULL, "response.body", "a", "context", 1,
     "no runtime expression"},
    {"context_is_wrong_inside", "jsonpath", NULL, "$response.body.image", "$.a", "context", 15,
     "as in $response.body#/a/b"},
    {"context_of_simple_is_checked", "simple", NULL, "$steps.a", "true", "context", 8,
     "STEP.outputs.NAME"},
    {"jsonpath_wrong", "jsonpath", NULL, "$response.body", "$.a = 1", "condition", 5,
     "equality is written =="},
    {"jsonpath_wrong_behind_an_expression", "jsonpath", NULL, "$response.body",
     "$.a == {$inputs.aa} = 1", "condition", 21, "equality is written =="},
    {"jsonpath_expression_wrong", "jsonpath", NULL, "$response.body", "$.a == {$steps.aa}",
     "condition", 16, "STEP.outputs.NAME"},
    {"jsonpath_bad_pattern", "jsonpath", NULL, "$response.body", "search($.a, '\\\\d')",
     "condition", 13, "write [0-9]"},
    {"regex_wrong", "regex", NULL, "$response.body", "a(", "condition", 2, "parenthesis"},
    {"regex_wrong_behind_an_expression", "regex", NULL, "$response.body", "{$inputs.a}(",
     "condition", 12, "parenthesis"},
    {"simple_wrong", NULL, NULL, NULL, "$statusCode = 200", "condition", 13,
     "equality is written =="},
    {"condition_empty", NULL, NULL, NULL, "", "condition", 1, "empty"},
    {"jsonpath_condition_empty", "jsonpath", NULL, "$response.body", " ", "condition", 1, "empty"},
};

static void test_bad(void **state)
{
    const struct bad_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_criterion *c = NULL;
    struct ib_criterion_place place = {NULL, 0};
    struct ib_criterion_source source = {.condition = ib_str_from(r->condition),
                                         .context = ib_str_from(r->context),
                                         .type = ib_str_from(r->type),
                                         .version = ib_str_from(r->version)};

    assert_rc(ib_criterion_compile(&source, &c, &place, &err), IB_EPARSE, &err);
    assert_string_equal(place.member, r->member);
    if (place.column != r->column) {
        fail_msg("column %zu: %s", place.column, err.text);
    }
    assert_contains(err.text, r->words);
    assert_memory_equal(err.text, r->member, strlen(r->member));
    assert_int_equal(ib_criterion_compile(&source, &c, NULL, NULL), IB_EPARSE);
    assert_null(c);
}

static void longest_condition_is_read(void **state)
{
    (void)state;
    static char text[IB_CRITERION_TEXT_MAX + 1];
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_criterion_cleanup) struct ib_criterion *c = NULL;
    struct ib_criterion_source source = {.condition = {text, IB_CRITERION_TEXT_MAX}};

    memset(text, ' ', IB_CRITERION_TEXT_MAX);
    memcpy(text, "true", 4);
    assert_ok(ib_criterion_compile(&source, &c, NULL, &err), &err);
}

static void both_versions_of_jsonpath_are_read(void **state)
{
    (void)state;
    static const char *const versions[] = {"draft-goessner-dispatch-jsonpath-00", "rfc9535"};
    struct ib_error err = IB_ERROR_INIT;

    for (size_t i = 0; i < IB_ARRAY_LEN(versions); i++) {
        IB_CLEANUP(ib_criterion_cleanup) struct ib_criterion *c = NULL;
        struct ib_criterion_source source = {.condition = IB_STR("$.a"),
                                             .context = IB_STR("$response.body"),
                                             .type = IB_STR("jsonpath"),
                                             .version = ib_str_from(versions[i])};
        assert_ok(ib_criterion_compile(&source, &c, NULL, &err), &err);
    }
}

static void long_condition_is_refused(void **state)
{
    (void)state;
    static char text[IB_CRITERION_TEXT_MAX + 2];
    static const char *const types[] = {"simple", "regex", "jsonpath"};
    struct ib_error err = IB_ERROR_INIT;
    struct ib_criterion *c = NULL;

    memset(text, '1', sizeof text - 1);
    for (size_t i = 0; i < IB_ARRAY_LEN(types); i++) {
        struct ib_criterion_place place = {NULL, 0};
        struct ib_criterion_source source = {.condition = ib_str_from(text),
                                             .context = IB_STR("$response.body"),
                                             .type = ib_str_from(types[i])};
        assert_rc(ib_criterion_compile(&source, &c, &place, &err), IB_ELIMIT, &err);
        assert_string_equal(place.member, "condition");
    }
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

static void simple_with_type_but_no_context_warns(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct warnings seen = {0, 9, ""};
    IB_CLEANUP(ib_criterion_cleanup) struct ib_criterion *c = NULL;
    struct ib_criterion_source source = {.condition = IB_STR("true"),
                                         .type = IB_STR("simple"),
                                         .warn = on_warning,
                                         .warn_ctx = &seen};

    assert_ok(ib_criterion_compile(&source, &c, NULL, &err), &err);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.column, 0);
    assert_contains(seen.text, "wants a context");
}

static void warnings_of_a_simple_condition_come_through(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct warnings seen = {0, 0, ""};
    IB_CLEANUP(ib_criterion_cleanup) struct ib_criterion *c = NULL;
    struct ib_criterion_source source = {
        .condition = IB_STR("$url == \"x\""), .warn = on_warning, .warn_ctx = &seen};

    assert_ok(ib_criterion_compile(&source, &c, NULL, &err), &err);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.column, 9);
}

static void expressions_can_be_listed(void **state)
{
    (void)state;
    static const struct row list_rows[] = {
        {"", "jsonpath", "$response.body", "$.a == {$inputs.a} || $.b == '{$inputs.b}'"},
        {"", "regex", "$response.body", "{$inputs.a}{$inputs.b}"},
        {"", "simple", "$response.body", "$inputs.a == $inputs.b"},
    };

    for (size_t i = 0; i < IB_ARRAY_LEN(list_rows); i++) {
        IB_CLEANUP(ib_criterion_cleanup) struct ib_criterion *c = NULL;
        compile(&list_rows[i], &c);
        assert_int_equal(ib_criterion_expr_count(c), 3);
        assert_int_equal(ib_criterion_expr(c, 0)->kind, IB_EXPR_RESPONSE_BODY);
        assert_true(ib_str_eq_c(ib_criterion_expr(c, 1)->name, "a"));
        assert_true(ib_str_eq_c(ib_criterion_expr(c, 2)->name, "b"));
        assert_null(ib_criterion_expr(c, 3));
    }
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_ROWS(bad_rows, test_bad);
    IB_TEST_CASE(both_versions_of_jsonpath_are_read);
    IB_TEST_CASE(longest_condition_is_read);
    IB_TEST_CASE(long_condition_is_refused);
    IB_TEST_CASE(simple_with_type_but_no_context_warns);
    IB_TEST_CASE(warnings_of_a_simple_condition_come_through);
    IB_TEST_CASE(expressions_can_be_listed);
    return IB_TEST_RUN();
}
