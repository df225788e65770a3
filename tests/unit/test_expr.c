/* SPDX-License-Identifier: MIT */
/* lib/arazzo/expr.c: the grammar of runtime expressions, and what they find. */
#include "arazzo_test.h"

#include "lib/arazzo/expr.h"

struct parse_row {
    const char *name, *text;
    enum ib_expr_kind kind;
    const char *owner, *rest, *pointer; /* rest: the name; pointer NULL: none */
};
static const struct parse_row parse_rows[] = {
    {"url", "$url", IB_EXPR_URL, "", "", NULL},
    {"method", "$method", IB_EXPR_METHOD, "", "", NULL},
    {"status_code", "$statusCode", IB_EXPR_STATUS_CODE, "", "", NULL},
    {"self", "$self", IB_EXPR_SELF, "", "", NULL},
    {"request_header", "$request.header.Content-Type", IB_EXPR_REQUEST_HEADER, "", "Content-Type",
     NULL},
    {"request_query", "$request.query.imageBuildVersionArn", IB_EXPR_REQUEST_QUERY, "",
     "imageBuildVersionArn", NULL},
    {"request_path", "$request.path.id", IB_EXPR_REQUEST_PATH, "", "id", NULL},
    {"request_body", "$request.body", IB_EXPR_REQUEST_BODY, "", "", NULL},
    {"request_body_pointer", "$request.body#/user/uuid", IB_EXPR_REQUEST_BODY, "", "",
     "/user/uuid"},
    {"response_header", "$response.header.Retry-After", IB_EXPR_RESPONSE_HEADER, "", "Retry-After",
     NULL},
    {"response_header_with_dot", "$response.header.X.Y", IB_EXPR_RESPONSE_HEADER, "", "X.Y", NULL},
    {"response_query", "$response.query.a", IB_EXPR_RESPONSE_QUERY, "", "a", NULL},
    {"response_path", "$response.path.a", IB_EXPR_RESPONSE_PATH, "", "a", NULL},
    {"response_body", "$response.body", IB_EXPR_RESPONSE_BODY, "", "", NULL},
    {"response_body_whole_pointer", "$response.body#", IB_EXPR_RESPONSE_BODY, "", "", ""},
    {"pointer_to_the_empty_key", "$response.body#/", IB_EXPR_RESPONSE_BODY, "", "", "/"},
    {"pointer_with_blanks_and_braces", "$response.body#/a b/{c}", IB_EXPR_RESPONSE_BODY, "", "",
     "/a b/{c}"},
    {"pointer_with_escapes", "$response.body#/a~1b~0c", IB_EXPR_RESPONSE_BODY, "", "", "/a~1b~0c"},
    {"input", "$inputs.imageRecipeArn", IB_EXPR_INPUT, "", "imageRecipeArn", NULL},
    {"input_with_hyphen_and_dot", "$inputs.x-store.id", IB_EXPR_INPUT, "", "x-store.id", NULL},
    {"input_with_pointer", "$inputs.user#/name", IB_EXPR_INPUT, "", "user", "/name"},
    {"output", "$outputs.bar", IB_EXPR_OUTPUT, "", "bar", NULL},
    {"step_output", "$steps.getImage.outputs.status", IB_EXPR_STEP_OUTPUT, "getImage", "status",
     NULL},
    {"step_output_with_dots", "$steps.a.outputs.my.org", IB_EXPR_STEP_OUTPUT, "a", "my.org", NULL},
    {"step_called_outputs", "$steps.outputs.outputs.x", IB_EXPR_STEP_OUTPUT, "outputs", "x", NULL},
    {"step_with_dot", "$steps.a.b.outputs.c", IB_EXPR_STEP_OUTPUT, "a.b", "c", NULL},
    {"step_output_with_pointer", "$steps.a.outputs.b#/c/.outputs.d", IB_EXPR_STEP_OUTPUT, "a", "b",
     "/c/.outputs.d"},
    {"workflow_input", "$workflows.foo.inputs.username", IB_EXPR_WORKFLOW_INPUT, "foo", "username",
     NULL},
    {"workflow_output", "$workflows.foo.outputs.bar", IB_EXPR_WORKFLOW_OUTPUT, "foo", "bar", NULL},
    {"workflow_output_with_inputs_in_its_name", "$workflows.foo.outputs.a.inputs.b",
     IB_EXPR_WORKFLOW_OUTPUT, "foo", "a.inputs.b", NULL},
    {"source", "$sourceDescriptions.petStore", IB_EXPR_SOURCE, "petStore", "", NULL},
    {"source_url", "$sourceDescriptions.petStore.url", IB_EXPR_SOURCE, "petStore", "url", NULL},
    {"source_operation_with_dots_and_blanks", "$sourceDescriptions.p.pets.find by tag",
     IB_EXPR_SOURCE, "p", "pets.find by tag", NULL},
    {"component_parameter", "$components.parameters.page", IB_EXPR_COMPONENT, "parameters", "page",
     NULL},
    {"component_action", "$components.failureActions.again", IB_EXPR_COMPONENT, "failureActions",
     "again", NULL},
};

