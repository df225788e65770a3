/* SPDX-License-Identifier: MIT */
/*
 * Runs a workflow, or a slice of one.
 *
 * The engine knows no AWS: every call goes out through a function of the caller, and a real wait
 * through lib/sys. What it guarantees:
 *   - a criterion or a declared output that cannot be evaluated stops the run (IB_RUN_ERROR) before
 *     anything else is called; outputs are never guessed;
 *   - the number of steps, the depth of workflows in workflows and the time are bounded.
 *
 * What Arazzo 1.0.1 leaves open is decided so:
 *   - a step without successCriteria succeeds on 2xx;
 *   - order after an answer: criteria, outputs, actions;
 *   - outputs of an attempt that failed hold what its answer had (nothing is stopped by the rest);
 *   - an output that is not there does not stop a step behind which nothing comes (last step, no
 *     success actions, no `until`): there is nothing left to be decided on it. A workflow output
 * that reads it is still an error;
 *   - a workflow output whose step never ran is absent, and the run none the worse for it;
 *   - criteria of a list are tested in order; one that fails wins over one that cannot be
 *     evaluated. Where an answer is no 2xx, a success criterion or the criterion of a failure
 * action about something that this answer does not have fails instead of stopping the run;
 *   - parameters and body members whose value is one optional input that is not given are left out;
 *     anything else that is not there is an error;
 *   - onSuccess and onFailure replace the workflow's lists as a whole;
 *   - a retry action that is used up is passed over, the next that matches is taken, once. Counts
 *     start anew when the flow comes to the step again. A step or workflow that retry names first
 * is run for its outputs: its goto and end actions are not followed, its failure ends the run;
 *   - the waits: Retry-After of the answer (seconds or date), else retryAfter, else `pace_ms` since
 * the last start of the step; a goto to a step that has run before is paced as well;
 *   - goto to a workflow does not come back; it, dependsOn and retry pass on those inputs of the
 *     present workflow that the other one has; its outputs become the outputs;
 *   - dependsOn runs each workflow once in a run, and not when `from` is given;
 *   - a step that calls a workflow has the callee's outputs as $outputs, and when it declares none
 * of its own they are its outputs.
 */
#ifndef IB_ARAZZO_ENGINE_H
#define IB_ARAZZO_ENGINE_H

#include "lib/arazzo/document.h"
#include "lib/arazzo/openapi.h"
#include "lib/sys/deadline.h"

#define IB_RUN_STEPS_DEFAULT   1000
#define IB_RUN_PACE_DEFAULT_MS 1000
#define IB_RUN_DEPTH_MAX       16 /* workflows in workflows */

/* --- calls out ---------------------------------------------------------------------------------
 */

/* One request. All is borrowed for the time of the call. */
struct ib_arazzo_call {
    struct ib_str workflow_id, step_id;
    int64_t attempt; /* of this step, from 1 */
    /* Exactly one of the two is set, both when the operation was found in an OpenAPI document. */
    struct ib_str operation_id; /* p NULL: only by operationPath */
    const struct ib_openapi_operation *openapi;
    const struct ib_value *path, *query, *headers, *cookies; /* objects name -> value; never NULL */
    const struct ib_value *body;                             /* NULL: none */
    struct ib_str content_type;                              /* p NULL: not said */
};

/* The answer, zeroed before the call. What is set here is owned by the engine afterwards. */
struct ib_arazzo_reply {
    int status;                    /* HTTP status */
    struct ib_value *headers;      /* object name -> string */
    struct ib_value *body;         /* parsed JSON; a string when it is none; NULL: empty */
    struct ib_value *url, *method; /* strings, for $url and $method; may be NULL */
    /* What a status outside 2xx says, for people ("ThrottlingException: ..."); rc IB_OK: nothing.
     */
    struct ib_error error;
    /* The call was only looked at (--dry-run): the run ends here, nothing is wrong. */
    bool withheld;
};

/*
 * Send one request. IB_OK for every complete answer, whatever its status.
 *
 * IB_ENET, IB_ETLS, IB_EHTTP and IB_ETIMEOUT are failures of the step (onFailure sees no answer);
 * when nothing handles them, and for every other code, the run ends with IB_RUN_ERROR and this
 * error. IB_EREFUSED is the way to veto a call.
 */
typedef enum ib_rc (*ib_arazzo_call_fn)(void *ctx, const struct ib_arazzo_call *call,
                                        struct ib_arazzo_reply *reply, struct ib_error *err);

/* --- watching ----------------------------------------------------------------------------------
 */

enum ib_run_event_type {
    IB_EVENT_STEP_START, /* an attempt begins */
    IB_EVENT_CALL,       /* about to be sent: call */
    IB_EVENT_REPLY,      /* answered: call, reply */
    IB_EVENT_NO_REPLY,   /* call; error says why */
    IB_EVENT_STEP_END,   /* passed, text (why not), action (may be NULL), outputs */
    IB_EVENT_WAIT,       /* wait_ms, text says why */
    IB_EVENT_NOTE,       /* text: something a reader of the run should know */
};

