/* SPDX-License-Identifier: MIT */
/* Parsing ARNs. */
#include "lib/aws/arn.h"

#include "lib/base/num.h"
#include "lib/base/text.h"

#define BUILD_MAX INT64_C(1000000000) /* no image has as many builds; keeps the number exact */

static enum ib_rc bad_arn(struct ib_error *err, const char *what, struct ib_str text,
                          const char *rule)
{
    return ib_fail(err, IB_EUSAGE, "%s: \"%.*s\" is not an ARN: %s", what,
                   IB_STR_ARG(ib_str_head(text, 160)), rule);
}

static bool is_word(struct ib_str s, const char *more)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ib_ascii_lower(s.p[i]) && !ib_ascii_digit(s.p[i]) &&
            (s.p[i] == '\0' || strchr(more, s.p[i]) == NULL)) {
            return false;
        }
    }
    return true;
}

/* No blanks, no control bytes, no bytes beyond ASCII: nothing that a copy from a mail could add. */
static const char *check_bytes(struct ib_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] <= ' ' || text.p[i] > '~') {
            return "it holds a blank, a control character or a character that is not ASCII";
        }
    }
    return NULL;
}

static const char *check_account(struct ib_str account)
{
    if (account.n == 0) {
        return NULL;
    }
    if (!ib_ascii_digit(account.p[0])) {
        return is_word(account, "-") ? NULL : "the account is malformed";
    }
    for (size_t i = 0; i < account.n; i++) {
        if (!ib_ascii_digit(account.p[i])) {
            return "the account must be 12 digits";
        }
    }
    return account.n == 12 ? NULL : "the account must be 12 digits";
}

/* Cuts and checks; NULL, or the rule that it breaks. */
static const char *fill(struct ib_str text, struct ib_arn *arn)
{
    if (text.n == 0) {
        return "it is empty";
    }
    if (!ib_text_copy(arn->text, sizeof arn->text, text)) {
        return "it is longer than 1024 characters or holds a NUL byte";
    }
    const char *rule = check_bytes(text);
    if (rule != NULL) {
        return rule;
    }
    struct ib_str rest = ib_str_from(arn->text);
    if (!ib_str_eq_c(ib_str_split(&rest, ':'), "arn")) {
        return "it must begin with \"arn:\"";
    }
    struct ib_str partition = ib_str_split(&rest, ':');
    struct ib_str service = ib_str_split(&rest, ':');
    struct ib_str region = ib_str_split(&rest, ':');
    struct ib_str account = ib_str_split(&rest, ':');
    if (rest.p == NULL) {
        return "want arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE";
    }
    if (!ib_str_starts(partition, IB_STR("aws")) || !is_word(partition, "-") ||
        !ib_text_copy(arn->partition, sizeof arn->partition, partition)) {
        return "the partition must be \"aws\", \"aws-cn\", \"aws-us-gov\" or the like";
    }
    if (service.n == 0 || !is_word(service, "-") ||
        !ib_text_copy(arn->service, sizeof arn->service, service)) {
        return "the service is missing or malformed";
    }
    if (!is_word(region, "-") || !ib_text_copy(arn->region, sizeof arn->region, region)) {
        return "the Region is malformed";
    }
    rule = check_account(account);
    if (rule != NULL || !ib_text_copy(arn->account, sizeof arn->account, account)) {
        return rule == NULL ? "the account is too long" : rule;
    }
    if (rest.n == 0) {
        return "the resource is missing";
    }
    arn->resource = rest.p;
    return NULL;
}

enum ib_rc ib_arn_parse(struct ib_str text, const char *what, struct ib_arn *ret,
                        struct ib_error *err)
{
    struct ib_arn arn;

    memset(&arn, 0, sizeof arn);
    const char *rule = fill(text, &arn);
    if (rule != NULL) {
        return bad_arn(err, what, text, rule);
    }
    size_t resource = (size_t)(arn.resource - arn.text);
    *ret = arn;
    ret->resource = ret->text + resource;
    return IB_OK;
}

