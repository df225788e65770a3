/* SPDX-License-Identifier: MIT */
/* Leaving work to a process in the background, in the way that freezes no scheduler. */
#ifndef IB_SYS_DETACH_H
#define IB_SYS_DETACH_H

#include "lib/base/error.h"

/*
 * Start this program again with argv (argv[0] is only its name; ends with NULL) in a session of its own, all
 * three standard descriptors on /dev/null, everything else closed at exec. The caller must end at
 * once: a parent that lives on with its output closed, or a child that keeps the pipe, stops the
 * checks of a whole daemon. Errors: IB_ESYS.
 */
IB_NODISCARD enum ib_rc ib_detach_self(char *const *argv, struct ib_error *err);

#endif
