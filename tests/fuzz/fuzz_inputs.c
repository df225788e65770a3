/* SPDX-License-Identifier: MIT */
/*
 * Inputs against schemas: {"schema": ..., "inputs": {...}, "text": "..."}. What is accepted is accepted again
 * when it is put in again, and every refusal has its sentence.
 */
#include "fuzz.h"

#include "lib/arazzo/inputs.h"
#include "lib/arazzo/schema.h"
#include "lib/data/json.h"

static void prepare(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *w,
                    const struct ib_value *given)
{
    struct ib_error err = IB_ERROR_INIT;
    struct ib_value *first = NULL;
    struct ib_value *second = NULL;
    enum ib_rc rc = ib_inputs_prepare(doc, w, given, NULL, &first, &err);

    if (rc != IB_OK) {
        IB_ASSERT(err.text[0] != '\0');
        return;
    }
    IB_ASSERT(ib_value_is(first, IB_VALUE_OBJECT));
    IB_ASSERT(ib_inputs_prepare(doc, w, first, NULL, &second, &err) == IB_OK);
    IB_ASSERT(ib_value_equal(first, second));
    ib_value_unref(first);
    ib_value_unref(second);
}

static void from_text(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *w,
                      const struct ib_value *text)
{
    const struct ib_value *properties = ib_value_get_c(w->inputs, "properties");

    for (size_t i = 0; ib_value_is(text, IB_VALUE_STRING) && i < ib_value_count(properties); i++) {
        struct ib_value *v = NULL;
        struct ib_error err = IB_ERROR_INIT;
        if (!ib_value_is(properties, IB_VALUE_OBJECT)) {
            return;
        }
        if (ib_inputs_from_text(doc, w, ib_value_key_at(properties, i), ib_value_as_str(text), &v,
                                &err) == IB_OK) {
            IB_ASSERT(v != NULL);
            ib_value_unref(v);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ib_findings findings = IB_FINDINGS_INIT;
    struct ib_value *root = NULL;
    const struct ib_str text = { (const char *)data, n };

    if (ib_json_parse(text, "fuzz", NULL, &root, NULL) != IB_OK) {
        return 0;
    }
    const struct ib_arazzo_doc doc = { .name = "fuzz", .root = root };
    const struct ib_arazzo_workflow w = {
        .at = { { 0, 0 }, "" },
        .id = IB_STR("w"),
        .inputs = ib_value_get_c(root, "schema"),
        .inputs_at = { { 0, 0 }, "/schema" },
    };
    ib_inputs_check(&doc, &w, &findings);
    /* A schema with errors is never used. */
    if (findings.errors == 0) {
        const struct ib_value *given = ib_value_get_c(root, "inputs");
        prepare(&doc, &w, given);
        from_text(&doc, &w, ib_value_get_c(root, "text"));
    }
    ib_findings_fini(&findings);
    ib_value_unref(root);
    return 0;
}
