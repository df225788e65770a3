/* SPDX-License-Identifier: MIT */
/* Inputs against their schema: defaults, validation, types of texts from the command line. */
#include "lib/arazzo/inputs.h"

#include "lib/arazzo/schema.h"
#include "lib/data/json.h"
#include "lib/sys/random.h"

static const struct ib_value *schema_of(const struct ib_arazzo_doc *doc,
                                        const struct ib_arazzo_workflow *workflow)
{
    return ib_schema_target(doc->root, workflow->inputs);
}

static const struct ib_value *property_of(const struct ib_arazzo_doc *doc,
                                          const struct ib_arazzo_workflow *workflow,
                                          struct ib_str name)
{
    return ib_value_get(ib_value_get_c(schema_of(doc, workflow), "properties"), name);
}

bool ib_inputs_has(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *workflow,
                   struct ib_str name)
{
    return property_of(doc, workflow, name) != NULL;
}

bool ib_inputs_required(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *workflow,
                        struct ib_str name)
{
    const struct ib_value *required = ib_value_get_c(schema_of(doc, workflow), "required");

    for (size_t i = 0; i < ib_value_count(required); i++) {
        const struct ib_value *one = ib_value_at(required, i);
        if (ib_value_is(one, IB_VALUE_STRING) && ib_str_eq(ib_value_as_str(one), name)) {
            return true;
        }
    }
    return false;
}

/* "imageRecipeArn, clientToken" for a sentence. */
static void list_inputs(const struct ib_value *schema, struct ib_buf *out)
{
    const struct ib_value *properties = ib_value_get_c(schema, "properties");

    if (ib_value_count(properties) == 0) {
        ib_buf_add_c(out, "none");
    }
    for (size_t i = 0; i < ib_value_count(properties); i++) {
        ib_buf_add_c(out, i == 0 ? "" : ", ");
        ib_buf_add_str(out, ib_value_key_at(properties, i));
    }
}

static enum ib_rc fail_unknown(const struct ib_value *schema,
                               const struct ib_arazzo_workflow *workflow, struct ib_str name,
                               struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf names = IB_BUF_INIT(IB_ERROR_TEXT_MAX);

    list_inputs(schema, &names);
    return ib_fail(err, IB_EUSAGE, "workflow %.*s has no input \"%.*s\"; its inputs: %s",
                   IB_STR_ARG(workflow->id), IB_STR_ARG(name), ib_buf_c(&names));
}

/* Is a name that "properties" does not have allowed? Only when the author says so. */
static bool takes_others(const struct ib_value *schema)
{
    const struct ib_value *more = ib_value_get_c(schema, "additionalProperties");

    return ib_value_is(more, IB_VALUE_OBJECT) ||
           (ib_value_is(more, IB_VALUE_BOOL) && ib_value_as_bool(more)) ||
           ib_value_get_c(schema, "patternProperties") != NULL;
}

bool ib_inputs_takes(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *workflow,
                     struct ib_str name)
{
    return ib_inputs_has(doc, workflow, name) || takes_others(schema_of(doc, workflow));
}

bool ib_inputs_constant(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *workflow,
                        struct ib_str name)
{
    const struct ib_value *property = property_of(doc, workflow, name);
    const struct ib_value *target = ib_schema_target(doc->root, property);

    return ib_value_get_c(property, "default") != NULL || ib_value_get_c(target, "default") != NULL;
}

bool ib_inputs_filled(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *workflow,
                      struct ib_str name)
{
    const struct ib_value *target = ib_schema_target(doc->root, property_of(doc, workflow, name));

    return ib_inputs_constant(doc, workflow, name) ||
           ib_value_get_c(target, IB_INPUT_GENERATE) != NULL;
}

static enum ib_rc copy_given(const struct ib_value *schema,
                             const struct ib_arazzo_workflow *workflow,
                             const struct ib_value *given, bool drop_unknown,
                             struct ib_value *inputs, struct ib_error *err)
{
    const struct ib_value *properties = ib_value_get_c(schema, "properties");

