/* SPDX-License-Identifier: MIT */
/* lib/arazzo/regex.c and iregexp.c: two dialects, bounded work. */
#include "ib_test.h"

#include "lib/arazzo/iregexp.h"
#include "lib/arazzo/regex.h"

struct match_row {
    const char *name, *pattern, *subject;
    enum ib_regex_dialect dialect;
    bool matches;
};
static const struct match_row match_rows[] = {
    {"ecma_searches", "b", "abc", IB_REGEX_ECMA, true},
    {"ecma_anchored", "^200$", "200", IB_REGEX_ECMA, true},
    {"ecma_anchored_is_whole", "^200$", "2001", IB_REGEX_ECMA, false},
    {"ecma_dollar_is_the_very_end", "a$", "a\n", IB_REGEX_ECMA, false},
    {"ecma_case_matters", "available", "AVAILABLE", IB_REGEX_ECMA, false},
    {"ecma_inline_flag", "(?i)available", "AVAILABLE", IB_REGEX_ECMA, true},
    {"ecma_digit_class", "^\\d+$", "0123", IB_REGEX_ECMA, true},
    {"ecma_digits_are_ascii", "^\\d$", "\xd9\xa3", IB_REGEX_ECMA, false},
    {"ecma_word_is_ascii", "^\\w$", "\xc3\xa9", IB_REGEX_ECMA, false},
    {"ecma_dot_is_a_character", "^.$", "\xf0\x9f\x98\x80", IB_REGEX_ECMA, true},
    {"ecma_dot_is_no_line_end", "a.b", "a\rb", IB_REGEX_ECMA, false},
    {"ecma_unicode_escape", "^\\u00e9$", "\xc3\xa9", IB_REGEX_ECMA, true},
    {"ecma_unicode_escape_in_braces", "^\\u{1F600}$", "\xf0\x9f\x98\x80", IB_REGEX_ECMA, true},
    {"ecma_empty_class_never_matches", "[]", "a", IB_REGEX_ECMA, false},
    {"ecma_not_the_empty_class_always_does", "^[^]$", "\n", IB_REGEX_ECMA, true},
    {"ecma_unset_group_is_empty", "^(a)?\\1b$", "b", IB_REGEX_ECMA, true},
    {"ecma_lookahead", "^(?!FAILED)", "AVAILABLE", IB_REGEX_ECMA, true},
    {"ecma_arn_pattern", "^arn:aws[^:]*:imagebuilder:[^:]+:(?:[0-9]{12}|aws(?:-[a-z-]+)?):image/",
     "arn:aws:imagebuilder:eu-central-1:123456789012:image/web/1.0.0/1", IB_REGEX_ECMA, true},
    {"ecma_empty_pattern_matches", "", "", IB_REGEX_ECMA, true},
    {"iregexp_whole", "a.c", "abc", IB_REGEX_IREGEXP_WHOLE, true},
    {"iregexp_whole_is_whole", "b", "abc", IB_REGEX_IREGEXP_WHOLE, false},
    {"iregexp_alternatives_are_whole", "a|bc", "abc", IB_REGEX_IREGEXP_WHOLE, false},
    {"iregexp_search", "b", "abc", IB_REGEX_IREGEXP, true},
    {"iregexp_dot_is_no_line_end", ".", "\r", IB_REGEX_IREGEXP, false},
    {"iregexp_dot_is_a_line_separator", ".", "\xe2\x80\xa8", IB_REGEX_IREGEXP, true},
    {"iregexp_category", "\\p{Lu}", "\xd0\x96", IB_REGEX_IREGEXP, true},
    {"iregexp_not_category", "\\P{L}", "\xd0\x96", IB_REGEX_IREGEXP, false},
    {"iregexp_category_in_class", "[\\p{Nd}x]", "5", IB_REGEX_IREGEXP, true},
    {"iregexp_class_hyphen_first", "[-a]", "-", IB_REGEX_IREGEXP, true},
    {"iregexp_class_hyphen_last", "[a-]", "-", IB_REGEX_IREGEXP, true},
    {"iregexp_class_range", "[a-c]", "b", IB_REGEX_IREGEXP, true},
    {"iregexp_class_range_of_escapes", "[\\[-\\]]", "\\", IB_REGEX_IREGEXP, true},
    {"iregexp_class_range_of_named_escapes", "[\\t-\\r]", "\n", IB_REGEX_IREGEXP, true},
    {"iregexp_class_negated", "[^a]", "a", IB_REGEX_IREGEXP, false},
    {"iregexp_class_caret_second", "[a^]", "^", IB_REGEX_IREGEXP, true},
    {"iregexp_class_has_no_posix_names", "[:alpha:]", "b", IB_REGEX_IREGEXP, false},
    {"iregexp_slash_and_hash_are_themselves", "a/b#c", "a/b#c", IB_REGEX_IREGEXP_WHOLE, true},
    {"iregexp_escapes", "\\(\\.\\)\\n\\t", "(.)\n\t", IB_REGEX_IREGEXP_WHOLE, true},
    {"iregexp_counts", "a{2}b{1,}c{0,1}", "aabb", IB_REGEX_IREGEXP_WHOLE, true},
    {"iregexp_group_repeats", "(ab)+", "abab", IB_REGEX_IREGEXP_WHOLE, true},
    {"iregexp_empty_branch", "a|", "", IB_REGEX_IREGEXP_WHOLE, true},
    {"iregexp_caret_is_an_anchor", "^b", "ab", IB_REGEX_IREGEXP, false},
    {"iregexp_two_code_points", "\xf0\x9f\x98\x80{2}", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
     IB_REGEX_IREGEXP_WHOLE, true},
};

