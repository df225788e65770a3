/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out: each scene is run again and again, the n-th allocation failing for n = 1, 2, ...
 * until none is left to fail; once with only that one failing, once with all after it too. Every run
 * ends with IB_ENOMEM, or well with the right result, and leaves nothing allocated.
 *
 * The allocator of the whole process is replaced, so that json-c and libyaml fail as well. Sanitizers
 * bring an allocator of their own: there only the calls of our code fail (ld --wrap), and their
 * leak checker counts.
 */
#include "ib_test.h"

#include "lib/data/ini.h"
#include "lib/data/json.h"
#include "lib/data/shlex.h"
#include "lib/data/yaml.h"

static struct {
    bool armed, keep_failing, struck;
    long until; /* allocations that still succeed */
    long held;  /* blocks given out and not taken back while armed */
} trap;

static bool strike(void)
{
    if (!trap.armed) {
        return false;
    }
    if (trap.struck) {
        return trap.keep_failing;
    }
    if (trap.until-- > 0) {
        return false;
    }
    trap.struck = true;
    return true;
}

#if defined IB_SANITIZERS || !defined __GLIBC__

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

void *__wrap_malloc(size_t n)
{
    return strike() ? NULL : __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size)
{
    return strike() ? NULL : __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n)
{
    return strike() ? NULL : __real_realloc(p, n);
}
void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
    return strike() ? NULL : __real_reallocarray(p, n, size);
}

#else

/* glibc's own, under the names that it keeps for replacements like these. */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void __libc_free(void *p);
/* The archive is linked with --wrap for the other way; here the wrapped names are the plain ones. */
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

static void *given(void *p)
{
    trap.held += trap.armed && p != NULL;
    return p;
}

void *malloc(size_t n)
{
    return strike() ? NULL : given(__libc_malloc(n));
}
void *calloc(size_t n, size_t size)
{
    return strike() ? NULL : given(__libc_calloc(n, size));
}
void *realloc(void *p, size_t n)
{
    if (strike()) {
        return NULL;
    }
    void *q = __libc_realloc(p, n);
    return p == NULL ? given(q) : q;
}
void free(void *p)
{
    trap.held -= trap.armed && p != NULL;
    __libc_free(p);
}
void *__wrap_malloc(size_t n)
{
    return malloc(n);
}
void *__wrap_calloc(size_t n, size_t size)
{
    return calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n)
{
    return realloc(p, n);
}
void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
    size_t all;

    return __builtin_mul_overflow(n, size, &all) ? NULL : realloc(p, all);
}

#endif

/* --- scenes: IB_OK only with the right result --------------------------------------------------- */

#define LONG_TEXT "0123456789012345678901234567890123456789012345678901234567890123456789"
static const char json_text[] =
    "{\"a\":[1,2.5,null,true,{\"deep\":[[[[\"x\"]]]]}],\"" LONG_TEXT "\":\"" LONG_TEXT LONG_TEXT "\","
    "\"m\":{\"1\":1,\"2\":2,\"3\":3,\"4\":4,\"5\":5,\"6\":6,\"7\":7,\"8\":8,\"9\":9,\"10\":10,\"11\":11,"
    "\"12\":12,\"13\":13,\"14\":14,\"15\":15,\"16\":16,\"17\":17,\"18\":18,\"19\":19,\"20\":20,"
    "\"21\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33]}}";
static const char json_twice[] = "{\"a\":1,\"b\":{\"c\":2},\"\\u0061\":3}";
static const char yaml_text[] =
    "steps:\n  - stepId: one\n    value: " LONG_TEXT "\n    list: [1, 2.5, 0x1f, ~, true, \"q\", 'r']\n"
    "  - stepId: two\n    text: |\n      " LONG_TEXT "\n      more\n" LONG_TEXT ": {200: x, a: {b: {c: d}}}\n";
static const char ini_text[] = "[default]\nregion = eu-central-1\ns3 =\n  a = b\n[profile x]\nk = " LONG_TEXT
                               "\n";

/* Printed form of v equals that of the text that it came from. */
static enum ib_rc check_printed(const struct ib_value *v, const char *want, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(10000);

    ib_json_print(v, IB_JSON_COMPACT, &out);
    enum ib_rc rc = ib_buf_ok(&out, "text", err);
    if (rc == IB_OK && want != NULL && strcmp(out.data, want) != 0) {
        rc = ib_fail(err, IB_EBUG, "a wrong result without an error");
    }
    return rc;
}

static enum ib_rc scene_json(struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    enum ib_rc rc = ib_json_parse(ib_str_from(json_text), "t", NULL, &v, err);

    return rc == IB_OK ? check_printed(v, json_text, err) : rc;
}

static enum ib_rc scene_json_duplicate(struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    enum ib_rc rc = ib_json_parse(ib_str_from(json_twice), "t", NULL, &v, err);

    /* What is wrong with the text is told when memory suffices. */
    return rc == IB_EPARSE && strstr(err->text, "duplicate key \"a\"") != NULL ? IB_OK : rc;
}

static enum ib_rc scene_yaml(struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    enum ib_rc rc = ib_yaml_parse(ib_str_from(yaml_text), "t", &v, err);

    if (rc == IB_OK && (ib_value_count(v) != 2 || ib_value_count(ib_value_at(v, 0)) != 2)) {
        rc = ib_fail(err, IB_EBUG, "a wrong result without an error");
    }
    return rc == IB_OK ? check_printed(v, NULL, err) : rc;
}

