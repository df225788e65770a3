/* SPDX-License-Identifier: MIT */
/* May we read builds, and may we cancel them? Asked without changing anything. */
#include "lib/imagebuilder/permission.h"

#include "lib/aws/arn.h"
#include "lib/aws/awserror.h"
#include "lib/aws/endpoint.h"
#include "lib/data/members.h"
#include "lib/imagebuilder/api.h"
#include "lib/sys/random.h"

enum ib_permission ib_permission_of(int status, const char *code)
{
    /* What comes of looking for the thing, after the permission was looked at. */
    static const char *const looked[] = {
        "ResourceNotFoundException",
        "InvalidParameterValueException",
        "InvalidRequestException",
        "InvalidParameterException",
        "ResourceInUseException",
        "ResourceDependencyException",
        "InvalidParameterCombinationException",
        "IdempotentParameterMismatchException",
    };

    if (status >= 200 && status < 300) {
        return IB_PERMISSION_YES;
    }
    if (ib_awserror_is_denied(code, status)) {
        return IB_PERMISSION_NO;
    }
    for (size_t i = 0; i < IB_ARRAY_LEN(looked); i++) {
        if (strcmp(code, looked[i]) == 0) {
            return IB_PERMISSION_SEEMS;
        }
    }
    return IB_PERMISSION_UNKNOWN;
}

enum ib_rc ib_permission_probe_arn(const char *build_arn, const char *region, const char *account,
                                   struct ib_buf *ret, struct ib_error *err)
{
    struct ib_image_arn image;
    enum ib_rc rc;

    if (build_arn == NULL) {
        ib_buf_addf(ret,
                    "arn:%s:imagebuilder:%s:%s:image/" IB_PERMISSION_IMAGE "/" IB_PERMISSION_BUILD,
                    ib_partition_of(region)->name, region, account);
        return ib_buf_ok(ret, "ARN", err);
    }
    rc = ib_image_arn_parse(ib_str_from(build_arn), IB_IMAGE_ARN_ANY, "ARN", &image, err);
    if (rc != IB_OK) {
        return rc;
    }
    /* A wildcard version is no version of a build. */
    ib_buf_addf(ret, "arn:%s:imagebuilder:%s:%s:image/%s/%s/" IB_PERMISSION_BUILD,
                image.arn.partition, image.arn.region, image.arn.account, image.name,
                image.kind == IB_IMAGE_ARN_WILDCARD ? "0.0.1" : image.version);
    return ib_buf_ok(ret, "ARN", err);
}

/* --- asking --- */

/* What came of one call. */
struct reply {
    enum ib_permission permission;
    struct ib_error err;
};

static void ask(struct ib_aws_client *client, const char *operation, const char *arn,
                struct ib_members *m, struct reply *ret)
{
    IB_CLEANUP(ib_aws_response_fini) struct ib_aws_response answer = IB_AWS_RESPONSE_INIT;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_imagebuilder_params params = {.params = m->object};
    struct ib_arn parsed;

    /* Asked in another Region, AWS would call the ARN invalid, which says nothing. */
    if (ib_arn_parse(ib_str_from(arn), "ARN", &parsed, NULL) == IB_OK) {
        params.region = parsed.region;
    }

    *ret = (struct reply){.permission = IB_PERMISSION_UNKNOWN};
    if (m->object == NULL) {
        err = m->err;
    } else if (ib_imagebuilder_call(client, ib_operation_find(ib_str_from(operation)), &params,
                                    &answer, &err) == IB_OK) {
        (void)(ib_aws_response_error(&answer, &err) == IB_OK);
        ret->permission = ib_permission_of(answer.status, err.aws_code);
    }
    ret->err = err;
}

