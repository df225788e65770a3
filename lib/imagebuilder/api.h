/* SPDX-License-Identifier: MIT */
/* Calls of Image Builder: from an operation and its parameters to an answer. */
#ifndef IB_IMAGEBUILDER_API_H
#define IB_IMAGEBUILDER_API_H

#include "lib/imagebuilder/request.h"

/* Prepare and send. Answers as ib_aws_call(): any complete one is IB_OK. */
IB_NODISCARD enum ib_rc ib_imagebuilder_call(struct ib_aws_client *client,
                                             const struct ib_operation *operation,
                                             const struct ib_imagebuilder_params *params,
                                             struct ib_aws_response *ret, struct ib_error *err);

#endif
