/* SPDX-License-Identifier: MIT */
/* Environment look-up; secure_getenv so that a set-uid copy obeys nobody's variables. */
#include "lib/base/env.h"

const char *ib_env_get(const char *name)
{
    const char *value = secure_getenv(name);

    return value == NULL || value[0] == '\0' ? NULL : value;
}
