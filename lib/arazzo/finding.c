/* SPDX-License-Identifier: MIT */
/* The list of findings: adding, order, print. */
#include "lib/arazzo/finding.h"

#include "lib/base/text.h"

void ib_findings_fini(struct ib_findings *list)
{
    if (list == NULL) {
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].path);
        free(list->items[i].text);
    }
    free(list->items);
    *list = (struct ib_findings)IB_FINDINGS_INIT;
}

static bool room_for_one(struct ib_findings *list)
{
    if (list->count < list->cap) {
        return true;
    }
    size_t cap = list->cap == 0 ? 8 : list->cap * 2;
    struct ib_finding *items = reallocarray(list->items, cap, sizeof *items);
    if (items == NULL) {
        list->nomem = true;
        return false;
    }
    list->items = items;
    list->cap = cap;
    return true;
}

static void count_one(struct ib_findings *list, enum ib_severity severity)
{
    switch (severity) {
    case IB_FINDING_ERROR:
        list->errors++;
        break;
    case IB_FINDING_WARNING:
        list->warnings++;
        break;
    case IB_FINDING_NOTE:
        break;
    }
}

void ib_findings_add(struct ib_findings *list, enum ib_severity severity, const char *rule,
                     struct ib_place place, const char *fmt, ...)
{
    /* An error's text has the length and the cleaning that a finding needs. */
    struct ib_error text;
    char raw[IB_ERROR_TEXT_MAX];
    va_list ap;

    count_one(list, severity);
    if (list->count >= IB_FINDINGS_MAX) {
        list->cut = true;
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    (void)ib_fail(&text, IB_ECONFIG, "%s", raw);
    if (!room_for_one(list)) {
        return;
    }
    struct ib_finding *f = &list->items[list->count];
    *f = (struct ib_finding){
        .severity = severity,
        .mark = place.mark,
        .rule = rule,
        .path = ib_str_dup(ib_str_from(place.path)),
        .text = ib_str_dup(ib_str_from(text.text)),
    };
    if (f->path == NULL || f->text == NULL) {
        free(f->path);
        free(f->text);
        list->nomem = true;
        return;
    }
    list->count++;
}

static bool stands_after(const struct ib_finding *a, const struct ib_finding *b)
{
    if (a->mark.line != b->mark.line) {
        return a->mark.line > b->mark.line;
    }
    return a->mark.column > b->mark.column;
}

void ib_findings_sort(struct ib_findings *list)
{
    /* By insertion: stable, and the list is short and nearly in order. */
    for (size_t i = 1; i < list->count; i++) {
        struct ib_finding one = list->items[i];
        size_t at = i;
        while (at > 0 && stands_after(&list->items[at - 1], &one)) {
            list->items[at] = list->items[at - 1];
            at--;
        }
        list->items[at] = one;
    }
}

const char *ib_severity_name(enum ib_severity severity)
{
    switch (severity) {
    case IB_FINDING_ERROR:
        return "error";
    case IB_FINDING_WARNING:
        return "warning";
    case IB_FINDING_NOTE:
        return "note";
    }
    return "error";
}

enum ib_rc ib_findings_ok(const struct ib_findings *list, const char *file, struct ib_error *err)
{
    if (list->nomem) {
        return ib_fail_nomem(err);
    }
    if (list->errors == 0) {
        return IB_OK;
    }
    size_t first = 0;
    while (first < list->count && list->items[first].severity != IB_FINDING_ERROR) {
        first++;
    }
    if (first == list->count) {
        return ib_fail(err, IB_ECONFIG, "%s: %zu errors", file, list->errors);
    }
    struct ib_buf line = IB_BUF_INIT(IB_ERROR_TEXT_MAX * 2);
    const struct ib_finding *f = &list->items[first];
    ib_buf_addf(&line, "%s:", file);
    if (f->mark.line > 0) {
        ib_buf_addf(&line, "%u:%u:", f->mark.line, f->mark.column);
    }
    ib_buf_addf(&line, " %s", f->text);
    if (list->errors > 1) {
        ib_buf_addf(&line, " (and %zu more)", list->errors - 1);
    }
    (void)ib_fail(err, IB_ECONFIG, "%s", ib_buf_c(&line));
    ib_buf_fini(&line);
    return IB_ECONFIG;
}

void ib_finding_print(const struct ib_finding *f, const char *file, struct ib_buf *out)
{
    ib_buf_addf(out, "%s:", file);
    if (f->mark.line > 0) {
        ib_buf_addf(out, "%u:%u:", f->mark.line, f->mark.column);
    }
    ib_buf_addf(out, " %s: ", ib_severity_name(f->severity));
    if (f->path[0] != '\0') {
        ib_buf_addf(out, "%s: ", f->path);
    }
    ib_buf_addf(out, "%s [%s]", f->text, f->rule);
}

static bool set_text(struct ib_value *object, const char *key, const char *text)
{
    return ib_value_set(object, ib_str_from(key), ib_value_string(ib_str_from(text)), NULL) ==
           IB_OK;
}

struct ib_value *ib_finding_value(const struct ib_finding *f, const char *file)
{
    struct ib_value *object = ib_value_object();

    if (object == NULL) {
        return NULL;
    }
    bool ok = set_text(object, "file", file) &&
              ib_value_set(object, IB_STR("line"), ib_value_int(f->mark.line), NULL) == IB_OK &&
              ib_value_set(object, IB_STR("column"), ib_value_int(f->mark.column), NULL) == IB_OK &&
              set_text(object, "path", f->path) &&
              set_text(object, "severity", ib_severity_name(f->severity)) &&
              set_text(object, "rule", f->rule) && set_text(object, "text", f->text);
    if (!ok) {
        ib_value_unref(object);
        return NULL;
    }
    return object;
}
