/* SPDX-License-Identifier: MIT */
/* lib/watch/allow.c: which builds an allow list covers. */
#include "ib_test.h"

#include "lib/watch/allow.h"

#define WEB "arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.2/7"

struct row {
    const char *name, *pattern, *arn;
    bool want;
};
static const struct row rows[] = {
    { "the_arn_itself", WEB, WEB, true },
    { "any_region", "arn:aws:imagebuilder:*:123456789012:image/web-*", WEB, true },
    { "any_build_of_a_version", "arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.2/*", WEB, true },
    { "question_mark_is_one_character", "arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.?/7", WEB, true },
    { "several_stars", "arn:aws:imagebuilder:eu-*-1:1*2:image/*-s*/1.4.*/7", WEB, true },
    { "other_account", "arn:aws:imagebuilder:*:210987654321:image/web-*", WEB, false },
    { "star_stays_between_its_colons", "arn:aws:imagebuilder:*:image/web-*", WEB, false },
    { "star_does_not_swallow_an_account", "arn:aws:imagebuilder:*:123456789012:image/*",
      "arn:aws:imagebuilder:eu-central-1:999999999999:123456789012:image/x/1.0.0/1", false },
    { "other_partition", "arn:aws-cn:imagebuilder:*:123456789012:image/web-*", WEB, false },
    { "prefix_without_star_is_not_enough", "arn:aws:imagebuilder:*:123456789012:image/web-server", WEB, false },
    { "name_must_match_from_its_start", "arn:aws:imagebuilder:*:123456789012:image/server*", WEB, false },
    { "case_matters", "arn:aws:imagebuilder:*:123456789012:image/WEB-*", WEB, false },
    { "a_bare_star_covers_nothing", "*", WEB, false },
    { "another_service_covers_nothing", "arn:aws:ec2:*:123456789012:image/web-*", WEB, false },
    { "a_pipeline_pattern_covers_nothing", "arn:aws:imagebuilder:*:123456789012:image-pipeline/*", WEB, false },
    { "empty_pattern", "", WEB, false },
    { "empty_arn", "arn:aws:imagebuilder:*:123456789012:image/*", "", false },
    { "many_stars_end_quickly", "arn:aws:imagebuilder:*:123456789012:image/*a*a*a*a*a*a*a*a*a*a*a*b",
      "arn:aws:imagebuilder:eu-central-1:123456789012:image/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
};

static void row(void **state)
{
    const struct row *r = *state;

    assert_int_equal(ib_allow_matches(ib_str_from(r->pattern), ib_str_from(r->arn)), r->want);
}

struct bad_row {
    const char *name, *pattern, *words;
};
static const struct bad_row bad_rows[] = {
    { "bad_too_few_parts", "arn:aws:imagebuilder", "fewer than six parts" },
    { "bad_service", "arn:aws:ec2:*:*:image/*", "another service" },
    { "bad_resource", "arn:aws:imagebuilder:*:*:component/*", "names no image" },
    { "bad_start", "urn:aws:imagebuilder:*:*:image/*", "does not begin with" },
    { "bad_colon", "arn:aws:imagebuilder:*:*:image/*:7", "has a ':'" },
};

static void bad_row(void **state)
{
    const struct bad_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;

    assert_rc(ib_allow_check(ib_str_from(r->pattern), "cancel.allow[2]", &err), IB_ECONFIG, &err);
    assert_contains(err.text, "cancel.allow[2]: pattern");
    assert_contains(err.text, r->words);
}

int main(void)
{
    IB_TEST_ROWS(rows, row);
    IB_TEST_ROWS(bad_rows, bad_row);
    return IB_TEST_RUN();
}
