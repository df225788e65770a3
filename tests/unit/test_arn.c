/* SPDX-License-Identifier: MIT */
/* lib/aws/arn.c: what is an ARN, what is an image's, what is a build's. */
#include "ib_test.h"

#include "lib/aws/arn.h"

#define GOOD "arn:aws:imagebuilder:eu-central-1:123456789012:image/"

struct arn_row {
    const char *name, *text;
    const char *want_region; /* NULL: refused, and problem says why */
    const char *problem;
};
static const struct arn_row arn_rows[] = {
    {"arn_of_a_role_has_no_region", "arn:aws:iam::123456789012:role/x", "", NULL},
    {"arn_of_a_pipeline", "arn:aws:imagebuilder:us-west-2:123456789012:image-pipeline/p",
     "us-west-2", NULL},
    {"arn_of_china", "arn:aws-cn:imagebuilder:cn-north-1:123456789012:image/a/1.0.0/1",
     "cn-north-1", NULL},
    {"arn_of_govcloud", "arn:aws-us-gov:imagebuilder:us-gov-west-1:123456789012:image/a/1.0.0",
     "us-gov-west-1", NULL},
    {"arn_of_amazon_itself", "arn:aws:imagebuilder:us-east-1:aws:image/amazon-linux-2/x.x.x",
     "us-east-1", NULL},
    {"arn_of_the_marketplace", "arn:aws:imagebuilder:us-east-1:aws-marketplace:component/a/1.0.0/1",
     "us-east-1", NULL},
    {"arn_resource_may_hold_colons", "arn:aws:logs:us-east-1:123456789012:log-group:/x:*",
     "us-east-1", NULL},
    {"arn_empty", "", NULL, "it is empty"},
    {"arn_word", "web-server", NULL, "must begin with \"arn:\""},
    {"arn_too_few_parts", "arn:aws:imagebuilder:eu-central-1", NULL, "want arn:PARTITION"},
    {"arn_without_resource", "arn:aws:imagebuilder:eu-central-1:123456789012:", NULL,
     "resource is missing"},
    {"arn_foreign_partition", "arn:azure:imagebuilder:eu-central-1:123456789012:image/a", NULL,
     "partition"},
    {"arn_upper_case_service", "arn:aws:ImageBuilder:eu-central-1:123456789012:image/a", NULL,
     "service"},
    {"arn_no_service", "arn:aws::eu-central-1:123456789012:image/a", NULL, "service"},
    {"arn_bad_region", "arn:aws:imagebuilder:eu_central:123456789012:image/a", NULL, "Region"},
    {"arn_account_of_11_digits", "arn:aws:imagebuilder:eu-central-1:12345678901:image/a", NULL,
     "12 digits"},
    {"arn_account_with_letter", "arn:aws:imagebuilder:eu-central-1:12345678901x:image/a", NULL,
     "12 digits"},
    {"arn_blank_inside", "arn:aws:imagebuilder:eu-central-1:123456789012:image/a b", NULL, "blank"},
    {"arn_newline_at_end", "arn:aws:imagebuilder:eu-central-1:123456789012:image/a\n", NULL,
     "blank"},
    {"arn_not_ascii", "arn:aws:imagebuilder:eu-central-1:123456789012:image/\xC3\xA4", NULL,
     "ASCII"},
};

static void arn_row(void **state)
{
    const struct arn_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_arn arn;
    enum ib_rc rc = ib_arn_parse(ib_str_from(r->text), "--arn", &arn, &err);

    if (r->want_region == NULL) {
        assert_int_equal(rc, IB_EUSAGE);
        assert_contains(err.text, "--arn: ");
        assert_contains(err.text, r->problem);
        return;
    }
    assert_ok(rc, &err);
    assert_string_equal(arn.region, r->want_region);
    assert_string_equal(arn.text, r->text);
    assert_true(arn.resource > arn.text && arn.resource < arn.text + sizeof arn.text);
}

