/* SPDX-License-Identifier: MIT */
/* Lines to syslog. */
#include "lib/plugin/record.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/sys/signals.h"

const char *const ib_record_facilities[] = {"none",   "daemon", "user",   "auth",   "local0",
                                            "local1", "local2", "local3", "local4", "local5",
                                            "local6", "local7", NULL};

static const int facilities[] = {0,          LOG_DAEMON, LOG_USER,   LOG_AUTH,
                                 LOG_LOCAL0, LOG_LOCAL1, LOG_LOCAL2, LOG_LOCAL3,
                                 LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7};

#define LOG_SOCKET  "/dev/log"
#define PATIENCE_MS 200 /* with a log daemon whose queue is full; then the line is lost */

/* One datagram; a stream, which some daemons have, ends each line with a NUL as libc's does. */
static int connect_log(int type)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = LOG_SOCKET};
    int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        int why = errno;
        (void)close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

/*
 * Not libc's syslog(): that waits for ever when the daemon is there and reads nothing, and a cancel that
 * is done would be reported as timed out.
 */
static void send_line(const char *line, size_t n)
{
    static bool is_deaf; /* it has let one line wait in vain: no other waits in this run */
    bool stream = false;
    int fd = connect_log(SOCK_DGRAM);

    if (fd < 0 && errno == EPROTOTYPE) {
        stream = true;
        fd = connect_log(SOCK_STREAM);
    }
    if (fd < 0) {
        return;
    }
    int64_t until_ms = ib_time_mono_ms() + (is_deaf ? 0 : PATIENCE_MS);
    bool sent = false;
    do {
        sent = send(fd, line, stream ? n + 1 : n, MSG_NOSIGNAL) >= 0;
    } while (!sent && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) &&
             ib_time_mono_ms() < until_ms && !ib_signals_wait(10));
    is_deaf = is_deaf || !sent;
    (void)close(fd);
}

void ib_record(int facility, const char *tag, bool problem, const char *fmt, ...)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char raw[IB_RECORD_LINE_MAX], text[IB_RECORD_LINE_MAX], name[IB_RECORD_TAG_MAX];
    char line[IB_RECORD_LINE_MAX + IB_RECORD_TAG_MAX + 64];
    time_t now = (time_t)(ib_time_now_ms() / IB_SECOND_MS);
    struct tm at = {.tm_mday = 1};
    va_list ap;

    if (facility <= IB_RECORD_NONE || facility >= (int)IB_ARRAY_LEN(facilities)) {
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    (void)ib_text_clean(raw, strlen(raw), text, sizeof text);
    (void)ib_text_clean(tag, strlen(tag), name, sizeof name);
    /* RFC 3164, as libc writes it: the time is the machine's own. */
    (void)localtime_r(&now, &at);
    int n = snprintf(line, sizeof line, "<%d>%s %2d %02d:%02d:%02d %s[%ld]: %s",
                     facilities[facility] | (problem ? LOG_WARNING : LOG_NOTICE),
                     months[at.tm_mon % 12], at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec, name,
                     (long)getpid(), text);
    if (n > 0 && (size_t)n < sizeof line) {
        send_line(line, (size_t)n);
    }
}
