/* SPDX-License-Identifier: MIT */
/* The timer that ends the process. Global state is unavoidable here: a signal handler has no context. */
#include "lib/sys/watchdog.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/time.h>

#define WRITE_PATIENCE_MS 200 /* for a reader whose pipe is full; then the exit code must do */

struct line {
    char text[IB_WATCHDOG_LINE_MAX];
    size_t len;
};

/* Two copies each: one is written while the handler may read the other. */
static struct line lines[2];
static atomic_int line_at;
static struct {
    char name[NAME_MAX + 1];
    int dir_fd;
} temps[2];
static atomic_int temp_at = -1;
static atomic_int exit_status;
static _Atomic pid_t child_group;

static void on_alarm(int number)
{
    (void)number;
    pid_t group = atomic_load(&child_group);
    if (group > 0) {
        (void)kill(-group, SIGKILL);
    }
    int temp = atomic_load(&temp_at);
    if (temp >= 0) {
        (void)unlinkat(temps[temp].dir_fd, temps[temp].name, 0);
    }
    /* A full pipe would block write() for good; a writable one takes PIPE_BUF bytes at once. */
    const struct line *line = &lines[atomic_load(&line_at)];
    struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
    if (line->len > 0 && poll(&out, 1, WRITE_PATIENCE_MS) == 1 && (out.revents & POLLOUT) != 0) {
        ssize_t ignored = write(STDOUT_FILENO, line->text, line->len);
        (void)ignored;
    }
    _exit(atomic_load(&exit_status));
}

/* SA_RESETHAND: raised again it ends the process as if it had never been caught. */
static void on_end(int number)
{
    pid_t group = atomic_load(&child_group);

    if (group > 0) {
        (void)kill(-group, SIGKILL);
    }
    (void)raise(number);
}

/* A child has a group of its own, so what ends this process would leave it behind. Who asked for the
 * signal, or to have it ignored, keeps it. */
static void catch_end(bool is_caught)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};

    for (size_t i = 0; i < IB_ARRAY_LEN(numbers); i++) {
        struct sigaction action = {.sa_handler = on_end, .sa_flags = (int)SA_RESETHAND};
        struct sigaction now;

        (void)sigemptyset(&action.sa_mask);
        if (!is_caught) {
            action = (struct sigaction){.sa_handler = SIG_DFL};
        }
        if (sigaction(numbers[i], NULL, &now) == 0 &&
            now.sa_handler == (is_caught ? SIG_DFL : on_end)) {
            (void)sigaction(numbers[i], &action, NULL);
        }
    }
}

void ib_watchdog_set_line(const char *text)
{
    int next = 1 - atomic_load(&line_at);
    struct line *line = &lines[next];
    size_t len = text == NULL ? 0 : strlen(text);

    if (len > sizeof line->text - 2) {
        len = sizeof line->text - 2;
    }
    if (text != NULL) {
        memcpy(line->text, text, len);
    }
    if (text != NULL && (len == 0 || line->text[len - 1] != '\n')) {
        line->text[len++] = '\n';
    }
    line->text[len] = '\0';
    line->len = len;
    atomic_store(&line_at, next);
}

enum ib_rc ib_watchdog_start(int64_t at_ms, int exit_code, const char *line, struct ib_error *err)
{
    struct sigaction action = { 0 };
    struct itimerval when = { .it_value = { .tv_sec = (time_t)(at_ms / 1000),
                                            .tv_usec = (suseconds_t)(at_ms % 1000 * 1000) } };
    sigset_t alarm_only;

    IB_ASSERT(at_ms > 0);
    ib_watchdog_set_line(line);
    atomic_store(&exit_status, exit_code);
    action.sa_handler = on_alarm;
    (void)sigfillset(&action.sa_mask);
    (void)sigemptyset(&alarm_only);
    (void)sigaddset(&alarm_only, SIGALRM);
    if (sigaction(SIGALRM, &action, NULL) != 0 ||
        sigprocmask(SIG_UNBLOCK, &alarm_only, NULL) != 0 ||
        setitimer(ITIMER_REAL, &when, NULL) != 0) {
        return ib_fail_errno(err, errno, "cannot start the timeout's timer");
    }
    return IB_OK;
}

void ib_watchdog_set_child(pid_t pgid)
{
    if (pgid == 0) {
        catch_end(false);
    }
    atomic_store(&child_group, pgid);
    if (pgid > 0) {
        catch_end(true);
    }
}

void ib_watchdog_set_temp(int dir_fd, const char *name)
{
    int next = atomic_load(&temp_at) == 0 ? 1 : 0;

    if (name == NULL || strlen(name) > NAME_MAX) {
        atomic_store(&temp_at, -1);
        return;
    }
    memcpy(temps[next].name, name, strlen(name) + 1);
    temps[next].dir_fd = dir_fd;
    atomic_store(&temp_at, next);
}

void ib_watchdog_stop(void)
{
    struct itimerval never = { 0 };

    (void)setitimer(ITIMER_REAL, &never, NULL);
    ib_watchdog_set_child(0);
    ib_watchdog_set_temp(0, NULL);
}
