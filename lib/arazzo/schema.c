/* SPDX-License-Identifier: MIT */
/* JSON Schema: finding $ref, filling defaults, testing values. */
#include "lib/arazzo/schema.h"

#include "lib/arazzo/regex.h"
#include "lib/base/num.h"
#include "lib/base/text.h"
#include "lib/data/json.h"

/* "/components/inputs/page" without escapes: a walk that needs no memory, so that it cannot want
 * for it. */
static const struct ib_value *walk(const struct ib_value *root, struct ib_str pointer)
{
    const struct ib_value *at = root;
    struct ib_value *found = NULL;

    if (pointer.n == 0 || pointer.p[0] != '/' || ib_str_find(pointer, '~') < pointer.n) {
        return ib_value_pointer(root, pointer, &found, NULL) == IB_OK ? found : NULL;
    }
    struct ib_str rest = ib_str_skip(pointer, 1);
    while (rest.p != NULL && ib_value_is(at, IB_VALUE_OBJECT)) {
        at = ib_value_get(at, ib_str_split(&rest, '/'));
    }
    if (rest.p == NULL) {
        return at;
    }
    /* Elements of arrays are seldom referred to. */
    return ib_value_pointer(root, pointer, &found, NULL) == IB_OK ? found : NULL;
}

const struct ib_value *ib_schema_target(const struct ib_value *root, const struct ib_value *schema)
{
    for (size_t hops = 0; hops < IB_SCHEMA_DEPTH_MAX; hops++) {
        const struct ib_value *ref = ib_value_get_c(schema, "$ref");
        if (!ib_value_is(ref, IB_VALUE_STRING)) {
            return schema;
        }
        struct ib_str text = ib_value_as_str(ref);
        if (text.n == 0 || text.p[0] != '#') {
            return NULL;
        }
        schema = walk(root, ib_str_skip(text, 1));
    }
    return NULL;
}

/* --- defaults ------------------------------------------------------------------------------- */

static enum ib_rc fill(const struct ib_value *root, const struct ib_value *schema,
                       const struct ib_value *v, size_t depth, struct ib_value **ret,
                       struct ib_error *err);

static enum ib_rc fill_property(const struct ib_value *root, const struct ib_value *schema,
                                struct ib_str name, size_t depth, struct ib_value *object,
                                struct ib_error *err)
{
    const struct ib_value *there = ib_value_get(object, name);
    const struct ib_value *target = ib_schema_target(root, schema);
    const struct ib_value *value = ib_value_get_c(schema, "default");
    struct ib_value *filled = NULL;

    if (there == NULL) {
        value = value == NULL ? ib_value_get_c(target, "default") : value;
        return value == NULL ? IB_OK : ib_value_set(object, name, ib_value_ref(value), err);
    }
    enum ib_rc rc = fill(root, target, there, depth + 1, &filled, err);
    return rc == IB_OK ? ib_value_set(object, name, filled, err) : rc;
}

static enum ib_rc fill(const struct ib_value *root, const struct ib_value *schema,
                       const struct ib_value *v, size_t depth, struct ib_value **ret,
                       struct ib_error *err)
{
    const struct ib_value *properties = ib_value_get_c(schema, "properties");

    if (!ib_value_is(v, IB_VALUE_OBJECT) || !ib_value_is(properties, IB_VALUE_OBJECT) ||
        depth > IB_SCHEMA_DEPTH_MAX) {
        *ret = ib_value_ref(v);
        return IB_OK;
    }
    IB_CLEANUP(ib_value_cleanup) struct ib_value *object = ib_value_copy(v);
    if (object == NULL) {
        return ib_fail_nomem(err);
    }
    for (size_t i = 0; i < ib_value_count(properties); i++) {
        enum ib_rc rc = fill_property(root, ib_value_at(properties, i),
                                      ib_value_key_at(properties, i), depth, object, err);
        if (rc != IB_OK) {
            return rc;
        }
    }
    *ret = object;
    object = NULL;
    return IB_OK;
}

