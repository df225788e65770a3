/* SPDX-License-Identifier: MIT */
/*
 * One build of an image, decoded from GetImage's `image` or from a summary of the lists.
 *
 * A decoded image keeps a reference to its JSON value; all texts are views into that and hold
 * foreign bytes: clean them before they are shown. What is absent, null or of a wrong type is
 * empty, except the status, without which there is no image: nothing is guessed.
 */
#ifndef IB_IMAGEBUILDER_IMAGE_H
#define IB_IMAGEBUILDER_IMAGE_H

#include <stdint.h>

#include "lib/base/error.h"
#include "lib/data/value.h"
#include "lib/imagebuilder/status.h"

#define IB_IMAGE_STATUS_MAX 128  /* bytes of a status; the longest known has 12 */
#define IB_IMAGE_ARN_MAX    1024 /* bytes; the model's limit for ARNs */

struct ib_image {
    struct ib_value *value;      /* owned reference to the image object */
    struct ib_str arn;           /* "arn:aws:imagebuilder:REGION:ACCOUNT:image/NAME/1.4.2/7" */
    struct ib_str region, account;
    struct ib_str name;          /* last part of the ARN's name, else the name member */
    struct ib_str version;       /* "1.4.2" */
    int64_t build;               /* 7; 0 when the ARN names no build */
    enum ib_image_status status;
    struct ib_str status_text;   /* as AWS wrote it */
    struct ib_str reason;
    bool has_created;
    int64_t created_ms;
    struct ib_str created_text;  /* as AWS wrote it; also when it could not be read */
    struct ib_str pipeline_arn, pipeline_name;
    struct ib_str type, platform, os_version, build_type;
    const struct ib_value *tags; /* object, or NULL: none */
    bool tags_unreadable;        /* they are there, but no object: what they say is not known */
};

void ib_image_fini(struct ib_image *image);

/*
 * An image object (or a summary). arn stands in when the object has none; may be empty.
 * Errors: IB_EPARSE, naming the member, when v is no object or has no state.status as text.
 * Dates: ISO 8601 text, or seconds since 1970 as a number; any other form leaves has_created false.
 */
IB_NODISCARD enum ib_rc ib_image_decode(struct ib_value *v, struct ib_str arn,
                                        struct ib_image *ret, struct ib_error *err);

/*
 * The answer of GetImage to a question about `arn`. Errors: IB_EPARSE as above; also when the answer
 * is about another build than the one asked for.
 */
IB_NODISCARD enum ib_rc ib_image_from_answer(struct ib_value *body, struct ib_str arn,
                                             struct ib_image *ret, struct ib_error *err);

/* "web-server 1.4.2/7", clean; what is missing is left out. */
#define IB_IMAGE_TITLE_MAX 160
const char *ib_image_title(const struct ib_image *image, char *buf, size_t cap);

/* An AMI of outputResources.amis; members may be empty. */
struct ib_image_ami {
    struct ib_str region, id, name, account;
};
/* AMI i; false behind the last. One that is no object comes with empty members. */
bool ib_image_ami_at(const struct ib_image *image, size_t i, struct ib_image_ami *ret);
/* Containers of outputResources.containers; a URI each. false behind the last. */
bool ib_image_container_at(const struct ib_image *image, size_t i, struct ib_str *ret_region,
                           struct ib_str *ret_uri);

/* state.failureContext, which newer answers carry for FAILED. */
struct ib_image_failure {
    struct ib_str phase;      /* status in which it failed */
    struct ib_str step;       /* workflow step */
    struct ib_str component;  /* ARN of the component that failed, with its phase and step: */
    struct ib_str component_phase, component_step;
    struct ib_str message;    /* of the component or of the distribution */
    struct ib_str region, region_status; /* first failed Region of a distribution */
    size_t region_count;
};
/* False when there is none. */
bool ib_image_failure(const struct ib_image *image, struct ib_image_failure *ret);

/* Newest first by creation date, then by build number, then by ARN; unknown dates last. For qsort. */
int ib_image_cmp_newest(const struct ib_image *a, const struct ib_image *b);

#endif
