/* SPDX-License-Identifier: MIT */
/* Inside of the check: does every expression name something that can be there when it is evaluated?
 */
#ifndef IB_ARAZZO_CHECK_EXPR_H
#define IB_ARAZZO_CHECK_EXPR_H

#include "lib/arazzo/check_graph.h"
#include "lib/arazzo/finding.h"

/* False: out of memory. */
IB_NODISCARD bool ib_check_expressions(const struct ib_arazzo_doc *doc,
                                       const struct ib_arazzo_workflow *w, struct ib_graph *graph,
                                       struct ib_findings *out);

#endif
