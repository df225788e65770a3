/* SPDX-License-Identifier: MIT */
/*
 * The last line of defence of the timeout: an interval timer whose handler prints a prepared line
 * and ends the process, whatever a library is stuck in (name resolution ignores libcurl's own
 * timeout).
 *
 * The handler does only what is async-signal-safe: kill the child's process group, remove a temporary
 * file, write(2), _exit(2). There is one watchdog per process.
 */
#ifndef IB_SYS_WATCHDOG_H
#define IB_SYS_WATCHDOG_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"

#define IB_WATCHDOG_LINE_MAX 1024 /* bytes with NUL; fits in a pipe at once */

/*
 * Start, or start anew. at_ms from now (at least 1); line is copied, a missing newline is added, too
 * long is cut. Errors: IB_ESYS when the timer cannot be set.
 */
IB_NODISCARD enum ib_rc ib_watchdog_start(int64_t at_ms, int exit_code, const char *line,
                                          struct ib_error *err);
/*
 * Another line for the same deadline; the handler sees either the old or the new one, whole. NULL: say
 * nothing, only end; for while the result is being printed.
 */
void ib_watchdog_set_line(const char *line);
/* Process group to kill as well, also when SIGTERM, SIGINT or SIGHUP ends us; 0 = none. */
void ib_watchdog_set_child(pid_t pgid);
/* File to remove as well, relative to dir_fd; NULL = none. Too long a name is not remembered. */
void ib_watchdog_set_temp(int dir_fd, const char *name);
/* No more: the result is about to be printed. */
void ib_watchdog_stop(void);

#endif
