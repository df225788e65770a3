/* SPDX-License-Identifier: MIT */
/* What a program prints: first line, long lines, JSON, and foreign text in all of them. */
#include "ib_test.h"

#include "lib/plugin/output.h"

#define MUST_RENDER(out, state, dst)                                                              \
    do {                                                                                          \
        struct ib_error render_err = IB_ERROR_INIT;                                               \
        assert_ok(ib_output_render((out), "IB_IMAGE", (state), (dst), &render_err), &render_err); \
    } while (0)

struct row {
    const char *name, *text, *line, *want;
    enum ib_state state;
    size_t first_max;
};
static const struct row rows[] = {
    { "the_first_line_has_prefix_state_and_text", "all well", NULL, "IB_IMAGE OK - all well\n",
      IB_STATE_OK, 0 },
    { "a_pipe_in_foreign_text_starts_no_perfdata", "a | b=1", NULL, "IB_IMAGE WARNING - a / b=1\n",
      IB_STATE_WARNING, 0 },
    { "a_line_feed_in_foreign_text_starts_no_line", "a\nIB_IMAGE OK - b", NULL,
      "IB_IMAGE CRITICAL - a IB_IMAGE OK - b\n", IB_STATE_CRITICAL, 0 },
    { "escape_sequences_lose_their_teeth", "a\x1b[31mred\x07", NULL,
      "IB_IMAGE UNKNOWN - a [31mred\n", IB_STATE_UNKNOWN, 0 },
    { "bad_utf8_becomes_a_question_mark", "a\xff\xfe" "b", NULL, "IB_IMAGE OK - a??b\n",
      IB_STATE_OK, 0 },
    { "a_direction_override_is_removed", "a\xe2\x80\xae" "b", NULL, "IB_IMAGE OK - a b\n",
      IB_STATE_OK, 0 },
    { "long_lines_follow", "x", "second", "IB_IMAGE OK - x\nsecond\n", IB_STATE_OK, 0 },
    { "a_long_line_stays_one_line", "x", "a\r\nb|c=1", "IB_IMAGE OK - x\na b/c=1\n", IB_STATE_OK, 0 },
    { "a_first_line_too_long_is_cut_with_dots", "0123456789012345678901234567890", NULL,
      "IB_IMAGE OK - 0123456789012...\n", IB_STATE_OK, 30 },
    { "the_cut_does_not_split_a_character", "0123456789012345\xc3\xa4\xc3\xa4\xc3\xa4", NULL,
      "IB_IMAGE OK - 012345678901...\n", IB_STATE_OK, 29 },
};
static void test_row(void **state)
{
    const struct row *r = *state;
    IB_CLEANUP(ib_output_fini) struct ib_output out = IB_OUTPUT_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf dst = IB_BUF_INIT(4096);

    out.first_max = r->first_max;
    ib_output_text(&out, "%s", r->text);
    if (r->line != NULL) {
        ib_output_line(&out, "%s", r->line);
    }
    MUST_RENDER(&out, r->state, &dst);
    assert_string_equal(ib_buf_c(&dst), r->want);
}

static void perfdata_stands_at_the_end_of_the_first_line(void **state)
{
    IB_CLEANUP(ib_output_fini) struct ib_output out = IB_OUTPUT_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf dst = IB_BUF_INIT(4096);
    struct ib_perf perf = { .label = "n", .value = 2 };

    (void)state;
    ib_output_text(&out, "two");
    ib_output_more(&out, " builds");
    ib_output_line(&out, "first");
    ib_output_perf(&out, &perf);
    MUST_RENDER(&out, IB_STATE_OK, &dst);
    assert_string_equal(ib_buf_c(&dst), "IB_IMAGE OK - two builds | n=2\nfirst\n");
}