    for (size_t i = 0; i < ib_value_count(given); i++) {
        struct ib_str name = ib_value_key_at(given, i);
        if (ib_value_get(properties, name) == NULL && !takes_others(schema)) {
            if (drop_unknown) {
                continue;
            }
            return fail_unknown(schema, workflow, name, err);
        }
        enum ib_rc rc = ib_value_set(inputs, name, ib_value_ref(ib_value_at(given, i)), err);
        if (rc != IB_OK) {
            return rc;
        }
    }
    return IB_OK;
}

/* Fresh values for the inputs that ask for one and were not given. */
static enum ib_rc generate(const struct ib_arazzo_doc *doc, const struct ib_value *schema,
                           struct ib_value *inputs, struct ib_error *err)
{
    const struct ib_value *properties = ib_value_get_c(schema, "properties");

    for (size_t i = 0; i < ib_value_count(properties); i++) {
        struct ib_str name = ib_value_key_at(properties, i);
        const struct ib_value *one = ib_schema_target(doc->root, ib_value_at(properties, i));
        const struct ib_value *how = ib_value_get_c(one, IB_INPUT_GENERATE);
        char uuid[IB_UUID_SIZE];
        if (how == NULL || ib_value_get(inputs, name) != NULL) {
            continue;
        }
        enum ib_rc rc = ib_uuid4(uuid, err);
        if (rc == IB_OK) {
            rc = ib_value_set(inputs, name, ib_value_string(ib_str_from(uuid)), err);
        }
        if (rc != IB_OK) {
            return rc;
        }
    }
    return IB_OK;
}

static enum ib_rc check_required(const struct ib_value *schema,
                                 const struct ib_arazzo_workflow *workflow,
                                 const struct ib_inputs_options *options,
                                 const struct ib_value *inputs, struct ib_error *err)
{
    const struct ib_value *required = ib_value_get_c(schema, "required");
    IB_CLEANUP(ib_buf_fini) struct ib_buf missing = IB_BUF_INIT(IB_ERROR_TEXT_MAX);

    for (size_t i = 0; i < ib_value_count(required); i++) {
        const struct ib_value *name = ib_value_at(required, i);
        if (!ib_value_is(name, IB_VALUE_STRING) ||
            ib_value_get(inputs, ib_value_as_str(name)) != NULL ||
            (options->spared != NULL && options->spared(options->ctx, ib_value_as_str(name)))) {
            continue;
        }
        ib_buf_addf(&missing, "%s%.*s", missing.len > 0 ? ", " : "",
                    IB_STR_ARG(ib_value_as_str(name)));
    }
    if (missing.len > 0) {
        return ib_fail(err, IB_EUSAGE, "workflow %.*s needs the input%s %s",
                       IB_STR_ARG(workflow->id), strchr(ib_buf_c(&missing), ',') == NULL ? "" : "s",
                       ib_buf_c(&missing));
    }
    return IB_OK;
}

enum ib_rc ib_inputs_prepare(const struct ib_arazzo_doc *doc,
                             const struct ib_arazzo_workflow *workflow,
                             const struct ib_value *given, const struct ib_inputs_options *options,
                             struct ib_value **ret, struct ib_error *err)
{
    static const struct ib_inputs_options none = {.spared = NULL};
    const struct ib_value *schema = schema_of(doc, workflow);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *inputs = ib_value_object();
    IB_CLEANUP(ib_value_cleanup) struct ib_value *filled = NULL;

