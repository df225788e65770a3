/* SPDX-License-Identifier: MIT */
/* What ib_create_action is asked to build, what came of it, and waiting for its end. */
#ifndef IB_PLUGINS_CREATED_H
#define IB_PLUGINS_CREATED_H

#include "lib/aws/client.h"
#include "lib/imagebuilder/image.h"
#include "lib/plugin/option.h"
#include "lib/plugin/output.h"

/* From the command line; NULL and 0 = not said. on|off: 1 on, 2 off. */
struct ib_create {
    const char *pipeline, *recipe, *container_recipe, *infrastructure, *distribution, *token;
    struct ib_option_list tags, scan_tags, workflows;
    int tests, metadata, scan;
    const char *scan_repository, *execution_role, *log_group;
};
void ib_create_fini(struct ib_create *create);

/* ARNs, tags and workflows are well formed and go together. Errors: IB_EUSAGE. */
IB_NODISCARD enum ib_rc ib_create_check(const struct ib_create *create, struct ib_error *err);

/* Inputs of the workflow document's createImage. Errors: IB_ENOMEM. */
IB_NODISCARD enum ib_rc ib_create_inputs(const struct ib_create *create, const char *token,
                                         struct ib_value **ret, struct ib_error *err);

struct ib_created {
    char token[65];
    char arn[IB_IMAGE_ARN_MAX + 1]; /* of the build; "" = none */
    char request_id[64];
    bool dry_run, sent, answered;
    struct ib_buf request;          /* of a dry run: what would be sent */
    struct ib_error error;          /* why there is no ARN */
    bool waited;
    bool timed_out;
    struct ib_error wait_error;     /* the last look failed */
    struct ib_image image;          /* as last seen; value NULL = never */
    int64_t waited_ms;
};
#define IB_CREATED_INIT { .request = IB_BUF_INIT(64 * 1024) }
void ib_created_fini(struct ib_created *created);

/* Keep the ARN of the answer. Errors: IB_EPARSE when it is none of a build. */
IB_NODISCARD enum ib_rc ib_created_arn(struct ib_created *created, struct ib_str arn,
                                       struct ib_error *err);

/* StartImagePipelineExecution; a name is looked up first. */
IB_NODISCARD enum ib_rc ib_created_pipeline(const struct ib_create *create,
                                            struct ib_aws_client *client,
                                            struct ib_created *created, struct ib_error *err);

struct ib_create_wait {
    struct ib_aws_client *client;
    struct ib_deadline deadline;
    int64_t poll_ms, timeout_ms;
};
/* Look at the build until it has ended; a terminal on standard error shows how it goes. */
void ib_created_wait(struct ib_created *created, const struct ib_create_wait *wait);

enum ib_state ib_created_state(const struct ib_created *created);
void ib_created_text(const struct ib_created *created, struct ib_output *out);
IB_NODISCARD enum ib_rc ib_created_json(const struct ib_created *created, const char *program,
                                        enum ib_state state, struct ib_output *out,
                                        struct ib_error *err);

#endif
