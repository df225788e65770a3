/* SPDX-License-Identifier: MIT */
/* I-Regexp (RFC 9485), the dialect of match() and search(), to PCRE2. */
#ifndef IB_ARAZZO_IREGEXP_H
#define IB_ARAZZO_IREGEXP_H

#include "lib/base/buf.h"

#define IB_IREGEXP_DEPTH_MAX 64 /* groups inside each other */

/*
 * Check a pattern (valid UTF-8) against the grammar of RFC 9485 section 3 and append what PCRE2
 * reads the same way. '^' and '$' outside of classes stay anchors, as section 5 maps them and the
 * compliance suite of RFC 9535 expects.
 *
 * ret_column  may be NULL; on IB_EPARSE the byte, counted from 1, where the pattern went wrong.
 * Errors IB_EPARSE ("column N: ..."), IB_ELIMIT, IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_iregexp_translate(struct ib_str pattern, struct ib_buf *out,
                                             size_t *ret_column, struct ib_error *err);

#endif
