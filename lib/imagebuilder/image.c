/* SPDX-License-Identifier: MIT */
/* Decoding images. */
#include "lib/imagebuilder/image.h"

#include "lib/base/num.h"
#include "lib/base/text.h"
#include "lib/base/time.h"

/* Epoch seconds of a build: from 2000 to 9999. A number outside is some other unit. */
#define EPOCH_MIN_S 946684800.0
#define EPOCH_MAX_S 253402300799.0

void ib_image_fini(struct ib_image *image)
{
    ib_value_unref(image->value);
    *image = (struct ib_image){ 0 };
}

/* Text at a dotted path; empty when it is anything else. */
static struct ib_str text_at(const struct ib_value *v, const char *path)
{
    const struct ib_value *text = ib_value_path(v, path);

    if (!ib_value_is(text, IB_VALUE_STRING)) {
        return (struct ib_str){ "", 0 };
    }
    return ib_value_as_str(text);
}

static void decode_date(const struct ib_value *date, struct ib_image *image)
{
    if (ib_value_is(date, IB_VALUE_STRING)) {
        image->created_text = ib_value_as_str(date);
        image->has_created =
            ib_time_parse_iso8601(image->created_text, &image->created_ms, NULL) == IB_OK;
    } else if (date != NULL && ib_value_is_number(date)) {
        double seconds = ib_value_as_real(date);
        if (seconds >= EPOCH_MIN_S && seconds <= EPOCH_MAX_S) {
            image->created_ms = (int64_t)(seconds * 1000.0 + 0.5);
            image->has_created = true;
        }
    }
}

/* arn:partition:imagebuilder:region:account:image/name/1.4.2/7 */
static void decode_arn(struct ib_image *image)
{
    struct ib_str rest = image->arn;
    struct ib_str part[5];

    for (size_t i = 0; i < IB_ARRAY_LEN(part); i++) {
        part[i] = ib_str_split(&rest, ':');
    }
    if (rest.p == NULL || !ib_str_starts(rest, IB_STR("image/"))) {
        return;
    }
    image->region = part[3];
    image->account = part[4];
    rest = ib_str_skip(rest, strlen("image/"));
    image->name = ib_str_split(&rest, '/');
    image->version = ib_str_split(&rest, '/');
    if (rest.n > 0 && ib_num_i64(rest, 1, INT32_MAX, "build", &image->build, NULL) != IB_OK) {
        image->build = 0;
    }
}

enum ib_rc ib_image_decode(struct ib_value *v, struct ib_str arn, struct ib_image *ret,
                           struct ib_error *err)
{
    struct ib_image image = { .arn = arn };

    if (!ib_value_is(v, IB_VALUE_OBJECT)) {
        return ib_fail(err, IB_EPARSE, "image is %s, not an object", ib_value_type_name(v));
    }
    enum ib_rc rc =
        ib_value_need_str(v, "state.status", IB_IMAGE_STATUS_MAX, &image.status_text, err);
    if (rc != IB_OK) {
        return rc;
    }
    if (image.status_text.n == 0) {
        return ib_fail(err, IB_EPARSE, "state.status is empty");
    }
    image.status = ib_image_status_from(image.status_text);
    struct ib_str own = text_at(v, "arn");
    if (own.n > 0 && own.n <= IB_IMAGE_ARN_MAX) {
        image.arn = own;
    }
    decode_arn(&image);
    if (image.name.n == 0) {
        image.name = text_at(v, "name");
    }
    image.reason = text_at(v, "state.reason");
    decode_date(ib_value_get_c(v, "dateCreated"), &image);
    image.pipeline_arn = text_at(v, "sourcePipelineArn");
    image.pipeline_name = text_at(v, "sourcePipelineName");
    image.type = text_at(v, "type");
    image.platform = text_at(v, "platform");
    image.os_version = text_at(v, "osVersion");
    image.build_type = text_at(v, "buildType");
    const struct ib_value *tags = ib_value_get_c(v, "tags");
    image.tags = ib_value_is(tags, IB_VALUE_OBJECT) ? tags : NULL;
    image.tags_unreadable =
        image.tags == NULL && tags != NULL && !ib_value_is(tags, IB_VALUE_NULL);
    image.value = ib_value_ref(v);
    *ret = image;
    return IB_OK;
}

enum ib_rc ib_image_from_answer(struct ib_value *body, struct ib_str arn, struct ib_image *ret,
                                struct ib_error *err)
{
    struct ib_image image = { 0 };
    struct ib_value *v = ib_value_get_c(body, "image");