struct image_row {
    const char *name, *text;
    enum ib_image_arn_need need;
    const char *want; /* "kind name version build"; NULL: refused */
    const char *problem;
};
static const struct image_row image_rows[] = {
    {"image_build", GOOD "web-server/1.4.2/7", IB_IMAGE_ARN_NEED_BUILD, "0 web-server 1.4.2 7",
     NULL},
    {"image_build_of_large_number", GOOD "web_server/1.4.2/1000", IB_IMAGE_ARN_ANY,
     "0 web_server 1.4.2 1000", NULL},
    {"image_version", GOOD "web-server/1.4.2", IB_IMAGE_ARN_ANY, "1 web-server 1.4.2 0", NULL},
    {"image_wildcard", GOOD "web-server/1.4.x", IB_IMAGE_ARN_ANY, "2 web-server 1.4.x 0", NULL},
    {"image_all_wild", GOOD "web-server/x.x.x", IB_IMAGE_ARN_ANY, "2 web-server x.x.x 0", NULL},
    {"image_version_where_a_build_is_needed", GOOD "web-server/1.4.2", IB_IMAGE_ARN_NEED_BUILD,
     NULL, "image/web-server/1.4.2/BUILD"},
    {"image_wildcard_where_a_build_is_needed", GOOD "web-server/1.4.x", IB_IMAGE_ARN_NEED_BUILD,
     NULL, "no build number"},
    {"image_wildcard_with_build", GOOD "web-server/1.x.x/1", IB_IMAGE_ARN_ANY, NULL,
     "has no build number"},
    {"image_build_zero", GOOD "web-server/1.4.2/0", IB_IMAGE_ARN_ANY, NULL, "1 or more"},
    {"image_build_with_sign", GOOD "web-server/1.4.2/+7", IB_IMAGE_ARN_ANY, NULL, "1 or more"},
    {"image_build_empty", GOOD "web-server/1.4.2/", IB_IMAGE_ARN_ANY, NULL, "1 or more"},
    {"image_build_and_more", GOOD "web-server/1.4.2/7/8", IB_IMAGE_ARN_ANY, NULL, "1 or more"},
    {"image_without_version", GOOD "web-server", IB_IMAGE_ARN_ANY, NULL, "version is missing"},
    {"image_two_part_version", GOOD "web-server/1.4", IB_IMAGE_ARN_ANY, NULL, "MAJOR.MINOR.PATCH"},
    {"image_four_part_version", GOOD "web-server/1.4.2.1/1", IB_IMAGE_ARN_ANY, NULL,
     "MAJOR.MINOR.PATCH"},
    {"image_upper_case_name", GOOD "Web/1.4.2/1", IB_IMAGE_ARN_ANY, NULL, "lower case"},
    {"image_of_a_pipeline", "arn:aws:imagebuilder:eu-central-1:123456789012:image-pipeline/p",
     IB_IMAGE_ARN_ANY, NULL, "\"image/\""},
    {"image_of_a_recipe", "arn:aws:imagebuilder:eu-central-1:123456789012:image-recipe/p/1.0.0",
     IB_IMAGE_ARN_ANY, NULL, "\"image/\""},
    {"image_of_ec2", "arn:aws:ec2:eu-central-1:123456789012:image/ami-1", IB_IMAGE_ARN_ANY, NULL,
     "imagebuilder"},
    {"image_without_region", "arn:aws:imagebuilder::123456789012:image/a/1.0.0/1", IB_IMAGE_ARN_ANY,
     NULL, "Region"},
};

static void image_row(void **state)
{
    const struct image_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_image_arn image;
    char got[256];
    enum ib_rc rc = ib_image_arn_parse(ib_str_from(r->text), r->need, "-a", &image, &err);

    if (r->want == NULL) {
        assert_int_equal(rc, IB_EUSAGE);
        assert_contains(err.text, r->problem);
        return;
    }
    assert_ok(rc, &err);
    (void)snprintf(got, sizeof got, "%d %s %s %d", (int)image.kind, image.name, image.version,
                   (int)image.build);
    assert_string_equal(got, r->want);
    assert_string_equal(image.arn.resource, r->text + strlen(GOOD) - strlen("image/"));
}

static void a_text_of_1024_bytes_is_the_longest(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_arn arn;
    char text[1026];

    memset(text, 'a', sizeof text);
    memcpy(text, GOOD, strlen(GOOD));
    assert_ok(ib_arn_parse((struct ib_str){text, 1024}, "-a", &arn, &err), &err);
    assert_rc(ib_arn_parse((struct ib_str){text, 1025}, "-a", &arn, &err), IB_EUSAGE, &err);
    assert_contains(err.text, "longer than 1024");
    text[900] = '\0';
    assert_rc(ib_arn_parse((struct ib_str){text, 1000}, "-a", &arn, &err), IB_EUSAGE, &err);
}

int main(void)
{
    IB_TEST_ROWS(arn_rows, arn_row);
    IB_TEST_ROWS(image_rows, image_row);
    IB_TEST_CASE(a_text_of_1024_bytes_is_the_longest);
    return IB_TEST_RUN();
}
