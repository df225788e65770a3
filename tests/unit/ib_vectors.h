/* SPDX-License-Identifier: MIT */
/* Test data in files: ours below tests/data, others' below $IB_SHARED, which may be missing. */
#ifndef IB_VECTORS_H
#define IB_VECTORS_H

#include "lib/base/buf.h"
#include "lib/base/env.h"
#include "lib/data/json.h"

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

/* A JSON file as a value; NULL when it is missing, fails the test when it is malformed. */
static inline struct ib_value *ib_vectors_json(const char *path)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(IB_VECTORS_FILE_MAX);
    struct ib_error err = IB_ERROR_INIT;
    const struct ib_json_limits limits = { .max_bytes = IB_VECTORS_FILE_MAX };
    struct ib_value *v = NULL;

    if (!ib_vectors_read(path, &text)) {
        return NULL;
    }
    if (ib_json_parse(ib_buf_str(&text), path, &limits, &v, &err) != IB_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        _exit(99);
    }
    return v;
}

/* A string member, NULL when absent. */
static inline const char *ib_vectors_str(const struct ib_value *object, const char *path)
{
    const struct ib_value *v = ib_value_path(object, path);

    return ib_value_is(v, IB_VALUE_STRING) ? ib_value_as_str(v).p : NULL;
}

/* The rows of a file that was read (NULL = it is missing): one that was cut short fails the test. */
static inline const struct ib_value *ib_vectors_least(const struct ib_value *list, size_t least,
                                                      const char *name)
{
    if (list != NULL && ib_value_count(list) < least) {
        (void)fprintf(stderr, "%s: %zu rows, there were %zu\n", name, ib_value_count(list), least);
        _exit(99);
    }
    return list;
}

#endif
