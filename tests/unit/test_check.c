/* SPDX-License-Identifier: MIT */
/*
 * lib/arazzo/check*.c, document*.c: every document below tests/data/arazzo. NAME.expect beside a
 * document has its findings, all errors and warnings and the notes but source-document, one a line,
 * in order; a good document without that file has none.
 */
#include <dirent.h>

#include "arazzo_test.h"
#include "ib_vectors.h"

#include "lib/arazzo/check.h"
#include "lib/base/time.h"

#define NAME_MAX_BYTES 128
#define DOCS_MAX       100

struct doc_row {
    char name[NAME_MAX_BYTES + 16];
    char path[4096];
};
static struct doc_row docs[DOCS_MAX];
static size_t doc_count;

static void print_findings(const struct ib_findings *findings, struct ib_buf *out)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct ib_finding *f = &findings->items[i];
        if (strcmp(f->rule, "source-document") != 0 || f->severity != IB_FINDING_NOTE) {
            ib_finding_print(f, "", out);
            ib_buf_add_char(out, '\n');
        }
    }
}

static void check_doc(const char *path, struct ib_buf *out, size_t *ret_errors)
{
    struct ib_findings findings = IB_FINDINGS_INIT;
    struct ib_arazzo_doc *doc = NULL;
    struct ib_error err = IB_ERROR_INIT;

    assert_ok(ib_arazzo_check_file(path, NULL, &findings, &doc, &err), &err);
    print_findings(&findings, out);
    *ret_errors = findings.errors;
    ib_findings_fini(&findings);
    ib_arazzo_free(doc);
}

static void test_doc(void **state)
{
    const struct doc_row *row = *state;
    struct ib_buf seen = IB_BUF_INIT((size_t)256 * 1024);
    struct ib_buf wanted = IB_BUF_INIT((size_t)256 * 1024);
    char expect[4200];
    size_t errors = 0;

    (void)snprintf(expect, sizeof expect, "%s.expect", row->path);
    bool has_expect = ib_vectors_read(expect, &wanted);
    check_doc(row->path, &seen, &errors);
    assert_string_equal(ib_buf_c(&seen), ib_buf_c(&wanted));
    if (strncmp(row->name, "broken", 6) == 0) {
        assert_true(has_expect);
        assert_true(errors > 0);
    } else {
        assert_int_equal(errors, 0);
    }
    ib_buf_fini(&seen);
    ib_buf_fini(&wanted);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct doc_row *)a)->name, ((const struct doc_row *)b)->name);
}

static void add_folder(const char *folder)
{
    char path[4096];
    char relative[64];

    (void)snprintf(relative, sizeof relative, "arazzo/%s", folder);
    DIR *dir = opendir(ib_vectors_ours(relative, path, sizeof path));
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        struct ib_str name = ib_str_from(e->d_name);
        if (name.p[0] == '.' || ib_str_ends(name, IB_STR(".expect"))) {
            continue;
        }
        assert_true(doc_count < DOCS_MAX && name.n < NAME_MAX_BYTES);
        struct doc_row *row = &docs[doc_count++];
        int n = snprintf(row->name, sizeof row->name, "%s_%.*s", folder, NAME_MAX_BYTES, e->d_name);
        assert_true(n > 0 && (size_t)n < sizeof row->name);
        n = snprintf(row->path, sizeof row->path, "%s/%s", path, e->d_name);
        assert_true(n > 0 && (size_t)n < sizeof row->path);
    }
    (void)closedir(dir);
}

/* --- documents that are meant to hurt -----------------------------------------------------------
 */

struct bomb_row {
    const char *name;
    void (*make)(struct ib_buf *out);
    const char *error; /* part of the first line */
};

static void repeat(struct ib_buf *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ib_buf_add_c(out, text);
    }
}

#define HEAD \
    "arazzo: 1.0.1\ninfo: {title: t, version: 1.0.0}\nsourceDescriptions: [{name: a, url: ./a}]\n"

static void brackets(struct ib_buf *out)
{
    repeat(out, "[", (size_t)1024 * 1024);
}

static void json_brackets(struct ib_buf *out)
{
    ib_buf_add_c(out, "{\"a\":");
    repeat(out, "[", 100000);
}

static void laughs(struct ib_buf *out)
{
    ib_buf_add_c(out, "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n");
}

