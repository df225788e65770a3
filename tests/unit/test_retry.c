/* SPDX-License-Identifier: MIT */
/* lib/aws/retry.c: what is tried again, what it costs, how long it waits. */
#include "ib_test.h"

#include "lib/aws/retry.h"
#include "lib/aws/useragent.h"

#define SKEW_NONE INT64_MIN

struct kind_row {
    const char *name;
    enum ib_rc transport;
    int status;
    const char *code;
    int64_t skew_ms;
    enum ib_retry_kind want;
};
static const struct kind_row kind_rows[] = {
    {"a_200_is_done", IB_OK, 200, "", SKEW_NONE, IB_RETRY_NEVER},
    {"a_broken_connection_is_tried_again", IB_ENET, 0, "", SKEW_NONE, IB_RETRY_TRANSIENT},
    {"a_timeout_is_tried_again", IB_ETIMEOUT, 0, "", SKEW_NONE, IB_RETRY_TIMEOUT},
    {"an_untrusted_certificate_is_final", IB_ETLS, 0, "", SKEW_NONE, IB_RETRY_NEVER},
    {"a_body_too_large_is_final", IB_ELIMIT, 0, "", SKEW_NONE, IB_RETRY_NEVER},
    {"a_refusal_of_the_proxy_is_final", IB_EHTTP, 407, "", SKEW_NONE, IB_RETRY_NEVER},
    {"500_is_tried_again", IB_OK, 500, "", SKEW_NONE, IB_RETRY_TRANSIENT},
    {"501_is_final", IB_OK, 501, "", SKEW_NONE, IB_RETRY_NEVER},
    {"502_is_tried_again", IB_OK, 502, "", SKEW_NONE, IB_RETRY_TRANSIENT},
    {"503_is_tried_again", IB_OK, 503, "ServiceUnavailableException", SKEW_NONE,
     IB_RETRY_TRANSIENT},
    {"504_is_tried_again", IB_OK, 504, "", SKEW_NONE, IB_RETRY_TRANSIENT},
    {"image_builders_own_throttle", IB_OK, 429, "CallRateLimitExceededException", SKEW_NONE,
     IB_RETRY_THROTTLE},
    {"any_429_is_a_throttle", IB_OK, 429, "", SKEW_NONE, IB_RETRY_THROTTLE},
    {"429_of_an_unheard_of_name", IB_OK, 429, "FooException", SKEW_NONE, IB_RETRY_THROTTLE},
    {"a_throttle_in_a_400", IB_OK, 400, "ThrottlingException", SKEW_NONE, IB_RETRY_THROTTLE},
    {"a_throttle_in_a_503_counts_as_throttle", IB_OK, 503, "SlowDown", SKEW_NONE,
     IB_RETRY_THROTTLE},
    {"request_timeout_400", IB_OK, 400, "RequestTimeoutException", SKEW_NONE, IB_RETRY_TRANSIENT},
    {"identity_provider_of_sts_400", IB_OK, 400, "IDPCommunicationError", SKEW_NONE,
     IB_RETRY_TRANSIENT},
    {"a_wrong_request_is_final", IB_OK, 400, "InvalidRequestException", SKEW_NONE, IB_RETRY_NEVER},
    {"a_denial_is_final", IB_OK, 403, "AccessDeniedException", SKEW_NONE, IB_RETRY_NEVER},
    {"a_quota_is_final", IB_OK, 402, "ServiceQuotaExceededException", SKEW_NONE, IB_RETRY_NEVER},
    {"a_mismatched_token_is_final", IB_OK, 400, "IdempotentParameterMismatchException", SKEW_NONE,
     IB_RETRY_NEVER},
    {"expired_credentials_are_renewed", IB_OK, 403, "ExpiredTokenException", SKEW_NONE,
     IB_RETRY_EXPIRED},
    {"expired_credentials_of_sts", IB_OK, 400, "ExpiredToken", SKEW_NONE, IB_RETRY_EXPIRED},
    {"a_bad_signature_with_a_good_clock_is_final", IB_OK, 403, "InvalidSignatureException", 2000,
     IB_RETRY_NEVER},
    {"a_bad_signature_without_a_date_is_final", IB_OK, 403, "InvalidSignatureException", SKEW_NONE,
     IB_RETRY_NEVER},
    {"a_bad_signature_with_a_late_clock", IB_OK, 403, "InvalidSignatureException", 1200000,
     IB_RETRY_SKEW},
    {"a_bad_signature_with_an_early_clock", IB_OK, 403, "SignatureDoesNotMatch", -301000,
     IB_RETRY_SKEW},
    {"too_skewed", IB_OK, 403, "RequestTimeTooSkewed", 900000, IB_RETRY_SKEW},
    {"a_denial_with_a_bad_clock_is_still_a_denial", IB_OK, 403, "AccessDeniedException", 900000,
     IB_RETRY_NEVER},
};