static void test_match(void **state)
{
    const struct match_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_regex_cleanup) struct ib_regex *re = NULL;
    bool matches = !r->matches;

    assert_ok(ib_regex_compile(ib_str_from(r->pattern), r->dialect, &re, NULL, &err), &err);
    assert_ok(ib_regex_search(re, ib_str_from(r->subject), NULL, &matches, &err), &err);
    assert_int_equal(matches, r->matches);
}

struct bad_row {
    const char *name, *pattern;
    enum ib_regex_dialect dialect;
    size_t column;
    const char *words;
};
static const struct bad_row bad_rows[] = {
    {"ecma_group_not_closed", "a(b", IB_REGEX_ECMA, 3, "missing closing parenthesis"},
    {"ecma_class_not_closed", "[a", IB_REGEX_ECMA, 2, "missing terminating ]"},
    {"ecma_nothing_to_repeat", "*", IB_REGEX_ECMA, 1, ""},
    {"ecma_single_byte_is_refused", "a\\C", IB_REGEX_ECMA, 3, "\\C"},
    {"ecma_invalid_utf8", "a\xff", IB_REGEX_ECMA, 2, "UTF-8"},
    {"iregexp_digit_class", "a\\d+", IB_REGEX_IREGEXP, 2, "no \\d; write [0-9]"},
    {"iregexp_space_class", "\\s", IB_REGEX_IREGEXP, 1, "no \\s; write [ \\t\\n\\r]"},
    {"iregexp_word_boundary", "\\b", IB_REGEX_IREGEXP, 1, "no \\b"},
    {"iregexp_lazy", "a*?", IB_REGEX_IREGEXP, 3, "'?' repeats nothing"},
    {"iregexp_possessive", "a++", IB_REGEX_IREGEXP, 3, "'+' repeats nothing"},
    {"iregexp_group_flags", "(?i)a", IB_REGEX_IREGEXP, 2, "'?' repeats nothing"},
    {"iregexp_group_not_closed", "(a", IB_REGEX_IREGEXP, 3, "a '(' is not closed"},
    {"iregexp_group_not_opened", "a)", IB_REGEX_IREGEXP, 2, "closes nothing"},
    {"iregexp_bracket", "a]", IB_REGEX_IREGEXP, 2, "written \\]"},
    {"iregexp_brace", "a}", IB_REGEX_IREGEXP, 2, "written \\}"},
    {"iregexp_count_without_number", "a{,2}", IB_REGEX_IREGEXP, 2, "a count is written"},
    {"iregexp_count_not_closed", "a{2", IB_REGEX_IREGEXP, 2, "a count is written"},
    {"iregexp_count_backwards", "a{2,1}", IB_REGEX_IREGEXP, 1, "out of order"},
    {"iregexp_count_too_large", "a{99999}", IB_REGEX_IREGEXP, 1, "too big"},
    {"iregexp_empty_class", "[]", IB_REGEX_IREGEXP, 1, "the class is empty"},
    {"iregexp_empty_negated_class", "[^]", IB_REGEX_IREGEXP, 1, "the class is empty"},
    {"iregexp_class_not_closed", "[a", IB_REGEX_IREGEXP, 1, "this '[' is not closed"},
    {"iregexp_class_in_class", "[a[b]", IB_REGEX_IREGEXP, 3, "written \\["},
    {"iregexp_class_hyphen_between", "[a-c-e]", IB_REGEX_IREGEXP, 5, "written \\-"},
    {"iregexp_range_backwards", "[c-a]", IB_REGEX_IREGEXP, 2, "ends before it begins"},
    {"iregexp_range_of_named_escapes_backwards", "[\\r-\\t]", IB_REGEX_IREGEXP, 2,
     "ends before it begins"},
    {"iregexp_range_to_category", "[a-\\p{L}]", IB_REGEX_IREGEXP, 2, "ends before it begins"},
    {"iregexp_unknown_category", "\\p{Lx}", IB_REGEX_IREGEXP, 2, "category"},
    {"iregexp_block", "\\p{IsGreek}", IB_REGEX_IREGEXP, 2, "category"},
    {"iregexp_surrogates", "\\p{Cs}", IB_REGEX_IREGEXP, 2, "category"},
    {"iregexp_category_without_braces", "\\pL", IB_REGEX_IREGEXP, 2, "category"},
    {"iregexp_lone_backslash", "a\\", IB_REGEX_IREGEXP, 2, "lone backslash"},
    {"iregexp_lone_backslash_in_class", "[a\\", IB_REGEX_IREGEXP, 3, "lone backslash"},
    {"iregexp_repeats_nothing", "|*", IB_REGEX_IREGEXP, 2, "'*' repeats nothing"},
    {"iregexp_invalid_utf8", "a\xff", IB_REGEX_IREGEXP, 1, "not valid UTF-8"},
};

