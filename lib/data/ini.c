/* SPDX-License-Identifier: MIT */
/* The AWS profile files. A file is read twice: the first time finds errors, the second time tells. */
#include "lib/data/ini.h"

#include "lib/base/buf.h"

struct reader {
    enum ib_ini_file file;
    const char *what;
    ib_ini_fn fn; /* NULL in the first reading */
    void *ctx;
    struct ib_error *err;
    unsigned line;
    bool has_prefixed_default; /* [profile default] is there: [default] does not count */
    bool in_section, is_ignored; /* the section's lines are for somebody else */
    bool in_property, is_ignored_property;
    bool wants_subs;  /* the property's first line has no value: key = value lines follow */
    struct ib_ini_entry entry;
    struct ib_buf name, key, value;
};

static void reader_fini(struct reader *r)
{
    ib_buf_fini(&r->name);
    ib_buf_fini(&r->key);
    ib_buf_fini(&r->value);
}

/* The rule that a line breaks; its text may be a secret and stays out. */
static enum ib_rc fail_line(struct reader *r, const char *rule)
{
    return ib_fail(r->err, IB_ECONFIG, "%s:%u: %s", r->what, r->line, rule);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Names with other characters are left out, as the SDKs do. */
static bool is_name(struct ib_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ib_ascii_alnum(s.p[i]) && (s.p[i] == '\0' || strchr("_-/.%@:+", s.p[i]) == NULL)) {
            return false;
        }
    }
    return s.n > 0;
}

/* A comment behind a value begins after a blank. */
static struct ib_str without_comment(struct ib_str s)
{
    for (size_t i = 1; i < s.n; i++) {
        if ((s.p[i] == '#' || s.p[i] == ';') && is_blank(s.p[i - 1])) {
            return ib_str_head(s, i);
        }
    }
    return s;
}

/* Tell of the property that has ended. */
static enum ib_rc end_property(struct reader *r)
{
    bool tell = r->in_property && !r->is_ignored_property && r->fn != NULL;

