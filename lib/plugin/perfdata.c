/* SPDX-License-Identifier: MIT */
/* Writing performance data. */
#include "lib/plugin/perfdata.h"

#include <math.h>

#include "lib/base/num.h"
#include "lib/base/text.h"

#define LABEL_MAX 256 /* bytes of a label with NUL */

static const char *const uoms[IB_UOM_COUNT] = {
    [IB_UOM_NONE] = "",  [IB_UOM_SECONDS] = "s", [IB_UOM_PERCENT] = "%",
    [IB_UOM_BYTES] = "B", [IB_UOM_COUNTER] = "c",
};

/* Quoted when it holds more than [A-Za-z0-9_.-]: the one form that every reader takes. */
static void add_label(struct ib_buf *out, const char *label)
{
    char clean[LABEL_MAX];
    size_t n = ib_text_plugin(label, strlen(label), clean, sizeof clean);
    bool plain = true;

    for (size_t i = 0; i < n; i++) {
        plain = plain && (ib_ascii_alnum(clean[i]) || strchr("_.-", clean[i]) != NULL);
    }
    if (plain) {
        ib_buf_add(out, clean, n);
        return;
    }
    ib_buf_add_char(out, '\'');
    for (size_t i = 0; i < n; i++) {
        if (clean[i] == '\'') {
            ib_buf_add_c(out, "''");
        } else {
            /* '=' ends the label even inside quotes for some readers. */
            ib_buf_add_char(out, clean[i] == '=' ? '_' : clean[i]);
        }
    }
    ib_buf_add_char(out, '\'');
}

static void add_number(struct ib_buf *out, double value)
{
    char text[IB_NUM_TEXT_MAX];

    ib_buf_add_c(out, isfinite(value) ? ib_num_fmt_fixed(value, 3, text, sizeof text) : "U");
}

void ib_perfdata_add(struct ib_buf *out, const struct ib_perf *perf)
{
    char range[IB_RANGE_FMT_MAX];
    size_t keep;

    if (out->len > 0) {
        ib_buf_add_char(out, ' ');
    }
    add_label(out, perf->label);
    ib_buf_add_char(out, '=');
    if (perf->unknown || !isfinite(perf->value)) {
        ib_buf_add_char(out, 'U');
    } else {
        add_number(out, perf->value);
        IB_ASSERT((unsigned)perf->uom < IB_UOM_COUNT);
        ib_buf_add_c(out, uoms[perf->uom]);
    }
    keep = out->len;
    ib_buf_add_char(out, ';');
    if (perf->warn != NULL && perf->warn->is_set) {
        ib_buf_add_c(out, ib_range_fmt(perf->warn, range, sizeof range));
        keep = out->len;
    }
    ib_buf_add_char(out, ';');
    if (perf->crit != NULL && perf->crit->is_set) {
        ib_buf_add_c(out, ib_range_fmt(perf->crit, range, sizeof range));
        keep = out->len;
    }
    ib_buf_add_char(out, ';');
    if (perf->has_min) {
        add_number(out, perf->min);
        keep = out->len;
    }
    ib_buf_add_char(out, ';');
    if (perf->has_max) {
        add_number(out, perf->max);
        keep = out->len;
    }
    ib_buf_cut(out, keep);
}