static void test_bad(void **state)
{
    const struct bad_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_regex *re = NULL;
    size_t column = 0;

    assert_rc(ib_regex_compile(ib_str_from(r->pattern), r->dialect, &re, &column, &err), IB_EPARSE,
              &err);
    if (column != r->column) {
        fail_msg("column %zu: %s", column, err.text);
    }
    assert_contains(err.text, r->words);
    assert_int_equal(ib_regex_compile(ib_str_from(r->pattern), r->dialect, &re, NULL, NULL),
                     IB_EPARSE);
}

static void translation_keeps_to_the_letter(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(1024);

    assert_ok(ib_iregexp_translate(IB_STR("^a.[^\\n-b\\p{L}-](c|/)#{1,2}$"), &out, NULL, &err),
              &err);
    assert_string_equal(ib_buf_c(&out), "^a[^\\n\\r][^\\n-b\\p{L}\\-](?:c|\\/)\\#{1,2}$");
}

/* ------------------------------------------------------------------------------------- limits */

static struct ib_str repeated(struct ib_buf *b, char c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ib_buf_add_char(b, c);
    }
    return ib_buf_str(b);
}

struct cost_row {
    const char *name, *pattern;
    size_t subject_bytes; /* of 'a' */
};
/* Each would take seconds, hours or for ever. */
static const struct cost_row cost_rows[] = {
    {"exponential_ends", "(a|aa)+[bc]", 200},
    {"nested_repeats_end", "(a+)+[bc]", 200},
    {"quadratic_search_ends", "a*[bc]", 1024 * 1024},
    {"quadratic_lazy_search_ends", "a*?[bc]", 1024 * 1024},
    {"long_count_at_each_position_ends", "a{60000}[bc]", 1024 * 1024},
    {"back_references_end", "(a*)\\1[bc]", 512 * 1024},
    {"lookbehind_at_each_position_ends", "(?<=a{200})(?:a|a)*[bc]", 1024 * 1024},
    {"recursion_ends", "(a(?1)?a)[bc]", 100000},
};

static void test_cost(void **state)
{
    const struct cost_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_regex_cleanup) struct ib_regex *re = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT(IB_REGEX_SUBJECT_MAX);
    bool matches = false;

    assert_ok(ib_regex_compile(ib_str_from(r->pattern), IB_REGEX_ECMA, &re, NULL, &err), &err);
    (void)repeated(&b, 'a', r->subject_bytes - 1);
    /* PCRE2 would see at once that there is no b or c. */
    ib_buf_add_char(&b, '!');
    assert_rc(ib_regex_search(re, ib_buf_str(&b), NULL, &matches, &err), IB_ELIMIT, &err);
    assert_contains(err.text, "too many steps");
    assert_false(matches);
}

