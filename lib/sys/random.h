/* SPDX-License-Identifier: MIT */
/* Randomness of the kernel: client tokens and jitter. */
#ifndef IB_SYS_RANDOM_H
#define IB_SYS_RANDOM_H

#include "lib/base/error.h"

/* Fill n bytes. Errors: IB_ESYS. */
IB_NODISCARD enum ib_rc ib_random_bytes(void *ret, size_t n, struct ib_error *err);

#define IB_UUID_SIZE 37 /* bytes with NUL */
/* A version 4 UUID in lower case (RFC 9562 §5.4). */
IB_NODISCARD enum ib_rc ib_uuid4(char ret[IB_UUID_SIZE], struct ib_error *err);

/* A number in [0, 1), for jitter. Never fails: without the kernel's help it is 0.5. */
double ib_random_unit(void);

#endif
