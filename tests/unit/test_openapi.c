/* SPDX-License-Identifier: MIT */
/* lib/arazzo/openapi.c, link.c: local descriptions of operations, and how steps name them. */
#include "arazzo_test.h"
#include "ib_vectors.h"

#include "lib/arazzo/check.h"
#include "lib/arazzo/link.h"
#include "lib/arazzo/openapi.h"

#define API                                                                                       \
    "openapi: 3.1.0\nservers:\n- url: http://imagebuilder.{region}.amazonaws.com\n"                     \
    "- url: https://imagebuilder.{region}.amazonaws.com\n  variables: {region: {default: us-east-1}}\n" \
    "paths:\n  /GetImage#imageBuildVersionArn:\n    get: {operationId: GetImage}\n"                       \
    "  /tags/{resourceArn}:\n    servers: [{url: https://tags.example.com}]\n"                            \
    "    get: {operationId: ListTags}\n    delete: {operationId: Untag, servers: [{url: /here}]}\n"       \
    "    parameters: []\n  /twice:\n    put: {operationId: Same}\n    post: {operationId: Same}\n"        \
    "    patch: {}\n"

struct row {
    const char *name, *id, *pointer;
    const char *method, *path, *server; /* method NULL: not found */
};

static const struct row rows[] = {
    { "a_path_is_cut_at_the_fragment_and_https_goes_first", "GetImage", NULL, "GET", "/GetImage", "https://imagebuilder.{region}.amazonaws.com" },
    { "the_server_of_the_path_goes_before_that_of_the_document", "ListTags", NULL, "GET", "/tags/{resourceArn}", "https://tags.example.com" },
    { "the_server_of_the_operation_goes_before_that_of_the_path", "Untag", NULL, "DELETE", "/tags/{resourceArn}", "/here" },
    { "ids_are_compared_by_case", "getimage", NULL, NULL, NULL, NULL },
    { "a_pointer_names_an_operation", NULL, "/paths/~1tags~1{resourceArn}/delete", "DELETE", "/tags/{resourceArn}", "/here" },
    { "a_pointer_names_a_path_with_a_fragment", NULL, "/paths/~1GetImage#imageBuildVersionArn/get", "GET", "/GetImage", "https://imagebuilder.{region}.amazonaws.com" },
    { "a_pointer_tells_methods_apart", NULL, "/paths/~1twice/post", "POST", "/twice", "https://imagebuilder.{region}.amazonaws.com" },
    { "a_pointer_to_an_operation_without_an_id", NULL, "/paths/~1twice/patch", "PATCH", "/twice", "https://imagebuilder.{region}.amazonaws.com" },
    { "a_pointer_without_a_method_names_nothing", NULL, "/paths/~1twice", NULL, NULL, NULL },
    { "a_pointer_to_a_member_that_is_no_method_names_nothing", NULL, "/paths/~1tags~1{resourceArn}/parameters", NULL, NULL, NULL },
    { "a_pointer_elsewhere_names_nothing", NULL, "/servers/0", NULL, NULL, NULL },
    { "a_pointer_that_is_none_names_nothing", NULL, "paths/~1twice/post", NULL, NULL, NULL },
};

static void test_row(void **state)
{
    const struct row *r = *state;
    struct ib_openapi *o = NULL;
    struct ib_error err = IB_ERROR_INIT;

    assert_ok(ib_openapi_parse(ib_str_from(API), "api", &o, &err), &err);
    const struct ib_openapi_operation *op = r->id != NULL
                                                ? ib_openapi_by_id(o, ib_str_from(r->id), NULL)
                                                : ib_openapi_by_pointer(o, ib_str_from(r->pointer));
    if (r->method == NULL) {
        assert_null(op);
    } else {
        assert_non_null(op);
        assert_true(ib_str_eq_c(op->method, r->method));
        assert_true(ib_str_eq_c(op->path, r->path));
        assert_true(ib_str_eq_c(op->server, r->server));
    }
    ib_openapi_free(o);
}

static void an_id_that_stands_twice_is_counted(void **state)
{
    struct ib_openapi *o = NULL;
    struct ib_error err = IB_ERROR_INIT;
    size_t count = 0;

    (void)state;
    assert_ok(ib_openapi_parse(ib_str_from(API), "api", &o, &err), &err);
    assert_non_null(ib_openapi_by_id(o, IB_STR("Same"), &count));
    assert_int_equal(count, 2);
    assert_int_equal(ib_openapi_count(o), 6);
    assert_null(ib_openapi_at(o, 6));
    ib_openapi_free(o);
}

static void a_description_of_a_megabyte_is_read_in_time(void **state)
{
    struct ib_buf text = IB_BUF_INIT(IB_OPENAPI_BYTES_MAX);
    struct ib_openapi *o = NULL;
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    ib_buf_add_c(&text, "openapi: 3.0.0\npaths:\n");
    for (size_t i = 0; text.len < (size_t)1024 * 1024; i++) {
        ib_buf_addf(&text, "  /p%zu:\n    get:\n      operationId: Op%zu\n      responses:\n        "
                           "200: {description: a sentence about it}\n",
                    i, i);
    }
    assert_ok(ib_openapi_parse(ib_buf_str(&text), "api", &o, &err), &err);
    assert_non_null(ib_openapi_by_id(o, IB_STR("Op5000"), NULL));
    ib_openapi_free(o);
    ib_buf_fini(&text);
}

