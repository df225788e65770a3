/* SPDX-License-Identifier: MIT */
/* Compiler attributes under names of ours. Leaf of the tree: includes nothing of the project. */
#ifndef IB_BASE_ATTR_H
#define IB_BASE_ATTR_H

#include <stddef.h>

/* The result must be looked at. */
#define IB_NODISCARD __attribute__((warn_unused_result))
/* Arguments are checked like those of printf; a is the format's position, b the first value's. */
#define IB_PRINTF(a, b) __attribute__((format(printf, a, b)))
#define IB_NORETURN __attribute__((noreturn))
#define IB_UNUSED __attribute__((unused))
/* Runs fn(&variable) when the variable leaves its scope. The variable is initialised on the same line. */
#define IB_CLEANUP(fn) __attribute__((cleanup(fn)))

#define IB_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
