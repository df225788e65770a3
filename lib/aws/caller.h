/* SPDX-License-Identifier: MIT */
/* Who are we, as AWS sees it: STS GetCallerIdentity, which needs no permission. */
#ifndef IB_AWS_CALLER_H
#define IB_AWS_CALLER_H

#include "lib/aws/client.h"

struct ib_aws_caller {
    char arn[2049];
    char account[32]; /* "" when the answer has none */
};

/*
 * Ask. region as in struct ib_aws_request. Errors: as ib_aws_call() and ib_aws_response_error(); IB_EPARSE for an
 * answer without a caller.
 */
IB_NODISCARD enum ib_rc ib_aws_caller(struct ib_aws_client *client, const char *region,
                                      struct ib_aws_caller *ret, struct ib_error *err);

#endif