    if (v == NULL) {
        return ib_fail(err, IB_EPARSE, "the answer of GetImage has no image");
    }
    enum ib_rc rc = ib_image_decode(v, arn, &image, err);
    if (rc != IB_OK) {
        return ib_error_context(err, "the answer of GetImage");
    }
    if (!ib_str_eq(image.arn, arn)) {
        (void)ib_fail(err, IB_EPARSE, "the answer of GetImage is about another build, %.*s",
                      IB_STR_ARG(image.arn));
        ib_image_fini(&image);
        return IB_EPARSE;
    }
    *ret = image;
    return IB_OK;
}

const char *ib_image_title(const struct ib_image *image, char *buf, size_t cap)
{
    char raw[IB_IMAGE_TITLE_MAX * 2], build[24] = "";

    if (image->build > 0) {
        (void)snprintf(build, sizeof build, "/%" PRId64, image->build);
    }
    (void)snprintf(raw, sizeof raw, "%.*s %.*s%s", IB_STR_ARG(ib_str_head(image->name, 100)),
                   IB_STR_ARG(ib_str_head(image->version, 40)), build);
    (void)ib_text_plugin(raw, strlen(raw), buf, cap);
    return buf;
}

bool ib_image_ami_at(const struct ib_image *image, size_t i, struct ib_image_ami *ret)
{
    const struct ib_value *amis = ib_value_path(image->value, "outputResources.amis");

    if (!ib_value_is(amis, IB_VALUE_ARRAY) || i >= ib_value_count(amis)) {
        return false;
    }
    const struct ib_value *ami = ib_value_at(amis, i);
    *ret = (struct ib_image_ami){
        .region = text_at(ami, "region"),
        .id = text_at(ami, "image"),
        .name = text_at(ami, "name"),
        .account = text_at(ami, "accountId"),
    };
    return true;
}

bool ib_image_container_at(const struct ib_image *image, size_t i, struct ib_str *ret_region,
                           struct ib_str *ret_uri)
{
    const struct ib_value *containers = ib_value_path(image->value, "outputResources.containers");

    if (!ib_value_is(containers, IB_VALUE_ARRAY)) {
        return false;
    }
    for (size_t c = 0; c < ib_value_count(containers); c++) {
        const struct ib_value *uris = ib_value_get_c(ib_value_at(containers, c), "imageUris");
        size_t count = ib_value_is(uris, IB_VALUE_ARRAY) ? ib_value_count(uris) : 0;
        if (i < count) {
            const struct ib_value *uri = ib_value_at(uris, i);
            *ret_region = text_at(ib_value_at(containers, c), "region");
            *ret_uri = ib_value_is(uri, IB_VALUE_STRING) ? ib_value_as_str(uri)
                                                         : (struct ib_str){ "", 0 };
            return true;
        }
        i -= count;
    }
    return false;
}

bool ib_image_failure(const struct ib_image *image, struct ib_image_failure *ret)
{
    const struct ib_value *context = ib_value_path(image->value, "state.failureContext");

    if (!ib_value_is(context, IB_VALUE_OBJECT)) {
        return false;
    }
    struct ib_image_failure f = {
        .phase = text_at(context, "imageStatus"),
        .step = text_at(context, "failedStep"),
        .component = text_at(context, "componentFailure.componentArn"),
        .component_phase = text_at(context, "componentFailure.phaseName"),
        .component_step = text_at(context, "componentFailure.stepName"),
        .message = text_at(context, "componentFailure.errorMessage"),
    };
    if (f.message.n == 0) {
        f.message = text_at(context, "distributionFailure.errorMessage");
    }
    const struct ib_value *regions =
        ib_value_path(context, "distributionFailure.regionFailures");
    if (ib_value_is(regions, IB_VALUE_ARRAY) && ib_value_count(regions) > 0) {
        f.region_count = ib_value_count(regions);
        f.region = text_at(ib_value_at(regions, 0), "region");
        f.region_status = text_at(ib_value_at(regions, 0), "status");
    }
    *ret = f;
    return true;
}

int ib_image_cmp_newest(const struct ib_image *a, const struct ib_image *b)
{
    if (a->has_created != b->has_created) {
        return a->has_created ? -1 : 1;
    }
    if (a->has_created && a->created_ms != b->created_ms) {
        return a->created_ms > b->created_ms ? -1 : 1;
    }
    if (a->build != b->build) {
        return a->build > b->build ? -1 : 1;
    }
    return ib_str_cmp(a->arn, b->arn);
}
