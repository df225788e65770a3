/* SPDX-License-Identifier: MIT */
/* Requests to Image Builder, made from an operation and its parameters. Sends nothing. */
#ifndef IB_IMAGEBUILDER_REQUEST_H
#define IB_IMAGEBUILDER_REQUEST_H

#include "lib/aws/client.h"
#include "lib/imagebuilder/operation.h"

#define IB_IMAGEBUILDER_SERVICE "imagebuilder"

struct ib_imagebuilder_params {
    /*
     * Object: name -> value, each put where the operation table has it. Query and path take
     * text, numbers and booleans, the query also lists of them. NULL = none.
     */
    const struct ib_value *params;
    /* The body as a whole, then params may hold no body parameters. NULL = made of params. */
    const struct ib_value *body;
    /* Region of the ARN at hand; NULL = by configuration. */
    const char *region;
};

/* A request that is ready to be sent; it points into itself: fill it in place. */
struct ib_imagebuilder_request {
    struct ib_aws_request aws;
    struct ib_buf path, query, body;
};
#define IB_IMAGEBUILDER_REQUEST_INIT                                                              \
    { .path = IB_BUF_INIT(4096), .query = IB_BUF_INIT(16 * 1024), .body = IB_BUF_INIT(256 * 1024) }
void ib_imagebuilder_request_fini(struct ib_imagebuilder_request *request);

/*
 * Build the request. GET and DELETE have no body; the others have `{}` at least. Errors: IB_EUSAGE for a
 * parameter that the operation does not have, a path parameter that is missing, a value that fits
 * no query; IB_ELIMIT.
 */
IB_NODISCARD enum ib_rc ib_imagebuilder_prepare(const struct ib_operation *operation,
                                                const struct ib_imagebuilder_params *params,
                                                struct ib_imagebuilder_request *ret,
                                                struct ib_error *err);

#endif
