/* SPDX-License-Identifier: MIT */
/* Base64 of RFC 4648 §4, with padding. */
#ifndef IB_BASE_BASE64_H
#define IB_BASE_BASE64_H

#include "lib/base/buf.h"

/* Append the base64 text of n bytes. */
void ib_base64_add(struct ib_buf *out, const void *data, size_t n);

#endif
