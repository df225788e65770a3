/* SPDX-License-Identifier: MIT */
/* What the parts of ib_workflow share: its options, and the one who watches a run. */
#ifndef IB_PLUGINS_IB_WORKFLOW_H
#define IB_PLUGINS_IB_WORKFLOW_H

#include "lib/arazzo/engine.h"
#include "lib/plugin/common.h"
#include "lib/plugin/output.h"

struct ib_workflow_options {
    struct ib_common common;
    const char *workflow, *inputs_file, *from, *until;
    struct ib_option_list inputs, given;
    bool dry_run, trace, literal;
    int64_t max_steps, pace_ms;
    int format; /* enum ib_show_format */
};

/* --- ib_workflow_args.c --- */

/* --inputs and --input. Errors: IB_EUSAGE, and those of reading the file. */
IB_NODISCARD enum ib_rc ib_workflow_inputs(const struct ib_workflow_options *o,
                                           const struct ib_arazzo_doc *doc,
                                           const struct ib_arazzo_workflow *w,
                                           struct ib_value **ret, struct ib_error *err);

/* An ARN among --given and --input, to learn the Region from; NULL when there is none. Borrowed. */
const char *ib_workflow_arn(const struct ib_workflow_options *o);

/* --given: as many as the option was used. */
struct ib_workflow_givens {
    struct ib_arazzo_given *items;
    struct ib_value *values; /* array: owns them */
};
IB_NODISCARD enum ib_rc ib_workflow_givens(const struct ib_workflow_options *o,
                                           const struct ib_arazzo_workflow *w,
                                           struct ib_workflow_givens *ret, struct ib_error *err);
void ib_workflow_givens_fini(struct ib_workflow_givens *g);

/* --- ib_workflow_run.c --- */

/* Run the document (NULL: the built-in one); *ret_state is the exit code. Errors: before the run.
 */
IB_NODISCARD enum ib_rc ib_workflow_run(const struct ib_workflow_options *options, const char *path,
                                        struct ib_output *out, enum ib_state *ret_state,
                                        struct ib_error *err);

/* --- ib_workflow_live.c --- */

/* Lines about a run while it goes on, on stderr: stdout belongs to the result. */
struct ib_workflow_live {
    bool terminal; /* one line that moves on */
    bool trace;    /* what the document makes of each answer */
    bool wire;     /* every request and answer */
    int64_t started_ms;
    bool line_open;
};

void ib_workflow_live_init(struct ib_workflow_live *live, const struct ib_workflow_options *o);
/* ctx is a struct ib_workflow_live. */
void ib_workflow_live_event(void *ctx, const struct ib_run_event *event);
/* A line of the client's own trace. */
void ib_workflow_live_client(void *ctx, const char *line);
/* Behind the last event: leave the terminal on a fresh line. */
void ib_workflow_live_end(struct ib_workflow_live *live);

/* "status=BUILDING image={...}": scalars as they are, the rest cut short. */
void ib_workflow_outputs_text(const struct ib_value *outputs, struct ib_buf *out);

#endif
