/* SPDX-License-Identifier: MIT */
/* lib/data/shlex.c: words of a command line. */
#include "ib_test.h"

#include "lib/base/buf.h"
#include "lib/data/shlex.h"

struct row {
    const char *name, *text;
    const char *words; /* joined by '|' ; NULL: refused */
    const char *error;
};
static const struct row rows[] = {
    { "blanks_separate", "  a\tb \n c ", "a|b|c", NULL },
    { "one_word", "/usr/bin/helper", "/usr/bin/helper", NULL },
    { "single_quotes_keep_all", "'a b' 'c\"d' '\\n'", "a b|c\"d|\\n", NULL },
    { "double_quotes_keep_blanks", "\"a  b\" c", "a  b|c", NULL },
    { "double_quotes_know_four_escapes", "\"\\\" \\\\ \\$ \\` \\n \\'\"", "\" \\ $ ` \\n \\'", NULL },
    { "quotes_in_the_middle_of_a_word", "--x=\"a b\"'c d'e", "--x=a bc de", NULL },
    { "empty_words", "a '' \"\"", "a||", NULL },
    { "backslash_outside", "a\\ b \\'c \\\\", "a b|'c|\\", NULL },
    { "line_continuation", "a\\\nb \"c\\\nd\"", "ab|cd", NULL },
    { "line_continuation_between_words", "a \\\n b", "a|b", NULL },
    { "nothing_is_expanded", "$HOME `id` $(id) * ~ a;b|c&d >x #y",
      "$HOME|`id`|$(id)|*|~|a;b|c&d|>x|#y", NULL },
    { "utf8_stays", "\xC3\xA9 '\xE2\x82\xAC'", "\xC3\xA9|\xE2\x82\xAC", NULL },
    { "nothing", "", NULL, "the command is empty" },
    { "blanks_alone", " \t ", NULL, "the command is empty" },
    { "open_single_quote", "a 'b", NULL, "byte 3: a single quote is not closed" },
    { "open_double_quote", "a \"b", NULL, "byte 3: a double quote is not closed" },
    { "escaped_closing_quote", "\"a\\\"", NULL, "byte 1: a double quote is not closed" },
    { "backslash_at_the_end", "a\\", NULL, "the command ends with a backslash" },
    { "backslash_at_the_end_of_a_quote", "\"a\\", NULL, "byte 1: a double quote is not closed" },
};

static void test_row(void **state)
{
    const struct row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_words_fini) struct ib_words words = IB_WORDS_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf joined = IB_BUF_INIT(1000);

    if (r->words == NULL) {
        assert_rc(ib_shlex_split(ib_str_from(r->text), &words, &err), IB_EPARSE, &err);
        assert_string_equal(err.text, r->error);
        assert_null(words.argv);
        return;
    }
    assert_ok(ib_shlex_split(ib_str_from(r->text), &words, &err), &err);
    for (size_t i = 0; i < words.count; i++) {
        ib_buf_addf(&joined, "%s%s", i == 0 ? "" : "|", words.argv[i]);
    }
    assert_string_equal(ib_buf_c(&joined), r->words);
    assert_null(words.argv[words.count]);
}

static void caps_hold(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_words_fini) struct ib_words words = IB_WORDS_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(100000);

    for (int i = 0; i < IB_SHLEX_WORDS_MAX; i++) {
        ib_buf_add_c(&text, "x ");
    }
    assert_ok(ib_shlex_split(ib_buf_str(&text), &words, &err), &err);
    assert_int_equal(words.count, IB_SHLEX_WORDS_MAX);
    ib_words_fini(&words);
    ib_buf_add_c(&text, "x");
    assert_rc(ib_shlex_split(ib_buf_str(&text), &words, &err), IB_ELIMIT, &err);
    while (text.len <= IB_SHLEX_BYTES_MAX) {
        ib_buf_add_char(&text, 'x');
    }
    assert_rc(ib_shlex_split(ib_buf_str(&text), &words, &err), IB_ELIMIT, &err);
    assert_rc(ib_shlex_split((struct ib_str){ "a\0b", 3 }, &words, &err), IB_EPARSE, &err);
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    IB_TEST_CASE(caps_hold);
    return IB_TEST_RUN();
}
