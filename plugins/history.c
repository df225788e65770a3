/* SPDX-License-Identifier: MIT */
/* Showing the audit. */
#include "plugins/history.h"

#include "lib/data/json.h"

struct show {
    const struct ib_history_options *options;
    struct ib_output *out;
    int64_t count;
};

/* "2026-09-03T05:44:21Z claim arn... key=value ..." */
static bool show_line(void *ctx, const struct ib_value *line)
{
    struct show *s = ctx;
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT((size_t)128 * 1024);

    s->count++;
    if (s->options->json) {
        if (s->count > 1) {
            ib_buf_add_char(&s->out->json, ',');
        }
        ib_json_print(line, IB_JSON_COMPACT, &s->out->json);
        return true;
    }
    for (size_t i = 0; i < ib_value_count(line); i++) {
        struct ib_str key = ib_value_key_at(line, i);
        const struct ib_value *v = ib_value_at(line, i);
        bool bare =
            ib_str_eq_c(key, "time") || ib_str_eq_c(key, "arn") || ib_str_eq_c(key, "event");
        if (ib_str_eq_c(key, "id") || ib_str_eq_c(key, "arguments")) {
            continue;
        }
        if (text.len > 0) {
            ib_buf_add_char(&text, ' ');
        }
        if (!bare) {
            ib_buf_addf(&text, "%.*s=", IB_STR_ARG(key));
        }
        if (bare && ib_value_is(v, IB_VALUE_STRING)) {
            ib_buf_add_str(&text, ib_value_as_str(v));
        } else {
            ib_json_print(v, IB_JSON_COMPACT, &text);
        }
    }
    /* Last, for they may be long, and a line is cut. */
    if (ib_value_get_c(line, "arguments") != NULL) {
        ib_buf_add_c(&text, " arguments=");
        ib_json_print(ib_value_get_c(line, "arguments"), IB_JSON_COMPACT, &text);
    }
    ib_output_line(s->out, "%s", ib_buf_c(&text));
    return true;
}

enum ib_rc ib_history_show(const struct ib_history_options *options, struct ib_output *out,
                           struct ib_error *err)
{
    struct ib_journal journal = {0};
    struct show s = {options, out, 0};
    struct ib_error why = IB_ERROR_INIT;
    enum ib_rc rc = ib_journal_open(options->state_dir, true, options->busy_ms, &journal, &why);

    if (rc != IB_OK && rc != IB_ENOENT) {
        if (err != NULL) {
            *err = why;
        }
        return rc;
    }
    if (options->json) {
        ib_buf_add_char(&out->json, '[');
    }
    if (rc == IB_OK) {
        rc = ib_statedb_history(journal.db, options->arn, options->limit, show_line, &s, err);
        ib_journal_fini(&journal);
    } else {
        rc = IB_OK;
    }
    if (options->json) {
        ib_buf_addf(&out->json, "]");
    }
    ib_output_text(out, "%" PRId64 " line%s of history, newest first", s.count,
                   s.count == 1 ? "" : "s");
    return rc;
}
