/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a document beyond its shape: everything that can be known before a run.
 *
 * Rules (names in findings): operation, workflow-target, parameter-in, workflow-inputs, step-body,
 * goto-target, depends-on, inputs-schema, expression, expression-target (names nothing that can
 * exist), order (of something that cannot have run yet); warnings: may-not-have-run, unreachable,
 * constant-token, inputs-not-enforced; notes: branch-output (only some ways through the workflow
 * fill it), bare-condition, source-document.
 */
#ifndef IB_ARAZZO_CHECK_H
#define IB_ARAZZO_CHECK_H

#include "lib/arazzo/document.h"

/* Can the caller send an operation that no OpenAPI document describes? */
typedef bool (*ib_operation_known_fn)(void *ctx, struct ib_str operation_id);

struct ib_check_options {
    ib_operation_known_fn known; /* NULL: everything is known */
    void *ctx;
};

/*
 * Check a linked document and those that it is linked to; for these, only whether they have errors,
 * told at the source description. Errors: IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_arazzo_check(const struct ib_arazzo_doc *doc,
                                        const struct ib_check_options *options,
                                        struct ib_findings *findings, struct ib_error *err);

/*
 * Read, link and check a file with everything that is wrong with it in findings, sorted. *ret may
 * be NULL then. Errors: those of ib_file_read(), IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_arazzo_check_file(const char *path,
                                             const struct ib_check_options *options,
                                             struct ib_findings *findings,
                                             struct ib_arazzo_doc **ret, struct ib_error *err);

/*
 * For a run: read, link and check; path NULL is the built-in document. The first error of the
 * document is the error (IB_ECONFIG).
 */
IB_NODISCARD enum ib_rc ib_arazzo_open(const char *path, const struct ib_check_options *options,
                                       struct ib_arazzo_doc **ret, struct ib_error *err);

#endif