bool ib_arn_looks_like(struct ib_str text)
{
    return ib_str_starts(text, IB_STR("arn:"));
}

/* --- images --- */

static bool is_digits(struct ib_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ib_ascii_digit(s.p[i])) {
            return false;
        }
    }
    return s.n > 0 && s.n <= 9;
}

/* Three parts of digits or "x"; false when it is none. */
static bool read_version(struct ib_str text, struct ib_image_arn *image)
{
    struct ib_str rest = text;

    image->kind = IB_IMAGE_ARN_VERSION;
    for (int i = 0; i < 3; i++) {
        struct ib_str part = ib_str_split(&rest, '.');
        if (ib_str_eq_c(part, "x")) {
            image->kind = IB_IMAGE_ARN_WILDCARD;
        } else if (!is_digits(part)) {
            return false;
        }
    }
    return rest.p == NULL && ib_text_copy(image->version, sizeof image->version, text);
}

static const char *read_image(struct ib_image_arn *image)
{
    struct ib_str rest = ib_str_from(image->arn.resource);

    if (strcmp(image->arn.service, "imagebuilder") != 0) {
        return "the service must be imagebuilder";
    }
    if (image->arn.region[0] == '\0' || image->arn.account[0] == '\0') {
        return "the Region or the account is missing";
    }
    if (!ib_str_eq_c(ib_str_split(&rest, '/'), "image")) {
        return "the resource must begin with \"image/\"";
    }
    struct ib_str name = ib_str_split(&rest, '/');
    if (name.n == 0 || !is_word(name, "-_") ||
        !ib_text_copy(image->name, sizeof image->name, name)) {
        return "the image's name must be lower case letters, digits, - and _";
    }
    if (rest.p == NULL) {
        return "the version is missing";
    }
    if (!read_version(ib_str_split(&rest, '/'), image)) {
        return "the version must be MAJOR.MINOR.PATCH, each a number or x";
    }
    if (rest.p == NULL) {
        return NULL;
    }
    if (image->kind == IB_IMAGE_ARN_WILDCARD) {
        return "a version with x has no build number";
    }
    if (rest.n == 0 || !ib_ascii_digit(rest.p[0]) ||
        ib_num_i64(rest, 1, BUILD_MAX, "build", &image->build, NULL) != IB_OK) {
        return "the build must be a number, 1 or more";
    }
    image->kind = IB_IMAGE_ARN_BUILD;
    return NULL;
}

enum ib_rc ib_image_arn_parse(struct ib_str text, enum ib_image_arn_need need, const char *what,
                              struct ib_image_arn *ret, struct ib_error *err)
{
    struct ib_image_arn image;

    memset(&image, 0, sizeof image);
    enum ib_rc rc = ib_arn_parse(text, what, &image.arn, err);
    if (rc != IB_OK) {
        return rc;
    }
    const char *rule = read_image(&image);
    if (rule != NULL) {
        return ib_fail(err, IB_EUSAGE, "%s: \"%.*s\" is not the ARN of an image: %s", what,
                       IB_STR_ARG(ib_str_head(text, 200)), rule);
    }
    if (need == IB_IMAGE_ARN_NEED_BUILD && image.kind != IB_IMAGE_ARN_BUILD) {
        return ib_fail(err, IB_EUSAGE,
                       "%s: \"%.*s\" has no build number: want a build ARN, ...:image/%s/%s/BUILD",
                       what, IB_STR_ARG(ib_str_head(text, 200)), image.name,
                       image.kind == IB_IMAGE_ARN_WILDCARD ? "1.2.3" : image.version);
    }
    size_t resource = (size_t)(image.arn.resource - image.arn.text);
    *ret = image;
    ret->arn.resource = ret->arn.text + resource;
    return IB_OK;
}
