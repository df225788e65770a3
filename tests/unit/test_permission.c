/* SPDX-License-Identifier: MIT */
/* lib/imagebuilder/permission.c: what an answer says about a permission, and which ARN is asked about. */
#include "ib_test.h"

#include <string.h>

#include "lib/imagebuilder/permission.h"

struct row {
    const char *name;
    int status;
    const char *code;
    enum ib_permission want;
};
static const struct row rows[] = {
    { "success_is_allowed", 200, "", IB_PERMISSION_YES },
    { "not_found_seems_allowed", 404, "ResourceNotFoundException", IB_PERMISSION_SEEMS },
    { "not_found_may_come_as_400", 400, "ResourceNotFoundException", IB_PERMISSION_SEEMS },
    { "an_invalid_value_seems_allowed", 400, "InvalidParameterValueException", IB_PERMISSION_SEEMS },
    { "an_invalid_request_seems_allowed", 400, "InvalidRequestException", IB_PERMISSION_SEEMS },
    { "access_denied_is_denied", 403, "AccessDeniedException", IB_PERMISSION_NO },
    { "forbidden_is_denied", 403, "ForbiddenException", IB_PERMISSION_NO },
    { "bad_keys_say_nothing", 403, "UnrecognizedClientException", IB_PERMISSION_UNKNOWN },
    { "an_expired_token_says_nothing", 403, "ExpiredTokenException", IB_PERMISSION_UNKNOWN },
    { "a_bad_signature_says_nothing", 403, "InvalidSignatureException", IB_PERMISSION_UNKNOWN },
    { "throttling_says_nothing", 429, "CallRateLimitExceededException", IB_PERMISSION_UNKNOWN },
    { "a_failing_service_says_nothing", 500, "ServiceException", IB_PERMISSION_UNKNOWN },
    { "a_404_without_a_name_says_nothing", 404, "", IB_PERMISSION_UNKNOWN },
    { "an_unheard_of_code_says_nothing", 400, "SomethingNewException", IB_PERMISSION_UNKNOWN },
};

static void row(void **state)
{
    const struct row *r = *state;

    assert_int_equal(ib_permission_of(r->status, r->code), r->want);
}

struct arn_row {
    const char *name, *arn, *region, *account, *want;
};
static const struct arn_row arn_rows[] = {
    { "the_image_and_version_at_hand_with_a_build_that_none_has",
      "arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.2/7", "", "",
      "arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.2/999999999" },
    { "a_version_at_hand", "arn:aws-cn:imagebuilder:cn-north-1:123456789012:image/web/1.0.0", "", "",
      "arn:aws-cn:imagebuilder:cn-north-1:123456789012:image/web/1.0.0/999999999" },
    { "a_wildcard_at_hand", "arn:aws:imagebuilder:eu-central-1:123456789012:image/web/1.x.x", "", "",
      "arn:aws:imagebuilder:eu-central-1:123456789012:image/web/0.0.1/999999999" },
    { "nothing_at_hand", NULL, "us-gov-west-1", "123456789012",
      "arn:aws-us-gov:imagebuilder:us-gov-west-1:123456789012:image/ib-plugins-permission-probe/0.0.1/999999999" },
};

static void arn_row(void **state)
{
    const struct arn_row *r = *state;
    IB_CLEANUP(ib_buf_fini) struct ib_buf arn = IB_BUF_INIT(2048);
    struct ib_error err = IB_ERROR_INIT;

    assert_ok(ib_permission_probe_arn(r->arn, r->region, r->account, &arn, &err), &err);
    assert_string_equal(ib_buf_c(&arn), r->want);
}

static void a_pipeline_is_no_image(void **state)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf arn = IB_BUF_INIT(2048);
    struct ib_error err = IB_ERROR_INIT;

    (void)state;
    assert_rc(ib_permission_probe_arn("arn:aws:imagebuilder:eu-central-1:123456789012:image-pipeline/web", "", "",
                                      &arn, &err),
              IB_EUSAGE, &err);
}

int main(void)
{
    IB_TEST_ROWS(rows, row);
    IB_TEST_ROWS(arn_rows, arn_row);
    IB_TEST_CASE(a_pipeline_is_no_image);
    return IB_TEST_RUN();
}
