/* SPDX-License-Identifier: MIT */
/*
 * What a build is doing: its workflow executions and their steps, and since when.
 *
 * A build has no "in this state since". The start of its running workflow is the nearest thing. And
 * RetryImage puts a build back to work under its old ARN and creation date; the workflow that
 * began anew shows when: a build is then aged from there.
 */
#ifndef IB_IMAGEBUILDER_WORKFLOW_H
#define IB_IMAGEBUILDER_WORKFLOW_H

#include <stdint.h>

#include "lib/base/error.h"
#include "lib/data/value.h"

#define IB_WORKFLOW_EXECUTIONS_MAX 200 /* looked at per build; more are ignored, newest pages come first */
#define IB_WORKFLOW_NAME_MAX       104 /* bytes with NUL; the model allows 100 */

enum ib_workflow_status {
    IB_WORKFLOW_PENDING,
    IB_WORKFLOW_RUNNING, /* or rolling back */
    IB_WORKFLOW_DONE,    /* completed or skipped */
    IB_WORKFLOW_FAILED,  /* failed, cancelled or rolled back */
    IB_WORKFLOW_UNHEARD_OF,
};

struct ib_workflow_execution {
    char id[48];               /* "wf-..." */
    char name[IB_WORKFLOW_NAME_MAX]; /* "build-image" of the workflow's ARN; may be empty */
    uint64_t key;              /* the same for executions of one workflow */
    char type[16];             /* "BUILD", "TEST", "DISTRIBUTION" */
    enum ib_workflow_status status;
    bool has_start, has_end;
    int64_t start_ms, end_ms;
    bool retried;
};

struct ib_workflow_list {
    struct ib_workflow_execution *items; /* heap */
    size_t count;
};
void ib_workflow_list_fini(struct ib_workflow_list *list);

/* Append a page of ListWorkflowExecutions. Errors: IB_EPARSE, IB_ENOMEM. */
IB_NODISCARD enum ib_rc ib_workflow_list_add(struct ib_workflow_list *list,
                                             const struct ib_value *body, struct ib_error *err);

struct ib_workflow_facts {
    /* The execution that runs now (the latest begun, if several do); NULL: none. */
    const struct ib_workflow_execution *running;
    bool has_first;       /* when the first build workflow began, if no other came before it */
    int64_t first_ms;
    bool retried;         /* a workflow was begun anew */
    bool restart_known;   /* and since restart_ms */
    int64_t restart_ms;
};
/* Pure. For a build that is in flight. */
void ib_workflow_look(const struct ib_workflow_list *list, struct ib_workflow_facts *ret);

/*
 * Did a build that shows no retry begin more than IB_WORKFLOW_LATE_MS after it was made? The first
 * workflow begins within minutes. One that begins later was held back: the build failed or was
 * cancelled before any workflow, and RetryImage put it to work; or it waited for its turn. It is aged
 * from first_ms, which does not move again: a build that hangs grows old from there all the same.
 */
#define IB_WORKFLOW_LATE_MS INT64_C(1800000)
bool ib_workflow_begun_late(const struct ib_workflow_facts *facts, int64_t created_ms);

struct ib_workflow_step {
    char name[IB_WORKFLOW_NAME_MAX], action[IB_WORKFLOW_NAME_MAX]; /* clean */
    bool has_start;
    int64_t start_ms;
    bool waits;           /* for a person: action WaitForAction */
};

/*
 * The running step in a page of ListWorkflowStepExecutions; one that waits for a person before any
 * other. False when no step of the page runs. Errors of form count as none.
 */
bool ib_workflow_running_step(const struct ib_value *body, struct ib_workflow_step *ret);

#endif