static void test_parse(void **state)
{
    const struct parse_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_expr_cleanup) struct ib_expr *e = NULL;

    assert_ok(ib_expr_parse(ib_str_from(r->text), &e, NULL, &err), &err);
    assert_int_equal(e->kind, r->kind);
    assert_true(ib_str_eq_c(e->text, r->text));
    assert_true(ib_str_eq_c(e->owner, r->owner));
    assert_true(ib_str_eq_c(e->name, r->rest));
    assert_int_equal(e->pointer.p == NULL, r->pointer == NULL);
    assert_true(r->pointer == NULL || ib_str_eq_c(e->pointer, r->pointer));
    assert_true(ib_expr_looks_like(ib_str_from(r->text)));
}

struct bad_row {
    const char *name, *text;
    size_t column;
    const char *words;
    bool looks_like;
};
static const struct bad_row bad_rows[] = {
    {"empty", "", 1, "no runtime expression", false},
    {"dollar", "$", 1, "no runtime expression", false},
    {"price", "$5.00", 1, "no runtime expression", false},
    {"jsonpath", "$.image.state", 1, "no runtime expression", false},
    {"no_dollar", "inputs.a", 1, "no runtime expression", false},
    {"unknown_root", "$env.HOME", 1, "no runtime expression", false},
    {"status_code_with_more", "$statusCode.x", 12, "nothing may follow $statusCode", true},
    {"word_that_begins_alike", "$urls", 5, "nothing may follow $url", false},
    {"wrong_case", "$Inputs.a", 1, "no runtime expression", false},
    {"input_without_name", "$inputs.", 9, "the name of the input is missing", true},
    {"inputs_alone", "$inputs", 1, "no runtime expression", false},
    {"two_inputs", "$inputs.first $inputs.last", 14, "ends before a blank", true},
    {"input_with_brace", "$inputs.a}", 10, "ends before a blank, a brace", true},
    {"bad_pointer", "$inputs.a#b", 11, "does not start with '/'", true},
    {"bad_escape", "$response.body#/~", 16, "'~' is not followed by 0 or 1", true},
    {"body_with_member", "$response.body.image", 15, "as in $response.body#/a/b", true},
    {"body_with_more", "$response.bodyx", 15, "only '#' and a JSON pointer", true},
    {"unknown_part", "$response.status", 11, "header.NAME, query.NAME, path.NAME or body", true},
    {"header_without_name", "$response.header.", 18, "the name of the header is missing", true},
    {"header_with_blank", "$response.header.a b", 19, "a header name has no such character", true},
    {"query_without_name", "$request.query.", 16, "the name of the parameter is missing", true},
    {"step_alone", "$steps.a", 8, "STEP.outputs.NAME is wanted", true},
    {"step_outputs_alone", "$steps.a.outputs", 8, "STEP.outputs.NAME is wanted", true},
    {"step_output_without_name", "$steps.a.outputs.", 18, "the name of the output is missing",
     true},
    {"step_without_id", "$steps..outputs.x", 8, "the stepId is missing", true},
    {"step_inputs", "$steps.a.inputs.x", 8, "STEP.outputs.NAME is wanted", true},
    {"step_pointer_holds_the_word", "$steps.a#/.outputs.x", 8, "STEP.outputs.NAME is wanted", true},
    {"workflow_alone", "$workflows.a", 12, "WORKFLOW.outputs.NAME or WORKFLOW.inputs.NAME", true},
    {"source_without_name", "$sourceDescriptions..url", 21, "is missing", true},
    {"source_dot_at_the_end", "$sourceDescriptions.a.", 23, "url, type or an operationId", true},
    {"component_kind", "$components.schemas.a", 13, "inputs, parameters, successActions", true},
    {"component_without_name", "$components.parameters", 23, "the name of the component", true},
    {"message", "$message.payload", 1, "AsyncAPI", true},
    {"invalid_utf8", "$inputs.\xff", 1, "not valid UTF-8", true},
};

