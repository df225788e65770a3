/* SPDX-License-Identifier: MIT */
/* The User-Agent, by AWS's convention: NAME/VERSION ua/2.1 os/... lang/... cfg/... app/... */
#ifndef IB_AWS_USERAGENT_H
#define IB_AWS_USERAGENT_H

#include "lib/aws/awsconfig.h"
#include "lib/base/buf.h"

#define IB_USERAGENT_APP_MAX 50 /* characters of an application id; SDK reference guide */

/* app_id: NULL = none; characters that are not allowed become '-', what is too long is cut. */
void ib_useragent_add(enum ib_aws_retry_mode mode, const char *app_id, struct ib_buf *out);

#endif