    options = options == NULL ? &none : options;
    if (inputs == NULL) {
        return ib_fail_nomem(err);
    }
    if (given != NULL && !ib_value_is(given, IB_VALUE_OBJECT)) {
        return ib_fail(err, IB_EUSAGE, "inputs must be an object, not %s",
                       ib_value_type_name(given));
    }
    enum ib_rc rc = copy_given(schema, workflow, given, options->drop_unknown, inputs, err);
    if (rc == IB_OK) {
        rc = generate(doc, schema, inputs, err);
    }
    if (rc == IB_OK) {
        rc = ib_schema_fill(doc->root, schema, inputs, &filled, err);
    }
    if (rc == IB_OK) {
        rc = check_required(schema, workflow, options, filled, err);
    }
    if (rc == IB_OK) {
        rc = ib_schema_test(doc->root, schema, filled,
                            &(struct ib_schema_options){.skip_top_required = true, .what = "input"},
                            err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    *ret = filled;
    filled = NULL;
    return IB_OK;
}

/* --- texts ---------------------------------------------------------------------------------- */

/* Does the schema's "type" allow this one? No "type" allows strings alone: no guessing. */
static bool type_allows(const struct ib_value *schema, const char *type)
{
    const struct ib_value *said = ib_value_get_c(schema, "type");

    if (said == NULL) {
        return strcmp(type, "string") == 0;
    }
    if (ib_value_is(said, IB_VALUE_STRING)) {
        return ib_str_eq_c(ib_value_as_str(said), type);
    }
    for (size_t i = 0; i < ib_value_count(said); i++) {
        const struct ib_value *one = ib_value_at(said, i);
        if (ib_value_is(one, IB_VALUE_STRING) && ib_str_eq_c(ib_value_as_str(one), type)) {
            return true;
        }
    }
    return false;
}

static bool value_allowed(const struct ib_value *schema, const struct ib_value *v)
{
    if (ib_value_is(v, IB_VALUE_INT) && type_allows(schema, "number")) {
        return true;
    }
    return type_allows(schema, ib_value_type_name(v));
}

static bool only_string(const struct ib_value *schema)
{
    const struct ib_value *said = ib_value_get_c(schema, "type");

    return said == NULL || ib_value_is(said, IB_VALUE_STRING) || ib_value_count(said) <= 1;
}

enum ib_rc ib_inputs_from_text(const struct ib_arazzo_doc *doc,
                               const struct ib_arazzo_workflow *workflow, struct ib_str name,
                               struct ib_str text, struct ib_value **ret, struct ib_error *err)
{
    const struct ib_value *schema = schema_of(doc, workflow);
    const struct ib_value *property = ib_schema_target(doc->root, property_of(doc, workflow, name));
    IB_CLEANUP(ib_value_cleanup) struct ib_value *parsed = NULL;
    bool string = type_allows(property, "string");

    if (property == NULL && !takes_others(schema)) {
        return fail_unknown(schema, workflow, name, err);
    }
    if (!string || !only_string(property)) {
        if (ib_json_parse(text, "input", NULL, &parsed, NULL) == IB_OK && !string) {
            /* The schema's own test has the better sentence for a wrong type. */
            *ret = parsed;
            parsed = NULL;
            return IB_OK;
        }
        if (parsed != NULL && !ib_value_is(parsed, IB_VALUE_STRING) &&
            value_allowed(property, parsed)) {
            *ret = parsed;
            parsed = NULL;
            return IB_OK;
        }
    }
    struct ib_value *as_text = ib_value_string(text);
    if (as_text == NULL) {
        return ib_fail_nomem(err);
    }
    *ret = as_text;
    return IB_OK;
}

void ib_inputs_check(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *workflow,
                     struct ib_findings *out)
{
    if (workflow->inputs == NULL) {
        return;
    }
    ib_schema_check(doc->root, workflow->inputs, workflow->inputs_at.path, out);
    const struct ib_value *type = ib_value_get_c(schema_of(doc, workflow), "type");
    if (type != NULL && !type_allows(schema_of(doc, workflow), "object")) {
        ib_findings_add(out, IB_FINDING_ERROR, "inputs-schema", workflow->inputs_at,
                        "inputs must be of type object");
    }
}
