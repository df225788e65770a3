/* SPDX-License-Identifier: MIT */
/* The bytes of conf/workflows/cancel-running-image-build.arazzo.yaml, written into C by the build. */
#ifndef IB_ARAZZO_BUILTIN_H
#define IB_ARAZZO_BUILTIN_H

#include <stddef.h>

extern const unsigned char ib_arazzo_builtin_bytes[];
extern const size_t ib_arazzo_builtin_size;

#endif
