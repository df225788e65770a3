/* SPDX-License-Identifier: MIT */
/*
 * --diagnose: instead of its work a program shows what it would work with, and who said so. Nothing is
 * checked, cancelled or started (how permissions are asked for: lib/imagebuilder/permission.h).
 */
#ifndef IB_PLUGINS_DIAGNOSE_H
#define IB_PLUGINS_DIAGNOSE_H

#include "lib/aws/awsconfig.h"
#include "lib/plugin/common.h"
#include "lib/plugin/output.h"
#include "lib/watch/targets.h"

/* One way to reach AWS. */
struct ib_diagnose_way {
    struct ib_aws_options aws;
    const char *arn; /* an image or pipeline at hand; NULL = none */
};

struct ib_diagnose_request {
    const char *program;
    const struct ib_watch_config *config; /* NULL, with a way: it cannot be read */
    const char *state_dir; /* NULL = the configuration's */
    const struct ib_target *targets; /* their settings are shown, and their ways to AWS tried */
    size_t target_count;
    const struct ib_diagnose_way *way; /* for a program without targets; NULL = by targets */
    const struct ib_error *trouble; /* what is wrong before AWS comes into it; NULL = nothing */
    struct ib_deadline deadline;
    bool must_cancel; /* a denied CancelImageCreation is in the way */
    bool json;
};

/*
 * Fill the output. OK when AWS knows the caller by every way and lets it read the images at hand, else
 * UNKNOWN with what is in the way.
 * Errors: IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_diagnose_run(const struct ib_diagnose_request *request,
                                        struct ib_output *out, enum ib_state *ret_state,
                                        struct ib_error *err);

/*
 * For a command line, a configuration or a workflow document that does not get that far: what is
 * wrong (why) comes first, then the way to AWS that the common options and what can be read of the
 * configuration give. arn as in ib_diagnose_way.
 */
struct ib_diagnose_broken {
    const char *program;
    const struct ib_common *common;
    const char *arn;
    const struct ib_error *why;
};
IB_NODISCARD enum ib_rc ib_diagnose_broken(const struct ib_diagnose_broken *broken,
                                           struct ib_output *out, enum ib_state *ret_state,
                                           struct ib_error *err);

/*
 * Which lines of a trace are for this many -v: none; twice, those that tell what was decided
 * ("* ..."); three times, requests and answers too. Each becomes a line of the long output (the
 * trace's ctx is the struct ib_output).
 */
ib_aws_trace_fn ib_diagnose_trace(int verbose);
/* A line that -vv shows. */
bool ib_diagnose_is_decision(const char *line);

#endif