static void circle(struct ib_buf *out)
{
    ib_buf_add_c(out, "a: &a [*a]\n");
}

static void many_steps(struct ib_buf *out)
{
    ib_buf_add_c(out, HEAD "workflows:\n- workflowId: w\n  steps:\n");
    for (size_t i = 0; i < 10000; i++) {
        ib_buf_addf(out, "  - {stepId: s%zu, operationId: O}\n", i);
    }
}

/* Small enough for the cap on bytes, too many for the cap on steps. */
static void many_short_steps(struct ib_buf *out)
{
    ib_buf_add_c(out, HEAD "workflows:\n- workflowId: w\n  steps:\n");
    for (size_t i = 0; i < 5000; i++) {
        ib_buf_addf(out, "  - {stepId: s%zu, operationId: O}\n", i);
    }
}

/* Within all caps: each step goes to every other one, and reads from the last. */
static void dense(struct ib_buf *out)
{
    ib_buf_add_c(out, HEAD "components:\n  successActions:\n");
    for (size_t i = 0; i < 50; i++) {
        ib_buf_addf(out,
                    "    a%zu: {name: a%zu, type: goto, stepId: s%zu, criteria: [{condition: "
                    "$statusCode == %zu}]}\n",
                    i, i, i * 10, i);
    }
    ib_buf_add_c(out, "workflows:\n- workflowId: w\n  successActions:\n");
    for (size_t i = 0; i < 50; i++) {
        ib_buf_addf(out, "  - reference: $components.successActions.a%zu\n", i);
    }
    ib_buf_add_c(out, "  steps:\n");
    for (size_t i = 0; i < 1000; i++) {
        ib_buf_addf(out,
                    "  - {stepId: s%zu, operationId: O, outputs: {x: $response.body}, parameters: "
                    "[{name: p, in: query, value: $steps.s%zu.outputs.x}]}\n",
                    i, 999 - i);
    }
}

static void deep_schema(struct ib_buf *out)
{
    ib_buf_add_c(out, HEAD "workflows:\n- workflowId: w\n  inputs: ");
    repeat(out, "{items: ", 55);
    ib_buf_add_c(out, "{}");
    repeat(out, "}", 55);
    ib_buf_add_c(out, "\n  steps: [{stepId: s, operationId: O}]\n");
}

static void many_mistakes(struct ib_buf *out)
{
    ib_buf_add_c(out,
                 HEAD "workflows:\n- workflowId: w\n  steps:\n  - stepId: s\n    operationId: O\n");
    for (size_t i = 0; i < 5000; i++) {
        ib_buf_addf(out, "    m%zu: 1\n", i);
    }
}

static void self_reference(struct ib_buf *out)
{
    ib_buf_add_c(out,
                 HEAD "workflows:\n- workflowId: w\n  inputs:\n    type: object\n    properties:\n"
                      "      a: {$ref: '#/workflows/0/inputs/properties/b'}\n"
                      "      b: {$ref: '#/workflows/0/inputs/properties/a'}\n"
                      "  steps: [{stepId: s, operationId: O}]\n");
}

static void long_condition(struct ib_buf *out)
{
    ib_buf_add_c(out,
                 HEAD "workflows:\n- workflowId: w\n  steps:\n  - stepId: s\n    operationId: O\n"
                      "    successCriteria: [{condition: '");
    repeat(out, "(", 100000);
    ib_buf_add_c(out, "'}]\n");
}

static void nothing(struct ib_buf *out)
{
    (void)out;
}

static void binary(struct ib_buf *out)
{
    ib_buf_add(out, "arazzo: \0\xff", 10);
}

static const struct bomb_row bomb_rows[] = {
    {"a_megabyte_of_brackets", brackets, "YAML of 1048576 bytes, more than 262144"},
    {"json_brackets", json_brackets, "deeper than"},
    {"a_billion_laughs", laughs, "1:4:"},
    {"a_circle_of_aliases", circle, "1:4:"},
    {"ten_thousand_steps", many_steps, "bytes, more than 262144"},
    {"five_thousand_steps", many_short_steps, "5000 steps are more than the 1000 that are allowed"},
    {"a_thousand_steps_with_a_branch_to_each_other", dense, ""},
    {"schemas_in_schemas", deep_schema, "schemas are nested deeper than 32"},
    {"five_thousand_mistakes", many_mistakes, "is not a member of this object (and 4999 more)"},
    {"a_schema_that_refers_to_itself", self_reference, "names nothing in this document"},
    {"a_hundred_thousand_parentheses", long_condition, ""},
    {"an_empty_file", nothing, "empty"},
    {"bytes_that_are_no_text", binary, "1:9:"},
};

