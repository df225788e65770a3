/* SPDX-License-Identifier: MIT */
/* lib/arazzo/inputs.c, schema.c: what a workflow is given against its schema. */
#include "arazzo_test.h"

#include "lib/arazzo/inputs.h"

struct row {
    const char *name, *schema, *given;
    const char *seen;  /* NULL: refused */
    const char *error; /* then: the sentence */
};

#define OBJECT(properties) "{\"type\":\"object\",\"properties\":{" properties "}}"
#define ONE(schema)        OBJECT("\"a\":" schema)

static const struct row rows[] = {
    { "nothing_asked_nothing_given", OBJECT(""), "{}", "{}", NULL },
    { "a_default_is_applied", ONE("{\"default\":\"d\"}"), "{}", "{\"a\":\"d\"}", NULL },
    { "a_default_gives_way", ONE("{\"default\":\"d\"}"), "{\"a\":\"x\"}", "{\"a\":\"x\"}", NULL },
    { "null_given_is_given", ONE("{\"default\":\"d\"}"), "{\"a\":null}", "{\"a\":null}", NULL },
    { "a_default_inside_of_an_object_is_applied", ONE(OBJECT("\"b\":{\"default\":1}")), "{\"a\":{}}", "{\"a\":{\"b\":1}}", NULL },
    { "a_default_inside_of_an_absent_object_is_not", ONE(OBJECT("\"b\":{\"default\":1}")), "{}", "{}", NULL },
    { "a_default_behind_a_ref_is_applied", "{\"properties\":{\"a\":{\"$ref\":\"#/inputs/properties/b\"},\"b\":{\"default\":1}}}", "{}", "{\"a\":1,\"b\":1}", NULL },
    { "an_unknown_input_is_refused", ONE("{}"), "{\"b\":1}", NULL, "workflow w has no input \"b\"; its inputs: a" },
    { "additionalProperties_allows_others", "{\"type\":\"object\",\"additionalProperties\":true}", "{\"b\":1}", "{\"b\":1}", NULL },
    { "additionalProperties_is_a_schema_for_others", "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}", "{\"b\":1}", NULL,
      "input b: must be of type string, not integer" },
    { "a_required_input_must_be_there", "{\"required\":[\"a\",\"b\",\"c\"],\"properties\":{\"a\":{},\"b\":{},\"c\":{\"default\":1}}}", "{}", NULL,
      "workflow w needs the inputs a, b" },
    { "a_required_member_must_be_there", ONE("{\"required\":[\"b\"]}"), "{\"a\":{}}", NULL, "input a: needs the member \"b\"" },
    { "type_string", ONE("{\"type\":\"string\"}"), "{\"a\":1}", NULL, "input a: must be of type string, not integer" },
    { "type_integer_takes_a_whole_real", ONE("{\"type\":\"integer\"}"), "{\"a\":2.0}", "{\"a\":2}", NULL },
    { "type_integer_refuses_a_fraction", ONE("{\"type\":\"integer\"}"), "{\"a\":2.5}", NULL, "input a: must be of type integer, not number" },
    { "type_number_takes_both", ONE("{\"type\":\"number\"}"), "{\"a\":2}", "{\"a\":2}", NULL },
    { "type_boolean_does_not_take_text", ONE("{\"type\":\"boolean\"}"), "{\"a\":\"true\"}", NULL, "input a: must be of type boolean, not string" },
    { "a_list_of_types", ONE("{\"type\":[\"integer\",\"null\"]}"), "{\"a\":\"x\"}", NULL, "input a: must be of type integer or null, not string" },
    { "enum_takes_equal_values", ONE("{\"enum\":[1,\"x\",{\"k\":[]}]}"), "{\"a\":{\"k\":[]}}", "{\"a\":{\"k\":[]}}", NULL },
    { "enum_names_its_values", ONE("{\"enum\":[1,\"x\"]}"), "{\"a\":\"y\"}", NULL, "input a: must be one of 1, \"x\"" },
    { "const_is_one_value", ONE("{\"const\":\"x\"}"), "{\"a\":\"y\"}", NULL, "input a: must be \"x\"" },
    { "minLength_counts_characters", ONE("{\"minLength\":3}"), "{\"a\":\"\\u00e4\\u00f6\"}", NULL, "input a: must have at least 3 characters, not 2" },
    { "maxLength_counts_characters", ONE("{\"maxLength\":2}"), "{\"a\":\"\\u00e4\\u00f6\"}", "{\"a\":\"\xC3\xA4\xC3\xB6\"}", NULL },
    { "pattern_is_a_search", ONE("{\"pattern\":\"[0-9]\"}"), "{\"a\":\"x1y\"}", "{\"a\":\"x1y\"}", NULL },
    { "pattern_refuses", ONE("{\"pattern\":\"^arn:\"}"), "{\"a\":\"x arn:\"}", NULL, "input a: does not match the pattern ^arn:" },
    { "minimum", ONE("{\"minimum\":1}"), "{\"a\":0}", NULL, "input a: must be at least 1" },
    { "maximum_is_inclusive", ONE("{\"maximum\":1.5}"), "{\"a\":1.5}", "{\"a\":1.5}", NULL },
    { "exclusiveMaximum_is_not", ONE("{\"exclusiveMaximum\":1.5}"), "{\"a\":1.5}", NULL, "input a: must be less than 1.5" },
    { "exclusiveMinimum_is_not", ONE("{\"exclusiveMinimum\":0}"), "{\"a\":0}", NULL, "input a: must be more than 0" },
    { "multipleOf", ONE("{\"multipleOf\":4}"), "{\"a\":6}", NULL, "input a: must be a multiple of 4" },
    { "bounds_do_not_speak_of_text", ONE("{\"minimum\":1,\"minItems\":1}"), "{\"a\":\"x\"}", "{\"a\":\"x\"}", NULL },
    { "items_are_tested_each", ONE("{\"items\":{\"type\":\"string\"}}"), "{\"a\":[\"x\",2]}", NULL, "input a[1]: must be of type string, not integer" },
    { "minItems", ONE("{\"minItems\":1}"), "{\"a\":[]}", NULL, "input a: must have at least 1 elements, not 0" },
    { "maxItems", ONE("{\"maxItems\":1}"), "{\"a\":[1,2]}", NULL, "input a: must have at most 1 elements, not 2" },
    { "members_are_named_by_their_path", ONE(OBJECT("\"b\":{\"items\":" OBJECT("\"c\":{\"type\":\"null\"}") "}")),
      "{\"a\":{\"b\":[{},{\"c\":1}]}}", NULL, "input a.b[1].c: must be of type null, not integer" },
    { "allOf", ONE("{\"allOf\":[{\"type\":\"integer\"},{\"minimum\":3}]}"), "{\"a\":2}", NULL, "input a: must be at least 3" },
    { "anyOf", ONE("{\"anyOf\":[{\"type\":\"null\"},{\"minimum\":3}]}"), "{\"a\":2}", NULL, "input a: fits 0 of the schemas in \"anyOf\"" },
    { "oneOf", ONE("{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}"), "{\"a\":2}", NULL, "input a: fits 2 of the schemas in \"oneOf\"" },
    { "not", ONE("{\"not\":{\"const\":2}}"), "{\"a\":2}", NULL, "input a: is what \"not\" of its schema excludes" },
    { "a_schema_that_is_false", ONE("false"), "{\"a\":2}", NULL, "input a: is not allowed" },
    { "unknown_keywords_say_nothing", ONE("{\"format\":\"uri\",\"x-foo\":1,\"deprecated\":true}"), "{\"a\":\"not a uri\"}", "{\"a\":\"not a uri\"}", NULL },
    { "a_ref_is_followed", "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/inputs/properties/b\"},\"b\":{\"type\":\"string\"}}}", "{\"a\":1}", NULL,
      "input a: must be of type string, not integer" },
    { "a_ref_to_itself_ends", "{\"type\":\"object\",\"properties\":{\"a\":{\"allOf\":[{\"$ref\":\"#/inputs/properties/a\"}]}}}", "{\"a\":1}", NULL,
      "the schema of the inputs is too deep or refers to itself" },
    { "a_schema_that_forks_at_every_level_ends", "{\"type\":\"object\",\"properties\":{\"a\":{\"anyOf\":[{\"allOf\":[{\"$ref\":\"#/inputs/properties/a\"},"
      "{\"$ref\":\"#/inputs/properties/a\"}]},{\"const\":0}]}}}", "{\"a\":1}", NULL, "the schema of the inputs is too deep or refers to itself" },
    { "no_schema_takes_nothing", NULL, "{\"a\":1}", NULL, "workflow w has no input \"a\"; its inputs: none" },
    { "inputs_must_be_an_object", OBJECT(""), "[1]", NULL, "inputs must be an object, not array" },
};

