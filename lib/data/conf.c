/* SPDX-License-Identifier: MIT */
/* Configuration: our scanner, libconfig, and tables of keys. */
#include "lib/data/conf.h"

#include <libconfig.h>
#include <stdarg.h>

#include "lib/base/num.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

/* --- the scanner: what libconfig would take wrongly ------------------------------------------ */

struct scan {
    struct ib_str text;
    size_t at;
    unsigned line;
    unsigned depth;
    const char *file;
    struct ib_error *err;
};

static enum ib_rc scan_fail(struct scan *s, unsigned line, const char *rule)
{
    return ib_fail(s->err, IB_ECONFIG, "%s:%u: %s", s->file, line, rule);
}

static char peek(const struct scan *s, size_t ahead)
{
    return s->at + ahead < s->text.n ? s->text.p[s->at + ahead] : '\0';
}

static void advance(struct scan *s)
{
    if (s->text.p[s->at] == '\n') {
        s->line++;
    }
    s->at++;
}

static enum ib_rc scan_string(struct scan *s)
{
    unsigned line = s->line;

    advance(s);
    while (s->at < s->text.n) {
        char c = peek(s, 0);
        if (c == '\\' && s->at + 1 < s->text.n) {
            int high = peek(s, 1) == 'x' ? ib_hex_value(peek(s, 2)) : -1;
            int low = high < 0 ? -1 : ib_hex_value(peek(s, 3));
            if (low >= 0 && (high < 2 || high > 7)) {
                /* A NUL would end the string early, a byte alone is no UTF-8. */
                return scan_fail(s, s->line, "\\x in a string is for 20 to 7f only");
            }
            advance(s);
        } else if (c == '"') {
            advance(s);
            return IB_OK;
        }
        advance(s);
    }
    return scan_fail(s, line, "a string has no end");
}

static enum ib_rc scan_comment(struct scan *s, bool block)
{
    unsigned line = s->line;

    while (s->at < s->text.n) {
        if (!block && peek(s, 0) == '\n') {
            return IB_OK;
        }
        if (block && peek(s, 0) == '*' && peek(s, 1) == '/') {
            s->at += 2;
            return IB_OK;
        }
        advance(s);
    }
    return block ? scan_fail(s, line, "a comment has no end") : IB_OK;
}

static bool is_word(char c)
{
    return ib_ascii_alnum(c) || c == '_' || c == '.' || c == '-' || c == '+';
}

/* A bare word: a name, a boolean, or a number whose form and size are checked here. */
static enum ib_rc scan_word(struct scan *s)
{
    struct ib_str word = {s->text.p + s->at, 0};
    char first = peek(s, 0);
    char digit = first == '-' || first == '+' ? peek(s, 1) : first;
    int64_t value;

    while (s->at < s->text.n && is_word(peek(s, 0))) {
        word.n++;
        s->at++;
    }
    if (!ib_ascii_digit(digit) && digit != '.') {
        return IB_OK; /* a name; libconfig judges it */
    }
    struct ib_str shown = ib_str_head(word, 40);
    bool is_long = ib_str_ends(word, IB_STR("L"));
    struct ib_str digits = word;
    while (is_long && ib_str_ends(digits, IB_STR("L"))) {
        digits.n--;
    }
    size_t dot = ib_str_find(word, '.');
    bool exponent = ib_str_find(word, 'e') != word.n || ib_str_find(word, 'E') != word.n;
    bool hex = ib_str_find(word, 'x') != word.n || ib_str_find(word, 'X') != word.n;
    if (hex) {
        return ib_fail(s->err, IB_ECONFIG, "%s:%u: %.*s: hexadecimal numbers are not taken",
                       s->file, s->line, IB_STR_ARG(shown));
    }
    if (dot != word.n || exponent) {
        bool is_int;
        double d;
        struct ib_str plain = first == '+' ? ib_str_skip(word, 1) : word;
        if (ib_num_json(plain, &is_int, &value, &d, NULL) != IB_OK) {
            return ib_fail(s->err, IB_ECONFIG, "%s:%u: %.*s is not a number of ordinary size",
                           s->file, s->line, IB_STR_ARG(shown));
        }
        return IB_OK;
    }
    struct ib_str bare = first == '-' || first == '+' ? ib_str_skip(digits, 1) : digits;
    if (bare.n > 1 && bare.p[0] == '0') {
        return ib_fail(s->err, IB_ECONFIG, "%s:%u: %.*s: numbers do not begin with 0", s->file,
                       s->line, IB_STR_ARG(shown));
    }
    int64_t max = is_long ? INT64_MAX : INT32_MAX;
    int64_t min = is_long ? INT64_MIN : INT32_MIN;
    if (ib_num_i64(digits, min, max, "", &value, NULL) != IB_OK) {
        return ib_fail(s->err, IB_ECONFIG, "%s:%u: %.*s is not a whole number of %s bits%s",
                       s->file, s->line, IB_STR_ARG(shown), is_long ? "64" : "32",
                       is_long ? "" : " (durations are written \"2h\")");
    }
    return IB_OK;
}

