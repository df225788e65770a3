/* SPDX-License-Identifier: MIT */
/*
 * Foreign text made safe to show. Everything that AWS, a proxy, a child process or a file wrote
 * passes through here before it reaches a line of output or a log.
 */
#ifndef IB_BASE_TEXT_H
#define IB_BASE_TEXT_H

#include <stdbool.h>

#include "lib/base/buf.h"

/*
 * Copy n bytes of src as one clean line into dst (cap bytes with NUL): control characters (C0, DEL,
 * C1, line and paragraph separators, direction overrides) become spaces, runs of blanks one blank,
 * invalid UTF-8 becomes '?'; trimmed; cut between characters with "..." when it does not fit.
 * src and dst may not overlap.
 * Returns the length. cap must be at least 4.
 */
size_t ib_text_clean(const char *src, size_t n, char *dst, size_t cap);

/* As ib_text_clean(), and '|' becomes '/' too: fit for the text part of plugin output. */
size_t ib_text_plugin(const char *src, size_t n, char *dst, size_t cap);

/* Length in bytes of the valid UTF-8 character at p (1..4), 0 when the bytes are not one. */
size_t ib_utf8_len(const char *p, size_t n);
/* Whole text is valid UTF-8 (no surrogates, no overlong forms)? */
bool ib_utf8_valid(const char *p, size_t n);
/* Number of characters (code points) of valid UTF-8. */
size_t ib_utf8_count(const char *p, size_t n);
/* Append a code point (not a surrogate, at most U+10FFFF) as UTF-8. */
void ib_utf8_add(struct ib_buf *b, uint32_t code);
/* Decode the character at p; *ret_len its bytes. Returns 0xFFFFFFFF when invalid. */
uint32_t ib_utf8_decode(const char *p, size_t n, size_t *ret_len);

/* Copy NUL-terminated text into a fixed array when it fits; false and "" when it does not. */
bool ib_text_copy(char *dst, size_t cap, struct ib_str src);

#endif
