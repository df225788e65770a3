/* SPDX-License-Identifier: MIT */
/* Image statuses: each of the 12, and what is none of them. */
#include "ib_test.h"

#include "lib/imagebuilder/status.h"

struct row {
    const char *name, *text;
    enum ib_image_status status;
    bool in_flight, terminal;
};
static const struct row rows[] = {
    { "pending_is_in_flight", "PENDING", IB_IMAGE_PENDING, true, false },
    { "creating_is_in_flight", "CREATING", IB_IMAGE_CREATING, true, false },
    { "building_is_in_flight", "BUILDING", IB_IMAGE_BUILDING, true, false },
    { "testing_is_in_flight", "TESTING", IB_IMAGE_TESTING, true, false },
    { "distributing_is_in_flight", "DISTRIBUTING", IB_IMAGE_DISTRIBUTING, true, false },
    { "integrating_is_in_flight", "INTEGRATING", IB_IMAGE_INTEGRATING, true, false },
    { "available_is_terminal", "AVAILABLE", IB_IMAGE_AVAILABLE, false, true },
    { "cancelled_is_terminal", "CANCELLED", IB_IMAGE_CANCELLED, false, true },
    { "failed_is_terminal", "FAILED", IB_IMAGE_FAILED, false, true },
    { "deprecated_is_terminal", "DEPRECATED", IB_IMAGE_DEPRECATED, false, true },
    { "deleted_is_terminal", "DELETED", IB_IMAGE_DELETED, false, true },
    { "disabled_is_terminal", "DISABLED", IB_IMAGE_DISABLED, false, true },
    { "a_new_status_is_neither", "QUARANTINED", IB_IMAGE_UNHEARD_OF, false, false },
    { "lower_case_is_unheard_of", "building", IB_IMAGE_UNHEARD_OF, false, false },
    { "a_blank_behind_is_unheard_of", "BUILDING ", IB_IMAGE_UNHEARD_OF, false, false },
    { "a_prefix_is_unheard_of", "BUILD", IB_IMAGE_UNHEARD_OF, false, false },
    { "empty_is_unheard_of", "", IB_IMAGE_UNHEARD_OF, false, false },
    { "our_own_word_for_it_is_unheard_of", "UNHEARD-OF", IB_IMAGE_UNHEARD_OF, false, false },
};

static void test_row(void **state)
{
    const struct row *r = *state;
    enum ib_image_status status = ib_image_status_from(ib_str_from(r->text));

    assert_int_equal(status, r->status);
    assert_int_equal(ib_image_status_in_flight(status), r->in_flight);
    assert_int_equal(ib_image_status_terminal(status), r->terminal);
    if (status != IB_IMAGE_UNHEARD_OF) {
        assert_string_equal(ib_image_status_name(status), r->text);
    }
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    return IB_TEST_RUN();
}