struct bad_row {
    const char *name, *text, *error;
};

static const struct bad_row bad_rows[] = {
    { "swagger_2_is_refused", "swagger: '2.0'\npaths: {}\n", "api: no OpenAPI 3 document" },
    { "text_is_refused", "hello", "api: no OpenAPI 3 document" },
    { "json_that_is_cut_off_is_refused", "{\"openapi\":", "api:1:" },
};

static void test_bad(void **state)
{
    const struct bad_row *r = *state;
    struct ib_openapi *o = NULL;
    struct ib_error err = IB_ERROR_INIT;

    assert_rc(ib_openapi_parse(ib_str_from(r->text), "api", &o, &err), IB_EPARSE, &err);
    assert_contains(err.text, r->error);
}

/* --- documents that point to each other --------------------------------------------------------- */

static void an_OpenAPI_document_that_is_broken_is_told_at_its_source(void **state)
{
    static const char text[] =
        "arazzo: 1.0.1\ninfo: {title: t, version: 1.0.0}\nsourceDescriptions:\n"
        "- {name: a, url: good/actions.yaml, type: openapi}\nworkflows:\n- workflowId: w\n"
        "  steps: [{stepId: s, operationId: O}]\n";
    struct ib_findings findings = IB_FINDINGS_INIT;
    struct ib_arazzo_doc *doc = NULL;
    struct ib_error err = IB_ERROR_INIT;
    char dir[4096];

    (void)state;
    assert_ok(ib_arazzo_parse(IB_STR(text), "t", ib_vectors_ours("arazzo", dir, sizeof dir),
                              &findings, &doc, &err),
              &err);
    assert_ok(ib_arazzo_link(doc, &findings, &err), &err);
    assert_rc(ib_findings_ok(&findings, "t", &err), IB_ECONFIG, &err);
    assert_contains(err.text, "t:4:3: source \"a\": ");
    assert_contains(err.text, "no OpenAPI 3 document");
    ib_findings_fini(&findings);
    ib_arazzo_free(doc);
}

static void documents_in_a_circle_are_read_once(void **state)
{
    struct ib_arazzo_doc *doc = NULL;
    struct ib_error err = IB_ERROR_INIT;
    char path[4096];

    (void)state;
    /* library.yaml points back; by another way, with "." and ".." in it. */
    assert_ok(ib_arazzo_open(ib_vectors_ours("arazzo/good/../good/./subworkflows.yaml", path,
                                             sizeof path),
                             NULL, &doc, &err),
              &err);
    const struct ib_arazzo_source *library = ib_arazzo_source_find(doc, IB_STR("library"));
    assert_non_null(library);
    assert_non_null(library->doc);
    const struct ib_arazzo_source *caller = ib_arazzo_source_find(library->doc, IB_STR("caller"));
    assert_ptr_equal(caller->doc, doc);
    ib_arazzo_free(doc);
}

static void nothing_is_fetched(void **state)
{
    static const char text[] =
        "arazzo: 1.0.1\ninfo: {title: t, version: 1.0.0}\nsourceDescriptions:\n"
        "- {name: a, url: 'https://example.com/x', type: arazzo}\n"
        "- {name: b, url: 'file://host/etc/passwd'}\n- {name: c, url: 'urn:x'}\nworkflows:\n"
        "- workflowId: w\n  steps: [{stepId: s, workflowId: $sourceDescriptions.a.w}]\n";
    struct ib_findings findings = IB_FINDINGS_INIT;
    struct ib_arazzo_doc *doc = NULL;
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    assert_ok(ib_arazzo_parse(IB_STR(text), "t", "/", &findings, &doc, &err), &err);
    assert_ok(ib_arazzo_link(doc, &findings, &err), &err);
    for (size_t i = 0; i < doc->source_count; i++) {
        assert_null(doc->sources[i].doc);
        assert_null(doc->sources[i].openapi);
    }
    assert_ok(ib_arazzo_check(doc, NULL, &findings, &err), &err);
    assert_rc(ib_findings_ok(&findings, "t", &err), IB_ECONFIG, &err);
    assert_contains(err.text, "source \"a\" (https://example.com/x) is no local Arazzo document");
    ib_findings_fini(&findings);
    ib_arazzo_free(doc);
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_ROWS(bad_rows, test_bad);
    IB_TEST_CASE(an_id_that_stands_twice_is_counted);
    IB_TEST_CASE(a_description_of_a_megabyte_is_read_in_time);
    IB_TEST_CASE(an_OpenAPI_document_that_is_broken_is_told_at_its_source);
    IB_TEST_CASE(documents_in_a_circle_are_read_once);
    IB_TEST_CASE(nothing_is_fetched);
    return IB_TEST_RUN();
}
