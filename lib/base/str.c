/* SPDX-License-Identifier: MIT */
/* Views of bytes. */
#include "lib/base/str.h"

int ib_hex_value(char c)
{
    if (ib_ascii_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

struct ib_str ib_str_from(const char *text)
{
    return (struct ib_str){ text, text == NULL ? 0 : strlen(text) };
}

bool ib_str_eq(struct ib_str a, struct ib_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool ib_str_eq_c(struct ib_str a, const char *b)
{
    return ib_str_eq(a, ib_str_from(b));
}

bool ib_str_ieq(struct ib_str a, struct ib_str b)
{
    if (a.n != b.n) {
        return false;
    }
    for (size_t i = 0; i < a.n; i++) {
        if (ib_ascii_tolower(a.p[i]) != ib_ascii_tolower(b.p[i])) {
            return false;
        }
    }
    return true;
}

bool ib_str_ieq_c(struct ib_str a, const char *b)
{
    return ib_str_ieq(a, ib_str_from(b));
}

bool ib_str_starts(struct ib_str s, struct ib_str prefix)
{
    return s.n >= prefix.n && ib_str_eq(ib_str_head(s, prefix.n), prefix);
}

bool ib_str_ends(struct ib_str s, struct ib_str suffix)
{
    return s.n >= suffix.n && ib_str_eq(ib_str_skip(s, s.n - suffix.n), suffix);
}

int ib_str_cmp(struct ib_str a, struct ib_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n == 0 ? 0 : memcmp(a.p, b.p, n);

    if (order != 0) {
        return order;
    }
    return a.n < b.n ? -1 : a.n > b.n;
}

size_t ib_str_find(struct ib_str s, char c)
{
    const char *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);

    return at == NULL ? s.n : (size_t)(at - s.p);
}

struct ib_str ib_str_skip(struct ib_str s, size_t n)
{
    if (n >= s.n) {
        return (struct ib_str){ s.p == NULL ? NULL : s.p + s.n, 0 };
    }
    return (struct ib_str){ s.p + n, s.n - n };
}

struct ib_str ib_str_head(struct ib_str s, size_t n)
{
    return (struct ib_str){ s.p, n < s.n ? n : s.n };
}

struct ib_str ib_str_trim(struct ib_str s)
{
    while (s.n > 0 && ib_ascii_space(s.p[0])) {
        s = ib_str_skip(s, 1);
    }
    while (s.n > 0 && ib_ascii_space(s.p[s.n - 1])) {
        s.n--;
    }
    return s;
}

struct ib_str ib_str_split(struct ib_str *rest, char sep)
{
    size_t at = ib_str_find(*rest, sep);
    struct ib_str head = ib_str_head(*rest, at);

    if (at == rest->n) {
        *rest = (struct ib_str){ NULL, 0 };
    } else {
        *rest = ib_str_skip(*rest, at + 1);
    }
    return head;
}

char *ib_str_dup(struct ib_str s)
{
    if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL) {
        return NULL;
    }
    char *copy = malloc(s.n + 1);
    if (copy == NULL) {
        return NULL;
    }
    if (s.n > 0) {
        memcpy(copy, s.p, s.n);
    }
    copy[s.n] = '\0';
    return copy;
}

uint64_t ib_str_hash(struct ib_str s)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < s.n; i++) {
        h ^= (unsigned char)s.p[i];
        h *= UINT64_C(1099511628211);
    }
    return h;
}

void ib_cleanup_char(char **p)
{
    free(*p);
    *p = NULL;
}
