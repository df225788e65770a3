/* SPDX-License-Identifier: MIT */
/*
 * Signals as a program of ours wants them. What a scheduler blocked or ignored survives exec and
 * would otherwise switch off our timeout (SIGALRM) or kill us silently (SIGPIPE).
 */
#ifndef IB_SYS_SIGNALS_H
#define IB_SYS_SIGNALS_H

#include <stdbool.h>

#include "lib/base/attr.h"

/*
 * First thing in main: every signal unblocked; SIGALRM, SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2 to their
 * default; SIGPIPE ignored (a write then fails); file descriptors 0..2 opened on /dev/null where they
 * are closed. SIGINT, SIGQUIT and SIGHUP stay ignored if they were: nohup and background jobs mean it.
 */
void ib_signals_reset(void);

/*
 * From now on SIGTERM, SIGINT and SIGHUP (the latter two unless ignored) only raise a flag, and all
 * waiting in lib/sys and lib/aws ends soon after. A second SIGINT ends the process the usual way.
 * One second after a stop SIGALRM comes, whatever hangs: the watchdog's line is then the last word.
 */
void ib_signals_catch_stop(void);
bool ib_signals_stop_requested(void);
/* "SIGTERM", "SIGINT", "SIGHUP"; "" before any. */
const char *ib_signals_stop_name(void);
/* Becomes readable when a stop is requested, for poll(); -1 when not caught. Never read from it. */
int ib_signals_stop_fd(void);

/* Sleep up to ms milliseconds; true when a stop was requested meanwhile or before. May return early. */
bool ib_signals_wait(int ms);

#endif
