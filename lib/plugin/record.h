/* SPDX-License-Identifier: MIT */
/* One line in syslog per decision: what a scheduler's log leaves out, for those who ask in the morning. */
#ifndef IB_PLUGIN_RECORD_H
#define IB_PLUGIN_RECORD_H

#include <stdbool.h>

#include "lib/base/attr.h"

#define IB_RECORD_LINE_MAX 900 /* bytes; relays may cut at 1024 */
#define IB_RECORD_TAG_MAX  64

/* "none", "daemon", "user", "auth", "local0" ... "local7"; NULL at the end: for an IB_OPTION_CHOICE. */
extern const char *const ib_record_facilities[];
#define IB_RECORD_NONE    0 /* index of "none" */
#define IB_RECORD_DEFAULT 1 /* index of "daemon" */

/*
 * Send one line; facility is an index into the table. problem: LOG_WARNING, else
 * LOG_NOTICE. The line is made clean. A host without syslog is no error, and one whose daemon does not
 * read is waited for no longer than 200 ms.
 */
void ib_record(int facility, const char *tag, bool problem, const char *fmt, ...) IB_PRINTF(4, 5);

#endif
