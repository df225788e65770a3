/* SPDX-License-Identifier: MIT */
/* Inside of the engine: the state of a run, of a workflow in it, of one attempt. */
#ifndef IB_ARAZZO_ENGINE_RUN_H
#define IB_ARAZZO_ENGINE_RUN_H

#include "lib/arazzo/criterion.h"
#include "lib/arazzo/engine.h"
#include "lib/arazzo/expr.h"
#include "lib/arazzo/link.h"
#include "lib/arazzo/template.h"

/* Per document: what expressions see of it. */
struct run_doc {
    const struct ib_arazzo_doc *doc;
    struct ib_value *sources;   /* name -> {url, type} */
    struct ib_value *workflows; /* id -> {inputs, outputs} of those that have run */
};

struct run {
    const struct ib_arazzo_run_options *o;
    struct ib_arazzo_result *result;
    struct ib_run_clock clock;
    int64_t pace_ms;
    int64_t steps_left;
    unsigned depth;
    int64_t last_jump_ms; /* when the flow went to another workflow; -1: not yet */
    struct run_doc docs[IB_ARAZZO_DOCS_MAX];
    size_t doc_count;
    struct ib_error *err; /* the result's */
};

struct step_state {
    bool ran, passed;   /* of its last attempt */
    bool lost;          /* passed, and yet a declared output was not there */
    int64_t started_ms; /* monotonic */
};

/* One workflow being run. */
struct frame {
    struct run *run;
    struct run_doc *doc;
    const struct ib_arazzo_workflow *workflow;
    struct ib_value *inputs;
    struct ib_value *outputs_of;        /* stepId -> object of outputs */
    struct step_state *states;          /* step_count */
    struct ib_value *rows;              /* where attempts are written down */
    const struct ib_arazzo_step *until; /* NULL: none */
    bool sliced;                        /* from or until: the outermost workflow only */
};

/* One attempt of a step. */
struct attempt {
    struct frame *frame;
    const struct ib_arazzo_step *step;
    int64_t number;
    struct ib_arazzo_operation operation;
    struct ib_value *path, *query, *headers, *cookies, *body;
    struct ib_arazzo_reply reply;
    bool answered;           /* reply holds an answer */
    struct ib_value *status; /* of the answer */
    struct ib_value *callee; /* outputs of the workflow that the step called */
    struct ib_value *callee_rows;
    struct ib_value *outputs;
    bool passed;
    struct ib_error why; /* not passed: the sentence */
    const struct ib_arazzo_action *action;
};

enum flow {
    FLOW_GO,       /* to step `next` (step_count: behind the last one, a normal end) */
    FLOW_END,      /* a success action ends the workflow */
    FLOW_FAILED,   /* the workflow failed; run->err has the sentence */
    FLOW_TRANSFER, /* to another workflow, for good */
    FLOW_STOP,     /* the run cannot go on; run->err has the sentence */
    FLOW_WITHHELD, /* dry run */
};

struct ending {
    enum flow flow;
    size_t next;
    struct run_doc *doc; /* TRANSFER */
    const struct ib_arazzo_workflow *workflow;
};

/* engine.c */
enum flow ib_run_workflow(struct run *run, struct run_doc *doc,
                          const struct ib_arazzo_workflow *workflow, struct ib_value *inputs,
                          struct ib_value *rows, struct ib_value **ret_outputs);
struct run_doc *ib_run_doc(struct run *run, const struct ib_arazzo_doc *doc);
/*
 * Inputs of another workflow from those of the present one. *ret is NULL, and run->err written,
 * when they do not do.
 */
enum flow ib_run_pass_inputs(struct frame *f, struct run_doc *doc,
                             const struct ib_arazzo_workflow *workflow, struct ib_value **ret);
/* Run a workflow for a row of its own: dependsOn, retry, goto. */
enum flow ib_run_side_workflow(struct frame *f, struct run_doc *doc,
                               const struct ib_arazzo_workflow *workflow,
                               struct ib_value **ret_outputs);

/* engine_step.c */
struct ending ib_run_step(struct frame *f, size_t index, bool only_outputs);

/* engine_request.c */
void ib_run_scope(const struct frame *f, struct ib_scope *ret);
void ib_run_attempt_scope(const struct attempt *a, struct ib_scope *ret);
/* Parameters and body of a step that calls an operation. Error: run->err. */
enum ib_rc ib_run_build_request(struct attempt *a);
/* Inputs of the workflow that a step calls. */
enum ib_rc ib_run_build_inputs(struct attempt *a, struct ib_value **ret);

/* engine_wait.c */
void ib_run_clock_init(struct run *run);
/* May the run go on: no stop requested, time left, steps left? before names what comes. */
enum ib_rc ib_run_may_go_on(struct run *run, const struct ib_arazzo_step *step);
/* Wait, telling the observer. ms <= 0 does nothing. */
enum ib_rc ib_run_wait(struct frame *f, const struct ib_arazzo_step *step, int64_t attempt,
                       int64_t ms, const char *why);
/* Wait until `pace` has passed since the last start of this step. */
enum ib_rc ib_run_pace(struct frame *f, const struct ib_arazzo_step *step, int64_t attempt);
/* What an answer's Retry-After says, in milliseconds; -1: nothing usable. */
int64_t ib_run_retry_after(const struct run *run, const struct ib_arazzo_reply *reply);

/* engine_record.c */
void ib_run_tell(struct frame *f, struct ib_run_event event);
void ib_run_note(struct frame *f, const struct ib_arazzo_step *step, const char *text);
/* Write the attempt down. result: "success", "failure", "error", "withheld". */
enum ib_rc ib_run_record(struct attempt *a, const char *result);

#endif
