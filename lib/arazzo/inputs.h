/* SPDX-License-Identifier: MIT */
/*
 * Inputs of a workflow: the part of JSON Schema 2020-12 that descriptions of inputs use, enforced
 * before the first call.
 *
 * Read are: type (one or several; an integer is a number without fraction), enum, const, required,
 * properties, additionalProperties, items, minItems, maxItems, minLength, maxLength (characters),
 * pattern (a search), minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, default,
 * allOf, anyOf, oneOf, not, boolean schemas and $ref to "#/..." in the same document. Other
 * keywords are annotations; those of JSON Schema that restrict get a warning from the check,
 * because here they do not.
 *
 * House rules on top: an input that the schema does not name is refused unless additionalProperties
 * is there and allows it; defaults are applied; "x-ib-generate": "uuid" on a property that is
 * not given makes a fresh UUID for each run (an idempotency token that no two runs share).
 */
#ifndef IB_ARAZZO_INPUTS_H
#define IB_ARAZZO_INPUTS_H

#include "lib/arazzo/document.h"

/* Look at the schema itself; what is wrong goes to out. */
void ib_inputs_check(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *workflow,
                     struct ib_findings *out);

/* May a required input be missing, because this run does not need it (a slice)? */
typedef bool (*ib_input_spared_fn)(void *ctx, struct ib_str name);

struct ib_inputs_options {
    ib_input_spared_fn spared; /* NULL: none is */
    void *ctx;
    bool drop_unknown; /* leave out what the schema does not name instead of refusing */
};

/*
 * From what was given (an object; NULL = nothing) to what the workflow sees. options may be NULL.
 * Errors IB_EUSAGE (the sentence names input and rule), IB_ELIMIT, IB_ENOMEM, and IB_ESYS from the
 * source of random bytes.
 */
IB_NODISCARD enum ib_rc ib_inputs_prepare(const struct ib_arazzo_doc *doc,
                                          const struct ib_arazzo_workflow *workflow,
                                          const struct ib_value *given,
                                          const struct ib_inputs_options *options,
                                          struct ib_value **ret, struct ib_error *err);

/*
 * One input from the command line, its type from the schema: a property that may be a string takes
 * the text as it is (unless it may be something else and the text is JSON of that type), else the
 * text is read as JSON. Errors IB_EUSAGE, IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_inputs_from_text(const struct ib_arazzo_doc *doc,
                                            const struct ib_arazzo_workflow *workflow,
                                            struct ib_str name, struct ib_str text,
                                            struct ib_value **ret, struct ib_error *err);

/* Does the schema name this input? Is it required? */
bool ib_inputs_has(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *workflow,
                   struct ib_str name);
bool ib_inputs_required(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *workflow,
                        struct ib_str name);
/* Would it be accepted: named, or others are allowed? */
bool ib_inputs_takes(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *workflow,
                     struct ib_str name);
/* Has it a value when none is given: a default, or a generated one? */
bool ib_inputs_filled(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *workflow,
                      struct ib_str name);
/* Is that value the same in every run? */
bool ib_inputs_constant(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *workflow,
                        struct ib_str name);

#endif