static void test_bad(void **state)
{
    const struct bad_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_expr *e = NULL;
    size_t column = 0;
    char prefix[32];

    assert_rc(ib_expr_parse(ib_str_from(r->text), &e, &column, &err), IB_EPARSE, &err);
    if (column != r->column) {
        fail_msg("column %zu: %s", column, err.text);
    }
    (void)snprintf(prefix, sizeof prefix, "column %zu: ", column);
    assert_memory_equal(err.text, prefix, strlen(prefix));
    assert_contains(err.text, r->words);
    assert_int_equal(ib_expr_looks_like(ib_str_from(r->text)), r->looks_like);
    assert_int_equal(ib_expr_parse(ib_str_from(r->text), &e, NULL, NULL), IB_EPARSE);
}

static void long_text_is_refused(void **state)
{
    (void)state;
    static char text[IB_EXPR_TEXT_MAX + 2];
    struct ib_expr *e = NULL;

    memset(text, 'a', sizeof text - 1);
    memcpy(text, "$inputs.", 8);
    assert_int_equal(ib_expr_parse(ib_str_from(text), &e, NULL, NULL), IB_ELIMIT);
    text[IB_EXPR_TEXT_MAX] = '\0';
    assert_int_equal(ib_expr_parse(ib_str_from(text), &e, NULL, NULL), IB_OK);
    ib_expr_free(e);
}

static void nul_byte_is_refused(void **state)
{
    (void)state;
    struct ib_expr *e = NULL;

    assert_int_equal(ib_expr_parse((struct ib_str){"$inputs.a\0b", 11}, &e, NULL, NULL), IB_EPARSE);
}

/* ------------------------------------------------------------------------------------- lookup */

struct fixture {
    struct ib_value *parts[16];
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
    f->scope.inputs =
        keep(f, "{\"n\":5,\"b\":true,\"x-store-id\":\"S1\",\"my.org\":\"acme\","
                "\"my\":{\"org\":\"hidden\",\"other\":1},\"list\":[{\"id\":\"i0\"},[7]],"
                "\"null\":null,\"a[0]\":\"odd\",\"a\":[1]}");
    f->scope.outputs = keep(f, "{\"o\":1}");
    f->scope.steps = keep(f, "{\"createImage\":{\"imageBuildVersionArn\":\"arn:x\"},"
                             "\"a.b\":{\"c\":{\"d\":[0,\"e\"]}},\"empty\":{}}");
    f->scope.workflows = keep(f, "{\"w\":{\"inputs\":{\"i\":1},\"outputs\":{\"o\":2}}}");
    f->scope.sources = keep(f, "{\"s\":{\"url\":\"./x.yaml\",\"type\":\"openapi\"}}");
    f->scope.components = keep(f, "{\"parameters\":{\"p.q\":{\"name\":\"n\"}}}");
    f->scope.self = keep(f, "\"https://h/self\"");
    f->scope.request.url = keep(f, "\"https://h/GetImage\"");
    f->scope.request.method = keep(f, "\"GET\"");
    f->scope.request.headers = keep(f, "{\"X-Id\":\"h\"}");
    f->scope.request.query = keep(f, "{\"imageBuildVersionArn\":\"arn:q\"}");
    f->scope.request.path = keep(f, "{\"id\":\"p\"}");
    f->scope.request.body = keep(f, "{\"clientToken\":\"t\"}");
    f->scope.response.status = keep(f, "200");
    f->scope.response.headers = keep(f, "{\"retry-after\":\"2\"}");
    f->scope.response.body = keep(f, "{\"image\":{\"state\":{\"status\":\"BUILDING\"},\"a/b\":1,"
                                     "\"m~n\":2,\"\":3,\"0\":4},\"l\":[10,null,30]}");
}

static void fixture_fini(struct fixture *f)
{
    for (size_t i = 0; i < f->count; i++) {
        ib_value_unref(f->parts[i]);
    }
}