#ifdef IB_SANITIZERS
# define BOMB_MS 30000
#else
# define BOMB_MS 3000
#endif

static int64_t cpu_ms(void)
{
    struct timespec t;

    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void test_bomb(void **state)
{
    const struct bomb_row *row = *state;
    struct ib_buf text = IB_BUF_INIT((size_t)4 * 1024 * 1024);
    struct ib_findings findings = IB_FINDINGS_INIT;
    struct ib_arazzo_doc *doc = NULL;
    struct ib_error err = IB_ERROR_INIT;
    int64_t start = cpu_ms();

    row->make(&text);
    assert_ok(ib_arazzo_parse(ib_buf_str(&text), "bomb.yaml", NULL, &findings, &doc, &err), &err);
    if (doc != NULL) {
        assert_ok(ib_arazzo_check(doc, NULL, &findings, &err), &err);
    }
    assert_true(findings.count <= IB_FINDINGS_MAX);
    enum ib_rc rc = ib_findings_ok(&findings, "bomb.yaml", &err);
    assert_int_equal(rc, row->make == dense ? IB_OK : IB_ECONFIG);
    if (rc != IB_OK) {
        assert_contains(err.text, row->error);
        assert_null(strchr(err.text, '\n'));
    }
    /* Milliseconds; the bound leaves room for sanitizers on a busy machine. */
    /* Processor time, far above what it takes: only a bomb that goes off gets there. */
    assert_true(cpu_ms() - start < BOMB_MS);
    ib_findings_fini(&findings);
    ib_arazzo_free(doc);
    ib_buf_fini(&text);
}

static bool knows_only_one(void *ctx, struct ib_str id)
{
    return ib_str_eq_c(id, ctx);
}

static void operations_that_the_caller_does_not_know_are_errors(void **state)
{
    const struct ib_check_options options = {knows_only_one, (void *)(uintptr_t) "Ask"};
    struct ib_arazzo_doc *doc = NULL;
    struct ib_error err = IB_ERROR_INIT;
    char path[4096];

    (void)state;
    assert_rc(ib_arazzo_open(ib_vectors_ours("seed/cancel-running-image-build.arazzo.yaml", path, sizeof path), &options,
                             &doc, &err),
              IB_ECONFIG, &err);
    assert_contains(err.text, "yaml:44:18: there is no operation \"CreateImage\" (and 3 more)");
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct ib_arazzo_doc *doc = NULL;
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    assert_rc(ib_arazzo_open("/nonexistent/x.yaml", NULL, &doc, &err), IB_ENOENT, &err);
    assert_contains(err.text, "/nonexistent/x.yaml");
}

static void findings_are_values_for_JSON(void **state)
{
    struct ib_findings findings = IB_FINDINGS_INIT;
    struct ib_arazzo_doc *doc = NULL;
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    assert_ok(ib_arazzo_parse(IB_STR("[]"), "x", NULL, &findings, &doc, &err), &err);
    struct ib_value *v = ib_finding_value(&findings.items[0], "x");
    char *text = json_text(v);
    assert_string_equal(
        text,
        "{\"file\":\"x\",\"line\":1,\"column\":1,\"path\":\"\",\"severity\":\"error\",\"rule\":"
        "\"type\",\"text\":\"an Arazzo document must be an object, not array\"}");
    free(text);
    ib_value_unref(v);
    ib_findings_fini(&findings);
    ib_arazzo_free(doc);
}

int main(void)
{
    add_folder("good");
    add_folder("broken");
    qsort(docs, doc_count, sizeof docs[0], by_name);
    for (size_t i = 0; i < doc_count; i++) {
        ib_test_add(docs[i].name, test_doc, &docs[i]);
    }
    IB_TEST_ROWS(bomb_rows, test_bomb);
    IB_TEST_CASE(operations_that_the_caller_does_not_know_are_errors);
    IB_TEST_CASE(a_file_that_is_not_there_is_named);
    IB_TEST_CASE(findings_are_values_for_JSON);
    return IB_TEST_RUN();
}
