/* SPDX-License-Identifier: MIT */
/* Rows for --diagnose: what would be used, and where each setting came from. No secret ever. */
#ifndef IB_AWS_DIAGNOSE_H
#define IB_AWS_DIAGNOSE_H

#include "lib/base/error.h"

#define IB_DIAGNOSE_ROWS_MAX 128

struct ib_diagnose_row {
    char topic[32];  /* "region", "credentials", "profile file" */
    char text[480];  /* clean, one line */
};

struct ib_diagnose {
    struct ib_diagnose_row *rows;
    size_t count, cap;
};

#define IB_DIAGNOSE_INIT { NULL }

/* Append a row; rows beyond the maximum, or without memory, are dropped. */
void ib_diagnose_add(struct ib_diagnose *d, const char *topic, const char *fmt, ...) IB_PRINTF(3, 4);
void ib_diagnose_fini(struct ib_diagnose *d);

#endif
