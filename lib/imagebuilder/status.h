/* SPDX-License-Identifier: MIT */
/*
 * The one table of what image.state.status can be: 12 statuses, and whatever AWS adds.
 *
 * Sources: ImageStatus of the service model 2019-12-02; API_ImageState (a build ends in AVAILABLE,
 * FAILED or CANCELLED; DEPRECATED, DISABLED and DELETED come from the later life of an image that
 * was AVAILABLE).
 */
#ifndef IB_IMAGEBUILDER_STATUS_H
#define IB_IMAGEBUILDER_STATUS_H

#include <stdbool.h>

#include "lib/base/str.h"

enum ib_image_status {
    IB_IMAGE_PENDING,
    IB_IMAGE_CREATING,
    IB_IMAGE_BUILDING,
    IB_IMAGE_TESTING,
    IB_IMAGE_DISTRIBUTING,
    IB_IMAGE_INTEGRATING,
    IB_IMAGE_AVAILABLE,
    IB_IMAGE_CANCELLED,
    IB_IMAGE_FAILED,
    IB_IMAGE_DEPRECATED,
    IB_IMAGE_DELETED,
    IB_IMAGE_DISABLED,
    IB_IMAGE_UNHEARD_OF, /* a status that this table does not know: never taken for any other */
};
#define IB_IMAGE_STATUS_COUNT 12

enum ib_image_phase {
    IB_IMAGE_IN_FLIGHT, /* the build runs; it can be cancelled */
    IB_IMAGE_ENDED,     /* the build has come to its end */
    IB_IMAGE_RETIRED,   /* it ended AVAILABLE, and life-cycle actions came after */
    IB_IMAGE_NO_PHASE,  /* unheard-of */
};

/* Exact match, case matters; IB_IMAGE_UNHEARD_OF for anything else. */
enum ib_image_status ib_image_status_from(struct ib_str text);
/* "PENDING" ...; "UNHEARD-OF" for the last. */
const char *ib_image_status_name(enum ib_image_status status);
enum ib_image_phase ib_image_status_phase(enum ib_image_status status);
/* In flight by this table. False for an unheard-of status: nothing is cancelled on a guess. */
bool ib_image_status_in_flight(enum ib_image_status status);
/* Ended or retired. False for an unheard-of status. */
bool ib_image_status_terminal(enum ib_image_status status);

#endif
