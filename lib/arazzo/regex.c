/* SPDX-License-Identifier: MIT */
/*
 * Regular expressions with bounded work.
 *
 * PCRE2's own match limit starts anew at every position of the subject, so it does not bound a
 * search. Automatic callouts do: the matcher calls us before each item of the pattern, and we draw
 * from a budget.
 */
#include "lib/arazzo/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "lib/arazzo/column.h"
#include "lib/arazzo/iregexp.h"

#define HEAP_MAX_KIB   ((uint32_t)(32 * 1024)) /* memory of one match */
#define PARENS_MAX     ((uint32_t)100)
#define BYTES_PER_STEP ((size_t)32) /* PCRE2 runs over this many in the time of one callout */

struct ib_regex {
    pcre2_code *code;
    size_t steps_per_item;    /* what one item may cost at most, unseen by the callouts */
    bool has_back_references; /* then an item may also cost the length of a group */
};

struct budget {
    size_t left;
    size_t per_item;
    bool has_back_references;
    size_t last_position;
};

/* Bytes of the longest group so far: what comparing with one may take. */
static size_t longest_group(const pcre2_callout_block *block)
{
    size_t longest = 0;

    for (uint32_t i = 1; i < block->capture_top; i++) {
        PCRE2_SIZE start = block->offset_vector[2 * i], end = block->offset_vector[2 * i + 1];
        if (start != PCRE2_UNSET && end != PCRE2_UNSET && end > start && end - start > longest) {
            longest = end - start;
        }
    }
    return longest;
}

static int on_item(pcre2_callout_block *block, void *data)
{
    struct budget *b = data;
    size_t moved = block->current_position > b->last_position
                       ? block->current_position - b->last_position
                       : b->last_position - block->current_position;
    size_t unseen = b->has_back_references ? longest_group(block) : 0;
    size_t cost = b->per_item + (moved + unseen) / BYTES_PER_STEP;

    if (cost > b->left) {
        b->left = 0;
        return PCRE2_ERROR_CALLOUT;
    }
    b->left -= cost;
    b->last_position = block->current_position;
    return 0;
}

/* The largest count in braces: "a{9000}" compares 9000 bytes within one item. */
static size_t largest_count(struct ib_str pattern)
{
    size_t largest = 0, number = 0;
    bool in_braces = false;

    for (size_t i = 0; i < pattern.n; i++) {
        char c = pattern.p[i];
        if (ib_ascii_digit(c) && in_braces && number < 100000) {
            number = number * 10 + (size_t)(c - '0');
        } else if (!ib_ascii_digit(c)) {
            in_braces = c == '{' || (in_braces && c == ',');
            number = 0;
        }
        largest = number > largest ? number : largest;
    }
    return largest;
}

static void cleanup_context(pcre2_compile_context **context)
{
    pcre2_compile_context_free(*context);
}

static enum ib_rc compile(struct ib_regex *r, struct ib_str pattern, bool is_ecma,
                          size_t *ret_column, struct ib_error *err)
{
    uint32_t options =
        PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY | PCRE2_AUTO_CALLOUT;
    int code = 0;
    PCRE2_SIZE at = 0;
    IB_CLEANUP(cleanup_context) pcre2_compile_context *context = pcre2_compile_context_create(NULL);

    if (context == NULL) {
        return ib_fail_nomem(err);
    }
    (void)pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    (void)pcre2_set_parens_nest_limit(context, PARENS_MAX);
    if (is_ecma) {
        options |= PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS;
        (void)pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
    }
    r->code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, options, &code, &at, context);
    if (r->code == NULL) {
        PCRE2_UCHAR text[160] = ""; /* PCRE2's longest message is under 120 */
        if (code == PCRE2_ERROR_HEAP_FAILED) {
            return ib_fail_nomem(err);
        }
        (void)pcre2_get_error_message(code, text, sizeof text);
        /* PCRE2 stops behind what it could not take, but at bytes that are no UTF-8. */
        at -= code > 0 && at > 0 ? 1 : 0;
        return ib_column_fail(err, ret_column, at, "%s", (const char *)text);
    }
    uint32_t back_references = 0;
    (void)pcre2_pattern_info(r->code, PCRE2_INFO_BACKREFMAX, &back_references);
    r->has_back_references = back_references > 0;
    r->steps_per_item = 1 + largest_count(pattern) / BYTES_PER_STEP;
    return IB_OK;
}

