/* SPDX-License-Identifier: MIT */
/* Memory of one compiled text. */
#include "lib/arazzo/arena.h"

#include <stddef.h>

#define CHUNK_BYTES ((size_t)2048) /* most conditions fit one */

struct ib_arena_chunk {
    struct ib_arena_chunk *next;
    size_t used, cap;
    max_align_t data[];
};

void *ib_arena_alloc(struct ib_arena *a, size_t n)
{
    size_t size = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct ib_arena_chunk *c = a->chunks;

    if (size < n) {
        return NULL;
    }
    if (c == NULL || c->cap - c->used < size) {
        size_t cap = size > CHUNK_BYTES ? size : CHUNK_BYTES;
        c = calloc(1, sizeof *c + cap);
        if (c == NULL) {
            return NULL;
        }
        c->cap = cap;
        c->next = a->chunks;
        a->chunks = c;
    }
    void *p = (char *)c->data + c->used;
    c->used += size;
    return p;
}

struct ib_str ib_arena_str(struct ib_arena *a, struct ib_str s)
{
    char *p = ib_arena_alloc(a, s.n + 1);

    if (p == NULL) {
        return (struct ib_str){NULL, 0};
    }
    if (s.n > 0) {
        memcpy(p, s.p, s.n);
    }
    return (struct ib_str){p, s.n};
}

void ib_arena_fini(struct ib_arena *a)
{
    while (a->chunks != NULL) {
        struct ib_arena_chunk *next = a->chunks->next;
        free(a->chunks);
        a->chunks = next;
    }
}
