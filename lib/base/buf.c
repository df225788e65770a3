/* SPDX-License-Identifier: MIT */
/* Growing byte buffer. */
#include "lib/base/buf.h"

#define BUF_FIRST_CAP 64 /* bytes; most texts of a plugin are a line */

void ib_buf_fini(struct ib_buf *b)
{
    if (b->data != NULL && b->secret) {
        explicit_bzero(b->data, b->cap);
    }
    free(b->data);
    b->data = NULL;
    b->len = 0;
    b->cap = 0;
    b->failed = false;
    b->too_large = false;
}

void ib_buf_reset(struct ib_buf *b)
{
    if (b->data != NULL) {
        if (b->secret) {
            /* Behind len nothing was ever left: growing and cutting wipe. */
            explicit_bzero(b->data, b->len);
        }
        b->data[0] = '\0';
    }
    b->len = 0;
    b->failed = false;
    b->too_large = false;
}

/* Makes room for n more bytes and the NUL. */
static bool reserve(struct ib_buf *b, size_t n)
{
    size_t need;

    if (b->failed) {
        return false;
    }
    if (__builtin_add_overflow(b->len, n, &need) || need > b->max) {
        b->failed = true;
        b->too_large = true;
        return false;
    }
    need++;
    if (need <= b->cap) {
        return true;
    }
    size_t cap = b->cap == 0 ? BUF_FIRST_CAP : b->cap;
    while (cap < need) {
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    }
    if (cap > b->max && b->max < SIZE_MAX) {
        cap = b->max + 1 > need ? b->max + 1 : need;
    }
    char *grown;
    if (b->secret) {
        /* realloc would leave a copy of the secret behind. */
        grown = malloc(cap);
        if (grown != NULL && b->data != NULL) {
            memcpy(grown, b->data, b->len + 1);
            explicit_bzero(b->data, b->cap);
            free(b->data);
        }
    } else {
        grown = realloc(b->data, cap);
    }
    if (grown == NULL) {
        b->failed = true;
        return false;
    }
    b->data = grown;
    b->cap = cap;
    return true;
}

void ib_buf_add(struct ib_buf *b, const void *data, size_t n)
{
    if (!reserve(b, n)) {
        return;
    }
    if (n > 0) {
        memcpy(b->data + b->len, data, n);
    }
    b->len += n;
    b->data[b->len] = '\0';
}

void ib_buf_add_c(struct ib_buf *b, const char *text)
{
    ib_buf_add(b, text, strlen(text));
}

void ib_buf_add_str(struct ib_buf *b, struct ib_str s)
{
    ib_buf_add(b, s.p, s.n);
}

void ib_buf_add_char(struct ib_buf *b, char c)
{
    ib_buf_add(b, &c, 1);
}

void ib_buf_vaddf(struct ib_buf *b, const char *fmt, va_list ap)
{
    va_list again;

    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0) {
        b->failed = true;
        return;
    }
    if (!reserve(b, (size_t)n)) {
        return;
    }
    (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    b->len += (size_t)n;
}

void ib_buf_addf(struct ib_buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    ib_buf_vaddf(b, fmt, ap);
    va_end(ap);
}

void ib_buf_cut(struct ib_buf *b, size_t n)
{
    if (n < b->len) {
        if (b->secret) {
            explicit_bzero(b->data + n, b->len - n);
        }
        b->len = n;
        b->data[n] = '\0';
    }
}

const char *ib_buf_c(const struct ib_buf *b)
{
    return b->data == NULL || b->failed ? "" : b->data;
}

struct ib_str ib_buf_str(const struct ib_buf *b)
{
    if (b->data == NULL || b->failed) {
        return (struct ib_str){ "", 0 };
    }
    return (struct ib_str){ b->data, b->len };
}

enum ib_rc ib_buf_ok(const struct ib_buf *b, const char *what, struct ib_error *err)
{
    if (!b->failed) {
        return IB_OK;
    }
    if (b->too_large) {
        return ib_fail(err, IB_ELIMIT, "%s is larger than %zu bytes", what, b->max);
    }
    return ib_fail_nomem(err);
}

char *ib_buf_take(struct ib_buf *b)
{
    if (b->failed || !reserve(b, 0)) {
        ib_buf_fini(b);
        return NULL;
    }
    b->data[b->len] = '\0';
    char *taken = b->data;
    b->data = NULL;
    b->len = 0;
    b->cap = 0;
    return taken;
}
