/* SPDX-License-Identifier: MIT */
/* Lines to syslog. */
#include "lib/plugin/record.h"

#include <stdarg.h>
#include <syslog.h>

#include "lib/base/text.h"

const char *const ib_record_facilities[] = {"none",   "daemon", "user",   "auth",   "local0",
                                            "local1", "local2", "local3", "local4", "local5",
                                            "local6", "local7", NULL};

static const int facilities[] = {0,          LOG_DAEMON, LOG_USER,   LOG_AUTH,
                                 LOG_LOCAL0, LOG_LOCAL1, LOG_LOCAL2, LOG_LOCAL3,
                                 LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7};

void ib_record(int facility, const char *tag, bool problem, const char *fmt, ...)
{
    char raw[IB_RECORD_LINE_MAX], line[IB_RECORD_LINE_MAX];
    va_list ap;

    if (facility <= IB_RECORD_NONE || facility >= (int)IB_ARRAY_LEN(facilities)) {
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    (void)ib_text_clean(raw, strlen(raw), line, sizeof line);
    openlog(tag, LOG_PID, facilities[facility]);
    syslog(problem ? LOG_WARNING : LOG_NOTICE, "%s", line);
    closelog();
}
