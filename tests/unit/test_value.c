/* SPDX-License-Identifier: MIT */
/* lib/data/value.c: JSON values in memory. */
#include "ib_test.h"

#include "lib/data/value.h"

static struct ib_value *deep_array(size_t depth)
{
    struct ib_value *v = ib_value_array();

    for (size_t i = 0; i < depth; i++) {
        struct ib_value *outer = ib_value_array();
        assert_int_equal(ib_value_push(outer, ib_value_int(1), NULL), IB_OK);
        assert_int_equal(ib_value_push(outer, v, NULL), IB_OK);
        assert_int_equal(ib_value_push(outer, ib_value_string(IB_STR("x")), NULL), IB_OK);
        v = outer;
    }
    return v;
}

static void freeing_a_million_levels_needs_no_stack(void **state)
{
    (void)state;
    ib_value_unref(deep_array(1000000));
}

static void shared_part_outlives_its_container(void **state)
{
    (void)state;
    struct ib_value *whole = deep_array(10);
    struct ib_value *part = ib_value_ref(ib_value_at(whole, 1));

    ib_value_unref(whole);
    assert_int_equal(ib_value_count(part), 3);
    ib_value_unref(part);
}

static void large_object_finds_every_key(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *o = ib_value_object();
    char key[32];

    for (int i = 0; i < 20000; i++) {
        (void)snprintf(key, sizeof key, "key%d", i);
        assert_ok(ib_value_add(o, ib_str_from(key), (struct ib_mark){ 0, 0 }, ib_value_int(i), &err),
                  &err);
    }
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(key, sizeof key, "key%d", i);
        assert_int_equal(ib_value_as_int(ib_value_get_c(o, key)), i);
        assert_true(ib_str_eq_c(ib_value_key_at(o, (size_t)i), key));
    }
    assert_null(ib_value_get_c(o, "key20000"));
    assert_rc(ib_value_add(o, IB_STR("key77"), (struct ib_mark){ 0, 0 }, ib_value_null(), &err),
              IB_EPARSE, &err);
    assert_string_equal(err.text, "duplicate key \"key77\"");
}

static struct ib_value *sample(void)
{
    /* {"a":{"b":[10,null,{"c/d":1,"e~f":2,"":3}]},"n":1} */
    struct ib_value *o = ib_value_object(), *a = ib_value_object(), *b = ib_value_array();
    struct ib_value *c = ib_value_object();
    struct ib_mark m = { 0, 0 };

    assert_int_equal(ib_value_add(c, IB_STR("c/d"), m, ib_value_int(1), NULL), IB_OK);
    assert_int_equal(ib_value_add(c, IB_STR("e~f"), m, ib_value_int(2), NULL), IB_OK);
    assert_int_equal(ib_value_add(c, IB_STR(""), m, ib_value_int(3), NULL), IB_OK);
    assert_int_equal(ib_value_push(b, ib_value_int(10), NULL), IB_OK);
    assert_int_equal(ib_value_push(b, ib_value_null(), NULL), IB_OK);
    assert_int_equal(ib_value_push(b, c, NULL), IB_OK);
    assert_int_equal(ib_value_add(a, IB_STR("b"), m, b, NULL), IB_OK);
    assert_int_equal(ib_value_add(o, IB_STR("a"), m, a, NULL), IB_OK);
    assert_int_equal(ib_value_add(o, IB_STR("n"), m, ib_value_int(1), NULL), IB_OK);
    return o;
}