enum ib_rc ib_schema_fill(const struct ib_value *root, const struct ib_value *schema,
                          const struct ib_value *v, struct ib_value **ret, struct ib_error *err)
{
    return fill(root, ib_schema_target(root, schema), v, 0, ret, err);
}

/* --- testing -------------------------------------------------------------------------------- */

struct tester {
    const struct ib_value *root;
    const struct ib_schema_options *options;
    struct ib_buf path; /* of the value: "tags.team[0]" */
    size_t work;
    size_t depth;
};

#define TEST_PATH_MAX ((size_t)4096)

/* "input tags.team: must be ..." */
static enum ib_rc IB_PRINTF(3, 4)
    not_valid(const struct tester *t, struct ib_error *err, const char *fmt, ...)
{
    char raw[IB_ERROR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    return ib_fail(err, IB_EUSAGE, "%s%s%s: %s", t->options->what, t->path.len > 0 ? " " : "s",
                   ib_buf_c(&t->path), raw);
}

static size_t go_into(struct tester *t, struct ib_str member)
{
    size_t back = t->path.len;

    if (back > 0) {
        ib_buf_add_char(&t->path, '.');
    }
    ib_buf_add_str(&t->path, member);
    return back;
}

static bool is_whole_double(double d)
{
    /* From here on doubles have no fraction. */
    const double all_whole = 9007199254740992.0;

    if (d >= all_whole || d <= -all_whole) {
        return true;
    }
    double cut = (double)(int64_t)d;
    return cut >= d && cut <= d;
}

static bool is_whole(const struct ib_value *v)
{
    if (ib_value_is(v, IB_VALUE_INT)) {
        return true;
    }
    if (!ib_value_is(v, IB_VALUE_REAL)) {
        return false;
    }
    return is_whole_double(ib_value_as_real(v));
}

static bool has_type(const struct ib_value *v, struct ib_str type)
{
    if (ib_str_eq_c(type, "integer")) {
        return is_whole(v);
    }
    if (ib_str_eq_c(type, "number")) {
        return ib_value_is_number(v);
    }
    return ib_str_eq_c(type, ib_value_type_name(v));
}

static enum ib_rc test_type(struct tester *t, const struct ib_value *schema,
                            const struct ib_value *v, struct ib_error *err)
{
    const struct ib_value *type = ib_value_get_c(schema, "type");
    IB_CLEANUP(ib_buf_fini) struct ib_buf names = IB_BUF_INIT(256);

    if (ib_value_is(type, IB_VALUE_STRING)) {
        if (has_type(v, ib_value_as_str(type))) {
            return IB_OK;
        }
        ib_buf_add_str(&names, ib_value_as_str(type));
    } else if (!ib_value_is(type, IB_VALUE_ARRAY)) {
        return IB_OK;
    }
    for (size_t i = 0; ib_value_is(type, IB_VALUE_ARRAY) && i < ib_value_count(type); i++) {
        const struct ib_value *one = ib_value_at(type, i);
        if (!ib_value_is(one, IB_VALUE_STRING)) {
            continue;
        }
        if (has_type(v, ib_value_as_str(one))) {
            return IB_OK;
        }
        ib_buf_addf(&names, "%s%.*s", names.len > 0 ? " or " : "",
                    IB_STR_ARG(ib_value_as_str(one)));
    }
    return not_valid(t, err, "must be of type %s, not %s", ib_buf_c(&names), ib_value_type_name(v));
}

static enum ib_rc test_choice(struct tester *t, const struct ib_value *schema,
                              const struct ib_value *v, struct ib_error *err)
{
    const struct ib_value *choice = ib_value_get_c(schema, "enum");
    const struct ib_value *one = ib_value_get_c(schema, "const");
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_ERROR_TEXT_MAX);

    if (one != NULL && !ib_value_equal(one, v)) {
        ib_json_print(one, IB_JSON_COMPACT, &text);
        return not_valid(t, err, "must be %s", ib_buf_c(&text));
    }
    if (!ib_value_is(choice, IB_VALUE_ARRAY)) {
        return IB_OK;
    }
    for (size_t i = 0; i < ib_value_count(choice); i++) {
        if (ib_value_equal(ib_value_at(choice, i), v)) {
            return IB_OK;
        }
        ib_buf_add_c(&text, i == 0 ? "" : ", ");
        ib_json_print(ib_value_at(choice, i), IB_JSON_COMPACT, &text);
    }
    return not_valid(t, err, "must be one of %s", ib_buf_c(&text));
}