static enum ib_rc count_entry(void *ctx, const struct ib_ini_entry *entry, struct ib_error *err)
{
    (void)entry;
    (void)err;
    ++*(int *)ctx;
    return IB_OK;
}

static enum ib_rc scene_ini(struct ib_error *err)
{
    int count = 0;
    enum ib_rc rc = ib_ini_parse(ib_str_from(ini_text), "t", IB_INI_CONFIG, count_entry, &count, err);

    return rc == IB_OK && count != 5 ? ib_fail(err, IB_EBUG, "%d entries", count) : rc;
}

static enum ib_rc scene_shlex(struct ib_error *err)
{
    IB_CLEANUP(ib_words_fini) struct ib_words words = IB_WORDS_INIT;
    enum ib_rc rc = ib_shlex_split(IB_STR("a 'b c' \"d\" " LONG_TEXT " ''"), &words, err);

    return rc == IB_OK && words.count != 5 ? ib_fail(err, IB_EBUG, "%zu words", words.count) : rc;
}

static enum ib_rc fill_object(struct ib_value *o, struct ib_error *err)
{
    enum ib_rc rc = IB_OK;

    for (int i = 0; i < 40 && rc == IB_OK; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%d", i);
        rc = ib_value_add(o, ib_str_from(key), (struct ib_mark){ 1, 1 }, ib_value_string(IB_STR("v")), err);
    }
    if (rc == IB_OK) {
        rc = ib_value_set(o, IB_STR("k7"), ib_value_real(0.5), err);
    }
    struct ib_value *array = ib_value_array();
    for (int i = 0; i < 20 && rc == IB_OK && array != NULL; i++) {
        rc = ib_value_push(array, ib_value_int(i), err);
    }
    if (rc != IB_OK) {
        ib_value_unref(array);
        return rc;
    }
    return ib_value_set(o, IB_STR("array"), array, err);
}

static enum ib_rc scene_value(struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *o = ib_value_object();
    struct ib_value *found = NULL;
    enum ib_rc rc = o == NULL ? ib_fail_nomem(err) : fill_object(o, err);

    if (rc != IB_OK) {
        return rc;
    }
    IB_CLEANUP(ib_value_cleanup) struct ib_value *copy = ib_value_copy(o);
    if (copy == NULL) {
        return ib_fail_nomem(err);
    }
    rc = ib_value_pointer(copy, IB_STR("/array/19"), &found, err);
    if (rc == IB_OK && (!ib_value_equal(o, copy) || ib_value_as_int(found) != 19)) {
        rc = ib_fail(err, IB_EBUG, "a wrong result without an error");
    }
    return rc;
}

static enum ib_rc grow(struct ib_buf *b, struct ib_error *err)
{
    for (int i = 0; i < 100; i++) {
        ib_buf_addf(b, "%d,%s", i, "text");
        ib_buf_add_c(b, ";");
    }
    enum ib_rc rc = ib_buf_ok(b, "text", err);
    char *taken = ib_buf_take(b);
    if (rc == IB_OK && (taken == NULL || strlen(taken) != 790)) {
        rc = taken == NULL ? ib_fail_nomem(err) : ib_fail(err, IB_EBUG, "%zu bytes", strlen(taken));
    }
    free(taken);
    return rc;
}

static enum ib_rc scene_buf(struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf plain = IB_BUF_INIT(10000), secret = IB_BUF_INIT_SECRET(10000);
    enum ib_rc rc = grow(&plain, err);

    return rc == IB_OK ? grow(&secret, err) : rc;
}

struct row {
    const char *name;
    enum ib_rc (*scene)(struct ib_error *err);
    bool keep_failing;
};
static const struct row rows[] = {
    { "buf_one_fails", scene_buf, false },
    { "buf_all_fail_from_there", scene_buf, true },
    { "value_one_fails", scene_value, false },
    { "value_all_fail_from_there", scene_value, true },
    { "json_one_fails", scene_json, false },
    { "json_all_fail_from_there", scene_json, true },
    { "json_duplicate_one_fails", scene_json_duplicate, false },
    { "json_duplicate_all_fail_from_there", scene_json_duplicate, true },
    { "yaml_one_fails", scene_yaml, false },
    { "yaml_all_fail_from_there", scene_yaml, true },
    { "ini_one_fails", scene_ini, false },
    { "ini_all_fail_from_there", scene_ini, true },
    { "shlex_one_fails", scene_shlex, false },
    { "shlex_all_fail_from_there", scene_shlex, true },
};

static void test_row(void **state)
{
    const struct row *r = *state;
    long runs = 0;

    for (;; runs++) {
        struct ib_error err = IB_ERROR_INIT;
        trap.until = runs;
        trap.keep_failing = r->keep_failing;
        trap.struck = false;
        trap.held = 0;
        trap.armed = true;
        enum ib_rc rc = r->scene(&err);
        trap.armed = false;
        if (trap.held != 0) {
            fail_msg("allocation %ld failing: %ld blocks are left behind", runs + 1, trap.held);
        }
        if (!trap.struck) {
            assert_ok(rc, &err);
            break;
        }
        if (rc != IB_OK && rc != IB_ENOMEM) {
            fail_msg("allocation %ld failing: %s: %s", runs + 1, ib_rc_name(rc), err.text);
        }
    }
    /* The sweep had something to fail. */
    assert_true(runs > 3);
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    return IB_TEST_RUN();
}
