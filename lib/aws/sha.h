/* SPDX-License-Identifier: MIT */
/* Digests, by OpenSSL: the only file beside http.c that knows a crypto library. */
#ifndef IB_AWS_SHA_H
#define IB_AWS_SHA_H

#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

#define IB_SHA256_BYTES   32
#define IB_SHA256_HEX_MAX 65 /* bytes with NUL */
#define IB_SHA1_HEX_MAX   41
#define IB_HMAC_KEY_MAX   4096 /* bytes; far beyond any AWS secret */

IB_NODISCARD enum ib_rc ib_sha256(struct ib_str data, uint8_t ret[IB_SHA256_BYTES],
                                  struct ib_error *err);
IB_NODISCARD enum ib_rc ib_sha256_hex(struct ib_str data, char ret[IB_SHA256_HEX_MAX],
                                      struct ib_error *err);
/* For names of cache files only (the SSO token cache of the AWS CLI): not for security. */
IB_NODISCARD enum ib_rc ib_sha1_hex(struct ib_str data, char ret[IB_SHA1_HEX_MAX],
                                    struct ib_error *err);
IB_NODISCARD enum ib_rc ib_hmac_sha256(struct ib_str key, struct ib_str data,
                                       uint8_t ret[IB_SHA256_BYTES], struct ib_error *err);
/* Lower case, NUL-terminated; out has 2 * n + 1 bytes. */
void ib_hex(const uint8_t *data, size_t n, char *out);

#endif