/* A count keyword, -1 when it is not there. */
static int64_t count_of(const struct ib_value *schema, const char *keyword)
{
    const struct ib_value *v = ib_value_get_c(schema, keyword);

    return ib_value_is(v, IB_VALUE_INT) && ib_value_as_int(v) >= 0 ? ib_value_as_int(v) : -1;
}

static enum ib_rc test_string(struct tester *t, const struct ib_value *schema, struct ib_str s,
                              struct ib_error *err)
{
    int64_t characters = (int64_t)ib_utf8_count(s.p, s.n);
    int64_t min = count_of(schema, "minLength");
    int64_t max = count_of(schema, "maxLength");
    const struct ib_value *pattern = ib_value_get_c(schema, "pattern");
    IB_CLEANUP(ib_regex_cleanup) struct ib_regex *regex = NULL;
    bool matches = false;

    if (min >= 0 && characters < min) {
        return not_valid(t, err, "must have at least %lld characters, not %lld", (long long)min,
                         (long long)characters);
    }
    if (max >= 0 && characters > max) {
        return not_valid(t, err, "must have at most %lld characters, not %lld", (long long)max,
                         (long long)characters);
    }
    if (!ib_value_is(pattern, IB_VALUE_STRING)) {
        return IB_OK;
    }
    enum ib_rc rc = ib_regex_compile(ib_value_as_str(pattern), IB_REGEX_ECMA, &regex, NULL, err);
    if (rc == IB_OK) {
        rc = ib_regex_search(regex, s, NULL, &matches, err);
    }
    if (rc != IB_OK) {
        return ib_error_context(err, "pattern of %s %s", t->options->what, ib_buf_c(&t->path));
    }
    return matches ? IB_OK
                   : not_valid(t, err, "does not match the pattern %.*s",
                               IB_STR_ARG(ib_value_as_str(pattern)));
}

static enum ib_rc test_number(struct tester *t, const struct ib_value *schema,
                              const struct ib_value *v, struct ib_error *err)
{
    static const struct {
        const char *keyword, *words;
        bool lower, open;
    } bounds[] = {
        {"minimum", "at least", true, false},
        {"maximum", "at most", false, false},
        {"exclusiveMinimum", "more than", true, true},
        {"exclusiveMaximum", "less than", false, true},
    };
    double d = ib_value_as_real(v);
    char text[IB_NUM_TEXT_MAX];

    for (size_t i = 0; i < IB_ARRAY_LEN(bounds); i++) {
        const struct ib_value *bound = ib_value_get_c(schema, bounds[i].keyword);
        if (!ib_value_is_number(bound)) {
            continue;
        }
        double b = ib_value_as_real(bound);
        bool beyond = bounds[i].lower ? d < b : d > b;
        bool on_it = bounds[i].open && d >= b && d <= b;
        if (beyond || on_it) {
            return not_valid(t, err, "must be %s %s", bounds[i].words,
                             ib_num_fmt_double(b, text, sizeof text));
        }
    }
    const struct ib_value *multiple = ib_value_get_c(schema, "multipleOf");
    if (ib_value_is_number(multiple) && ib_value_as_real(multiple) > 0) {
        if (!is_whole_double(d / ib_value_as_real(multiple))) {
            return not_valid(t, err, "must be a multiple of %s",
                             ib_num_fmt_double(ib_value_as_real(multiple), text, sizeof text));
        }
    }
    return IB_OK;
}

static enum ib_rc test_any(struct tester *t, const struct ib_value *schema,
                           const struct ib_value *v, struct ib_error *err);

