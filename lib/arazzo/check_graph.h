/* SPDX-License-Identifier: MIT */
/* Inside of the check: which step can run before which. */
#ifndef IB_ARAZZO_CHECK_GRAPH_H
#define IB_ARAZZO_CHECK_GRAPH_H

#include "lib/arazzo/flow.h"

struct ib_graph;

/* NULL when out of memory. */
struct ib_graph *ib_graph_new(const struct ib_arazzo_workflow *w);
void ib_graph_free(struct ib_graph *g);

/* Can a run of the workflow reach this step at all? */
bool ib_graph_reachable(const struct ib_graph *g, size_t step);
/* Can `first` have run when `then` begins? */
bool ib_graph_may_precede(struct ib_graph *g, size_t first, size_t then);
/* Has `first` run on every way to `then`? */
bool ib_graph_must_precede(struct ib_graph *g, size_t first, size_t then);
/* Has the step run at every good end of the workflow? */
bool ib_graph_always_runs(struct ib_graph *g, size_t step);

#endif