static void with_schema(const char *schema, struct ib_value **ret_root, struct ib_arazzo_doc *doc,
                        struct ib_arazzo_workflow *w)
{
    char text[4096];

    (void)snprintf(text, sizeof text, "{\"inputs\":%s}", schema == NULL ? "null" : schema);
    *ret_root = json(text);
    *doc = (struct ib_arazzo_doc){ .name = "t", .root = *ret_root };
    *w = (struct ib_arazzo_workflow){ .id = IB_STR("w"),
                                      .inputs = schema == NULL
                                                    ? NULL
                                                    : ib_value_get_c(*ret_root, "inputs") };
}

static void test_row(void **state)
{
    const struct row *r = *state;
    struct ib_value *root = NULL;
    struct ib_value *given = json(r->given);
    struct ib_value *seen = NULL;
    struct ib_arazzo_doc doc;
    struct ib_arazzo_workflow w;
    struct ib_error err = IB_ERROR_INIT;

    with_schema(r->schema, &root, &doc, &w);
    enum ib_rc rc = ib_inputs_prepare(&doc, &w, given, NULL, &seen, &err);
    if (r->seen != NULL) {
        assert_ok(rc, &err);
        struct ib_value *wanted = json(r->seen);
        assert_true(ib_value_equal(seen, wanted));
        ib_value_unref(wanted);
    } else if (r->error != NULL) {
        assert_string_equal(err.text, r->error);
        assert_true(rc == IB_EUSAGE || rc == IB_ELIMIT);
    }
    ib_value_unref(seen);
    ib_value_unref(given);
    ib_value_unref(root);
}