struct pointer_row {
    const char *name, *pointer;
    enum ib_rc rc;
    const char *type;
};
static const struct pointer_row pointer_rows[] = {
    { "pointer_empty_is_the_whole", "", IB_OK, "object" },
    { "pointer_member", "/a/b", IB_OK, "array" },
    { "pointer_index", "/a/b/0", IB_OK, "integer" },
    { "pointer_null_element_is_found", "/a/b/1", IB_OK, "null" },
    { "pointer_escaped_slash", "/a/b/2/c~1d", IB_OK, "integer" },
    { "pointer_escaped_tilde", "/a/b/2/e~0f", IB_OK, "integer" },
    { "pointer_empty_key", "/a/b/2/", IB_OK, "integer" },
    { "pointer_empty_index_is_absent", "/a/b/", IB_OK, "nothing" },
    { "pointer_index_with_leading_zero_is_absent", "/a/b/00", IB_OK, "nothing" },
    { "pointer_dash_is_absent", "/a/b/-", IB_OK, "nothing" },
    { "pointer_index_does_not_wrap", "/a/b/4294967296", IB_OK, "nothing" },
    { "pointer_huge_index", "/a/b/99999999999999999999", IB_OK, "nothing" },
    { "pointer_into_a_scalar", "/n/x", IB_OK, "nothing" },
    { "pointer_absent_member", "/x/y/z", IB_OK, "nothing" },
    { "pointer_without_slash", "a", IB_EPARSE, NULL },
    { "pointer_bad_escape", "/a~2", IB_EPARSE, NULL },
    { "pointer_bad_escape_below_nothing", "/x/y~", IB_EPARSE, NULL },
};

static void pointer_row(void **state)
{
    const struct pointer_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *o = sample();
    struct ib_value *got = NULL;

    assert_rc(ib_value_pointer(o, ib_str_from(r->pointer), &got, &err), r->rc, &err);
    if (r->rc == IB_OK) {
        assert_string_equal(ib_value_type_name(got), r->type);
    }
}

static void copies_are_equal_and_independent(void **state)
{
    (void)state;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *a = sample();
    IB_CLEANUP(ib_value_cleanup) struct ib_value *b = sample();
    IB_CLEANUP(ib_value_cleanup) struct ib_value *c = ib_value_copy(a);

    assert_true(ib_value_equal(a, b));
    assert_true(ib_value_equal(a, c));
    assert_int_equal(ib_value_set(c, IB_STR("n"), ib_value_real(1.0), NULL), IB_OK);
    assert_true(ib_value_equal(a, c));
    assert_int_equal(ib_value_set(c, IB_STR("n"), ib_value_string(IB_STR("1")), NULL), IB_OK);
    assert_false(ib_value_equal(a, c));
    assert_false(ib_value_equal(a, NULL));
}

static void readers_tell_absent_null_and_wrong_type_apart(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *o = sample();
    struct ib_str s;

    assert_rc(ib_value_need_str(o, "a.x", 10, &s, &err), IB_EPARSE, &err);
    assert_string_equal(err.text, "a.x is missing");
    assert_rc(ib_value_need_str(o, "n", 10, &s, &err), IB_EPARSE, &err);
    assert_string_equal(err.text, "n is integer, not a string");
    assert_int_equal(ib_value_set(o, IB_STR("s"), ib_value_null(), NULL), IB_OK);
    assert_rc(ib_value_need_str(o, "s", 10, &s, &err), IB_EPARSE, &err);
    assert_string_equal(err.text, "s is null, not a string");
    assert_ok(ib_value_opt_str(o, "s", 10, &s, &err), &err);
    assert_null(s.p);
    assert_int_equal(ib_value_set(o, IB_STR("s"), ib_value_string(IB_STR("0123456789a")), NULL), IB_OK);
    assert_rc(ib_value_need_str(o, "s", 10, &s, &err), IB_EPARSE, &err);
    assert_string_equal(err.text, "s has 11 bytes, more than 10");
}

int main(void)
{
    IB_TEST_CASE(freeing_a_million_levels_needs_no_stack);
    IB_TEST_CASE(shared_part_outlives_its_container);
    IB_TEST_CASE(large_object_finds_every_key);
    IB_TEST_ROWS(pointer_rows, pointer_row);
    IB_TEST_CASE(copies_are_equal_and_independent);
    IB_TEST_CASE(readers_tell_absent_null_and_wrong_type_apart);
    return IB_TEST_RUN();
}
