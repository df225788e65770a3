/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a document: a list, because everything is reported in one pass.
 *
 * A finding names the place (line:column and JSON Pointer), the rule (a short name that does not
 * change between releases) and says in one sentence what is the matter. Errors keep a document from
 * being run; warnings and notes do not.
 */
#ifndef IB_ARAZZO_FINDING_H
#define IB_ARAZZO_FINDING_H

#include "lib/data/value.h"

enum ib_severity {
    IB_FINDING_ERROR,
    IB_FINDING_WARNING, /* runs, but hardly as its author means it */
    IB_FINDING_NOTE,    /* worth knowing */
};

struct ib_finding {
    enum ib_severity severity;
    struct ib_mark mark; /* line 0: the whole file */
    const char *rule;    /* static text: "goto-target" */
    char *path;          /* JSON Pointer; "" is the whole document */
    char *text;          /* one clean line */
};

/* More than this is one broken file, not that many mistakes. */
#define IB_FINDINGS_MAX 500

struct ib_findings {
    struct ib_finding *items;
    size_t count, cap;
    size_t errors, warnings; /* counted also beyond IB_FINDINGS_MAX */
    bool cut;                /* IB_FINDINGS_MAX was reached */
    bool nomem;              /* a finding was lost; ib_findings_ok() fails */
};

#define IB_FINDINGS_INIT \
    {                    \
        .items = NULL    \
    }

void ib_findings_fini(struct ib_findings *list);

/* Where a finding points; path is borrowed. */
struct ib_place {
    struct ib_mark mark;
    const char *path;
};

/* Add one; the text is cleaned as that of an error is. rule is static text. */
void ib_findings_add(struct ib_findings *list, enum ib_severity severity, const char *rule,
                     struct ib_place place, const char *fmt, ...) IB_PRINTF(5, 6);

/* Sort by place in the file, equal places keep their order. */
void ib_findings_sort(struct ib_findings *list);

/*
 * IB_OK when nothing in the list keeps the document from being run. Else IB_ECONFIG (IB_ENOMEM)
 * with the first error and how many more there are: "FILE:12:5: goto ... (and 3 more)".
 */
IB_NODISCARD enum ib_rc ib_findings_ok(const struct ib_findings *list, const char *file,
                                       struct ib_error *err);

/* "error", "warning", "note". */
const char *ib_severity_name(enum ib_severity severity);

/* One line of text: "FILE:12:5: error: /workflows/0/steps/1: sentence [rule]", no line end. */
void ib_finding_print(const struct ib_finding *f, const char *file, struct ib_buf *out);

/* {"file","line","column","path","severity","rule","text"}; NULL when out of memory. */
struct ib_value *ib_finding_value(const struct ib_finding *f, const char *file);

#endif
