/* SPDX-License-Identifier: MIT */
/* Prepare and send in one. */
#include "lib/imagebuilder/api.h"

enum ib_rc ib_imagebuilder_call(struct ib_aws_client *client, const struct ib_operation *operation,
                                const struct ib_imagebuilder_params *params,
                                struct ib_aws_response *ret, struct ib_error *err)
{
    IB_CLEANUP(ib_imagebuilder_request_fini)
    struct ib_imagebuilder_request request = IB_IMAGEBUILDER_REQUEST_INIT;
    enum ib_rc rc = ib_imagebuilder_prepare(operation, params, &request, err);

    return rc == IB_OK ? ib_aws_call(client, &request.aws, ret, err) : rc;
}