static enum ib_rc scan_text(struct scan *s)
{
    while (s->at < s->text.n) {
        char c = peek(s, 0);
        enum ib_rc rc = IB_OK;
        if (c == '"') {
            rc = scan_string(s);
        } else if (c == '#' || (c == '/' && peek(s, 1) == '/')) {
            rc = scan_comment(s, false);
        } else if (c == '/' && peek(s, 1) == '*') {
            s->at += 2;
            rc = scan_comment(s, true);
        } else if (c == '@') {
            rc = scan_fail(s, s->line, "@include is not allowed: a configuration is one file");
        } else if (c == '{' || c == '[' || c == '(') {
            s->depth++;
            if (s->depth > IB_CONF_DEPTH_MAX) {
                rc = scan_fail(s, s->line, "nested deeper than 16 levels");
            }
            s->at++;
        } else if (c == '}' || c == ']' || c == ')') {
            s->depth -= s->depth > 0;
            s->at++;
        } else if (is_word(c)) {
            rc = scan_word(s);
        } else {
            advance(s);
        }
        if (rc != IB_OK) {
            return rc;
        }
    }
    return IB_OK;
}

/* --- libconfig -------------------------------------------------------------------------------- */

/* A setting's value, its children left out. */
static struct ib_value *scalar_of(const config_setting_t *setting)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
        return ib_value_int(config_setting_get_int(setting));
    case CONFIG_TYPE_INT64:
        return ib_value_int(config_setting_get_int64(setting));
    case CONFIG_TYPE_FLOAT:
        return ib_value_real(config_setting_get_float(setting));
    case CONFIG_TYPE_BOOL:
        return ib_value_bool(config_setting_get_bool(setting) != 0);
    case CONFIG_TYPE_STRING:
        return ib_value_string(ib_str_from(config_setting_get_string(setting)));
    case CONFIG_TYPE_GROUP:
        return ib_value_object();
    default:
        return ib_value_array();
    }
}

/* Recursion is bounded by IB_CONF_DEPTH_MAX, which the scanner has checked. */
static enum ib_rc to_value(const config_setting_t *setting, struct ib_value **ret,
                           struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = scalar_of(setting);
    int count = config_setting_is_aggregate(setting) != 0 ? config_setting_length(setting) : 0;

    if (v == NULL) {
        return ib_fail_nomem(err);
    }
    ib_value_set_mark(v, (struct ib_mark){config_setting_source_line(setting), 0});
    for (int i = 0; i < count; i++) {
        const config_setting_t *child = config_setting_get_elem(setting, (unsigned)i);
        struct ib_mark mark = {config_setting_source_line(child), 0};
        struct ib_value *item = NULL;
        enum ib_rc rc = to_value(child, &item, err);
        if (rc == IB_OK && ib_value_is(v, IB_VALUE_OBJECT)) {
            rc = ib_value_add(v, ib_str_from(config_setting_name(child)), mark, item, err);
        } else if (rc == IB_OK) {
            rc = ib_value_push(v, item, err);
        }
        if (rc != IB_OK) {
            return rc;
        }
    }
    *ret = v;
    v = NULL;
    return IB_OK;
}

static void destroy(config_t *config)
{
    config_destroy(config);
}

enum ib_rc ib_conf_parse(struct ib_str text, const char *what, struct ib_value **ret,
                         struct ib_error *err)
{
    struct scan scan = {.text = text, .line = 1, .file = what, .err = err};

    if (text.n > IB_CONF_BYTES_MAX) {
        return ib_fail(err, IB_ECONFIG, "%s: is larger than %d bytes", what, IB_CONF_BYTES_MAX);
    }
    if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL) {
        return ib_fail(err, IB_ECONFIG, "%s: holds a NUL byte: this is no text file", what);
    }
    if (!ib_utf8_valid(text.p, text.n)) {
        return ib_fail(err, IB_ECONFIG, "%s: is not UTF-8 text", what);
    }
    enum ib_rc rc = scan_text(&scan);
    if (rc != IB_OK) {
        return rc;
    }
    IB_CLEANUP(ib_cleanup_char) char *copy = ib_str_dup(text);
    if (copy == NULL) {
        return ib_fail_nomem(err);
    }
    IB_CLEANUP(destroy) config_t config;
    config_init(&config);
    if (config_read_string(&config, copy) != CONFIG_TRUE) {
        return ib_fail(err, IB_ECONFIG, "%s:%d: %s", what, config_error_line(&config),
                       config_error_text(&config));
    }
    rc = to_value(config_root_setting(&config), ret, err);
    if (rc != IB_OK) {
        (void)ib_error_context(err, "%s", what);
    }
    return rc;
}

