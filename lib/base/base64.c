/* SPDX-License-Identifier: MIT */
/* Base64. */
#include "lib/base/base64.h"

void ib_base64_add(struct ib_buf *out, const void *data, size_t n)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = data;

    for (size_t i = 0; i < n; i += 3) {
        uint32_t a = p[i];
        uint32_t b = i + 1 < n ? p[i + 1] : 0U;
        uint32_t c = i + 2 < n ? p[i + 2] : 0U;
        uint32_t group = a << 16 | b << 8 | c;
        ib_buf_add_char(out, alphabet[group >> 18 & 63U]);
        ib_buf_add_char(out, alphabet[group >> 12 & 63U]);
        ib_buf_add_char(out, i + 1 < n ? alphabet[group >> 6 & 63U] : '=');
        ib_buf_add_char(out, i + 2 < n ? alphabet[group & 63U] : '=');
    }
}