/* is_nobodys: arn is of an image that nobody has, so that a policy that names images denies it. */
static void add_row(struct ib_diagnose *d, const char *operation, const char *arn, bool is_nobodys,
                    const struct reply *r)
{
    if (is_nobodys && r->permission == IB_PERMISSION_NO) {
        ib_diagnose_add(d, "permission",
                        "%s: not known: denied for an image that nobody has; a policy that names "
                        "images denies that too: ask with -a ARN (%s)",
                        operation, r->err.text);
        return;
    }
    switch (r->permission) {
    case IB_PERMISSION_YES:
        ib_diagnose_add(d, "permission", "%s: allowed (asked for %s)", operation, arn);
        break;
    case IB_PERMISSION_SEEMS:
        ib_diagnose_add(d, "permission", "%s: seems allowed (AWS looked for %s: %s)", operation,
                        arn, r->err.aws_code);
        break;
    case IB_PERMISSION_NO:
        ib_diagnose_add(d, "permission", "%s: DENIED for %s: needs imagebuilder:%s (%s)", operation,
                        arn, operation, r->err.text);
        break;
    case IB_PERMISSION_UNKNOWN:
        ib_diagnose_add(d, "permission", "%s: not known: %s", operation, r->err.text);
        break;
    }
}

static void ask_get_image(struct ib_aws_client *client, const char *arn, struct reply *ret)
{
    IB_CLEANUP(ib_members_fini) struct ib_members m = ib_members_new();

    ib_members_c(&m, "imageBuildVersionArn", arn);
    ask(client, "GetImage", arn, &m, ret);
}

static void ask_cancel(struct ib_aws_client *client, const char *probe, struct reply *ret)
{
    IB_CLEANUP(ib_members_fini) struct ib_members m = ib_members_new();
    char token[IB_UUID_SIZE];

    *ret = (struct reply){.permission = IB_PERMISSION_UNKNOWN};
    if (ib_uuid4(token, &ret->err) != IB_OK) {
        return;
    }
    ib_members_c(&m, "imageBuildVersionArn", probe);
    ib_members_c(&m, "clientToken", token);
    ask(client, "CancelImageCreation", probe, &m, ret);
}

static enum ib_rc denial_of(const struct reply *r, struct ib_error *err)
{
    if (r->permission != IB_PERMISSION_NO) {
        return IB_OK;
    }
    if (err != NULL) {
        *err = r->err;
    }
    return r->err.rc;
}

enum ib_rc ib_permission_diagnose(struct ib_aws_client *client, const char *arn, bool must_cancel,
                                  struct ib_diagnose *d, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf probe = IB_BUF_INIT(IB_ARN_MAX + 64);
    struct ib_error own = IB_ERROR_INIT;
    struct reply there, not_there, cancel;
    enum ib_rc rc = IB_OK;

    if (arn == NULL && (d->account[0] == '\0' || d->region[0] == '\0')) {
        ib_diagnose_add(d, "permission", "not asked: account or Region not known");
        return IB_OK;
    }
    if (ib_permission_probe_arn(arn, d->region, d->account, &probe, &own) != IB_OK) {
        ib_diagnose_add(d, "permission", "not asked: %s", own.text);
        return IB_OK;
    }
    ask_get_image(client, ib_buf_c(&probe), &not_there);
    if (arn != NULL) {
        ask_get_image(client, arn, &there);
        add_row(d, "GetImage", arn, false, &there);
        rc = denial_of(&there, err);
    } else {
        add_row(d, "GetImage", ib_buf_c(&probe), true, &not_there);
    }
    /* Nothing is sent before AWS has said that there is nothing to cancel. */
    if (not_there.permission != IB_PERMISSION_SEEMS) {
        ib_diagnose_add(
            d, "permission",
            "CancelImageCreation: not asked, because AWS did not say that %s does not exist",
            ib_buf_c(&probe));
        return rc;
    }
    ask_cancel(client, ib_buf_c(&probe), &cancel);
    add_row(d, "CancelImageCreation", ib_buf_c(&probe), arn == NULL, &cancel);
    if (rc == IB_OK && must_cancel && arn != NULL) {
        rc = denial_of(&cancel, err);
    }
    return rc;
}
