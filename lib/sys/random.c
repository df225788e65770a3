/* SPDX-License-Identifier: MIT */
/* Randomness by getrandom(2). */
#include "lib/sys/random.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

enum ib_rc ib_random_bytes(void *ret, size_t n, struct ib_error *err)
{
    unsigned char *at = ret;

    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            return ib_fail_errno(err, errno, "cannot get random bytes");
        }
        at += got;
        n -= (size_t)got;
    }
    return IB_OK;
}

enum ib_rc ib_uuid4(char ret[IB_UUID_SIZE], struct ib_error *err)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t raw[16];
    enum ib_rc rc = ib_random_bytes(raw, sizeof raw, err);
    size_t at = 0;

    if (rc != IB_OK) {
        return rc;
    }
    raw[6] = (uint8_t)((raw[6] & 0x0F) | 0x40); /* version 4 */
    raw[8] = (uint8_t)((raw[8] & 0x3F) | 0x80); /* variant 10xx */
    for (size_t i = 0; i < sizeof raw; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            ret[at++] = '-';
        }
        ret[at++] = digits[raw[i] >> 4];
        ret[at++] = digits[raw[i] & 0x0F];
    }
    ret[at] = '\0';
    return IB_OK;
}

double ib_random_unit(void)
{
    uint64_t bits;

    if (ib_random_bytes(&bits, sizeof bits, NULL) != IB_OK) {
        return 0.5;
    }
    /* 53 bits are what a double holds exactly. */
    return (double)(bits >> 11) * 0x1p-53;
}
