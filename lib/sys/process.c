/* SPDX-License-Identifier: MIT */
/* Identity of processes by /proc. */
#include "lib/sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "lib/base/num.h"
#include "lib/base/text.h"

/* Reads a small file of /proc whole; returns its length or -errno. */
static int read_small(const char *path, char *buf, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) {
        return -errno;
    }
    size_t len = 0;
    while (len < cap - 1) {
        ssize_t n = read(fd, buf + len, cap - 1 - len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            int saved = errno;
            (void)close(fd);
            return -saved;
        }
        if (n == 0) {
            break;
        }
        len += (size_t)n;
    }
    (void)close(fd);
    buf[len] = '\0';
    return (int)len;
}

/* State letter and start time out of /proc/PID/stat. 0, -errno, or -EINVAL for an odd line. */
static int read_stat(int64_t pid, char *ret_state, int64_t *ret_start)
{
    char path[64], text[1024];

    (void)snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    int n = read_small(path, text, sizeof text);
    if (n < 0) {
        return n;
    }
    /* The second field is the program's name in parentheses and may hold anything, ")" too. */
    const char *end = strrchr(text, ')');
    if (end == NULL || end[1] != ' ') {
        return -EINVAL;
    }
    struct ib_str rest = ib_str_from(end + 2);
    struct ib_str state = ib_str_split(&rest, ' ');
    struct ib_str field = state;
    for (int i = 4; i <= 22; i++) {
        field = ib_str_split(&rest, ' ');
    }
    if (state.n != 1 || ib_num_i64(field, 0, INT64_MAX, "start time", ret_start, NULL) != IB_OK) {
        return -EINVAL;
    }
    *ret_state = state.p[0];
    return 0;
}

static int read_boot_id(char *buf, size_t cap)
{
    char text[128];
    int n = read_small("/proc/sys/kernel/random/boot_id", text, sizeof text);

    if (n < 0) {
        return n;
    }
    return ib_text_copy(buf, cap, ib_str_trim(ib_str_from(text))) ? 0 : -EINVAL;
}

enum ib_rc ib_process_self(struct ib_process *ret, struct ib_error *err)
{
    struct ib_process self = {.pid = (int64_t)getpid()};
    char state;
    int rc = read_stat(self.pid, &state, &self.start_ticks);

    if (rc == 0) {
        rc = read_boot_id(self.boot_id, sizeof self.boot_id);
    }
    if (rc != 0) {
        return ib_fail_errno(err, -rc, "cannot read /proc to tell who this process is");
    }
    if (gethostname(self.host, sizeof self.host - 1) != 0) {
        self.host[0] = '\0';
    }
    *ret = self;
    return IB_OK;
}

enum ib_process_life ib_process_life(const struct ib_process *process)
{
    char boot_id[IB_BOOT_ID_MAX];
    int64_t start;
    char state;

    if (read_boot_id(boot_id, sizeof boot_id) != 0) {
        return IB_PROCESS_UNKNOWN;
    }
    if (strcmp(boot_id, process->boot_id) != 0) {
        return IB_PROCESS_GONE;
    }
    int rc = read_stat(process->pid, &state, &start);
    if (rc == -ENOENT || rc == -ESRCH) {
        /* Where /proc hides other users' processes, "not there" proves nothing; signal 0 does. */
        if (kill((pid_t)process->pid, 0) == 0 || errno == EPERM) {
            return IB_PROCESS_UNKNOWN;
        }
        return IB_PROCESS_GONE;
    }
    if (rc != 0) {
        return IB_PROCESS_UNKNOWN;
    }
    return start != process->start_ticks || state == 'Z' || state == 'X' ? IB_PROCESS_GONE
                                                                         : IB_PROCESS_ALIVE;
}