    r->in_property = false;
    if (!tell) {
        return IB_OK;
    }
    enum ib_rc rc = ib_buf_ok(&r->key, r->what, r->err);
    if (rc == IB_OK) {
        rc = ib_buf_ok(&r->value, r->what, r->err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    r->entry.key = ib_buf_str(&r->key);
    r->entry.value = ib_buf_str(&r->value);
    return r->fn(r->ctx, &r->entry, r->err);
}

/* Name behind a word and a blank: "profile  x" gives "x"; p == NULL when s does not begin so. */
static struct ib_str behind_word(struct ib_str s, struct ib_str word)
{
    if (!ib_str_starts(s, word) || s.n == word.n || !is_blank(s.p[word.n])) {
        return (struct ib_str){ NULL, 0 };
    }
    return ib_str_trim(ib_str_skip(s, word.n));
}

/* Which section a heading begins; false for those that are left out. */
static bool section_of(struct reader *r, struct ib_str heading, enum ib_ini_section *ret,
                       struct ib_str *ret_name)
{
    static const struct {
        struct ib_str word;
        enum ib_ini_section section;
    } forms[] = {
        { { "profile", 7 }, IB_INI_PROFILE },
        { { "sso-session", 11 }, IB_INI_SSO_SESSION },
        { { "services", 8 }, IB_INI_SERVICES },
    };

    *ret = IB_INI_PROFILE;
    *ret_name = heading;
    if (r->file == IB_INI_CREDENTIALS) {
        return is_name(heading);
    }
    if (ib_str_eq_c(heading, "default")) {
        return !r->has_prefixed_default;
    }
    for (size_t i = 0; i < IB_ARRAY_LEN(forms); i++) {
        struct ib_str name = behind_word(heading, forms[i].word);
        if (name.p != NULL) {
            *ret = forms[i].section;
            *ret_name = name;
            r->has_prefixed_default = r->has_prefixed_default || (*ret == IB_INI_PROFILE &&
                                                                  ib_str_eq_c(name, "default"));
            return is_name(name);
        }
    }
    return false;
}

static enum ib_rc on_heading(struct reader *r, struct ib_str line)
{
    size_t close = ib_str_find(line, ']');
    enum ib_ini_section section;
    struct ib_str name;

    if (close == line.n) {
        return fail_line(r, "a section's heading has no ']'");
    }
    struct ib_str rest = ib_str_trim(ib_str_skip(line, close + 1));
    if (rest.n > 0 && rest.p[0] != '#' && rest.p[0] != ';') {
        return fail_line(r, "text behind the ']' of a section's heading");
    }
    r->in_section = true;
    r->is_ignored = !section_of(r, ib_str_trim(ib_str_head(ib_str_skip(line, 1), close - 1)),
                                &section, &name);
    if (r->is_ignored) {
        return IB_OK;
    }
    ib_buf_reset(&r->name);
    ib_buf_add_str(&r->name, name);
    enum ib_rc rc = ib_buf_ok(&r->name, r->what, r->err);
    if (rc != IB_OK) {
        return rc;
    }
    r->entry = (struct ib_ini_entry){ .section = section, .name = ib_buf_str(&r->name),
                                      .line = r->line };
    return r->fn == NULL ? IB_OK : r->fn(r->ctx, &r->entry, r->err);
}

static enum ib_rc on_property(struct reader *r, struct ib_str line)
{
    struct ib_str value = without_comment(line);
    struct ib_str key = ib_str_trim(ib_str_split(&value, '='));

    if (value.p == NULL) {
        return fail_line(r, "a property has no '='");
    }
    if (key.n == 0) {
        return fail_line(r, "a property has no name before its '='");
    }
    value = ib_str_trim(value);
    r->in_property = true;
    r->is_ignored_property = !is_name(key);
    r->wants_subs = value.n == 0;
    r->entry.line = r->line;
    ib_buf_reset(&r->key);
    for (size_t i = 0; i < key.n; i++) {
        ib_buf_add_char(&r->key, ib_ascii_tolower(key.p[i]));
    }
    ib_buf_reset(&r->value);
    ib_buf_add_str(&r->value, value);
    return IB_OK;
}

static enum ib_rc on_continuation(struct reader *r, struct ib_str text)
{
    if (!r->in_property) {
        return fail_line(r, "a line that begins with a blank continues a property, but none is there");
    }
    if (r->wants_subs) {
        struct ib_str value = text;
        struct ib_str key = ib_str_trim(ib_str_split(&value, '='));
        if (value.p == NULL) {
            return fail_line(r, "a nested property has no '='");
        }
        if (key.n == 0) {
            return fail_line(r, "a nested property has no name before its '='");
        }
    }
    ib_buf_add_char(&r->value, '\n');
    ib_buf_add_str(&r->value, text);
    return IB_OK;
}

static enum ib_rc on_line(struct reader *r, struct ib_str line)
{
    struct ib_str text = ib_str_trim(line);

    /* Also indented comments: Python's parser, which the AWS CLI uses, takes them so. */
    if (text.n == 0 || text.p[0] == '#' || text.p[0] == ';') {
        return IB_OK;
    }
    if (text.p[0] == '[') {
        enum ib_rc rc = end_property(r);
        return rc == IB_OK ? on_heading(r, text) : rc;
    }
    if (!r->in_section) {
        return fail_line(r, "a property stands before the first section");
    }
    if (r->is_ignored) {
        return IB_OK;
    }
    if (is_blank(line.p[0])) {
        return on_continuation(r, text);
    }
    enum ib_rc rc = end_property(r);
    return rc == IB_OK ? on_property(r, text) : rc;
}

static enum ib_rc read_lines(struct reader *r, struct ib_str text)
{
    struct ib_str rest = text;

    r->line = 0;
    r->in_section = false;
    r->in_property = false;
    while (rest.p != NULL) {
        struct ib_str line = ib_str_split(&rest, '\n');
        r->line++;
        if (line.n > 0 && memchr(line.p, '\0', line.n) != NULL) {
            return fail_line(r, "a NUL byte");
        }
        enum ib_rc rc = on_line(r, line);
        if (rc != IB_OK) {
            return rc;
        }
    }
    return end_property(r);
}

enum ib_rc ib_ini_parse(struct ib_str text, const char *what, enum ib_ini_file file, ib_ini_fn fn,
                        void *ctx, struct ib_error *err)
{
    IB_CLEANUP(reader_fini) struct reader r = { .file = file,
                                                .what = what,
                                                .err = err,
                                                .name = IB_BUF_INIT(IB_INI_BYTES_MAX),
                                                .key = IB_BUF_INIT(IB_INI_BYTES_MAX),
                                                .value = IB_BUF_INIT_SECRET(IB_INI_BYTES_MAX) };

    if (text.n > IB_INI_BYTES_MAX) {
        return ib_fail(err, IB_ELIMIT, "%s has %zu bytes, more than %zu", what, text.n,
                       IB_INI_BYTES_MAX);
    }
    if (ib_str_starts(text, IB_STR("\xEF\xBB\xBF"))) {
        text = ib_str_skip(text, 3);
    }
    enum ib_rc rc = read_lines(&r, text);
    if (rc != IB_OK || fn == NULL) {
        return rc;
    }
    r.fn = fn;
    r.ctx = ctx;
    return read_lines(&r, text);
}
