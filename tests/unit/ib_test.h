/* SPDX-License-Identifier: MIT */
/*
 * Table-driven cmocka tests: one row of a table, one TAP line.
 *
 *     struct row { const char *name; ... };              the first member is the sentence
 *     static const struct row rows[] = { { "empty_text_is_refused", ... }, ... };
 *     static void test_row(void **state) { const struct row *r = *state; ... }
 *     int main(void) { IB_TEST_ROWS(rows, test_row); IB_TEST_CASE(other_test); return IB_TEST_RUN(); }
 */
#ifndef IB_TEST_H
#define IB_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/prctl.h>

#include "lib/base/attr.h"
#include "lib/base/error.h"

#define IB_TEST_MAX 2048

static struct CMUnitTest ib_tests[IB_TEST_MAX];
static size_t ib_test_count;

static inline void ib_test_add(const char *name, CMUnitTestFunction fn, const void *state)
{
    assert_true(ib_test_count < IB_TEST_MAX);
    ib_tests[ib_test_count++] = (struct CMUnitTest){
        .name = name, .test_func = fn, .initial_state = (void *)(uintptr_t)state
    };
}

#define IB_TEST_ROWS(rows, fn)                                                  \
    do {                                                                        \
        for (size_t ib_i = 0; ib_i < IB_ARRAY_LEN(rows); ib_i++) {              \
            ib_test_add((rows)[ib_i].name, (fn), &(rows)[ib_i]);                \
        }                                                                       \
    } while (0)
#define IB_TEST_CASE(fn) ib_test_add(#fn, (fn), NULL)
/* cmocka's macro wants an array of known size; the function behind it does not. */
#define IB_TEST_RUN() _cmocka_run_group_tests(__FILE__, ib_tests, ib_test_count, NULL, NULL)

/*
 * For a child that waits to be killed: an assertion that fails in the parent would leave it behind, and it
 * holds the pipe that the parent's result is read from.
 */
static inline void ib_test_die_with_parent(void)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/*
 * Nothing of this program can run here: say what is missing and end main. cmocka's own skip() writes
 * "not ok ... # SKIP", which the TAP driver counts as failed, so single rows are left out instead.
 */
#define IB_TEST_SKIP_ALL(...)                                                                      \
    do {                                                                                          \
        (void)printf("1..0 # SKIP " __VA_ARGS__);                                                 \
        (void)printf("\n");                                                                       \
        return 0;                                                                                 \
    } while (0)

static inline void ib_test_nothing(void **state)
{
    (void)state;
}
/* One row that cannot run: "name", "what is missing". A passing test named "... # SKIP ..." is a skip in TAP. */
#define IB_TEST_SKIP_ROW(name, missing) ib_test_add(name " # SKIP " missing, ib_test_nothing, NULL)

/* The call must succeed; on failure the error's sentence is shown. */
#define assert_ok(call, err)                                                                  \
    do {                                                                                      \
        enum ib_rc ib_rc_seen = (call);                                                       \
        if (ib_rc_seen != IB_OK) {                                                            \
            fail_msg("%s: %s (%s)", #call, (err)->text, ib_rc_name(ib_rc_seen));              \
        }                                                                                     \
    } while (0)
#define assert_rc(call, want, err)                                                            \
    do {                                                                                      \
        enum ib_rc ib_rc_seen = (call);                                                       \
        if (ib_rc_seen != (want)) {                                                           \
            fail_msg("%s: %s instead of %s (%s)", #call, ib_rc_name(ib_rc_seen),              \
                     ib_rc_name(want), ib_rc_seen == IB_OK ? "" : (err)->text);               \
        }                                                                                     \
    } while (0)
#define assert_contains(text, part)                                                           \
    do {                                                                                      \
        if (strstr((text), (part)) == NULL) {                                                 \
            fail_msg("\"%s\" does not contain \"%s\"", (text), (part));                       \
        }                                                                                     \
    } while (0)

#endif
