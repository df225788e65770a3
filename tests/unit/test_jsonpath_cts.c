/* SPDX-License-Identifier: MIT */
/* The JSONPath compliance suite, read from $IB_SHARED/jsonpath/cts.json: one case, one line. */
#include "ib_test.h"

#include "lib/arazzo/jsonpath.h"
#include "lib/base/env.h"
#include "lib/data/json.h"

#define FILE_MAX ((size_t)4 * 1024 * 1024)

/* Our values hold no NUL; two selectors of the suite do, so it travels as a private character. */
#define NUL_ESCAPE    "\\u0000"
#define STAND_IN      "\\ue000"
#define STAND_IN_UTF8 "\xee\x80\x80"

static char *read_suite(const char *path, size_t *ret_n)
{
    FILE *f = fopen(path, "rb");
    char *text = f == NULL ? NULL : malloc(FILE_MAX);

    *ret_n = text == NULL ? 0 : fread(text, 1, FILE_MAX, f);
    if (f != NULL) {
        (void)fclose(f);
    }
    for (size_t i = 0; i + strlen(NUL_ESCAPE) <= *ret_n; i++) {
        if (memcmp(text + i, NUL_ESCAPE, strlen(NUL_ESCAPE)) == 0 &&
            (i == 0 || text[i - 1] != '\\')) {
            memcpy(text + i, STAND_IN, strlen(STAND_IN));
        }
    }
    return text;
}

static void selector_of(const struct ib_value *test, struct ib_buf *out)
{
    struct ib_str s = ib_value_as_str(ib_value_get_c(test, "selector"));

    for (size_t i = 0; i < s.n; i++) {
        if (ib_str_starts(ib_str_skip(s, i), IB_STR(STAND_IN_UTF8))) {
            ib_buf_add_char(out, '\0');
            i += strlen(STAND_IN_UTF8) - 1;
        } else {
            ib_buf_add_char(out, s.p[i]);
        }
    }
}

static bool is_result(const struct ib_nodelist *nodes, const struct ib_value *want)
{
    bool same = nodes->count == ib_value_count(want);

    for (size_t i = 0; same && i < nodes->count; i++) {
        same = ib_value_equal(nodes->items[i], ib_value_at(want, i));
    }
    return same;
}

static void test_case(void **state)
{
    const struct ib_value *test = *state;
    struct ib_error err = IB_ERROR_INIT;
    size_t column = 0;
    IB_CLEANUP(ib_buf_fini) struct ib_buf selector = IB_BUF_INIT(IB_JSONPATH_TEXT_MAX);
    IB_CLEANUP(ib_jsonpath_cleanup) struct ib_jsonpath *q = NULL;
    IB_CLEANUP(ib_nodelist_fini) struct ib_nodelist nodes = {NULL, 0, 0};

    selector_of(test, &selector);
    enum ib_rc rc = ib_jsonpath_compile(ib_buf_str(&selector), &q, &column, &err);
    if (ib_value_get_c(test, "invalid_selector") != NULL) {
        assert_int_equal(rc, IB_EPARSE);
        assert_in_range(column, 1, selector.len + 1);
        return;
    }
    if (rc != IB_OK) {
        fail_msg("%s: %s", ib_buf_c(&selector), err.text);
    }
    assert_ok(ib_jsonpath_select(q, ib_value_get_c(test, "document"), &nodes, &err), &err);
    const struct ib_value *results = ib_value_get_c(test, "results");
    bool same = results == NULL && is_result(&nodes, ib_value_get_c(test, "result"));
    for (size_t i = 0; !same && i < ib_value_count(results); i++) {
        same = is_result(&nodes, ib_value_at(results, i));
    }
    if (!same) {
        fail_msg("%s selects %zu other nodes", ib_buf_c(&selector), nodes.count);
    }
}

/* '#' would begin a directive of TAP. */
static char *name_of(const struct ib_value *test)
{
    char *name = ib_str_dup(ib_value_as_str(ib_value_get_c(test, "name")));

    for (char *p = name; p != NULL && *p != '\0'; p++) {
        *p = *p == '#' ? '/' : *p;
    }
    return name;
}

int main(void)
{
    const char *shared = ib_env_get("IB_SHARED");
    struct ib_error err = IB_ERROR_INIT;
    struct ib_json_limits limits = {.max_bytes = FILE_MAX};
    IB_CLEANUP(ib_value_cleanup) struct ib_value *suite = NULL;
    char path[4096];
    size_t n;

    (void)snprintf(path, sizeof path, "%s/jsonpath/cts.json", shared == NULL ? "." : shared);
    IB_CLEANUP(ib_cleanup_char) char *text = read_suite(path, &n);
    if (text == NULL) {
        (void)printf("1..0 # SKIP no JSONPath compliance suite: %s\n", path);
        return 0;
    }
    if (ib_json_parse((struct ib_str){text, n}, "cts.json", &limits, &suite, &err) != IB_OK) {
        (void)printf("Bail out! %s\n", err.text);
        return 99;
    }
    const struct ib_value *tests = ib_value_get_c(suite, "tests");
    static char *names[IB_TEST_MAX];
    size_t count = ib_value_count(tests);
    for (size_t i = 0; i < count; i++) {
        const struct ib_value *test = ib_value_at(tests, i);
        names[i] = name_of(test);
        ib_test_add(names[i], test_case, test);
    }
    int failed = IB_TEST_RUN();
    (void)printf("# %zu/%zu cases of the JSONPath compliance suite pass\n", count - (size_t)failed,
                 count);
    for (size_t i = 0; i < count; i++) {
        free(names[i]);
    }
    return failed == 0 && count > 0 ? 0 : 1;
}
