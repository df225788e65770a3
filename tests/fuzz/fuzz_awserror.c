/* SPDX-License-Identifier: MIT */
/*
 * Any answer as an error of AWS: a status, header lines, an empty line, a body. What comes out is
 * clean, and no wait that it asks for is out of bounds.
 */
#include "fuzz.h"

#include "lib/aws/awserror.h"
#include "lib/aws/retry.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

/* Header lines up to the empty one; the rest is the body. */
static struct ib_str read_head(struct ib_str rest, struct ib_headers *headers)
{
    while (rest.p != NULL) {
        struct ib_str line = ib_str_trim(ib_str_split(&rest, '\n'));
        size_t colon = ib_str_find(line, ':');
        char name[128];

        if (line.n == 0) {
            break;
        }
        if (colon < line.n && ib_text_copy(name, sizeof name, ib_str_head(line, colon))) {
            (void)(ib_headers_add(headers, name, ib_str_skip(line, colon + 1), NULL) == IB_OK);
        }
    }
    return rest.p == NULL ? (struct ib_str){"", 0} : rest;
}

static void check_clean(const char *text)
{
    IB_ASSERT(ib_utf8_valid(text, strlen(text)));
    for (const char *p = text; *p != '\0'; p++) {
        IB_ASSERT((unsigned char)*p >= ' ' && *p != 0x7f);
    }
}

static void check_retry(const struct ib_headers *headers, const struct ib_awserror *e, int status)
{
    struct ib_retry_facts facts = {.status = status, .code = e->code, .message = e->message};
    int64_t after = ib_retry_after_ms(headers, INT64_C(1788414261000));
    const char *date = ib_headers_get(headers, "Date");

    IB_ASSERT(after >= -1 && after <= IB_DAY_MS);
    IB_ASSERT(ib_retry_wait_ms(3, 0.5, after) <= IB_DAY_MS + 5000);
    if (date != NULL) {
        facts.skew_known = ib_time_parse_http(ib_str_from(date), &facts.skew_ms, NULL) == IB_OK;
    }
    (void)ib_retry_classify(&facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ib_str rest = {(const char *)data, n};
    IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *json = NULL;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_awserror e;

    if (n == 0) {
        return 0;
    }
    int status = 300 + data[0];
    struct ib_str body = read_head(ib_str_skip(rest, 1), &headers);
    if (body.n > 0 && body.p[0] == '{') {
        (void)(ib_json_parse(body, "body", NULL, &json, NULL) == IB_OK);
    }
    ib_awserror_read(&headers, body, json, &e);
    check_clean(e.code);
    check_clean(e.message);
    check_clean(e.request_id);
    enum ib_rc rc = ib_awserror_fail(&err, &e, "imagebuilder", "GetImage", status);
    IB_ASSERT(rc == (e.code[0] == '\0' ? IB_EHTTP : IB_EAWS) && err.http_status == status);
    check_clean(err.text);
    check_retry(&headers, &e, status);
    return 0;
}
