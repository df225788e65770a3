/* SPDX-License-Identifier: MIT */
/* The operation table: against the model's list, and its lookups. */
#include "ib_test.h"

#include "lib/base/buf.h"
#include "lib/imagebuilder/operation.h"

static void every_operation_is_as_the_model_has_it(void **state)
{
    char path[4096], line[2048], mine[2048];
    const char *top = secure_getenv("abs_top_srcdir");
    size_t rows = 0;

    (void)state;
    assert_non_null(top);
    (void)snprintf(path, sizeof(path), "%s/tests/standin/operations.tsv", top);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#') {
            continue;
        }
        assert_true(rows < IB_OPERATION_COUNT);
        struct ib_str rest = ib_str_from(line);
        const struct ib_operation *op = ib_operation_find(ib_str_split(&rest, '\t'));
        if (op == NULL) {
            fail_msg("no operation for \"%s\"", line);
            break;
        }
        (void)snprintf(mine, sizeof(mine), "%s\t%s\t%s\t%s\t%s\t%s", op->name, op->method, op->path,
                       op->query, op->path_params, op->body);
        assert_string_equal(mine, line);
        rows++;
    }
    (void)fclose(f);
    assert_int_equal(rows, IB_OPERATION_COUNT);
}

static void the_table_is_sorted_and_every_row_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < IB_OPERATION_COUNT; i++) {
        const struct ib_operation *op = ib_operation_at(i);

        assert_ptr_equal(ib_operation_find(ib_str_from(op->name)), op);
        if (i > 0) {
            assert_true(strcmp(ib_operation_at(i - 1)->name, op->name) < 0);
        }
    }
}

struct find_row {
    const char *name, *operation;
};
static const struct find_row find_rows[] = {
    { "other_case_is_not_found", "getImage" },
    { "a_prefix_is_not_found", "GetImag" },
    { "a_longer_name_is_not_found", "GetImages" },
    { "the_empty_name_is_not_found", "" },
    { "a_name_after_the_last_is_not_found", "Zzz" },
};
static void test_not_found(void **state)
{
    const struct find_row *r = *state;

    assert_null(ib_operation_find(ib_str_from(r->operation)));
}

struct place_row {
    const char *name, *operation, *parameter;
    enum ib_operation_place place;
    bool reads, has_token;
};
static const struct place_row place_rows[] = {
    { "get_image_has_its_arn_in_the_query", "GetImage", "imageBuildVersionArn", IB_PLACE_QUERY, true,
      false },
    { "cancel_has_its_arn_in_the_body", "CancelImageCreation", "imageBuildVersionArn",
      IB_PLACE_BODY, false, true },
    { "cancel_has_its_token_in_the_body", "CancelImageCreation", "clientToken", IB_PLACE_BODY, false,
      true },
    { "tags_have_their_arn_in_the_path", "TagResource", "resourceArn", IB_PLACE_PATH, false, false },
    { "untag_has_its_keys_in_the_query", "UntagResource", "tagKeys", IB_PLACE_QUERY, false, false },
    { "lists_read_although_they_are_posts", "ListImages", "nextToken", IB_PLACE_BODY, true, false },
    { "a_parameter_of_another_operation_has_no_place", "GetImage", "clientToken", IB_PLACE_NONE, true,
      false },
    { "a_part_of_a_name_has_no_place", "CancelImageCreation", "client", IB_PLACE_NONE, false, true },
    { "the_empty_parameter_has_no_place", "CancelImageCreation", "", IB_PLACE_NONE, false, true },
    { "retry_takes_a_token", "RetryImage", "clientToken", IB_PLACE_BODY, false, true },
};
static void test_place(void **state)
{
    const struct place_row *r = *state;
    const struct ib_operation *op = ib_operation_find(ib_str_from(r->operation));

    assert_non_null(op);
    assert_int_equal(ib_operation_place(op, ib_str_from(r->parameter)), r->place);
    assert_int_equal(ib_operation_reads(op), r->reads);
    assert_int_equal(ib_operation_has_token(op), r->has_token);
}

int main(void)
{
    IB_TEST_CASE(every_operation_is_as_the_model_has_it);
    IB_TEST_CASE(the_table_is_sorted_and_every_row_is_found);
    IB_TEST_ROWS(find_rows, test_not_found);
    IB_TEST_ROWS(place_rows, test_place);
    return IB_TEST_RUN();
}
