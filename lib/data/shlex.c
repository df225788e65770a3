/* SPDX-License-Identifier: MIT */
/* Splitting a command line into words. Word quoting: POSIX.1-2024 XCU 2.2. */
#include "lib/data/shlex.h"

#include "lib/base/buf.h"

struct splitter {
    struct ib_str text;
    size_t at;
    struct ib_buf *word;
    bool in_word; /* also when it is empty: '' */
    struct ib_words *words;
    struct ib_error *err;
};

void ib_words_fini(struct ib_words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        char *word = words->argv[i];
        if (word != NULL) {
            explicit_bzero(word, strlen(word));
        }
        free(word);
    }
    free(words->argv);
    *words = (struct ib_words)IB_WORDS_INIT;
}

static enum ib_rc end_word(struct splitter *s)
{
    if (!s->in_word) {
        return IB_OK;
    }
    if (s->words->count == IB_SHLEX_WORDS_MAX) {
        return ib_fail(s->err, IB_ELIMIT, "a command of more than %d words", IB_SHLEX_WORDS_MAX);
    }
    char *copy = ib_str_dup(ib_buf_str(s->word));
    if (s->word->failed || copy == NULL) {
        free(copy);
        return ib_fail_nomem(s->err);
    }
    s->words->argv[s->words->count++] = copy;
    s->words->argv[s->words->count] = NULL;
    ib_buf_reset(s->word);
    s->in_word = false;
    return IB_OK;
}

/* s->at stands on the opening quote; moves behind the closing one. */
static enum ib_rc single_quoted(struct splitter *s)
{
    struct ib_str rest = ib_str_skip(s->text, s->at + 1);
    size_t close = ib_str_find(rest, '\'');

    if (close == rest.n) {
        return ib_fail(s->err, IB_EPARSE, "byte %zu: a single quote is not closed", s->at + 1);
    }
    ib_buf_add_str(s->word, ib_str_head(rest, close));
    s->at += close + 2;
    return IB_OK;
}

static enum ib_rc double_quoted(struct splitter *s)
{
    const size_t open = s->at++;

    while (s->at < s->text.n && s->text.p[s->at] != '"') {
        char c = s->text.p[s->at++];
        if (c == '\\' && s->at < s->text.n) {
            char next = s->text.p[s->at];
            if (next == '\n') {
                s->at++;
                continue;
            }
            if (strchr("\"\\$`", next) != NULL) {
                c = next;
                s->at++;
            }
        }
        ib_buf_add_char(s->word, c);
    }
    if (s->at >= s->text.n) {
        return ib_fail(s->err, IB_EPARSE, "byte %zu: a double quote is not closed", open + 1);
    }
    s->at++;
    return IB_OK;
}

static enum ib_rc backslash(struct splitter *s)
{
    if (s->at + 1 >= s->text.n) {
        return ib_fail(s->err, IB_EPARSE, "the command ends with a backslash");
    }
    char next = s->text.p[s->at + 1];
    if (next != '\n') {
        ib_buf_add_char(s->word, next);
        s->in_word = true;
    }
    s->at += 2;
    return IB_OK;
}

static enum ib_rc step(struct splitter *s)
{
    char c = s->text.p[s->at];

    if (ib_ascii_space(c)) {
        s->at++;
        return end_word(s);
    }
    if (c == '\\') {
        return backslash(s);
    }
    s->in_word = true;
    if (c == '\'') {
        return single_quoted(s);
    }
    if (c == '"') {
        return double_quoted(s);
    }
    ib_buf_add_char(s->word, c);
    s->at++;
    return IB_OK;
}

static enum ib_rc split(struct splitter *s)
{
    s->words->argv = calloc(IB_SHLEX_WORDS_MAX + 1, sizeof *s->words->argv);
    if (s->words->argv == NULL) {
        return ib_fail_nomem(s->err);
    }
    while (s->at < s->text.n) {
        enum ib_rc rc = step(s);
        if (rc != IB_OK) {
            return rc;
        }
    }
    enum ib_rc rc = end_word(s);
    if (rc == IB_OK && s->words->count == 0) {
        rc = ib_fail(s->err, IB_EPARSE, "the command is empty");
    }
    return rc;
}

enum ib_rc ib_shlex_split(struct ib_str text, struct ib_words *ret, struct ib_error *err)
{
    if (text.n > IB_SHLEX_BYTES_MAX) {
        return ib_fail(err, IB_ELIMIT, "a command of %zu bytes, more than %d", text.n,
                       IB_SHLEX_BYTES_MAX);
    }
    if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL) {
        return ib_fail(err, IB_EPARSE, "a command holds a NUL byte");
    }
    IB_CLEANUP(ib_buf_fini) struct ib_buf word = IB_BUF_INIT_SECRET(IB_SHLEX_BYTES_MAX);
    struct splitter s = { .text = text, .word = &word, .words = ret, .err = err };
    enum ib_rc rc = split(&s);
    if (rc != IB_OK) {
        ib_words_fini(ret);
    }
    return rc;
}
