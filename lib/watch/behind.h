/* SPDX-License-Identifier: MIT */
/* Asking what a cancelled build left behind. */
#ifndef IB_WATCH_BEHIND_H
#define IB_WATCH_BEHIND_H

#include "lib/imagebuilder/leftover.h"
#include "lib/watch/clients.h"
#include "lib/watch/targets.h"

#define IB_BEHIND_WORKFLOWS_MAX 8 /* of one build, the first that are listed */

/*
 * Read the steps of all its workflows, for within_ms at most. image: as last read. What cannot be read is
 * left out: this is advice, and nothing hangs on it. ret must be zeroed.
 */
void ib_behind_look(const struct ib_target *target, struct ib_clients *clients,
                    const struct ib_image *image, int64_t within_ms, struct ib_leftover *ret);

#endif
