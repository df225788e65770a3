/* SPDX-License-Identifier: MIT */
/*
 * May we read builds, and may we cancel them? Asked of AWS in a way that changes nothing.
 *
 * GetImage is asked for the build at hand. CancelImageCreation is asked for a build that does not exist: the
 * same image and version with the build number IB_PERMISSION_BUILD, which no build reaches (they
 * count from 1), so that policies limited to names of images answer as they would for the real one.
 * AWS looks at the permission first: AccessDenied means no, "not found" means yes. Before that, GetImage
 * must have said that this build is not there; without that answer nothing is sent.
 */
#ifndef IB_IMAGEBUILDER_PERMISSION_H
#define IB_IMAGEBUILDER_PERMISSION_H

#include "lib/aws/diagnose.h"

#define IB_PERMISSION_BUILD "999999999"
/* The image that is asked about when none is at hand. */
#define IB_PERMISSION_IMAGE "ib-plugins-permission-probe/0.0.1"

enum ib_permission {
    IB_PERMISSION_YES,     /* the call did what it should */
    IB_PERMISSION_SEEMS,   /* AWS looked for the thing: it did not refuse before */
    IB_PERMISSION_NO,      /* refused for lack of permission */
    IB_PERMISSION_UNKNOWN, /* the answer says nothing about it (throttled, bad credentials, a proxy) */
};

/* What an answer says: status, and AWS's error code ("" = none). */
enum ib_permission ib_permission_of(int status, const char *code);

/*
 * Append the ARN that CancelImageCreation is asked about: of the same image and version as build_arn, or
 * of IB_PERMISSION_IMAGE in this account when build_arn is NULL. Errors: IB_EUSAGE build_arn is no image.
 */
IB_NODISCARD enum ib_rc ib_permission_probe_arn(const char *build_arn, const char *region,
                                                const char *account, struct ib_buf *ret,
                                                struct ib_error *err);

/*
 * Add rows "permission": GetImage and CancelImageCreation, to what ib_diagnose_aws() found. arn: an
 * image at hand, NULL = none. Nothing is cancelled. Errors: AWS's, when it denies GetImage of the image
 * at hand, or with must_cancel CancelImageCreation; without an image at hand a denial says nothing.
 */
IB_NODISCARD enum ib_rc ib_permission_diagnose(struct ib_aws_client *client, const char *arn,
                                               bool must_cancel, struct ib_diagnose *d,
                                               struct ib_error *err);

#endif