static void kind_row(void **state)
{
    const struct kind_row *r = *state;
    struct ib_retry_facts facts = {.transport = r->transport,
                                   .status = r->status,
                                   .code = r->code,
                                   .message = "",
                                   .skew_known = r->skew_ms != SKEW_NONE,
                                   .skew_ms = r->skew_ms == SKEW_NONE ? 0 : r->skew_ms};

    assert_int_equal(ib_retry_classify(&facts), r->want);
}

struct wait_row {
    const char *name;
    int retry;
    double unit;
    int64_t server_ms, want_ms;
};
static const struct wait_row wait_rows[] = {
    {"first_wait_is_up_to_a_second", 0, 0.999, -1, 999},
    {"first_wait_may_be_nothing", 0, 0, -1, 0},
    {"second_wait_is_up_to_two", 1, 0.5, -1, 1000},
    {"fifth_wait_is_up_to_sixteen", 4, 0.5, -1, 8000},
    {"sixth_wait_is_capped_at_twenty", 5, 0.5, -1, 10000},
    {"hundredth_wait_is_capped_too", 100, 0.5, -1, 10000},
    {"the_server_asks_for_more", 0, 0.5, 1500, 1500},
    {"the_server_asks_for_less", 3, 0.5, 100, 4000},
    {"not_much_more_than_the_server_asks_for", 5, 0.9, 100, 5100},
    {"the_server_asks_for_nothing", 5, 0.9, 0, 5000},
};

static void wait_row(void **state)
{
    const struct wait_row *r = *state;

    assert_true(ib_retry_wait_ms(r->retry, r->unit, r->server_ms) == r->want_ms);
}

struct after_row {
    const char *name, *retry_after, *amz_after;
    int64_t want_ms;
};
static const struct after_row after_rows[] = {
    {"after_nothing", NULL, NULL, -1},
    {"after_seconds", "3", NULL, 3000},
    {"after_zero", "0", NULL, 0},
    {"after_milliseconds", NULL, "1500", 1500},
    {"after_milliseconds_win", "30", "1500", 1500},
    {"after_bad_milliseconds_give_way", "30", "1.5", 30000},
    {"after_date", "Thu, 03 Sep 2026 05:44:31 GMT", NULL, 10000},
    {"after_date_in_the_past", "Thu, 03 Sep 2026 05:44:01 GMT", NULL, 0},
    {"after_date_far_away", "Thu, 03 Sep 2027 05:44:01 GMT", NULL, -1},
    {"after_negative", "-5", NULL, -1},
    {"after_plus", "+5", NULL, -1},
    {"after_fraction", "1.5", NULL, -1},
    {"after_huge", "99999999999999999999", NULL, -1},
    {"after_words", "soon", NULL, -1},
    {"after_empty", "", NULL, -1},
};