struct eval_row {
    const char *name, *text, *want;
};
static const struct eval_row eval_rows[] = {
    {"finds_url", "$url", "\"https://h/GetImage\""},
    {"finds_method", "$method", "\"GET\""},
    {"finds_status_code_as_a_number", "$statusCode", "200"},
    {"finds_self", "$self", "\"https://h/self\""},
    {"finds_request_header_without_case", "$request.header.x-id", "\"h\""},
    {"finds_query", "$request.query.imageBuildVersionArn", "\"arn:q\""},
    {"query_is_case_sensitive", "$request.query.imagebuildversionarn", "nothing"},
    {"finds_path", "$request.path.id", "\"p\""},
    {"finds_request_body", "$request.body#/clientToken", "\"t\""},
    {"finds_response_header_without_case", "$response.header.Retry-AFTER", "\"2\""},
    {"header_that_was_not_sent", "$response.header.x", "nothing"},
    {"response_has_no_query", "$response.query.a", "nothing"},
    {"finds_by_pointer", "$response.body#/image/state/status", "\"BUILDING\""},
    {"pointer_unescapes_slash", "$response.body#/image/a~1b", "1"},
    {"pointer_unescapes_tilde", "$response.body#/image/m~0n", "2"},
    {"pointer_to_empty_key", "$response.body#/image/", "3"},
    {"pointer_to_number_like_key", "$response.body#/image/0", "4"},
    {"pointer_to_element", "$response.body#/l/0", "10"},
    {"pointer_to_null_element", "$response.body#/l/1", "null"},
    {"pointer_past_the_end", "$response.body#/l/3", "nothing"},
    {"pointer_with_leading_zero", "$response.body#/l/00", "nothing"},
    {"pointer_overflow", "$response.body#/l/4294967296", "nothing"},
    {"pointer_dash", "$response.body#/l/-", "nothing"},
    {"pointer_empty_index", "$response.body#/l/", "nothing"},
    {"pointer_is_not_percent_decoded", "$response.body#/image%2Fstate", "nothing"},
    {"pointer_into_a_scalar", "$response.body#/image/state/status/x", "nothing"},
    {"input_keeps_its_type", "$inputs.n", "5"},
    {"input_boolean", "$inputs.b", "true"},
    {"input_null_is_there", "$inputs.null", "null"},
    {"input_with_hyphen", "$inputs.x-store-id", "\"S1\""},
    {"input_whose_name_has_a_dot_wins", "$inputs.my.org", "\"acme\""},
    {"input_member", "$inputs.my.other", "1"},
    {"input_element", "$inputs.list[0].id", "\"i0\""},
    {"input_element_of_element", "$inputs.list[1][0]", "7"},
    {"input_key_with_bracket_wins", "$inputs.a[0]", "\"odd\""},
    {"input_pointer", "$inputs.list#/0/id", "\"i0\""},
    {"input_that_is_not_there", "$inputs.no", "nothing"},
    {"input_without_case_is_another", "$inputs.N", "nothing"},
    {"output", "$outputs.o", "1"},
    {"step_output", "$steps.createImage.outputs.imageBuildVersionArn", "\"arn:x\""},
    {"step_with_dot", "$steps.a.b.outputs.c.d[1]", "\"e\""},
    {"step_without_that_output", "$steps.empty.outputs.x", "nothing"},
    {"step_that_never_ran", "$steps.never.outputs.x", "nothing"},
    {"workflow_input", "$workflows.w.inputs.i", "1"},
    {"workflow_output", "$workflows.w.outputs.o", "2"},
    {"workflow_unknown", "$workflows.v.outputs.o", "nothing"},
    {"source_url", "$sourceDescriptions.s.url", "\"./x.yaml\""},
    {"source_whole", "$sourceDescriptions.s", "{\"url\":\"./x.yaml\",\"type\":\"openapi\"}"},
    {"source_operation_is_no_value", "$sourceDescriptions.s.GetImage", "nothing"},
    {"component", "$components.parameters.p.q", "{\"name\":\"n\"}"},
};

static void expect(const char *text, bool is_operand, const struct ib_scope *scope,
                   const char *want)
{
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_expr_cleanup) struct ib_expr *e = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;

    assert_ok(is_operand ? ib_expr_parse_operand(ib_str_from(text), &e, NULL, &err)
                         : ib_expr_parse(ib_str_from(text), &e, NULL, &err),
              &err);
    assert_ok(ib_expr_eval(e, scope, &v, &err), &err);
    IB_CLEANUP(ib_cleanup_char) char *seen = json_text(v);
    assert_string_equal(seen, want);
}

static void test_eval(void **state)
{
    const struct eval_row *r = *state;
    IB_CLEANUP(fixture_fini) struct fixture f;

    fixture_init(&f);
    expect(r->text, false, &f.scope, r->want);
}

static void test_eval_of_nothing(void **state)
{
    const struct eval_row *r = *state;
    struct ib_scope scope = {.inputs = NULL};

    expect(r->text, false, &scope, "nothing");
}

static void text_body_has_no_members(void **state)
{
    (void)state;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *body = json("\"<html>\"");
    struct ib_scope scope = {.response.body = body};

    expect("$response.body", false, &scope, "\"<html>\"");
    expect("$response.body#/image", false, &scope, "nothing");
    expect("$response.body#", false, &scope, "\"<html>\"");
}

