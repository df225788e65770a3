/* SPDX-License-Identifier: MIT */
/* A failed IB_ASSERT stops a fuzz target with a signal: the library's own way out, _exit, would go unnoticed. */
#include "fuzz.h"

/* ld --wrap=ib_assert_failed puts this one in its place. */
void __wrap_ib_assert_failed(const char *file, int line, const char *what) IB_NORETURN;

void __wrap_ib_assert_failed(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "%s:%d: broken: %s\n", file, line, what);
    __builtin_trap();
}
