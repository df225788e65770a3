/* SPDX-License-Identifier: MIT */
/* Inside of the document module: memory that lives as long as the document, and the shape reader.
 */
#ifndef IB_ARAZZO_DOCUMENT_LOAD_H
#define IB_ARAZZO_DOCUMENT_LOAD_H

#include "lib/arazzo/document.h"

/* Zeroed memory of the document; NULL when out of memory. n = 0 gives a valid pointer. */
void *ib_arazzo_alloc(struct ib_arazzo_doc *doc, size_t n, size_t size);
/* Copy of a text in the document's memory. */
const char *ib_arazzo_keep(struct ib_arazzo_doc *doc, const char *text);
/* The document frees these with itself; takes over also on failure (false: out of memory). */
bool ib_arazzo_own_template(struct ib_arazzo_doc *doc, struct ib_template *t);
bool ib_arazzo_own_criterion(struct ib_arazzo_doc *doc, struct ib_criterion *criterion);
bool ib_arazzo_own_openapi(struct ib_arazzo_doc *doc, struct ib_openapi *openapi);
bool ib_arazzo_own_doc(struct ib_arazzo_doc *doc, struct ib_arazzo_doc *other);

/* JSON or YAML, told apart by the first character. */
IB_NODISCARD enum ib_rc ib_arazzo_parse_tree(struct ib_str text, const char *name,
                                             struct ib_value **ret, struct ib_error *err);

/* Fill doc from doc->root. Errors: IB_ENOMEM. */
IB_NODISCARD enum ib_rc ib_arazzo_load_model(struct ib_arazzo_doc *doc,
                                             struct ib_findings *findings, struct ib_error *err);

#endif
