/* SPDX-License-Identifier: MIT */
/* Objects written member by member. */
#include "ib_test.h"

#include <math.h>

#include "lib/data/json.h"
#include "lib/data/members.h"

static void every_kind_of_member_is_written(void **state)
{
    IB_CLEANUP(ib_members_fini) struct ib_members m = ib_members_new();
    struct ib_members inner = ib_members_new(), item = ib_members_new();
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(1024);
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    ib_members_c(&m, "c", "x\"y");
    ib_members_c(&m, "no", NULL);
    ib_members_str(&m, "empty", (struct ib_str){ "", 0 });
    ib_members_str(&m, "absent", (struct ib_str){ NULL, 0 });
    ib_members_str_if(&m, "left out", (struct ib_str){ "", 0 });
    ib_members_bool(&m, "b", true);
    ib_members_int(&m, "i", INT64_C(-5));
    ib_members_real(&m, "r", 0.5);
    ib_members_real(&m, "nan", (double)NAN);
    ib_members_null(&m, "n");
    ib_members_time(&m, "t", INT64_C(1788414261121));
    ib_members_int(&inner, "x", 1);
    ib_members_object(&m, "o", &inner);
    ib_members_array(&m, "none");
    ib_members_int(&item, "y", 2);
    ib_members_push(&m, "list", &item);
    ib_members_push_str(&m, "list", IB_STR("z"));
    assert_ok(ib_members_take(&m, &v, &err), &err);
    ib_json_print(v, IB_JSON_COMPACT, &out);
    assert_string_equal(ib_buf_c(&out),
                        "{\"c\":\"x\\\"y\",\"empty\":\"\",\"b\":true,\"i\":-5,\"r\":0.5,"
                        "\"nan\":null,\"n\":null,\"t\":\"2026-09-03T05:44:21.121Z\","
                        "\"o\":{\"x\":1},\"none\":[],\"list\":[{\"y\":2},\"z\"]}");
}

static void foreign_bytes_are_cleaned_only_when_they_must_be(void **state)
{
    IB_CLEANUP(ib_members_fini) struct ib_members m = ib_members_new();
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    ib_members_str(&m, "valid", ib_str_from("a\n|\xc3\xa4"));
    ib_members_str(&m, "bad", ib_str_from("a\xff" "b"));
    ib_members_str(&m, "nul", (struct ib_str){ "a\0b", 3 });
    assert_ok(ib_members_take(&m, &v, &err), &err);
    assert_string_equal(ib_value_as_str(ib_value_get_c(v, "valid")).p, "a\n|\xc3\xa4");
    assert_string_equal(ib_value_as_str(ib_value_get_c(v, "bad")).p, "a?b");
    assert_string_equal(ib_value_as_str(ib_value_get_c(v, "nul")).p, "a b");
}

static void a_failure_sticks_and_is_told_at_the_end(void **state)
{
    IB_CLEANUP(ib_members_fini) struct ib_members m = ib_members_new();
    struct ib_value *v = NULL;
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    ib_members_value(&m, "x", NULL);
    ib_members_int(&m, "y", 1);
    ib_members_push_str(&m, "list", IB_STR("z"));
    assert_rc(ib_members_take(&m, &v, &err), IB_ENOMEM, &err);
    assert_null(v);
}

int main(void)
{
    IB_TEST_CASE(every_kind_of_member_is_written);
    IB_TEST_CASE(foreign_bytes_are_cleaned_only_when_they_must_be);
    IB_TEST_CASE(a_failure_sticks_and_is_told_at_the_end);
    return IB_TEST_RUN();
}
