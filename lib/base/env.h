/* SPDX-License-Identifier: MIT */
/* The one door to the environment. */
#ifndef IB_BASE_ENV_H
#define IB_BASE_ENV_H

#include "lib/base/attr.h"

/* Value of an environment variable; NULL when it is unset or empty, or the process is set-uid. */
const char *ib_env_get(const char *name);

#endif
