/* SPDX-License-Identifier: MIT */
/* lib/aws/xml.c: STS answers as values, and what is refused. */
#include "ib_test.h"

#include "ib_vectors.h"
#include "lib/aws/xml.h"

struct good_row {
    const char *name, *xml, *root;
    const char *want; /* as JSON */
};
static const struct good_row good_rows[] = {
    {"xml_leaf", "<a>x</a>", "a", "\"x\""},
    {"xml_empty_leaf", "<a/>", "a", "\"\""},
    {"xml_blanks_around_text_are_dropped", "<a>\n  x y \n</a>", "a", "\"x y\""},
    {"xml_children", "<a><b>1</b><c><d>2</d></c></a>", "a", "{\"b\":\"1\",\"c\":{\"d\":\"2\"}}"},
    {"xml_twice_is_a_list", "<a><b>1</b><b>2</b><b>3</b></a>", "a", "{\"b\":[\"1\",\"2\",\"3\"]}"},
    {"xml_namespace_is_dropped", "<n:a xmlns:n=\"u\"><n:b>1</n:b></n:a>", "a", "{\"b\":\"1\"}"},
    {"xml_entities", "<a>&lt;&#43;&#x2b;&amp;</a>", "a", "\"<++&\""},
    {"xml_cdata", "<a><![CDATA[<x>]]></a>", "a", "\"<x>\""},
    {"xml_declaration_and_comment", "<?xml version=\"1.0\"?><!-- c --><a>x</a>", "a", "\"x\""},
    {"xml_text_beside_children_is_dropped", "<a>t<b>1</b>u</a>", "a", "{\"b\":\"1\"}"},
};

static void good_row(void **state)
{
    const struct good_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf json = IB_BUF_INIT(4096);
    char root[64];

    assert_ok(ib_xml_parse(ib_str_from(r->xml), "answer", root, &v, &err), &err);
    assert_string_equal(root, r->root);
    ib_json_print(v, IB_JSON_COMPACT, &json);
    assert_string_equal(ib_buf_c(&json), r->want);
}

struct bad_row {
    const char *name, *xml;
    enum ib_rc want;
    const char *problem;
};
static const struct bad_row bad_rows[] = {
    {"xml_nothing", "", IB_EPARSE, "not XML"},
    {"xml_json", "{\"a\":1}", IB_EPARSE, "not XML"},
    {"xml_cut_off", "<a><b>1</b>", IB_EPARSE, "not XML"},
    {"xml_crossed", "<a>\n<b></a></b>", IB_EPARSE, "line 2"},
    {"xml_two_roots", "<a/><b/>", IB_EPARSE, "not XML"},
    {"xml_doctype", "<!DOCTYPE a><a/>", IB_EPARSE, "document type"},
    {"xml_entity_bomb", "<!DOCTYPE a [<!ENTITY x \"xxxxxxxx\">]><a>&x;&x;</a>", IB_EPARSE,
     "document type"},
    {"xml_external_entity", "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
     IB_EPARSE, "document type"},
    {"xml_unknown_entity", "<a>&x;</a>", IB_EPARSE, "not XML"},
    {"xml_bad_utf8", "<a>\xff</a>", IB_EPARSE, "not XML"},
    {"xml_nul_reference", "<a>&#0;</a>", IB_EPARSE, "not XML"},
    {"xml_too_deep", "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>", IB_ELIMIT, "too deep"},
    {"xml_long_name",
     "<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/>",
     IB_ELIMIT, "name"},
};

static void bad_row(void **state)
{
    const struct bad_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_value *v = NULL;

    assert_rc(ib_xml_parse(ib_str_from(r->xml), "answer", NULL, &v, &err), r->want, &err);
    assert_contains(err.text, "answer: ");
    assert_contains(err.text, r->problem);
    assert_null(v);
}

static void size_and_number_of_elements_are_capped(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf many = IB_BUF_INIT(1024 * 1024);
    struct ib_value *v = NULL;

    ib_buf_add_c(&many, "<a>");
    for (int i = 0; i < IB_XML_NODES_MAX; i++) {
        ib_buf_add_c(&many, "<b/>");
    }
    ib_buf_add_c(&many, "</a>");
    assert_rc(ib_xml_parse(ib_buf_str(&many), "answer", NULL, &v, &err), IB_ELIMIT, &err);
    assert_contains(err.text, "too many elements");
    ib_buf_reset(&many);
    for (size_t i = 0; i <= IB_XML_BYTES_MAX; i++) {
        ib_buf_add_char(&many, ' ');
    }
    assert_rc(ib_xml_parse(ib_buf_str(&many), "answer", NULL, &v, &err), IB_ELIMIT, &err);
}

static void role_credentials_are_read(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_VECTORS_FILE_MAX);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    char path[512];

    assert_true(ib_vectors_read(
        ib_vectors_ours("samples/credentials/sts-assume-role.xml", path, sizeof path), &text));
    assert_ok(ib_xml_parse(ib_buf_str(&text), "AssumeRole answer", NULL, &v, &err), &err);
    assert_string_equal(ib_vectors_str(v, "AssumeRoleResult.Credentials.AccessKeyId"),
                        "ASIAIOSFODNN7EXAMPLE");
    assert_string_equal(ib_vectors_str(v, "AssumeRoleResult.Credentials.SessionToken"),
                        "IQoJb3JpZ2luX2VjEXAMPLE+TOKEN==");
    assert_string_equal(ib_vectors_str(v, "AssumeRoleResult.Credentials.Expiration"),
                        "2026-09-03T11:22:33Z");
}

int main(void)
{
    IB_TEST_ROWS(good_rows, good_row);
    IB_TEST_ROWS(bad_rows, bad_row);
    IB_TEST_CASE(size_and_number_of_elements_are_capped);
    IB_TEST_CASE(role_credentials_are_read);
    return IB_TEST_RUN();
}
