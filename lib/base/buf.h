/* SPDX-License-Identifier: MIT */
/*
 * Growing byte buffer with a mandatory maximum and sticky failure.
 *
 * Invariants: data is NULL or NUL-terminated at data[len]; len < cap <= max + 1. After a failed
 * append (maximum reached, out of memory) the buffer is marked, all later appends do nothing, and
 * ib_buf_ok() reports it: so a row of appends is checked once at its end.
 * secret buffers wipe what they leave behind when they grow and when they end.
 */
#ifndef IB_BASE_BUF_H
#define IB_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

struct ib_buf {
    char *data;
    size_t len, cap, max;
    bool secret, failed, too_large;
};

#define IB_BUF_INIT(max_bytes)        { .max = (max_bytes) }
#define IB_BUF_INIT_SECRET(max_bytes) { .max = (max_bytes), .secret = true }

/* Ends the buffer; safe on a zeroed one. Keeps max, so it can be filled again. */
void ib_buf_fini(struct ib_buf *b);
/* Empty and not failed, memory kept. */
void ib_buf_reset(struct ib_buf *b);
void ib_buf_add(struct ib_buf *b, const void *data, size_t n);
void ib_buf_add_c(struct ib_buf *b, const char *text);
void ib_buf_add_str(struct ib_buf *b, struct ib_str s);
void ib_buf_add_char(struct ib_buf *b, char c);
void ib_buf_addf(struct ib_buf *b, const char *fmt, ...) IB_PRINTF(2, 3);
void ib_buf_vaddf(struct ib_buf *b, const char *fmt, va_list ap) IB_PRINTF(2, 0);
/* Shorten to n bytes; n > len does nothing. */
void ib_buf_cut(struct ib_buf *b, size_t n);
/* Never NULL: "" for an empty or failed buffer. Valid until the next change. */
const char *ib_buf_c(const struct ib_buf *b);
struct ib_str ib_buf_str(const struct ib_buf *b);
/* IB_OK, IB_ELIMIT (maximum reached) or IB_ENOMEM; what names the content for the sentence. */
IB_NODISCARD enum ib_rc ib_buf_ok(const struct ib_buf *b, const char *what, struct ib_error *err);
/* Hands the memory to the caller, who free()s it; NULL when failed. The buffer is empty after. */
char *ib_buf_take(struct ib_buf *b);

#endif