static void usual_patterns_on_a_whole_body_are_cheap(void **state)
{
    (void)state;
    static const char *const patterns[] = {"\"status\"\\s*:\\s*\"AVAILABLE\"",
                                           "AVAILABLE|FAILED",
                                           "^[^!]*!$",
                                           "(?i)error",
                                           "([\"'])status\\1",
                                           "^\\s*\\{",
                                           "[A-Z]{5,}"};
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT(IB_REGEX_SUBJECT_MAX);

    for (size_t i = 0; i < 8000; i++) {
        ib_buf_add_c(&b, "{\"name\" : \"an image of some kind\"},\n");
    }
    for (size_t i = 0; i < IB_ARRAY_LEN(patterns); i++) {
        IB_CLEANUP(ib_regex_cleanup) struct ib_regex *re = NULL;
        bool matches;
        assert_ok(ib_regex_compile(ib_str_from(patterns[i]), IB_REGEX_ECMA, &re, NULL, &err), &err);
        assert_ok(ib_regex_search(re, ib_buf_str(&b), NULL, &matches, &err), &err);
    }
}

static void budget_is_drawn_from(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_regex_cleanup) struct ib_regex *re = NULL;
    bool matches;
    size_t steps = 200;

    assert_ok(ib_regex_compile(IB_STR("abc"), IB_REGEX_ECMA, &re, NULL, &err), &err);
    assert_ok(ib_regex_search(re, IB_STR("xxabcxx"), &steps, &matches, &err), &err);
    assert_true(matches);
    assert_in_range(steps, 1, 199);
    for (int i = 0; i < 20 && steps > 0; i++) {
        (void)!ib_regex_search(re, IB_STR("xxabcxx"), &steps, &matches, &err);
    }
    assert_int_equal(steps, 0);
    assert_rc(ib_regex_search(re, IB_STR("xxabcxx"), &steps, &matches, &err), IB_ELIMIT, &err);
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_regex_cleanup) struct ib_regex *re = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT((size_t)IB_REGEX_SUBJECT_MAX + 1);
    bool matches;

    struct ib_str text = repeated(&b, 'a', (size_t)IB_REGEX_SUBJECT_MAX + 1);
    assert_rc(ib_regex_compile(ib_str_head(text, IB_REGEX_PATTERN_MAX + 1), IB_REGEX_ECMA, &re,
                               NULL, &err),
              IB_ELIMIT, &err);
    assert_ok(ib_regex_compile(ib_str_head(text, IB_REGEX_PATTERN_MAX), IB_REGEX_IREGEXP, &re, NULL,
                               &err),
              &err);
    assert_rc(ib_regex_search(re, text, NULL, &matches, &err), IB_ELIMIT, &err);
    assert_rc(ib_regex_search(re, IB_STR("\xff"), NULL, &matches, &err), IB_EPARSE, &err);
}

static void groups_inside_groups_are_bounded(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_regex *re = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT(IB_REGEX_PATTERN_MAX);

    struct ib_str text = repeated(&b, '(', IB_REGEX_PATTERN_MAX);
    assert_rc(ib_regex_compile(text, IB_REGEX_IREGEXP, &re, NULL, &err), IB_ELIMIT, &err);
    assert_rc(ib_regex_compile(text, IB_REGEX_ECMA, &re, NULL, &err), IB_EPARSE, &err);
    assert_contains(err.text, "too deeply nested");
}

static void quoted_text_matches_itself(void **state)
{
    (void)state;
    static const char text[] = "a.b*c+d?(e)[f]{2}|^$\\-/\" '\xc3\xa9";
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_regex_cleanup) struct ib_regex *re = NULL;
    IB_CLEANUP(ib_buf_fini) struct ib_buf b = IB_BUF_INIT(256);
    bool matches = false;

    ib_buf_add_c(&b, "^");
    ib_regex_quote(ib_str_from(text), &b);
    ib_buf_add_c(&b, "$");
    assert_ok(ib_regex_compile(ib_buf_str(&b), IB_REGEX_ECMA, &re, NULL, &err), &err);
    assert_ok(ib_regex_search(re, ib_str_from(text), NULL, &matches, &err), &err);
    assert_true(matches);
}

int main(void)
{
    IB_TEST_ROWS(match_rows, test_match);
    IB_TEST_ROWS(bad_rows, test_bad);
    IB_TEST_ROWS(cost_rows, test_cost);
    IB_TEST_CASE(translation_keeps_to_the_letter);
    IB_TEST_CASE(usual_patterns_on_a_whole_body_are_cheap);
    IB_TEST_CASE(budget_is_drawn_from);
    IB_TEST_CASE(sizes_are_bounded);
    IB_TEST_CASE(groups_inside_groups_are_bounded);
    IB_TEST_CASE(quoted_text_matches_itself);
    return IB_TEST_RUN();
}
