/* SPDX-License-Identifier: MIT */
/* Asking STS who we are. */
#include "lib/aws/caller.h"

#include "lib/aws/xml.h"
#include "lib/base/text.h"

static enum ib_rc read_caller(const struct ib_aws_response *r, struct ib_aws_caller *ret,
                              struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *root = NULL;
    struct ib_str arn = { NULL, 0 }, account = { NULL, 0 };
    enum ib_rc rc;

    if (r->status != 200) {
        rc = ib_aws_response_error(r, err);
        return rc == IB_OK ? ib_fail(err, IB_EHTTP, "GetCallerIdentity: HTTP %d", r->status) : rc;
    }
    rc = ib_xml_parse(ib_buf_str(&r->body), "answer to GetCallerIdentity", NULL, &root, err);
    if (rc == IB_OK) {
        rc = ib_value_need_str(root, "GetCallerIdentityResult.Arn", sizeof ret->arn - 1, &arn, err);
    }
    if (rc == IB_OK) {
        rc = ib_value_opt_str(root, "GetCallerIdentityResult.Account", sizeof ret->account - 1,
                              &account, err);
    }
    if (rc == IB_OK) {
        (void)ib_text_copy(ret->arn, sizeof ret->arn, arn);
        (void)ib_text_copy(ret->account, sizeof ret->account, account);
    }
    return rc;
}

enum ib_rc ib_aws_caller(struct ib_aws_client *client, const char *region, struct ib_aws_caller *ret,
                         struct ib_error *err)
{
    IB_CLEANUP(ib_aws_response_fini) struct ib_aws_response r = IB_AWS_RESPONSE_INIT;
    struct ib_aws_request request = {
        .service = "sts",
        .operation = "GetCallerIdentity",
        .method = "POST",
        .path = IB_STR("/"),
        .body = IB_STR("Action=GetCallerIdentity&Version=2011-06-15"),
        .region = region,
        .content_type = "application/x-www-form-urlencoded; charset=utf-8",
    };
    enum ib_rc rc = ib_aws_call(client, &request, &r, err);

    return rc == IB_OK ? read_caller(&r, ret, err) : rc;
}
