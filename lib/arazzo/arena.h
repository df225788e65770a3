/* SPDX-License-Identifier: MIT */
/* Memory of one compiled text: many small parts that end together. */
#ifndef IB_ARAZZO_ARENA_H
#define IB_ARAZZO_ARENA_H

#include "lib/base/str.h"

/* Zeroed to start from. Size is bounded by its users: each caps the text that it compiles. */
struct ib_arena {
    struct ib_arena_chunk *chunks;
};

/* n zeroed bytes, aligned for anything; NULL when out of memory. */
void *ib_arena_alloc(struct ib_arena *a, size_t n);
/* A copy with NUL behind it; p == NULL when out of memory. */
struct ib_str ib_arena_str(struct ib_arena *a, struct ib_str s);
void ib_arena_fini(struct ib_arena *a);

#endif
