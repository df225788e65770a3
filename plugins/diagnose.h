/* SPDX-License-Identifier: MIT */
/*
 * --diagnose: instead of its work a program shows what it would work with, and who said so. Nothing is
 * checked, cancelled or started (how permissions are asked for: lib/imagebuilder/permission.h).
 */
#ifndef IB_PLUGINS_DIAGNOSE_H
#define IB_PLUGINS_DIAGNOSE_H

#include "lib/aws/awsconfig.h"
#include "lib/plugin/output.h"
#include "lib/watch/targets.h"

/* One way to reach AWS. */
struct ib_diagnose_way {
    struct ib_aws_options aws;
    const char *arn; /* an image or pipeline at hand; NULL = none */
};

struct ib_diagnose_request {
    const char *program;
    const struct ib_watch_config *config;
    const char *state_dir; /* NULL = the configuration's */
    const struct ib_target *targets; /* their settings are shown, and their ways to AWS tried */
    size_t target_count;
    const struct ib_diagnose_way *way; /* for a program without targets; NULL = by targets */
    struct ib_deadline deadline;
    bool json;
};

/*
 * Fill the output. OK when AWS knows the caller by every way, else UNKNOWN with what is in the way.
 * Errors: IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_diagnose_run(const struct ib_diagnose_request *request,
                                        struct ib_output *out, enum ib_state *ret_state,
                                        struct ib_error *err);

/* An ib_aws_trace_fn: each line becomes one of the long output (ctx is the struct ib_output). */
void ib_diagnose_trace(void *ctx, const char *line);

#endif
