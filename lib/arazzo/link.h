/* SPDX-License-Identifier: MIT */
/*
 * What a document points to outside of itself: local files of its sourceDescriptions, the
 * operations and workflows in them. Nothing is fetched: a url with a scheme other than file: is
 * "not there".
 */
#ifndef IB_ARAZZO_LINK_H
#define IB_ARAZZO_LINK_H

#include "lib/arazzo/document.h"
#include "lib/arazzo/openapi.h"

/*
 * Read every source description's file that exists, and theirs in turn; a document that is reached
 * twice is read once. Documents read here live as long as doc. What is wrong in one is a finding at
 * the source description that named it. Errors: IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_arazzo_link(struct ib_arazzo_doc *doc, struct ib_findings *findings,
                                       struct ib_error *err);

struct ib_arazzo_operation {
    struct ib_str id;                           /* p NULL: none (operationPath to one without) */
    const struct ib_openapi_operation *openapi; /* NULL: not from a local OpenAPI document */
};

/*
 * The operation that a step names by operationId or operationPath. Errors IB_ECONFIG (the sentence
 * says what does not fit), IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_arazzo_operation(const struct ib_arazzo_doc *doc,
                                            const struct ib_arazzo_step *step,
                                            struct ib_arazzo_operation *ret, struct ib_error *err);

/*
 * The workflow that a workflowId names: plain, or "$sourceDescriptions.NAME.ID". ret_doc may be
 * NULL. Errors IB_ECONFIG, IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_arazzo_workflow_by_ref(const struct ib_arazzo_doc *doc,
                                                  struct ib_str ref,
                                                  const struct ib_arazzo_doc **ret_doc,
                                                  const struct ib_arazzo_workflow **ret,
                                                  struct ib_error *err);

#endif
