/* SPDX-License-Identifier: MIT */
/* A document drawn: its steps, branches, retries and ends, for people, Mermaid and Graphviz. */
#ifndef IB_ARAZZO_SHOW_H
#define IB_ARAZZO_SHOW_H

#include "lib/arazzo/document.h"

enum ib_show_format { IB_SHOW_TEXT, IB_SHOW_MERMAID, IB_SHOW_DOT };

#define IB_SHOW_BYTES_MAX ((size_t)4 * 1024 * 1024)

/*
 * Append the drawing. workflow NULL: all of the document. Names from the document are escaped for
 * the format. What the drawing says of a document with errors may be wrong.
 */
void ib_arazzo_show(const struct ib_arazzo_doc *doc, const struct ib_arazzo_workflow *workflow,
                    enum ib_show_format format, struct ib_buf *out);

#endif