struct ib_run_event {
    enum ib_run_event_type type;
    const struct ib_arazzo_workflow *workflow;
    const struct ib_arazzo_step *step; /* NULL in notes about the workflow */
    unsigned depth;                    /* 0 = the workflow that was asked for */
    int64_t attempt;
    const struct ib_arazzo_call *call;
    const struct ib_arazzo_reply *reply;
    const struct ib_error *error;
    bool passed;
    const struct ib_arazzo_action *action;
    const struct ib_value *outputs;
    int64_t wait_ms;
    const char *text; /* "" when there is none */
};

typedef void (*ib_run_observer_fn)(void *ctx, const struct ib_run_event *event);

/* Time, for tests: all or none of the functions. NULL clock = the real one. */
struct ib_run_clock {
    int64_t (*mono_ms)(void *ctx);
    int64_t (*wall_ms)(void *ctx);
    /* IB_ETIMEOUT when the deadline would pass first. */
    enum ib_rc (*wait)(void *ctx, int64_t ms, struct ib_error *err);
    void *ctx;
};

/* --- running -----------------------------------------------------------------------------------
 */

/* An output of a step that does not run, as if it had. */
struct ib_arazzo_given {
    struct ib_str step, output;
    const struct ib_value *value;
};

struct ib_arazzo_run_options {
    struct ib_str workflow_id;     /* p NULL: the document has only one */
    const struct ib_value *inputs; /* object; NULL = {} */
    struct ib_str from, until;     /* first and last step; p NULL: no slice. Inclusive */
    const struct ib_arazzo_given *given;
    size_t given_count;
    int64_t max_steps; /* 0 = IB_RUN_STEPS_DEFAULT */
    int64_t pace_ms;   /* negative = IB_RUN_PACE_DEFAULT_MS */
    bool literal;      /* Arazzo 1.1: what cannot be evaluated fails, outputs may be missing */
    const struct ib_deadline *deadline; /* NULL: none */
    ib_arazzo_call_fn call;
    void *call_ctx;
    ib_run_observer_fn observe; /* may be NULL */
    void *observe_ctx;
    const struct ib_run_clock *clock; /* NULL: real time */
};

enum ib_run_outcome {
    IB_RUN_SUCCESS,
    IB_RUN_FAILURE, /* a step failed and nothing in the document went on from there */
    IB_RUN_ERROR,   /* could not be run or evaluated to its end */
};

/* Where a run was when it ended early. */
enum ib_run_stage {
    IB_STAGE_BETWEEN, /* no request was under way */
    IB_STAGE_CALLING, /* a request may have arrived: whether it took effect is not known */
};

struct ib_arazzo_result {
    enum ib_run_outcome outcome;
    struct ib_error error; /* not for success: the sentence; of a failure also AWS's code */
    enum ib_run_stage stage;
    bool withheld;             /* a dry run came to a call that it must not send */
    struct ib_str workflow_id; /* all views: borrowed from the document */
    struct ib_str
        step_id; /* the last step that was begun, in the outermost workflow; p NULL: none */
    /*
     * Where the flow would go from the last step: a step of the slice's workflow; p NULL: it ended
     * (or went to another workflow).
     */
    struct ib_str next_step_id;
    struct ib_value *inputs;  /* object: with the defaults; NULL when they were wrong */
    struct ib_value *outputs; /* object; never NULL after a run unless out of memory */
    struct ib_value *steps;   /* array: one object per attempt, see ib_arazzo_result_value() */
};

#define IB_ARAZZO_RESULT_INIT   \
    {                           \
        .outcome = IB_RUN_ERROR \
    }
void ib_arazzo_result_fini(struct ib_arazzo_result *result);

/*
 * Run. Everything that can go wrong is told in *ret (zeroed by IB_ARAZZO_RESULT_INIT before), which
 * lives as long as the document does.
 */
void ib_arazzo_run(const struct ib_arazzo_doc *doc, const struct ib_arazzo_run_options *options,
                   struct ib_arazzo_result *ret);

/*
 * The workflow of this id; of a document with only one, that one when id.p is NULL. Errors: IB_EUSAGE,
 * naming those that there are.
 */
IB_NODISCARD enum ib_rc ib_arazzo_pick_workflow(const struct ib_arazzo_doc *doc, struct ib_str id,
                                                const struct ib_arazzo_workflow **ret,
                                                struct ib_error *err);

/* "success", "failure", "error". */
const char *ib_run_outcome_name(enum ib_run_outcome outcome);

/*
 * The last attempt of a step in the outermost workflow: its object in result->steps; NULL when it
 * did not run. Its members: stepId, operationId (or workflowId), attempt, statusCode (absent
 * without an answer), result ("success", "failure", "error", "withheld"), outputs (object), action
 * (null or {name, type, stepId or workflowId}), and steps (of a workflow that it called). Borrowed.
 */
const struct ib_value *ib_arazzo_result_step(const struct ib_arazzo_result *result,
                                             const char *step_id);

/*
 * The whole as one object: workflowId, result, outputs, steps, error (null or {kind, text, stepId,
 * outcomeKnown}). NULL when out of memory.
 */
struct ib_value *ib_arazzo_result_value(const struct ib_arazzo_result *result);

#endif
