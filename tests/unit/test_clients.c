/* SPDX-License-Identifier: MIT */
/* lib/watch/clients.c: one client for each way to reach AWS, whatever becomes of the texts that named it. */
#include "ib_test.h"

#include "lib/watch/clients.h"

static struct ib_clients *no_clients(void)
{
    struct ib_clients *clients = NULL;
    struct ib_error err = IB_ERROR_INIT;

    assert_ok(ib_clients_new(ib_deadline_in(60000), NULL, NULL, &clients, &err), &err);
    return clients;
}

static struct ib_aws_client *client_for(struct ib_clients *clients, const struct ib_aws_options *options)
{
    struct ib_error err = IB_ERROR_INIT;
    struct ib_aws_client *client = NULL;

    assert_ok(ib_clients_get(clients, options, &client, &err), &err);
    assert_non_null(client);
    return client;
}

static void the_same_texts_share_a_client(void **state)
{
    IB_CLEANUP(ib_clients_cleanup) struct ib_clients *clients = no_clients();
    (void)state;
    char one[] = "eu-central-1", two[] = "eu-central-1";
    struct ib_aws_client *first = client_for(clients, &(struct ib_aws_options){ .region = one });

    assert_ptr_equal(client_for(clients, &(struct ib_aws_options){ .region = two }), first);
}

/* A target of the journal is freed when its cancel is done; its client serves the next one. */
static void texts_that_are_gone_are_not_read(void **state)
{
    IB_CLEANUP(ib_clients_cleanup) struct ib_clients *clients = no_clients();
    (void)state;
    char *region = ib_str_dup(ib_str_from("eu-central-1"));
    struct ib_aws_client *first = client_for(clients, &(struct ib_aws_options){ .region = region });

    memcpy(region, "us-west-2", sizeof "us-west-2");
    assert_ptr_equal(client_for(clients, &(struct ib_aws_options){ .region = "eu-central-1" }), first);
    assert_ptr_not_equal(client_for(clients, &(struct ib_aws_options){ .region = "us-west-2" }), first);
    free(region);
    assert_ptr_equal(client_for(clients, &(struct ib_aws_options){ .region = "eu-central-1" }), first);
}

static const struct {
    const char *name;
    struct ib_aws_options options;
} ways[] = {
    { "region", { .region = "us-west-2" } },
    { "default_region", { .default_region = "us-west-2" } },
    { "role_arn", { .role_arn = "arn:aws:iam::123456789012:role/r" } },
    { "external_id", { .external_id = "x" } },
    { "endpoint_url", { .endpoint_url = "http://127.0.0.1:9" } },
    { "ca_bundle", { .ca_bundle = "/etc/ssl/certs/ca-certificates.crt" } },
    { "proxy", { .proxy = "http://127.0.0.1:9" } },
};

static void every_difference_is_another_client(void **state)
{
    IB_CLEANUP(ib_clients_cleanup) struct ib_clients *clients = no_clients();
    struct ib_aws_client *plain = client_for(clients, &(struct ib_aws_options){ .region = NULL });
    struct ib_aws_client *seen[IB_ARRAY_LEN(ways)];

    (void)state;
    for (size_t i = 0; i < IB_ARRAY_LEN(ways); i++) {
        seen[i] = client_for(clients, &ways[i].options);
        assert_ptr_not_equal(seen[i], plain);
        for (size_t k = 0; k < i; k++) {
            assert_ptr_not_equal(seen[i], seen[k]);
        }
    }
}

static void a_client_that_cannot_be_made_is_not_kept(void **state)
{
    IB_CLEANUP(ib_clients_cleanup) struct ib_clients *clients = no_clients();
    struct ib_aws_options wrong = { .profile = "no-such-profile" };
    struct ib_error err = IB_ERROR_INIT;
    struct ib_aws_client *client = NULL;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_not_equal(ib_clients_get(clients, &wrong, &client, &err), IB_OK);
        assert_null(client);
        assert_contains(err.text, "no-such-profile");
        err = (struct ib_error)IB_ERROR_INIT;
    }
}

/* Present and future clients are held to it, never beyond the deadline of all; and let go again. */
static void a_part_of_the_run_bounds_every_client(void **state)
{
    IB_CLEANUP(ib_clients_cleanup) struct ib_clients *clients = no_clients();
    struct ib_aws_client *before = client_for(clients, &(struct ib_aws_options){ .region = "eu-central-1" });
    struct ib_deadline end = ib_aws_client_deadline(before);
    struct ib_deadline part = ib_deadline_in(5000);

    (void)state;
    ib_clients_until(clients, part);
    struct ib_aws_client *after = client_for(clients, &(struct ib_aws_options){ .region = "us-west-2" });
    assert_true(ib_aws_client_deadline(before).end_mono_ms == part.end_mono_ms);
    assert_true(ib_aws_client_deadline(after).end_mono_ms == part.end_mono_ms);
    ib_clients_until(clients, ib_deadline_in(3600000));
    assert_true(ib_aws_client_deadline(before).end_mono_ms == end.end_mono_ms);
    ib_clients_until(clients, part);
    ib_clients_until_end(clients);
    assert_true(ib_aws_client_deadline(before).end_mono_ms == end.end_mono_ms);
    assert_true(ib_aws_client_deadline(after).end_mono_ms == end.end_mono_ms);
}

int main(void)
{
    IB_TEST_CASE(the_same_texts_share_a_client);
    IB_TEST_CASE(texts_that_are_gone_are_not_read);
    IB_TEST_CASE(every_difference_is_another_client);
    IB_TEST_CASE(a_part_of_the_run_bounds_every_client);
    IB_TEST_CASE(a_client_that_cannot_be_made_is_not_kept);
    return IB_TEST_RUN();
}