/* --- tables of keys --------------------------------------------------------------------------- */

size_t ib_conf_texts_count(const struct ib_conf_texts *texts)
{
    if (ib_value_is(texts->array, IB_VALUE_STRING)) {
        return 1;
    }
    return ib_value_count(texts->array);
}

struct ib_str ib_conf_texts_at(const struct ib_conf_texts *texts, size_t i)
{
    return ib_value_as_str(
        ib_value_is(texts->array, IB_VALUE_STRING) ? texts->array : ib_value_at(texts->array, i));
}

enum ib_rc ib_conf_fail(struct ib_error *err, const char *file, const struct ib_value *at,
                        const char *path, const char *fmt, ...)
{
    char rule[IB_ERROR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(rule, sizeof rule, fmt, ap);
    va_end(ap);
    return ib_fail(err, IB_ECONFIG, "%s:%" PRIu32 ": %s%s%s", file, ib_value_mark(at).line, path,
                   path[0] == '\0' ? "" : ": ", rule);
}

/* Number of single-character changes between two short names, at most cap. */
static size_t edit_distance(struct ib_str a, struct ib_str b)
{
    enum { MAX = 32 };
    size_t row[MAX + 1];

    if (a.n > MAX || b.n > MAX) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b.n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t change = diagonal + (a.p[i - 1] != b.p[j - 1]);
            size_t add = row[j - 1] + 1;
            size_t drop = row[j] + 1;
            diagonal = row[j];
            row[j] = change < add ? change : add;
            row[j] = row[j] < drop ? row[j] : drop;
        }
    }
    return row[b.n];
}

static const char *nearest_name(struct ib_str name, struct ib_conf_table table)
{
    const char *best = NULL;
    size_t best_distance = 3; /* further apart is another word, not a slip */

    for (size_t i = 0; i < table.count; i++) {
        size_t d = edit_distance(name, ib_str_from(table.keys[i].name));
        if (d < best_distance) {
            best_distance = d;
            best = table.keys[i].name;
        }
    }
    return best;
}

struct decode {
    const char *file;
    const char *path; /* of the key, for the sentence */
    const struct ib_value *value;
    struct ib_error *err;
};

static enum ib_rc wrong_type(const struct decode *d, const char *want)
{
    return ib_conf_fail(d->err, d->file, d->value, d->path, "is %s, not %s",
                        ib_value_type_name(d->value), want);
}

static enum ib_rc decode_int(const struct decode *d, const struct ib_conf_key *key, int64_t *dest)
{
    if (!ib_value_is(d->value, IB_VALUE_INT)) {
        return wrong_type(d, "a whole number");
    }
    int64_t value = ib_value_as_int(d->value);
    if (value < key->min || value > key->max) {
        return ib_conf_fail(d->err, d->file, d->value, d->path,
                            "%" PRId64 " is outside %" PRId64 "..%" PRId64, value, key->min,
                            key->max);
    }
    *dest = value;
    return IB_OK;
}

static enum ib_rc decode_duration(const struct decode *d, const struct ib_conf_key *key,
                                  int64_t *dest)
{
    struct ib_error why = IB_ERROR_INIT;
    int64_t ms = 0;

    if (ib_value_is(d->value, IB_VALUE_INT)) {
        int64_t s = ib_value_as_int(d->value);
        ms = s < 0 || s > IB_DURATION_MAX_MS / IB_SECOND_MS ? -1 : s * IB_SECOND_MS;
    } else if (ib_value_is(d->value, IB_VALUE_STRING)) {
        if (ib_duration_parse(ib_value_as_str(d->value), d->path, &ms, &why) != IB_OK) {
            return ib_conf_fail(d->err, d->file, d->value, "", "%s", why.text);
        }
    } else {
        return wrong_type(d, "a duration (\"45m\")");
    }
    if (ms < key->min || ms > key->max) {
        char lo[IB_TIME_TEXT_MAX], hi[IB_TIME_TEXT_MAX];
        return ib_conf_fail(d->err, d->file, d->value, d->path, "is outside %s..%s",
                            ib_duration_fmt(key->min, lo, sizeof lo),
                            ib_duration_fmt(key->max, hi, sizeof hi));
    }
    *dest = ms;
    return IB_OK;
}

static enum ib_rc decode_text(const struct decode *d, const char **dest)
{
    if (!ib_value_is(d->value, IB_VALUE_STRING)) {
        return wrong_type(d, "a string");
    }
    struct ib_str s = ib_value_as_str(d->value);
    if (s.n == 0) {
        return ib_conf_fail(d->err, d->file, d->value, d->path, "is empty");
    }
    *dest = s.p;
    return IB_OK;
}

static enum ib_rc decode_texts(const struct decode *d, struct ib_conf_texts *dest)
{
    const char *text = "";