static enum ib_rc test_array(struct tester *t, const struct ib_value *schema,
                             const struct ib_value *v, struct ib_error *err)
{
    const struct ib_value *items = ib_value_get_c(schema, "items");
    int64_t min = count_of(schema, "minItems");
    int64_t max = count_of(schema, "maxItems");
    int64_t count = (int64_t)ib_value_count(v);

    if (min >= 0 && count < min) {
        return not_valid(t, err, "must have at least %lld elements, not %lld", (long long)min,
                         (long long)count);
    }
    if (max >= 0 && count > max) {
        return not_valid(t, err, "must have at most %lld elements, not %lld", (long long)max,
                         (long long)count);
    }
    for (size_t i = 0; items != NULL && i < ib_value_count(v); i++) {
        size_t back = t->path.len;
        ib_buf_addf(&t->path, "[%zu]", i);
        enum ib_rc rc = test_any(t, items, ib_value_at(v, i), err);
        if (rc != IB_OK) {
            return rc;
        }
        ib_buf_cut(&t->path, back);
    }
    return IB_OK;
}

static enum ib_rc test_required(struct tester *t, const struct ib_value *schema,
                                const struct ib_value *v, struct ib_error *err)
{
    const struct ib_value *required = ib_value_get_c(schema, "required");

    if (t->depth == 1 && t->options->skip_top_required) {
        return IB_OK;
    }
    for (size_t i = 0; i < ib_value_count(required); i++) {
        const struct ib_value *name = ib_value_at(required, i);
        if (ib_value_is(name, IB_VALUE_STRING) && ib_value_get(v, ib_value_as_str(name)) == NULL) {
            return not_valid(t, err, "needs the member \"%.*s\"",
                             IB_STR_ARG(ib_value_as_str(name)));
        }
    }
    return IB_OK;
}

static enum ib_rc test_object(struct tester *t, const struct ib_value *schema,
                              const struct ib_value *v, struct ib_error *err)
{
    const struct ib_value *properties = ib_value_get_c(schema, "properties");
    const struct ib_value *others = ib_value_get_c(schema, "additionalProperties");
    enum ib_rc rc = test_required(t, schema, v, err);

    for (size_t i = 0; rc == IB_OK && i < ib_value_count(v); i++) {
        struct ib_str name = ib_value_key_at(v, i);
        const struct ib_value *sub = ib_value_get(properties, name);
        size_t back = go_into(t, name);
        sub = sub == NULL ? others : sub;
        if (sub != NULL) {
            rc = test_any(t, sub, ib_value_at(v, i), err);
        }
        if (rc == IB_OK) {
            ib_buf_cut(&t->path, back);
        }
    }
    return rc;
}

/* How many of a list of schemas are satisfied. A limit that is reached ends the search. */
static enum ib_rc count_fitting(struct tester *t, const struct ib_value *list,
                                const struct ib_value *v, size_t *ret, struct ib_error *err)
{
    size_t fitting = 0;
    size_t back = t->path.len;

    for (size_t i = 0; i < ib_value_count(list); i++) {
        struct ib_error why = IB_ERROR_INIT;
        enum ib_rc rc = test_any(t, ib_value_at(list, i), v, &why);
        ib_buf_cut(&t->path, back);
        if (rc != IB_OK && rc != IB_EUSAGE) {
            *err = why;
            return rc;
        }
        fitting += rc == IB_OK ? 1 : 0;
    }
    *ret = fitting;
    return IB_OK;
}

