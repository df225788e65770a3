/* SPDX-License-Identifier: MIT */
/*
 * Non-owning view of bytes, by value, for parsing and lookup; print with "%.*s", IB_STR_ARG(s).
 * ASCII classifiers and comparisons here never look at the locale.
 */
#ifndef IB_BASE_STR_H
#define IB_BASE_STR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/attr.h"

struct ib_str {
    const char *p; /* not NUL-terminated; may be NULL when n is 0 */
    size_t n;      /* bytes */
};

#define IB_STR(literal)  ((struct ib_str){ (literal), sizeof(literal) - 1 })
/* For printf's "%.*s"; texts longer than an int are cut. */
#define IB_STR_ARG(s)    (int)((s).n > 0x7fffffff ? 0x7fffffff : (s).n), ((s).p == NULL ? "" : (s).p)

static inline bool ib_ascii_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool ib_ascii_lower(char c)
{
    return c >= 'a' && c <= 'z';
}
static inline bool ib_ascii_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}
static inline bool ib_ascii_alpha(char c)
{
    return ib_ascii_lower(c) || ib_ascii_upper(c);
}
static inline bool ib_ascii_alnum(char c)
{
    return ib_ascii_alpha(c) || ib_ascii_digit(c);
}
static inline bool ib_ascii_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
static inline char ib_ascii_tolower(char c)
{
    return ib_ascii_upper(c) ? (char)(c + ('a' - 'A')) : c;
}
static inline char ib_ascii_toupper(char c)
{
    return ib_ascii_lower(c) ? (char)(c - ('a' - 'A')) : c;
}
/* Value of a hexadecimal digit, -1 for anything else. */
int ib_hex_value(char c);

/* View of a NUL-terminated text; NULL gives the empty view. */
struct ib_str ib_str_from(const char *text);
bool ib_str_eq(struct ib_str a, struct ib_str b);
bool ib_str_eq_c(struct ib_str a, const char *b);
/* Equal but for the case of ASCII letters. */
bool ib_str_ieq(struct ib_str a, struct ib_str b);
bool ib_str_ieq_c(struct ib_str a, const char *b);
bool ib_str_starts(struct ib_str s, struct ib_str prefix);
bool ib_str_ends(struct ib_str s, struct ib_str suffix);
/* Byte order, shorter first on a tie: <0, 0, >0. */
int ib_str_cmp(struct ib_str a, struct ib_str b);
/* Position of a byte, or s.n when it is not there. */
size_t ib_str_find(struct ib_str s, char c);
/* s without its first n bytes (all of them when n is larger). */
struct ib_str ib_str_skip(struct ib_str s, size_t n);
/* The first n bytes at most. */
struct ib_str ib_str_head(struct ib_str s, size_t n);
/* Blanks, tabs and line ends removed at both ends. */
struct ib_str ib_str_trim(struct ib_str s);
/*
 * Cut *rest at the first sep: returns what stands before, leaves what stands after.
 * Without sep returns all and leaves a view with p == NULL.
 */
struct ib_str ib_str_split(struct ib_str *rest, char sep);
/* Heap copy with NUL, to free(); NULL when out of memory or when s holds a NUL byte. */
char *ib_str_dup(struct ib_str s);
/* 64-bit hash for tables in memory (FNV-1a); not for keeping on disk. */
uint64_t ib_str_hash(struct ib_str s);

/* free() for IB_CLEANUP on char pointers. */
void ib_cleanup_char(char **p);

#endif