struct text_row {
    const char *name, *schema, *text, *seen; /* seen NULL: refused */
};

static const struct text_row text_rows[] = {
    { "text_for_a_string_is_taken_as_it_is", "{\"type\":\"string\"}", "007", "\"007\"" },
    { "text_that_looks_like_JSON_for_a_string_too", "{\"type\":\"string\"}", "{\"x\":1}", "\"{\\\"x\\\":1}\"" },
    { "text_for_an_integer", "{\"type\":\"integer\"}", "7", "7" },
    { "text_for_a_number", "{\"type\":\"number\"}", "1.5", "1.5" },
    { "text_for_a_boolean", "{\"type\":\"boolean\"}", "true", "true" },
    { "text_for_an_array", "{\"type\":\"array\"}", "[1,\"x\"]", "[1,\"x\"]" },
    { "text_for_an_object", "{\"type\":\"object\"}", "{\"k\":null}", "{\"k\":null}" },
    { "text_for_several_types_is_JSON_when_that_fits", "{\"type\":[\"integer\",\"string\"]}", "7", "7" },
    { "text_for_several_types_is_text_otherwise", "{\"type\":[\"integer\",\"string\"]}", "7x", "\"7x\"" },
    { "text_for_several_types_does_not_become_a_third", "{\"type\":[\"integer\",\"string\"]}", "true", "\"true\"" },
    { "text_without_a_type_is_text", "{}", "7", "\"7\"" },
    { "text_that_is_no_integer_stays_text_for_the_test_to_refuse", "{\"type\":\"integer\"}", "seven", "\"seven\"" },
};

static void test_text(void **state)
{
    const struct text_row *r = *state;
    char schema[256];
    struct ib_value *root = NULL;
    struct ib_value *seen = NULL;
    struct ib_arazzo_doc doc;
    struct ib_arazzo_workflow w;
    struct ib_error err = IB_ERROR_INIT;

    (void)snprintf(schema, sizeof schema, "{\"properties\":{\"a\":%s}}", r->schema);
    with_schema(schema, &root, &doc, &w);
    assert_ok(ib_inputs_from_text(&doc, &w, IB_STR("a"), ib_str_from(r->text), &seen, &err), &err);
    char *text = json_text(seen);
    assert_string_equal(text, r->seen);
    free(text);
    assert_rc(ib_inputs_from_text(&doc, &w, IB_STR("b"), IB_STR("x"), &seen, &err), IB_EUSAGE, &err);
    assert_string_equal(err.text, "workflow w has no input \"b\"; its inputs: a");
    ib_value_unref(seen);
    ib_value_unref(root);
}

static void a_generated_input_is_fresh_and_gives_way(void **state)
{
    struct ib_value *root = NULL;
    struct ib_value *one = NULL;
    struct ib_value *two = NULL;
    struct ib_value *given = json("{\"a\":\"mine\"}");
    struct ib_arazzo_doc doc;
    struct ib_arazzo_workflow w;
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    with_schema("{\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"string\",\"x-ib-generate\":\"uuid\"}}}",
                &root, &doc, &w);
    assert_ok(ib_inputs_prepare(&doc, &w, NULL, NULL, &one, &err), &err);
    assert_ok(ib_inputs_prepare(&doc, &w, NULL, NULL, &two, &err), &err);
    assert_int_equal(ib_value_as_str(ib_value_get_c(one, "a")).n, 36);
    assert_false(ib_value_equal(one, two));
    ib_value_unref(two);
    two = NULL;
    assert_ok(ib_inputs_prepare(&doc, &w, given, NULL, &two, &err), &err);
    assert_true(ib_value_equal(two, given));
    ib_value_unref(one);
    ib_value_unref(two);
    ib_value_unref(given);
    ib_value_unref(root);
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_ROWS(text_rows, test_text);
    IB_TEST_CASE(a_generated_input_is_fresh_and_gives_way);
    return IB_TEST_RUN();
}