static void a_later_text_replaces_the_first(void **state)
{
    IB_CLEANUP(ib_output_fini) struct ib_output out = IB_OUTPUT_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf dst = IB_BUF_INIT(4096);

    (void)state;
    ib_output_text(&out, "one");
    ib_output_text(&out, "two");
    MUST_RENDER(&out, IB_STATE_OK, &dst);
    assert_string_equal(ib_buf_c(&dst), "IB_IMAGE OK - two\n");
}

static void lines_that_do_not_fit_are_announced(void **state)
{
    IB_CLEANUP(ib_output_fini) struct ib_output out = IB_OUTPUT_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf dst = IB_BUF_INIT(4096);

    (void)state;
    out.lines.max = 12;
    ib_output_text(&out, "x");
    ib_output_line(&out, "12345");
    ib_output_line(&out, "123456");
    MUST_RENDER(&out, IB_STATE_OK, &dst);
    assert_string_equal(ib_buf_c(&dst), "IB_IMAGE OK - x\n12345\n(more lines did not fit)\n");
}

static void perfdata_that_does_not_fit_is_left_out_whole(void **state)
{
    IB_CLEANUP(ib_output_fini) struct ib_output out = IB_OUTPUT_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf dst = IB_BUF_INIT(4096);
    struct ib_perf perf = { .label = "abc", .value = 2 };

    (void)state;
    out.perf.max = 8;
    ib_output_text(&out, "x");
    ib_output_perf(&out, &perf);
    ib_output_perf(&out, &perf);
    MUST_RENDER(&out, IB_STATE_OK, &dst);
    assert_string_equal(ib_buf_c(&dst), "IB_IMAGE OK - x\n");
}

static void json_replaces_the_lines(void **state)
{
    IB_CLEANUP(ib_output_fini) struct ib_output out = IB_OUTPUT_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf dst = IB_BUF_INIT(4096);

    (void)state;
    ib_output_text(&out, "x");
    ib_buf_add_c(&out.json, "{\"a\":1}");
    MUST_RENDER(&out, IB_STATE_OK, &dst);
    assert_string_equal(ib_buf_c(&dst), "{\"a\":1}\n");
}

static void half_a_json_object_is_an_error(void **state)
{
    IB_CLEANUP(ib_output_fini) struct ib_output out = IB_OUTPUT_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf dst = IB_BUF_INIT(4096);
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    out.json.max = 4;
    ib_buf_add_c(&out.json, "{\"a\"");
    ib_buf_add_c(&out.json, ":1}");
    assert_rc(ib_output_render(&out, "IB_IMAGE", IB_STATE_OK, &dst, &err), IB_ELIMIT, &err);
    assert_contains(err.text, "JSON output");
}

static void an_error_as_json_escapes_what_it_must(void **state)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf dst = IB_BUF_INIT(4096);
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    (void)ib_fail(&err, IB_EAWS, "say \"no\"\n\\o/");
    err.http_status = 403;
    (void)snprintf(err.aws_code, sizeof err.aws_code, "AccessDeniedException");
    (void)snprintf(err.request_id, sizeof err.request_id, "r-1");
    ib_output_error_json("check_ib_image", IB_STATE_UNKNOWN, &err, &dst);
    assert_string_equal(ib_buf_c(&dst),
                        "{\"program\":\"check_ib_image\",\"state\":\"UNKNOWN\",\"exitCode\":3,"
                        "\"text\":\"say \\\"no\\\" \\\\o/\",\"error\":{\"kind\":\"aws\","
                        "\"httpStatus\":403,\"code\":\"AccessDeniedException\","
                        "\"requestId\":\"r-1\"}}\n");
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_CASE(perfdata_stands_at_the_end_of_the_first_line);
    IB_TEST_CASE(a_later_text_replaces_the_first);
    IB_TEST_CASE(lines_that_do_not_fit_are_announced);
    IB_TEST_CASE(perfdata_that_does_not_fit_is_left_out_whole);
    IB_TEST_CASE(json_replaces_the_lines);
    IB_TEST_CASE(half_a_json_object_is_an_error);
    IB_TEST_CASE(an_error_as_json_escapes_what_it_must);
    return IB_TEST_RUN();
}
