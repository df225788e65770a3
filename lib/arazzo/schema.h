/* SPDX-License-Identifier: MIT */
/* The subset of JSON Schema 2020-12 that lib/arazzo/inputs.h lists, on any value. */
#ifndef IB_ARAZZO_SCHEMA_H
#define IB_ARAZZO_SCHEMA_H

#include "lib/arazzo/finding.h"

/* Keyword of ours: "uuid" makes a fresh value when none is given. */
#define IB_INPUT_GENERATE "x-ib-generate"

#define IB_SCHEMA_DEPTH_MAX 32    /* schemas in schemas, and steps of $ref */
#define IB_SCHEMA_WORK_MAX  20000 /* schemas applied in one test */

/* schema, or what its $ref names in root ("#/..."); NULL when that is nothing or a circle. */
const struct ib_value *ib_schema_target(const struct ib_value *root, const struct ib_value *schema);

/* The value with the defaults of absent properties, at every level that is there. */
IB_NODISCARD enum ib_rc ib_schema_fill(const struct ib_value *root, const struct ib_value *schema,
                                       const struct ib_value *v, struct ib_value **ret,
                                       struct ib_error *err);

struct ib_schema_options {
    bool skip_top_required; /* the caller has looked at "required" of the top level himself */
    const char *what;       /* word in front of the path in the sentence: "input" */
};

/* Does the value satisfy the schema? Errors IB_EUSAGE (it does not), IB_ELIMIT, IB_ENOMEM. */
IB_NODISCARD enum ib_rc ib_schema_test(const struct ib_value *root, const struct ib_value *schema,
                                       const struct ib_value *v,
                                       const struct ib_schema_options *options,
                                       struct ib_error *err);

/* What is wrong with a schema; path is that of the schema in its document. */
void ib_schema_check(const struct ib_value *root, const struct ib_value *schema, const char *path,
                     struct ib_findings *out);

#endif
