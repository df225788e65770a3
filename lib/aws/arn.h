/* SPDX-License-Identifier: MIT */
/*
 * Amazon Resource Names: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE.
 *
 * Strict enough that a typing error, a blank or a control character never reaches a request; loose
 * where AWS adds things: partitions, regions and account words are checked for their form only.
 * Views point into arrays of the struct itself, so a copy by value must not be used: fill it in
 * place.
 */
#ifndef IB_AWS_ARN_H
#define IB_AWS_ARN_H

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

#define IB_ARN_MAX 1025 /* bytes with NUL; API ImageBuilderArn pattern leaves room for 1024 */

struct ib_arn {
    char text[IB_ARN_MAX];
    char partition[32], service[64], region[64], account[32]; /* region, account: "" when empty */
    const char *resource; /* into text */
};

/*
 * Parse any ARN. what names it in errors ("--role-arn"). Errors: IB_EUSAGE, quoting the text and
 * the part that is wrong.
 */
IB_NODISCARD enum ib_rc ib_arn_parse(struct ib_str text, const char *what, struct ib_arn *ret,
                                     struct ib_error *err);

enum ib_image_arn_kind {
    IB_IMAGE_ARN_BUILD,    /* image/NAME/1.2.3/4 */
    IB_IMAGE_ARN_VERSION,  /* image/NAME/1.2.3 */
    IB_IMAGE_ARN_WILDCARD, /* image/NAME/1.2.x */
};

enum ib_image_arn_need {
    IB_IMAGE_ARN_ANY,        /* what GetImage takes */
    IB_IMAGE_ARN_NEED_BUILD, /* what CancelImageCreation takes: a full build */
};

struct ib_image_arn {
    struct ib_arn arn;
    enum ib_image_arn_kind kind;
    char name[129];
    char version[64]; /* "1.4.2" or "1.4.x" */
    int64_t build;    /* 0 unless kind is IB_IMAGE_ARN_BUILD */
};

/*
 * Parse the ARN of an image. Errors: IB_EUSAGE with what is wrong and, for a version where a build
 * is needed, what a build ARN looks like.
 * Source: API CancelImageCreation and GetImage, imageBuildVersionArn; accounts may also be words
 * ("aws", "aws-marketplace").
 */
IB_NODISCARD enum ib_rc ib_image_arn_parse(struct ib_str text, enum ib_image_arn_need need,
                                           const char *what, struct ib_image_arn *ret,
                                           struct ib_error *err);

/* True when text begins like an ARN, so that "ARN or name" options can tell. */
bool ib_arn_looks_like(struct ib_str text);

#endif
