/* SPDX-License-Identifier: MIT */
/* Tables of texts that a parser takes, shown as JSON, or refuses, with the whole sentence. */
#ifndef IB_PARSE_ROWS_H
#define IB_PARSE_ROWS_H

#include "ib_test.h"

#include "lib/data/json.h"

struct ib_parse_row {
    const char *name, *text;
    const char *json;  /* NULL: refused */
    const char *error; /* whole sentence behind "t:"; the parser calls its text "t" */
    enum ib_rc rc;
};
#define GOOD(name, text, json)   { name, text, json, NULL, IB_OK }
#define BAD(name, text, error)   { name, text, NULL, error, IB_EPARSE }
#define LIMIT(name, text, error) { name, text, NULL, error, IB_ELIMIT }

/* What the parser made of the row's text. */
static inline void ib_parse_row_check(const struct ib_parse_row *r, enum ib_rc rc,
                                      const struct ib_value *v, const struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf out = IB_BUF_INIT(10000);

    assert_rc(rc, r->rc, err);
    if (r->json == NULL) {
        char want[512];
        (void)snprintf(want, sizeof want, "t:%s", r->error);
        assert_string_equal(err->text, want);
        assert_null(v);
        return;
    }
    ib_json_print(v, IB_JSON_COMPACT, &out);
    assert_string_equal(ib_buf_c(&out), r->json);
}

#endif
