/* SPDX-License-Identifier: MIT */
/* Test data in files: ours below tests/data, others' below $IB_SHARED, which may be missing. */
#ifndef IB_VECTORS_H
#define IB_VECTORS_H

#include "lib/base/buf.h"
#include "lib/base/env.h"

#define IB_VECTORS_FILE_MAX ((size_t)4 * 1024 * 1024)

/* Whole file into buf; false when it cannot be opened. */
static inline bool ib_vectors_read(const char *path, struct ib_buf *buf)
{
    char block[8192];
    size_t n;
    FILE *f = fopen(path, "rbe");

    if (f == NULL) {
        return false;
    }
    while ((n = fread(block, 1, sizeof block, f)) > 0) {
        ib_buf_add(buf, block, n);
    }
    (void)fclose(f);
    return true;
}

/* Path below $IB_SHARED; "" when that is not set. */
static inline const char *ib_vectors_shared(const char *name, char *path, size_t cap)
{
    const char *top = ib_env_get("IB_SHARED");

    path[0] = '\0';
    if (top != NULL) {
        (void)snprintf(path, cap, "%s/%s", top, name);
    }
    return path;
}

/* Path below the source tree's tests/data. */
static inline const char *ib_vectors_ours(const char *name, char *path, size_t cap)
{
    const char *top = ib_env_get("abs_top_srcdir");

    (void)snprintf(path, cap, "%s/tests/data/%s", top == NULL ? "." : top, name);
    return path;
}

#endif
