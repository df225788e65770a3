/* SPDX-License-Identifier: MIT */
/* First line: a pattern; the rest: the text that it is to match, in each dialect. */
#include "fuzz.h"

#include "lib/arazzo/regex.h"

#define STEPS ((size_t)20000) /* per match: costly patterns are the unit test's */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const enum ib_regex_dialect dialects[] = {IB_REGEX_ECMA, IB_REGEX_IREGEXP,
                                                     IB_REGEX_IREGEXP_WHOLE};
    struct ib_str rest = {(const char *)data, n};
    struct ib_str pattern = ib_str_split(&rest, '\n');
    bool matches[IB_ARRAY_LEN(dialects)] = {false};

    for (size_t i = 0; i < IB_ARRAY_LEN(dialects); i++) {
        struct ib_error err = IB_ERROR_INIT;
        IB_CLEANUP(ib_regex_cleanup) struct ib_regex *r = NULL;
        size_t column = 0;
        enum ib_rc rc = ib_regex_compile(pattern, dialects[i], &r, &column, &err);
        if (rc != IB_OK) {
            IB_ASSERT(r == NULL && err.text[0] != '\0');
            IB_ASSERT(rc != IB_EPARSE || (column >= 1 && column <= pattern.n + 1));
            continue;
        }
        size_t steps = STEPS;
        rc = ib_regex_search(r, rest, &steps, &matches[i], &err);
        IB_ASSERT(rc == IB_OK || rc == IB_ELIMIT || rc == IB_EPARSE);
        if (rc != IB_OK) {
            return 0;
        }
    }
    /* What matches whole is found by a search too. */
    IB_ASSERT(!matches[2] || matches[1]);
    return 0;
}
