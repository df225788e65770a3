/* SPDX-License-Identifier: MIT */
/*
 * The allow list: patterns of build ARNs that may be cancelled ("cancel.allow", --allow).
 *
 * "arn:aws:imagebuilder:*:123456789012:image/web-*": six parts between colons. '*' stands for any
 * text within its part, never across a ':', so that a pattern for one account cannot be met by
 * another one; '?' for one character. The part behind the fifth colon is the resource; '*' there
 * crosses '/'. Letters match exactly.
 */
#ifndef IB_WATCH_ALLOW_H
#define IB_WATCH_ALLOW_H

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

#define IB_ALLOW_PATTERN_MAX 512 /* bytes; twice the longest ARN of a build */

/*
 * Is this a pattern that can match a build at all? what names it in the sentence. Refused
 * (IB_ECONFIG): fewer than six parts, a service other than imagebuilder or '*', a resource that
 * cannot begin with "image/".
 */
IB_NODISCARD enum ib_rc ib_allow_check(struct ib_str pattern, const char *what,
                                       struct ib_error *err);

/* Does the pattern cover this ARN? A malformed pattern or ARN covers nothing. */
bool ib_allow_matches(struct ib_str pattern, struct ib_str arn);

#endif
