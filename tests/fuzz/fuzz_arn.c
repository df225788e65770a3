/* SPDX-License-Identifier: MIT */
/* Any bytes as an ARN: what is taken is printable, and its parts put together give it again. */
#include "fuzz.h"

#include "lib/aws/arn.h"

static void check_image(struct ib_str text)
{
    struct ib_error err = IB_ERROR_INIT;
    struct ib_image_arn image;
    char again[sizeof image.arn.text + 64];

    if (ib_image_arn_parse(text, IB_IMAGE_ARN_ANY, "-a", &image, &err) != IB_OK) {
        IB_ASSERT(err.rc == IB_EUSAGE);
        IB_ASSERT(ib_image_arn_parse(text, IB_IMAGE_ARN_NEED_BUILD, "-a", &image, &err) != IB_OK);
        return;
    }
    IB_ASSERT((image.build > 0) == (image.kind == IB_IMAGE_ARN_BUILD));
    IB_ASSERT((ib_image_arn_parse(text, IB_IMAGE_ARN_NEED_BUILD, "-a", &image, &err) == IB_OK) ==
              (image.kind == IB_IMAGE_ARN_BUILD));
    (void)snprintf(again, sizeof again, "image/%s/%s", image.name, image.version);
    IB_ASSERT(strncmp(image.arn.resource, again, strlen(again)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ib_str text = {(const char *)data, n};
    struct ib_error err = IB_ERROR_INIT;
    struct ib_arn arn;
    char again[IB_ARN_MAX + 256];

    check_image(text);
    if (ib_arn_parse(text, "--arn", &arn, &err) != IB_OK) {
        IB_ASSERT(err.rc == IB_EUSAGE);
        return 0;
    }
    (void)snprintf(again, sizeof again, "arn:%s:%s:%s:%s:%s", arn.partition, arn.service,
                   arn.region, arn.account, arn.resource);
    IB_ASSERT(ib_str_eq_c(text, again) && strcmp(arn.text, again) == 0);
    for (size_t i = 0; i < n; i++) {
        IB_ASSERT(data[i] > ' ' && data[i] <= '~');
    }
    return 0;
}
