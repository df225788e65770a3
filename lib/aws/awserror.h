/* SPDX-License-Identifier: MIT */
/*
 * Reading what AWS says in an answer that is not 2xx.
 *
 * Name: header x-amzn-ErrorType, else body "code"/"Code", else "__type"; cut at ':' and before
 * '#'. Text: body "message", else "Message". XML answers (STS, and front ends): Error/Code,
 * Error/Message. Anything else (a proxy's page) gives no name; the status is then all that is
 * known.
 * Source: Smithy specification, AWS restJson1 protocol, "Operation error serialization".
 */
#ifndef IB_AWS_AWSERROR_H
#define IB_AWS_AWSERROR_H

#include "lib/aws/headers.h"
#include "lib/base/error.h"
#include "lib/data/value.h"

#define IB_AWSERROR_MESSAGE_MAX 1100 /* bytes with NUL; reasons reach 1024 */

struct ib_awserror {
    char code[64];       /* "AccessDeniedException"; "" when the answer names none */
    char message[IB_AWSERROR_MESSAGE_MAX]; /* clean, one line; "" when there is none */
    char request_id[64]; /* "" when there is none */
    bool is_html;        /* a page for people: a proxy, a load balancer */
};

/*
 * Read an answer; never fails: what cannot be read stays "". json is the parsed body when it is
 * JSON, else NULL; body the raw one.
 */
void ib_awserror_read(const struct ib_headers *headers, struct ib_str body,
                      const struct ib_value *json, struct ib_awserror *ret);

/*
 * Write it as the error of an operation: IB_EAWS when there is a name, else IB_EHTTP; sets
 * http_status, aws_code and request_id. Adds what helps for well-known codes: the permission that
 * is missing, `aws sso login`, the clock, an opt-in region, a proxy.
 */
enum ib_rc ib_awserror_fail(struct ib_error *err, const struct ib_awserror *e, const char *service,
                            const char *operation, int status);

/* Expired temporary credentials: new ones may help. */
bool ib_awserror_is_expired(const char *code);
/* Refused for lack of permission (not for bad credentials). */
bool ib_awserror_is_denied(const char *code, int status);

#endif
