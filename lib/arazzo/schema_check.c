/* SPDX-License-Identifier: MIT */
/* What is wrong with a JSON Schema: keywords of the wrong form, patterns, $ref, defaults. */
#include "lib/arazzo/regex.h"
#include "lib/arazzo/schema.h"

struct checker {
    const struct ib_value *root;
    struct ib_findings *out;
    struct ib_buf path;
    size_t depth;
};

#define RULE "inputs-schema"

static void check_schema(struct checker *c, const struct ib_value *schema);

static size_t enter(struct checker *c, struct ib_str key)
{
    size_t back = c->path.len;

    ib_buf_add_char(&c->path, '/');
    for (size_t i = 0; i < key.n; i++) {
        if (key.p[i] == '~' || key.p[i] == '/') {
            ib_buf_add_c(&c->path, key.p[i] == '~' ? "~0" : "~1");
        } else {
            ib_buf_add_char(&c->path, key.p[i]);
        }
    }
    return back;
}

static struct ib_place here(const struct checker *c, const struct ib_value *v)
{
    return (struct ib_place){ib_value_mark(v), ib_buf_c(&c->path)};
}

static bool is_type_name(const struct ib_value *v)
{
    static const char *const names[] = {"null",   "boolean", "integer", "number",
                                        "string", "array",   "object"};

    for (size_t i = 0; ib_value_is(v, IB_VALUE_STRING) && i < IB_ARRAY_LEN(names); i++) {
        if (ib_str_eq_c(ib_value_as_str(v), names[i])) {
            return true;
        }
    }
    return false;
}

static void check_type(struct checker *c, const struct ib_value *v)
{
    bool good = is_type_name(v);

    if (ib_value_is(v, IB_VALUE_ARRAY) && ib_value_count(v) > 0) {
        good = true;
        for (size_t i = 0; i < ib_value_count(v); i++) {
            good = good && is_type_name(ib_value_at(v, i));
        }
    }
    if (!good) {
        ib_findings_add(c->out, IB_FINDING_ERROR, RULE, here(c, v),
                        "\"type\" must be null, boolean, integer, number, string, array or object, "
                        "or a list of them");
    }
}

static void check_pattern(struct checker *c, const struct ib_value *v)
{
    IB_CLEANUP(ib_regex_cleanup) struct ib_regex *regex = NULL;
    struct ib_error why = IB_ERROR_INIT;

    if (ib_value_is(v, IB_VALUE_STRING) &&
        ib_regex_compile(ib_value_as_str(v), IB_REGEX_ECMA, &regex, NULL, &why) != IB_OK) {
        ib_findings_add(c->out, IB_FINDING_ERROR, RULE, here(c, v), "\"pattern\": %s", why.text);
    }
}

static void check_ref(struct checker *c, const struct ib_value *schema, const struct ib_value *v)
{
    if (ib_value_is(v, IB_VALUE_STRING) && ib_schema_target(c->root, schema) == NULL) {
        ib_findings_add(c->out, IB_FINDING_ERROR, RULE, here(c, v),
                        "\"$ref\" %.*s names nothing in this document",
                        IB_STR_ARG(ib_value_as_str(v)));
    }
}

static void check_map(struct checker *c, const struct ib_value *v)
{
    for (size_t i = 0; ib_value_is(v, IB_VALUE_OBJECT) && i < ib_value_count(v); i++) {
        size_t back = enter(c, ib_value_key_at(v, i));
        check_schema(c, ib_value_at(v, i));
        ib_buf_cut(&c->path, back);
    }
}

static void check_list(struct checker *c, const struct ib_value *v)
{
    for (size_t i = 0; ib_value_is(v, IB_VALUE_ARRAY) && i < ib_value_count(v); i++) {
        size_t back = c->path.len;
        ib_buf_addf(&c->path, "/%zu", i);
        check_schema(c, ib_value_at(v, i));
        ib_buf_cut(&c->path, back);
    }
}

