/* SPDX-License-Identifier: MIT */
/* Errors that point into a text of one line. */
#ifndef IB_ARAZZO_COLUMN_H
#define IB_ARAZZO_COLUMN_H

#include "lib/base/error.h"

/*
 * "column N: sentence" as IB_EPARSE; returns that. at counts from 0, the column from 1, both in
 * bytes. ret_column may be NULL.
 */
enum ib_rc ib_column_fail(struct ib_error *err, size_t *ret_column, size_t at, const char *fmt, ...)
    IB_PRINTF(4, 5);

#endif
