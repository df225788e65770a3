/* SPDX-License-Identifier: MIT */
/* Cleaning of foreign text and UTF-8. */
#include "lib/base/text.h"

uint32_t ib_utf8_decode(const char *p, size_t n, size_t *ret_len)
{
    const unsigned char *u = (const unsigned char *)p;
    uint32_t code;
    size_t len;

    *ret_len = 0;
    if (n == 0) {
        return UINT32_MAX;
    }
    if (u[0] < 0x80) {
        *ret_len = 1;
        return u[0];
    }
    if (u[0] >= 0xC2 && u[0] <= 0xDF) {
        len = 2;
        code = u[0] & 0x1FU;
    } else if (u[0] >= 0xE0 && u[0] <= 0xEF) {
        len = 3;
        code = u[0] & 0x0FU;
    } else if (u[0] >= 0xF0 && u[0] <= 0xF4) {
        len = 4;
        code = u[0] & 0x07U;
    } else {
        return UINT32_MAX;
    }
    if (n < len) {
        return UINT32_MAX;
    }
    for (size_t i = 1; i < len; i++) {
        if ((u[i] & 0xC0U) != 0x80U) {
            return UINT32_MAX;
        }
        code = code << 6 | (u[i] & 0x3FU);
    }
    bool overlong = (len == 3 && code < 0x800) || (len == 4 && code < 0x10000);
    if (overlong || (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) {
        return UINT32_MAX;
    }
    *ret_len = len;
    return code;
}

size_t ib_utf8_len(const char *p, size_t n)
{
    size_t len;

    (void)ib_utf8_decode(p, n, &len);
    return len;
}

bool ib_utf8_valid(const char *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        size_t len = ib_utf8_len(p + at, n - at);
        if (len == 0) {
            return false;
        }
        at += len;
    }
    return true;
}

size_t ib_utf8_count(const char *p, size_t n)
{
    size_t count = 0;

    for (size_t at = 0; at < n; at++) {
        if (((unsigned char)p[at] & 0xC0U) != 0x80U) {
            count++;
        }
    }
    return count;
}

void ib_utf8_add(struct ib_buf *b, uint32_t code)
{
    if (code < 0x80) {
        ib_buf_add_char(b, (char)code);
    } else if (code < 0x800) {
        ib_buf_add_char(b, (char)(0xC0U | code >> 6));
        ib_buf_add_char(b, (char)(0x80U | (code & 0x3FU)));
    } else if (code < 0x10000) {
        ib_buf_add_char(b, (char)(0xE0U | code >> 12));
        ib_buf_add_char(b, (char)(0x80U | (code >> 6 & 0x3FU)));
        ib_buf_add_char(b, (char)(0x80U | (code & 0x3FU)));
    } else {
        ib_buf_add_char(b, (char)(0xF0U | code >> 18));
        ib_buf_add_char(b, (char)(0x80U | (code >> 12 & 0x3FU)));
        ib_buf_add_char(b, (char)(0x80U | (code >> 6 & 0x3FU)));
        ib_buf_add_char(b, (char)(0x80U | (code & 0x3FU)));
    }
}

/* Characters that move the cursor, end a line or reorder the text around them. */
static bool is_disruptive(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029 ||
           (code >= 0x200E && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

static size_t clean(const char *src, size_t n, char *dst, size_t cap, bool plugin)
{
    size_t out = 0;
    size_t at = 0;
    bool blank = true; /* leading blanks are dropped */

    while (at < n) {
        size_t len;
        uint32_t code = ib_utf8_decode(src + at, n - at, &len);
        const char *piece = src + at;
        size_t piece_len = len;
        if (code == UINT32_MAX) {
            piece = "?";
            piece_len = 1;
            len = 1;
        } else if (is_disruptive(code) || code == ' ') {
            piece = " ";
            piece_len = 1;
        } else if (plugin && code == '|') {
            piece = "/";
            piece_len = 1;
        }
        at += len;
        bool is_blank = piece_len == 1 && piece[0] == ' ';
        if (is_blank && blank) {
            continue;
        }
        blank = is_blank;
        if (out + piece_len > cap - 1) {
            /* Drop whole characters until the dots fit. */
            while (out > cap - 4) {
                do {
                    out--;
                } while (out > 0 && ((unsigned char)dst[out] & 0xC0U) == 0x80U);
            }
            memcpy(dst + out, "...", 3);
            out += 3;
            dst[out] = '\0';
            return out;
        }
        memcpy(dst + out, piece, piece_len);
        out += piece_len;
    }
    while (out > 0 && dst[out - 1] == ' ') {
        out--;
    }
    dst[out] = '\0';
    return out;
}

size_t ib_text_clean(const char *src, size_t n, char *dst, size_t cap)
{
    return clean(src, n, dst, cap, false);
}

size_t ib_text_plugin(const char *src, size_t n, char *dst, size_t cap)
{
    return clean(src, n, dst, cap, true);
}

bool ib_text_copy(char *dst, size_t cap, struct ib_str src)
{
    if (src.n >= cap || (src.n > 0 && memchr(src.p, '\0', src.n) != NULL)) {
        dst[0] = '\0';
        return false;
    }
    if (src.n > 0) {
        memcpy(dst, src.p, src.n);
    }
    dst[src.n] = '\0';
    return true;
}
