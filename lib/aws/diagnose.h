/* SPDX-License-Identifier: MIT */
/* Rows for --diagnose: what would be used, and where each setting came from. No secret ever. */
#ifndef IB_AWS_DIAGNOSE_H
#define IB_AWS_DIAGNOSE_H

#include "lib/aws/client.h"

#define IB_DIAGNOSE_ROWS_MAX 2048 /* a configuration with a hundred targets and their settings */

struct ib_diagnose_row {
    char topic[32]; /* "region", "credentials", "profile file" */
    char text[480]; /* clean, one line */
};

struct ib_diagnose {
    struct ib_diagnose_row *rows;
    size_t count, cap;
    /* Found by ib_diagnose_aws(), for whoever adds more rows; "" = not known. */
    char account[32], region[64];
};

#define IB_DIAGNOSE_INIT { NULL }

/* Append a row; rows beyond the maximum, or without memory, are dropped. */
void ib_diagnose_add(struct ib_diagnose *d, const char *topic, const char *fmt, ...)
    IB_PRINTF(3, 4);
void ib_diagnose_fini(struct ib_diagnose *d);

/*
 * Everything about AWS that a call with these options would use, and who said so: user and home,
 * profile files, profile, Region, endpoints, CAs, proxy, retries, every credential provider's
 * answer, the caller as STS knows it, the clock. Goes on as far as it can when something is
 * missing: that is what it is for. arn_region: of the ARN on the command line, NULL = none.
 *
 * ret_client may be NULL; else it is the client that was made, for further questions (the caller
 * frees it), or NULL when none could be made. Returns IB_OK when AWS knows the caller, else the
 * code of what is in the way (the rows tell; err too).
 */
IB_NODISCARD enum ib_rc ib_diagnose_aws(const struct ib_aws_options *options,
                                        struct ib_deadline deadline, const char *arn_region,
                                        struct ib_diagnose *d, struct ib_aws_client **ret_client,
                                        struct ib_error *err);

#endif