static void check_required(struct checker *c, const struct ib_value *schema,
                           const struct ib_value *v)
{
    const struct ib_value *properties = ib_value_get_c(schema, "properties");

    for (size_t i = 0; ib_value_is(v, IB_VALUE_ARRAY) && i < ib_value_count(v); i++) {
        const struct ib_value *name = ib_value_at(v, i);
        if (!ib_value_is(name, IB_VALUE_STRING)) {
            ib_findings_add(c->out, IB_FINDING_ERROR, RULE, here(c, name),
                            "\"required\" must be a list of names");
        } else if (properties != NULL && ib_value_get(properties, ib_value_as_str(name)) == NULL) {
            ib_findings_add(c->out, IB_FINDING_ERROR, RULE, here(c, name),
                            "\"%.*s\" is required but not one of the properties",
                            IB_STR_ARG(ib_value_as_str(name)));
        }
    }
}

static void check_generate(struct checker *c, const struct ib_value *v)
{
    if (!ib_value_is(v, IB_VALUE_STRING) || !ib_str_eq_c(ib_value_as_str(v), "uuid")) {
        ib_findings_add(c->out, IB_FINDING_ERROR, RULE, here(c, v),
                        "\"" IB_INPUT_GENERATE "\" must be \"uuid\"");
    }
}

enum form { FORM_ANY, FORM_STRING, FORM_NUMBER, FORM_COUNT, FORM_ARRAY, FORM_OBJECT };

static const struct {
    const char *name;
    enum form form;
    const char *words;
} keywords[] = {
    {"$ref", FORM_STRING, "a string"},
    {"type", FORM_ANY, ""},
    {"enum", FORM_ARRAY, "an array"},
    {"required", FORM_ARRAY, "an array"},
    {"properties", FORM_OBJECT, "an object"},
    {"allOf", FORM_ARRAY, "an array"},
    {"anyOf", FORM_ARRAY, "an array"},
    {"oneOf", FORM_ARRAY, "an array"},
    {"pattern", FORM_STRING, "a string"},
    {"minLength", FORM_COUNT, "a whole number, 0 or more"},
    {"maxLength", FORM_COUNT, "a whole number, 0 or more"},
    {"minItems", FORM_COUNT, "a whole number, 0 or more"},
    {"maxItems", FORM_COUNT, "a whole number, 0 or more"},
    {"minimum", FORM_NUMBER, "a number"},
    {"maximum", FORM_NUMBER, "a number"},
    {"exclusiveMinimum", FORM_NUMBER, "a number"},
    {"exclusiveMaximum", FORM_NUMBER, "a number"},
    {"multipleOf", FORM_NUMBER, "a number"},
};

/* Assertions of JSON Schema that are not enforced: silence about them would be a promise. */
static const char *const unread[] = {
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "dependentRequired",
    "dependentSchemas",
    "if",
    "then",
    "else",
    "prefixItems",
    "contains",
    "minContains",
    "maxContains",
    "uniqueItems",
    "unevaluatedItems",
    "unevaluatedProperties",
    "$dynamicRef",
};

static bool has_form(const struct ib_value *v, enum form form)
{
    switch (form) {
    case FORM_ANY:
        return true;
    case FORM_STRING:
        return ib_value_is(v, IB_VALUE_STRING);
    case FORM_NUMBER:
        return ib_value_is_number(v);
    case FORM_COUNT:
        return ib_value_is(v, IB_VALUE_INT) && ib_value_as_int(v) >= 0;
    case FORM_ARRAY:
        return ib_value_is(v, IB_VALUE_ARRAY);
    case FORM_OBJECT:
        return ib_value_is(v, IB_VALUE_OBJECT);
    }
    return false;
}

