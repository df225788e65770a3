/* SPDX-License-Identifier: MIT */
/*
 * A workflow seen as a graph and as a list of the expressions in it: for checks, drawings and
 * slices. Here is written once which step may follow which.
 */
#ifndef IB_ARAZZO_FLOW_H
#define IB_ARAZZO_FLOW_H

#include "lib/arazzo/document.h"

struct ib_expr;

enum ib_edge_kind {
    IB_EDGE_NEXT,    /* success, no action matched: the next step of the list */
    IB_EDGE_SUCCESS, /* a success action: goto or end */
    IB_EDGE_FAILURE, /* a failure action: goto, end, or retry */
    IB_EDGE_FAILED,  /* failure, no action matched: the workflow ends failed */
};

struct ib_edge {
    enum ib_edge_kind kind;
    size_t from;
    const struct ib_arazzo_action *action; /* NULL for NEXT and FAILED */
    /*
     * Index of the step that follows; step_count: the workflow ends (or goes to another one). A
     * retry leads to its own step, and one with stepId to that step first.
     */
    size_t to;
};

typedef void (*ib_edge_fn)(void *ctx, const struct ib_edge *edge);

/*
 * Every edge out of a step, in the order in which the engine tries them. Actions behind one that
 * always matches are left out. A goto to a step that is not there is left out.
 */
void ib_arazzo_edges(const struct ib_arazzo_workflow *w, size_t step, ib_edge_fn fn, void *ctx);

/* Index of a step of this id; step_count when there is none. */
size_t ib_arazzo_step_index(const struct ib_arazzo_workflow *w, struct ib_str id);

/*
 * Sets reached[i] for each step that can run when the workflow starts at `from` and stops behind
 * `until` (step_count: does not stop). reached has step_count members, all false. False: out of
 * memory.
 */
IB_NODISCARD bool ib_arazzo_reach(const struct ib_arazzo_workflow *w, size_t from, size_t until,
                                  bool *reached);

/* What an expression is for. */
enum ib_use {
    IB_USE_PARAM,
    IB_USE_BODY,
    IB_USE_SUCCESS_CRITERION,
    IB_USE_ACTION_CRITERION,
    IB_USE_OUTPUT,
};

typedef void (*ib_use_fn)(void *ctx, const struct ib_expr *expr, enum ib_use use,
                          struct ib_place at);
/* Told of strings that look like an expression and are none. */
typedef void (*ib_doubt_fn)(void *ctx, struct ib_place at, const char *why);

struct ib_uses {
    ib_use_fn fn;
    ib_doubt_fn doubt; /* may be NULL */
    void *ctx;
};

/* Every expression that a run of this step may evaluate. False: out of memory. */
IB_NODISCARD bool ib_arazzo_step_uses(const struct ib_arazzo_workflow *w,
                                      const struct ib_arazzo_step *s, const struct ib_uses *uses);
/* Those of the workflow's own outputs. */
void ib_arazzo_output_uses(const struct ib_arazzo_workflow *w, const struct ib_uses *uses);
/* Those inside of any value. False: out of memory. */
IB_NODISCARD bool ib_arazzo_value_uses(const struct ib_value *v, enum ib_use use,
                                       struct ib_place at, const struct ib_uses *uses);

#endif
