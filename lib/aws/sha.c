/* SPDX-License-Identifier: MIT */
/* Digests by OpenSSL's one-shot functions. */
#include "lib/aws/sha.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

/* OpenSSL wants a pointer even for nothing. */
static const void *bytes_of(struct ib_str s)
{
    return s.p == NULL ? "" : s.p;
}

static enum ib_rc digest(struct ib_str data, const EVP_MD *md, uint8_t *ret, struct ib_error *err)
{
    if (EVP_Digest(bytes_of(data), data.n, ret, NULL, md, NULL) != 1) {
        return ib_fail(err, IB_EBUG, "OpenSSL refused to compute a digest");
    }
    return IB_OK;
}

enum ib_rc ib_sha256(struct ib_str data, uint8_t ret[IB_SHA256_BYTES], struct ib_error *err)
{
    return digest(data, EVP_sha256(), ret, err);
}

void ib_hex(const uint8_t *data, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * n] = '\0';
}

enum ib_rc ib_sha256_hex(struct ib_str data, char ret[IB_SHA256_HEX_MAX], struct ib_error *err)
{
    uint8_t hash[IB_SHA256_BYTES];
    enum ib_rc rc = ib_sha256(data, hash, err);

    if (rc == IB_OK) {
        ib_hex(hash, sizeof hash, ret);
    }
    return rc;
}

enum ib_rc ib_sha1_hex(struct ib_str data, char ret[IB_SHA1_HEX_MAX], struct ib_error *err)
{
    uint8_t hash[20];
    enum ib_rc rc = digest(data, EVP_sha1(), hash, err);

    if (rc == IB_OK) {
        ib_hex(hash, sizeof hash, ret);
    }
    return rc;
}

enum ib_rc ib_hmac_sha256(struct ib_str key, struct ib_str data, uint8_t ret[IB_SHA256_BYTES],
                          struct ib_error *err)
{
    if (key.n > IB_HMAC_KEY_MAX ||
        HMAC(EVP_sha256(), bytes_of(key), (int)key.n, bytes_of(data), data.n, ret, NULL) == NULL) {
        return ib_fail(err, IB_EBUG, "OpenSSL refused to compute an HMAC");
    }
    return IB_OK;
}
