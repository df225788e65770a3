/* SPDX-License-Identifier: MIT */
/* What the tests of lib/arazzo share: values written as JSON. */
#ifndef IB_ARAZZO_TEST_H
#define IB_ARAZZO_TEST_H

#include "ib_test.h"

#include "lib/data/json.h"

/* NULL text gives NULL: absent. */
static inline struct ib_value *json(const char *text)
{
    struct ib_error err = IB_ERROR_INIT;
    struct ib_value *v = NULL;

    if (text != NULL) {
        assert_ok(ib_json_parse(ib_str_from(text), "test", NULL, &v, &err), &err);
    }
    return v;
}

/* The text of a value as compact JSON, "nothing" for NULL; to free(). */
static inline char *json_text(const struct ib_value *v)
{
    struct ib_buf b = IB_BUF_INIT((size_t)1024 * 1024);

    if (v == NULL) {
        ib_buf_add_c(&b, "nothing");
    } else {
        ib_json_print(v, IB_JSON_COMPACT, &b);
    }
    return ib_buf_take(&b);
}

#endif