static enum ib_rc compile_iregexp(struct ib_regex *r, struct ib_str pattern, bool is_whole,
                                  size_t *ret_column, struct ib_error *err)
{
    /* Escapes double, '.' becomes eight bytes. */
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT((size_t)IB_REGEX_PATTERN_MAX * 8 + 16);

    ib_buf_add_c(&text, is_whole ? "\\A(?:" : "(?:");
    enum ib_rc rc = ib_iregexp_translate(pattern, &text, ret_column, err);
    if (rc != IB_OK) {
        return rc;
    }
    ib_buf_add_c(&text, is_whole ? ")\\z" : ")");
    rc = ib_buf_ok(&text, "pattern", err);
    if (rc == IB_OK) {
        rc = compile(r, ib_buf_str(&text), /* is_ecma= */ false, NULL, err);
        /* PCRE2's column is that of the translation. Only counts out of range get this far. */
        if (rc == IB_EPARSE) {
            const char *words = strstr(err == NULL ? "" : err->text, ": ");
            rc = ib_column_fail(err, ret_column, 0, "%s", words == NULL ? "" : words + 2);
        }
    }
    return rc;
}

enum ib_rc ib_regex_compile(struct ib_str pattern, enum ib_regex_dialect dialect,
                            struct ib_regex **ret, size_t *ret_column, struct ib_error *err)
{
    if (pattern.n > IB_REGEX_PATTERN_MAX) {
        return ib_fail(err, IB_ELIMIT, "a pattern of %zu bytes; the most is %d", pattern.n,
                       IB_REGEX_PATTERN_MAX);
    }
    struct ib_regex *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return ib_fail_nomem(err);
    }
    pattern = pattern.p == NULL ? IB_STR("") : pattern;
    enum ib_rc rc =
        dialect == IB_REGEX_ECMA
            ? compile(r, pattern, /* is_ecma= */ true, ret_column, err)
            : compile_iregexp(r, pattern, dialect == IB_REGEX_IREGEXP_WHOLE, ret_column, err);
    if (rc == IB_OK) {
        *ret = r;
    } else {
        ib_regex_free(r);
    }
    return rc;
}

void ib_regex_free(struct ib_regex *r)
{
    if (r != NULL) {
        pcre2_code_free(r->code);
        free(r);
    }
}

void ib_regex_cleanup(struct ib_regex **r)
{
    ib_regex_free(*r);
}

static enum ib_rc verdict_of(int code, bool *ret, struct ib_error *err)
{
    PCRE2_UCHAR text[160] = "";

    if (code >= 0 || code == PCRE2_ERROR_NOMATCH) {
        *ret = code >= 0;
        return IB_OK;
    }
    if (code == PCRE2_ERROR_CALLOUT || code == PCRE2_ERROR_MATCHLIMIT ||
        code == PCRE2_ERROR_HEAPLIMIT || code == PCRE2_ERROR_DEPTHLIMIT) {
        return ib_fail(err, IB_ELIMIT, "the pattern takes too many steps on this text");
    }
    if (code == PCRE2_ERROR_NOMEMORY) {
        return ib_fail_nomem(err);
    }
    (void)pcre2_get_error_message(code, text, sizeof text);
    return ib_fail(err, IB_EPARSE, "text to match: %s", (const char *)text);
}

enum ib_rc ib_regex_search(const struct ib_regex *r, struct ib_str subject, size_t *steps,
                           bool *ret, struct ib_error *err)
{
    struct budget b = {.left = steps == NULL ? IB_REGEX_STEPS_MAX : *steps};

    if (subject.n > IB_REGEX_SUBJECT_MAX) {
        return ib_fail(err, IB_ELIMIT, "a text of %zu bytes is too long to match; the most is %d",
                       subject.n, IB_REGEX_SUBJECT_MAX);
    }
    b.per_item = r->steps_per_item;
    b.has_back_references = r->has_back_references;
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    if (data == NULL || context == NULL) {
        pcre2_match_data_free(data);
        pcre2_match_context_free(context);
        return ib_fail_nomem(err);
    }
    (void)pcre2_set_callout(context, on_item, &b);
    (void)pcre2_set_heap_limit(context, HEAP_MAX_KIB);
    int code = pcre2_match(r->code, (PCRE2_SPTR)(subject.p == NULL ? "" : subject.p), subject.n, 0,
                           0, data, context);
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    /* A match costs something even when PCRE2 sees at once that there is none. */
    size_t overhead = 20 + subject.n / BYTES_PER_STEP;
    b.left = b.left > overhead ? b.left - overhead : 0;
    if (steps != NULL) {
        *steps = b.left;
    }
    if (b.left == 0 && (code >= 0 || code == PCRE2_ERROR_NOMATCH)) {
        code = PCRE2_ERROR_CALLOUT;
    }
    return verdict_of(code, ret, err);
}

void ib_regex_quote(struct ib_str text, struct ib_buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        if (strchr("\\^$.|?*+()[]{}-/", text.p[i]) != NULL && text.p[i] != '\0') {
            ib_buf_add_char(out, '\\');
        }
        ib_buf_add_char(out, text.p[i]);
    }
}