    if (ib_value_is(d->value, IB_VALUE_STRING)) {
        enum ib_rc rc = decode_text(d, &text);
        if (rc == IB_OK) {
            dest->array = d->value;
        }
        return rc;
    }
    if (!ib_value_is(d->value, IB_VALUE_ARRAY)) {
        return wrong_type(d, "a string or a list of strings");
    }
    size_t count = ib_value_count(d->value);
    if (count == 0) {
        return ib_conf_fail(d->err, d->file, d->value, d->path, "is an empty list");
    }
    if (count > IB_CONF_TEXTS_MAX) {
        return ib_conf_fail(d->err, d->file, d->value, d->path, "has more than %d entries",
                            IB_CONF_TEXTS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        struct decode item = *d;
        item.value = ib_value_at(d->value, i);
        enum ib_rc rc = decode_text(&item, &text);
        if (rc != IB_OK) {
            return rc;
        }
        for (size_t j = 0; j < i; j++) {
            if (ib_value_equal(item.value, ib_value_at(d->value, j))) {
                return ib_conf_fail(d->err, d->file, item.value, d->path, "names \"%.64s\" twice",
                                    text);
            }
        }
    }
    dest->array = d->value;
    return IB_OK;
}

static enum ib_rc decode_choice(const struct decode *d, const struct ib_conf_key *key, int *dest)
{
    char names[200] = "";

    if (!ib_value_is(d->value, IB_VALUE_STRING)) {
        return wrong_type(d, "a string");
    }
    struct ib_str s = ib_value_as_str(d->value);
    for (int i = 0; key->choices[i] != NULL; i++) {
        size_t used = strlen(names);
        if (ib_str_ieq_c(s, key->choices[i])) {
            *dest = i;
            return IB_OK;
        }
        (void)snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : ", ",
                       key->choices[i]);
    }
    return ib_conf_fail(d->err, d->file, d->value, d->path, "\"%.*s\" is none of %s",
                        IB_STR_ARG(ib_str_head(s, 64)), names);
}

static enum ib_rc decode_one(const struct decode *d, const struct ib_conf_key *key, void *base)
{
    void *dest = (char *)base + key->offset;
    enum ib_rc rc = IB_OK;

    switch (key->kind) {
    case IB_CONF_BOOL:
        if (!ib_value_is(d->value, IB_VALUE_BOOL)) {
            return wrong_type(d, "true or false");
        }
        *(bool *)dest = ib_value_as_bool(d->value);
        break;
    case IB_CONF_INT:
        rc = decode_int(d, key, dest);
        break;
    case IB_CONF_TEXT:
        rc = decode_text(d, dest);
        break;
    case IB_CONF_TEXTS:
        rc = decode_texts(d, dest);
        break;
    case IB_CONF_DURATION:
        rc = decode_duration(d, key, dest);
        break;
    case IB_CONF_CHOICE:
        rc = decode_choice(d, key, dest);
        break;
    case IB_CONF_VALUE:
        *(const struct ib_value **)dest = d->value;
        break;
    case IB_CONF_GROUP:
        if (!ib_value_is(d->value, IB_VALUE_OBJECT)) {
            return wrong_type(d, "a group { ... }");
        }
        rc = ib_conf_decode(d->file, d->path, d->value,
                            (struct ib_conf_table){key->keys, key->key_count}, base, d->err);
        break;
    }
    if (rc == IB_OK && key->line_offset != 0) {
        *(uint32_t *)(void *)((char *)base + key->line_offset) = ib_value_mark(d->value).line;
    }
    return rc;
}

enum ib_rc ib_conf_decode(const char *file, const char *path, const struct ib_value *group,
                          struct ib_conf_table table, void *base, struct ib_error *err)
{
    for (size_t i = 0; i < ib_value_count(group); i++) {
        struct ib_str name = ib_value_key_at(group, i);
        const struct ib_conf_key *key = NULL;
        char where[256];
        (void)snprintf(where, sizeof where, "%s%s%.*s", path, path[0] == '\0' ? "" : ".",
                       IB_STR_ARG(ib_str_head(name, 64)));
        struct decode d = {file, where, ib_value_at(group, i), err};
        for (size_t k = 0; k < table.count && key == NULL; k++) {
            key = ib_str_eq_c(name, table.keys[k].name) ? &table.keys[k] : NULL;
        }
        if (key == NULL) {
            const char *near = nearest_name(name, table);
            return ib_conf_fail(err, file, d.value, where, "there is no such key%s%s%s",
                                near == NULL ? "" : "; \"", near == NULL ? "" : near,
                                near == NULL ? "" : "\" is meant?");
        }
        enum ib_rc rc = decode_one(&d, key, base);
        if (rc != IB_OK) {
            return rc;
        }
    }
    return IB_OK;
}
