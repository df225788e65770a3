/* SPDX-License-Identifier: MIT */
/* Files for tests: bodies below tests/data, and vectors that are not ours to ship. */
#ifndef IB_SAMPLE_H
#define IB_SAMPLE_H

#include "ib_test.h"

#include "lib/base/buf.h"
#include "lib/base/env.h"

/* Append a file to ret; false when it is not there. */
static inline bool ib_test_read(struct ib_buf *ret, const char *path)
{
    FILE *file = fopen(path, "rbe");
    char block[4096];
    size_t n;

    if (file == NULL) {
        return false;
    }
    do {
        n = fread(block, 1, sizeof block, file);
        ib_buf_add(ret, block, n);
    } while (n > 0);
    (void)fclose(file);
    return !ret->failed;
}

/* Append tests/data/samples/FOLDER/NAME; the test fails when it is not there. */
static inline void ib_test_sample(struct ib_buf *ret, const char *folder, const char *name)
{
    const char *top = ib_env_get("abs_top_srcdir");
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/tests/data/samples/%s/%s", top == NULL ? "." : top, folder,
                   name);
    if (!ib_test_read(ret, path)) {
        fail_msg("cannot read %s", path);
    }
}

/* Append $IB_SHARED/NAME; false when the vectors are not on this machine (the test then skips). */
static inline bool ib_test_shared(struct ib_buf *ret, const char *name)
{
    const char *dir = ib_env_get("IB_SHARED");
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/%s", dir == NULL ? "../shared" : dir, name);
    return ib_test_read(ret, path);
}

#endif