static void check_form(struct checker *c, struct ib_str key, const struct ib_value *v)
{
    for (size_t i = 0; i < IB_ARRAY_LEN(keywords); i++) {
        if (ib_str_eq_c(key, keywords[i].name) && !has_form(v, keywords[i].form)) {
            ib_findings_add(c->out, IB_FINDING_ERROR, RULE, here(c, v), "\"%s\" must be %s",
                            keywords[i].name, keywords[i].words);
        }
    }
    for (size_t i = 0; i < IB_ARRAY_LEN(unread); i++) {
        if (ib_str_eq_c(key, unread[i])) {
            ib_findings_add(c->out, IB_FINDING_WARNING, "inputs-not-enforced", here(c, v),
                            "\"%s\" is not enforced here", unread[i]);
        }
    }
}

static void check_keyword(struct checker *c, const struct ib_value *schema, struct ib_str key,
                          const struct ib_value *v)
{
    check_form(c, key, v);
    if (ib_str_eq_c(key, "type")) {
        check_type(c, v);
    } else if (ib_str_eq_c(key, "pattern")) {
        check_pattern(c, v);
    } else if (ib_str_eq_c(key, "$ref")) {
        check_ref(c, schema, v);
    } else if (ib_str_eq_c(key, "required")) {
        check_required(c, schema, v);
    } else if (ib_str_eq_c(key, "properties")) {
        check_map(c, v);
    } else if (ib_str_eq_c(key, "items") || ib_str_eq_c(key, "not") ||
               ib_str_eq_c(key, "additionalProperties")) {
        check_schema(c, v);
    } else if (ib_str_eq_c(key, "allOf") || ib_str_eq_c(key, "anyOf") ||
               ib_str_eq_c(key, "oneOf")) {
        check_list(c, v);
    } else if (ib_str_eq_c(key, IB_INPUT_GENERATE)) {
        check_generate(c, v);
    }
}

static void check_default(struct checker *c, const struct ib_value *schema, size_t errors_before)
{
    const struct ib_schema_options options = {.what = "default"};
    const struct ib_value *value = ib_value_get_c(schema, "default");
    struct ib_error why = IB_ERROR_INIT;

    if (value == NULL || c->out->errors > errors_before ||
        ib_schema_test(c->root, schema, value, &options, &why) == IB_OK) {
        return;
    }
    size_t back = enter(c, IB_STR("default"));
    ib_findings_add(c->out, IB_FINDING_ERROR, RULE, here(c, value),
                    "the default breaks its own schema: %s", why.text);
    ib_buf_cut(&c->path, back);
}

static void check_schema(struct checker *c, const struct ib_value *schema)
{
    size_t errors_before = c->out->errors;

    if (!ib_value_is(schema, IB_VALUE_OBJECT)) {
        if (!ib_value_is(schema, IB_VALUE_BOOL)) {
            ib_findings_add(c->out, IB_FINDING_ERROR, RULE, here(c, schema),
                            "a schema must be an object or a boolean, not %s",
                            ib_value_type_name(schema));
        }
        return;
    }
    if (c->depth >= IB_SCHEMA_DEPTH_MAX) {
        ib_findings_add(c->out, IB_FINDING_ERROR, "limit", here(c, schema),
                        "schemas are nested deeper than %d", IB_SCHEMA_DEPTH_MAX);
        return;
    }
    c->depth++;
    for (size_t i = 0; i < ib_value_count(schema); i++) {
        size_t back = enter(c, ib_value_key_at(schema, i));
        check_keyword(c, schema, ib_value_key_at(schema, i), ib_value_at(schema, i));
        ib_buf_cut(&c->path, back);
    }
    c->depth--;
    check_default(c, schema, errors_before);
}

#define PATH_BYTES_MAX ((size_t)16 * 1024)

void ib_schema_check(const struct ib_value *root, const struct ib_value *schema, const char *path,
                     struct ib_findings *out)
{
    struct checker c = {.root = root, .out = out, .path = IB_BUF_INIT(PATH_BYTES_MAX)};

    ib_buf_add_c(&c.path, path);
    check_schema(&c, schema);
    ib_buf_fini(&c.path);
}