static enum ib_rc test_combined(struct tester *t, const struct ib_value *schema,
                                const struct ib_value *v, struct ib_error *err)
{
    static const char *const keywords[] = {"anyOf", "oneOf", "not"};
    const struct ib_value *all = ib_value_get_c(schema, "allOf");
    enum ib_rc rc = IB_OK;

    for (size_t i = 0; rc == IB_OK && i < ib_value_count(all); i++) {
        rc = test_any(t, ib_value_at(all, i), v, err);
    }
    for (size_t i = 0; rc == IB_OK && i < IB_ARRAY_LEN(keywords); i++) {
        const struct ib_value *list = ib_value_get_c(schema, keywords[i]);
        struct ib_value *single = NULL;
        size_t fitting = 0;
        if (list == NULL) {
            continue;
        }
        bool is_not = strcmp(keywords[i], "not") == 0;
        if (is_not) {
            single = ib_value_array();
            if (ib_value_push(single, ib_value_ref(list), err) != IB_OK) {
                ib_value_unref(single);
                return ib_fail_nomem(err);
            }
        }
        rc = count_fitting(t, is_not ? single : list, v, &fitting, err);
        ib_value_unref(single);
        if (rc == IB_OK && is_not && fitting > 0) {
            rc = not_valid(t, err, "is what \"not\" of its schema excludes");
        } else if (rc == IB_OK && !is_not &&
                   (fitting == 0 || (fitting > 1 && strcmp(keywords[i], "oneOf") == 0))) {
            rc = not_valid(t, err, "fits %zu of the schemas in \"%s\"", fitting, keywords[i]);
        }
    }
    return rc;
}

static enum ib_rc test_keywords(struct tester *t, const struct ib_value *schema,
                                const struct ib_value *v, struct ib_error *err)
{
    enum ib_rc rc = test_type(t, schema, v, err);

    if (rc == IB_OK) {
        rc = test_choice(t, schema, v, err);
    }
    if (rc == IB_OK && ib_value_is(v, IB_VALUE_STRING)) {
        rc = test_string(t, schema, ib_value_as_str(v), err);
    } else if (rc == IB_OK && ib_value_is_number(v)) {
        rc = test_number(t, schema, v, err);
    } else if (rc == IB_OK && ib_value_is(v, IB_VALUE_ARRAY)) {
        rc = test_array(t, schema, v, err);
    } else if (rc == IB_OK && ib_value_is(v, IB_VALUE_OBJECT)) {
        rc = test_object(t, schema, v, err);
    }
    return rc == IB_OK ? test_combined(t, schema, v, err) : rc;
}

static enum ib_rc test_ref(struct tester *t, const struct ib_value *schema,
                           const struct ib_value *v, struct ib_error *err)
{
    const struct ib_value *ref = ib_value_get_c(schema, "$ref");

    if (ref == NULL) {
        return IB_OK;
    }
    const struct ib_value *target = ib_schema_target(t->root, schema);
    if (target == NULL) {
        return ib_fail(err, IB_ECONFIG, "a $ref in the schema of the inputs names nothing");
    }
    return test_any(t, target, v, err);
}

static enum ib_rc test_any(struct tester *t, const struct ib_value *schema,
                           const struct ib_value *v, struct ib_error *err)
{
    if (ib_value_is(schema, IB_VALUE_BOOL)) {
        return ib_value_as_bool(schema) ? IB_OK : not_valid(t, err, "is not allowed");
    }
    if (!ib_value_is(schema, IB_VALUE_OBJECT)) {
        return IB_OK;
    }
    if (++t->work > IB_SCHEMA_WORK_MAX || t->depth >= IB_SCHEMA_DEPTH_MAX) {
        return ib_fail(err, IB_ELIMIT, "the schema of the inputs is too deep or refers to itself");
    }
    t->depth++;
    enum ib_rc rc = test_ref(t, schema, v, err);
    if (rc == IB_OK) {
        rc = test_keywords(t, schema, v, err);
    }
    t->depth--;
    return rc;
}

enum ib_rc ib_schema_test(const struct ib_value *root, const struct ib_value *schema,
                          const struct ib_value *v, const struct ib_schema_options *options,
                          struct ib_error *err)
{
    struct tester t = {.root = root, .options = options, .path = IB_BUF_INIT(TEST_PATH_MAX)};
    struct ib_error own = IB_ERROR_INIT;
    enum ib_rc rc = test_any(&t, schema, v, err == NULL ? &own : err);

    ib_buf_fini(&t.path);
    return rc;
}