static void operand_of_a_condition_may_navigate(void **state)
{
    (void)state;
    IB_CLEANUP(fixture_fini) struct fixture f;

    fixture_init(&f);
    expect("$response.body.image.state.status", true, &f.scope, "\"BUILDING\"");
    expect("$response.body['image']['a/b']", true, &f.scope, "1");
    expect("$response.body[\"l\"][2]", true, &f.scope, "30");
    expect("$response.body.l[18446744073709551616]", true, &f.scope, "nothing");
    expect("$request.body.clientToken", true, &f.scope, "\"t\"");
}

static void known_key_is_the_longest(void **state)
{
    (void)state;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *o = json("{\"a\":1,\"a.b\":2}");
    struct ib_str rest;

    assert_true(ib_str_eq_c(ib_expr_known_key(o, IB_STR("a.b.c[0]"), &rest), "a.b"));
    assert_true(ib_str_eq_c(rest, ".c[0]"));
    assert_true(ib_str_eq_c(ib_expr_known_key(o, IB_STR("a[0]"), &rest), "a"));
    assert_true(ib_str_eq_c(rest, "[0]"));
    assert_true(ib_str_eq_c(ib_expr_known_key(o, IB_STR("a"), &rest), "a"));
    assert_int_equal(rest.n, 0);
    assert_null(ib_expr_known_key(o, IB_STR("ab"), &rest).p);
    assert_null(ib_expr_known_key(NULL, IB_STR("a"), &rest).p);
}

static void shared_parts_do_not_explode(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_value *v = json("{}");
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_EXPR_TEXT_MAX);

    /* Each level reaches the next by "a" and by "a.a": without a bound the ways double. */
    for (size_t i = 0; i < 60; i++) {
        struct ib_value *outer = ib_value_object();
        assert_ok(ib_value_set(outer, IB_STR("a"), ib_value_ref(v), &err), &err);
        assert_ok(ib_value_set(outer, IB_STR("a.a"), v, &err), &err);
        v = outer;
    }
    ib_buf_add_c(&text, "$inputs.a");
    for (size_t i = 0; i < 100; i++) {
        ib_buf_add_c(&text, ".a");
    }
    ib_buf_add_c(&text, ".x");
    struct ib_scope scope = {.inputs = v};
    IB_CLEANUP(ib_expr_cleanup) struct ib_expr *e = NULL;
    struct ib_value *found = NULL;
    assert_ok(ib_expr_parse(ib_buf_str(&text), &e, NULL, &err), &err);
    assert_rc(ib_expr_eval(e, &scope, &found, &err), IB_ELIMIT, &err);
    assert_null(found);
    ib_value_unref(v);
}

static void thousands_of_dots_end(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *inputs = json("{\"a\":1}");
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_EXPR_TEXT_MAX);
    IB_CLEANUP(ib_expr_cleanup) struct ib_expr *e = NULL;
    struct ib_scope scope = {.inputs = inputs};
    struct ib_value *found = NULL;
    struct ib_str rest;

    ib_buf_add_c(&text, "$inputs.");
    while (text.len < IB_EXPR_TEXT_MAX) {
        ib_buf_add_c(&text, ".");
    }
    assert_ok(ib_expr_parse(ib_buf_str(&text), &e, NULL, &err), &err);
    assert_rc(ib_expr_eval(e, &scope, &found, &err), IB_ELIMIT, &err);
    assert_null(ib_expr_known_key(inputs, e->name, &rest).p);
}

int main(void)
{
    static struct eval_row missing_rows[IB_ARRAY_LEN(eval_rows)];
    static char names[IB_ARRAY_LEN(eval_rows)][96];

    IB_TEST_ROWS(parse_rows, test_parse);
    IB_TEST_ROWS(bad_rows, test_bad);
    IB_TEST_ROWS(eval_rows, test_eval);
    for (size_t i = 0; i < IB_ARRAY_LEN(eval_rows); i++) {
        (void)snprintf(names[i], sizeof names[i], "%s_in_an_empty_scope", eval_rows[i].name);
        missing_rows[i] = eval_rows[i];
        missing_rows[i].name = names[i];
    }
    IB_TEST_ROWS(missing_rows, test_eval_of_nothing);
    IB_TEST_CASE(long_text_is_refused);
    IB_TEST_CASE(nul_byte_is_refused);
    IB_TEST_CASE(text_body_has_no_members);
    IB_TEST_CASE(operand_of_a_condition_may_navigate);
    IB_TEST_CASE(known_key_is_the_longest);
    IB_TEST_CASE(shared_parts_do_not_explode);
    IB_TEST_CASE(thousands_of_dots_end);
    return IB_TEST_RUN();
}
