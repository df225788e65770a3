/* SPDX-License-Identifier: MIT */
/* Reachability between steps, asked for one step at a time and remembered for it. */
#include "lib/arazzo/check_graph.h"

struct arc {
    size_t to;
    bool ends_well; /* `to` is the end of the workflow, with success */
};

struct ib_graph {
    const struct ib_arazzo_workflow *w;
    struct arc *arcs;
    size_t arc_count, arc_cap;
    size_t *first; /* arcs of step i: first[i] .. first[i + 1] - 1 */
    bool *reachable;
    size_t *todo;
    /* Answers about one step. */
    size_t asked_after, asked_without; /* step_count: none yet */
    bool *after;                       /* reached by one or more arcs from asked_after */
    bool *without; /* reached from the start without passing asked_without; last: a good end */
    bool nomem;
};

static void add_arc(void *ctx, const struct ib_edge *edge)
{
    struct ib_graph *g = ctx;

    if (g->arc_count == g->arc_cap) {
        size_t cap = g->arc_cap == 0 ? 64 : g->arc_cap * 2;
        struct arc *arcs = reallocarray(g->arcs, cap, sizeof *arcs);
        if (arcs == NULL) {
            g->nomem = true;
            return;
        }
        g->arcs = arcs;
        g->arc_cap = cap;
    }
    bool well = edge->kind == IB_EDGE_NEXT || edge->kind == IB_EDGE_SUCCESS;
    g->arcs[g->arc_count++] = (struct arc){edge->to, well && edge->to == g->w->step_count};
}

/* Everything that can be reached from the steps in todo; skip is never entered. */
static void spread(struct ib_graph *g, size_t todo_count, size_t skip, bool *reached)
{
    while (todo_count > 0) {
        size_t step = g->todo[--todo_count];
        for (size_t i = g->first[step]; i < g->first[step + 1]; i++) {
            size_t to = g->arcs[i].to;
            if (to == g->w->step_count) {
                reached[to] = reached[to] || g->arcs[i].ends_well;
            } else if (to != skip && !reached[to]) {
                reached[to] = true;
                g->todo[todo_count++] = to;
            }
        }
    }
}

static void from_start(struct ib_graph *g, size_t skip, bool *reached)
{
    memset(reached, 0, (g->w->step_count + 1) * sizeof *reached);
    if (skip != 0 && g->w->step_count > 0) {
        reached[0] = true;
        g->todo[0] = 0;
        spread(g, 1, skip, reached);
    }
}

struct ib_graph *ib_graph_new(const struct ib_arazzo_workflow *w)
{
    struct ib_graph *g = calloc(1, sizeof *g);
    size_t n = w->step_count;

    if (g == NULL) {
        return NULL;
    }
    g->w = w;
    g->asked_after = g->asked_without = n;
    g->first = calloc(n + 1, sizeof *g->first);
    g->todo = calloc(n + 1, sizeof *g->todo);
    g->reachable = calloc(n + 1, sizeof *g->reachable);
    g->after = calloc(n + 1, sizeof *g->after);
    g->without = calloc(n + 1, sizeof *g->without);
    g->nomem = g->first == NULL || g->todo == NULL || g->reachable == NULL || g->after == NULL ||
               g->without == NULL;
    for (size_t i = 0; i < n && !g->nomem; i++) {
        g->first[i] = g->arc_count;
        ib_arazzo_edges(w, i, add_arc, g);
        g->first[i + 1] = g->arc_count;
    }
    if (g->nomem) {
        ib_graph_free(g);
        return NULL;
    }
    from_start(g, /* skip= */ n, g->reachable);
    return g;
}

void ib_graph_free(struct ib_graph *g)
{
    if (g == NULL) {
        return;
    }
    free(g->arcs);
    free(g->first);
    free(g->todo);
    free(g->reachable);
    free(g->after);
    free(g->without);
    free(g);
}

bool ib_graph_reachable(const struct ib_graph *g, size_t step)
{
    return g->reachable[step];
}

bool ib_graph_may_precede(struct ib_graph *g, size_t first, size_t then)
{
    if (g->asked_after != first) {
        memset(g->after, 0, (g->w->step_count + 1) * sizeof *g->after);
        g->todo[0] = first;
        spread(g, 1, /* skip= */ g->w->step_count, g->after);
        g->asked_after = first;
    }
    return g->reachable[first] && g->after[then];
}

static void ask_without(struct ib_graph *g, size_t step)
{
    if (g->asked_without != step) {
        from_start(g, step, g->without);
        g->asked_without = step;
    }
}

bool ib_graph_must_precede(struct ib_graph *g, size_t first, size_t then)
{
    ask_without(g, first);
    return first != then && !g->without[then];
}

bool ib_graph_always_runs(struct ib_graph *g, size_t step)
{
    ask_without(g, step);
    return !g->without[g->w->step_count];
}
