/* SPDX-License-Identifier: MIT */
/* The table of image statuses. */
#include "lib/imagebuilder/status.h"

#include "lib/base/error.h"

static const struct {
    const char *name;
    enum ib_image_phase phase;
} statuses[IB_IMAGE_STATUS_COUNT + 1] = {
    [IB_IMAGE_PENDING] = { "PENDING", IB_IMAGE_IN_FLIGHT },
    [IB_IMAGE_CREATING] = { "CREATING", IB_IMAGE_IN_FLIGHT },
    [IB_IMAGE_BUILDING] = { "BUILDING", IB_IMAGE_IN_FLIGHT },
    [IB_IMAGE_TESTING] = { "TESTING", IB_IMAGE_IN_FLIGHT },
    [IB_IMAGE_DISTRIBUTING] = { "DISTRIBUTING", IB_IMAGE_IN_FLIGHT },
    [IB_IMAGE_INTEGRATING] = { "INTEGRATING", IB_IMAGE_IN_FLIGHT },
    [IB_IMAGE_AVAILABLE] = { "AVAILABLE", IB_IMAGE_ENDED },
    [IB_IMAGE_CANCELLED] = { "CANCELLED", IB_IMAGE_ENDED },
    [IB_IMAGE_FAILED] = { "FAILED", IB_IMAGE_ENDED },
    [IB_IMAGE_DEPRECATED] = { "DEPRECATED", IB_IMAGE_RETIRED },
    [IB_IMAGE_DELETED] = { "DELETED", IB_IMAGE_RETIRED },
    [IB_IMAGE_DISABLED] = { "DISABLED", IB_IMAGE_RETIRED },
    [IB_IMAGE_UNHEARD_OF] = { "UNHEARD-OF", IB_IMAGE_NO_PHASE },
};

enum ib_image_status ib_image_status_from(struct ib_str text)
{
    for (size_t i = 0; i < IB_IMAGE_STATUS_COUNT; i++) {
        if (ib_str_eq_c(text, statuses[i].name)) {
            return (enum ib_image_status)i;
        }
    }
    return IB_IMAGE_UNHEARD_OF;
}

const char *ib_image_status_name(enum ib_image_status status)
{
    IB_ASSERT((unsigned)status < IB_ARRAY_LEN(statuses));
    return statuses[status].name;
}

enum ib_image_phase ib_image_status_phase(enum ib_image_status status)
{
    IB_ASSERT((unsigned)status < IB_ARRAY_LEN(statuses));
    return statuses[status].phase;
}

bool ib_image_status_in_flight(enum ib_image_status status)
{
    return ib_image_status_phase(status) == IB_IMAGE_IN_FLIGHT;
}

bool ib_image_status_terminal(enum ib_image_status status)
{
    enum ib_image_phase phase = ib_image_status_phase(status);

    return phase == IB_IMAGE_ENDED || phase == IB_IMAGE_RETIRED;
}
