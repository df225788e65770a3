/* SPDX-License-Identifier: MIT */
/* lib/aws/catrust.c: which CAs, in a scratch directory. */
#include "ib_test.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "lib/aws/catrust.h"

static char top[] = "/tmp/ib-catrust-XXXXXX";
static char hashed[64], plain[64], pem[64], missing[64];

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int make_files(void **state)
{
    char path[128];

    (void)state;
    assert_non_null(mkdtemp(top));
    (void)snprintf(hashed, sizeof hashed, "%s/hashed", top);
    (void)snprintf(plain, sizeof plain, "%s/plain", top);
    (void)snprintf(pem, sizeof pem, "%s/ca.pem", top);
    (void)snprintf(missing, sizeof missing, "%s/missing.pem", top);
    assert_int_equal(mkdir(hashed, 0700), 0);
    assert_int_equal(mkdir(plain, 0700), 0);
    write_file(pem, "x");
    (void)snprintf(path, sizeof path, "%s/ca.pem", plain);
    write_file(path, "x");
    (void)snprintf(path, sizeof path, "%s/not-a-hash.0", hashed);
    write_file(path, "x");
    (void)snprintf(path, sizeof path, "%s/0123abcd.0", hashed);
    write_file(path, "x");
    return 0;
}

static int remove_files(void **state)
{
    char path[128];
    static const char *const names[] = {"plain/ca.pem", "hashed/not-a-hash.0", "hashed/0123abcd.0",
                                        "ca.pem"};

    (void)state;
    for (size_t i = 0; i < IB_ARRAY_LEN(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", top, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(hashed);
    (void)rmdir(plain);
    (void)rmdir(top);
    return 0;
}

static void a_named_file_is_used_alone(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_catrust ca;
    struct ib_catrust_options o = {pem, "AWS_CA_BUNDLE", hashed, NULL, true};

    assert_ok(ib_catrust_choose(&o, &ca, &err), &err);
    assert_string_equal(ca.file, pem);
    assert_string_equal(ca.dir, "");
    assert_contains(ca.shown, "(AWS_CA_BUNDLE)");
}

static void a_named_file_that_is_missing_is_an_error_not_a_fallback(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_catrust ca;
    struct ib_catrust_options o = {missing, "--ca-bundle", hashed, NULL, true};

    assert_rc(ib_catrust_choose(&o, &ca, &err), IB_ECONFIG, &err);
    assert_contains(err.text, "--ca-bundle");
    assert_contains(err.text, missing);
}

static void a_fifo_is_not_waited_for(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_catrust ca;
    struct ib_catrust_options o = {missing, "--ca-bundle", hashed, NULL, true};

    assert_int_equal(mkfifo(missing, 0600), 0);
    enum ib_rc rc = ib_catrust_choose(&o, &ca, &err);
    (void)unlink(missing);
    assert_rc(rc, IB_ECONFIG, &err);
    assert_contains(err.text, "neither a file nor a directory");
}

static void a_named_directory_needs_hashes(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_catrust ca;
    struct ib_catrust_options o = {hashed, "--ca-bundle", NULL, NULL, true};

    assert_ok(ib_catrust_choose(&o, &ca, &err), &err);
    assert_string_equal(ca.dir, hashed);
    assert_contains(ca.file, "0123abcd.0");
    o.bundle = plain;
    assert_rc(ib_catrust_choose(&o, &ca, &err), IB_ECONFIG, &err);
    assert_contains(err.text, "c_rehash");
}

static void the_systems_hashed_directory_comes_before_its_bundle(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_catrust ca;
    struct ib_catrust_options o = {NULL, NULL, hashed, pem, true};

    assert_ok(ib_catrust_choose(&o, &ca, &err), &err);
    assert_string_equal(ca.dir, hashed);
    assert_contains(ca.file, "0123abcd.0");
}

static void a_directory_without_hashes_or_support_gives_way_to_the_bundle(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_catrust ca;
    struct ib_catrust_options o = {NULL, NULL, plain, pem, true};

    assert_ok(ib_catrust_choose(&o, &ca, &err), &err);
    assert_string_equal(ca.dir, "");
    assert_string_equal(ca.file, pem);
    o.system_dir = hashed;
    o.has_dirs = false;
    assert_ok(ib_catrust_choose(&o, &ca, &err), &err);
    assert_string_equal(ca.dir, "");
    assert_string_equal(ca.file, pem);
    o.system_file = NULL;
    assert_ok(ib_catrust_choose(&o, &ca, &err), &err);
    assert_string_equal(ca.file, "");
    assert_contains(ca.shown, "default");
}

int main(void)
{
    IB_TEST_CASE(a_named_file_is_used_alone);
    IB_TEST_CASE(a_named_file_that_is_missing_is_an_error_not_a_fallback);
    IB_TEST_CASE(a_fifo_is_not_waited_for);
    IB_TEST_CASE(a_named_directory_needs_hashes);
    IB_TEST_CASE(the_systems_hashed_directory_comes_before_its_bundle);
    IB_TEST_CASE(a_directory_without_hashes_or_support_gives_way_to_the_bundle);
    return _cmocka_run_group_tests(__FILE__, ib_tests, ib_test_count, make_files, remove_files);
}
