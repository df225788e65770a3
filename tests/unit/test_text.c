/* SPDX-License-Identifier: MIT */
/* lib/base/text.c: foreign text made safe. */
#include "ib_test.h"

#include "lib/base/text.h"

struct row {
    const char *name, *src, *clean, *plugin;
    size_t cap;
};
static const struct row rows[] = {
    { "plain_text_stays", "build failed", "build failed", "build failed", 100 },
    { "newlines_become_one_blank", "a\r\n\n b", "a b", "a b", 100 },
    { "pipe_splits_no_perfdata", "a|b=1", "a|b=1", "a/b=1", 100 },
    { "escape_sequences_lose_their_escape", "\033[31mred", "[31mred", "[31mred", 100 },
    { "outer_blanks_go", "  x  ", "x", "x", 100 },
    { "utf8_stays", "Gr\xC3\xBC\xC3\x9F" "e", "Gr\xC3\xBC\xC3\x9F" "e", "Gr\xC3\xBC\xC3\x9F" "e", 100 },
    { "bad_utf8_is_marked", "a\xFF\xC3" "b", "a?" "?b", "a?" "?b", 100 },
    { "overlong_utf8_is_marked", "\xC0\xAF", "??", "??", 100 },
    { "surrogates_are_marked", "\xED\xA0\x80", "?" "?" "?", "?" "?" "?", 100 },
    { "c1_controls_go", "a\xC2\x9B" "b", "a b", "a b", 100 },
    { "direction_overrides_go", "a\xE2\x80\xAE" "b", "a b", "a b", 100 },
    { "line_separator_goes", "a\xE2\x80\xA8" "b", "a b", "a b", 100 },
    { "long_text_is_cut_with_dots", "abcdefghij", "abcdef...", "abcdef...", 10 },
    { "exact_fit_is_not_cut", "abcdefghi", "abcdefghi", "abcdefghi", 10 },
    { "cut_keeps_whole_characters", "\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC", "\xC3\xBC\xC3\xBC\xC3\xBC...",
      "\xC3\xBC\xC3\xBC\xC3\xBC...", 10 },
};

static void row(void **state)
{
    const struct row *r = *state;
    char out[128];

    assert_int_equal(ib_text_clean(r->src, strlen(r->src), out, r->cap), strlen(r->clean));
    assert_string_equal(out, r->clean);
    (void)ib_text_plugin(r->src, strlen(r->src), out, r->cap);
    assert_string_equal(out, r->plugin);
}

static void every_code_point_encodes_and_decodes(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code += code < 0x900 ? 1 : 37) {
        if (code >= 0xD800 && code <= 0xDFFF) {
            continue;
        }
        IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT(8);
        size_t len;
        ib_utf8_add(&b, code);
        assert_int_equal(ib_utf8_decode(b.data, b.len, &len), code);
        assert_int_equal(len, b.len);
        assert_true(ib_utf8_valid(b.data, b.len));
    }
}

static void copy_refuses_what_does_not_fit(void **state)
{
    (void)state;
    char out[4];

    assert_true(ib_text_copy(out, sizeof out, ib_str_from("abc")));
    assert_string_equal(out, "abc");
    assert_false(ib_text_copy(out, sizeof out, ib_str_from("abcd")));
    assert_string_equal(out, "");
    assert_false(ib_text_copy(out, sizeof out, (struct ib_str){ "a\0b", 3 }));
}

int main(void)
{
    IB_TEST_ROWS(rows, row);
    IB_TEST_CASE(every_code_point_encodes_and_decodes);
    IB_TEST_CASE(copy_refuses_what_does_not_fit);
    return IB_TEST_RUN();
}
