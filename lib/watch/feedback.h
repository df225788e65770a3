/* SPDX-License-Identifier: MIT */
/*
 * Telling the scheduler at once: run the check of this service again, and leave a comment on it.
 *
 * Icinga 2 by its API with a user of its own and a pinned CA; Nagios and Naemon by their command file.
 * Nothing in names or comment can become another command: they are validated, not escaped. What
 * goes wrong here never changes what was done at AWS; it is told beside it.
 */
#ifndef IB_WATCH_FEEDBACK_H
#define IB_WATCH_FEEDBACK_H

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/sys/deadline.h"
#include "lib/watch/targets.h"

#define IB_FEEDBACK_NAME_MAX    255  /* bytes of a host's or service's name */
#define IB_FEEDBACK_COMMENT_MAX 1000 /* bytes; a command file line is written whole only below 4096 */

struct ib_feedback_event {
    const char *host, *service; /* names of objects in the scheduler */
    const char *comment;        /* NULL = none; made one clean line */
    bool recheck;
};

/*
 * Names that the scheduler takes: not empty, at most IB_FEEDBACK_NAME_MAX bytes of UTF-8, no control
 * characters. Where they are written into a line of Nagios (not as_data, as they travel to Icinga's API) none of
 * ; ! | \ " ' < > ` $ &, which its own names do not have either. Errors: IB_EUSAGE.
 */
IB_NODISCARD enum ib_rc ib_feedback_check(const struct ib_feedback_event *event, bool as_data,
                                          struct ib_error *err);

/*
 * POST /v1/actions/reschedule-check and add-comment. When the API refuses the comment alone, the check is asked for
 * all the same and ret_comment says why there is none; it must be IB_ERROR_INIT. Errors: IB_ECONFIG (url, user, password file or
 * CA not set, password file readable by others), IB_ENET, IB_ETLS, IB_EHTTP (what the API said, or
 * no such service), IB_ETIMEOUT.
 */
IB_NODISCARD enum ib_rc ib_feedback_icinga(const struct ib_feedback *where,
                                           const struct ib_feedback_event *event,
                                           const struct ib_deadline *deadline,
                                           struct ib_error *ret_comment, struct ib_error *err);

/*
 * SCHEDULE_FORCED_SVC_CHECK and ADD_SVC_COMMENT into the command file. Errors: IB_ECONFIG (not set,
 * no FIFO), IB_ESYS (not writable, or nobody reads: the daemon is down). Never makes the file, never blocks.
 */
IB_NODISCARD enum ib_rc ib_feedback_nagios(const struct ib_feedback *where,
                                           const struct ib_feedback_event *event, int64_t now_ms,
                                           struct ib_error *err);

#endif
