/* SPDX-License-Identifier: MIT */
/*
 * A path, a query, a header value and a body, one per line: the canonical query is its own
 * canonical form, signing twice gives one signature, and what is signed holds no stray line.
 */
#include "fuzz.h"

#include "lib/aws/sigv4.h"

static enum ib_rc sign(struct ib_str path, struct ib_str query, struct ib_headers *headers,
                       struct ib_sigv4_steps *steps)
{
    struct ib_sigv4_key key = {"AKIDEXAMPLE", "secret", NULL, "eu-central-1", "imagebuilder"};
    struct ib_sigv4_request request = {
        .method = "GET", .path = path, .query = query, .now_ms = INT64_C(1788414261000)};

    return ib_sigv4_sign(&key, &request, headers, steps, NULL);
}

static struct ib_str line_of(const struct ib_sigv4_steps *steps, int number)
{
    struct ib_str rest = ib_buf_str(&steps->canonical_request);

    for (int i = 0; i < number; i++) {
        (void)ib_str_split(&rest, '\n');
    }
    return ib_str_split(&rest, '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ib_str rest = {(const char *)data, n};
    IB_CLEANUP(ib_headers_fini) struct ib_headers headers = IB_HEADERS_INIT;
    IB_CLEANUP(ib_sigv4_steps_fini) struct ib_sigv4_steps first = IB_SIGV4_STEPS_INIT;
    IB_CLEANUP(ib_sigv4_steps_fini) struct ib_sigv4_steps second = IB_SIGV4_STEPS_INIT;
    struct ib_str path = ib_str_split(&rest, '\n');
    struct ib_str query = ib_str_split(&rest, '\n');
    struct ib_str value = ib_str_split(&rest, '\n');

    IB_ASSERT(ib_headers_add(&headers, "Host", IB_STR("h"), NULL) == IB_OK);
    (void)(ib_headers_add(&headers, "X-A", value, NULL) == IB_OK);
    if (sign(path, query, &headers, &first) != IB_OK) {
        return 0;
    }
    struct ib_str canonical_path = line_of(&first, 1), canonical_query = line_of(&first, 2);
    IB_ASSERT(canonical_path.n > 0);
    IB_ASSERT(ib_str_eq_c(line_of(&first, 0), "GET") &&
              ib_str_starts(line_of(&first, 3), IB_STR("host:")));
    /* A path is encoded once more each time, so it stays as it was given. */
    IB_ASSERT(sign(path, canonical_query, &headers, &second) == IB_OK);
    IB_ASSERT(strcmp(first.signature, second.signature) == 0);
    return 0;
}
