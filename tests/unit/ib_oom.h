/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out in our own code: the program is linked with ld --wrap, which puts these in the
 * place of libc's. Every allocation is counted, and one of them fails.
 */
#ifndef IB_OOM_H
#define IB_OOM_H

#include "ib_test.h"

static struct {
    size_t made, fail_at; /* fail_at 0: none fails */
} ib_oom;

/* From now on allocation n fails, counted from 1; with 0 they are counted only. */
static inline void ib_oom_arm(size_t n)
{
    ib_oom.made = 0;
    ib_oom.fail_at = n;
}

/* No more; whether one has failed. */
static inline bool ib_oom_disarm(void)
{
    bool struck = ib_oom.fail_at > 0 && ib_oom.made >= ib_oom.fail_at;

    ib_oom.fail_at = 0;
    return struck;
}

static inline bool ib_oom_fails(void)
{
    ib_oom.made++;
    return ib_oom.fail_at > 0 && ib_oom.made == ib_oom.fail_at;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

void *__wrap_malloc(size_t n)
{
    return ib_oom_fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return ib_oom_fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return ib_oom_fails() ? NULL : __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
    return ib_oom_fails() ? NULL : __real_reallocarray(p, n, size);
}

#endif
