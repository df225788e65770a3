/* SPDX-License-Identifier: MIT */
/*
 * What a cancelled build may have left behind, as far as its workflow steps tell.
 *
 * GetImage names AMIs alone, and only those that the build got to list. The steps of its workflows
 * name the instance that LaunchInstance launched and the AMI that CreateImage or RegisterImage made
 * (outputs instanceId and imageId). A cancel has Image Builder end its instances itself, so an
 * instance that no step has terminated MAY be left; one that is not named is not told. Snapshots are named by neither: they belong to
 * the AMIs.
 */
#ifndef IB_IMAGEBUILDER_LEFTOVER_H
#define IB_IMAGEBUILDER_LEFTOVER_H

#include "lib/data/value.h"
#include "lib/imagebuilder/image.h"
#include "lib/imagebuilder/workflow.h"

#define IB_LEFTOVER_MAX    16 /* of each kind; more are not kept */
#define IB_LEFTOVER_ID_MAX 32 /* bytes with NUL: "i-" or "ami-" and 17 hexadecimal digits */

struct ib_leftover_thing {
    char id[IB_LEFTOVER_ID_MAX];
    char step[IB_WORKFLOW_NAME_MAX]; /* that made it; clean */
    size_t execution;                /* which of the build's workflows */
};

struct ib_leftover {
    struct ib_leftover_thing instances[IB_LEFTOVER_MAX], images[IB_LEFTOVER_MAX];
    struct ib_leftover_thing ended[IB_LEFTOVER_MAX]; /* terminated; id "" = all of its workflow */
    size_t instance_count, image_count, ended_count;
};

/* One page of ListWorkflowStepExecutions. What has not the form that it should have is passed over. Pure. */
void ib_leftover_add(struct ib_leftover *left, const struct ib_value *body, size_t execution);

/* After the last page: drop the instances that were terminated, and the AMIs that the image lists itself. */
void ib_leftover_settle(struct ib_leftover *left, const struct ib_image *image);

#endif