static void after_row(void **state)
{
    const struct after_row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_headers_fini) struct ib_headers h = IB_HEADERS_INIT;

    if (r->retry_after != NULL) {
        assert_ok(ib_headers_add(&h, "retry-after", ib_str_from(r->retry_after), &err), &err);
    }
    if (r->amz_after != NULL) {
        assert_ok(ib_headers_add(&h, "X-Amz-Retry-After", ib_str_from(r->amz_after), &err), &err);
    }
    assert_true(ib_retry_after_ms(&h, INT64_C(1788414261000)) == r->want_ms);
}

static void the_bucket_empties_and_fills(void **state)
{
    (void)state;
    struct ib_retry_bucket bucket = IB_RETRY_BUCKET_INIT;
    int taken = 0, count = 0;

    while (ib_retry_take(&bucket, IB_AWS_RETRY_STANDARD, IB_RETRY_TRANSIENT, &taken)) {
        assert_int_equal(taken, 5);
        count++;
    }
    assert_int_equal(count, 100);
    assert_true(ib_retry_take(&bucket, IB_AWS_RETRY_LEGACY, IB_RETRY_TRANSIENT, &taken));
    ib_retry_give(&bucket, 5);
    assert_false(ib_retry_take(&bucket, IB_AWS_RETRY_STANDARD, IB_RETRY_TIMEOUT, &taken));
    assert_true(ib_retry_take(&bucket, IB_AWS_RETRY_STANDARD, IB_RETRY_THROTTLE, &taken));
    ib_retry_give(&bucket, 0);
    assert_int_equal(bucket.tokens, 1);
    bucket.tokens = 499;
    ib_retry_give(&bucket, 10);
    assert_int_equal(bucket.tokens, 500);
}

static void the_user_agent_follows_the_convention(void **state)
{
    (void)state;
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(1024);

    ib_useragent_add(IB_AWS_RETRY_STANDARD, NULL, &out);
    assert_int_equal(strncmp(ib_buf_c(&out), "ib-plugins/", 11), 0);
    assert_contains(ib_buf_c(&out), " ua/2.1 os/linux#");
    assert_contains(ib_buf_c(&out), " cfg/retry-mode#standard");
    assert_null(strstr(ib_buf_c(&out), "app/"));
    ib_buf_reset(&out);
    ib_useragent_add(IB_AWS_RETRY_LEGACY, "my app/\r\nX: 1", &out);
    assert_contains(ib_buf_c(&out), "cfg/retry-mode#legacy app/my-app---X--1");
    ib_buf_reset(&out);
    ib_useragent_add(IB_AWS_RETRY_LEGACY, "123456789012345678901234567890123456789012345678901234",
                     &out);
    assert_contains(ib_buf_c(&out), "app/12345678901234567890123456789012345678901234567890");
    assert_int_equal(out.data[out.len - 1], '0');
}

static void a_no_for_now_is_told_from_one_that_stays(void **state)
{
    static const struct {
        int status;
        const char *code;
        bool passes;
    } rows[] = {
        {429, "CallRateLimitExceededException", true}, {400, "ThrottlingException", true},
        {503, "ServiceUnavailableException", true},    {403, "ExpiredTokenException", true},
        {403, "AccessDeniedException", false},         {400, "InvalidRequestException", false},
        {404, "ResourceNotFoundException", false},     {400, "IdempotentParameterMismatchException", false},
    };

    (void)state;
    for (size_t i = 0; i < IB_ARRAY_LEN(rows); i++) {
        struct ib_error e = {.rc = IB_EAWS, .http_status = rows[i].status};
        (void)snprintf(e.aws_code, sizeof e.aws_code, "%s", rows[i].code);
        assert_int_equal(ib_retry_may_pass(&e), rows[i].passes);
    }
}

int main(void)
{
    IB_TEST_ROWS(kind_rows, kind_row);
    IB_TEST_ROWS(wait_rows, wait_row);
    IB_TEST_ROWS(after_rows, after_row);
    IB_TEST_CASE(the_bucket_empties_and_fills);
    IB_TEST_CASE(the_user_agent_follows_the_convention);
    IB_TEST_CASE(a_no_for_now_is_told_from_one_that_stays);
    return IB_TEST_RUN();
}
